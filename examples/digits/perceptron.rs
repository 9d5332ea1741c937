//! The model of the examples: a perceptron with one hidden layer, its gradient, and the encoding of
//! both as safetensors.

use std::{collections::HashMap, error::Error};

use rand::{Rng, RngExt};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{CLASSES, PIXELS, Sample};

/// All parameters in one vector, in the order of [`shapes`]. A gradient has the same form, so that
/// averaging and descending are one loop each.
#[derive(Debug, Clone)]
pub struct Perceptron {
    hidden: usize,
    parameters: Vec<f32>,
}

/// The tensors, by name and shape, for so many hidden units.
fn shapes(hidden: usize) -> [(&'static str, Vec<usize>); 4] {
    [
        ("hidden.weight", vec![hidden, PIXELS]),
        ("hidden.bias", vec![hidden]),
        ("output.weight", vec![CLASSES, hidden]),
        ("output.bias", vec![CLASSES]),
    ]
}

/// The four tensors' parts of one vector.
struct Layers<'a> {
    hidden_weight: &'a [f32],
    hidden_bias: &'a [f32],
    output_weight: &'a [f32],
    output_bias: &'a [f32],
}

impl Perceptron {
    /// Small random weights.
    pub fn new(rng: &mut impl Rng, hidden: usize) -> Self {
        let spread = |inputs: usize| (1.0 / inputs as f32).sqrt();
        let mut parameters = Vec::with_capacity(Self::len(hidden));
        let mut fill = |count: usize, spread: f32| {
            parameters.extend((0..count).map(|_| spread * rng.random_range(-1.0..1.0_f32)));
        };
        fill(hidden * PIXELS, spread(PIXELS));
        fill(hidden, 0.0);
        fill(CLASSES * hidden, spread(hidden));
        fill(CLASSES, 0.0);
        Self { hidden, parameters }
    }

    /// The number of parameters with this many hidden units.
    pub fn len(hidden: usize) -> usize {
        hidden * PIXELS + hidden + CLASSES * hidden + CLASSES
    }

    /// The number of hidden units.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// All parameters in one vector.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    fn layers(&self) -> Layers<'_> {
        let (hidden_weight, rest) = self.parameters.split_at(self.hidden * PIXELS);
        let (hidden_bias, rest) = rest.split_at(self.hidden);
        let (output_weight, output_bias) = rest.split_at(CLASSES * self.hidden);
        Layers { hidden_weight, hidden_bias, output_weight, output_bias }
    }

    /// The probability of each digit. `units` is a buffer to reuse from picture to picture.
    pub fn predict(&self, pixels: &[f32], units: &mut Vec<f32>) -> [f32; CLASSES] {
        let Layers { hidden_weight, hidden_bias, output_weight, output_bias } = self.layers();
        units.clear();
        let rows = hidden_weight.chunks_exact(PIXELS).zip(hidden_bias);
        units.extend(rows.map(|(row, bias)| (dot(row, pixels) + bias).max(0.0)));

        let mut scores = [0.0; CLASSES];
        let rows = output_weight.chunks_exact(self.hidden).zip(output_bias);
        for (score, (row, bias)) in scores.iter_mut().zip(rows) {
            *score = dot(row, units) + bias;
        }
        softmax(scores)
    }

    /// The gradient of the mean loss over some pictures, and that loss (cross entropy).
    pub fn gradient(&self, samples: &[Sample]) -> (Vec<f32>, f32) {
        let mut gradient = vec![0.0; self.parameters.len()];
        let (hidden_weight, rest) = gradient.split_at_mut(self.hidden * PIXELS);
        let (hidden_bias, rest) = rest.split_at_mut(self.hidden);
        let (output_weight, output_bias) = rest.split_at_mut(CLASSES * self.hidden);

        let scale = 1.0 / samples.len().max(1) as f32;
        let (mut loss, mut units) = (0.0, Vec::new());
        let mut blame = vec![0.0; self.hidden];
        for Sample { pixels, label } in samples {
            let mut errors = self.predict(pixels, &mut units);
            if let Some(right) = errors.get_mut(*label) {
                loss -= right.max(f32::MIN_POSITIVE).ln() * scale;
                *right -= 1.0;
            }
            blame.fill(0.0);
            let rows = output_weight.chunks_exact_mut(self.hidden).zip(output_bias.iter_mut());
            let known = self.layers().output_weight.chunks_exact(self.hidden);
            for (error, ((row, bias), known)) in errors.iter().zip(rows.zip(known)) {
                let error = error * scale;
                add_scaled(row, &units, error);
                add_scaled(&mut blame, known, error);
                *bias += error;
            }
            let rows = hidden_weight.chunks_exact_mut(PIXELS).zip(hidden_bias.iter_mut());
            for ((unit, blame), (row, bias)) in units.iter().zip(&blame).zip(rows) {
                if *unit > 0.0 {
                    add_scaled(row, pixels, *blame);
                    *bias += blame;
                }
            }
        }
        (gradient, loss)
    }

    /// One step down the gradient.
    pub fn descend(&mut self, gradient: &[f32], rate: f32) {
        add_scaled(&mut self.parameters, gradient, -rate);
    }

    /// Whether all parameters are finite: one that is not spoils every prediction.
    pub fn is_finite(&self) -> bool {
        self.parameters.iter().all(|parameter| parameter.is_finite())
    }

    /// The mean loss, and the fraction of pictures that are recognised.
    pub fn evaluate(&self, samples: &[Sample]) -> (f32, f32) {
        let (mut loss, mut right, mut units) = (0.0, 0, Vec::new());
        for Sample { pixels, label } in samples {
            let likely = self.predict(pixels, &mut units);
            let of_label = likely.get(*label).copied().unwrap_or(0.0);
            loss -= of_label.max(f32::MIN_POSITIVE).ln();
            right += usize::from(likely.iter().all(|other| *other <= of_label));
        }
        let count = samples.len().max(1) as f32;
        (loss / count, right as f32 / count)
    }

    /// The model as a safetensors file.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        to_safetensors(self.hidden, &self.parameters, HashMap::new())
    }

    /// Reads a model. The shapes of the tensors contain the number of hidden units.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let (hidden, parameters) = from_safetensors(&SafeTensors::deserialize(bytes)?)?;
        Ok(Self { hidden, parameters })
    }
}

