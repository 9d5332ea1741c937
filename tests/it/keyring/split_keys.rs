//! Can keys whose halves are in different places be in a ring, and be shared, as those in memory are?

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use twinseal::{
    DecapsulationKey, Error, Keyring, Sign, SigningKey, VerifyingKeyring,
    keyring::Shared,
    provider::{Decapsulator, SchemeSigner},
    split::{Half, SplitDecapsulationKey, SplitSigningKey},
};

use super::{CTX, key, shared::SetOnDrop};
use crate::common::{
    keys::signing_key,
    process::{Watch, wait_until},
};

/// A half that counts how often it is asked, and may be out of reach.
struct Counted<Operation: ?Sized> {
    count: Arc<AtomicUsize>,
    is_reachable: Arc<AtomicBool>,
    inner: Box<Operation>,
}

impl<Operation: ?Sized> Counted<Operation> {
    fn ask(&self) -> Result<&Operation, Error> {
        self.count.fetch_add(1, SeqCst);
        let unreachable = Error::external("the token is gone");
        if self.is_reachable.load(SeqCst) { Ok(&self.inner) } else { Err(unreachable) }
    }
}

impl Decapsulator for Counted<dyn Decapsulator> {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        self.ask()?.decapsulate(ciphertext, shared_secret)
    }
}

impl SchemeSigner for Counted<dyn SchemeSigner> {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.ask()?.sign(context, message)
    }
}

/// Two tokens.
struct Tokens {
    counts: [Arc<AtomicUsize>; 2],
    are_reachable: Arc<AtomicBool>,
}

impl Tokens {
    fn new() -> Self {
        Self { counts: Default::default(), are_reachable: Arc::new(AtomicBool::new(true)) }
    }

    fn counted<Operation: ?Sized>(
        &self,
        token: usize,
        inner: Box<Operation>,
    ) -> Counted<Operation> {
        let count = Arc::clone(&self.counts[token]);
        Counted { count, is_reachable: Arc::clone(&self.are_reachable), inner }
    }

    fn hold(&self, key: DecapsulationKey) -> SplitDecapsulationKey {
        let public = key.encapsulation_key().clone();
        let halves = key.into_halves().unwrap();
        let [first, second] = [halves.post_quantum, halves.traditional].map(Into::into);
        let [first, second] = [self.counted(0, first), self.counted(1, second)];
        SplitDecapsulationKey::new(public, Box::new(first), Box::new(second))
    }

    fn hold_signing(&self, key: SigningKey) -> SplitSigningKey {
        let public = key.verifying_key().clone();
        let halves = key.into_halves().unwrap();
        let [first, second] = [halves.post_quantum, halves.traditional].map(Into::into);
        let [first, second] = [self.counted(0, first), self.counted(1, second)];
        SplitSigningKey::new(public, Box::new(first), Box::new(second))
    }

    /// How often each was asked since the last call.
    fn asked(&self) -> [usize; 2] {
        self.counts.each_ref().map(|count| count.swap(0, SeqCst))
    }
}

#[test]
fn a_ring_of_a_split_key_and_one_in_memory() {
    let tokens = Tokens::new();
    let mut ring = Keyring::new(key(1));
    ring.rotate(tokens.hold(key(2))).unwrap();
    let [old, new] =
        [1, 2].map(|number| key(number).encapsulation_key().seal(CTX, b"hello").unwrap());
    assert_eq!(tokens.asked(), [0, 0]);
    assert_eq!(&ring.open(CTX, &old).unwrap()[..], b"hello");
    assert_eq!(tokens.asked(), [0, 0]);
    assert_eq!(&ring.open(CTX, &new).unwrap()[..], b"hello");
    assert_eq!(tokens.asked(), [1, 1]);
    assert!(matches!(ring.to_pem(), Err(Error::Unsupported(_))));

    // To both: while the tokens are out of reach, the key in memory opens it.
    let keys: Vec<_> = ring.keys().cloned().collect();
    let both = twinseal::Recipients::new(&keys).unwrap().seal(CTX, b"hello").unwrap();
    tokens.are_reachable.store(false, SeqCst);
    assert_eq!(&ring.open(CTX, &both).unwrap()[..], b"hello");
    assert_eq!(tokens.asked(), [1, 1]);
    match ring.open(CTX, &new) {
        Err(Error::External(failure)) => assert_eq!(failure.half(), Some(Half::PostQuantum)),
        other => panic!("{other:?}"),
    }

    // The same key in memory and in tokens is one key: the newer handle counts.
    ring.add_older(key(2)).unwrap();
    assert_eq!(&ring.open(CTX, &new).unwrap()[..], b"hello");
    assert_eq!(ring.keys().count(), 2);
    ring.add_older(tokens.hold(key(1))).unwrap();
    assert!(matches!(ring.open(CTX, &old), Err(Error::External(_))));
}

