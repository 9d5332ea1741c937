//! Does the sender of a changed ciphertext learn whether a half of the key disliked it, or merely gave another secret?

use std::{io::Read, ops::Range};

use p384::elliptic_curve::sec1::ToSec1Point;
use twinseal::{
    Decapsulate, Error, ErrorKind, KemSuite, Keyring, Recipients, Unlock,
    envelope::Header,
    kem::{Ciphertext, SharedSecret},
    request::{AllowReplays, RequestHead},
    split::SplitDecapsulationKey,
};

use super::fixture::{DISLIKE, KemCase, KemPlan, RIGHT_KEM};
use crate::common::{
    errors::chain,
    keys::{CTX, P384, X25519, kem_key, signing_key},
};

const DISLIKES: KemPlan = |_, _, _| Err(DISLIKE);
const WRONG: KemPlan = |_, _, out| {
    out.fill(0x5a);
    Ok(())
};
/// Its own part of the ciphertext with which it was first asked.
const ANOTHER: KemPlan = |half, ciphertext, out| {
    let suite = if ciphertext.len() == 97 { P384 } else { X25519 };
    let other = KemCase::elsewhere(suite);
    let halves = other.halves();
    let of_length = [halves.post_quantum, halves.traditional];
    half.decapsulate(
        of_length.into_iter().find(|half| half.len() == ciphertext.len()).unwrap(),
        out,
    )
};

/// Everything that is sent to a key.
#[derive(Clone)]
struct Sent {
    envelope: Vec<u8>,
    hello: Vec<u8>,
    message: Vec<u8>,
    request: Vec<u8>,
    signed_hello: Vec<u8>,
    signed_message: Vec<u8>,
    signed_request: Vec<u8>,
}

impl Sent {
    fn to(case: &KemCase) -> Self {
        let public = &case.public;
        let alice = signing_key(1);
        let (hello, mut tx) = public.sender(CTX).unwrap();
        let (signed_hello, mut signed_tx) = public.signed_by(&alice).sender(CTX).unwrap();
        Self {
            envelope: public.seal(CTX, b"hello").unwrap(),
            hello,
            message: tx.seal(b"hello").unwrap(),
            request: public.request(CTX, b"hello").unwrap().0,
            signed_hello,
            signed_message: signed_tx.seal(b"hello").unwrap(),
            signed_request: public.signed_by(&alice).request(CTX, b"hello").unwrap().0,
        }
    }

    /// The parts that nobody signed, so that anyone can change their ciphertexts.
    fn unsigned(&mut self) -> [&mut Vec<u8>; 3] {
        [&mut self.envelope, &mut self.hello, &mut self.request]
    }
}

/// How each way of opening what nobody signed ends, and what a decapsulation of its own it takes.
fn opened(keys: &(impl Unlock + ?Sized), sent: &Sent) -> Vec<(&'static str, Result<(), Error>)> {
    let inside = |error: std::io::Error| Error::inside(&error).unwrap().clone();
    let header = Header::parse(&sent.envelope).unwrap();
    let other = kem_key(X25519, 9);
    let to = Recipients::new([other.encapsulation_key()]).unwrap();
    let head = RequestHead::parse(&sent.request).unwrap();
    let receive = |hello: &[u8], message: &[u8]| keys.receiver(CTX, hello)?.open(message).map(drop);
    vec![
        ("open", keys.open(CTX, &sent.envelope).map(drop)),
        ("open_reader", read(keys.open_reader(CTX, &sent.envelope[..])).map_err(inside)),
        ("open_at", keys.open_at(CTX, &sent.envelope).map(drop).map_err(inside)),
        ("unlock", keys.unlock(&header).map(drop)),
        ("rewrap_header", keys.rewrap_header(&to, &header).map(drop)),
        ("receiver", receive(&sent.hello, &sent.message)),
        ("accept", keys.accept(CTX, &sent.request, &AllowReplays).map(drop)),
        ("accept_reader", {
            let reader = keys.accept_reader(CTX, &sent.request[..], &AllowReplays);
            read(reader).map_err(inside)
        }),
        ("accept_head", {
            let body = &sent.request[head.len()..];
            let unlocked = keys.accept_head(CTX, head).unwrap().unlock();
            unlocked.and_then(|unlocked| unlocked.open(body)).map(drop)
        }),
    ]
}

fn read<R: Read>(reader: std::io::Result<R>) -> std::io::Result<()> {
    reader?.read_to_end(&mut Vec::new()).map(drop)
}

