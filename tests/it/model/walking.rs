//! What in a directory is signed, what is left out, and what is refused?

use std::{fs, io, path::Path};

use twinseal::{
    Error,
    ModelRefusal::{Empty, IgnoredPaths},
    model::{Checking, Finding, IgnoredBy, Method, Signing},
};

use super::directory::{Directory, entries, findings, names, verified};
use crate::common::{errors::io_outcome, keys::signing_key};

#[test]
fn an_empty_directory_is_not_signed() {
    let directory = Directory::new();
    assert_eq!(directory.refused(&Signing::new()), ("model".to_owned(), Empty));
    // Directories are nothing to sign, and what is left out is nothing.
    fs::create_dir(directory.of("empty")).unwrap();
    directory.write(".git/config", "");
    assert_eq!(directory.refused(&Signing::new()).1, Empty);
}

#[test]
fn a_model_that_is_not_there_is_an_error() {
    let directory = Directory::with([("w", "1")]);
    let manifest = directory.signed();
    let missing = directory.of("no-such-model");
    let errors = [
        Signing::new().sign(&signing_key(1), &missing).map(drop).unwrap_err(),
        Checking::new().check(&manifest, &missing).map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("no-such-model"), "{error}");
    }
}

#[test]
fn every_file_is_signed_under_its_relative_path() {
    let odd = [
        "a:b",
        "a:0:1",
        " ",
        "sp ace",
        "q\"uote",
        "UPPER",
        "upper",
        "\u{fc}",
        "u\u{308}",
        "\u{202e}txt",
        "...",
        "-",
        "*?[",
        "x/y",
        "x-y",
        "x.z/.git/config",
        ".gitmodules",
        "sub/.gitignore",
    ];
    #[cfg(unix)]
    let odd = odd.into_iter().chain(["new\nline", "back\\slash", "bell\u{7}", "esc\u{1b}[2J"]);
    let mut odd: Vec<&str> = odd.into_iter().collect();
    let directory = Directory::with(odd.iter().map(|name| (name, name)));
    let bundle = directory.sign(&Signing::new()).unwrap();
    let manifest = verified(&bundle);
    odd.sort_unstable();
    assert_eq!(names(&manifest), odd);
    assert_eq!(manifest.name(), "model");
    assert_eq!(manifest.method(), Method::Files);
    for name in odd {
        manifest.file(name).unwrap().verify(name.as_bytes()).unwrap();
    }
    let report = directory.report(&Checking::new(), &manifest);
    assert_eq!(findings(&report), []);
    assert_eq!(report.files(), names(&manifest).len());
}

#[test]
fn empty_files_are_signed_whole() {
    let directory = Directory::with([("empty", ""), ("d/also", ""), ("w", "1")]);
    let manifest = directory.signed();
    assert_eq!(names(&manifest), ["d/also", "empty", "w"]);
    assert_eq!(directory.findings(&manifest), []);
    directory.write("empty", "x");
    assert_eq!(directory.findings(&manifest), entries([("empty", Finding::Changed)]));
}

/// Deeper than open directories are allowed, and than a thread's stack would bear.
#[test]
fn directories_may_be_deep() {
    for depth in [60, 1000] {
        let name = "d/".repeat(depth) + "w";
        let directory = Directory::with([(&*name, "1"), ("v", "2")]);
        let manifest = directory.signed();
        assert_eq!(names(&manifest), [&name, "v"]);
        assert_eq!(directory.findings(&manifest), []);
        directory.write(&name, "2");
        assert_eq!(directory.findings(&manifest), entries([(&name, Finding::Changed)]));
    }
}

#[test]
fn the_names_of_git_are_left_out_at_the_root_only() {
    let left_out = [".git/config", ".gitattributes", ".github/ci.yml", ".gitignore"];
    let deeper = left_out.map(|name| format!("sub/{name}"));
    let directory = Directory::with(left_out.iter().map(|name| (name, "1")));
    deeper.iter().for_each(|name| directory.write(name, "1"));
    let manifest = directory.signed();
    assert_eq!(names(&manifest), deeper);
    let git = [".git", ".gitattributes", ".github", ".gitignore"];
    assert!(manifest.ignored().eq(git));
    let found = directory.findings(&manifest);
    assert_eq!(found, entries(git.map(|name| (name, Finding::Ignored(IgnoredBy::Git)))));
    directory.write(".git/hooks/post-checkout", "rm");
    directory.write("sub/.git/hooks/post-checkout", "rm");
    let found = directory.findings(&manifest);
    assert_eq!(found.len(), 5);
    assert_eq!(found[4], ("sub/.git/hooks/post-checkout".to_owned(), Finding::Additional));
}

