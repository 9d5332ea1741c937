//! What does the caller of a split decapsulation key learn when one of its halves fails, or both?

use std::{
    error::Error as _,
    mem,
    panic::{self, AssertUnwindSafe},
    sync::LazyLock,
    thread,
    time::Duration,
};

use twinseal::{
    Decapsulate, Error, ErrorKind, KemSuite, Unlock,
    kem::{Ciphertext, SharedSecret},
    provider::Decapsulator,
    split::{Half, SplitDecapsulationKey},
};
use zeroize::Zeroizing;

use super::fixture::{DISLIKE, KemCase, KemPlan, Locked, RIGHT_KEM, assert_of_half, panics};
use crate::common::{
    errors::{chain, outcome},
    keys::{CTX, P384, X25519, kem_key},
};

/// What becomes of a half's answer.
#[derive(Clone, Copy)]
enum Fate {
    Right,
    /// A shared secret, with which nothing opens.
    Another,
    /// [`Error::External`] of this half, with a cause that starts so.
    Failed(&'static str),
    /// [`Failed`] if it is X25519's, [`Another`] otherwise.
    Zeros,
}

use Fate::{Another, Failed, Right, Zeros};

impl Fate {
    fn of(self, suite: KemSuite, half: Half) -> Self {
        match self {
            Zeros if suite == X25519 && half == Half::Traditional => Failed(ZERO),
            Zeros => Another,
            other => other,
        }
    }
}

const ZERO: &str = "its shared secret is zero";

const PLANS: [(&str, KemPlan, Fate); 19] = [
    ("is right", RIGHT_KEM, Right),
    ("is late", late, Right),
    ("answers wrong bytes", |_, _, out| answer(out, &[0x5a; 48]), Another),
    ("answers another request", |half, ct, out| half.decapsulate(&elsewhere(ct), out), Another),
    ("dislikes it", |_, _, _| Err(DISLIKE), Another),
    (
        "dislikes it, and answers",
        |half, ct, out| half.decapsulate(ct, out).and(Err(DISLIKE)),
        Another,
    ),
    ("fails", |_, _, _| Err(Error::external(Locked(4))), Failed("slot 4 is locked")),
    ("answers, and fails", and_fails, Failed("slot 4 is locked")),
    ("fails with text", |_, _, _| Err(Error::external("no network")), Failed("no network")),
    ("says Open", |_, _, _| Err(Error::Open), Failed("opening failed")),
    ("says Verify", |_, _, _| Err(Error::Verify), Failed("verification failed")),
    ("has no randomness", |_, _, _| Err(Error::Randomness), Failed("the source of randomness")),
    ("says that it cannot", |_, _, _| Err(Error::Unsupported("ECDH")), Failed("the provider does")),
    ("says a length", |_, _, _| Err(LENGTH), Failed("ciphertext must be 7 bytes")),
    ("panics", |_, _, _| panics("as planned"), Failed("it panicked")),
    ("panics with a number", |_, _, _| panics(7_u8), Failed("it panicked")),
    ("answers, and panics", and_panics, Failed("it panicked")),
    ("answers zeros", |_, _, out| answer(out, &[0; 48]), Zeros),
    ("answers nothing", |_, _, _| Ok(()), Another),
];

const LENGTH: Error = Error::Length { what: "ciphertext", expected: 7, actual: 8 };

fn answer(out: &mut [u8], answer: &[u8]) -> Result<(), Error> {
    out.copy_from_slice(&answer[..out.len()]);
    Ok(())
}

fn late(half: &dyn Decapsulator, ciphertext: &[u8], out: &mut [u8]) -> Result<(), Error> {
    thread::sleep(Duration::from_millis(10));
    half.decapsulate(ciphertext, out)
}

fn and_fails(half: &dyn Decapsulator, ciphertext: &[u8], out: &mut [u8]) -> Result<(), Error> {
    half.decapsulate(ciphertext, out)?;
    Err(Error::external(Locked(4)))
}

fn and_panics(half: &dyn Decapsulator, ciphertext: &[u8], out: &mut [u8]) -> Result<(), Error> {
    half.decapsulate(ciphertext, out)?;
    panics("as planned")
}

/// The same half's part of another ciphertext; the three KEMs differ in its length.
fn elsewhere(ciphertext: &[u8]) -> Vec<u8> {
    static OTHERS: LazyLock<[Ciphertext; 2]> =
        LazyLock::new(|| [X25519, P384].map(KemCase::elsewhere));
    let halves = OTHERS[usize::from(ciphertext.len() == 97)].halves();
    let of_length = [halves.post_quantum, halves.traditional];
    of_length.into_iter().find(|half| half.len() == ciphertext.len()).unwrap().to_vec()
}

fn fate([first, second]: [Fate; 2]) -> Fate {
    match (first, second) {
        (Failed(cause), _) | (_, Failed(cause)) => Failed(cause),
        (Right, Right) => Right,
        _ => Another,
    }
}

/// The first that failed.
fn failed([first, _]: [Fate; 2]) -> Half {
    if matches!(first, Failed(_)) { Half::PostQuantum } else { Half::Traditional }
}

/// Both halves are asked in each case, and the first failure is what the caller learns.
#[test]
fn each_fault_of_each_half_and_of_both() {
    for &suite in KemSuite::ALL {
        let case = KemCase::new(suite);
        let sealed = case.public.seal(CTX, b"hello").unwrap();
        let (ciphertext, sent) = case.public.encapsulate().unwrap();
        for (first, plan_pq, fate_pq) in PLANS {
            for (second, plan_t, fate_t) in PLANS {
                let what = format!("{suite}: the first {first}, the second {second}");
                let (key, witness) = case.split([plan_pq, plan_t]);
                let decapsulated = key.decapsulate(&ciphertext);
                let seen = witness.saw_both();
                let halves = ciphertext.halves();
                assert_eq!(seen[0].input, halves.post_quantum);
                assert_eq!(seen[1].input, halves.traditional);
                let opened = key.open(CTX, &sealed);
                let seen_later = witness.saw_both();
                let apart = asked_apart(&case, &ciphertext, [plan_pq, plan_t]);

                let fates =
                    [fate_pq.of(suite, Half::PostQuantum), fate_t.of(suite, Half::Traditional)];
                for secret in [&decapsulated, &apart] {
                    match (fate(fates), secret) {
                        (Right, Ok(secret)) => {
                            assert_eq!(secret.as_bytes(), sent.as_bytes(), "{what}");
                        }
                        (Another, Ok(secret)) => {
                            assert_ne!(secret.as_bytes(), sent.as_bytes(), "{what}");
                        }
                        (Failed(cause), Err(error)) => {
                            assert_of_half(error, failed(fates), cause, &seen);
                        }
                        (_, outcome) => panic!("{what}: {outcome:?}"),
                    }
                }
                match (fate(fates), opened) {
                    (Right, Ok(opened)) => assert_eq!(&opened[..], b"hello", "{what}"),
                    (Another, Err(Error::Open)) => {}
                    (Failed(cause), Err(error)) => {
                        assert_of_half(&error, failed(fates), cause, &seen_later);
                    }
                    (_, outcome) => panic!("{what}: {outcome:?}"),
                }
            }
        }
    }
}

/// The same in two steps, where the halves are asked by the caller, who catches their panics.
fn asked_apart(
    case: &KemCase,
    ciphertext: &Ciphertext,
    plans: [KemPlan; 2],
) -> Result<SharedSecret, Error> {
    let ask = |half: &dyn Decapsulator, plan: KemPlan, ciphertext: &[u8], length: usize| {
        let mut secret = Zeroizing::new(vec![0xa5; length]);
        panic::catch_unwind(AssertUnwindSafe(|| plan(half, ciphertext, &mut secret)))
            .unwrap_or_else(|_| Err(Error::external("it panicked")))
            .map(|()| secret)
    };
    let length = if case.suite() == P384 { 48 } else { 32 };
    let halves = ciphertext.halves();
    let post_quantum = ask(&*case.right.post_quantum, plans[0], halves.post_quantum, 32);
    let traditional = ask(&*case.right.traditional, plans[1], halves.traditional, length);
    SharedSecret::combine(&case.public, ciphertext, post_quantum, traditional)
}

/// In two steps a half can also answer too little or too much.
#[test]
fn wrong_lengths_in_two_steps() {
    for &suite in KemSuite::ALL {
        let case = KemCase::new(suite);
        let (ciphertext, _) = case.public.encapsulate().unwrap();
        let right = [32, if suite == P384 { 48 } else { 32 }];
        let combine = |lengths: [usize; 2]| {
            let [first, second] = lengths.map(|length| Ok(vec![0x5a_u8; length]));
            SharedSecret::combine(&case.public, &ciphertext, first, second)
        };
        combine(right).unwrap();
        for length in [0, 1, 31, 32, 33, 47, 48, 49, 64, 96, 1568] {
            let cause = |right| format!("shared secret must be {right} bytes long, not {length}");
            if length != right[0] {
                let error = combine([length, right[1]]).unwrap_err();
                assert_of_half(&error, Half::PostQuantum, &cause(right[0]), &[]);
                let error = combine([length, length]).unwrap_err();
                assert_of_half(&error, Half::PostQuantum, &cause(right[0]), &[]);
            }
            if length != right[1] {
                let error = combine([right[0], length]).unwrap_err();
                assert_of_half(&error, Half::Traditional, &cause(right[1]), &[]);
            }
        }
    }
}

/// Whoever has a P-384 half knows a ciphertext to which it answers zeros: they are an answer like any other.
#[test]
fn zeros_are_a_right_answer_of_p384() {
    use p384::{ProjectivePoint, PublicKey, SecretKey, elliptic_curve::sec1::ToSec1Point};
    let whole = kem_key(P384, 5);
    let halves = kem_key(P384, 5).into_halves().unwrap();
    let scalar = SecretKey::from_slice(halves.traditional.secret_bytes()).unwrap();
    // The curve's b is a square, so there is a point with x = 0.
    let compressed = [&[0x02][..], &[0; 48]].concat();
    let zero = PublicKey::from_sec1_bytes(&compressed).unwrap();
    let inverse = scalar.to_nonzero_scalar().invert().unwrap();
    let point = (ProjectivePoint::from(*zero.as_affine()) * inverse).to_affine();
    let (ciphertext, _) = whole.encapsulation_key().encapsulate().unwrap();
    let crafted =
        [ciphertext.halves().post_quantum, point.to_sec1_point(false).as_bytes()].concat();
    let crafted = Ciphertext::from_bytes(P384, &crafted).unwrap();

    let public = whole.encapsulation_key().clone();
    let split =
        SplitDecapsulationKey::new(public, halves.post_quantum.into(), halves.traditional.into());
    let secret = whole.decapsulate(&crafted).unwrap();
    assert_eq!(split.decapsulate(&crafted).unwrap().as_bytes(), secret.as_bytes());
}

/// A panic whose payload panics again when it is dropped.
#[test]
fn a_panic_within_a_panic() {
    struct Bomb(u8);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 > 0 {
                panics::<()>(Self(self.0 - 1));
            }
        }
    }
    let case = KemCase::new(X25519);
    let bomb: KemPlan = |_, _, _| panics(Bomb(3));
    let (key, witness) = case.split([bomb, bomb]);
    let ciphertext = KemCase::elsewhere(X25519);
    let caught = panic::catch_unwind(AssertUnwindSafe(|| key.decapsulate(&ciphertext)));
    let Ok(decapsulated) = caught.map_err(mem::forget) else {
        // The payload is not dropped: in the test harness, it would panic again, and nothing would end.
        panic!("what the half panicked with has reached the caller");
    };
    let error = decapsulated.unwrap_err();
    assert_of_half(&error, Half::PostQuantum, "it panicked", &witness.saw_both());
}

