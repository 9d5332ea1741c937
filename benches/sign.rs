//! Signatures: every primitive and the composite on every provider compiled in, and beside the
//! composite the bare sum of its halves over the same message representative.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use twinseal::{
    SignatureSuite,
    provider::{Provider, Random, SchemeSigner, SignatureKeyPair, SignatureScheme},
};

#[path = "../tests/common/providers.rs"]
mod providers;

use providers::PROVIDERS;

/// As long as a composite's message representative with a short context.
const MESSAGE: [u8; 160] = [7; 160];
const CONTEXT: &[u8] = b"example.com/bench";

/// A scheme with a key pair and a signature.
struct Case {
    context: &'static [u8],
    secret: Vec<u8>,
    pair: SignatureKeyPair,
    signature: Vec<u8>,
}

impl Case {
    fn new(scheme: &dyn SignatureScheme, context: &'static [u8]) -> Self {
        let secret = scheme.generate(&mut Random::System).unwrap().to_vec();
        let pair = scheme.key_pair(&secret).unwrap();
        let signature = pair.signer.sign(context, &MESSAGE).unwrap();
        Self { context, secret, pair, signature }
    }

    fn sign(&self) {
        let signer: &dyn SchemeSigner = &*self.pair.signer;
        black_box(signer.sign(self.context, &MESSAGE).unwrap());
    }

    fn verify(&self) {
        self.pair.verifier.verify(self.context, &MESSAGE, &self.signature).unwrap();
    }
}

/// One operation of every scheme of a provider.
fn each(
    group: &mut BenchmarkGroup<'_, WallTime>,
    provider: &'static Provider,
    operation: impl Fn(&dyn SignatureScheme, &Case),
) {
    let Provider { name, ecdsa_p384, ml_dsa_87, .. } = *provider;
    let mut alone = |id: &str, scheme: &dyn SignatureScheme, context| {
        let case = Case::new(scheme, context);
        group.bench_function(BenchmarkId::new(id, name), |b| b.iter(|| operation(scheme, &case)));
    };
    alone("ECDSA P-384", ecdsa_p384, b"");
    alone("ML-DSA-87", ml_dsa_87, CONTEXT);
    for suite in SignatureSuite::ALL {
        alone(suite.name(), &suite.scheme(provider), CONTEXT);
    }
    let (first, second) = (Case::new(ml_dsa_87, CONTEXT), Case::new(ecdsa_p384, b""));
    let id = format!("halves of {}", SignatureSuite::ML_DSA_87_ECDSA_P384);
    group.bench_function(BenchmarkId::new(id, name), |b| {
        b.iter(|| {
            operation(ml_dsa_87, &first);
            operation(ecdsa_p384, &second);
        });
    });
}

fn sign(c: &mut Criterion) {
    let mut group = c.benchmark_group("sign/key pair");
    for provider in PROVIDERS.iter().copied() {
        each(&mut group, provider, |scheme, case| {
            black_box(scheme.key_pair(&case.secret).unwrap());
        });
    }
    group.finish();
    // ML-DSA rejects and retries: many samples make its mean.
    let mut group = c.benchmark_group("sign/sign");
    for provider in PROVIDERS.iter().copied() {
        each(&mut group, provider, |_, case| case.sign());
    }
    group.finish();
    let mut group = c.benchmark_group("sign/verify");
    for provider in PROVIDERS.iter().copied() {
        each(&mut group, provider, |_, case| case.verify());
    }
    group.finish();
}

criterion_group!(benches, sign);
criterion_main!(benches);
