//! Does a sealed store do what the store below does, whatever is written, copied, renamed and deleted?

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future};
use object_store::{
    CopyMode, CopyOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RenameOptions,
    RenameTargetMode, Result, UpdateVersion, memory::InMemory, path::Path,
};
use proptest::{collection::vec, prelude::*};

use super::{CHUNK, MIB, path, plaintext, read};
use crate::store::fixture::made;

#[derive(Clone, Debug)]
enum Step {
    Put { at: u8, len: usize, mode: Mode },
    Upload { at: u8, parts: Vec<usize>, end: End },
    Copy { from: u8, to: u8, create: bool },
    Rename { from: u8, to: u8, create: bool },
    Delete { at: u8 },
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Overwrite,
    Create,
    /// The version that the last put to this path made.
    Update,
    /// The version that the first put to this path made.
    UpdateOld,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Complete,
    Abort,
    Drop,
}

fn lens() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..100_usize,
        prop_oneof![Just(CHUNK - 1), Just(CHUNK), Just(CHUNK + 1), Just(64 * CHUNK)],
        0..3 * MIB,
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let mode = prop_oneof![
        Just(Mode::Overwrite),
        Just(Mode::Create),
        Just(Mode::Update),
        Just(Mode::UpdateOld)
    ];
    let end = prop_oneof![4 => Just(End::Complete), 1 => Just(End::Abort), 1 => Just(End::Drop)];
    prop_oneof![
        (0..4_u8, lens(), mode).prop_map(|(at, len, mode)| Step::Put { at, len, mode }),
        (0..4_u8, vec(lens(), 0..5), end).prop_map(|(at, parts, end)| Step::Upload {
            at,
            parts,
            end
        }),
        (0..4_u8, 0..4_u8, any::<bool>()).prop_map(|(from, to, create)| Step::Copy {
            from,
            to,
            create
        }),
        // A store in memory loses what it renames onto itself; `copies.rs` has that case.
        (0..4_u8, 1..4_u8, any::<bool>()).prop_map(|(from, by, create)| Step::Rename {
            from,
            to: (from + by) % 4,
            create
        }),
        (0..4_u8).prop_map(|at| Step::Delete { at }),
    ]
}

/// A store, and the versions that its puts made.
struct Side {
    store: std::sync::Arc<dyn ObjectStore>,
    versions: [Vec<UpdateVersion>; 4],
}

/// What callers see of a result.
#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    NotFound,
    AlreadyExists,
    Precondition,
    Other(String),
}

fn outcome<T>(result: Result<T>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(Error::NotFound { .. }) => Outcome::NotFound,
        Err(Error::AlreadyExists { .. }) => Outcome::AlreadyExists,
        Err(Error::Precondition { .. }) => Outcome::Precondition,
        Err(other) => Outcome::Other(format!("{other:?}")),
    }
}

fn place(at: u8) -> Path {
    path(["a", "b/c", "b/d", "%25"][usize::from(at)])
}

impl Side {
    fn new(store: std::sync::Arc<dyn ObjectStore>) -> Self {
        Self { store, versions: Default::default() }
    }

    async fn step(&mut self, step: &Step, seed: u8) -> Outcome {
        let store = &self.store;
        // Some stores make a new version of what is copied onto itself, and others, as the sealed one, none.
        if let Step::Copy { from, to, .. } | Step::Rename { from, to, .. } = *step
            && from == to
        {
            self.versions[usize::from(from)].clear();
        }
        match *step {
            Step::Put { at, len, mode } => {
                let versions = &mut self.versions[usize::from(at)];
                let mode = match mode {
                    Mode::Overwrite => PutMode::Overwrite,
                    Mode::Create => PutMode::Create,
                    Mode::Update => {
                        versions.last().cloned().map_or(PutMode::Create, PutMode::Update)
                    }
                    Mode::UpdateOld => {
                        versions.first().cloned().map_or(PutMode::Overwrite, PutMode::Update)
                    }
                };
                let payload = PutPayload::from(plaintext(len, seed));
                let put = store.put_opts(&place(at), payload, mode.into()).await;
                if let Ok(put) = &put {
                    versions.push(put.clone().into());
                }
                outcome(put)
            }
            Step::Upload { at, ref parts, end } => {
                let mut upload = store.put_multipart(&place(at)).await.unwrap();
                let parts: Vec<_> =
                    parts.iter().map(|len| upload.put_part(plaintext(*len, seed).into())).collect();
                future::try_join_all(parts).await.unwrap();
                match end {
                    End::Complete => outcome(upload.complete().await),
                    End::Abort => outcome(upload.abort().await),
                    End::Drop => Outcome::Done,
                }
            }
            Step::Copy { from, to, create } => {
                let mode = if create { CopyMode::Create } else { CopyMode::Overwrite };
                let options = CopyOptions { mode, ..Default::default() };
                outcome(store.copy_opts(&place(from), &place(to), options).await)
            }
            Step::Rename { from, to, create } => {
                let target_mode =
                    if create { RenameTargetMode::Create } else { RenameTargetMode::Overwrite };
                let options = RenameOptions { target_mode, ..Default::default() };
                outcome(store.rename_opts(&place(from), &place(to), options).await)
            }
            Step::Delete { at } => outcome(store.delete(&place(at)).await),
        }
    }

    /// All objects, with their sizes.
    async fn objects(&self) -> Vec<(Path, u64, Bytes)> {
        let list = self.store.list(None).then(async |meta| {
            let meta = meta?;
            let bytes = read(&self.store, &meta.location).await?;
            Ok::<_, Error>((meta.location, meta.size, bytes))
        });
        let mut objects: Vec<_> = list.try_collect().await.unwrap();
        objects.sort();
        objects
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_sealed_store_in_memory_is_a_store_in_memory(steps in vec(steps(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let (_, _, owner, _) = made().await;
            let mut sealed = Side::new(std::sync::Arc::new(owner.store().clone()));
            let mut bare = Side::new(std::sync::Arc::new(InMemory::new()));
            for (step, seed) in steps.iter().zip(0..) {
                let expected = bare.step(step, seed).await;
                assert_eq!(sealed.step(step, seed).await, expected, "{step:?}");
            }
            assert!(sealed.objects().await == bare.objects().await);
        });
    }
}
