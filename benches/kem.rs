//! Key encapsulation on every provider compiled in, and decapsulation with keys whose halves are apart.

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
#[path = "common/split.rs"]
mod split;

use providers::PROVIDERS;

fn main() {
    let primitives = PROVIDERS.into_iter().flat_map(kem::cases);
    let cases: Vec<_> =
        primitives.chain(PROVIDERS.into_iter().flat_map(split::decapsulation)).collect();
    harness::main(&cases);
}
