//! Keys that change: rotation, retirement, policies and many threads at once.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KemSuite, KeyId, Keyring, Policy,
    Recipients, SigningKey, VerifyingKeyring,
    envelope::Header,
    kem::{Ciphertext, SharedSecret},
    keyring::{Ring, Shared},
    provider::PORTABLE,
};

use crate::common::process::{Watch, wait_until};

const CTX: &[u8] = b"example.com/keyring";

fn key(number: u8) -> DecapsulationKey {
    DecapsulationKey::from_seed(KemSuite::X25519_ML_KEM_1024, &[number; 32]).unwrap()
}

fn other_suite(number: u8) -> DecapsulationKey {
    DecapsulationKey::from_seed(KemSuite::ML_KEM_1024_P384, &[number; 32]).unwrap()
}

/// Counts its decapsulations.
struct Counted(DecapsulationKey, Arc<AtomicUsize>);

impl Decapsulate for Counted {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.0.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.1.fetch_add(1, SeqCst);
        self.0.decapsulate(ciphertext)
    }
}

#[test]
fn key_ids_are_read_as_they_are_printed() {
    let id = key(1).encapsulation_key().key_id();
    let text = id.to_string();
    assert_eq!(text, hex::encode(id.as_bytes()));
    assert_eq!(text.parse::<KeyId>().unwrap(), id);
    assert_eq!(text.to_uppercase().parse::<KeyId>().unwrap(), id);
    let zeros = KeyId::from_bytes([0; KeyId::LEN]);
    assert_eq!("0".repeat(32).parse::<KeyId>().unwrap(), zeros);
    for wrong in [
        "",
        &text[1..],
        &format!("{text}0"),
        &format!(" {}", &text[1..]),
        &format!("+{}", &text[1..]),
        &format!("0x{}", &text[2..]),
        &format!("{}g", &text[1..]),
        &format!("{}\u{e9}", &text[2..]), // 32 bytes, 31 characters
    ] {
        let error = wrong.parse::<KeyId>().unwrap_err();
        assert_eq!(error.to_string(), "invalid key id: it must be 32 hexadecimal digits");
    }
}

#[test]
fn older_keys_open_until_they_are_retired() {
    let mut ring = Keyring::new(key(1));
    let old = ring.primary().clone();
    let sealed = old.seal(CTX, b"old").unwrap();
    let (hello, mut tx) = old.sender(CTX).unwrap();
    let message = tx.finish(b"message").unwrap();

    ring.rotate(key(2)).unwrap();
    assert_eq!(ring.primary(), key(2).encapsulation_key());
    assert_eq!(&ring.open(CTX, &sealed).unwrap()[..], b"old");
    assert_eq!(ring.open_at(CTX, &sealed).unwrap().len(), 3);
    let mut read = Vec::new();
    std::io::copy(&mut ring.open_reader(CTX, &sealed[..]).unwrap(), &mut read).unwrap();
    assert_eq!(read, b"old");
    assert_eq!(&ring.receiver(CTX, &hello).unwrap().open(&message).unwrap()[..], b"message");

    assert!(matches!(ring.retire(&key(2).encapsulation_key().key_id()), Err(Error::Misuse { .. })));
    ring.retire(&old.key_id()).unwrap();
    assert!(matches!(ring.retire(&old.key_id()), Err(Error::Misuse { .. })));
    assert!(matches!(ring.open(CTX, &sealed), Err(Error::NotARecipient)));
    assert!(ring.open_at(CTX, &sealed).is_err());
    assert!(ring.open_reader(CTX, &sealed[..]).is_err());
    assert!(matches!(ring.receiver(CTX, &hello), Err(Error::NotARecipient)));
}

