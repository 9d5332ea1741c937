//! Does every provider accept what any other makes?

use std::io::{Read, Write};

use twinseal::{
    DecapsulationKey, Error, KemSuite, Recipients, Signature, SignatureSuite, SigningKey, hazmat,
    kem::Ciphertext, provider::Provider, stream::SealWriter,
};

use super::{PROVIDERS, pairs, same_on_all};
use crate::common::{
    errors::outcome,
    keys::{CTX, P384, X25519, kem_key, signing_key},
};

const CHUNK: usize = 16 * 1024;

/// Lengths around the ends of chunks.
const LENGTHS: [usize; 6] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 77];

fn message(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 7 + index / 251) as u8).collect()
}

#[test]
fn key_encapsulation() {
    for (a, b) in pairs() {
        for &suite in KemSuite::ALL {
            let key = kem_key(suite, 1).on(b).unwrap();
            let public = kem_key(suite, 1).encapsulation_key().on(a).unwrap();
            for _ in 0..5 {
                let (ciphertext, sent) = public.encapsulate().unwrap();
                let ciphertext = Ciphertext::from_bytes(suite, ciphertext.as_bytes()).unwrap();
                let received = key.decapsulate(&ciphertext).unwrap();
                assert_eq!(sent.as_bytes(), received.as_bytes());
                let others = kem_key(suite, 2).on(b).unwrap().decapsulate(&ciphertext).unwrap();
                assert_ne!(sent.as_bytes(), others.as_bytes());
            }
        }
    }
}

/// A fixed key where the suite has one.
fn key_of(suite: SignatureSuite) -> SigningKey {
    if suite == SignatureSuite::ML_DSA_87_ECDSA_P384 {
        signing_key(1)
    } else {
        SigningKey::generate_for(suite).unwrap()
    }
}

#[test]
fn signatures() {
    for suite in SignatureSuite::ALL.iter().copied() {
        let key = key_of(suite);
        let secret = key.secret_bytes();
        for (a, b) in pairs() {
            let signer = SigningKey::from_bytes(suite, secret).unwrap().on(a).unwrap();
            let public = key.verifying_key().on(b).unwrap();
            for message in [message(0), message(1), message(100_000)] {
                let signature = signer.sign(CTX, &message).unwrap();
                let signature = Signature::from_bytes(suite, signature.as_bytes()).unwrap();
                public.verify(CTX, &message, &signature).unwrap();
                public.verify_reader(CTX, &message[..], &signature).unwrap();
                let by_reader = signer.sign_reader(CTX, &message[..]).unwrap();
                public.verify(CTX, &message, &by_reader).unwrap();

                let other = public.verify(b"example.com/other", &message, &signature);
                assert_eq!(outcome(other), "Verify");
                let other = public.verify(CTX, b"another", &signature);
                assert_eq!(outcome(other), "Verify");
            }
        }
    }
}

#[test]
fn envelopes() {
    for (a, b) in pairs() {
        for &suite in KemSuite::ALL {
            let key = kem_key(suite, 1).on(b).unwrap();
            let public = key.encapsulation_key().on(a).unwrap();
            for length in LENGTHS {
                let sealed = public.seal(CTX, &message(length)).unwrap();
                assert!(key.open(CTX, &sealed).unwrap()[..] == message(length));
                for changed in [0, sealed.len() / 2, sealed.len() - 1] {
                    let mut other = sealed.clone();
                    other[changed] ^= 0x10;
                    assert!(key.open(CTX, &other).is_err());
                }
                assert_eq!(outcome(key.open(b"example.com/other", &sealed)), "Open");
            }
        }
    }
}

/// One key of each suite on each provider, and one more of which only the public half is.
fn keys_on_all() -> Vec<DecapsulationKey> {
    let suites = [X25519, P384].into_iter();
    let keys =
        suites.flat_map(|suite| PROVIDERS.into_iter().map(move |provider| (suite, provider)));
    keys.zip(1..)
        .map(|((suite, provider), number)| kem_key(suite, number).on(provider).unwrap())
        .collect()
}

#[test]
fn recipients_on_different_providers() {
    let keys = keys_on_all();
    let public = || keys.iter().map(DecapsulationKey::encapsulation_key);
    let sealed = Recipients::new(public()).unwrap().seal(CTX, &message(40_000)).unwrap();
    for key in &keys {
        assert!(key.open(CTX, &sealed).unwrap()[..] == message(40_000));
    }
    // Each seals for all of them, too: the first in the header's order decides about the body.
    for provider in *PROVIDERS {
        let moved: Vec<_> = public().map(|key| key.on(provider).unwrap()).collect();
        let sealed = Recipients::new(&moved).unwrap().seal(CTX, b"hello").unwrap();
        for key in &keys {
            assert_eq!(&key.open(CTX, &sealed).unwrap()[..], b"hello");
        }
    }
    let stranger = kem_key(X25519, 99);
    assert!(matches!(stranger.open(CTX, &sealed), Err(Error::NotARecipient)));
}

#[test]
fn the_same_randomness_gives_the_same_envelope() {
    let encapsulations = [&[3; 64][..], &[4; 80]];
    for length in LENGTHS {
        let randomness = hazmat::SealRandomness {
            content_key: [1; 32],
            salt: [2; 24],
            encapsulations: &encapsulations,
        };
        let sealed = same_on_all("an envelope", |provider| {
            let keys = [X25519, P384]
                .map(|suite| kem_key(suite, 1).encapsulation_key().on(provider).unwrap());
            let recipients = Recipients::new(&keys).unwrap();
            let by_writer = hazmat::seal_writer(&recipients, CTX, &randomness, Vec::new()).unwrap();
            let by_writer = write(by_writer, &message(length));
            let sealed = hazmat::seal(&recipients, CTX, &message(length), &randomness).unwrap();
            assert!(sealed == by_writer);
            sealed
        });
        assert!(kem_key(P384, 1).open(CTX, &sealed).unwrap()[..] == message(length));
    }
}

