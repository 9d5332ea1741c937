//! Is every difference between a model and its manifest found and named, and nothing else?

use std::{fs, num::NonZeroU64};

use twinseal::{
    ModelRefusal::{EmptyFile, IgnoredPaths, TooLarge},
    model::{Checking, Finding, IgnoredBy, Manifest, Method, Signing},
};

use super::directory::{Directory, entries, findings, names, verified};
use crate::common::errors::io_outcome;

const FILES: [(&str, &str); 5] = [
    ("config.json", "{}"),
    ("weights-1", "0123456789"),
    ("weights-2", "0123456789"),
    ("sub/a", "a"),
    ("sub/deep/b", "bb"),
];

fn shards(size: u64) -> Method {
    Method::Shards(NonZeroU64::new(size).unwrap())
}

/// The same model, signed by each method.
fn manifests(directory: &Directory) -> Vec<Manifest> {
    [Method::Files, shards(1), shards(3), shards(10), shards(1 << 53)]
        .map(|method| {
            let manifest = verified(&directory.sign(&Signing::new().method(method)).unwrap());
            assert_eq!(manifest.method(), method);
            manifest
        })
        .into()
}

#[test]
fn every_change_of_a_byte_or_length_is_found() {
    let directory = Directory::with(FILES);
    let manifests = manifests(&directory);
    for manifest in &manifests {
        let report = directory.report(&Checking::new(), manifest);
        assert_eq!(findings(&report), []);
        let bytes = FILES.iter().map(|(_, content)| content.len() as u64).sum();
        assert_eq!((report.files(), report.bytes()), (5, bytes));
        for (name, content) in FILES {
            let mut contents: Vec<Vec<u8>> = (0..content.len())
                .map(|index| {
                    let mut changed = content.as_bytes().to_vec();
                    changed[index] ^= 1 << (index % 8);
                    changed
                })
                .collect();
            contents.push(content.as_bytes()[1..].to_vec());
            contents.push(content.as_bytes()[..content.len() - 1].to_vec());
            contents.push([content.as_bytes(), b"\0"].concat());
            contents.push(content.repeat(2).into());
            for changed in contents {
                directory.write(name, &changed);
                let report = directory.report(&Checking::new().ignore_unsigned(), manifest);
                assert_eq!(findings(&report), entries([(name, Finding::Changed)]), "{changed:?}");
                assert_eq!(report.files(), 4);
            }
            directory.write(name, content);
        }
    }
}

#[test]
fn every_addition_removal_and_renaming_is_found() {
    let directory = Directory::with(FILES);
    for manifest in manifests(&directory) {
        for (name, content) in FILES {
            directory.remove(name);
            assert_eq!(directory.findings(&manifest), entries([(name, Finding::Missing)]));
            // Under another name, in another case, it is another file.
            for other in [format!("{name}0"), name.to_uppercase(), format!("sub/new/{name}")] {
                directory.write(&other, content);
                let mut expected = entries([(name, Finding::Missing)]);
                expected.push((other.clone(), Finding::Additional));
                expected.sort_by(|a, b| a.0.cmp(&b.0));
                assert_eq!(directory.findings(&manifest), expected);
                directory.remove(&other);
            }
            fs::create_dir(directory.of(name)).unwrap();
            assert_eq!(directory.findings(&manifest), entries([(name, Finding::Missing)]));
            fs::remove_dir(directory.of(name)).unwrap();
            directory.write(name, content);
        }
        for other in ["a", "config.json.bak", "sub/deep/a", "z/z"] {
            directory.write(other, "");
            let found = entries([(other, Finding::Additional)]);
            assert_eq!(directory.findings(&manifest), found);
            let report = directory.report(&Checking::new().ignore_unsigned(), &manifest);
            assert_eq!(findings(&report), found);
            assert!(report.is_as_signed());
            directory.remove(other);
        }
        // Empty directories are nothing.
        fs::create_dir_all(directory.of("empty/empty")).unwrap();
        assert_eq!(directory.findings(&manifest), []);
    }
}

#[test]
fn files_that_changed_places_are_changed() {
    let directory = Directory::with([("a", "1"), ("b", "2"), ("c", "3")]);
    let manifest = directory.signed();
    directory.write("a", "2");
    directory.write("b", "1");
    let changed = [("a", Finding::Changed), ("b", Finding::Changed)];
    assert_eq!(directory.findings(&manifest), entries(changed));
}

