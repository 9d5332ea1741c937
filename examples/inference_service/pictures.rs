//! Pictures for requests, and the digits that an answer recognises.

use rand::{SeedableRng, rngs::StdRng};

use crate::{
    Failure,
    batch::{FEATURES, PROBABILITIES, file, header},
};
use digits::{CLASSES, PIXELS, Perceptron, Sample};

/// A batch whose digits are known.
pub(crate) struct Batch {
    /// As safetensors.
    pub(crate) file: Vec<u8>,
    labels: Vec<usize>,
}

pub(crate) fn draw(rows: usize) -> Batch {
    let samples = digits::draw(&mut StdRng::seed_from_u64(2), rows, 0, 0.0);
    let pixels: Vec<f32> = samples.iter().flat_map(|Sample { pixels, .. }| *pixels).collect();
    let labels = samples.iter().map(|sample| sample.label).collect();
    Batch { file: file(FEATURES, PIXELS, &pixels), labels }
}

impl Batch {
    /// How many digits the result recognises.
    pub(crate) fn recognised(&self, result: &[u8]) -> Result<usize, Failure> {
        let found = recognise(result)?;
        if found.len() != self.labels.len() {
            return Err("the answer has another number of pictures than the request".into());
        }
        Ok(found.iter().zip(&self.labels).filter(|(found, label)| found == label).count())
    }
}

/// The likeliest digit of each picture.
pub(crate) fn recognise(result: &[u8]) -> Result<Vec<usize>, Failure> {
    let header = header(result, PROBABILITIES, CLASSES)?;
    let (rows, start) = header.ok_or("the answer has no safetensors header")?;
    let (values, rest) = result[start..].as_chunks::<{ 4 * CLASSES }>();
    if (values.len(), rest.len()) != (rows, 0) {
        return Err("the answer has another length than its header says".into());
    }
    let value = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
    let digit = |row: &[u8; 4 * CLASSES]| likeliest(row.as_chunks().0.iter().map(value)).0;
    Ok(values.iter().map(digit).collect())
}

/// The likeliest digit, and its probability.
pub(crate) fn likeliest(probabilities: impl IntoIterator<Item = f32>) -> (usize, f32) {
    let digits = probabilities.into_iter().enumerate();
    digits.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or_default()
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
