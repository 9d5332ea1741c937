//! Predictions for a batch of pictures, row by row: both files are safetensors, and neither is ever in
//! memory as a whole.

use std::io::{self, Read, Write};

use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};

use digits::{CLASSES, PIXELS, Perceptron};

/// The tensor of a request: F32, a row of pixels for each picture.
pub(crate) const FEATURES: &str = "features";

/// The tensor of the answer: F32, a row with the probability of each digit for each picture.
pub(crate) const PROBABILITIES: &str = "probabilities";

/// A header with one tensor and some metadata is far below this.
const MAX_HEADER: u64 = 64 * 1024;

/// Predicts until the end of `batch`, and returns the number of rows. Do not use `predictions`
/// before it has returned: only the end of a sealed batch shows that nothing was truncated.
pub(crate) fn predict(
    model: &Perceptron,
    batch: &mut impl Read,
    predictions: &mut impl Write,
) -> io::Result<usize> {
    let rows = read_header(batch, FEATURES, PIXELS)?;
    write_header(predictions, PROBABILITIES, rows, CLASSES)?;

    let mut row = [0; 4 * PIXELS];
    let mut pixels = [0.0; PIXELS];
    let mut units = Vec::new();
    for number in 0..rows {
        batch.read_exact(&mut row).map_err(or_shorter)?;
        for (pixel, bytes) in pixels.iter_mut().zip(row.as_chunks().0) {
            *pixel = f32::from_le_bytes(*bytes);
        }
        if !pixels.iter().all(|pixel| pixel.is_finite()) {
            return Err(invalid(format!("row {number} has a value that is not finite")));
        }
        for likely in model.predict(&pixels, &mut units) {
            predictions.write_all(&likely.to_le_bytes())?;
        }
    }
    if batch.read(&mut [0])? != 0 {
        return Err(invalid("there are bytes after the last row".into()));
    }
    Ok(rows)
}

/// Reads the header of a file with exactly one tensor, F32 of some rows of `columns`.
pub(crate) fn read_header(
    file: &mut impl Read,
    name: &'static str,
    columns: usize,
) -> io::Result<usize> {
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(or_shorter)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Err(invalid(format!("a safetensors header of {length} bytes")));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header)?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|_| invalid("it does not start with a safetensors header".into()))?;
    let only = metadata.tensors().len() == 1;
    let info = metadata.info(name).filter(|info| only && info.dtype == Dtype::F32);
    match info.map(|info| info.shape.as_slice()) {
        Some([rows, found]) if *found == columns => Ok(*rows),
        _ => Err(invalid(format!("it must hold one tensor, {name:?}, F32 of [rows, {columns}]"))),
    }
}

/// Writes the header of such a file.
pub(crate) fn write_header(
    file: &mut impl Write,
    name: &str,
    rows: usize,
    columns: usize,
) -> io::Result<()> {
    let length = rows.checked_mul(4 * columns).ok_or_else(|| invalid("too many rows".into()))?;
    let info =
        TensorInfo { dtype: Dtype::F32, shape: vec![rows, columns], data_offsets: (0, length) };
    let metadata = Metadata::new(None, vec![(name.to_owned(), info)]).map_err(io::Error::other)?;
    let mut header = serde_json::to_vec(&metadata)?;
    header.resize(header.len().next_multiple_of(8), b' '); // so that the tensor is aligned
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)
}

/// An error in the file itself, not in its seal or of a disk.
pub(crate) fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

fn or_shorter(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => invalid("it ends before its last row".into()),
        _ => error,
    }
}