#[test]
fn ignored_paths_are_exact_and_cover_what_is_under_them() {
    let files = ["cache/a/b", "cache.txt", "cache-2/a", "sub/cache/a", "logs/1", "logs/2", "w"];
    let directory = Directory::with(files.map(|name| (name, "1")));
    let signing = Signing::new().ignore("./cache//").ignore("logs/1").ignore("none");
    let manifest = verified(&directory.sign(&signing).unwrap());
    assert_eq!(names(&manifest), ["cache-2/a", "cache.txt", "logs/2", "sub/cache/a", "w"]);
    let ignored: Vec<_> = manifest.ignored().collect();
    let git = [".git", ".gitattributes", ".github", ".gitignore"];
    assert_eq!(ignored, [&git[..], &["cache", "logs/1", "none"]].concat());
    // The verifier leaves out what the signer did, and nothing else.
    directory.write("cache/evil.py", "2");
    directory.write("sub/cache/evil.py", "2");
    let ignored = entries([
        ("cache", Finding::Ignored(IgnoredBy::Signer)),
        ("logs/1", Finding::Ignored(IgnoredBy::Signer)),
    ]);
    let additional = entries([("sub/cache/evil.py", Finding::Additional)]);
    assert_eq!(directory.findings(&manifest), [ignored, additional.clone()].concat());
    // A verifier who does not leave that to the signer.
    let distrust = || Checking::new().distrust_ignored();
    let report = directory.report(&distrust().ignore("logs/1"), &manifest);
    let unsigned = entries([
        ("cache/a/b", Finding::Additional),
        ("cache/evil.py", Finding::Additional),
        ("logs/1", Finding::Ignored(IgnoredBy::Caller)),
    ]);
    assert_eq!(findings(&report), [unsigned, additional].concat());
    assert!(!report.is_as_signed());
}

#[test]
fn paths_to_ignore_are_relative_to_the_model() {
    let directory = Directory::with([("w", "1")]);
    let manifest = directory.signed();
    let absolute = directory.of("cache");
    let wrong = ["..", "../cache", "cache/../../x", "cache/../w", "", ".", "./", "/"];
    for path in wrong.map(Path::new).into_iter().chain([&*absolute]) {
        let signing = Signing::new().ignore(path);
        let error = directory.sign(&signing).map(drop).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
        assert!(matches!(Error::inside(&error), Some(Error::Model(IgnoredPaths))), "{path:?}");
        let checking = Checking::new().ignore(path);
        let checked = checking.check(&manifest, directory.path());
        assert_eq!(io_outcome(checked), "InvalidData: Model(IgnoredPaths)", "{path:?}");
    }
    // What others would take for a pattern is not written. What is there is read as it stands.
    for pattern in ["*.tmp", "a?", "[a]"] {
        let signed = directory.sign(&Signing::new().ignore(pattern));
        assert_eq!(io_outcome(signed), "InvalidData: Model(IgnoredPaths)");
        let report = directory.report(&Checking::new().ignore(pattern), &manifest);
        assert_eq!(findings(&report), []);
    }
}

#[test]
fn the_signature_in_the_model_is_left_out() {
    let directory = Directory::with([("w", "1"), ("sub/w", "1")]);
    let absolute = directory.of("sub/model.sig");
    for path in [Path::new("sub/model.sig"), &absolute] {
        let bundle = directory.sign(&Signing::new().signature(path)).unwrap();
        directory.write("sub/model.sig", bundle.as_bytes());
        let manifest = verified(&bundle);
        assert_eq!(names(&manifest), ["sub/w", "w"]);
        assert_eq!(manifest.ignored().last(), Some("sub/model.sig"));
        assert_eq!(
            directory.findings(&manifest),
            entries([("sub/model.sig", Finding::Ignored(IgnoredBy::Signer))])
        );
    }
    // A signer who did not know where it would be.
    directory.remove("sub/model.sig");
    let manifest = directory.signed();
    directory.write("sub/model.sig", "");
    let additional = entries([("sub/model.sig", Finding::Additional)]);
    assert_eq!(directory.findings(&manifest), additional);
    let report = directory.report(&Checking::new().signature(&absolute), &manifest);
    assert_eq!(
        findings(&report),
        entries([("sub/model.sig", Finding::Ignored(IgnoredBy::Signature))])
    );
    // One that is elsewhere is none of the model's paths.
    let elsewhere = directory.path().parent().unwrap().join("w");
    let signing = Signing::new().signature(elsewhere);
    let manifest = verified(&directory.sign(&signing).unwrap());
    assert_eq!(names(&manifest), ["sub/model.sig", "sub/w", "w"]);
    assert_eq!(manifest.ignored().len(), 4);
    let leaves = directory.sign(&Signing::new().signature("../model.sig"));
    assert_eq!(io_outcome(leaves), "InvalidData: Model(IgnoredPaths)");
}