#[test]
fn all_that_is_wrong_is_in_the_report_and_in_its_text() {
    let directory = Directory::with(FILES);
    let manifest = directory.signed();
    directory.remove("config.json");
    directory.write("weights-1", "0123456788");
    directory.write("weights-3 ", "");
    directory.write("weights-4\u{3164}", "");
    directory.write(".git/config", "");
    let report = directory.report(&Checking::new(), &manifest);
    let expected = [
        (".git", Finding::Ignored(IgnoredBy::Git)),
        ("config.json", Finding::Missing),
        ("weights-1", Finding::Changed),
        ("weights-3 ", Finding::Additional),
        ("weights-4\u{3164}", Finding::Additional),
    ];
    assert_eq!(findings(&report), entries(expected));
    let text = ".git: ignored: it belongs to git\n\
        config.json: missing\n\
        weights-1: changed\n\
        \"weights-3 \": nobody signed it\n\
        \"weights-4\\u{3164}\": nobody signed it\n\
        not as signed (failures: 4, files as signed: 3)";
    assert_eq!(report.to_string(), text);
}

#[test]
fn shards_have_their_ranges_and_no_empty_files() {
    let directory = Directory::with([("a", "0123456789"), ("b", "012"), ("c", "0")]);
    let manifest = verified(&directory.sign(&Signing::new().method(shards(3))).unwrap());
    let ranges = |name: &str| -> Vec<_> {
        manifest
            .file(name)
            .unwrap()
            .digest()
            .shards()
            .unwrap()
            .map(|shard| (shard.range().start, shard.range().end))
            .collect()
    };
    assert_eq!(ranges("a"), [(0, 3), (3, 6), (6, 9), (9, 10)]);
    assert_eq!(ranges("b"), [(0, 3)]);
    assert_eq!(ranges("c"), [(0, 1)]);
    for shard in manifest.file("a").unwrap().digest().shards().unwrap() {
        let range = shard.range().start as usize..shard.range().end as usize;
        shard.verify(&b"0123456789"[range]).unwrap();
    }
    directory.write("d/empty", "");
    let refused = directory.refused(&Signing::new().method(shards(3)));
    assert_eq!(refused, ("empty".to_owned(), EmptyFile));
    // Left out, or whole, it can be signed.
    directory.sign(&Signing::new().method(shards(3)).ignore("d/empty")).unwrap();
    directory.sign(&Signing::new()).unwrap();
    let additional = entries([("d/empty", Finding::Additional)]);
    assert_eq!(directory.findings(&manifest), additional);
    let report = directory.report(&Checking::new().ignore_unsigned(), &manifest);
    assert!(report.is_as_signed());
    // A signed file that is empty now.
    directory.write("c", "");
    let changed = [("c", Finding::Changed), ("d/empty", Finding::Additional)];
    assert_eq!(directory.findings(&manifest), entries(changed));
}

#[test]
fn more_shards_than_a_bundle_may_have_are_refused_before_anything_is_read() {
    let directory = Directory::new();
    let file = fs::File::create(directory.of("sparse")).unwrap();
    file.set_len((1 << 20) + 1).unwrap();
    let refused = directory.refused(&Signing::new().method(shards(1)));
    assert_eq!(refused, ("model".to_owned(), TooLarge));
    file.set_len(1 << 62).unwrap_or_else(|_| file.set_len(1 << 40).unwrap());
    assert_eq!(directory.refused(&Signing::new().method(shards(1 << 10))).1, TooLarge);
}

/// Of a file of more than 10^9 bytes, which takes no room.
#[test]
fn large_files_are_signed_by_shards_unless_one_is_empty() {
    let directory = Directory::with([("w", "1")]);
    assert_eq!(directory.signed().method(), Method::Files);
    let file = fs::File::create(directory.of("sparse")).unwrap();
    file.set_len(1_000_000_000).unwrap();
    assert_eq!(directory.signed().method(), Method::Files);
    file.set_len(1_000_000_001).unwrap();
    let manifest = directory.signed();
    assert_eq!(manifest.method(), shards(1_000_000_000));
    let ranges: Vec<_> = manifest
        .file("sparse")
        .unwrap()
        .digest()
        .shards()
        .unwrap()
        .map(|shard| shard.range())
        .collect();
    assert_eq!(ranges, [0..1_000_000_000, 1_000_000_000..1_000_000_001]);
    directory.write("empty", "");
    assert_eq!(directory.signed().method(), Method::Files);
}

