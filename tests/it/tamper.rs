//! Does everything that was cut, changed, extended or rearranged fail, with the right error?
//!
//! The normal run takes every bit of short fields and a fixed sample of long ones;
//! `cargo test --features hazmat --test it tamper:: -- --ignored` takes every bit and every length.

mod body;
mod files;
mod fixture;
mod header;
mod recipients;
mod signature;
mod values;

use std::ops::Range;

/// How much of a long field is tried.
#[derive(Clone, Copy, PartialEq)]
enum Extent {
    Sample,
    Everything,
}

/// Every bit of fields up to 48 bytes. Of longer ones all bits of the first and the last byte, and
/// of a few between.
fn bits(field: &Range<usize>, extent: Extent) -> Vec<(usize, u8)> {
    let stride = field.len() / 24 + 1;
    field
        .clone()
        .flat_map(|position| (0..8).map(move |bit| (position, bit)))
        .filter(|&(position, bit)| {
            let offset = position - field.start;
            extent == Extent::Everything
                || field.len() <= 48
                || offset == 0
                || position == field.end - 1
                || (offset.is_multiple_of(stride) && offset / stride % 8 == usize::from(bit))
        })
        .collect()
}
