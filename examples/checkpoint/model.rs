//! A model checkpoint to demonstrate with: a small language model in bfloat16.

use std::{borrow::Cow, path::Path};

use safetensors::{Dtype, View};

use crate::Result;

/// Writes about this many MiB, one tensor after the other.
pub(crate) fn write(path: &Path, mib: u32) -> Result<()> {
    let mut shapes = vec![("model.embed_tokens.weight".to_owned(), vec![4096, 512])];
    let wanted = mib as usize * (1 << 20);
    let mut layer = 0;
    while shapes.iter().map(|(_, shape)| size(shape)).sum::<usize>() < wanted {
        for (name, shape) in [
            ("input_layernorm", vec![512]),
            ("self_attn.qkv_proj", vec![1536, 512]),
            ("self_attn.o_proj", vec![512, 512]),
            ("mlp.up_proj", vec![1408, 512]),
            ("mlp.down_proj", vec![512, 1408]),
        ] {
            shapes.push((format!("model.layers.{layer}.{name}.weight"), shape));
        }
        layer += 1;
    }
    let tensors = shapes.into_iter().enumerate();
    let tensors = tensors.map(|(seed, (name, shape))| (name, Weights { seed, shape }));
    Ok(safetensors::serialize_to_file(tensors, None, path)?)
}

/// Weights between -0.02 and 0.02, different in each tensor, and made when they are written.
struct Weights {
    seed: usize,
    shape: Vec<usize>,
}

impl View for Weights {
    fn dtype(&self) -> Dtype {
        Dtype::BF16
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let first = (self.seed as u32).wrapping_mul(0x0100_0193);
        let count = self.shape.iter().product::<usize>() as u32;
        let weight = |index: u32| {
            let fraction = index.wrapping_mul(0x9e37_79b9) as f32 / u32::MAX as f32;
            ((fraction - 0.5) * 0.04).to_bits().to_be_bytes() // bfloat16 is the upper half
        };
        let weights = (0..count).map(|index| weight(index.wrapping_add(first)));
        weights.flat_map(|[high, low, ..]| [low, high]).collect()
    }

    fn data_len(&self) -> usize {
        size(&self.shape)
    }
}

fn size(shape: &[usize]) -> usize {
    2 * shape.iter().product::<usize>()
}
