//! Does the experimental suite, ECDSA-P384 + Falcon-1024, need both halves, and is it kept apart from the
//! stable ones?
//!
//! Falcon is checked with PQClean's known answer.

use std::sync::LazyLock;

use rand_core::{TryCryptoRng, TryRng};
use twinseal::{
    Error, Policy, Signature, SignatureSuite, SigningKey, VerifyingKey, VerifyingKeyring, hazmat,
    provider::{PORTABLE, SignatureScheme},
};

use crate::common::{
    der::{ec_private_key, pem},
    errors::{invalid, length, outcome},
    keys::{CTX, X25519, kem_key, signing_key},
    parsers::Parser,
    vectors,
};

const SUITE: SignatureSuite = SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;

const SECRET_KEY: usize = 2305;
const PUBLIC_KEY: usize = 1793;

/// A Falcon key of each test's own would take most of its time.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate_for(SUITE).unwrap());

static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate_for(SUITE).unwrap());

fn verify(signature: &[u8]) -> Result<(), Error> {
    let signature = Signature::from_bytes(SUITE, signature)?;
    KEY.verifying_key().verify(CTX, b"message", &signature)
}

fn sign(key: &SigningKey, context: &[u8], message: &[u8]) -> Vec<u8> {
    key.sign(context, message).unwrap().as_bytes().to_vec()
}

/// Falcon's and ECDSA's half.
fn split(signature: &[u8]) -> (&[u8], &[u8]) {
    let (length, halves) = signature.split_first_chunk().unwrap();
    halves.split_at(u16::from_be_bytes(*length).into())
}

fn join(falcon: &[u8], ecdsa: &[u8]) -> Vec<u8> {
    let length = u16::try_from(falcon.len()).unwrap();
    [&length.to_be_bytes(), falcon, ecdsa].concat()
}

// Falcon by itself.

/// A field of the known answer.
fn known_answer(name: &str) -> Vec<u8> {
    vectors::value(include_str!("../vectors/falcon-1024.txt"), name)
}

#[test]
fn known_answer_of_pqclean() {
    let [message, public, secret, signed] =
        ["message", "verifying_key", "signing_key", "signed_message"].map(known_answer);
    assert_eq!((secret.len(), public.len()), (SECRET_KEY, PUBLIC_KEY));

    // sm = length (2) || nonce (40) || message || 0x2a || value, the length being that of the last
    // two. A signature of its own is 0x3a || nonce || value.
    let (length, rest) = signed.split_first_chunk().unwrap();
    let (nonce, rest) = rest.split_at(40);
    let value = rest.strip_prefix(&message[..]).unwrap();
    assert_eq!(value.len(), usize::from(u16::from_be_bytes(*length)));
    let value = value.strip_prefix(&[0x2a]).unwrap();
    let signature = [&[0x3a], nonce, value].concat();

    let falcon = hazmat::falcon_1024();
    let verifier = falcon.verifier(&public).unwrap();
    verifier.verify(b"", &message, &signature).unwrap();
    for wrong in [&message[1..], b""] {
        assert_eq!(outcome(verifier.verify(b"", wrong, &signature)), "Verify");
    }

    let pair = falcon.key_pair(&[secret, public.clone()].concat()).unwrap();
    assert_eq!(pair.verifying_key, public);
    let again = pair.signer.sign(b"", &message).unwrap();
    verifier.verify(b"", &message, &again).unwrap();
    assert_ne!(again, signature, "the nonce is random");
}

/// Bytes that are not a public key are refused when they are read.
#[test]
fn public_keys() {
    let valid = known_answer("verifying_key");
    let falcon = hazmat::falcon_1024();
    let parse = |key: &[u8]| outcome(falcon.verifier(key).map(drop));
    let changed = |change: fn(&mut Vec<u8>)| {
        let mut key = valid.clone();
        change(&mut key);
        parse(&key)
    };
    let error = |reason| invalid("Falcon-1024 key", reason);
    assert_eq!(parse(&valid), "Ok");
    assert_eq!(changed(|key| key.truncate(PUBLIC_KEY - 1)), error("its length is wrong"));
    assert_eq!(changed(|key| key.push(0)), error("its length is wrong"));
    for header in (0..=255).filter(|header| *header != 0x0a) {
        let key = [&[header], &valid[1..]].concat();
        assert_eq!(parse(&key), error("its header is wrong"));
    }

    // 14 bits: 12288 is 0b11000000000000, the largest coefficient.
    let not_reduced = error("a coefficient is not below 12289");
    for position in [0, 1, 2, 3, 1020, 1021, 1022, 1023] {
        let with = |coefficient: u16| {
            let mut key = valid.clone();
            for bit in 0..14 {
                let at = 14 * position + bit;
                let mask = 0x80 >> (at % 8);
                key[1 + at / 8] &= !mask;
                if coefficient >> (13 - bit) & 1 == 1 {
                    key[1 + at / 8] |= mask;
                }
            }
            parse(&key)
        };
        assert_eq!(with(0), "Ok");
        assert_eq!(with(12288), "Ok");
        assert_eq!(with(12289), not_reduced);
        assert_eq!(with(0x3fff), not_reduced);
    }
}

