//! Signatures, and RSA encryption, on every provider compiled in.

use criterion::{Criterion, criterion_group, criterion_main};

#[path = "common/case.rs"]
mod case;
#[path = "common/classical.rs"]
mod classical;
#[path = "common/harness.rs"]
mod harness;
#[path = "../tests/common/providers.rs"]
mod providers;
#[path = "common/sign.rs"]
mod sign;

use providers::PROVIDERS;

fn all(c: &mut Criterion) {
    let cases: Vec<_> = PROVIDERS.into_iter().flat_map(sign::cases).collect();
    harness::run(c, &cases);
}

criterion_group!(benches, all);
criterion_main!(benches);