/// A ciphertext of the other suite is refused before any half is asked.
#[test]
fn another_suite() {
    for (suite, other) in [(X25519, P384), (P384, X25519)] {
        let case = KemCase::new(suite);
        let (key, witness) = case.split([RIGHT_KEM; 2]);
        let foreign = KemCase::elsewhere(other);
        let expected = Error::SuiteMismatch {
            what: "ciphertext",
            expected: suite.name(),
            actual: other.name(),
        };
        assert_eq!(key.decapsulate(&foreign).unwrap_err(), expected);
        assert_eq!(witness.taken().len(), 0);
        let secret = || Ok([7; 32]);
        let combined = SharedSecret::combine(&case.public, &foreign, secret(), secret());
        assert_eq!(combined.unwrap_err(), expected);
    }
}

/// The cause of a failure is the value that the half returned, once, and a failure is equal to its clones alone.
#[test]
fn the_cause_is_what_the_half_returned() {
    let case = KemCase::new(X25519);
    let ciphertext = KemCase::elsewhere(X25519);
    let locked: KemPlan = |_, _, _| Err(Error::external(Locked(4)));
    let (key, _) = case.split([RIGHT_KEM, locked]);
    let error = key.decapsulate(&ciphertext).unwrap_err();
    let cause = error.source().unwrap();
    assert!(matches!(cause.downcast_ref(), Some(Locked(4))), "{cause:?}");
    assert!(cause.source().is_none());
    assert_eq!(error, error.clone());
    assert_ne!(error, key.decapsulate(&ciphertext).unwrap_err());

    let (key, _) = case.split([|_, _, _| Err(Error::Randomness), RIGHT_KEM]);
    let error = key.decapsulate(&ciphertext).unwrap_err();
    let cause = error.source().unwrap();
    assert!(matches!(cause.downcast_ref(), Some(Error::Randomness)), "{cause:?}");
    assert!(cause.source().is_none());
    assert_eq!(error.kind(), ErrorKind::Ours);
}

