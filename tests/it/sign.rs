//! Are signatures hedged, bound to their context, and refused when anything differs?

use std::io::{self, Read};

use p384::{
    ecdsa::{Signature as Ecdsa, VerifyingKey as EcdsaKey},
    elliptic_curve::ops::Neg,
};
use sha2::{Digest, Sha512};
use signature::{Signer, Verifier};
use twinseal::{Error, Sign, Signature, VerifyingKey, hazmat};

use crate::common::{
    errors::{invalid, io_outcome, outcome, truncated},
    keys::{COMPOSITE, CTX, signing_key},
};

const MESSAGE: &[u8] = b"a message";
const ML_DSA: usize = 4627;
const ML_DSA_KEY: usize = 2592;

fn message(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

#[test]
fn both_halves_are_hedged() {
    let key = signing_key(1);
    let signatures = [(); 4].map(|()| key.sign(CTX, MESSAGE).unwrap());
    for (index, one) in signatures.iter().enumerate() {
        key.verifying_key().verify(CTX, MESSAGE, one).unwrap();
        for other in &signatures[index + 1..] {
            assert_ne!(one.as_bytes()[..ML_DSA], other.as_bytes()[..ML_DSA]);
            assert_ne!(one.as_bytes()[ML_DSA..], other.as_bytes()[ML_DSA..]);
        }
    }
}

#[test]
fn deterministic_signatures_are_equal() {
    let key = signing_key(1);
    let one = hazmat::sign(&key, CTX, MESSAGE).unwrap();
    assert_eq!(one, hazmat::sign(&key, CTX, MESSAGE).unwrap());
    key.verifying_key().verify(CTX, MESSAGE, &one).unwrap();
    let other_message = hazmat::sign(&key, CTX, b"another").unwrap();
    let other_context = hazmat::sign(&key, b"example.com/other", MESSAGE).unwrap();
    for other in [other_message, other_context] {
        assert_ne!(one.as_bytes()[..ML_DSA], other.as_bytes()[..ML_DSA]);
        assert_ne!(one.as_bytes()[ML_DSA..], other.as_bytes()[ML_DSA..]);
    }
}

#[test]
fn what_does_not_verify() {
    let (key, other_key) = (signing_key(1), signing_key(2));
    let verifier = key.verifying_key();
    let signature = key.sign(CTX, MESSAGE).unwrap();
    verifier.verify(CTX, MESSAGE, &signature).unwrap();
    let table: [(&str, &VerifyingKey, &[u8], &[u8]); 7] = [
        ("key", other_key.verifying_key(), CTX, MESSAGE),
        ("message", verifier, CTX, b"another message"),
        ("no message", verifier, CTX, b""),
        ("a longer message", verifier, CTX, b"a message\0"),
        ("context", verifier, b"example.com/tests/v2", MESSAGE),
        ("a longer context", verifier, b"example.com/tests/v1a", MESSAGE),
        ("the border moved", verifier, b"example.com/tests/v", b"1a message"),
    ];
    for (what, key, context, message) in table {
        let found = outcome(key.verify(context, message, &signature));
        assert_eq!(found, "Verify", "{what}");
        let found = io_outcome(key.verify_reader(context, message, &signature));
        assert_eq!(found, "InvalidData: Verify", "{what}");
    }
}

/// Neither half is enough, and halves of two signatures do not make one.
#[test]
fn halves_that_do_not_belong_together() {
    let (key, other_key) = (signing_key(1), signing_key(2));
    let right = key.sign(CTX, MESSAGE).unwrap();
    let wrong = [
        ("key", other_key.sign(CTX, MESSAGE).unwrap()),
        ("message", key.sign(CTX, b"another").unwrap()),
        ("context", key.sign(b"example.com/other", MESSAGE).unwrap()),
    ];
    let join = |one: &Signature, other: &Signature| {
        let bytes = [&one.as_bytes()[..ML_DSA], &other.as_bytes()[ML_DSA..]].concat();
        Signature::from_bytes(COMPOSITE, &bytes).unwrap()
    };
    let verify =
        |signature: &Signature| outcome(key.verifying_key().verify(CTX, MESSAGE, signature));
    for (what, wrong) in &wrong {
        assert_eq!(verify(&join(&right, wrong)), "Verify", "ECDSA of another {what}");
        assert_eq!(verify(&join(wrong, &right)), "Verify", "ML-DSA of another {what}");
    }
    // Of the same key, message and context they do: a signature is not an identifier.
    let again = key.sign(CTX, MESSAGE).unwrap();
    assert_eq!(verify(&join(&right, &again)), "Ok");

    let halves = right.as_bytes().split_at(ML_DSA);
    let half = outcome(Signature::from_bytes(COMPOSITE, halves.0));
    let der = "it is not the DER form of two integers from 1 to n - 1";
    assert_eq!(half, invalid("ECDSA signature", der));
    let half = outcome(Signature::from_bytes(COMPOSITE, halves.1));
    assert_eq!(half, truncated("signature", ML_DSA, halves.1.len()));
}

/// Pinned: ECDSA is malleable, and outside Bitcoin a high s is accepted.
#[test]
fn a_high_s_is_accepted() {
    let key = signing_key(1);
    let signature = key.sign(CTX, MESSAGE).unwrap();
    let (ml_dsa, der) = signature.as_bytes().split_at(ML_DSA);
    let ecdsa = Ecdsa::from_der(der).unwrap();
    let (r, s) = ecdsa.split_scalars();
    let mirrored = Ecdsa::from_scalars(*r, s.neg()).unwrap();
    assert_ne!(mirrored, ecdsa);
    let bytes = [ml_dsa, mirrored.to_der().as_bytes()].concat();
    let mirrored = Signature::from_bytes(COMPOSITE, &bytes).unwrap();
    assert_ne!(mirrored, signature);
    key.verifying_key().verify(CTX, MESSAGE, &mirrored).unwrap();
}

/// Keys that are not the signer's, and under whose ECDSA half this signature verifies.
fn other_keys(signer: &VerifyingKey, message: &[u8], signature: &Signature) -> Vec<VerifyingKey> {
    let representative = [
        &b"CompositeAlgorithmSignatures2025COMPSIG-MLDSA87-ECDSA-P384-SHA512"[..],
        &[u8::try_from(CTX.len()).unwrap()],
        CTX,
        &Sha512::digest(message),
    ]
    .concat();
    let ecdsa = Ecdsa::from_der(&signature.as_bytes()[ML_DSA..]).unwrap();
    let recover =
        |id: u8| EcdsaKey::recover_from_msg(&representative, &ecdsa, id.try_into().unwrap()).ok();
    let join = |ecdsa: EcdsaKey| {
        let point = ecdsa.to_sec1_point(false);
        let bytes = [&signer.as_bytes()[..ML_DSA_KEY], point.as_bytes()].concat();
        VerifyingKey::from_bytes(COMPOSITE, &bytes).unwrap()
    };
    (0..4).filter_map(recover).map(join).filter(|key| key != signer).collect()
}

/// Pinned: a signature does not single out its key. It does if the key is in the message, as in a
/// hello and in a request.
#[test]
fn another_key_can_be_made_under_which_a_signature_verifies() {
    let key = signing_key(1);
    let signature = key.sign(CTX, MESSAGE).unwrap();
    let others = other_keys(key.verifying_key(), MESSAGE, &signature);
    assert!(!others.is_empty());
    for other in others {
        other.verify(CTX, MESSAGE, &signature).unwrap();
    }

    let naming = |key: &VerifyingKey| [key.as_bytes(), MESSAGE].concat();
    let named = naming(key.verifying_key());
    let signature = key.sign(CTX, &named).unwrap();
    let others = other_keys(key.verifying_key(), &named, &signature);
    assert!(!others.is_empty());
    for other in others {
        assert_eq!(other.verify(CTX, &naming(&other), &signature), Err(Error::Verify));
    }
}

/// A composite half is not a signature of its own scheme over the message.
#[test]
fn an_ecdsa_half_is_no_plain_ecdsa_signature() {
    let key = signing_key(1);
    let signature = key.sign(CTX, MESSAGE).unwrap();
    let plain = EcdsaKey::from_sec1_bytes(&key.verifying_key().as_bytes()[2592..]).unwrap();
    let half = Ecdsa::from_der(&signature.as_bytes()[ML_DSA..]).unwrap();
    assert!(plain.verify(MESSAGE, &half).is_err());
}

#[test]
fn empty_and_long_messages() {
    let key = signing_key(1);
    for length in [0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 1_000_000] {
        let message = message(length);
        let signature = key.sign(CTX, &message).unwrap();
        key.verifying_key().verify(CTX, &message, &signature).unwrap();
        let found =
            outcome(key.verifying_key().verify(CTX, &[&message[..], &[0]].concat(), &signature));
        assert_eq!(found, "Verify");
    }
}

#[test]
fn without_context_is_the_empty_context() {
    let key = signing_key(1);
    let (signer, verifier) = (key.without_context(), key.verifying_key().without_context());
    let signature = signer.try_sign(MESSAGE).unwrap();
    verifier.verify(MESSAGE, &signature).unwrap();
    let empty = hazmat::sign(&key, b"", MESSAGE).unwrap();
    verifier.verify(MESSAGE, &empty).unwrap();

    let with_context = key.sign(CTX, MESSAGE).unwrap();
    assert!(verifier.verify(MESSAGE, &with_context).is_err());
    let found = outcome(key.verifying_key().verify(CTX, MESSAGE, &signature));
    assert_eq!(found, "Verify");
}

/// The crate's own protocols may use contexts that callers may not: `sign_prehashed` accepts any context of
/// at most 255 bytes.
#[test]
fn contexts_of_prehashed_signatures() {
    let key = signing_key(1);
    for context in [&b""[..], b"twinseal/session/v1", &[b'x'; 255]] {
        let signature = Sign::sign_prehashed(&key, context, &[7; 64]);
        assert_eq!(outcome(signature), "Ok");
        assert_eq!(outcome(hazmat::sign(&key, context, MESSAGE)), "Ok");
    }
    let long = "Context(\"it is longer than 255 bytes\")";
    let found = outcome(Sign::sign_prehashed(&key, &[b'x'; 256], &[7; 64]));
    assert_eq!(found, long);
    assert_eq!(outcome(hazmat::sign(&key, &[b'x'; 256], MESSAGE)), long);
}

// Readers.

/// Gives at most `most` bytes at once, and is interrupted before each.
struct Hesitant<'a> {
    rest: &'a [u8],
    most: usize,
    interrupted: bool,
}

