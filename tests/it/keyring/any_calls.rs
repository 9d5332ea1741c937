//! Does a shared ring keep to a list of keys, whatever is loaded, updated, replaced and reloaded, while the files of its
//! directory change, and whichever threads do it?

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;
use twinseal::{EncapsulationKey, Error, Keyring, keyring::Shared};

use super::{key, shared::SetOnDrop};
use crate::common::{
    any_calls::{cases, panic_as_planned},
    process::Watch,
};

const KEYS: u8 = 6;

/// The public keys and the files of the keys that there are.
static KNOWN: LazyLock<Vec<(EncapsulationKey, String)>> = LazyLock::new(|| {
    let known = |number| {
        let key = key(number);
        (key.encapsulation_key().clone(), key.to_pem().as_str().to_owned())
    };
    (0..KEYS).map(known).collect()
});

fn numbers(ring: &Keyring) -> Vec<u8> {
    let number = |key| KNOWN.iter().position(|(known, _)| known == key).unwrap() as u8;
    ring.keys().map(number).collect()
}

fn ring(numbers: &[u8]) -> Keyring {
    let mut ring = Keyring::new(key(numbers[0]));
    for number in &numbers[1..] {
        ring.add_older(key(*number)).unwrap();
    }
    ring
}

#[derive(Clone, Debug)]
enum Change {
    Rotate(u8),
    AddOlder(u8),
    Retire(u8),
}

impl Change {
    /// Whether it worked.
    fn make(&self, ring: &mut Keyring) -> bool {
        let changed = match self {
            Self::Rotate(number) => ring.rotate(key(*number)),
            Self::AddOlder(number) => ring.add_older(key(*number)),
            Self::Retire(number) => ring.retire(KNOWN[usize::from(*number)].0.key_id()),
        };
        assert!(matches!(changed, Ok(()) | Err(Error::Misuse { .. })));
        changed.is_ok()
    }

    /// The same with a list, the primary key first.
    fn model(&self, keys: &mut Vec<u8>) -> bool {
        match self {
            Self::Rotate(number) => {
                keys.retain(|known| known != number);
                keys.insert(0, *number);
            }
            Self::AddOlder(number) if !keys.contains(number) => keys.push(*number),
            Self::AddOlder(_) => {}
            Self::Retire(number) => {
                let position = keys.iter().position(|known| known == number);
                match position {
                    None | Some(0) => return false,
                    Some(position) => drop(keys.remove(position)),
                }
            }
        }
        true
    }
}

/// What is wrong with a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    NoPrimary,
    NotAKey,
    Gone,
}

#[derive(Clone, Debug)]
enum Call {
    Load,
    Drop,
    Update(Vec<Change>),
    UpdatePanics(Change),
    UpdateWithin(Change),
    Replace(Vec<u8>),
    Files(Vec<u8>, Wrong),
    Reload,
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<u8> = (0..KEYS).collect();
    (1..=usize::from(KEYS)).prop_flat_map(move |length| {
        let all = all.clone();
        Just(all).prop_shuffle().prop_map(move |mut all| {
            all.truncate(length);
            all
        })
    })
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..KEYS).prop_map(Change::Rotate),
        (0..KEYS).prop_map(Change::AddOlder),
        (0..KEYS).prop_map(Change::Retire),
    ]
}

fn calls() -> impl Strategy<Value = Call> {
    let wrong = prop_oneof![
        9 => Just(Wrong::Nothing),
        1 => Just(Wrong::NoPrimary),
        1 => Just(Wrong::NotAKey),
        1 => Just(Wrong::Gone),
    ];
    prop_oneof![
        2 => Just(Call::Load),
        1 => Just(Call::Drop),
        4 => vec(changes(), 0..4).prop_map(Call::Update),
        1 => changes().prop_map(Call::UpdatePanics),
        1 => changes().prop_map(Call::UpdateWithin),
        1 => keys().prop_map(Call::Replace),
        3 => (keys(), wrong).prop_map(|(keys, wrong)| Call::Files(keys, wrong)),
        4 => Just(Call::Reload),
    ]
}

/// The keys as files: `primary.pem`, and the others by the order of their names.
fn put(directory: &Path, keys: &[u8], wrong: Wrong) {
    let _ = fs::remove_dir_all(directory);
    if wrong == Wrong::Gone {
        return;
    }
    fs::create_dir(directory).unwrap();
    for (position, number) in keys.iter().enumerate() {
        let name = match position {
            0 if wrong == Wrong::NoPrimary => continue,
            0 => String::from("primary.pem"),
            _ => format!("{position}.pem"),
        };
        fs::write(directory.join(name), &KNOWN[usize::from(*number)].1).unwrap();
    }
    if wrong == Wrong::NotAKey {
        fs::write(directory.join("x.pem"), "not a key").unwrap();
    }
}

/// What a reload makes of the keys: `with_changes` of the library, as its documentation has it.
fn reloaded(here: &[u8], before: &[u8], now: &[u8]) -> Vec<u8> {
    if here == before {
        return now.to_vec();
    }
    let is_gone = |number: &u8| before.contains(number) && !now.contains(number);
    let is_new = |number: &u8| !before.contains(number) && !here.contains(number);
    let primary = if now[0] != before[0] || is_gone(&here[0]) { now[0] } else { here[0] };
    let mut keys = vec![primary];
    let stay = here.iter().filter(|number| !is_gone(number));
    for number in stay.chain(now.iter().filter(|number| is_new(number))) {
        if !keys.contains(number) {
            keys.push(*number);
        }
    }
    keys
}

