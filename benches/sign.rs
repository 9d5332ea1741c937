//! Signatures, and RSA encryption, on every provider compiled in, and signing with keys whose halves are apart.

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
#[path = "common/split_sign.rs"]
mod split_sign;

use providers::PROVIDERS;

fn main() {
    let schemes = PROVIDERS.into_iter().flat_map(sign::cases);
    let cases: Vec<_> = schemes.chain(PROVIDERS.into_iter().flat_map(split_sign::cases)).collect();
    harness::main(&cases);
}
