//! One version of an object, from which chunks are read.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::{
    Attributes, Extensions, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta,
    ObjectStore, Result, collect_bytes, path::Path,
};

use super::{
    FIRST, blocks,
    layout::Layout,
    object::Object,
    source::{LocalFile, Source},
};
use crate::{
    error::Error,
    store::{failure, object::START, sealed_store::Inside, state::Current},
    stream::SEALED_CHUNK,
};

/// How much is reserved for a range that is read as a whole.
const RESERVED: u64 = 64 * 1024 * 1024;

/// Why a read ends without a result.
pub(in crate::store) enum Failure {
    /// The object was replaced since the read began. Another read may succeed.
    Replaced,
    Error(object_store::Error),
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        Self::Error(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error.into())
    }
}

/// A version of an object. All of its requests return bytes of this version, or fail.
pub(super) struct Version<'a> {
    store: &'a Arc<Inside>,
    location: &'a Path,
    options: &'a GetOptions,
    object: Arc<Object>,
    /// `None` if it was opened by an earlier read.
    first: Option<First>,
}

/// The answer that it was opened from.
struct First {
    /// Whole chunks, and what is before them.
    bytes: Bytes,
    /// All of it, if the inner store opened a file.
    file: Option<LocalFile>,
    properties: Properties,
}

/// What the inner store says about an object beside its bytes.
pub(super) struct Properties {
    pub(super) meta: ObjectMeta,
    pub(super) attributes: Attributes,
    pub(super) extensions: Extensions,
}

impl<'a> Version<'a> {
    /// The version that an earlier read opened, if the store's keys still have its epoch and the caller's conditions
    /// allow it.
    pub(super) fn kept(
        store: &'a Arc<Inside>,
        location: &'a Path,
        options: &'a GetOptions,
        current: &Current,
    ) -> Option<Self> {
        let object = store.opened.get(location, options.version.as_deref())?;
        let kept = Self { store, location, options, object, first: None };
        if current.objects.get(kept.object.epoch()).is_none() {
            kept.forget();
            return None;
        }
        kept.is_allowed().then_some(kept)
    }

    /// Whether the caller's conditions are only that it be this version. All others are for the inner store to judge.
    fn is_allowed(&self) -> bool {
        let options = self.options;
        options.if_none_match.is_none()
            && options.if_modified_since.is_none()
            && options.if_unmodified_since.is_none()
            && options.if_match.as_deref().is_none_or(|wanted| {
                let names =
                    |e_tag| wanted == "*" || wanted.split(',').any(|one| one.trim() == e_tag);
                self.strong_e_tag().is_some_and(names)
            })
    }

    /// Opens the version that is there now, under the caller's conditions. Its length is not authentic yet.
    pub(super) async fn open(
        store: &'a Arc<Inside>,
        location: &'a Path,
        options: &'a GetOptions,
    ) -> Result<Self> {
        let range = Some(GetRange::Bounded(0..FIRST));
        let asked = GetOptions { range, ..options.clone() };
        let answer = store.inner().get_opts(&store.paths().inner(location), asked).await?;
        let layout = Layout::new(answer.meta.size).ok_or_else(|| failure::foreign(location))?;
        let len = layout.sealed_len().min(FIRST);
        let mut source = Source::new(answer.payload, &answer.range, &(0..len))?;
        let mut bytes = source.take(len as usize).await?;
        let start = bytes.first_chunk().expect("no object is shorter");
        let object = Object::new(store, location, answer.meta.clone(), start).await?;
        if len < layout.sealed_len() {
            let chunks = (bytes.len() - START) / SEALED_CHUNK;
            bytes.truncate(START + chunks * SEALED_CHUNK);
        }
        let file = match source {
            Source::File { file, .. } => Some(file),
            Source::Stream { .. } => None,
        };
        let properties = Properties {
            meta: answer.meta,
            attributes: answer.attributes,
            extensions: answer.extensions,
        };
        let first = Some(First { bytes, file, properties });
        Ok(Self { store, location, options, object: Arc::new(object), first })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.object.layout
    }

    /// Opens the last chunk, and with it authenticates the length.
    pub(super) async fn authenticate(&self) -> Result<(), Failure> {
        let last = self.layout().last();
        let (mut sealed, _) = self.fetch(&(last..last + 1)).await?;
        let sealed = sealed.take(self.layout().len_of(&(last..last + 1))).await?;
        self.object.open(last..last + 1, &(0..0), sealed.into())?;
        Ok(())
    }

