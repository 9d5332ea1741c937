//! Sealed messages on every provider compiled in.

#[path = "common/case.rs"]
mod case;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/libtest.rs"]
mod libtest;
#[path = "common/mode.rs"]
mod mode;
#[path = "../tests/common/providers.rs"]
mod providers;
#[path = "common/seal.rs"]
mod seal;

use providers::PROVIDERS;

fn main() {
    let sealed = PROVIDERS.into_iter().flat_map(seal::cases);
    let cases: Vec<_> = seal::copies().chain(sealed).collect();
    harness::main(&cases);
}
