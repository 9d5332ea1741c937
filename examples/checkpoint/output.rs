//! Reads one tensor, and writes it to a file of its own: all of it, or no file.

use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
};

use safetensors::tensor::{Metadata, TensorInfo};

use crate::{
    Result, at, progress,
    tensors::{Checkpoint, describe, length},
};

/// How much is fetched at once: tensors can be larger than memory.
const PIECE: u64 = 8 << 20;

pub(crate) async fn read(
    checkpoint: &Checkpoint<'_>,
    name: &str,
    output: Option<&Path>,
    out: &mut impl Write,
) -> Result<()> {
    let info = checkpoint.info(name)?;
    match output {
        None => copy(checkpoint, info, std::io::sink()).await?,
        Some(path) => {
            // The file is replaced, not written to. A link such as /dev/stdout would be replaced,
            // too.
            if fs::symlink_metadata(path).is_ok_and(|known| !known.is_file()) {
                return Err(format!("{}: not a regular file", path.display()).into());
            }
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
            // It gets its name when all of it is written.
            let file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))
                .map_err(|error| at(path, &error))?;
            let mut writer = BufWriter::new(&file);
            writer.write_all(&front(name, info)?)?;
            copy(checkpoint, info, &mut writer).await?;
            writer.flush()?;
            drop(writer);
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| at(path, &error.error))?;
        }
    }
    Ok(writeln!(out, "  {}", describe(name, info))?)
}

async fn copy(checkpoint: &Checkpoint<'_>, info: &TensorInfo, mut to: impl Write) -> Result<()> {
    let length = length(info);
    let bar = progress::bar("read", length);
    for start in (0..length).step_by(PIECE as usize) {
        let piece = checkpoint.read(info, start..length.min(start + PIECE)).await?;
        to.write_all(&piece)?;
        bar.inc(piece.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
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