#[test]
fn a_key_is_in_a_ring_once() {
    let mut ring = Keyring::new(key(1));
    ring.rotate(key(1)).unwrap();
    ring.add_older(key(1)).unwrap();
    assert_eq!(ring.keys().count(), 1);
    ring.rotate(key(2)).unwrap();
    ring.rotate(key(1)).unwrap(); // an older one becomes the primary one again
    let keys: Vec<_> = ring.keys().cloned().collect();
    assert_eq!(keys, [key(1).encapsulation_key().clone(), key(2).encapsulation_key().clone()]);
}

#[test]
fn one_decapsulation_at_most() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted =
        |number| -> Arc<dyn Decapsulate> { Arc::new(Counted(key(number), Arc::clone(&count))) };
    let mut ring = Keyring::new(counted(1));
    (2..6).for_each(|number| ring.rotate(counted(number)).unwrap());

    let to: Vec<_> = (1..6).map(|number| key(number).encapsulation_key().clone()).collect();
    let sealed = Recipients::new(&to).unwrap().seal(CTX, b"to all of them").unwrap();
    ring.open(CTX, &sealed).unwrap();
    assert_eq!(count.swap(0, SeqCst), 1);

    let stranger = key(9).encapsulation_key().seal(CTX, b"to nobody here").unwrap();
    assert!(matches!(ring.open(CTX, &stranger), Err(Error::NotARecipient)));
    assert_eq!(count.load(SeqCst), 0);
    assert!(matches!(ring.to_pem(), Err(Error::Unsupported(_))));
}

/// A key in an HSM that answers as told, and counts what it is asked.
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

#[test]
fn a_policy_refuses_and_nothing_falls_back() {
    let only_default = || Policy::stable().with_kem_suites([KemSuite::X25519_ML_KEM_1024]);
    let refused = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Refused { .. })));

    refused(Keyring::new(other_suite(1)).with_policy(only_default()).map(drop));
    let mut ring = Keyring::new(key(1)).with_policy(only_default()).unwrap();
    refused(ring.rotate(other_suite(1)));
    refused(ring.add_older(other_suite(1)));
    assert_eq!(ring.keys().count(), 1);

    let alice = SigningKey::generate().unwrap();
    let no_signer = Policy::stable().with_signature_suites([]);
    refused(
        VerifyingKeyring::new_with_policy([alice.verifying_key()], no_signer.clone()).map(drop),
    );
    let ring = Keyring::new(key(1)).with_policy(no_signer).unwrap();
    let (hello, _) = ring.primary().signed_by(&alice).sender(CTX).unwrap();
    refused(ring.accepting(alice.verifying_key()).receiver(CTX, &hello).map(drop));
    let ring = Keyring::new(key(1));
    ring.accepting(alice.verifying_key()).receiver(CTX, &hello).unwrap();
}

