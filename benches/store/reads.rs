//! Reading from a sealed store, beside the bare one; and from memory, which copies nothing, beside the opening of the
//! same bytes.

use std::hint::black_box;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use twinseal::DecapsulationKey;

use super::{
    case::Case,
    mode,
    stores::{CONTEXT, GIB, SMALL, Stores, case, length, provider},
};

/// The bare object, and the sealed one.
#[derive(Clone, Copy)]
enum Which {
    Bare,
    Sealed,
}

use Which::{Bare, Sealed};

impl Which {
    fn name(self) -> &'static str {
        match self {
            Bare => "bare",
            Sealed => "sealed",
        }
    }

    fn store(self, stores: &Stores) -> &dyn ObjectStore {
        match self {
            Bare => &stores.bare,
            Sealed => &stores.sealed,
        }
    }

    fn put(self, stores: &Stores, path: &str, len: usize) {
        let store = self.store(stores);
        stores.runtime.block_on(store.put(&path.into(), vec![7; len].into())).unwrap();
    }
}

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let of = [Bare, Sealed];
    let whole = of.into_iter().flat_map(|which| {
        [
            case("store/files, get 1 GiB", which.name(), length(GIB), move || files(which, whole)),
            case("store/files, stream 1 GiB", which.name(), length(GIB), move || {
                files(which, streamed)
            }),
            case("store/memory, get 64 MiB", which.name(), length(64 << 20), move || memory(which)),
        ]
    });
    let small = of.into_iter().flat_map(|which| {
        [1, 16].map(|at_once| {
            let group = format!("store/files, get 1000 of 4 KiB, {at_once} at once");
            case(&group, which.name(), SMALL * 4096, move || small(which, at_once))
        })
    });
    let ranges = of.into_iter().map(|which| {
        case("store/files, get 1 MiB of 1 GiB", which.name(), 1 << 20, move || range(which))
    });
    let lists = of.into_iter().flat_map(|which| {
        let of = [("files", Stores::in_files as fn() -> Stores), ("memory", Stores::in_memory)];
        of.map(|(place, stores)| {
            let group = format!("store/{place}, list 10000");
            Case::new(&group, which.name(), provider().name, move || list(stores(), which))
        })
    });
    let opened = case("store/memory, get 64 MiB", "open in memory", length(64 << 20), opened);
    whole.chain(small).chain(ranges).chain(lists).chain([opened])
}

/// All bytes in one piece.
fn whole(stores: &Stores, store: &dyn ObjectStore, path: &Path) {
    let read = async { store.get(path).await?.bytes().await };
    black_box(stores.runtime.block_on(read).unwrap());
}

/// Pieces that nobody puts together.
fn streamed(stores: &Stores, store: &dyn ObjectStore, path: &Path) {
    let read = async {
        let pieces = store.get(path).await?.into_stream();
        pieces.try_fold(0, async |len, piece| Ok(len + black_box(piece).len())).await
    };
    black_box(stores.runtime.block_on(read).unwrap());
}

fn files(which: Which, read: fn(&Stores, &dyn ObjectStore, &Path)) -> impl FnMut() {
    let stores = Stores::in_files();
    which.put(&stores, "x", length(GIB));
    move || read(&stores, which.store(&stores), &"x".into())
}

fn memory(which: Which) -> impl FnMut() {
    let stores = Stores::in_memory();
    which.put(&stores, "x", length(64 << 20));
    move || whole(&stores, which.store(&stores), &"x".into())
}

fn small(which: Which, at_once: usize) -> impl FnMut() {
    let stores = Stores::in_files();
    let paths: Vec<Path> = (0..SMALL).map(|index| format!("{index}").into()).collect();
    paths.iter().for_each(|path| which.put(&stores, path.as_ref(), 4096));
    move || {
        let store = which.store(&stores);
        let read = stream::iter(&paths)
            .map(|path| async move { store.get(path).await?.bytes().await })
            .buffered(at_once)
            .try_for_each(async |bytes| {
                black_box(bytes);
                Ok(())
            });
        stores.runtime.block_on(read).unwrap();
    }
}

/// Another range each time, of an object that is open.
fn range(which: Which) -> impl FnMut() {
    let stores = Stores::in_files();
    which.put(&stores, "x", length(GIB).max(4 << 20));
    let ranges = length(GIB).max(4 << 20) as u64 / (1 << 20);
    let mut next = 0;
    move || {
        next = (next + 37) % (ranges - 1);
        let start = next * (1 << 20) + 5;
        let (store, path) = (which.store(&stores), "x".into());
        let read = store.get_range(&path, start..start + (1 << 20));
        black_box(stores.runtime.block_on(read).unwrap());
    }
}

/// Names and lengths of small objects.
fn list(stores: Stores, which: Which) -> impl FnMut() {
    let objects = if mode::testing() { 10 } else { 10_000 };
    (0..objects).for_each(|index| which.put(&stores, &format!("{index}"), 16));
    move || {
        let listed = which.store(&stores).list(None).try_fold(0, async |count, meta| {
            black_box(meta);
            Ok(count + 1)
        });
        let count = stores.runtime.block_on(listed).unwrap();
        assert!(count >= objects); // the bare store has the sealed one's keys, too
    }
}

/// Opens an envelope of the same bytes.
fn opened() -> impl FnMut() {
    let bob = DecapsulationKey::generate().unwrap();
    let sealed = bob.encapsulation_key().seal(CONTEXT, &vec![7; length(64 << 20)]).unwrap();
    move || drop(black_box(bob.open(CONTEXT, &sealed).unwrap()))
}