/// Whole shards, several of them in one piece of work, and files longer than a buffer.
#[test]
fn long_files_have_the_digests_of_their_bytes() {
    use sha2::{Digest, Sha256};
    let content: Vec<u8> = (0..5_000_000_u32).map(|index| (index % 251) as u8).collect();
    let lengths = [0, 1, 262_143, 262_144, 262_145, 5_000_000];
    let directory =
        Directory::with(lengths.map(|length| (length.to_string(), content[..length].to_vec())));
    let manifest = directory.signed();
    for length in lengths {
        let digest = manifest.file(&length.to_string()).unwrap().digest();
        assert_eq!(digest.whole().unwrap()[..], Sha256::digest(&content[..length])[..], "{length}");
    }
    directory.remove("0");
    for size in [7_919, 262_144, 4_999_999, 20_000_000] {
        let manifest = verified(&directory.sign(&Signing::new().method(shards(size))).unwrap());
        for &length in &lengths[1..] {
            let mut end = 0;
            for shard in manifest.file(&length.to_string()).unwrap().digest().shards().unwrap() {
                let range = shard.range().start as usize..shard.range().end as usize;
                assert_eq!(range.start, end);
                shard.verify(&content[range.clone()]).unwrap();
                end = range.end;
            }
            assert_eq!(end, length);
        }
        assert_eq!(directory.findings(&manifest), []);
    }
}

/// They are hashed while others are still being found.
#[test]
fn many_short_files_have_the_digests_of_their_bytes() {
    let content = |index: usize| vec![index as u8; index * 97 % 70_000 + 1];
    let name = |index: usize| format!("{}/{index}", index / 100);
    let directory = Directory::with((0..1000).map(|index| (name(index), content(index))));
    for method in [Method::Files, shards(1000), shards(20_000), shards(1_000_000)] {
        let manifest = verified(&directory.sign(&Signing::new().method(method)).unwrap());
        for index in 0..1000 {
            let file = manifest.file(&name(index)).unwrap();
            file.verify_reader(&content(index)[..]).unwrap();
        }
        assert_eq!(manifest.files().len(), 1000);
        let calls = std::sync::Mutex::new(Vec::new());
        let progress = |progress| calls.lock().unwrap().push(progress);
        let report = directory.report(&Checking::new().progress(&progress), &manifest);
        assert_eq!(findings(&report), []);
        let total = (0..1000).map(|index| content(index).len() as u64).sum();
        assert_eq!((report.files(), report.bytes()), (1000, total));
        let last = *calls.lock().unwrap().last().unwrap();
        assert_eq!((last.done, last.total), (total, total));

        for index in (0..1000).step_by(10) {
            let mut changed = content(index);
            changed[0] ^= 1;
            directory.write(name(index), changed);
        }
        let found = directory.findings(&manifest);
        let mut expected: Vec<_> =
            (0..1000).step_by(10).map(|index| (name(index), Finding::Changed)).collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, expected);
        (0..1000).step_by(10).for_each(|index| directory.write(name(index), content(index)));
    }
}

#[test]
fn what_is_signed_must_not_be_ignored() {
    let directory = Directory::with(FILES);
    let manifest = directory.signed();
    for path in ["sub", "sub/deep", "sub/deep/b", "config.json", "./sub/"] {
        let checking = Checking::new().ignore("other").ignore(path);
        let error = checking.check(&manifest, directory.path()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{path}: ")), "{error}");
        let refusal = twinseal::Error::Model(IgnoredPaths);
        assert_eq!(twinseal::Error::inside(&error), Some(&refusal));
    }
    for path in ["sub/de", "sub/deep/b/c", "config", "Sub"] {
        let report = directory.report(&Checking::new().ignore(path), &manifest);
        assert_eq!(findings(&report), []);
    }
}

/// The four names of git and the signature are left out without anybody asking: what was signed there is checked
/// nevertheless.
#[test]
fn what_was_signed_is_checked_where_something_is_left_out() {
    let directory = Directory::with([("w", "1"), ("sub/model.sig", "old"), ("sub/x", "1")]);
    let manifest = directory.signed();
    let checking = Checking::new().signature("sub/model.sig");
    assert_eq!(findings(&directory.report(&checking, &manifest)), []);
    directory.write("sub/model.sig", "new");
    let changed = entries([("sub/model.sig", Finding::Changed)]);
    assert_eq!(findings(&directory.report(&checking, &manifest)), changed);
    directory.remove("sub/model.sig");
    let missing = entries([("sub/model.sig", Finding::Missing)]);
    assert_eq!(findings(&directory.report(&checking, &manifest)), missing);
}

#[test]
fn a_single_file_must_not_be_ignored() {
    let directory = Directory::with([("w", "1")]);
    let manifest = directory.signed();
    let checked = Checking::new().ignore("w").check(&manifest, directory.of("w"));
    assert_eq!(io_outcome(checked), "InvalidData: Model(IgnoredPaths)");
    assert_eq!(names(&manifest), ["w"]);
}