/// PQClean's verification takes zeros behind a signature, up to the length of the padded variant.
#[test]
fn padded_signatures() {
    const PADDED: usize = 1280;
    let falcon = hazmat::falcon_1024();
    let secret = &KEY.secret_bytes()[..SECRET_KEY + PUBLIC_KEY];
    let pair = falcon.key_pair(secret).unwrap();
    let mut tried = 0;
    for number in 0..20_u8 {
        let mut signature = pair.signer.sign(b"", &[number]).unwrap();
        assert_ne!(signature.last(), Some(&0));
        pair.verifier.verify(b"", &[number], &signature).unwrap();
        tried += usize::from(signature.len() < PADDED);
        for _ in 0..40 {
            signature.push(0);
            let result = pair.verifier.verify(b"", &[number], &signature);
            assert_eq!(outcome(result), "Verify", "{} bytes", signature.len());
        }
    }
    assert!(tried > 0, "most signatures are shorter than {PADDED} bytes");
}

#[test]
fn falcon_has_no_context() {
    let falcon = hazmat::falcon_1024();
    let pair = falcon.key_pair(&KEY.secret_bytes()[..SECRET_KEY + PUBLIC_KEY]).unwrap();
    let none = format!("{:?}", Error::Context("the scheme has none"));
    assert_eq!(outcome(pair.signer.sign(b"c", b"message")), none);
    let deterministic = pair.signer.sign_deterministic(b"", b"message");
    assert!(matches!(deterministic, Err(Error::Unsupported(_))));
}

// The composite.

#[test]
fn lengths_and_names() {
    assert_eq!(SUITE.id(), 0xf001);
    assert_eq!(SUITE.oid(), None);
    assert_eq!(SUITE.name(), "experimental-ECDSA-P384-Falcon-1024");
    assert_eq!(SUITE.signing_key_len(), KEY.secret_bytes().len());
    assert_eq!(SUITE.verifying_key_len(), PUBLIC_KEY + 97);
    assert_eq!(SUITE.max_signature_len(), 2 + 1462 + 104);
    assert!(SignatureSuite::ALL.contains(&SUITE));
    assert!(!SignatureSuite::STABLE.contains(&SUITE));
    assert_eq!(SignatureSuite::from_id(0xf001).unwrap(), SUITE);
}

#[test]
fn sign_and_verify() {
    let key = &*KEY;
    let public = VerifyingKey::from_bytes(SUITE, key.verifying_key().as_bytes()).unwrap();
    let message = vec![7; 100_000];
    for context in [&[1][..], CTX, &[2; 255]] {
        for message in [&message[..0], &message[..1], &message] {
            let signature = key.sign(context, message).unwrap();
            let sent = Signature::from_bytes(SUITE, signature.as_bytes()).unwrap();
            public.verify(context, message, &sent).unwrap();
            public.verify_reader(context, message, &sent).unwrap();
            let by_reader = key.sign_reader(context, message).unwrap();
            public.verify(context, message, &by_reader).unwrap();
            let shorter = public.verify(&context[1..], message, &sent);
            assert!(matches!(shorter, Err(Error::Verify | Error::Context(_))));
            let extended = public.verify(context, &[message, &[0]].concat(), &sent);
            assert_eq!(outcome(extended), "Verify");
        }
    }
    for context in [&b""[..], &[3; 256], b"twinseal/x"] {
        assert!(matches!(key.sign(context, b"message"), Err(Error::Context(_))));
    }
    assert!(matches!(hazmat::sign(key, CTX, b"message"), Err(Error::Unsupported(_))));
}

