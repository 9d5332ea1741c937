//! What happens with links, pipes, sockets, odd names, and what cannot be read? Nothing is followed, and nothing waits.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use twinseal::{
    Error,
    ModelRefusal::{Link, NameOfFile, SpecialFile},
    model::{Checking, Finding, IgnoredBy, Method, Signing},
};

use super::{
    built::manifest,
    directory::{Directory, entries, findings, names, verified},
};
use crate::common::{
    keys::signing_key,
    process::{Watch, command, ended, within_deadline},
};

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// Whatever is put into a signed model, by its name.
fn refused(make: impl Fn(&Path), refusal: twinseal::ModelRefusal) {
    let directory = Directory::with([("w", "1"), ("d/w", "1")]);
    let manifest = directory.signed();
    make(&directory.of("d/odd"));
    let found = entries([("d/odd", Finding::Refused(refusal))]);
    assert_eq!(directory.findings(&manifest), found);
    // It is no regular file that may be there.
    let report = directory.report(&Checking::new().ignore_unsigned(), &manifest);
    assert_eq!(findings(&report), found);
    assert!(!report.is_as_signed());
    assert_eq!(directory.refused(&Signing::new()), ("odd".to_owned(), refusal));
    let report = directory.report(&Checking::new().ignore("d/odd"), &manifest);
    assert_eq!(findings(&report), entries([("d/odd", Finding::Ignored(IgnoredBy::Caller))]));
    assert!(report.is_as_signed());
    let bundle = directory.sign(&Signing::new().ignore("d/odd")).unwrap();
    assert_eq!(names(&verified(&bundle)), ["d/w", "w"]);
}

#[test]
fn links_are_refused_and_not_followed() {
    let elsewhere = Directory::with([("w", "1")]);
    let targets = ["w", "../w", ".", "..", "odd", "no-such-file", "/dev/zero", "/"];
    for target in targets.map(Path::new).into_iter().chain([elsewhere.path(), &elsewhere.of("w")]) {
        let target = target.to_owned();
        within_deadline("a link", move || refused(|path| symlink(&target, path).unwrap(), Link));
    }
}

#[test]
fn pipes_and_sockets_are_refused_and_not_opened() {
    within_deadline("a pipe", || refused(fifo, SpecialFile));
    within_deadline("a socket", || {
        refused(|path| drop(UnixListener::bind(path).unwrap()), SpecialFile);
    });
}

#[test]
fn a_signed_file_that_became_something_else_is_refused() {
    let directory = Directory::with([("a", "1"), ("b/c", "1"), ("d", "1"), ("e", "1"), ("f", "1")]);
    let manifest = directory.signed();
    ["a", "b/c", "d", "e"].iter().for_each(|name| directory.remove(name));
    // To the very bytes that were signed.
    symlink("f", directory.of("a")).unwrap();
    fs::remove_dir(directory.of("b")).unwrap();
    let elsewhere = Directory::with([("c", "1")]);
    symlink(elsewhere.path(), directory.of("b")).unwrap();
    fifo(&directory.of("d"));
    directory.write("e/f", "1");
    let watch = Watch::over("a check of a pipe");
    let found = directory.findings(&manifest);
    drop(watch);
    let expected = [
        ("a", Finding::Refused(Link)),
        ("b", Finding::Refused(Link)),
        ("b/c", Finding::Missing),
        ("d", Finding::Refused(SpecialFile)),
        ("e", Finding::Missing),
        ("e/f", Finding::Additional),
    ];
    assert_eq!(found, entries(expected));
}

