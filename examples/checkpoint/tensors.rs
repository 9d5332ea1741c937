//! Reads one tensor of a safetensors file, which is an 8-byte length, JSON of that length, and the
//! tensors.

use std::{io::Write, ops::Range};

use futures_util::TryStreamExt;
use object_store::{GetOptions, GetResult, ObjectStore, ObjectStoreExt, path::Path};
use safetensors::tensor::{Metadata, TensorInfo};
use twinseal::store::SealedStore;

use crate::{Result, seal};
use common::{Target, printable};

/// The bound of safetensors itself.
const MAX_METADATA: u64 = 100_000_000;

pub(crate) struct Checkpoint<'a> {
    store: &'a SealedStore,
    data: Path,
    version: Option<String>,
    size: u64,
    metadata: Metadata,
    /// Where the tensors start.
    tensors: u64,
}

impl<'a> Checkpoint<'a> {
    pub(crate) async fn open(store: &'a SealedStore, name: &Path) -> Result<Self> {
        let data = seal::find(store, name).await?;
        let first = get(store, &data, 0..8, None).await?;
        let (size, version) = (first.meta.size, first.meta.e_tag.clone());
        let not_safetensors = "not a safetensors file";
        let length = <[u8; 8]>::try_from(&*first.bytes().await?).map_err(|_| not_safetensors)?;
        let length = u64::from_le_bytes(length);
        if length == 0 || length > MAX_METADATA || 8 + length > size {
            return Err(not_safetensors.into());
        }
        let tensors = 8 + length;
        let json = get(store, &data, 8..tensors, version.clone()).await?.bytes().await?;
        let metadata = serde_json::from_slice(&json);
        let metadata: Metadata = metadata.map_err(|error| format!("{not_safetensors}: {error}"))?;
        if metadata.data_len() as u64 != size - tensors {
            return Err(format!("{not_safetensors}: its tensors do not fill it").into());
        }
        Ok(Self { store, data, version, size, metadata, tensors })
    }

    /// How many bytes the checkpoint has.
    pub(crate) fn len(&self) -> u64 {
        self.size
    }

    /// The names in the order of the file.
    pub(crate) fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    pub(crate) fn info(&self, name: &str) -> Result<&TensorInfo> {
        let info = self.metadata.info(name);
        Ok(info.ok_or_else(|| {
            format!("there is no tensor {name:?}; `read` without --tensor lists them")
        })?)
    }

    /// One request. Tensors can be larger than memory, so the bytes come in pieces; each is
    /// authentic.
    pub(crate) async fn read(
        &self,
        info: &TensorInfo,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let (start, end) = info.data_offsets;
        if start == end {
            return Ok(()); // stores refuse empty ranges
        }
        let range = self.tensors + start as u64..self.tensors + end as u64;
        let found = get(self.store, &self.data, range, self.version.clone()).await?;
        let mut pieces = found.into_stream();
        while let Some(piece) = pieces.try_next().await? {
            each(&piece)?;
        }
        Ok(())
    }

    /// Reads a tensor, into a safetensors file of its own if there is one: all of it, or no file.
    pub(crate) async fn save(
        &self,
        name: &str,
        output: Option<&std::path::Path>,
        out: &mut impl Write,
    ) -> Result<()> {
        let info = self.info(name)?;
        match output {
            None => self.read(info, |_| Ok(())).await?,
            Some(path) => {
                let mut target = Target::new(path)?;
                target.append(&front(name, info)?)?;
                self.read(info, |piece| target.append(piece)).await?;
                target.finish()?;
            }
        }
        Ok(writeln!(out, "  {}", describe(name, info))?)
    }

    pub(crate) fn list(&self, out: &mut impl Write) -> Result<()> {
        for name in self.names() {
            writeln!(out, "  {}", describe(&name, self.info(&name)?))?;
        }
        Ok(())
    }
}

/// Writes the whole checkpoint to a file, and returns its length.
pub(crate) async fn save_all(
    store: &SealedStore,
    name: &Path,
    path: &std::path::Path,
) -> Result<u64> {
    let mut target = Target::new(path)?;
    let found = store.get(&seal::find(store, name).await?).await?;
    let length = found.meta.size;
    let mut pieces = found.into_stream();
    while let Some(piece) = pieces.try_next().await? {
        target.append(&piece)?;
    }
    target.finish()?;
    Ok(length)
}

/// All requests are for the version that was opened first.
async fn get(
    store: &SealedStore,
    data: &Path,
    range: Range<u64>,
    if_match: Option<String>,
) -> Result<GetResult> {
    let options = GetOptions { range: Some(range.into()), if_match, ..GetOptions::default() };
    Ok(store.get_opts(data, options).await?)
}

pub(crate) fn describe(name: &str, info: &TensorInfo) -> String {
    let length = info.data_offsets.1 - info.data_offsets.0;
    format!("{}  {:?} {:?}, {length} bytes", printable(name), info.dtype, info.shape)
}

/// The header of a safetensors file with only this tensor.
fn front(name: &str, info: &TensorInfo) -> Result<Vec<u8>> {
    let (dtype, shape) = (info.dtype, info.shape.clone());
    let data_offsets = (0, info.data_offsets.1 - info.data_offsets.0);
    let tensor = TensorInfo { dtype, shape, data_offsets };
    let mut json = serde_json::to_vec(&Metadata::new(None, vec![(name.to_owned(), tensor)])?)?;
    json.resize(json.len().next_multiple_of(8), b' '); // tensors are aligned to 8 bytes
    Ok([&(json.len() as u64).to_le_bytes()[..], &json].concat())
}
