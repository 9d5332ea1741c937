//! Keys whose halves are in different places.

mod asked;
mod decapsulation_key;
mod half_key;
mod signing_key;

pub use crate::half::{Half, Halves};
pub use decapsulation_key::SplitDecapsulationKey;
pub use half_key::HalfKey;
pub use signing_key::SplitSigningKey;
