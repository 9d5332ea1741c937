//! A model checkpoint to demonstrate with: layers of bfloat16 weights.

use std::{borrow::Cow, path::Path};

use safetensors::{Dtype, View};

use crate::Result;

/// Weights between -0.02 and 0.02, different in each layer, and made when they are written.
struct Layer(u32);

const SHAPE: [usize; 2] = [1536, 512];

/// Writes about this many MiB, one layer after the other.
pub(crate) fn write(path: &Path, mib: u32) -> Result<()> {
    let layers = mib * 2 / 3;
    let layers = (0..layers).map(|layer| (format!("layers.{layer}.qkv_proj.weight"), Layer(layer)));
    Ok(safetensors::serialize_to_file(layers, None, path)?)
}

impl View for Layer {
    fn dtype(&self) -> Dtype {
        Dtype::BF16
    }

    fn shape(&self) -> &[usize] {
        &SHAPE
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let first = self.0.wrapping_mul(0x0100_0193);
        let weight = |index: u32| {
            let fraction =
                index.wrapping_add(first).wrapping_mul(0x9e37_79b9) as f32 / u32::MAX as f32;
            let [high, low, ..] = ((fraction - 0.5) * 0.04).to_bits().to_be_bytes();
            [low, high] // bfloat16 is the upper half
        };
        (0..(self.data_len() / 2) as u32).flat_map(weight).collect()
    }

    fn data_len(&self) -> usize {
        2 * SHAPE.iter().product::<usize>()
    }
}
