//! Do rings open with old keys until they are retired, and do they keep to their policy?

mod any_calls;
mod halves;
mod labels;
mod shared;
mod shared_signing;
mod signers;
mod split_keys;
mod unreachable;
#[cfg(feature = "tokio")]
mod watch;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KemSuite, KeyId, Keyring, Policy,
    Recipients, SigningKey, VerifyingKeyring,
    kem::{Ciphertext, SharedSecret},
};

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

    assert!(matches!(ring.retire(key(2).encapsulation_key().key_id()), Err(Error::Misuse { .. })));
    ring.retire(old.key_id()).unwrap();
    assert!(matches!(ring.retire(old.key_id()), Err(Error::Misuse { .. })));
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

/// As itself, behind a pointer, and as a trait object: only a key in memory can be written.
#[test]
fn a_ring_takes_any_decapsulation_key() {
    let counted = || Counted(key(1), Arc::default());
    let external: Arc<dyn Decapsulate> = Arc::new(counted());
    let boxed: Box<dyn Decapsulate> = Box::new(counted());
    let elsewhere = [
        Keyring::new(counted()),
        Keyring::new(Arc::new(counted())),
        Keyring::new(Box::new(counted())),
        Keyring::new(external),
        Keyring::new(boxed),
    ];
    let sealed = key(1).encapsulation_key().seal(CTX, b"hello").unwrap();
    for mut ring in elsewhere {
        ring.open(CTX, &sealed).unwrap();
        assert!(matches!(ring.to_pem(), Err(Error::Unsupported(_))));
        // The key itself takes the place of the handle.
        ring.rotate(Arc::new(key(1))).unwrap();
        assert_eq!(ring.keys().count(), 1);
        assert_eq!(ring.to_pem().unwrap().as_str(), key(1).to_pem().as_str());
    }
    let in_memory =
        [Keyring::new(key(1)), Keyring::new(Arc::new(key(1))), Keyring::new(Box::new(key(1)))];
    for ring in in_memory {
        ring.open(CTX, &sealed).unwrap();
        assert_eq!(ring.to_pem().unwrap().as_str(), key(1).to_pem().as_str());
    }
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
        VerifyingKeyring::new([alice.verifying_key()])
            .unwrap()
            .with_policy(no_signer.clone())
            .map(drop),
    );
    let ring = Keyring::new(key(1)).with_policy(no_signer).unwrap();
    let (hello, _) = ring.primary().signed_by(&alice).sender(CTX).unwrap();
    refused(ring.accepting(alice.verifying_key()).receiver(CTX, &hello).map(drop));
    let ring = Keyring::new(key(1));
    ring.accepting(alice.verifying_key()).receiver(CTX, &hello).unwrap();
}