/// `check` finds every fault, and names the half, also a half that dislikes what anyone can see is right.
#[test]
fn check_finds_each_fault() {
    for &suite in KemSuite::ALL {
        let case = KemCase::new(suite);
        for (first, plan_pq, fate_pq) in PLANS {
            for (second, plan_t, fate_t) in PLANS {
                let (key, witness) = case.split([plan_pq, plan_t]);
                let checked = key.check();
                let seen = witness.saw_both();
                let wrong = [(Half::PostQuantum, fate_pq), (Half::Traditional, fate_t)];
                match wrong.into_iter().find(|(_, fate)| !matches!(fate, Right)) {
                    None => assert_eq!(outcome(checked), "Ok"),
                    Some((half, fate)) => {
                        let cause = match fate {
                            Failed(ZERO) | Another | Right | Zeros => "",
                            Failed(cause) => cause,
                        };
                        let error = checked.unwrap_err();
                        assert_of_half(&error, half, cause, &seen);
                        assert!(!chain(&error).is_empty(), "{first}, {second}");
                    }
                }
            }
        }
    }
}

/// A panic of the ordinary kind, with its message in the hook's hands alone.
#[test]
fn a_panic() {
    let case = KemCase::new(X25519);
    let (key, witness) = case.split([|_, _, _| panic!("as planned"), RIGHT_KEM]);
    let error = key.decapsulate(&KemCase::elsewhere(X25519)).unwrap_err();
    assert_of_half(&error, Half::PostQuantum, "it panicked", &witness.saw_both());
    // The key is none the worse.
    assert!(key.decapsulate(&KemCase::elsewhere(X25519)).is_err());
    witness.saw_both();
}
