//! Finds one tensor in a sealed safetensors file, which is an 8-byte length, JSON of that length,
//! and the tensors.

use std::{io::Write, ops::Range};

use safetensors::tensor::{Metadata, TensorInfo};
use twinseal::{DecapsulationKey, Plaintext};

use crate::{Result, open::SealedObject, place::Place};
use common::printable;

/// One chunk of the body: reading its first byte fetches all of it.
const FRONT: u64 = 16 * 1024;

/// The bound of safetensors itself.
const MAX_METADATA: u64 = 100_000_000;

pub(crate) struct Checkpoint<'a> {
    object: SealedObject<'a>,
    metadata: Metadata,
    /// Where the tensors start.
    data: u64,
}

impl<'a> Checkpoint<'a> {
    pub(crate) async fn open(
        place: &'a Place,
        keys: &[DecapsulationKey],
        context: &[u8],
    ) -> Result<Self> {
        Self::of(SealedObject::open(place, keys, context).await?).await
    }

    /// One or two more requests, for the metadata.
    pub(crate) async fn of(object: SealedObject<'a>) -> Result<Self> {
        let not_safetensors = "opened, but not a safetensors file";
        let front = object.read(0..object.len().min(FRONT)).await?;
        let (length, front) = front.split_first_chunk().ok_or(not_safetensors)?;
        let length = u64::from_le_bytes(*length);
        if length > MAX_METADATA || 8 + length > object.len() {
            return Err(not_safetensors.into());
        }
        let data = 8 + length;
        let length = usize::try_from(length)?;
        let metadata = match front.get(..length) {
            Some(all) => serde_json::from_slice(all),
            None => {
                let rest = object.read(8 + front.len() as u64..data).await?;
                serde_json::from_slice(&[front, &rest].concat())
            }
        };
        let metadata: Metadata = metadata.map_err(|error| format!("{not_safetensors}: {error}"))?;
        if data + metadata.data_len() as u64 != object.len() {
            return Err(format!("{not_safetensors}: its tensors do not fill it").into());
        }
        Ok(Self { object, metadata, data })
    }

    pub(crate) fn info(&self, name: &str) -> Result<&TensorInfo> {
        let info = self.metadata.info(name);
        Ok(info.ok_or_else(|| {
            format!("there is no tensor {name:?}; `read` without --tensor lists them")
        })?)
    }

    /// The names in the order of the file.
    pub(crate) fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    /// Length of header and body in the store.
    pub(crate) fn sealed_len(&self) -> u64 {
        self.object.sealed_len()
    }

    /// A part of a tensor; `range` counts from its first byte.
    pub(crate) async fn read(&self, info: &TensorInfo, range: Range<u64>) -> Result<Plaintext> {
        let start = self.data + info.data_offsets.0 as u64;
        self.object.read(start + range.start..start + range.end).await
    }

    pub(crate) fn list(&self, out: &mut impl Write) -> Result<()> {
        for name in self.names() {
            writeln!(out, "  {}", describe(&name, self.info(&name)?))?;
        }
        Ok(())
    }
}

pub(crate) fn describe(name: &str, info: &TensorInfo) -> String {
    let name = printable(name);
    format!("{name}  {:?} {:?}, {} bytes", info.dtype, info.shape, length(info))
}

pub(crate) fn length(info: &TensorInfo) -> u64 {
    (info.data_offsets.1 - info.data_offsets.0) as u64
}
