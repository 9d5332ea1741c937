//! The training data and the model of the examples. The data is pictures of digits, shifted, dimmed
//! and noisy.

mod perceptron;

use rand::{Rng, RngExt};

pub use perceptron::{Perceptron, add_scaled, from_safetensors, norm, to_safetensors};

/// A picture is 8 by 8 pixels.
pub const PIXELS: usize = 64;

/// The digits 0 to 9.
pub const CLASSES: usize = 10;

/// A picture and the digit that it shows.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Brightness, row by row.
    pub pixels: [f32; PIXELS],
    /// The digit.
    pub label: usize,
}

/// Five by seven pixels each, a row to a byte, the left pixel in bit 4.
const GLYPHS: [[u8; 7]; CLASSES] = [
    [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
    [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
    [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
    [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
    [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
    [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
    [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
    [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
];

/// Draws `count` pictures. The fraction `favoured` of them shows one of three consecutive digits,
/// of which `first` is the first. The others show any digit. So each worker of a federation has
/// another mixture.
pub fn draw(rng: &mut impl Rng, count: usize, first: usize, favoured: f64) -> Vec<Sample> {
    let mut sample = || {
        let label = match rng.random_bool(favoured) {
            true => (first + rng.random_range(0..3)) % CLASSES,
            false => rng.random_range(0..CLASSES),
        };
        Sample { pixels: picture(rng, label), label }
    };
    (0..count).map(|_| sample()).collect()
}

fn picture(rng: &mut impl Rng, label: usize) -> [f32; PIXELS] {
    let (right, down) = (rng.random_range(0..=3), rng.random_range(0..=1));
    let ink: f32 = rng.random_range(0.5..1.0);
    let glyph = GLYPHS.get(label).copied().unwrap_or_default();
    let mut pixels = [0.0; PIXELS];
    for (row, line) in pixels.chunks_exact_mut(8).enumerate() {
        let bits = row.checked_sub(down).and_then(|row| glyph.get(row)).copied().unwrap_or(0);
        for (column, pixel) in line.iter_mut().enumerate() {
            let is_ink =
                column >= right && column < right + 5 && bits >> (4 + right - column) & 1 == 1;
            let noise: f32 = rng.random_range(-0.3..0.3);
            *pixel = if is_ink { ink + noise } else { noise };
        }
    }
    pixels
}
