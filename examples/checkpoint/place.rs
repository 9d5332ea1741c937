//! The place of a sealed checkpoint: two objects in one directory of an object store.
//!
//! An envelope is a header, which names its recipients, and a body. Here each is an object of its
//! own. A store can only replace whole objects: if both were one object, a rotation would have to
//! copy a body of a terabyte to change two kilobytes. The concatenation of `header` and `body` is
//! an ordinary envelope.
//!
//! The header is written last. Without it there is no checkpoint, even if there is a body.

use std::{
    io::Write,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use object_store::{
    GetOptions, ObjectStore, ObjectStoreExt, ObjectStoreScheme, local::LocalFileSystem, path::Path,
};
use url::Url;

use crate::Result;

/// Environment variables with these prefixes configure the clouds, as they do for the clouds' own
/// tools. Others are ignored, because they can mean anything: `TOKEN` and `REGION` are names of
/// settings, too.
const SETTINGS: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

pub(crate) struct Place {
    pub(crate) store: Box<dyn ObjectStore>,
    directory: Path,
    name: String,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Place {
    /// A local directory, or a URL that the store's features cover.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (store, directory) = if text.contains("://") { remote(text)? } else { local(text)? };
        if directory.as_ref().is_empty() {
            return Err(format!("{text}: name a directory in it, one for each checkpoint").into());
        }
        let (requests, bytes) = Default::default();
        Ok(Self { store, directory, name: text.trim_end_matches('/').into(), requests, bytes })
    }

    pub(crate) fn header(&self) -> Path {
        self.directory.clone().join("header")
    }

    pub(crate) fn body(&self) -> Path {
        self.directory.clone().join("body")
    }

    /// The header before the last rotation.
    pub(crate) fn previous_header(&self) -> Path {
        self.directory.clone().join("header.previous")
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes of an object in exactly this range, and the length of the whole object.
    pub(crate) async fn get(&self, object: &Path, range: Range<u64>) -> Result<(Vec<u8>, u64)> {
        let options = GetOptions { range: Some(range.clone().into()), ..GetOptions::default() };
        let result = self.store.get_opts(object, options).await?;
        let size = result.meta.size;
        let bytes = result.bytes().await?;
        self.count(bytes.len());
        if bytes.len() as u64 != range.end - range.start {
            let what = object.filename().unwrap_or_default();
            return Err(format!("the {what} has {size} bytes: it was truncated").into());
        }
        Ok((bytes.into(), size))
    }

    /// All bytes of a small object, and its metadata.
    pub(crate) async fn get_all(
        &self,
        object: &Path,
    ) -> Result<(Vec<u8>, object_store::ObjectMeta)> {
        let result = self.store.get(object).await?;
        let meta = result.meta.clone();
        if meta.size > MAX_HEADER {
            return Err(format!("{object} has {} bytes: not a header", meta.size).into());
        }
        let bytes = result.bytes().await?;
        self.count(bytes.len());
        Ok((bytes.into(), meta))
    }

    /// The number of bytes that were read, and of requests.
    pub(crate) fn traffic(&self) -> (u64, u64) {
        (self.bytes.load(Relaxed), self.requests.load(Relaxed))
    }

    pub(crate) fn report_traffic(&self, of: u64, out: &mut impl Write) -> Result<()> {
        let (bytes, requests) = self.traffic();
        let percent = 100.0 * bytes as f64 / of as f64;
        Ok(writeln!(out, "  read {bytes} bytes of {of} ({percent:.2} %), in {requests} requests")?)
    }

    fn count(&self, bytes: usize) {
        self.requests.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }
}

/// 1000 recipients, the most that a header can have, are 1.7 MB.
const MAX_HEADER: u64 = 4 << 20;

type Parsed = (Box<dyn ObjectStore>, Path);

fn local(directory: &str) -> Result<Parsed> {
    let path = Path::from_absolute_path(std::path::absolute(directory)?)
        .map_err(|error| format!("{directory}: {error}"))?;
    // What was reported as stored must survive a power failure.
    Ok((Box::new(LocalFileSystem::new().with_fsync(true)), path))
}

fn remote(text: &str) -> Result<Parsed> {
    let url = Url::parse(text).map_err(|error| format!("{text}: {error}"))?;
    let feature = match ObjectStoreScheme::parse(&url) {
        Ok((ObjectStoreScheme::Local, _)) => {
            let path = url.to_file_path().map_err(|()| format!("{text}: not a local path"))?;
            return local(&path.to_string_lossy());
        }
        Ok((ObjectStoreScheme::AmazonS3, _)) => "aws",
        Ok((ObjectStoreScheme::GoogleCloudStorage, _)) => "gcp",
        Ok((ObjectStoreScheme::MicrosoftAzure, _)) => "azure",
        _ => return Err(format!("{text}: a place is a directory, s3://, gs:// or az://").into()),
    };
    let settings = std::env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        SETTINGS.iter().any(|prefix| name.starts_with(prefix)).then_some((name, value))
    });
    object_store::parse_url_opts(&url, settings).map_err(|error| {
        let error = error.to_string();
        if !error.contains("not enabled") {
            return format!("{text}: {error}").into();
        }
        let build = "cargo run --release --example checkpoint --features object_store";
        format!("{text}: this build has no {feature} support; use `{build}/{feature}`").into()
    })
}