/// The same of what Alice signed.
fn opened_signed(
    keys: &(impl Unlock + ?Sized),
    sent: &Sent,
) -> Vec<(&'static str, Result<(), Error>)> {
    let alice = signing_key(1).verifying_key().clone();
    let from_alice = keys.accepting(&alice);
    let receive =
        || from_alice.receiver(CTX, &sent.signed_hello)?.open(&sent.signed_message).map(drop);
    vec![
        ("signed hello", receive()),
        ("signed request", from_alice.accept(CTX, &sent.signed_request, &AllowReplays).map(drop)),
    ]
}

/// All that a caller can see of an error.
fn face(error: &Error) -> (ErrorKind, String, String, std::io::ErrorKind) {
    let text = format!("{error:?} {error:#?}");
    let io = std::io::Error::from(error.clone());
    (error.kind(), text, format!("{} {io} {io:?}", chain(error)), io.kind())
}

/// Each is the one error, in everything that can be seen of it.
#[track_caller]
fn assert_all_open(what: &str, outcomes: Vec<(&'static str, Result<(), Error>)>) {
    for (way, outcome) in outcomes {
        let error = outcome.expect_err(way);
        assert_eq!(error, Error::Open, "{what}: {way}");
        assert_eq!(face(&error), face(&Error::Open), "{what}: {way}");
    }
}

/// Where a part of a ciphertext is.
fn find(bytes: &[u8], part: &[u8]) -> Range<usize> {
    let start = bytes.windows(part.len()).position(|window| window == part).unwrap();
    start..start + part.len()
}

/// Other values for ML-KEM's part: one bit is another, all over it.
fn other_ml_kem(part: &[u8]) -> Vec<Vec<u8>> {
    let flipped = |bit: usize| {
        let mut other = part.to_vec();
        other[bit / 8] ^= 1 << (bit % 8);
        other
    };
    (0..8 * part.len()).step_by(397).chain([8 * part.len() - 1]).map(flipped).collect()
}

/// Other values for the traditional part, of those that pass the public checks: every bit that does, and for P-384 the
/// point with the same x coordinate, which gives the same shared secret.
fn other_traditional(part: &[u8]) -> Vec<Vec<u8>> {
    if let Ok(point) = p384::PublicKey::from_sec1_bytes(part) {
        let negated = p384::PublicKey::try_from(-point.to_projective()).unwrap();
        let negated = negated.to_sec1_point(false).as_bytes().to_vec();
        assert_eq!(negated[..49], part[..49]);
        let another = KemCase::elsewhere(P384).halves().traditional.to_vec();
        return vec![negated, another];
    }
    let flipped = |bit: usize| {
        let mut other = part.to_vec();
        other[bit / 8] ^= 1 << (bit % 8);
        other
    };
    let passes = |other: &Vec<u8>| {
        let bytes = [&[0; 1568], &other[..]].concat();
        Ciphertext::from_bytes(X25519, &bytes).is_ok()
    };
    let others: Vec<_> = (0..255).step_by(7).chain([254]).map(flipped).filter(passes).collect();
    assert!(others.len() > 30);
    others
}

/// Halves that are right, dislike what they get, or give another secret.
const WRONGS: [(&str, KemPlan); 3] =
    [("dislikes", DISLIKES), ("wrong", WRONG), ("answer to another request", ANOTHER)];

/// A changed ciphertext with right halves, with one that dislikes it, and with a whole key.
#[test]
fn changed_ciphertexts() {
    for &suite in KemSuite::ALL {
        let case = KemCase::new(suite);
        let sent = Sent::to(&case);
        let (right, witness) = case.split([RIGHT_KEM; 2]);
        let outcomes = opened(&right, &sent).into_iter().chain(opened_signed(&right, &sent));
        outcomes.for_each(|(way, outcome)| assert_eq!(outcome, Ok(()), "{way}"));
        // What was asked for, in the order of the ways above: where the ciphertexts are.
        let asked = witness.taken();
        let parts = |way: usize| [&asked[2 * way].input, &asked[2 * way + 1].input];
        let parts = [parts(0), parts(5), parts(6)]; // of the envelope, the hello and the request
        for half in 0..2 {
            let others = |part: &[u8]| {
                if half == 0 { other_ml_kem(part) } else { other_traditional(part) }
            };
            let others = parts.map(|parts| others(parts[half]));
            let count = others.iter().map(Vec::len).min().unwrap();
            for number in 0..count {
                let mut changed = sent.clone();
                for ((bytes, part), others) in
                    changed.unsigned().into_iter().zip(parts).zip(&others)
                {
                    let at = find(bytes, part[half]);
                    bytes[at].copy_from_slice(&others[number]);
                }
                let what = format!("{suite}, half {half}, change {number}");
                assert_all_open(&what, opened(&right, &changed));
                for (plan, plans) in [
                    ("the first dislikes it", [DISLIKES, RIGHT_KEM]),
                    ("the second dislikes it", [RIGHT_KEM, DISLIKES]),
                    ("both dislike it", [DISLIKES; 2]),
                ] {
                    // Each way is the same code below the first: one is enough for most changes.
                    if number % 5 == 0 {
                        let (key, _) = case.split(plans);
                        assert_all_open(&format!("{what}: {plan}"), opened(&key, &changed));
                    }
                }
                if number % 5 == 0 {
                    assert_all_open(&format!("{what}: whole"), opened(&case.whole, &changed));
                }
            }
        }
    }
}

/// What is as it was sent, with halves that are not. `holder` is who opens it with the key.
fn with_wrong_halves<Keys: Unlock>(holder: impl Fn(SplitDecapsulationKey) -> Keys) {
    for &suite in KemSuite::ALL {
        let case = KemCase::new(suite);
        let sent = Sent::to(&case);
        for (name, wrong) in WRONGS {
            for plans in [[wrong, RIGHT_KEM], [RIGHT_KEM, wrong], [wrong; 2]] {
                let (key, witness) = case.split(plans);
                let keys = holder(key);
                let unsigned = opened(&keys, &sent);
                let signed = opened_signed(&keys, &sent);
                let count = unsigned.len() + signed.len();
                assert_eq!(witness.taken().len(), 2 * count, "both halves, once for each");
                assert_all_open(name, unsigned);
                assert_all_open(name, signed);
            }
        }
    }
}

#[test]
fn wrong_halves() {
    with_wrong_halves(|key| key);
}

/// In a ring, where the key is neither the first nor the last, nothing is tried again with another key.
#[test]
fn rings() {
    with_wrong_halves(|key| {
        let mut ring = Keyring::new(kem_key(X25519, 7));
        ring.add_older(key).unwrap();
        ring.add_older(kem_key(P384, 8)).unwrap();
        ring
    });
}

/// An envelope for two keys of a ring, whose first disliked its ciphertext, is not opened with the second: that the
/// first failed must not show.
#[test]
fn the_next_recipient_is_not_tried() {
    let case = KemCase::new(X25519);
    let other = kem_key(P384, 8);
    let to = Recipients::new([&case.public, other.encapsulation_key()]).unwrap();
    let sealed = to.seal(CTX, b"hello").unwrap();
    let outcomes =
        [[RIGHT_KEM; 2], [DISLIKES, RIGHT_KEM], [RIGHT_KEM, DISLIKES], [WRONG, RIGHT_KEM]].map(
            |plans| {
                let (key, witness) = case.split(plans);
                let mut ring = Keyring::new(key);
                ring.add_older(kem_key(P384, 8)).unwrap();
                let opened = ring.open(CTX, &sealed).map(|opened| opened.to_vec());
                witness.saw_both();
                opened
            },
        );
    assert_eq!(outcomes[0], Ok(b"hello".to_vec()));
    for outcome in &outcomes[1..] {
        assert_eq!(*outcome, Err(Error::Open));
    }
}

/// What takes the place of a disliked half's secret is new each time, so that nothing can be learnt from two.
#[test]
fn substitutes_are_fresh() {
    for &suite in KemSuite::ALL {
        let case = KemCase::new(suite);
        let ciphertext = KemCase::elsewhere(suite);
        let right = case.whole.decapsulate(&ciphertext).unwrap();
        let mut seen = vec![right.as_bytes().to_vec()];
        for plans in [[DISLIKES, RIGHT_KEM], [RIGHT_KEM, DISLIKES], [DISLIKES; 2]] {
            let (key, _) = case.split(plans);
            seen.extend((0..5).map(|_| key.decapsulate(&ciphertext).unwrap().as_bytes().to_vec()));
        }
        let disliked = || Err::<[u8; 32], _>(DISLIKE);
        for _ in 0..5 {
            let apart = SharedSecret::combine(&case.public, &ciphertext, disliked(), disliked());
            seen.push(apart.unwrap().as_bytes().to_vec());
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count, "a secret came twice");
    }
}