fn write(mut writer: SealWriter<Vec<u8>>, message: &[u8]) -> Vec<u8> {
    for part in message.chunks(10_000) {
        writer.write_all(part).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn streams() {
    for (a, b) in pairs() {
        let key = kem_key(X25519, 1).on(b).unwrap();
        let public = key.encapsulation_key().on(a).unwrap();
        for length in LENGTHS {
            let message = message(length);
            let sealed = write(public.seal_writer(CTX, Vec::new()).unwrap(), &message);
            assert_read(&key, &sealed, &message);
            assert_random_access(&key, &sealed, &message);
            assert!(key.open(CTX, &sealed).unwrap()[..] == message);
            // And what was sealed in memory is read as a stream.
            assert_read(&key, &public.seal(CTX, &message).unwrap(), &message);
            assert_cut_off(&key, &sealed);
        }
    }
}

fn assert_read(key: &DecapsulationKey, sealed: &[u8], message: &[u8]) {
    let mut plaintext = Vec::new();
    key.open_reader(CTX, sealed).unwrap().read_to_end(&mut plaintext).unwrap();
    assert!(plaintext == message);
}

fn assert_random_access(key: &DecapsulationKey, sealed: &[u8], message: &[u8]) {
    let body = key.open_at(CTX, sealed).unwrap();
    assert_eq!(body.len(), message.len() as u64);
    for (start, length) in [(0, message.len()), (CHUNK - 5, 10), (3 * CHUNK, 2 * CHUNK), (0, 0)] {
        let mut part = vec![0; length];
        let result = body.read_exact_at(&mut part, start as u64);
        match message.get(start..start + length) {
            Some(expected) => {
                result.unwrap();
                assert!(part == expected);
            }
            None => assert!(result.is_err()),
        }
    }
}

fn assert_cut_off(key: &DecapsulationKey, sealed: &[u8]) {
    let mut plaintext = Vec::new();
    let mut reader = key.open_reader(CTX, &sealed[..sealed.len() - 1]).unwrap();
    let error = reader.read_to_end(&mut plaintext).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

#[cfg(feature = "rayon")]
#[test]
fn parallel_streams() {
    let message = message(3_000_000);
    for (a, b) in pairs() {
        let key = kem_key(X25519, 1).on(b).unwrap();
        let public = key.encapsulation_key().on(a).unwrap();
        let mut writer = public.seal_writer(CTX, Vec::new()).unwrap().parallel();
        writer.write_all(&message).unwrap();
        let sealed = writer.finish().unwrap();
        assert_read(&key, &sealed, &message);
        let mut plaintext = Vec::new();
        let mut reader = key.open_reader(CTX, &sealed[..]).unwrap().parallel();
        reader.read_to_end(&mut plaintext).unwrap();
        assert!(plaintext == message);
    }
}

#[test]
fn sessions() {
    for &suite in KemSuite::ALL {
        for (a, b) in pairs() {
            session(suite, a, b);
        }
    }
}

/// A signed session from keys on `a` to keys on `b`, and its reply.
fn session(suite: KemSuite, a: &'static Provider, b: &'static Provider) {
    let bob = kem_key(suite, 1).on(b).unwrap();
    let to_bob = bob.encapsulation_key().on(a).unwrap();
    let alice = signing_key(1).on(a).unwrap();
    let from_alice = alice.verifying_key().on(b).unwrap();

    let (hello, mut tx) = to_bob.signed_by(&alice).sender(CTX).unwrap();
    let mut rx = bob.accepting(&from_alice).receiver(CTX, &hello).unwrap();
    assert_eq!(tx.session_id(), rx.session_id());
    assert_eq!(rx.signer(), Some(alice.verifying_key().key_id()));
    for length in LENGTHS {
        let sealed = tx.seal_with_aad(b"aad", &message(length)).unwrap();
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(outcome(rx.open_with_aad(b"aad", &changed)), "Open");
        assert_eq!(outcome(rx.open_with_aad(b"dad", &sealed)), "Open");
        assert!(rx.open_with_aad(b"aad", &sealed).unwrap()[..] == message(length));

        let mut buffer = message(length);
        let detached = tx.seal_in_place(b"aad", &mut buffer).unwrap();
        rx.open_in_place(b"aad", &mut buffer, &detached).unwrap();
        assert!(buffer == message(length));
    }

    let (nonce, mut answer) = rx.reply().unwrap();
    let mut answers = tx.accept_reply(nonce).unwrap();
    for length in LENGTHS {
        let sealed = answer.seal(&message(length)).unwrap();
        assert!(answers.open(&sealed).unwrap()[..] == message(length));
    }
    answers.open(&answer.finish(b"").unwrap()).unwrap();
    rx.open(&tx.finish(b"last").unwrap()).unwrap();
    assert!(rx.is_finished() && answers.is_finished());

    let (hello, mut tx) = to_bob.sender(CTX).unwrap();
    let mut rx = bob.receiver(CTX, &hello).unwrap();
    assert_eq!(&rx.open(&tx.seal(b"unsigned").unwrap()).unwrap()[..], b"unsigned");
    let mallory = signing_key(2);
    let (hello, _) = to_bob.signed_by(&mallory).sender(CTX).unwrap();
    assert!(bob.accepting(&from_alice).receiver(CTX, &hello).is_err());
}
