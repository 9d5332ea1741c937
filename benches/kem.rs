//! Key encapsulation: every primitive and every hybrid on every provider compiled in, and beside each
//! hybrid the bare sum of its halves.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use twinseal::{
    KemSuite,
    provider::{Kem, KemKeyPair, Provider},
};

#[path = "../tests/common/providers.rs"]
mod providers;

use providers::PROVIDERS;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// A KEM with a key pair, and buffers for what it makes.
struct Case {
    seed: Vec<u8>,
    pair: KemKeyPair,
    ciphertext: Vec<u8>,
    secret: Vec<u8>,
}

impl Case {
    fn new(kem: &dyn Kem) -> Self {
        let lengths = kem.lengths();
        let seed = vec![7; lengths.seed];
        let pair = kem.key_pair(&seed).unwrap();
        let (mut ciphertext, mut secret) =
            (vec![0; lengths.ciphertext], vec![0; lengths.shared_secret]);
        pair.encapsulator.encapsulate(&mut ciphertext, &mut secret).unwrap();
        Self { seed, pair, ciphertext, secret }
    }

    fn encapsulate(&mut self) {
        self.pair.encapsulator.encapsulate(&mut self.ciphertext, &mut self.secret).unwrap();
        black_box(&self.secret);
    }

    fn decapsulate(&mut self) {
        self.pair.decapsulator.decapsulate(&self.ciphertext, &mut self.secret).unwrap();
        black_box(&self.secret);
    }
}

/// One operation of every KEM of a provider.
fn each(
    group: &mut Group<'_>,
    provider: &'static Provider,
    operation: impl Fn(&dyn Kem, &mut Case),
) {
    let Provider { name, x25519, p384, ml_kem_1024, .. } = *provider;
    let mut alone = |id: &str, kem: &dyn Kem| {
        let mut case = Case::new(kem);
        group.bench_function(BenchmarkId::new(id, name), |b| b.iter(|| operation(kem, &mut case)));
    };
    alone("X25519", x25519);
    alone("ECDH P-384", p384);
    alone("ML-KEM-1024", ml_kem_1024);
    for suite in KemSuite::ALL {
        alone(suite.name(), &suite.kem(provider));
    }
    for (suite, other) in KemSuite::ALL.into_iter().zip([x25519, p384]) {
        let (mut first, mut second) = (Case::new(ml_kem_1024), Case::new(other));
        let id = format!("halves of {suite}");
        group.bench_function(BenchmarkId::new(id, name), |b| {
            b.iter(|| {
                operation(ml_kem_1024, &mut first);
                operation(other, &mut second);
            });
        });
    }
}

fn kem(c: &mut Criterion) {
    let mut group = c.benchmark_group("kem/key pair");
    for provider in PROVIDERS.iter().copied() {
        each(&mut group, provider, |kem, case| {
            black_box(kem.key_pair(&case.seed).unwrap());
        });
    }
    group.finish();
    let mut group = c.benchmark_group("kem/encapsulate");
    for provider in PROVIDERS.iter().copied() {
        each(&mut group, provider, |_, case| case.encapsulate());
    }
    group.finish();
    let mut group = c.benchmark_group("kem/decapsulate");
    for provider in PROVIDERS.iter().copied() {
        each(&mut group, provider, |_, case| case.decapsulate());
    }
    group.finish();
}

criterion_group!(benches, kem);
criterion_main!(benches);