    /// Fetches chunks, and opens what is wanted of them. If there was a request for it, its answer's properties are
    /// returned, too.
    pub(super) async fn open_chunks(
        &self,
        chunks: Range<u64>,
        wanted: Range<u64>,
    ) -> Result<(BoxStream<'static, Result<Bytes>>, Option<Properties>), Failure> {
        let (sealed, properties) = self.fetch(&chunks).await?;
        Ok((blocks::open(Arc::clone(&self.object), chunks, wanted, sealed), properties))
    }

    /// Reads a range of the plaintext.
    pub(super) async fn read(&self, wanted: Range<u64>) -> Result<Bytes, Failure> {
        let chunks = self.layout().holding(&wanted);
        // How long the object is may not be authentic yet, and nobody can reserve what a wrong length says.
        let reserved = (wanted.end - wanted.start).min(RESERVED);
        let (plaintext, _) = self.open_chunks(chunks, wanted).await?;
        Ok(collect_bytes(plaintext, Some(reserved)).await?)
    }

    /// The result of a read of some plaintext, and `answered` of its own request if there was one.
    pub(super) fn into_result(
        self,
        answered: Option<Properties>,
        range: Range<u64>,
        plaintext: BoxStream<'static, Result<Bytes>>,
    ) -> GetResult {
        let first = self.first.map(|first| first.properties);
        let Properties { meta, attributes, extensions } =
            first.or(answered).expect("whatever was not opened by a request is read by one");
        let payload = GetResultPayload::Stream(plaintext);
        let meta = self.object.outer(self.location, meta);
        GetResult { payload, meta, range, attributes, extensions }
    }

    async fn fetch(&self, chunks: &Range<u64>) -> Result<(Source, Option<Properties>), Failure> {
        let sealed = self.layout().sealed(chunks);
        let mut before = Bytes::new();
        if let Some(first) = &self.first {
            if let Some(file) = &first.file {
                let source = Source::File { file: file.clone(), position: sealed.start };
                return Ok((source, None));
            }
            let there = |position: u64| {
                usize::try_from(position).unwrap_or(usize::MAX).min(first.bytes.len())
            };
            before = first.bytes.slice(there(sealed.start)..there(sealed.end));
        }
        let rest = sealed.start + before.len() as u64..sealed.end;
        if rest.is_empty() {
            return Ok((before.into(), None));
        }
        let answer = self.request(&rest).await?;
        let source = Source::new(answer.payload, &answer.range, &rest)?.preceded_by(before);
        let GetResult { meta, attributes, extensions, .. } = answer;
        Ok((source, Some(Properties { meta, attributes, extensions })))
    }

    /// The caller's conditions were met by the first answer. From then on there is one: that it is this version.
    async fn request(&self, sealed: &Range<u64>) -> Result<GetResult, Failure> {
        let asked = GetOptions {
            if_match: self.strong_e_tag().map(str::to_owned),
            range: Some(GetRange::Bounded(sealed.clone())),
            version: self.options.version.clone(),
            extensions: self.options.extensions.clone(),
            ..GetOptions::default()
        };
        let path = self.store.paths().inner(self.location);
        match self.store.inner().get_opts(&path, asked).await {
            Ok(answer) if same(&answer.meta, &self.object.meta) => Ok(answer),
            Ok(_)
            | Err(
                object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. },
            ) => Err(Failure::Replaced),
            Err(error) => Err(error.into()),
        }
    }

    /// A weak `ETag` never satisfies `If-Match`.
    fn strong_e_tag(&self) -> Option<&str> {
        self.object.meta.e_tag.as_deref().filter(|e_tag| !e_tag.starts_with("W/"))
    }

    /// Keeps its key for later reads, once its length is authentic.
    pub(super) fn keep(&self) {
        self.store.opened.keep(self.location, self.options.version.as_deref(), &self.object);
    }

    /// Later reads open it again.
    pub(super) fn forget(&self) {
        self.store.opened.forget(self.location, self.options.version.as_deref(), &self.object);
    }

    /// The same, for whatever fails while it is read.
    pub(super) fn forgets(&self) -> impl FnMut(&object_store::Error) + Send + 'static {
        let (store, object) = (Arc::clone(self.store), Arc::clone(&self.object));
        let (location, version) = (self.location.clone(), self.options.version.clone());
        move |_| store.opened.forget(&location, version.as_deref(), &object)
    }
}

/// Whether two answers are of one version, as far as the inner store says. If it is wrong, the chunks do not open.
fn same(one: &ObjectMeta, other: &ObjectMeta) -> bool {
    let dated = one.e_tag.is_none();
    one.e_tag == other.e_tag
        && one.version == other.version
        && one.size == other.size
        && (!dated || one.last_modified == other.last_modified)
}