#[test]
fn both_halves_must_verify() {
    let ours = sign(&KEY, CTX, b"message");
    let again = sign(&KEY, CTX, b"message");
    let ((falcon, ecdsa), (falcon_again, ecdsa_again)) = (split(&ours), split(&again));
    // Halves over one message can be exchanged: what fails below fails for no other reason.
    verify(&join(falcon, ecdsa_again)).unwrap();
    verify(&join(falcon_again, ecdsa)).unwrap();

    let others = [
        ("message", sign(&KEY, CTX, b"another")),
        ("context", sign(&KEY, b"another", b"message")),
        ("key", sign(&OTHER, CTX, b"message")),
    ];
    for (what, other) in &others {
        let (falcon_2, ecdsa_2) = split(other);
        for spliced in [join(falcon_2, ecdsa), join(falcon, ecdsa_2), other.clone()] {
            assert_eq!(outcome(verify(&spliced)), "Verify", "{what}");
        }
    }

    // Without a half, or with the two exchanged.
    assert_eq!(outcome(verify(&join(b"", ecdsa))), "Verify");
    assert_eq!(outcome(verify(&join(&[0; 1271], ecdsa))), "Verify");
    for wrong in [
        join(falcon, b""),
        join(falcon, b"\x30\x06\x02\x01\x00\x02\x01\x00"),
        join(ecdsa, falcon),
        [falcon, ecdsa].concat(),
        falcon.to_vec(),
        ecdsa.to_vec(),
    ] {
        let result = verify(&wrong);
        assert!(matches!(result, Err(Error::Invalid { .. } | Error::Truncated { .. })));
    }
}

/// One key's halves over one message are not a signature of a key made of two keys' halves.
#[test]
fn keys_of_two_halves() {
    let (ours, others) = (KEY.verifying_key().as_bytes(), OTHER.verifying_key().as_bytes());
    let signature = KEY.sign(CTX, b"message").unwrap();
    let mixed = [
        [&ours[..PUBLIC_KEY], &others[PUBLIC_KEY..]],
        [&others[..PUBLIC_KEY], &ours[PUBLIC_KEY..]],
    ];
    for halves in mixed {
        let key = VerifyingKey::from_bytes(SUITE, &halves.concat()).unwrap();
        assert_eq!(outcome(key.verify(CTX, b"message", &signature)), "Verify");
    }
}

#[test]
fn every_change_of_length_fails() {
    let valid = sign(&KEY, CTX, b"message");
    for end in 0..valid.len() {
        assert!(verify(&valid[..end]).is_err(), "{end} bytes");
    }
    for extra in 1..300 {
        for byte in [0x00, 0x01, 0xff] {
            let extended = [&valid[..], &vec![byte; extra]].concat();
            assert!(verify(&extended).is_err(), "{extra} more bytes");
        }
    }
    let right = u16::from_be_bytes([valid[0], valid[1]]);
    for wrong in (0..=2000).chain([0x7fff, 0xffff]).filter(|wrong| *wrong != right) {
        let changed = [&wrong.to_be_bytes(), &valid[2..]].concat();
        assert!(verify(&changed).is_err(), "length {wrong}");
    }
    // Bytes between the halves, counted to the first.
    let (falcon, ecdsa) = split(&valid);
    for extra in 1..60 {
        for byte in [0x00, 0x80, 0xff] {
            let longer = [falcon, &vec![byte; extra]].concat();
            assert!(verify(&join(&longer, ecdsa)).is_err(), "{extra} bytes of {byte:#x}");
        }
    }
    verify(&valid).unwrap();
}

#[test]
fn every_changed_byte_fails() {
    let valid = sign(&KEY, CTX, b"message");
    for position in 0..valid.len() {
        // Every bit of every fourth byte: verifications add up.
        for bit in 0..if position % 4 == 0 { 8 } else { 1 } {
            let mut changed = valid.clone();
            changed[position] ^= 1 << bit;
            assert!(verify(&changed).is_err(), "bit {bit} of byte {position}");
        }
    }
}

// Keys.