impl Read for Hesitant<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = self.most.min(buffer.len());
        self.rest.read(&mut buffer[..most])
    }
}

#[test]
fn readers_give_the_same_as_slices() {
    let key = signing_key(1);
    let verifier = key.verifying_key();
    for length in [0, 1, 100, 64 * 1024, 200_000] {
        let message = message(length);
        for most in [1000, 64 * 1024, usize::MAX] {
            let reader = || Hesitant { rest: &message, most, interrupted: false };
            let signature = key.sign_reader(CTX, reader()).unwrap();
            verifier.verify(CTX, &message, &signature).unwrap();
            let signature = key.sign(CTX, &message).unwrap();
            verifier.verify_reader(CTX, reader(), &signature).unwrap();
        }
    }
    let one_by_one = Hesitant { rest: &message(300), most: 1, interrupted: false };
    let signature = key.sign_reader(CTX, one_by_one).unwrap();
    verifier.verify(CTX, &message(300), &signature).unwrap();
}

/// Fails after some bytes.
struct Failing(usize, io::ErrorKind);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(self.1.into());
        }
        let now = self.0.min(buffer.len());
        self.0 -= now;
        Ok(now)
    }
}

#[test]
fn failing_readers() {
    let key = signing_key(1);
    let signature = key.sign(CTX, b"").unwrap();
    for bytes in [0, 1, 100_000] {
        for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::WouldBlock] {
            let found = io_outcome(key.sign_reader(CTX, Failing(bytes, kind)));
            assert_eq!(found, format!("{kind:?}"));
            let reader = Failing(bytes, kind);
            let found = io_outcome(key.verifying_key().verify_reader(CTX, reader, &signature));
            assert_eq!(found, format!("{kind:?}"));
        }
    }
}

