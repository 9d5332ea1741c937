//! Are objects signed while they are put into a sealed store, in constant memory, and verified when parts are read?

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload, memory::InMemory, path::Path};
use twinseal::{
    DecapsulationKey, Recipients, SigningKey,
    model::{Manifest, ManifestBuilder, Method, PayloadHasher, SignedFile, TrustedKey},
    store::SealedStore,
};

use super::{
    hasher::{assert_is_of, content, shards},
    hashing::no_thread_is_left,
};
use crate::common::errors::{io_outcome, outcome};

async fn store() -> SealedStore {
    let key = Arc::new(DecapsulationKey::generate().unwrap());
    let owner = Arc::new(SigningKey::generate().unwrap());
    let readers = Recipients::new([key.encapsulation_key()]).unwrap();
    let inner = Arc::new(InMemory::new());
    let made = SealedStore::create(inner, b"example.com/models", key, owner, &readers).await;
    made.unwrap().0.store().clone()
}

/// Puts two objects and signs them: one whole, one in parts of odd lengths.
async fn put(store: &SealedStore, weights: &Bytes, method: Method) -> Manifest {
    let mut model = ManifestBuilder::new("run-7").unwrap().with_method(method);
    let mut hasher = PayloadHasher::new(method).unwrap();
    let config = hasher.hash(&b"{}"[..]).await.unwrap();
    store.put(&Path::from("run-7/config.json"), config).await.unwrap();
    model.add("config.json", hasher.finish().await.unwrap()).unwrap();

    let mut hasher = PayloadHasher::new(method).unwrap();
    let mut upload = store.put_multipart(&Path::from("run-7/weights")).await.unwrap();
    for part in [0..1, 1..20_000, 20_000..20_000, 20_000..weights.len()] {
        let part = hasher.hash(weights.slice(part)).await.unwrap();
        upload.put_part(part).await.unwrap();
    }
    upload.complete().await.unwrap();
    model.add("weights", hasher.finish().await.unwrap()).unwrap();

    let signer = SigningKey::generate().unwrap();
    let bundle = model.sign(&signer).unwrap();
    bundle.verify(&[TrustedKey::from(signer.verifying_key())]).unwrap()
}

/// Reads the shards of a range, and returns the first that is not as signed.
async fn verify(store: &SealedStore, file: SignedFile<'_>) -> Result<(), twinseal::Error> {
    let path = Path::from(format!("run-7/{}", file.name()));
    for shard in file.digest().shards().unwrap() {
        shard.verify(&store.get_range(&path, shard.range()).await.unwrap())?;
    }
    Ok(())
}

#[::tokio::test]
async fn objects_and_parts_of_them() {
    let (store, weights) = (store().await, Bytes::from(content(100_000)));
    for method in [shards(1000), shards(16_384), shards(1 << 20)] {
        let manifest = put(&store, &weights, method).await;
        for file in manifest.files() {
            verify(&store, file).await.unwrap();
        }
        // Every reader can write; only the signature says who wrote this.
        let mut other = weights.to_vec();
        other[50_000] ^= 1;
        store.put(&Path::from("run-7/weights"), other.into()).await.unwrap();
        let refused = verify(&store, manifest.file("weights").unwrap()).await;
        assert_eq!(outcome(refused), "Model(NotAsSigned)");
        verify(&store, manifest.file("config.json").unwrap()).await.unwrap();
    }
    let manifest = put(&store, &weights, Method::Files).await;
    let whole = store.get(&Path::from("run-7/weights")).await.unwrap().bytes().await.unwrap();
    manifest.file("weights").unwrap().verify(&whole).unwrap();
}

#[::tokio::test]
async fn payloads_of_several_pieces() {
    let all = Bytes::from(content(3_000_000));
    for method in [Method::Files, shards(100_000)] {
        for piece in [1000, 262_144, 262_145, 3_000_000] {
            let mut hasher = PayloadHasher::new(method).unwrap();
            for part in [0..1_000_000, 1_000_000..3_000_000] {
                let part = all.slice(part);
                let pieces = (0..part.len()).step_by(piece);
                let pieces = pieces.map(|at| part.slice(at..part.len().min(at + piece)));
                let payload: PutPayload = pieces.collect();
                let same = hasher.hash(payload.clone()).await.unwrap();
                let pointers = |payload: &PutPayload| -> Vec<_> {
                    payload.iter().map(|piece| piece.as_ptr()).collect()
                };
                assert_eq!(pointers(&same), pointers(&payload), "nothing is copied");
            }
            assert_is_of(&hasher.finish().await.unwrap(), &all, method);
        }
    }
}

#[::tokio::test]
async fn empty_objects_and_too_many_shards() {
    for payloads in 0..2 {
        for method in [Method::Files, shards(8)] {
            let mut hasher = PayloadHasher::new(method).unwrap();
            for _ in 0..payloads {
                hasher.hash(PutPayload::new()).await.unwrap();
            }
            match hasher.finish().await {
                Ok(digest) => assert_is_of(&digest, b"", Method::Files),
                error => {
                    assert_ne!(method, Method::Files);
                    assert_eq!(io_outcome(error), "InvalidData: Model(EmptyFile)");
                }
            }
        }
    }
    let mib = Bytes::from(vec![7; 1 << 20]);
    let mut hasher = PayloadHasher::new(shards(1)).unwrap();
    hasher.hash(mib.clone()).await.unwrap();
    let mut refused = hasher.hash(mib.clone()).await;
    while refused.is_ok() {
        refused = hasher.hash(mib.clone()).await;
    }
    assert_eq!(io_outcome(refused), "InvalidData: Model(TooLarge)");
    assert_eq!(io_outcome(hasher.hash(mib).await), "Other");
    assert_eq!(io_outcome(hasher.finish().await), "Other");
}

/// Bytes that are counted as long as they are in memory.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, SeqCst);
    }
}

fn counted(count: &Arc<AtomicUsize>, length: usize) -> Bytes {
    count.fetch_add(1, SeqCst);
    Bytes::from_owner(Counted(vec![7; length], Arc::clone(count)))
}

/// Besides the one that the caller has.
#[::tokio::test]
async fn two_parts_are_kept_at_most() {
    let count = Arc::default();
    let mut hasher = PayloadHasher::new(Method::Files).unwrap();
    for _ in 0..50 {
        drop(hasher.hash(counted(&count, 1 << 20)).await.unwrap());
        let kept = count.load(SeqCst);
        assert!(kept <= 2, "{kept} are kept");
    }
    let digest = hasher.finish().await.unwrap();
    assert_is_of(&digest, &vec![7; 50 << 20], Method::Files);
    assert_eq!(count.load(SeqCst), 0);
}

/// The rest of a long part is not hashed then, and nothing is kept.
#[::tokio::test]
async fn given_up_half_way() {
    let count = Arc::default();
    for parts in 0..3 {
        let mut hasher = PayloadHasher::new(shards(1000)).unwrap();
        for _ in 0..parts {
            hasher.hash(counted(&count, 64 << 20)).await.unwrap();
        }
        thread::sleep(Duration::from_millis(1));
        drop(hasher);
        assert_eq!(count.load(SeqCst), 0);
    }
    no_thread_is_left();
}
