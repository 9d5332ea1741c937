//! Key encapsulation on every provider compiled in.

use criterion::{Criterion, criterion_group, criterion_main};

#[path = "common/case.rs"]
mod case;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/kem.rs"]
mod kem;
#[path = "../tests/common/providers.rs"]
mod providers;

use providers::PROVIDERS;

fn all(c: &mut Criterion) {
    let cases: Vec<_> = PROVIDERS.into_iter().flat_map(kem::cases).collect();
    harness::run(c, &cases);
}

criterion_group!(benches, all);
criterion_main!(benches);
