//! Batches of pictures, and of probabilities: safetensors files with one tensor, read row by row while
//! they arrive.

use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};

use digits::PIXELS;

/// The tensor of a request: F32, a row of pixels for each picture.
pub(crate) const FEATURES: &str = "features";

/// The tensor of an answer: F32, a row with the probability of each digit for each picture.
pub(crate) const PROBABILITIES: &str = "probabilities";

/// A header with one tensor and some metadata is far below this.
const MAX_HEADER: usize = 64 * 1024;

/// The pictures of a batch that arrives in pieces. In memory is never more than a row, or the header.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    /// What has arrived and is not a whole row.
    rest: Vec<u8>,
    /// As many as the header says.
    rows: Option<usize>,
    seen: usize,
}

impl Pictures {
    /// Takes the next bytes, and calls `each` for each picture that is complete.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&[f32; PIXELS]),
    ) -> Result<(), String> {
        self.rest.extend_from_slice(bytes);
        let (rows, start) = match self.rows {
            Some(rows) => (rows, 0),
            None => match header(&self.rest, FEATURES, PIXELS)? {
                Some(header) => header,
                None => return Ok(()),
            },
        };
        self.rows = Some(rows);
        let (pictures, rest) = self.rest[start..].as_chunks::<{ 4 * PIXELS }>();
        let mut pixels = [0.0; PIXELS];
        for picture in pictures {
            if self.seen == rows {
                return Err("there are bytes after the last row".into());
            }
            for (pixel, bytes) in pixels.iter_mut().zip(picture.as_chunks().0) {
                *pixel = f32::from_le_bytes(*bytes);
            }
            if !pixels.iter().all(|pixel| pixel.is_finite()) {
                return Err(format!("row {} has a value that is not finite", self.seen));
            }
            each(&pixels);
            self.seen += 1;
        }
        self.rest = rest.to_vec();
        Ok(())
    }

    /// The number of pictures, if all have come and nothing else.
    pub(crate) fn finish(self) -> Result<usize, String> {
        match self.rows {
            Some(rows) if rows == self.seen && self.rest.is_empty() => Ok(rows),
            Some(rows) if rows == self.seen => Err("there are bytes after the last row".into()),
            _ => Err("it ends before its last row".into()),
        }
    }
}

/// The rows of a file with exactly one tensor, F32 of some rows of `columns`, and the length of its
/// header; `None` if that is not complete.
pub(crate) fn header(
    file: &[u8],
    name: &'static str,
    columns: usize,
) -> Result<Option<(usize, usize)>, String> {
    let Some((length, rest)) = file.split_first_chunk() else { return Ok(None) };
    let length = u64::from_le_bytes(*length);
    let short = usize::try_from(length).ok().filter(|length| *length <= MAX_HEADER);
    let length = short.ok_or_else(|| format!("a safetensors header of {length} bytes"))?;
    let Some(header) = rest.get(..length) else { return Ok(None) };
    let metadata: Metadata = serde_json::from_slice(header)
        .map_err(|_| "it does not start with a safetensors header")?;
    let only = metadata.tensors().len() == 1;
    let info = metadata.info(name).filter(|info| only && info.dtype == Dtype::F32);
    match info.map(|info| info.shape.as_slice()) {
        Some([rows, found]) if *found == columns => Ok(Some((*rows, 8 + length))),
        _ => Err(format!("it must hold one tensor, {name:?}, F32 of [rows, {columns}]")),
    }
}

/// A file with one tensor, of rows of `columns` values.
pub(crate) fn file(name: &str, columns: usize, values: &[f32]) -> Vec<u8> {
    let (shape, length) = (vec![values.len() / columns, columns], 4 * values.len());
    let info = TensorInfo { dtype: Dtype::F32, shape, data_offsets: (0, length) };
    let metadata = Metadata::new(None, vec![(name.to_owned(), info)])
        .expect("one tensor that begins at 0 has valid offsets");
    let mut header = serde_json::to_vec(&metadata).expect("a map with texts as keys is JSON");
    header.resize(header.len().next_multiple_of(8), b' '); // so that the tensor is aligned
    let mut file = [&(header.len() as u64).to_le_bytes()[..], &header].concat();
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    file
}
