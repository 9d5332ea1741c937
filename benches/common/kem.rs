//! Key encapsulation: every primitive and every hybrid of a provider, and beside each hybrid the bare
//! sum of its halves.

use std::hint::black_box;

use twinseal::{
    KemSuite,
    provider::{Kem, KemKeyPair, Provider, Random},
};

use super::case::Case;

/// A KEM with a key pair, and buffers for its results.
struct Keys {
    kem: &'static dyn Kem,
    seed: Vec<u8>,
    pair: KemKeyPair,
    ciphertext: Vec<u8>,
    secret: Vec<u8>,
}

impl Keys {
    fn new(kem: &'static dyn Kem) -> Self {
        let lengths = kem.lengths();
        let seed = vec![7; lengths.seed];
        let pair = kem.key_pair(&seed).unwrap();
        let (ciphertext, secret) = (vec![0; lengths.ciphertext], vec![0; lengths.shared_secret]);
        let mut keys = Self { kem, seed, pair, ciphertext, secret };
        keys.encapsulate();
        keys
    }

    fn generate(&mut self) {
        Random::System.fill(&mut self.seed).unwrap();
        black_box(self.kem.key_pair(&self.seed).unwrap());
    }

    fn encapsulate(&mut self) {
        self.pair
            .encapsulator
            .encapsulate(&mut Random::System, &mut self.ciphertext, &mut self.secret)
            .unwrap();
        black_box(&self.secret);
    }

    fn decapsulate(&mut self) {
        self.pair.decapsulator.decapsulate(&self.ciphertext, &mut self.secret).unwrap();
        black_box(&self.secret);
    }
}

type Operation = fn(&mut Keys);

const OPERATIONS: [(&str, Operation); 3] = [
    ("kem/key generation", Keys::generate),
    ("kem/encapsulate", Keys::encapsulate),
    ("kem/decapsulate", Keys::decapsulate),
];

/// A suite as a KEM that lives as long as the primitives do.
pub(crate) fn hybrid(suite: KemSuite, provider: &Provider) -> &'static dyn Kem {
    Box::leak(Box::new(suite.kem(provider)))
}

/// Every KEM of a provider with its name; the sum of a hybrid's halves is a list of two.
fn rows(provider: &'static Provider) -> Vec<(String, Vec<&'static dyn Kem>)> {
    let Provider { x25519, p384, ml_kem_1024, .. } = *provider;
    let mut rows = vec![
        ("X25519".to_owned(), vec![x25519]),
        ("ECDH P-384".to_owned(), vec![p384]),
        ("ML-KEM-1024".to_owned(), vec![ml_kem_1024]),
    ];
    for &suite in KemSuite::ALL {
        rows.push((suite.to_string(), vec![hybrid(suite, provider)]));
    }
    for (suite, other) in KemSuite::ALL.iter().copied().zip([x25519, p384]) {
        rows.push((format!("halves of {suite}"), vec![ml_kem_1024, other]));
    }
    rows
}

pub(crate) fn cases(provider: &'static Provider) -> impl Iterator<Item = Case> {
    rows(provider).into_iter().flat_map(move |(name, kems)| {
        OPERATIONS.map(|(group, operation)| {
            let kems = kems.clone();
            Case::new(group, &*name, provider.name, move || {
                let mut keys: Vec<Keys> = kems.iter().copied().map(Keys::new).collect();
                move || keys.iter_mut().for_each(operation)
            })
        })
    })
}
