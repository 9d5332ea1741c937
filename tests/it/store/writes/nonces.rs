//! No chunk of an object is ever sealed to two ciphertexts, whatever is retried, dropped or repeated.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::{FutureExt, future};
use object_store::{ObjectStoreExt, path::Path};

use super::{CHUNK, MIB, SEALED_CHUNK, START, path, plaintext, recorded::Recorded};
use crate::store::fixture::People;

/// All that reached the inner store, as chunks: the key of an object is its salt's, the nonce of a chunk its index's.
fn assert_no_nonce_is_used_twice(inner: &Recorded) -> usize {
    let mut sent = inner.sent();
    sent.retain(|sent| !sent.path.as_ref().starts_with(".twinseal/keys"));
    sent.sort_by_key(|sent| (sent.object, sent.part));
    let mut salts: HashMap<Vec<u8>, (usize, Path)> = HashMap::new();
    let mut chunks: HashMap<(Vec<u8>, usize), Vec<u8>> = HashMap::new();
    for object in sent.chunk_by(|one, next| one.object == next.object) {
        // Every way to put together what was sent: a part that was sent twice is the same bytes.
        let mut parts: Vec<&[u8]> = Vec::new();
        for one in object.chunk_by(|one, next| one.part == next.part) {
            assert!(one.iter().all(|again| again.bytes == one[0].bytes));
            if one[0].part != parts.len() {
                break; // one before it was never sent
            }
            parts.push(&one[0].bytes);
        }
        let bytes = parts.concat();
        if bytes.len() < START {
            continue;
        }
        let salt = bytes[13..13 + 24].to_vec();
        let before = salts.insert(salt.clone(), (object[0].object, object[0].path.clone()));
        assert_eq!(before, None, "a salt was used twice");
        for (index, chunk) in bytes[START..].chunks(SEALED_CHUNK).enumerate() {
            let before = chunks.insert((salt.clone(), index), chunk.to_vec());
            assert_eq!(before, None);
        }
    }
    // No two ciphertexts are one, or the plaintexts and nonces would be.
    let distinct: HashSet<_> = chunks.values().collect();
    assert_eq!(distinct.len(), chunks.len());
    chunks.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_chunk_is_sealed_twice() {
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    inner.send_twice();
    let tasks = (0..24_u8).map(|number| {
        let store = owner.store().clone();
        tokio::spawn(async move {
            let location = path(&format!("object-{}", number % 3));
            let mut upload = store.put_multipart(&location).await.unwrap();
            let sizes = [MIB + usize::from(number), 5, CHUNK, 3 * MIB, 70_000, 0, 2 * MIB];
            let parts: Vec<_> =
                sizes.iter().map(|size| upload.put_part(plaintext(*size, number).into())).collect();
            let mut joined = Box::pin(future::try_join_all(parts));
            match number % 4 {
                // Dropped in the middle.
                0 => {
                    let _ = (&mut joined).now_or_never();
                    drop(joined);
                    upload.complete().await.unwrap_err();
                }
                1 => {
                    joined.await.unwrap();
                    upload.abort().await.unwrap();
                }
                2 => {
                    joined.await.unwrap();
                    // Completed again, after it was dropped.
                    let _ = upload.complete().now_or_never();
                    let _ = upload.complete().await;
                    let _ = upload.complete().await;
                }
                _ => {
                    joined.await.unwrap();
                    upload.complete().await.unwrap();
                    let to = path(&format!("copy-{number}"));
                    store.copy(&location, &to).await.unwrap();
                    store.put(&to, plaintext(2 * MIB, number).into()).await.unwrap();
                    store.rename(&to, &location).await.unwrap();
                }
            }
        })
    });
    for done in future::join_all(tasks).await {
        done.unwrap();
    }
    let chunks = assert_no_nonce_is_used_twice(&inner);
    assert!(chunks > 24 * 200, "{chunks}");
    owner.store().head(&path("object-0")).await.unwrap();
}