#[test]
fn signers_are_told_apart() {
    let [alice, bob, carol] = &[(); 3].map(|()| SigningKey::generate().unwrap());
    let mut ring = VerifyingKeyring::new([alice.verifying_key(), bob.verifying_key()]).unwrap();
    let by = |key: &SigningKey| key.sign(CTX, b"message").unwrap();
    assert_eq!(ring.verify(CTX, b"message", &by(bob)).unwrap(), bob.verifying_key());
    assert_eq!(
        ring.verify_reader(CTX, &b"message"[..], &by(alice)).unwrap(),
        alice.verifying_key()
    );
    assert!(matches!(ring.verify(CTX, b"message", &by(carol)), Err(Error::Verify)));
    assert!(matches!(ring.verify(b"", b"message", &by(bob)), Err(Error::Context(_))));

    let to = key(1);
    let (hello, _) = to.encapsulation_key().signed_by(bob).sender(CTX).unwrap();
    let rx = to.accepting_any(&ring).receiver(CTX, &hello).unwrap();
    assert_eq!(rx.signer(), Some(bob.verifying_key().key_id()));
    let (hello, _) = to.encapsulation_key().signed_by(carol).sender(CTX).unwrap();
    assert!(to.accepting_any(&ring).receiver(CTX, &hello).is_err());

    ring.remove(&bob.verifying_key().key_id()).unwrap();
    assert!(matches!(ring.verify(CTX, b"message", &by(bob)), Err(Error::Verify)));
    assert!(ring.remove(&bob.verifying_key().key_id()).is_err());
    assert!(ring.remove(&alice.verifying_key().key_id()).is_err()); // the last one stays
    assert!(VerifyingKeyring::new([]).is_err());
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Threads open what is sealed to the primary key while another thread rotates, and retires the
/// oldest: nothing is lost, and once `retire` has returned nothing opens with the retired key.
#[test]
fn rotation_under_load() {
    const ROTATIONS: u8 = 40;
    let ring = Shared::new(Keyring::new(key(0)));
    let done = AtomicBool::new(false);
    let opened = AtomicUsize::new(0);
    let _watch = Watch::over("threads that use a ring");
    thread::scope(|scope| {
        let _done = SetOnDrop(&done); // after a failed assertion too, or the threads never end
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    let to = ring.load().primary().clone();
                    let sealed = to.seal(CTX, b"in flight").unwrap();
                    // Two rotations may retire it meanwhile; then it is refused, never lost.
                    match ring.load().open(CTX, &sealed) {
                        Ok(plaintext) => assert_eq!(&plaintext[..], b"in flight"),
                        Err(error) => {
                            assert!(matches!(error, Error::NotARecipient));
                            assert!(ring.load().keys().all(|known| *known != to));
                        }
                    }
                    opened.fetch_add(1, SeqCst);
                }
            });
        }
        // Each rotation meets threads that have opened something since the last.
        for number in 1..=ROTATIONS {
            let seen = opened.load(SeqCst);
            wait_until("something is opened", || opened.load(SeqCst) > seen);
            let before = ring.load().primary().clone();
            let sealed = before.seal(CTX, b"before").unwrap();
            ring.update(|ring| ring.rotate(key(number))).unwrap();
            assert_eq!(&ring.load().open(CTX, &sealed).unwrap()[..], b"before");
            ring.update(|ring| ring.retire(&before.key_id())).unwrap();
            assert!(matches!(ring.load().open(CTX, &sealed), Err(Error::NotARecipient)));
        }
    });
    assert_eq!(ring.load().primary(), key(ROTATIONS).encapsulation_key());
    assert_eq!(ring.load().keys().count(), 1);
}

/// No change of several threads is lost.
#[test]
fn changes_at_once_all_happen() {
    let ring = Shared::new(Keyring::new(key(0)));
    let _watch = Watch::over("threads that change a ring");
    thread::scope(|scope| {
        for thread in 0..4 {
            let ring = &ring;
            scope.spawn(move || {
                for number in 1..=5 {
                    ring.update(|ring| ring.add_older(key(thread * 10 + number))).unwrap();
                }
            });
        }
    });
    assert_eq!(ring.load().keys().count(), 1 + 4 * 5);
}

/// A change that panics changes nothing, and the ring goes on.
#[test]
fn a_change_that_panics() {
    let ring = Shared::new(Keyring::new(key(0)));
    let _watch = Watch::over("a change that panics");
    let panicked = thread::scope(|scope| {
        let change = || {
            ring.update(|ring| {
                ring.rotate(key(1)).unwrap();
                panic!("half-way");
            });
        };
        scope.spawn(change).join().is_err()
    });
    assert!(panicked);
    assert_eq!(ring.load().primary(), key(0).encapsulation_key());
    ring.update(|ring| ring.rotate(key(2))).unwrap();
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
}

