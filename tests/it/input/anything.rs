//! Does any input cause a panic? Random bytes, and valid ones that were damaged.

use proptest::{collection::vec, prelude::*};
use twinseal::{DecapsulationKey, KemSuite, Recipients, Signature, envelope::Header};

use crate::common::{
    errors::outcome,
    keys::{COMPOSITE, CTX, kem_key, signing_key},
    parsers::{Parser, der_parsers, parsers_of_fixed_length, pem_parsers},
};

fn every_parser() -> Vec<Parser> {
    let mut parsers = parsers_of_fixed_length();
    parsers.extend(der_parsers());
    parsers.extend(pem_parsers());
    let signature = signing_key(12).sign(CTX, b"hello").unwrap();
    parsers.push(Parser::new("signature", signature.as_bytes(), |bytes| {
        outcome(Signature::from_bytes(COMPOSITE, bytes))
    }));
    let keys: Vec<_> = KemSuite::ALL.iter().map(|suite| kem_key(*suite, 12)).collect();
    let recipients = Recipients::new(keys.iter().map(DecapsulationKey::encapsulation_key));
    let sealed = recipients.unwrap().seal(CTX, &[7; 100]).unwrap();
    parsers.push(Parser::new("header", sealed.clone(), |bytes| outcome(Header::parse(bytes))));
    for key in keys {
        parsers.push(Parser::new("envelope", sealed.clone(), move |bytes| {
            outcome(key.open(CTX, bytes))
        }));
    }
    parsers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// None panics; what it says does not matter here.
    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..6000), text in "(-----(BEGIN|END) [A-Z ]{0,9}-----|[ -~\n\r\t]){0,200}") {
        for parser in every_parser() {
            parser.parse(&bytes);
            parser.parse(text.as_bytes());
        }
    }

    /// The same with valid input that was cut, extended and written over.
    #[test]
    fn nearly_valid_bytes(
        cut in any::<prop::sample::Index>(),
        keep_length in any::<bool>(),
        at in any::<prop::sample::Index>(),
        noise in vec(any::<u8>(), 0..40),
        tail in vec(any::<u8>(), 0..20),
    ) {
        for parser in every_parser() {
            let mut bytes = parser.valid.clone();
            let start = at.index(bytes.len());
            for (byte, noise) in bytes[start..].iter_mut().zip(&noise) {
                *byte = *noise;
            }
            if !keep_length {
                bytes.truncate(cut.index(bytes.len()));
                bytes.extend_from_slice(&tail);
            }
            parser.parse(&bytes);
        }
    }
}
