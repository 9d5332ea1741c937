//! What if files change while they are hashed? And is the caller told how far it is, and on how many threads?

use std::{
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

use twinseal::{
    ModelRefusal::ChangedWhileRead,
    model::{Checking, Finding, Method, Progress, Signing},
};

use super::directory::{Directory, entries, findings, verified};

/// Long enough that a callback is called before the end of it is read.
const LENGTH: usize = 16 << 20;

/// A model with one long file, which is some hours old: a clock of coarse steps shows a change, too.
fn long() -> Directory {
    let directory = Directory::with([("a", vec![7; LENGTH]), ("b", b"short".to_vec())]);
    let file = fs::File::options().write(true).open(directory.of("a")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
    directory
}

type Change = fn(&Path);

/// What somebody does to the long file while it is read.
const CHANGES: [(&str, Change); 7] = [
    ("longer", |path| {
        fs::File::options().write(true).open(path).unwrap().set_len(LENGTH as u64 + 1).unwrap();
    }),
    ("shorter", |path| {
        fs::File::options().write(true).open(path).unwrap().set_len(LENGTH as u64 - 1).unwrap();
    }),
    ("written", |path| {
        use std::io::Write;
        fs::File::options().write(true).open(path).unwrap().write_all(b"8").unwrap();
    }),
    #[cfg(unix)]
    ("written, with its time set back", |path| {
        use std::io::Write;
        let mut file = fs::File::options().write(true).open(path).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.write_all(b"8").unwrap();
        file.set_modified(modified).unwrap();
    }),
    #[cfg(not(unix))]
    ("written", |path| fs::write(path, [8; LENGTH]).unwrap()),
    ("replaced", |path| {
        let new = path.with_file_name("new");
        fs::copy(path, &new).unwrap();
        fs::rename(new, path).unwrap();
    }),
    ("removed", |path| fs::remove_file(path).unwrap()),
    ("made a directory", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
];

#[test]
fn a_file_that_changes_while_it_is_hashed_is_refused() {
    for (name, change) in CHANGES {
        for method in [Method::Files, Method::Shards((1 << 20).try_into().unwrap())] {
            let directory = long();
            let path = directory.of("a");
            let is_done = AtomicBool::new(false);
            let progress = |_: Progress| {
                if !is_done.swap(true, SeqCst) {
                    change(&path);
                }
            };
            let signing = Signing::new().method(method).progress(&progress);
            let refused = directory.refused(&signing);
            assert_eq!(refused, ("a".to_owned(), ChangedWhileRead), "{name}");

            let directory = long();
            let path = directory.of("a");
            let manifest = verified(&directory.sign(&Signing::new().method(method)).unwrap());
            let is_done = AtomicBool::new(false);
            let progress = |_: Progress| {
                if !is_done.swap(true, SeqCst) {
                    change(&path);
                }
            };
            let report = directory.report(&Checking::new().progress(&progress), &manifest);
            let refused = Finding::Refused(ChangedWhileRead);
            assert_eq!(findings(&report), entries([("a", refused)]), "{name}");
            assert_eq!(report.files(), 1);
        }
    }
}

/// Somebody changes a model while its longest file is read. Nothing else of it will be read after that.
type ToModel = fn(&Directory);

const TO_OTHERS: [(&str, &str, ToModel); 5] = [
    ("a file that was read", "b", |model| model.write("b", "SHORT")),
    ("a file that was read is gone", "b", |model| model.remove("b")),
    ("an additional file", "d/new", |model| model.write("d/new", "1")),
    ("an additional directory", "new", |model| model.write("new/new", "1")),
    ("a directory in place of another one", "d/c", |model| {
        fs::rename(model.of("d"), model.path().with_file_name("elsewhere")).unwrap();
        model.write("d/c", "deep");
    }),
];

#[test]
fn what_changes_after_it_was_read_is_refused() {
    for (name, path, change) in TO_OTHERS {
        let model = || {
            let directory = long();
            directory.write("d/c", "deep");
            directory
        };
        let directory = model();
        let is_done = AtomicBool::new(false);
        let progress = |_: Progress| {
            if !is_done.swap(true, SeqCst) {
                change(&directory);
            }
        };
        let (refused, refusal) = directory.refused(&Signing::new().progress(&progress));
        let last = Path::new(path).file_name().unwrap().to_str().unwrap();
        assert_eq!((&*refused, refusal), (last, ChangedWhileRead), "{name}");

        let directory = model();
        let manifest = directory.signed();
        let is_done = AtomicBool::new(false);
        let progress = |_: Progress| {
            if !is_done.swap(true, SeqCst) {
                change(&directory);
            }
        };
        let report = directory.report(&Checking::new().progress(&progress), &manifest);
        let refused = Finding::Refused(ChangedWhileRead);
        assert_eq!(findings(&report), entries([(path, refused)]), "{name}");
        assert!(report.to_string().contains("changed while it was read"), "{report}");
    }
}

/// What is left out may change: nobody reads it.
#[test]
fn what_is_left_out_may_change() {
    let directory = long();
    directory.write("cache/1", "1");
    let manifest =
        verified(&directory.sign(&Signing::new().ignore("cache").ignore("log")).unwrap());
    let progress = |_: Progress| {
        directory.write("cache/2", "2");
        directory.write("log", "3");
    };
    let report = directory.report(&Checking::new().progress(&progress), &manifest);
    assert!(report.is_as_signed(), "{report}");
}

#[test]
fn progress_reaches_its_end_once() {
    let directory = long();
    directory.write("d/empty", "");
    let total = LENGTH as u64 + 5;
    let calls = Mutex::new(Vec::new());
    let progress = |progress: Progress| calls.lock().unwrap().push(progress);
    let manifest = verified(&directory.sign(&Signing::new().progress(&progress)).unwrap());
    let signing = std::mem::take(&mut *calls.lock().unwrap());
    directory.write("additional", "is not read");
    let report = directory.report(&Checking::new().progress(&progress), &manifest);
    assert_eq!(report.bytes(), total);
    for calls in [signing, calls.into_inner().unwrap()] {
        assert!(calls.len() > 2, "{calls:?}");
        assert!(calls.iter().all(|call| call.total == total && call.done <= total), "{calls:?}");
        assert_eq!(calls.iter().filter(|call| call.done == total).count(), 1);
        assert_eq!(calls.last().unwrap().done, total);
    }
}

/// Each byte once: only signed files are read, and only if their length fits.
#[test]
fn what_cannot_be_as_signed_is_not_read() {
    let directory = long();
    let shards = Method::Shards((1 << 20).try_into().unwrap());
    let manifest = verified(&directory.sign(&Signing::new().method(shards)).unwrap());
    directory.write("a", vec![7; LENGTH - 1]);
    directory.write("c", vec![7; LENGTH]);
    let done = AtomicU64::new(0);
    let progress = |progress: Progress| {
        done.fetch_max(progress.done, SeqCst);
    };
    let report = directory.report(&Checking::new().progress(&progress), &manifest);
    let expected = [("a", Finding::Changed), ("c", Finding::Additional)];
    assert_eq!(findings(&report), entries(expected));
    assert_eq!(done.into_inner(), 5);
}

/// In whichever pool it is called, also when all of its threads are busy with the same.
#[test]
fn many_models_are_signed_in_one_pool() {
    use rayon::prelude::*;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let directory = long();
    let shards = Method::Shards((1 << 20).try_into().unwrap());
    let manifests: Vec<_> = pool.install(|| {
        (0..8)
            .into_par_iter()
            .map(|_| verified(&directory.sign(&Signing::new().method(shards)).unwrap()))
            .collect()
    });
    for manifest in &manifests {
        assert!(
            manifest.files().zip(manifests[0].files()).all(|(one, other)| {
                one.name() == other.name() && one.digest() == other.digest()
            })
        );
    }
}

/// What is put in the place of a file after the directory was read, and before the file is opened.
#[cfg(unix)]
#[test]
fn a_file_that_became_something_else_is_not_followed_and_not_waited_for() {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use twinseal::ModelRefusal::{self, Link, SpecialFile};

    use crate::common::process::Watch;

    let changes: [(Change, ModelRefusal); 3] = [
        // To the very bytes that were signed.
        (|path| symlink("c", path).unwrap(), Link),
        (|path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap(), SpecialFile),
        (|path| fs::create_dir(path).unwrap(), SpecialFile),
    ];
    // One thread reads the long file first.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for (change, refusal) in changes {
        let directory = long();
        // Long enough not to be read while the directory is.
        ["b", "c"].iter().for_each(|name| directory.write(name, [7; 100_000]));
        let manifest = directory.signed();
        let is_done = AtomicBool::new(false);
        let path = directory.of("b");
        let progress = |_: Progress| {
            if !is_done.swap(true, SeqCst) {
                fs::remove_file(&path).unwrap();
                change(&path);
            }
        };
        let watch = Watch::over("a check of something that is no file any more");
        let checking = Checking::new().progress(&progress);
        let report = pool.install(|| directory.report(&checking, &manifest));
        drop(watch);
        assert_eq!(findings(&report), entries([("b", Finding::Refused(refusal))]));
    }
}

/// The very file, by another path.
#[cfg(unix)]
#[test]
fn a_directory_that_became_a_link_is_not_followed() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let directory = long();
    // Long enough not to be read while the directory is.
    directory.write("d/w", [7; 100_000]);
    let (inside, elsewhere) = (directory.of("d"), directory.path().with_file_name("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    fs::hard_link(inside.join("w"), elsewhere.join("w")).unwrap();
    let manifest = directory.signed();
    let is_done = AtomicBool::new(false);
    let progress = |_: Progress| {
        if !is_done.swap(true, SeqCst) {
            fs::rename(&inside, directory.path().with_file_name("away")).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &inside).unwrap();
        }
    };
    let checking = Checking::new().progress(&progress);
    let report = pool.install(|| directory.report(&checking, &manifest));
    let refused = Finding::Refused(ChangedWhileRead);
    let found = findings(&report);
    assert!(found.contains(&("d/w".to_owned(), refused)), "{found:?}");
}

/// Longer than any file that can be signed, and than anybody can wait for.
#[cfg(unix)]
#[test]
fn files_without_an_end_are_not_read() {
    let directory = Directory::with([("w", "1"), ("v", "1")]);
    let manifests = [Method::Files, Method::Shards(7.try_into().unwrap())]
        .map(|method| verified(&directory.sign(&Signing::new().method(method)).unwrap()));
    let file = fs::File::options().write(true).open(directory.of("w")).unwrap();
    if file.set_len((1 << 53) + 1).is_err() {
        return eprintln!("skipped: the file system has no sparse files of 2^53 bytes");
    }
    let watch = crate::common::process::Watch::over("a file without an end");
    for manifest in manifests {
        assert_eq!(directory.findings(&manifest), entries([("w", Finding::Changed)]));
    }
    let refused = directory.refused(&Signing::new());
    assert_eq!(refused, ("w".to_owned(), twinseal::ModelRefusal::TooLarge));
    drop(watch);
}
