//! Which signatures are not the one that was asked for, and which half of them is wrong?

use twinseal::{Error, Sign, Signature, SigningKey, split::Half};

use crate::common::keys::COMPOSITE;

/// Length of the ML-DSA half, which comes first.
const ML_DSA: usize = 4627;

pub(crate) fn sign(key: &SigningKey, context: &[u8], sha512: &[u8; 64]) -> Signature {
    Sign::sign_prehashed(key, context, sha512).unwrap()
}

fn of_halves(ml_dsa: &Signature, ecdsa: &Signature) -> Signature {
    let halves = [&ml_dsa.as_bytes()[..ML_DSA], &ecdsa.as_bytes()[ML_DSA..]].concat();
    Signature::from_bytes(COMPOSITE, &halves).unwrap()
}

/// Signatures that are right in their form and wrong otherwise, each with the half that is to be named: the first
/// that is wrong, or none if it is not a signature of this suite.
pub(crate) fn wrong(
    key: &SigningKey,
    stranger: &SigningKey,
    context: &[u8],
    sha512: &[u8; 64],
) -> Vec<(&'static str, Signature, Option<Half>)> {
    let right = sign(key, context, sha512);
    let by_stranger = sign(stranger, context, sha512);
    let mut other = *sha512;
    other[63] ^= 1;
    let of_another = sign(key, context, &other);
    let flipped = |at: usize| {
        let mut bytes = right.as_bytes().to_vec();
        bytes[at] ^= 1;
        Signature::from_bytes(COMPOSITE, &bytes).unwrap()
    };
    let last = right.as_bytes().len() - 1;
    let first = Some(Half::PostQuantum);
    let second = Some(Half::Traditional);
    let mut wrong = vec![
        ("of another message", of_another.clone(), first),
        ("by another key", by_stranger.clone(), first),
        ("in another context", sign(key, b"example.com", sha512), first),
        ("in no context", sign(key, b"", sha512), first),
        ("ML-DSA of another message", of_halves(&of_another, &right), first),
        ("ECDSA of another message", of_halves(&right, &of_another), second),
        ("ML-DSA by another key", of_halves(&by_stranger, &right), first),
        ("ECDSA by another key", of_halves(&right, &by_stranger), second),
        ("a bit of ML-DSA", flipped(0), first),
        ("the last bit of ECDSA", flipped(last), second),
    ];
    let protocols: [&[u8]; 2] = [b"twinseal/session/v1", b"twinseal/request/v1"];
    for other in protocols.into_iter().filter(|protocol| *protocol != context) {
        wrong.push(("in the context of the other protocol", sign(key, other, sha512), first));
    }
    #[cfg(feature = "experimental-falcon")]
    {
        use std::sync::LazyLock;

        use twinseal::SignatureSuite;

        static FALCON: LazyLock<Signature> = LazyLock::new(|| {
            let suite = SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;
            sign(&SigningKey::generate_for(suite).unwrap(), b"", &[7; 64])
        });
        wrong.push(("of another suite", FALCON.clone(), None));
    }
    wrong
}

/// Asserts that the half is named, and none else.
#[track_caller]
pub(crate) fn assert_names<T>(name: &str, result: Result<T, Error>, half: Option<Half>) {
    match result {
        Err(Error::External(failure)) => assert_eq!(failure.half(), half, "{name}"),
        Err(other) => panic!("{name}: {other:?}"),
        Ok(_) => panic!("{name}: it was given out"),
    }
}
