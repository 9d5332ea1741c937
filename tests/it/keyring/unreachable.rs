//! Which key of a ring is asked next when one cannot be reached?

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, Keyring, Recipients, SigningKey,
    VerifyingKeyring,
    envelope::Header,
    kem::{Ciphertext, SharedSecret},
    provider::PORTABLE,
};

use super::{CTX, key};

/// A key in an HSM that gives a chosen answer, and counts how often it is asked.
struct Hsm {
    key: DecapsulationKey,
    answer: fn() -> Result<(), Error>,
    asked: Arc<AtomicUsize>,
}

impl Decapsulate for Hsm {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.key.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.asked.fetch_add(1, SeqCst);
        (self.answer)()?;
        self.key.decapsulate(ciphertext)
    }
}

/// A ring of such keys, from the primary one on, and what counts for each how often it was asked.
fn hsms(answers: &[fn() -> Result<(), Error>]) -> (Keyring, Vec<Arc<AtomicUsize>>) {
    let mut counts = Vec::new();
    let mut handles = (1..).zip(answers).map(|(number, answer)| -> Arc<dyn Decapsulate> {
        let asked = Arc::new(AtomicUsize::new(0));
        counts.push(Arc::clone(&asked));
        Arc::new(Hsm { key: key(number), answer: *answer, asked })
    });
    let mut ring = Keyring::new(handles.next().unwrap());
    handles.for_each(|handle| ring.add_older(handle).unwrap());
    (ring, counts)
}

fn asked(counts: &[Arc<AtomicUsize>]) -> Vec<usize> {
    counts.iter().map(|count| count.load(SeqCst)).collect()
}

const DOWN: fn() -> Result<(), Error> = || Err(Error::external("no answer from the HSM"));

const DRY: fn() -> Result<(), Error> = || Err(Error::Randomness);

const UP: fn() -> Result<(), Error> = || Ok(());

/// All that opens with a ring, each with its error.
fn opened(ring: &Keyring, sealed: &[u8], to: &Recipients) -> [Option<Error>; 5] {
    let inside = |error: &std::io::Error| Error::inside(error).unwrap().clone();
    let header = Header::parse(sealed).unwrap();
    [
        ring.open(CTX, sealed).err(),
        ring.open_reader(CTX, sealed).err().as_ref().map(inside),
        ring.open_at(CTX, sealed).err().as_ref().map(inside),
        ring.rewrap(to, sealed, std::io::sink()).err().as_ref().map(inside),
        ring.unlock(&header).err(),
    ]
}

#[test]
fn a_key_that_cannot_be_reached_is_passed_over() {
    let to: Vec<_> = (1..=4).map(|number| key(number).encapsulation_key().clone()).collect();
    let to = Recipients::new(&to).unwrap();
    let sealed = to.seal(CTX, b"to all of them").unwrap();
    for (answers, expected) in [
        (&[UP, UP][..], &[1, 0][..]),
        (&[DOWN, UP], &[1, 1]),
        (&[DRY, DOWN, UP, UP], &[1, 1, 1, 0]),
    ] {
        let (ring, counts) = hsms(answers);
        assert!(opened(&ring, &sealed, &to).iter().all(Option::is_none));
        let expected: Vec<_> = expected.iter().map(|count| 5 * count).collect();
        assert_eq!(asked(&counts), expected);
    }
    // If none can be reached, the first error is returned, and each was asked once.
    let (ring, counts) = hsms(&[DRY, DOWN, DOWN]);
    for error in opened(&ring, &sealed, &to) {
        assert!(matches!(error, Some(Error::Randomness)), "{error:?}");
    }
    assert_eq!(asked(&counts), [5, 5, 5]);
}

#[test]
fn wrong_data_is_no_reason_to_ask_another_key() {
    let to: Vec<_> = (1..=3).map(|number| key(number).encapsulation_key().clone()).collect();
    let to = Recipients::new(&to).unwrap();
    let mut sealed = to.seal(CTX, b"to all of them").unwrap();
    let tag = Header::parse(&sealed).unwrap().len() - 1;
    sealed[tag] ^= 1;
    let (ring, counts) = hsms(&[UP, UP, UP]);
    for error in opened(&ring, &sealed, &to) {
        assert!(matches!(error, Some(Error::Open)), "{error:?}");
    }
    assert_eq!(asked(&counts), [5, 0, 0]);
    // The second key judges; nobody asks the third.
    let (ring, counts) = hsms(&[DOWN, UP, UP]);
    for error in opened(&ring, &sealed, &to) {
        assert!(matches!(error, Some(Error::External(_))), "the first error: {error:?}");
    }
    assert_eq!(asked(&counts), [5, 5, 0]);
    // To one key only: there is nobody else to ask.
    let sealed = key(1).encapsulation_key().seal(CTX, b"to one").unwrap();
    let (ring, counts) = hsms(&[DOWN, UP]);
    assert!(matches!(ring.open(CTX, &sealed), Err(Error::External(_))));
    assert_eq!(asked(&counts), [1, 0]);
}

/// A token after another login, a key on another provider: the new handle is used from then on.
#[test]
fn a_new_handle_replaces_the_old_one() {
    let sealed = key(1).encapsulation_key().seal(CTX, b"hello").unwrap();
    let handle = |answer| -> Arc<dyn Decapsulate> {
        Arc::new(Hsm { key: key(1), answer, asked: Arc::default() })
    };
    type Change = fn(&mut Keyring, Arc<dyn Decapsulate>) -> Result<(), Error>;
    let changes: [Change; 2] =
        [|ring, handle| ring.rotate(handle), |ring, handle| ring.add_older(handle)];
    for change in changes {
        // As the primary key.
        let mut ring = Keyring::new(handle(DOWN));
        ring.add_older(key(2)).unwrap();
        change(&mut ring, handle(UP)).unwrap();
        ring.open(CTX, &sealed).unwrap();
        assert_eq!(ring.keys().count(), 2);
        assert_eq!(ring.primary(), key(1).encapsulation_key());
        // As an older one.
        let mut ring = Keyring::new(key(2));
        ring.add_older(key(3)).unwrap();
        ring.add_older(handle(DOWN)).unwrap();
        ring.add_older(key(4)).unwrap();
        change(&mut ring, handle(UP)).unwrap();
        ring.open(CTX, &sealed).unwrap();
        assert_eq!(ring.keys().count(), 4);
    }
    // In its place.
    let mut ring = Keyring::new(key(2));
    (3..6).for_each(|number| ring.add_older(key(number)).unwrap());
    let before: Vec<_> = ring.keys().cloned().collect();
    ring.add_older(key(4)).unwrap();
    assert!(ring.keys().eq(&before));

    let mut ring = Keyring::new(key(1).on(&PORTABLE).unwrap());
    ring.rotate(key(1)).unwrap();
    assert_eq!(ring.primary().provider().name, key(1).provider().name);
    ring.add_older(key(1).on(&PORTABLE).unwrap()).unwrap();
    assert_eq!(ring.primary().provider().name, "portable");

    let [alice, bob] = [(); 2].map(|()| SigningKey::generate().unwrap());
    let mut ring = VerifyingKeyring::new([alice.verifying_key(), bob.verifying_key()]).unwrap();
    ring.add(&alice.verifying_key().on(&PORTABLE).unwrap()).unwrap();
    assert!(ring.keys().eq([alice.verifying_key(), bob.verifying_key()]));
    assert_eq!(ring.keys().next().unwrap().provider().name, "portable");
    ring.add(alice.verifying_key()).unwrap();
    assert_eq!(ring.keys().next().unwrap().provider().name, alice.provider().name);
}
