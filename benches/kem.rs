//! Key encapsulation on every provider compiled in.

#[path = "common/case.rs"]
mod case;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/kem.rs"]
mod kem;
#[path = "common/libtest.rs"]
mod libtest;
#[path = "common/mode.rs"]
mod mode;
#[path = "../tests/common/providers.rs"]
mod providers;

use providers::PROVIDERS;

fn main() {
    let cases: Vec<_> = PROVIDERS.into_iter().flat_map(kem::cases).collect();
    harness::main(&cases);
}
