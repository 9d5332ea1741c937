//! Pictures for requests, and the digits that an answer recognises.

use std::io;

use rand::{SeedableRng, rngs::StdRng};

use crate::{
    Failure,
    batch::{FEATURES, PROBABILITIES, read_header, write_header},
};
use digits::{CLASSES, PIXELS, Perceptron, Sample};

/// A batch whose digits are known.
pub(crate) struct Batch {
    /// As safetensors.
    pub(crate) file: Vec<u8>,
    labels: Vec<usize>,
}

pub(crate) fn draw(rows: usize) -> Result<Batch, Failure> {
    let samples = digits::draw(&mut StdRng::seed_from_u64(2), rows, 0, 0.0);
    let mut file = Vec::new();
    write_header(&mut file, FEATURES, rows, PIXELS)?;
    for Sample { pixels, .. } in &samples {
        file.extend(pixels.iter().flat_map(|pixel| pixel.to_le_bytes()));
    }
    Ok(Batch { file, labels: samples.iter().map(|sample| sample.label).collect() })
}

impl Batch {
    /// How many digits the answer recognises.
    pub(crate) fn recognised(&self, answer: &[u8]) -> Result<usize, Failure> {
        let found = likeliest(answer)?;
        if found.len() != self.labels.len() {
            return Err("the answer has another number of pictures than the request".into());
        }
        Ok(found.iter().zip(&self.labels).filter(|(found, label)| found == label).count())
    }
}

/// The likeliest digit of each picture.
pub(crate) fn likeliest(mut answer: &[u8]) -> Result<Vec<usize>, Failure> {
    let rows = read_header(&mut answer, PROBABILITIES, CLASSES)?;
    let rows_found = answer.chunks_exact(4 * CLASSES);
    if rows_found.len() != rows || !rows_found.remainder().is_empty() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let likeliest = |row: &[u8]| {
        let values = row.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        values.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(digit, _)| digit)
    };
    Ok(rows_found.map(likeliest).collect())
}

/// A small model that recognises them, for a service without `--model`.
pub(crate) fn trained() -> Perceptron {
    let mut rng = StdRng::seed_from_u64(1);
    let mut model = Perceptron::new(&mut rng, 64);
    for _ in 0..400 {
        let (gradient, _) = model.gradient(&digits::draw(&mut rng, 64, 0, 0.0));
        model.descend(&gradient, 0.5);
    }
    model
}