#[test]
fn key_files() {
    let (key, public) = (&*KEY, KEY.verifying_key());
    let private_pem = key.to_pem();
    let public_pem = public.to_pem();
    assert!(
        private_pem.as_str().starts_with("-----BEGIN TWINSEAL EXPERIMENTAL PRIVATE KEY-----\n")
    );
    assert!(public_pem.starts_with("-----BEGIN TWINSEAL EXPERIMENTAL PUBLIC KEY-----\n"));
    let inside = [&[0xf0, 0x01], key.secret_bytes()].concat();
    assert_eq!(private_pem.as_str(), pem("TWINSEAL EXPERIMENTAL PRIVATE KEY", &inside));
    let inside = [&[0xf0, 0x01], public.as_bytes()].concat();
    assert_eq!(public_pem, pem("TWINSEAL EXPERIMENTAL PUBLIC KEY", &inside));

    let again = SigningKey::from_pem(private_pem.as_str()).unwrap();
    assert_eq!(again.secret_bytes(), key.secret_bytes());
    assert_eq!(again.verifying_key(), public);
    let again_public = VerifyingKey::from_pem(&public_pem).unwrap();
    assert_eq!(&again_public, public);
    let signature = again.sign(CTX, b"message").unwrap();
    again_public.verify(CTX, b"message", &signature).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key.pem");
    key.write_pem_file(&file).unwrap();
    let read = SigningKey::read_pem_file(&file).unwrap();
    assert_eq!(read.secret_bytes(), key.secret_bytes());

    assert!(matches!(key.to_pkcs8_der(), Err(Error::Unsupported(_))));
    assert!(matches!(public.to_spki_der(), Err(Error::Unsupported(_))));
}

#[test]
fn key_files_that_are_refused() {
    let secret = KEY.secret_bytes();
    let label = "TWINSEAL EXPERIMENTAL PRIVATE KEY";
    let parse = |bytes: &[u8]| outcome(SigningKey::from_pem(&pem(label, bytes)));
    assert_eq!(parse(&[&[0xf0, 0x01], secret].concat()), "Ok");
    let all = secret.len();
    let short = [&[0xf0, 0x01], &secret[1..]].concat();
    assert_eq!(parse(&short), length("signing key", all, all - 1));
    let long = [&[0xf0, 0x01], secret, &[0]].concat();
    assert_eq!(parse(&long), length("signing key", all, all + 1));
    // A key of a stable suite has one form, which is PKCS#8.
    let stable = [&[0x00, 0x01], signing_key(1).secret_bytes()].concat();
    let reason = "keys of its suite are PKCS#8 and SPKI";
    assert_eq!(parse(&stable), invalid("signature key file", reason));
    assert!(parse(&[&[0xf0, 0x02], secret].concat()).starts_with("Unknown"));
    assert!(parse(&[0xf0]).starts_with("Truncated"));

    // Neither label is the other's, nor that of PKCS#8 and SPKI.
    let public = KEY.verifying_key();
    assert!(outcome(SigningKey::from_pem(&public.to_pem())).starts_with("PemLabel"));
    assert!(outcome(VerifyingKey::from_pem(KEY.to_pem().as_str())).starts_with("PemLabel"));
    assert!(SigningKey::from_pem(&pem("PRIVATE KEY", secret)).is_err());
}

#[test]
fn private_keys_that_are_refused() {
    let (ours, others) = (KEY.secret_bytes(), OTHER.secret_bytes());
    let behind_public = SECRET_KEY + PUBLIC_KEY;
    let (ours_sk, ours_rest) = ours.split_at(SECRET_KEY);
    let ours_ec = &ours[behind_public..];
    let parser = Parser::new("signing key", ours, |bytes| {
        outcome(SigningKey::from_bytes(SUITE, bytes).map(drop))
    });
    assert_eq!(parser.parse(ours), "Ok");

    let mismatch =
        invalid("Falcon-1024 key", "its private and its public half do not belong together");
    let others_public = &others[SECRET_KEY..behind_public];
    assert_eq!(parser.parse(&[ours_sk, others_public, ours_ec].concat()), mismatch);
    assert_eq!(parser.parse(&[&others[..SECRET_KEY], ours_rest].concat()), mismatch);
    assert_eq!(parser.parse(&[&[0; SECRET_KEY], ours_rest].concat()), mismatch);
    let mut changed = ours.to_vec();
    changed[0] ^= 1;
    assert_eq!(parser.parse(&changed), mismatch, "the header");
    let mut changed = ours.to_vec();
    changed[SECRET_KEY + 100] ^= 1;
    assert_ne!(parser.parse(&changed), "Ok", "the public half");

    // The ECDSA half is judged as in the stable suite.
    let zero = ec_private_key(&[0; 48]);
    let zero = [&ours[..behind_public], &zero].concat();
    assert_eq!(parser.parse(&zero), invalid("P-384 scalar", "it is not from 1 to n - 1"));
    // Another scalar is another key, and nothing can show that.
    let other_ec = [&ours[..behind_public], &others[behind_public..]].concat();
    assert_eq!(parser.parse(&other_ec), "Ok");
}