#[test]
fn a_single_file_has_its_base_name() {
    let directory = Directory::with([("model.bin", "1"), (".gitignore", "2"), ("other.bin", "1")]);
    let sign = |name: &str| {
        let signing = Signing::new().signature("model.bin.sig");
        verified(&signing.sign(&signing_key(1), directory.of(name)).unwrap())
    };
    let manifest = sign("model.bin");
    assert_eq!(manifest.name(), "model.bin");
    assert_eq!(names(&manifest), ["model.bin"]);
    let check = |name: &str| Checking::new().check(&manifest, directory.of(name)).unwrap();
    let report = check("model.bin");
    assert_eq!((findings(&report), report.signed_as()), (Vec::new(), None));
    // Nothing was signed but the bytes: the report says what name was.
    let report = check("other.bin");
    assert_eq!((findings(&report), report.signed_as()), (Vec::new(), Some("model.bin")));
    directory.write("other.bin", "2");
    let report = check("other.bin");
    assert_eq!(findings(&report), entries([("other.bin", Finding::Changed)]));
    // In a directory, it has to have its name.
    let found = directory.findings(&manifest);
    let ignored = entries([(".gitignore", Finding::Ignored(IgnoredBy::Git))]);
    assert_eq!(found, [ignored, entries([("other.bin", Finding::Additional)])].concat());

    let manifest = sign(".gitignore");
    assert_eq!(names(&manifest), [".gitignore"]);
    let report = Checking::new().check(&manifest, directory.of(".gitignore")).unwrap();
    assert_eq!(findings(&report), []);
    let ignoring = Signing::new().ignore("model.bin");
    let signed = ignoring.sign(&signing_key(1), directory.of("model.bin"));
    assert_eq!(io_outcome(signed), "InvalidData: Model(IgnoredPaths)");
}

#[test]
fn a_file_is_not_a_directory_of_several() {
    let directory = Directory::with([("a", "1"), ("b", "2")]);
    let manifest = directory.signed();
    let report = Checking::new().check(&manifest, directory.of("a")).unwrap();
    assert_eq!(findings(&report), entries([("b", Finding::Missing)]));
}

#[test]
fn the_root_of_a_file_system_has_no_name() {
    let signed = Signing::new().ignore("x").sign(&signing_key(1), "/");
    let text = io_outcome(signed);
    assert!(text.starts_with("InvalidInput: Misuse"), "{text}");
}

/// Only the bundle that is used is left out: another one is a file like others.
#[test]
fn a_second_bundle_is_a_file_of_the_model() {
    let directory = Directory::with([("w", "1")]);
    let old = directory.sign(&Signing::new()).unwrap();
    directory.write("old.sig", old.as_bytes());
    let bundle = directory.sign(&Signing::new().signature("model.sig")).unwrap();
    directory.write("model.sig", bundle.as_bytes());
    let manifest = verified(&bundle);
    assert_eq!(names(&manifest), ["old.sig", "w"]);
    let own = ("model.sig", Finding::Ignored(IgnoredBy::Signature));
    let report = directory.report(&Checking::new().signature("model.sig"), &manifest);
    assert_eq!(findings(&report), entries([own]));
    // To the old one, the new one is additional; and as the bundle in use it is what the caller says it is.
    let manifest = verified(&old);
    let report = directory.report(&Checking::new().signature("old.sig"), &manifest);
    let own = ("old.sig", Finding::Ignored(IgnoredBy::Signature));
    assert_eq!(findings(&report), entries([("model.sig", Finding::Additional), own]));
    let report =
        directory.report(&Checking::new().signature("old.sig").ignore("model.sig"), &manifest);
    let other = ("model.sig", Finding::Ignored(IgnoredBy::Caller));
    assert_eq!(findings(&report), entries([other, own]));
}
