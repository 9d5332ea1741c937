//! Sealed messages on every provider compiled in.

use criterion::{Criterion, criterion_group, criterion_main};

#[path = "common/case.rs"]
mod case;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/mode.rs"]
mod mode;
#[path = "../tests/common/providers.rs"]
mod providers;
#[path = "common/seal.rs"]
mod seal;

use providers::PROVIDERS;

fn all(c: &mut Criterion) {
    let sealed = PROVIDERS.into_iter().flat_map(seal::cases);
    let cases: Vec<_> = seal::copies().chain(sealed).collect();
    harness::run(c, &cases);
}

criterion_group!(benches, all);
criterion_main!(benches);