/// The model is what the caller's path leads to.
#[test]
fn a_link_to_the_model_is_a_name_of_it() {
    let directory = Directory::with([("w", "1")]);
    let link = directory.path().parent().unwrap().join("link");
    symlink(directory.path(), &link).unwrap();
    let manifest = verified(&Signing::new().sign(&signing_key(1), &link).unwrap());
    assert_eq!(manifest.name(), "model");
    assert_eq!(findings(&Checking::new().check(&manifest, &link).unwrap()), []);

    let link = directory.path().parent().unwrap().join("link-to-file");
    symlink(directory.of("w"), &link).unwrap();
    let manifest = verified(&Signing::new().sign(&signing_key(1), &link).unwrap());
    assert_eq!(names(&manifest), ["w"]);
    let report = Checking::new().check(&manifest, &link).unwrap();
    assert_eq!((findings(&report), report.signed_as()), (Vec::new(), None));
}

#[test]
fn a_model_that_is_a_pipe_is_refused() {
    let directory = Directory::with([("w", "1")]);
    let manifest = directory.signed();
    let pipe = directory.path().parent().unwrap().join("pipe");
    fifo(&pipe);
    let watch = Watch::over("a model that is a pipe");
    let error = Signing::new().sign(&signing_key(1), &pipe).map(drop).unwrap_err();
    assert_eq!(Error::inside(&error), Some(&Error::Model(SpecialFile)));
    let report = Checking::new().check(&manifest, &pipe).unwrap();
    assert_eq!(findings(&report), entries([("pipe", Finding::Refused(SpecialFile))]));
    drop(watch);
}

#[test]
fn names_that_are_not_utf_8_are_refused_and_escaped() {
    let directory = Directory::with([("w", "1")]);
    let manifest = directory.signed();
    let odd = OsStr::from_bytes(b"\xff\n\x1b[2J");
    if fs::write(directory.of(odd), "1").is_err() {
        return; // a file system that does not have them
    }
    fs::create_dir(directory.of(OsStr::from_bytes(b"directory\xff"))).unwrap();
    let report = directory.report(&Checking::new().ignore_unsigned(), &manifest);
    let refused = Finding::Refused(NameOfFile);
    let paths: Vec<_> = report.entries().collect();
    let directory_path = Path::new(OsStr::from_bytes(b"directory\xff"));
    assert_eq!(paths, [(directory_path, refused), (Path::new(odd), refused)]);
    assert!(!report.is_as_signed());
    let text = report.to_string();
    assert!(text.contains("\"\\xFF\\n\\u{1b}[2J\": a name that is not UTF-8"), "{text}");
    let error = directory.sign(&Signing::new()).map(drop).unwrap_err();
    assert_eq!(Error::inside(&error), Some(&Error::Model(NameOfFile)));
    // The verifier can leave them out, but no bundle can say so.
    let checking = Checking::new().ignore(odd).ignore(directory_path);
    assert!(directory.report(&checking, &manifest).is_as_signed());
    let error = directory.sign(&Signing::new().ignore(odd)).map(drop).unwrap_err();
    assert!(matches!(Error::inside(&error), Some(Error::Model(_))), "{error}");
}

