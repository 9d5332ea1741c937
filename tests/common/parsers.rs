//! Which constructors parse bytes from outside, and which input does each accept?

use twinseal::{
    DecapsulationKey, EncapsulationKey, KemSuite, SigningKey, VerifyingKey,
    kem::{Ciphertext, SharedSecret},
};

use super::{
    errors::outcome,
    keys::{COMPOSITE, P384, X25519, kem_key, signing_key},
};

type Parse = dyn Fn(&[u8]) -> String;

/// A constructor under test.
pub(crate) struct Parser {
    /// The name of the value in its errors.
    pub(crate) what: &'static str,
    /// An input that it accepts.
    pub(crate) valid: Vec<u8>,
    /// The outcome for any input.
    parse: Box<Parse>,
}

impl Parser {
    pub(crate) fn new(
        what: &'static str,
        valid: impl Into<Vec<u8>>,
        parse: impl Fn(&[u8]) -> String + 'static,
    ) -> Self {
        Self { what, valid: valid.into(), parse: Box::new(parse) }
    }

    pub(crate) fn parse(&self, bytes: &[u8]) -> String {
        (self.parse)(bytes)
    }
}

/// Every constructor of a value that has one length.
pub(crate) fn parsers_of_fixed_length() -> Vec<Parser> {
    let mut parsers: Vec<_> = KemSuite::ALL.iter().copied().flat_map(kem_parsers).collect();
    let key = signing_key(8);
    parsers.push(Parser::new("signing key", key.secret_bytes(), |bytes| {
        outcome(SigningKey::from_bytes(COMPOSITE, bytes))
    }));
    let public = key.verifying_key().as_bytes();
    parsers.push(Parser::new("verifying key", public, |bytes| {
        outcome(VerifyingKey::from_bytes(COMPOSITE, bytes))
    }));
    parsers
}

/// The constructors of a KEM suite's values: key, seed, ciphertext and shared secret.
pub(crate) fn kem_parsers(suite: KemSuite) -> [Parser; 4] {
    let key = kem_key(suite, 7);
    let public = key.encapsulation_key();
    let (ciphertext, secret) = public.encapsulate().expect("there is randomness");
    [
        Parser::new("encapsulation key", public.as_bytes(), move |bytes| {
            outcome(EncapsulationKey::from_bytes(suite, bytes))
        }),
        Parser::new("decapsulation key seed", key.seed().unwrap(), move |bytes| {
            outcome(DecapsulationKey::from_seed(suite, bytes))
        }),
        Parser::new("ciphertext", ciphertext.as_bytes(), move |bytes| {
            outcome(Ciphertext::from_bytes(suite, bytes))
        }),
        Parser::new("shared secret", secret.as_bytes(), move |bytes| {
            outcome(SharedSecret::from_bytes(suite, bytes))
        }),
    ]
}

/// The constructors from DER.
pub(crate) fn der_parsers() -> [Parser; 4] {
    let (kem, sign) = (kem_key(P384, 10), signing_key(10));
    let [kem_spki, spki] =
        [kem.encapsulation_key().to_spki_der(), sign.verifying_key().to_spki_der()]
            .map(Result::unwrap);
    let [kem, sign] =
        [kem.to_pkcs8_der(), sign.to_pkcs8_der()].map(|pkcs8| pkcs8.unwrap().as_bytes().to_vec());
    let what = "SubjectPublicKeyInfo";
    [
        Parser::new("PKCS#8 key", kem, |der| outcome(DecapsulationKey::from_pkcs8_der(der))),
        Parser::new("PKCS#8 key", sign, |der| outcome(SigningKey::from_pkcs8_der(der))),
        Parser::new(what, kem_spki, |der| outcome(EncapsulationKey::from_spki_der(der))),
        Parser::new(what, spki, |der| outcome(VerifyingKey::from_spki_der(der))),
    ]
}

/// The constructors from PEM, each named by its label.
pub(crate) fn pem_parsers() -> [Parser; 6] {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let private = move |what, suite| {
        Parser::new(what, kem_key(suite, 11).to_pem().as_str(), move |pem| {
            outcome(DecapsulationKey::from_pem(&text(pem)))
        })
    };
    let public = move |what, suite| {
        Parser::new(what, kem_key(suite, 11).encapsulation_key().to_pem(), move |pem| {
            outcome(EncapsulationKey::from_pem(&text(pem)))
        })
    };
    let sign = signing_key(11);
    [
        private("TWINSEAL KEM PRIVATE KEY", X25519),
        private("PRIVATE KEY", P384),
        public("TWINSEAL KEM PUBLIC KEY", X25519),
        public("PUBLIC KEY", P384),
        Parser::new("PRIVATE KEY", sign.to_pem().as_str(), move |pem| {
            outcome(SigningKey::from_pem(&text(pem)))
        }),
        Parser::new("PUBLIC KEY", sign.verifying_key().to_pem(), move |pem| {
            outcome(VerifyingKey::from_pem(&text(pem)))
        }),
    ]
}