/// The split key stays in the ring while the directory changes around it, and its file, too.
#[test]
fn a_directory_is_reloaded_around_a_split_key() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, number| {
        let next = directory.path().join("next");
        key(number).write_pem_file(&next).unwrap();
        fs::rename(next, directory.path().join(name)).unwrap();
    };
    let tokens = Tokens::new();
    write("primary.pem", 1);
    let ring = Shared::<Keyring>::read_dir(directory.path()).unwrap();
    ring.update(|ring| ring.rotate(tokens.hold(key(2)))).unwrap();
    ring.update(|ring| ring.add_older(tokens.hold(key(3)))).unwrap();
    let to_tokens =
        [2, 3].map(|number| key(number).encapsulation_key().seal(CTX, b"hello").unwrap());
    let assert_opened_by_tokens = || {
        tokens.asked();
        to_tokens.iter().for_each(|sealed| drop(ring.load().open(CTX, sealed).unwrap()));
        assert_eq!(tokens.asked(), [2, 2]);
    };
    assert!(!ring.reload().unwrap());
    assert_opened_by_tokens();

    write("old.pem", 4);
    assert!(ring.reload().unwrap());
    assert_eq!(ring.load().keys().count(), 4);
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
    assert_opened_by_tokens();

    // A file of a key that is in the tokens does not take it out of them.
    write("copy.pem", 3);
    assert!(!ring.reload().unwrap());
    assert_opened_by_tokens();

    // The directory's own rotation makes its new key the primary one.
    write("primary.pem", 5);
    assert!(ring.reload().unwrap());
    assert_eq!(ring.load().primary(), key(5).encapsulation_key());
    assert!(!ring.load().keys().any(|public| public == key(1).encapsulation_key()));
    assert_opened_by_tokens();
}

/// Threads open and sign all the while. Nothing fails, and once the change has returned only the tokens
/// are asked.
#[test]
fn from_keys_in_memory_to_keys_in_tokens() {
    let tokens = Tokens::new();
    let ring = Shared::new(Keyring::new(key(1)));
    let signing: Shared<Box<dyn Sign>> = Shared::new(Box::new(signing_key(1)));
    let signers = [1, 2].map(|number| signing_key(number).verifying_key().clone());
    let signers = VerifyingKeyring::new(&signers).unwrap();
    let by_tokens = signing_key(2).verifying_key().key_id();
    let done = AtomicBool::new(false);
    let [before, after] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let _watch = Watch::over("threads that open and sign");
    thread::scope(|scope| {
        let _done = SetOnDrop(&done); // after a failed assertion too, or the threads never end
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    let current = signing.load();
                    let id = current.verifying_key().key_id();
                    let signature = current.sign(CTX, b"in flight").unwrap();
                    signers.verify_by(id, CTX, b"in flight", &signature).unwrap();

                    let ring = ring.load();
                    let (hello, mut tx) =
                        ring.primary().signed_by(&signing.load()).sender(CTX).unwrap();
                    let mut rx = ring.accepting_any(&signers).receiver(CTX, &hello).unwrap();
                    let message = tx.finish(b"in flight").unwrap();
                    assert_eq!(&rx.open(&message).unwrap()[..], b"in flight");
                    let count = if rx.signer() == Some(by_tokens) { &after } else { &before };
                    count.fetch_add(1, SeqCst);
                }
            });
        }
        wait_until("something is signed in memory", || before.load(SeqCst) > 2);
        let sealed = ring.load().primary().seal(CTX, b"before").unwrap();
        ring.update(|ring| ring.rotate(tokens.hold(key(2)))).unwrap();
        let previous = signing.replace(Box::new(tokens.hold_signing(signing_key(2))));
        assert_eq!(previous.verifying_key(), signing_key(1).verifying_key());
        wait_until("something is signed by the tokens", || after.load(SeqCst) > 2);
        assert_eq!(&ring.load().open(CTX, &sealed).unwrap()[..], b"before");
    });
    assert_eq!(signing.load().verifying_key().key_id(), by_tokens);
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
    tokens.asked();
    signing.load().sign(CTX, b"hello").unwrap();
    assert_eq!(tokens.asked(), [1, 1]);
}
