//! Signatures, and RSA encryption, on every provider compiled in.

#[path = "common/case.rs"]
mod case;
#[path = "common/classical.rs"]
mod classical;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/libtest.rs"]
mod libtest;
#[path = "common/mode.rs"]
mod mode;
#[path = "../tests/common/providers.rs"]
mod providers;
#[path = "common/sign.rs"]
mod sign;

use providers::PROVIDERS;

fn main() {
    let cases: Vec<_> = PROVIDERS.into_iter().flat_map(sign::cases).collect();
    harness::main(&cases);
}
