//! Does the parser of hellos take any bytes without a panic, and return what was written?

use proptest::{collection::vec, prelude::*};
use twinseal::{
    Error, KemSuite, SignatureSuite,
    session::{Hello, SessionReceiver},
};

use super::fixture::{ALICE, BOB, BOB_P384, CTX, assert_estranged};

fn receive(hello: &[u8]) -> Result<SessionReceiver, Error> {
    BOB.receiver(CTX, hello)
}

fn receive_signed(hello: &[u8]) -> Result<SessionReceiver, Error> {
    BOB.accepting(ALICE.verifying_key()).receiver(CTX, hello)
}

/// A hello with these fields; the suites are KEM, KDF, AEAD and signature.
fn hello_from(flags: u8, ids: [u16; 4], keys: [[u8; 16]; 2], rest: &[u8]) -> Vec<u8> {
    let [kem, kdf, aead, signature] = ids.map(u16::to_be_bytes);
    let [recipient, signer] = keys;
    let mut bytes = [b"twinsess\x01", &kem[..], &kdf, &aead, &[flags], &recipient].concat();
    if flags == 1 {
        bytes.extend(signature);
        bytes.extend(signer);
    }
    bytes.extend(rest);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    /// Any fields: those of a known form are parsed as they were written, all others are refused, and
    /// nothing panics.
    #[test]
    fn any_fields(
        flags in 0_u8..3,
        kem in prop_oneof![Just(1_u16), Just(0x0051), any::<u16>()],
        kdf in prop_oneof![9 => Just(2_u16), 1 => any::<u16>()],
        aead in prop_oneof![9 => Just(2_u16), 1 => any::<u16>()],
        suite in prop_oneof![9 => Just(1_u16), 1 => any::<u16>()],
        keys in any::<[[u8; 16]; 2]>(),
        own_ciphertext in any::<bool>(),
        rest in prop_oneof![Just(vec![]), vec(any::<u8>(), 0..7000)],
    ) {
        let bob = if kem == 0x0051 { &*BOB_P384 } else { &*BOB };
        let ciphertext = bob.encapsulation_key().encapsulate().unwrap().0;
        let length = ciphertext.as_bytes().len();
        let rest = if own_ciphertext { [ciphertext.as_bytes(), &rest].concat() } else { rest };
        let bytes = hello_from(flags, [kem, kdf, aead, suite], keys, &rest);
        let parsed = Hello::parse(&bytes);
        let _ = (receive(&bytes), receive_signed(&bytes)); // which must not panic
        let signature_suite = SignatureSuite::ALL.iter().find(|known| known.id() == suite).copied();
        let known = KemSuite::ALL.iter().any(|suite| suite.id() == kem)
            && (kdf, aead) == (2, 2)
            && (flags == 0 || (flags == 1 && signature_suite.is_some()));
        let is_too_long = flags == 0 && own_ciphertext && rest.len() > length;
        if !known || is_too_long {
            prop_assert!(parsed.is_err());
        } else if own_ciphertext {
            let hello = parsed.unwrap();
            prop_assert_eq!(hello.suite().id(), kem);
            prop_assert_eq!(*hello.recipient().as_bytes(), keys[0]);
            let signer = hello.claimed_signer().map(|key_id| *key_id.as_bytes());
            prop_assert_eq!(signer, (flags == 1).then_some(keys[1]));
            prop_assert_eq!(hello.signature_suite(), signature_suite.filter(|_| flags == 1));
        }
    }

    /// A true hello that was cut, extended or written over is refused, or it is another session's.
    #[test]
    fn damaged(
        is_signed in any::<bool>(),
        cut in any::<prop::sample::Index>(),
        keep_length in any::<bool>(),
        at in any::<prop::sample::Index>(),
        noise in vec(any::<u8>(), 0..40),
        tail in vec(any::<u8>(), 0..20),
    ) {
        let to = BOB.encapsulation_key();
        let (hello, mut tx) =
            if is_signed { to.signed_by(&*ALICE).sender(CTX) } else { to.sender(CTX) }.unwrap();
        let mut changed = hello.clone();
        let start = at.index(changed.len());
        for (byte, noise) in changed[start..].iter_mut().zip(&noise) {
            *byte = *noise;
        }
        if !keep_length {
            changed.truncate(cut.index(changed.len()));
            changed.extend_from_slice(&tail);
        }
        let _ = Hello::parse(&changed);
        if changed != hello {
            prop_assert!(receive_signed(&changed).is_err());
            if let Ok(rx) = receive(&changed) {
                assert_estranged(&mut tx, rx);
            }
        }
    }
}