/// A generator that must not be asked.
struct Untouched;

impl TryRng for Untouched {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("the generator was used")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("the generator was used")
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        unreachable!("the generator was used")
    }
}

impl TryCryptoRng for Untouched {}

/// Falcon's implementation would ignore it.
#[test]
fn a_callers_generator_is_refused() {
    let result = SigningKey::generate_from_rng(SUITE, &mut Untouched);
    assert!(matches!(result, Err(Error::Unsupported(_))), "{result:?}");
}

#[test]
fn two_keys_differ_in_both_halves() {
    let (ours, others) = (KEY.verifying_key().as_bytes(), OTHER.verifying_key().as_bytes());
    assert_ne!(ours[..PUBLIC_KEY], others[..PUBLIC_KEY]);
    assert_ne!(ours[PUBLIC_KEY..], others[PUBLIC_KEY..]);
    assert_ne!(KEY.verifying_key().key_id(), OTHER.verifying_key().key_id());
}

/// Nothing of the stable suite is taken for the experimental one.
#[test]
fn suites_are_kept_apart() {
    let stable = signing_key(1);
    let (of_stable, of_falcon) =
        (stable.sign(CTX, b"message").unwrap(), KEY.sign(CTX, b"message").unwrap());
    for (key, signature) in
        [(stable.verifying_key(), &of_falcon), (KEY.verifying_key(), &of_stable)]
    {
        let result = key.verify(CTX, b"message", signature);
        assert!(matches!(result, Err(Error::SuiteMismatch { .. })));
    }
    assert!(SigningKey::from_bytes(SUITE, stable.secret_bytes()).is_err());
    assert!(VerifyingKey::from_bytes(SUITE, stable.verifying_key().as_bytes()).is_err());
}

#[test]
fn policies() {
    let public = KEY.verifying_key();
    let refused = |result: Result<(), Error>| {
        assert!(matches!(result, Err(Error::Refused { .. })), "{result:?}");
    };
    refused(Policy::stable().check_signature(SUITE));
    refused(VerifyingKeyring::new([public]).map(drop));
    let stable = signing_key(1);
    let mut ring = VerifyingKeyring::new([stable.verifying_key()]).unwrap();
    refused(ring.add(public));
    let signature = KEY.sign(CTX, b"message").unwrap();
    refused(ring.verify(CTX, b"message", &signature).map(drop));

    let explicit = Policy::stable().with_signature_suites(SignatureSuite::ALL.iter().copied());
    explicit.check_signature(SUITE).unwrap();
    let mut ring = ring.with_policy(explicit).unwrap();
    ring.add(public).unwrap();
    assert_eq!(ring.verify(CTX, b"message", &signature).unwrap(), public);
    refused(ring.with_policy(Policy::stable()).map(drop));
}

#[test]
fn a_session_signed_with_it() {
    let bob = kem_key(X25519, 1);
    let (hello, mut tx) =
        bob.encapsulation_key().signed_by(&*KEY).sender(CTX).expect("there is randomness");
    let from_us = bob.accepting(KEY.verifying_key());
    let mut rx = from_us.receiver(CTX, &hello).unwrap();
    assert_eq!(&rx.open(&tx.finish(b"hello").unwrap()).unwrap()[..], b"hello");
    assert!(bob.accepting(OTHER.verifying_key()).receiver(CTX, &hello).is_err());
}

/// The same scheme as an object, like any primitive.
#[test]
fn the_suite_as_a_scheme() {
    let scheme = SUITE.scheme(&PORTABLE);
    let pair = scheme.key_pair(KEY.secret_bytes()).unwrap();
    assert_eq!(pair.verifying_key, KEY.verifying_key().as_bytes());
    let signature = pair.signer.sign(CTX, b"message").unwrap();
    verify(&signature).unwrap();
    assert!(signature.len() <= scheme.lengths().signature);
}