/// Encodes a model or a gradient, with metadata about it.
pub fn to_safetensors(
    hidden: usize,
    values: &[f32],
    about: HashMap<String, String>,
) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut rest = bytes.as_slice();
    let mut tensors = Vec::new();
    for (name, shape) in shapes(hidden) {
        let length = 4 * shape.iter().product::<usize>();
        let (data, later) = rest.split_at_checked(length).ok_or("too few values for the model")?;
        rest = later;
        tensors.push((name, TensorView::new(Dtype::F32, shape, data)?));
    }
    Ok(safetensors::serialize(tensors, Some(about))?)
}

/// Decodes a model or a gradient: the number of hidden units, and the values. The bytes are not
/// trusted: everything is checked.
pub fn from_safetensors(
    tensors: &SafeTensors<'_>,
) -> Result<(usize, Vec<f32>), Box<dyn Error + Send + Sync>> {
    let bias = tensors.tensor("hidden.bias")?;
    let hidden = match *bias.shape() {
        [hidden] if hidden > 0 => hidden,
        ref shape => return Err(format!("hidden.bias has the shape {shape:?}").into()),
    };
    let mut values = Vec::new();
    for (name, shape) in shapes(hidden) {
        let tensor = tensors.tensor(name)?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
            let found = (tensor.dtype(), tensor.shape());
            return Err(format!("{name} must be F32 of {shape:?}, not {found:?}").into());
        }
        values.extend(tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    }
    // One NaN would spread to every average that includes it.
    if !values.iter().all(|value| value.is_finite()) {
        return Err("a value is not a finite number".into());
    }
    Ok((hidden, values))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight independent sums: the compiler itself must not reorder float additions.
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// The Euclidean length of a vector, in f64: no sum of squares of f32 overflows.
pub fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt()
}

/// `to += factor * values`.
pub fn add_scaled(to: &mut [f32], values: &[f32], factor: f32) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += factor * value;
    }
}

fn softmax(scores: [f32; CLASSES]) -> [f32; CLASSES] {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = scores.map(|score| (score - highest).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}
