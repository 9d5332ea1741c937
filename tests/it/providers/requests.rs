//! Does every provider accept the requests that any other makes, and open its answers?

use std::io::{Read, Write};

use twinseal::{
    Error, KemSuite,
    hazmat::{self, RequestRandomness},
    provider::Provider,
    request::{AllowReplays, RequestTime, attach, detach},
};

use super::{pairs, same_on_all};
use crate::common::{
    errors::outcome,
    keys::{CTX, P384, X25519, kem_key, signing_key},
};

const CHUNK: usize = 16 * 1024;

/// Lengths around the ends of chunks.
const LENGTHS: [usize; 5] = [0, 1, CHUNK - 1, CHUNK, 3 * CHUNK + 77];

fn message(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 5 + index / 251) as u8).collect()
}

#[test]
fn requests() {
    for (a, b) in pairs() {
        for &suite in KemSuite::ALL {
            unsigned(suite, a, b);
            signed(suite, a, b);
        }
    }
}

/// From keys on `a` to keys on `b`, answered whole.
fn unsigned(suite: KemSuite, a: &'static Provider, b: &'static Provider) {
    let bob = kem_key(suite, 1).on(b).unwrap();
    let to_bob = bob.encapsulation_key().on(a).unwrap();
    for length in LENGTHS {
        let (request, pending) = to_bob.request(CTX, &message(length)).unwrap();
        for changed in [40, request.len() - 1] {
            let mut other = request.clone();
            other[changed] ^= 0x10;
            assert!(bob.accept(CTX, &other, &AllowReplays).is_err());
        }
        let elsewhere = bob.accept(b"example.com/other", &request, &AllowReplays);
        assert_eq!(outcome(elsewhere), "Open");
        let (plaintext, asked) = bob.accept(CTX, &request, &AllowReplays).unwrap();
        assert!(plaintext[..] == message(length));
        assert_eq!(asked.id(), pending.id());

        let answer = asked.answer(&message(length + 1)).unwrap();
        let mut changed = answer.clone();
        *changed.last_mut().unwrap() ^= 1;
        let failed = pending.open(&changed).unwrap_err();
        assert_eq!(failed.error, Error::Open);
        assert!(failed.pending.open(&answer).unwrap()[..] == message(length + 1));
    }
}

/// As streams, signed, with the signature beside it, and answered in pieces.
fn signed(suite: KemSuite, a: &'static Provider, b: &'static Provider) {
    let bob = kem_key(suite, 1).on(b).unwrap();
    let to_bob = bob.encapsulation_key().on(a).unwrap();
    let alice = signing_key(1).on(a).unwrap();
    let from_alice = alice.verifying_key().on(b).unwrap();
    let accepting = bob.accepting(&from_alice);

    let mut writer = to_bob.signed_by(&alice).request_writer(CTX, Vec::new()).unwrap();
    writer.write_all(&message(40_000)).unwrap();
    let (mut request, pending) = writer.finish().unwrap();
    let signature = detach(&mut request).unwrap();
    assert_eq!(outcome(accepting.accept(CTX, &request, &AllowReplays)), "Unsigned");
    attach(&mut request, &signature).unwrap();

    let mut reader = accepting.accept_reader(CTX, &request[..], &AllowReplays).unwrap();
    let mut plaintext = Vec::new();
    reader.read_to_end(&mut plaintext).unwrap();
    assert!(plaintext == message(40_000));
    let asked = reader.finish().unwrap();
    assert_eq!(asked.signer(), Some(alice.verifying_key().key_id()));

    let (mut answer, mut sealer) = asked.piece_sealer().unwrap();
    for length in LENGTHS {
        answer.extend(sealer.piece(&message(length)).unwrap());
    }
    answer.extend(sealer.finish(b"last").unwrap());
    let mut reader = pending.piece_reader(&answer[..]);
    for length in LENGTHS {
        assert!(reader.next().unwrap().unwrap()[..] == message(length));
    }
    assert_eq!(&reader.next().unwrap().unwrap()[..], b"last");
    assert!(reader.next().is_none());

    let mallory = signing_key(2);
    let (request, _) = to_bob.signed_by(&mallory).request(CTX, b"hello").unwrap();
    assert_eq!(outcome(accepting.accept(CTX, &request, &AllowReplays)), "Verify");
    let (request, _) = to_bob.request(CTX, b"hello").unwrap();
    assert_eq!(outcome(accepting.accept(CTX, &request, &AllowReplays)), "Unsigned");
}

#[test]
fn the_same_randomness_gives_the_same_request_and_answers() {
    for (suite, encapsulation) in [(X25519, &[3; 64][..]), (P384, &[4; 80])] {
        let randomness = RequestRandomness {
            time: RequestTime::from_millis(5).unwrap(),
            encapsulation,
            salt: [2; 24],
        };
        for length in LENGTHS {
            let all = same_on_all("a request and its answers", |provider| {
                let key = kem_key(suite, 1).on(provider).unwrap();
                let to = key.encapsulation_key();
                let (request, pending) =
                    hazmat::request(to, None, CTX, &message(length), &randomness).unwrap();
                let asked = || {
                    let (plaintext, asked) = key.accept(CTX, &request, &AllowReplays).unwrap();
                    assert!(plaintext[..] == message(length));
                    asked
                };
                let answer = hazmat::answer(asked(), &[5; 24], &message(length)).unwrap();
                let (start, sealer) = hazmat::piece_sealer(asked(), &[6; 32]).unwrap();
                let pieces = [start, sealer.finish(&message(length)).unwrap()].concat();
                assert!(pending.open(&answer).unwrap()[..] == message(length));
                (request, answer, pieces)
            });
            assert!(kem_key(suite, 1).accept(CTX, &all.0, &AllowReplays).is_ok());
        }
    }
}