/// A change within a change would wait for itself: it panics, and says why.
#[test]
fn a_change_within_a_change() {
    let ring = Shared::new(Keyring::new(key(0)));
    let changes: [fn(&Shared<Keyring>); 2] =
        [|ring| ring.update(|_| ()), |ring| drop(ring.reload())];
    for change in changes {
        let within = || ring.update(|_| change(&ring));
        let panicked = catch_unwind(AssertUnwindSafe(within)).unwrap_err();
        let text = panicked.downcast_ref::<&str>().unwrap();
        assert!(text.contains("from within a change of the same ring"), "{text}");
        // Nothing is held any more, and the ring is what it was.
        ring.update(|ring| ring.add_older(key(1))).unwrap();
    }
    // Reading, and changing another ring, is fine.
    let other = Shared::new(Keyring::new(key(5)));
    ring.update(|copy| {
        copy.rotate(key(2)).unwrap();
        assert_eq!(ring.load().primary(), key(0).encapsulation_key());
        assert!(format!("{ring:?}").starts_with("Shared"));
        other.update(|other| other.rotate(key(6))).unwrap();
    });
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
}

/// A key whose end is a caller's code, which uses the ring.
struct UsesTheRing(DecapsulationKey, Arc<Shared<Keyring>>, Arc<AtomicUsize>);

impl Decapsulate for UsesTheRing {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.0.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.1.update(|ring| ring.add_older(key(9)))?;
        self.0.decapsulate(ciphertext)
    }
}

impl Drop for UsesTheRing {
    fn drop(&mut self) {
        assert!(self.1.load().keys().count() > 0);
        self.1.update(|_| ());
        self.2.fetch_add(1, SeqCst);
    }
}

/// No lock is held while a key is used or dropped.
#[test]
fn keys_may_use_the_ring_that_they_are_in() {
    let ring = Arc::new(Shared::new(Keyring::new(key(0))));
    let dropped = Arc::new(AtomicUsize::new(0));
    let handle = || -> Arc<dyn Decapsulate> {
        Arc::new(UsesTheRing(key(1), Arc::clone(&ring), Arc::clone(&dropped)))
    };
    ring.update(|ring| ring.rotate(handle())).unwrap();
    let sealed = ring.load().primary().seal(CTX, b"hello").unwrap();
    ring.load().open(CTX, &sealed).unwrap();
    ring.update(|ring| ring.rotate(key(2))).unwrap();
    ring.update(|ring| ring.retire(&key(1).encapsulation_key().key_id())).unwrap();
    assert_eq!(dropped.load(SeqCst), 1);
    let panicking = || {
        ring.update(|ring| {
            ring.rotate(handle()).unwrap();
            panic!("half-way");
        })
    };
    catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
    assert_eq!(dropped.load(SeqCst), 2);
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
}

#[cfg(unix)]
#[test]
fn a_mounted_secret_is_reloaded() {
    use std::os::unix::fs::symlink;

    // As Kubernetes mounts a secret: files behind `..data`, which is replaced as a whole.
    let folder = tempfile::tempdir().unwrap();
    let mount = |name: &str, keys: &[(&str, DecapsulationKey)]| {
        let data = folder.path().join(name);
        fs::create_dir(&data).unwrap();
        for (file, key) in keys {
            key.write_pem_file(data.join(file)).unwrap();
        }
        let link = folder.path().join("..new");
        symlink(name, &link).unwrap();
        fs::rename(link, folder.path().join("..data")).unwrap();
    };
    mount("..1", &[("primary.pem", key(1))]);
    let ring = Shared::<Keyring>::read_dir(folder.path()).unwrap();
    assert!(!ring.reload().unwrap());

    mount("..2", &[("primary.pem", key(2)), ("older.pem", key(1))]);
    assert!(ring.reload().unwrap());
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
    assert_eq!(ring.load().keys().count(), 2);

    // Wrong files change nothing, and are named.
    mount("..3", &[("older.pem", key(3))]);
    assert!(ring.reload().unwrap_err().to_string().contains("primary.pem"));
    fs::write(folder.path().join("..3/primary.pem"), "-----BEGIN").unwrap();
    assert!(ring.reload().unwrap_err().to_string().contains("primary.pem"));
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());

    assert!(Shared::new(Keyring::new(key(1))).reload().is_err());
    assert!(Keyring::read_dir(folder.path().join("missing")).is_err());
}