struct World {
    shared: Shared<Keyring>,
    directory: TempDir,
    /// The keys now, those in the files, and those that were read last.
    keys: Vec<u8>,
    files: Result<Vec<u8>, Wrong>,
    last: Vec<u8>,
    /// What was loaded, which nothing changes.
    loaded: Vec<(Arc<Keyring>, Vec<u8>)>,
}

impl World {
    fn new(keys: Vec<u8>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        put(&directory.path().join("keys"), &keys, Wrong::Nothing);
        let shared = Shared::read_dir(directory.path().join("keys")).unwrap();
        let (files, last) = (Ok(keys.clone()), keys.clone());
        Self { shared, directory, keys, files, last, loaded: Vec::new() }
    }

    fn call(&mut self, call: &Call) {
        match call {
            Call::Load => self.loaded.push((self.shared.load(), self.keys.clone())),
            Call::Drop => drop(self.loaded.pop()),
            Call::Update(changes) => {
                let made = |ring: &mut Keyring| {
                    changes.iter().map(|change| change.make(ring)).collect::<Vec<_>>()
                };
                let made = self.shared.update(made);
                let keys = &mut self.keys;
                assert!(made.into_iter().eq(changes.iter().map(|change| change.model(keys))));
            }
            Call::UpdatePanics(change) => {
                let update = || {
                    self.shared.update(|ring| {
                        change.make(ring);
                        panic_as_planned("half-way")
                    })
                };
                catch_unwind(AssertUnwindSafe(update)).unwrap_err();
            }
            Call::UpdateWithin(change) => {
                self.shared.update(|ring| {
                    change.make(ring);
                    assert_eq!(numbers(&self.shared.load()), self.keys, "it is changed too early");
                });
                change.model(&mut self.keys);
            }
            Call::Replace(keys) => {
                let before = self.shared.replace(ring(keys));
                assert_eq!(numbers(&before), self.keys);
                self.keys.clone_from(keys);
            }
            Call::Files(keys, wrong) => {
                put(&self.directory.path().join("keys"), keys, *wrong);
                self.files = match wrong {
                    Wrong::Nothing => Ok(keys.clone()),
                    wrong => Err(*wrong),
                };
            }
            Call::Reload => match (self.shared.reload(), &self.files) {
                (Ok(has_changed), Ok(files)) => {
                    let keys = reloaded(&self.keys, &self.last, files);
                    assert_eq!(has_changed, keys != self.keys);
                    self.last.clone_from(files);
                    self.keys = keys;
                }
                (Err(_), Err(_)) => {}
                (reloaded, files) => panic!("{reloaded:?}, but {files:?}"),
            },
        }
        assert_eq!(numbers(&self.shared.load()), self.keys);
        for (ring, keys) in &self.loaded {
            assert_eq!(&numbers(ring), keys);
        }
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn one_thread(keys in keys(), calls in vec(calls(), 0..30)) {
        let mut world = World::new(keys);
        for call in &calls {
            world.call(call);
        }
    }

    /// Each thread has keys of its own, and nobody else changes those: so each finds what it did last, and the ring that
    /// is loaded is one of those that there were.
    #[test]
    fn many_threads(changes in vec(vec(any::<bool>(), 1..12), 1..5)) {
        let _watch = Watch::over("threads that change a ring");
        let directory = tempfile::tempdir().unwrap();
        let files = directory.path().join("keys");
        put(&files, &[0], Wrong::Nothing);
        let shared = Shared::<Keyring>::read_dir(&files).unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let threads: Vec<_> = changes
                .iter()
                .zip(1..)
                .map(|(changes, number)| {
                    let shared = &shared;
                    scope.spawn(move || {
                        let mut is_there = false;
                        for adds in changes {
                            let change =
                                if *adds { Change::AddOlder(number) } else { Change::Retire(number) };
                            let changed = shared.update(|ring| {
                                assert_eq!(numbers(ring).contains(&number), is_there, "a change is lost");
                                change.make(ring)
                            });
                            assert_eq!(changed, *adds || is_there);
                            is_there = *adds;
                            assert_eq!(numbers(&shared.load()).contains(&number), is_there);
                        }
                        is_there
                    })
                })
                .collect();
            // Another thread reloads a directory whose primary key changes, and one loads.
            let last = scope.spawn(|| {
                let mut primary = 0;
                while !done.load(SeqCst) {
                    primary = 5 - primary;
                    let next = files.join("next");
                    fs::write(&next, &KNOWN[primary].1).unwrap();
                    fs::rename(next, files.join("primary.pem")).unwrap();
                    assert!(shared.reload().unwrap());
                    assert_eq!(*shared.load().primary(), KNOWN[primary].0);
                }
                primary
            });
            let loading = scope.spawn(|| {
                while !done.load(SeqCst) {
                    let keys = numbers(&shared.load());
                    assert!(matches!(keys[0], 0 | 5), "{keys:?}");
                    assert!(!keys[1..].iter().any(|number| matches!(number, 0 | 5)), "{keys:?}");
                }
            });
            let set = SetOnDrop(&done);
            let are_there: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            drop(set);
            loading.join().unwrap();
            let primary = last.join().unwrap();
            let keys = numbers(&shared.load());
            assert_eq!(usize::from(keys[0]), primary);
            let expected = are_there.iter().zip(1..).filter(|(is_there, _)| **is_there);
            let mut others = keys[1..].to_vec();
            others.sort_unstable();
            assert!(others.into_iter().eq(expected.map(|(_, number)| number)));
        });
    }
}
