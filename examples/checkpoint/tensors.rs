//! Reads what was signed, and only that: one tensor of a safetensors file (an 8-byte length, JSON of that length, and
//! the tensors), or all of it.

use std::{io::Write, ops::Range};

use futures_util::TryStreamExt;
use object_store::{GetOptions, ObjectStore, path::Path};
use safetensors::tensor::{Metadata, TensorInfo};
use twinseal::{
    model::{Bundle, Manifest, SignedFile, TrustedKey},
    store::SealedStore,
};

use crate::{Result, seal};
use common::{Target, printable};

/// The bound of safetensors itself.
const MAX_METADATA: u64 = 100_000_000;

/// A checkpoint that somebody signed.
pub(crate) struct Checkpoint<'a> {
    store: &'a SealedStore,
    manifest: Manifest,
}

impl<'a> Checkpoint<'a> {
    pub(crate) async fn open(
        store: &'a SealedStore,
        name: &Path,
        signer: &TrustedKey,
    ) -> Result<Self> {
        let bundle = seal::find(store, name).await?;
        let bundle =
            bundle.ok_or_else(|| format!("{name}: there is no checkpoint of this name"))?;
        let at = |error| format!("{name}: {error}");
        let manifest = Bundle::from_bytes(bundle).map_err(at)?;
        let manifest = manifest.verify(std::slice::from_ref(signer)).map_err(at)?;
        let checkpoint = Self { store, manifest };
        // Every reader of the store can write, and may have put another checkpoint's bundle here.
        if Path::parse(checkpoint.data()?.name())?.prefix_matches(name) {
            return Ok(checkpoint);
        }
        Err(format!("{name}: the signature is another checkpoint's").into())
    }

    fn data(&self) -> Result<SignedFile<'_>> {
        Ok(self.manifest.files().next().ok_or("nothing is signed")?)
    }

    /// How many bytes the checkpoint has.
    pub(crate) fn len(&self) -> Result<u64> {
        Ok(self.data()?.len().ok_or("it is not signed by shards")?)
    }

    /// One request. Tensors can be larger than memory, so the bytes come shard by shard, each after it was verified.
    async fn read(
        &self,
        range: Range<u64>,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let data = self.data()?;
        let (Some(first), Some(last)) =
            (data.shards_of(&range)?.next(), data.shards_of(&range)?.last())
        else {
            return Ok(()); // stores refuse empty ranges
        };
        let fetched = first.range().start..last.range().end;
        let options = GetOptions { range: Some(fetched.into()), ..GetOptions::default() };
        let found = self.store.get_opts(&Path::parse(data.name())?, options).await?;
        let mut pieces = found.into_stream();
        let mut bytes = Vec::new();
        for shard in data.shards_of(&range)? {
            let Range { start, end } = shard.range();
            let length = usize::try_from(end - start)?;
            while bytes.len() < length
                && let Some(piece) = pieces.try_next().await?
            {
                bytes.extend_from_slice(&piece);
            }
            let now = &bytes[..length.min(bytes.len())];
            shard.verify(now).map_err(|error| format!("{}: {error}", data.name()))?;
            let wanted = range.start.max(start) - start..range.end.min(end) - start;
            each(&now[wanted.start as usize..wanted.end as usize])?;
            bytes.drain(..length);
        }
        Ok(())
    }

    /// Writes all of it to a file: all, or no file.
    pub(crate) async fn save(&self, path: &std::path::Path) -> Result<()> {
        let mut target = Target::new(path)?;
        self.read(0..self.len()?, |part| target.append(part)).await?;
        target.finish()
    }

    pub(crate) async fn tensors(&self) -> Result<Tensors<'_>> {
        let not_safetensors = "not a safetensors file";
        // The first shard has the length, and most often all of the JSON.
        let front = self.data()?.digest().shards().and_then(|mut shards| shards.next());
        let front = front.ok_or(not_safetensors)?.range();
        let mut bytes = Vec::new();
        self.read(front.clone(), |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })
        .await?;
        let length = u64::from_le_bytes(*bytes.first_chunk().ok_or(not_safetensors)?);
        if length == 0 || length > MAX_METADATA || 8 + length > self.len()? {
            return Err(not_safetensors.into());
        }
        let rest = front.end..front.end.max(8 + length); // often empty
        self.read(rest, |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })
        .await?;
        let json = &bytes[8..8 + usize::try_from(length)?];
        let metadata = serde_json::from_slice(json);
        let metadata: Metadata = metadata.map_err(|error| format!("{not_safetensors}: {error}"))?;
        if metadata.data_len() as u64 != self.len()? - 8 - length {
            return Err(format!("{not_safetensors}: its tensors do not fill it").into());
        }
        Ok(Tensors { checkpoint: self, metadata, start: 8 + length })
    }
}

/// The tensors of a checkpoint.
pub(crate) struct Tensors<'a> {
    checkpoint: &'a Checkpoint<'a>,
    metadata: Metadata,
    /// Where they start.
    start: u64,
}

impl Tensors<'_> {
    fn info(&self, name: &str) -> Result<&TensorInfo> {
        let info = self.metadata.info(name);
        Ok(info.ok_or_else(|| {
            format!("there is no tensor {name:?}; `read` without --tensor lists them")
        })?)
    }

    /// Reads a tensor, into a safetensors file of its own if there is one: all of it, or no file.
    pub(crate) async fn save(
        &self,
        name: &str,
        output: Option<&std::path::Path>,
        out: &mut impl Write,
    ) -> Result<()> {
        let info = self.info(name)?;
        let (start, end) = info.data_offsets;
        let range = self.start + start as u64..self.start + end as u64;
        match output {
            None => self.checkpoint.read(range, |_| Ok(())).await?,
            Some(path) => {
                let mut target = Target::new(path)?;
                target.append(&front(name, info)?)?;
                self.checkpoint.read(range, |part| target.append(part)).await?;
                target.finish()?;
            }
        }
        Ok(writeln!(out, "  {}", describe(name, info))?)
    }

    /// In the order of the file.
    pub(crate) fn list(&self, out: &mut impl Write) -> Result<()> {
        for name in self.metadata.offset_keys() {
            writeln!(out, "  {}", describe(&name, self.info(&name)?))?;
        }
        Ok(())
    }
}

fn describe(name: &str, info: &TensorInfo) -> String {
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
