//! Signatures: every primitive and every composite of a provider, beside each composite the bare sum of
//! its halves over the same message representative, and the classical schemes that they replace.

use std::hint::black_box;

use twinseal::{
    SignatureSuite,
    provider::{Provider, Random, SignatureKeyPair, SignatureScheme},
};
use zeroize::Zeroizing;

use super::{case::Case, classical};

/// As long as a composite's message representative with a short context.
pub(crate) const MESSAGE: [u8; 160] = [7; 160];
const CONTEXT: &[u8] = b"example.com/bench";

/// A scheme, and a context if it takes one.
#[derive(Clone, Copy)]
struct Scheme(&'static dyn SignatureScheme, &'static [u8]);

/// A scheme with a key pair and a signature.
struct Keys {
    scheme: Scheme,
    secret: Zeroizing<Vec<u8>>,
    pair: SignatureKeyPair,
    signature: Vec<u8>,
}

impl Keys {
    fn new(scheme: Scheme) -> Self {
        let secret = scheme.0.generate(&mut Random::System).unwrap();
        let pair = scheme.0.key_pair(&secret).unwrap();
        let signature = pair.signer.sign(scheme.1, &MESSAGE).unwrap();
        Self { scheme, secret, pair, signature }
    }

    fn generate(&mut self) {
        let secret = self.scheme.0.generate(&mut Random::System).unwrap();
        black_box(self.scheme.0.key_pair(&secret).unwrap());
    }

    fn load(&mut self) {
        black_box(self.scheme.0.key_pair(&self.secret).unwrap());
    }

    fn sign(&mut self) {
        black_box(self.pair.signer.sign(self.scheme.1, &MESSAGE).unwrap());
    }

    fn verify(&mut self) {
        self.pair.verifier.verify(self.scheme.1, &MESSAGE, &self.signature).unwrap();
    }
}

type Operation = fn(&mut Keys);

/// ML-DSA rejects and retries when it signs: many samples make its mean.
const OPERATIONS: [(&str, Operation); 4] = [
    ("sign/key generation", Keys::generate),
    ("sign/load", Keys::load),
    ("sign/sign", Keys::sign),
    ("sign/verify", Keys::verify),
];

/// A suite as a scheme that lives as long as the primitives do.
pub(crate) fn composite(
    suite: SignatureSuite,
    provider: &Provider,
) -> &'static dyn SignatureScheme {
    Box::leak(Box::new(suite.scheme(provider)))
}

/// Falcon belongs to no provider: it is PQClean's code, whichever provider is compiled in.
const FALCON: (&str, &str) = ("Falcon-1024", "pqclean");

/// Once, beside the provider that is always there.
#[cfg(all(feature = "experimental-falcon", feature = "hazmat"))]
fn falcon(provider: &Provider) -> Option<Scheme> {
    let falcon = || Scheme(Box::leak(Box::new(twinseal::hazmat::falcon_1024())), b"");
    (provider.name == twinseal::provider::PORTABLE.name).then(falcon)
}

#[cfg(not(all(feature = "experimental-falcon", feature = "hazmat")))]
fn falcon(_: &Provider) -> Option<Scheme> {
    None
}

/// Every scheme of a provider with its name; the sum of a composite's halves is a list of two.
fn rows(provider: &'static Provider) -> Vec<(String, Vec<Scheme>)> {
    let ecdsa = Scheme(provider.ecdsa_p384, b"");
    let ml_dsa = Scheme(provider.ml_dsa_87, CONTEXT);
    let mut rows =
        vec![("ECDSA P-384".to_owned(), vec![ecdsa]), ("ML-DSA-87".to_owned(), vec![ml_dsa])];
    rows.extend(falcon(provider).map(|falcon| (FALCON.0.to_owned(), vec![falcon])));
    for &suite in SignatureSuite::ALL {
        rows.push((suite.to_string(), vec![Scheme(composite(suite, provider), CONTEXT)]));
    }
    let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
    rows.push((format!("halves of {suite}"), vec![ml_dsa, ecdsa]));
    rows
}

pub(crate) fn cases(provider: &'static Provider) -> impl Iterator<Item = Case> {
    let ours = rows(provider).into_iter().flat_map(move |(name, schemes)| {
        OPERATIONS.map(|(group, operation)| {
            let schemes = schemes.clone();
            let provider = if name == FALCON.0 { FALCON.1 } else { provider.name };
            Case::new(group, &*name, provider, move || {
                let mut keys: Vec<Keys> = schemes.iter().copied().map(Keys::new).collect();
                move || keys.iter_mut().for_each(operation)
            })
        })
    });
    classical::cases(provider).into_iter().chain(ours)
}
