//! How much of an object of 10 GiB does a range of 1 MiB fetch?

use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    memory::InMemory, path::Path,
};

use super::layout::Layout;
use crate::{
    envelope::Recipients,
    kem::DecapsulationKey,
    sign::SigningKey,
    store::{
        Options, SealedStore,
        object::{self, START},
    },
    stream::{CHUNK, ChunkKey, SEALED_CHUNK},
};

const LEN: u64 = (10 << 30) + 100;
const RANGE: u64 = 1 << 20;

/// The keys of a store in memory; and one object, whose chunks are sealed when they are asked for.
struct Generated {
    keys: InMemory,
    object: Mutex<Option<(ChunkKey, [u8; START])>>,
    /// How many bytes each request for the object returned.
    fetched: Mutex<Vec<u64>>,
}

/// The plaintext of a chunk begins with its number.
fn plaintext(layout: &Layout, chunk: u64) -> Vec<u8> {
    let range = layout.plaintext_of(chunk);
    let mut bytes = vec![0; (range.end - range.start) as usize];
    bytes.iter_mut().zip(chunk.to_be_bytes()).for_each(|(to, from)| *to = from);
    bytes
}

impl Generated {
    fn bytes(&self, range: &Range<u64>) -> Vec<u8> {
        let object = self.object.lock().expect("no thread panicked");
        let (key, start) = object.as_ref().expect("the test made it so");
        let layout = Layout::new(object::sealed_len(LEN).expect("the test made it so"))
            .expect("the test made it so");
        let (begin, chunk) = (START as u64, SEALED_CHUNK as u64);
        let chunks = range.start.saturating_sub(begin) / chunk..(range.end - begin).div_ceil(chunk);
        let (mut bytes, mut offset) = (Vec::new(), layout.sealed(&chunks).start);
        if range.start < begin {
            (bytes, offset) = (start.to_vec(), 0);
        }
        for index in chunks {
            let mut sealed = plaintext(&layout, index);
            let tag = key.seal_chunk(index, &mut sealed).expect("the test made it so");
            bytes.extend_from_slice(&sealed);
            bytes.extend_from_slice(&tag);
        }
        bytes[(range.start - offset) as usize..(range.end - offset) as usize].to_vec()
    }
}

#[async_trait]
impl ObjectStore for Generated {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if location.as_ref() != "large" {
            return self.keys.get_opts(location, options).await;
        }
        let meta = ObjectMeta {
            location: location.clone(),
            last_modified: Default::default(),
            size: object::sealed_len(LEN).expect("the test made it so"),
            e_tag: Some("\"large\"".into()),
            version: None,
        };
        options.check_preconditions(&meta)?;
        let range = options
            .range
            .expect("nobody reads all of it")
            .as_range(meta.size)
            .expect("the test made it so");
        self.fetched.lock().expect("no thread panicked").push(range.end - range.start);
        let bytes = Bytes::from(self.bytes(&range));
        let payload = GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
        let (attributes, extensions) = Default::default();
        Ok(GetResult { payload, meta, range, attributes, extensions })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.keys.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.keys.list_with_delimiter(prefix).await
    }

    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.keys.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.keys.put_multipart_opts(location, opts).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.keys.delete_stream(locations)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.keys.copy_opts(from, to, options).await
    }
}

impl fmt::Display for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generated")
    }
}

impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generated")
    }
}

async fn large() -> (Arc<Generated>, SealedStore) {
    let (object, fetched) = Default::default();
    let inner = Arc::new(Generated { keys: InMemory::new(), object, fetched });
    let (alice, owner) = (
        DecapsulationKey::generate().expect("the test made it so"),
        SigningKey::generate().expect("the test made it so"),
    );
    let recipients = Recipients::new([alice.encapsulation_key()]).expect("the test made it so");
    let (as_inner, owner) = (Arc::clone(&inner) as _, Arc::new(owner));
    let created = Options::default().create(as_inner, b"test", alice, owner, &recipients).await;
    let store = created.expect("the test made it so").0.store().clone();
    let current = store.0.state.seen();
    let sealed = current
        .objects
        .newest()
        .expect("the test made it so")
        .seal(b"test", "large")
        .expect("the test made it so");
    *inner.object.lock().expect("no thread panicked") = Some(sealed);
    (inner, store)
}

/// Wherever the range begins. Three requests, or two if there is nothing between it and the beginning or the end; one
/// when the object is open.
#[::tokio::test]
async fn a_mebibyte_of_ten_gibibytes_is_three_requests_of_hardly_more() {
    let layout = Layout::new(object::sealed_len(LEN).expect("the test made it so"))
        .expect("the test made it so");
    for (start, most) in [(0, 3), (1, 3), (7_000_000_001, 3), (LEN - RANGE, 3), (LEN - 200, 2)] {
        let (inner, store) = large().await;
        let wanted = start..LEN.min(start + RANGE);
        for requests in [most, 1] {
            let found = store
                .get_range(&"large".into(), wanted.clone())
                .await
                .expect("the test made it so");
            let chunks = layout.holding(&wanted);
            let first = (wanted.start - chunks.start * CHUNK as u64) as usize;
            let whole: Vec<u8> = chunks.flat_map(|chunk| plaintext(&layout, chunk)).collect();
            assert_eq!(found, whole[first..][..found.len()]);
            assert_eq!(found.len() as u64, wanted.end - wanted.start);
            let fetched = std::mem::take(&mut *inner.fetched.lock().expect("no thread panicked"));
            assert!(fetched.len() <= requests, "{start}: {fetched:?}");
            let fetched: u64 = fetched.iter().sum();
            assert!(fetched * 10 <= RANGE * 11, "{start}: {fetched} bytes");
        }
    }
}
