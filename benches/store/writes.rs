//! Writing to a sealed store, beside the bare one; and to memory, which copies nothing, beside the sealing of the same
//! bytes.

use std::hint::black_box;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, path::Path};
use twinseal::DecapsulationKey;

use super::{
    case::Case,
    stores::{CONTEXT, GIB, SMALL, Stores, case, length},
};

/// A part of an upload.
const PART: usize = 8 << 20;

/// Parts of an upload that are under way.
const AT_ONCE: usize = 4;

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let of = [("bare", false), ("sealed", true)].into_iter().flat_map(|(name, sealed)| {
        let gib = length(GIB);
        [
            case("store/files, put 1 GiB", name, gib, move || {
                whole(Stores::in_files(), sealed, gib)
            }),
            case("store/files, upload 1 GiB", name, gib, move || upload(sealed, gib)),
            case("store/memory, put 64 MiB", name, length(64 << 20), move || {
                whole(Stores::in_memory(), sealed, length(64 << 20))
            }),
            case("store/memory, put 1000 of 4 KiB", name, SMALL * 4096, move || {
                small(Stores::in_memory(), sealed, 1)
            }),
            case("store/files, put 1000 of 4 KiB, 1 at once", name, SMALL * 4096, move || {
                small(Stores::in_files(), sealed, 1)
            }),
            case("store/files, put 1000 of 4 KiB, 16 at once", name, SMALL * 4096, move || {
                small(Stores::in_files(), sealed, 16)
            }),
        ]
    });
    let in_memory = case("store/memory, put 64 MiB", "seal in memory", length(64 << 20), sealing);
    of.chain([in_memory])
}

fn store(stores: &Stores, sealed: bool) -> &dyn ObjectStore {
    if sealed { &stores.sealed } else { &stores.bare }
}

fn whole(stores: Stores, sealed: bool, len: usize) -> impl FnMut() {
    let data = Bytes::from(vec![7; len]);
    move || {
        let put = store(&stores, sealed);
        black_box(stores.runtime.block_on(put.put(&"x".into(), data.clone().into())).unwrap());
    }
}

fn upload(sealed: bool, len: usize) -> impl FnMut() {
    let (stores, data) = (Stores::in_files(), Bytes::from(vec![7; PART.min(len)]));
    move || {
        let work = async {
            let mut upload = store(&stores, sealed).put_multipart(&"x".into()).await?;
            stream::iter(0..len / data.len())
                .map(|_| upload.put_part(data.clone().into()))
                .buffer_unordered(AT_ONCE)
                .try_for_each(|()| std::future::ready(Ok(())))
                .await?;
            upload.complete().await
        };
        black_box(stores.runtime.block_on(work).unwrap());
    }
}

fn small(stores: Stores, sealed: bool, at_once: usize) -> impl FnMut() {
    let data = Bytes::from(vec![7; 4096]);
    let paths: Vec<Path> = (0..SMALL).map(|index| format!("{index}").into()).collect();
    move || {
        let store = store(&stores, sealed);
        let put = stream::iter(&paths)
            .map(|path| store.put(path, data.clone().into()))
            .buffered(at_once)
            .try_for_each(|_| std::future::ready(Ok(())));
        stores.runtime.block_on(put).unwrap();
    }
}

/// Seals an envelope of the same bytes.
fn sealing() -> impl FnMut() {
    let bob = DecapsulationKey::generate().unwrap();
    let data = vec![7; length(64 << 20)];
    move || drop(black_box(bob.encapsulation_key().seal(CONTEXT, &data).unwrap()))
}
