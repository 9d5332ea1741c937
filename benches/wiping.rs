//! The cost of wiping a buffer: `SecretBuffer` beside `memset`, and beside `zeroize` on a vector.

use std::hint::black_box;

use twinseal::secret::SecretBuffer;
use zeroize::Zeroize;

#[path = "common/case.rs"]
mod case;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/libtest.rs"]
mod libtest;
#[path = "common/mode.rs"]
mod mode;

use case::Case;

const LENGTHS: [(&str, usize); 4] =
    [("1 KiB", 1 << 10), ("128 KiB", 1 << 17), ("1 MiB", 1 << 20), ("16 MiB", 16 << 20)];

/// One length, wiped again and again in the same place.
fn cases((length_name, length): (&str, usize)) -> [Case; 3] {
    let group = format!("wipe/{length_name}");
    let mut cases = [
        Case::new(&*group, "memset", "none", move || {
            let mut bytes = vec![7_u8; length];
            move || {
                bytes.fill(0);
                black_box(&mut bytes);
            }
        }),
        Case::new(&*group, "SecretBuffer", "none", move || {
            let mut bytes = SecretBuffer::zeroed(length);
            move || bytes.wipe()
        }),
        Case::new(&*group, "zeroize", "none", move || {
            let mut bytes = vec![7_u8; length];
            move || bytes.as_mut_slice().zeroize()
        }),
    ];
    cases.iter_mut().for_each(|case| case.bytes = Some(length as u64));
    cases
}

fn main() {
    let cases: Vec<_> = LENGTHS.into_iter().flat_map(cases).collect();
    harness::main(&cases);
}