/// Claims more bytes than the buffer has.
struct Lying(usize);

impl Read for Lying {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(buffer.len().saturating_add(self.0))
    }
}

#[test]
fn lying_readers() {
    let key = signing_key(1);
    let signature = key.sign(CTX, b"").unwrap();
    for more in [1, usize::MAX] {
        let signed = key.sign_reader(CTX, Lying(more)).map(drop);
        let verified = key.verifying_key().verify_reader(CTX, Lying(more), &signature);
        for result in [signed, verified] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Other);
            let text = "the reader claims more bytes than the buffer holds";
            assert_eq!(error.to_string(), text);
        }
    }
}

/// The context is judged before anything is read.
#[test]
fn a_bad_context_reads_nothing() {
    struct Untouched;

    impl Read for Untouched {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            unreachable!("it is not read")
        }
    }

    let key = signing_key(1);
    let signature = key.sign(CTX, MESSAGE).unwrap();
    let expected = Error::Context("it is empty; say what the data is for");
    let expected = format!("InvalidInput: {expected:?}");
    assert_eq!(io_outcome(key.sign_reader(b"", Untouched)), expected);
    let verifier = key.verifying_key();
    let found = io_outcome(verifier.verify_reader(b"", Untouched, &signature));
    assert_eq!(found, expected);
}

#[test]
fn the_context_is_read_out_of_what_halves_sign() {
    let key = signing_key(1);
    let to_be_signed = key.verifying_key().to_be_signed(CTX, &[7; 64]).unwrap();
    let message = to_be_signed.message();
    assert_eq!(COMPOSITE.context_of(message).unwrap(), CTX);
    let longer = [message, b"x"].concat();
    for other in [&message[..message.len() - 1], &longer, &message[1..], b""] {
        assert!(matches!(COMPOSITE.context_of(other), Err(Error::Invalid { .. })));
    }
}