#[test]
fn what_cannot_be_read_is_an_entry() {
    let directory = Directory::with([("a", "1"), ("d/b", "1"), ("d/e/c", "1"), ("f", "1")]);
    let manifest = directory.signed();
    directory.write("f", "2");
    let forbid = |name: &str, mode| {
        fs::set_permissions(directory.of(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    forbid("a", 0);
    forbid("d", 0);
    if File::open(directory.of("a")).is_ok() {
        forbid("d", 0o700);
        return; // the superuser reads everything
    }
    let found = directory.findings(&manifest);
    let denied = io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error());
    let unreadable = Finding::Unreadable((&denied).into());
    assert_eq!(unreadable.to_string(), "cannot be read: Permission denied");
    let names = ["a", "d", "d/b", "d/e/c"].map(|name| (name, unreadable));
    assert_eq!(found, [entries(names), entries([("f", Finding::Changed)])].concat());
    let error = directory.sign(&Signing::new()).map(drop).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("model/a: "), "{error}");
    // Where it is left out, nobody looks.
    let report = directory.report(&Checking::new().ignore("x"), &manifest);
    assert_eq!(report.files(), 0);
    forbid("d", 0o700);
}

/// Each of their components could be the directory that cannot be read: nobody may look at them one by one.
#[test]
fn long_names_in_a_directory_that_cannot_be_read() {
    let long = "x/".repeat(40_000);
    let names: Vec<_> = (0..50).map(|number| format!("d/{long}{number}")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b"1"[..])).collect();
    let manifest = manifest(&files, Method::Files);
    let directory = Directory::with([("d/w", "1")]);
    let found = || -> Vec<Finding> {
        let report = directory.report(&Checking::new(), &manifest);
        report.entries().map(|(_, finding)| finding).collect()
    };
    assert_eq!(found().iter().filter(|finding| **finding == Finding::Missing).count(), 50);

    let forbid = |mode| {
        fs::set_permissions(directory.of("d"), fs::Permissions::from_mode(mode)).unwrap();
    };
    forbid(0);
    let is_superuser = fs::read_dir(directory.of("d")).is_ok();
    let found = found();
    forbid(0o700);
    if is_superuser {
        return;
    }
    assert_eq!(found.len(), 51);
    assert!(found.iter().all(|finding| matches!(finding, Finding::Unreadable(_))), "{found:?}");
}

/// Each file and directory of the depth is open for what is in it.
fn deep() -> Directory {
    let directory = Directory::new();
    for depth in 0..30 {
        let path = "d/".repeat(depth);
        directory.write(format!("{path}e/w"), "1");
        directory.write(format!("{path}d/w"), "1");
    }
    directory
}

/// The limit is that of a process, so there is one for it.
#[test]
fn too_many_open_files_say_nothing_about_the_model() {
    const LIMITED: &str = "TWINSEAL_TEST_LIMITED";
    const NAME: &str = "model::special_files::too_many_open_files_say_nothing_about_the_model";
    let directory = deep();
    let sign = || directory.sign(&Signing::new());
    if std::env::var_os(LIMITED).is_none() {
        let manifest = verified(&sign().unwrap());
        assert_eq!(directory.findings(&manifest), []);
        let script = "ulimit -n 24 && exec \"$0\" --exact \"$1\"";
        let mut limited = command("sh");
        let this = std::env::current_exe().unwrap();
        limited.args(["-c", script]).arg(this).arg(NAME).env(LIMITED, "1");
        let output = ended(limited);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let key = signing_key(1);
    let mut builder = twinseal::model::ManifestBuilder::new("model").unwrap();
    let hasher = twinseal::model::FileHasher::new(builder.method());
    builder.add("w", hasher.finish().unwrap()).unwrap();
    let manifest = verified(&builder.sign(&key).unwrap());
    let checked = Checking::new().check(&manifest, directory.path()).unwrap_err();
    for error in [sign().unwrap_err(), checked] {
        assert!(error.to_string().contains("Too many open files"), "{error}");
    }
}

#[test]
fn a_model_that_cannot_be_listed_is_named_once() {
    let directory = Directory::with([("w", "1")]);
    let manifest = directory.signed();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o300)).unwrap();
    if fs::read_dir(directory.path()).is_ok() {
        return; // the superuser reads everything
    }
    let errors = [
        directory.sign(&Signing::new()).map(drop).unwrap_err(),
        Checking::new().check(&manifest, directory.path()).map(drop).unwrap_err(),
    ];
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    for error in errors {
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        let text = error.to_string();
        assert_eq!(text.matches("model").count(), 1, "{text}");
    }
}

/// A single file needs no more than to be found.
#[cfg(target_os = "linux")]
#[test]
fn a_file_in_a_directory_that_cannot_be_listed() {
    let directory = Directory::with([("w", "1")]);
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o300)).unwrap();
    let signed = Signing::new().sign(&signing_key(1), directory.of("w"));
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(names(&verified(&signed.unwrap())), ["w"]);
}
