//! Whose signature is it, by which of the keys, and what is the signer called?

use std::fs;

use twinseal::{
    Error, KeyId, Policy, SignatureSuite, SigningKey, VerifyingKeyring, keyring::Shared,
};

use crate::common::keys::{CTX, X25519, kem_key, signing_key};

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

    let to = kem_key(X25519, 1);
    let (hello, _) = to.encapsulation_key().signed_by(bob).sender(CTX).unwrap();
    let rx = to.accepting_any(&ring).receiver(CTX, &hello).unwrap();
    assert_eq!(rx.signer(), Some(bob.verifying_key().key_id()));
    let (hello, _) = to.encapsulation_key().signed_by(carol).sender(CTX).unwrap();
    assert!(to.accepting_any(&ring).receiver(CTX, &hello).is_err());

    ring.remove(bob.verifying_key().key_id()).unwrap();
    assert!(matches!(ring.verify(CTX, b"message", &by(bob)), Err(Error::Verify)));
    assert!(ring.remove(bob.verifying_key().key_id()).is_err());
    ring.remove(alice.verifying_key().key_id()).unwrap();
    assert!(ring.is_empty());
    assert!(matches!(ring.verify(CTX, b"message", &by(alice)), Err(Error::Verify)));
}

/// One key is used: that of the id, and no other.
#[test]
fn a_signature_by_a_key_id() {
    let [alice, bob, carol] = [1, 2, 3].map(signing_key);
    let mut ring = VerifyingKeyring::new([alice.verifying_key(), bob.verifying_key()]).unwrap();
    let by_bob = bob.sign(CTX, b"message").unwrap();
    let [alice_id, bob_id, carol_id] =
        [&alice, &bob, &carol].map(|key| key.verifying_key().key_id());
    let verify = |ring: &VerifyingKeyring, id: KeyId, message: &[u8]| {
        ring.verify_by(id, CTX, message, &by_bob).cloned()
    };
    assert_eq!(verify(&ring, bob_id, b"message").unwrap(), *bob.verifying_key());
    assert!(matches!(verify(&ring, bob_id, b"massage"), Err(Error::Verify)));
    assert!(matches!(verify(&ring, alice_id, b"message"), Err(Error::Verify)));
    assert!(matches!(verify(&ring, carol_id, b"message"), Err(Error::UnknownSigner)));
    assert!(matches!(ring.verify_by(bob_id, b"", b"message", &by_bob), Err(Error::Context(_))));
    ring.remove(bob_id).unwrap();
    assert!(matches!(verify(&ring, bob_id, b"message"), Err(Error::UnknownSigner)));
}

#[test]
fn signers_have_names() {
    let [alice, old, bob] = [1, 2, 3].map(|seed| signing_key(seed).verifying_key().clone());
    let mut ring = VerifyingKeyring::new([]).unwrap();
    ring.add_named("alice", &alice).unwrap();
    ring.add_named("alice", &old).unwrap(); // who changes keys
    ring.add(&bob).unwrap();
    let names = |ring: &VerifyingKeyring| {
        [&alice, &old, &bob].map(|key| ring.name_of(key.key_id()).map(str::to_owned))
    };
    let called = |name: &str| Some(name.to_owned());
    assert_eq!(names(&ring), [called("alice"), called("alice"), None]);
    // A new handle keeps the name, and a key without one gets one.
    ring.add(&alice).unwrap();
    ring.add_named("alice", &alice).unwrap();
    ring.add_named("bob", &bob).unwrap();
    assert_eq!(names(&ring), [called("alice"), called("alice"), called("bob")]);
    // Nobody takes a key that is somebody else's.
    assert!(matches!(ring.add_named("mallory", &alice), Err(Error::Misuse { .. })));
    assert_eq!((names(&ring)[0].as_deref(), ring.len()), (Some("alice"), 3));

    let ring = ring.with_policy(Policy::stable()).unwrap();
    assert_eq!(names(&ring.clone())[2].as_deref(), Some("bob"));
    // A bundle has no names.
    let read = VerifyingKeyring::from_pem(&ring.to_pem()).unwrap();
    assert!(read.keys().eq(ring.keys()));
    assert_eq!(names(&read), [None, None, None]);
}

#[test]
fn a_policy_comes_before_the_keys_that_it_accepts() {
    let alice = signing_key(1);
    let nobody = Policy::stable().with_signature_suites([]);
    let mut ring = VerifyingKeyring::new([]).unwrap().with_policy(nobody).unwrap();
    assert!(matches!(ring.add(alice.verifying_key()), Err(Error::Refused { .. })));
    assert!(matches!(ring.add_named("alice", alice.verifying_key()), Err(Error::Refused { .. })));
    assert!(ring.is_empty());
    let mut ring = ring
        .with_policy(Policy::stable().with_signature_suites([SignatureSuite::ML_DSA_87_ECDSA_P384]))
        .unwrap();
    ring.add(alice.verifying_key()).unwrap();
}

/// A directory of signers, each in a file with the signer's name.
struct Clients(tempfile::TempDir);

impl Clients {
    fn new(files: &[(&str, u8)]) -> Self {
        let clients = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, seed)| clients.write(name, *seed));
        clients
    }

    fn write(&self, name: &str, seed: u8) {
        let pem = signing_key(seed).verifying_key().to_pem();
        fs::write(self.0.path().join(name), pem).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.0.path().join(from), self.0.path().join(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.0.path().join(name)).unwrap();
    }
}

/// The names of a ring's keys, in their order.
fn names(ring: &VerifyingKeyring) -> Vec<Option<&str>> {
    ring.keys().map(|key| ring.name_of(key.key_id())).collect()
}

#[test]
fn a_file_names_its_signer() {
    let clients = Clients::new(&[("carol.pem", 3), ("alice.sign.pem", 1), ("b o b.pem", 2)]);
    fs::write(clients.0.path().join("README"), "not a key").unwrap();
    let ring = VerifyingKeyring::read_dir(clients.0.path()).unwrap();
    assert_eq!(names(&ring), [Some("alice.sign"), Some("b o b"), Some("carol")]);
    let signature = signing_key(3).sign(CTX, b"message").unwrap();
    let signer = ring.verify(CTX, b"message", &signature).unwrap();
    assert_eq!(ring.name_of(signer.key_id()), Some("carol"));
    assert_eq!(ring.name_of(signing_key(9).verifying_key().key_id()), None);
}

#[test]
fn a_service_starts_without_clients() {
    let clients = Clients::new(&[]);
    let ring = Shared::<VerifyingKeyring>::read_dir(clients.0.path()).unwrap();
    assert!(ring.load().is_empty());
    let signature = signing_key(1).sign(CTX, b"message").unwrap();
    assert!(matches!(ring.load().verify(CTX, b"message", &signature), Err(Error::Verify)));
    clients.write("alice.pem", 1);
    assert!(ring.reload().unwrap());
    ring.load().verify(CTX, b"message", &signature).unwrap();
    clients.remove("alice.pem");
    assert!(ring.reload().unwrap());
    assert!(ring.load().is_empty());
    // A file is written on purpose, so an empty one is damaged.
    clients.write("bundle", 1);
    VerifyingKeyring::read_pem_file(clients.0.path().join("bundle")).unwrap();
    fs::write(clients.0.path().join("bundle"), "").unwrap();
    assert!(VerifyingKeyring::read_pem_file(clients.0.path().join("bundle")).is_err());
}

/// A key that Bob registers as his own would make Alice's messages his.
#[test]
fn a_key_under_two_names_is_refused() {
    let clients = Clients::new(&[("alice.pem", 1), ("bob.pem", 2)]);
    let ring = Shared::<VerifyingKeyring>::read_dir(clients.0.path()).unwrap();
    clients.write("bob.pem", 1);
    let path = clients.0.path().display();
    for error in
        [VerifyingKeyring::read_dir(clients.0.path()).unwrap_err(), ring.reload().unwrap_err()]
    {
        let text = "alice.pem and bob.pem hold the same key; remove one of them";
        assert_eq!(error.to_string(), format!("{path}: {text}"));
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    }
    assert_eq!(names(&ring.load()), [Some("alice"), Some("bob")]);
}

#[test]
fn names_change_with_their_files() {
    let clients = Clients::new(&[("alice.pem", 1), ("bob.pem", 2)]);
    let ring = Shared::<VerifyingKeyring>::read_dir(clients.0.path()).unwrap();
    clients.rename("alice.pem", "zoe.pem");
    assert!(ring.reload().unwrap());
    assert_eq!(names(&ring.load()), [Some("bob"), Some("zoe")]);
    assert!(!ring.reload().unwrap());

    // The changes of `update` stay: an added key, a removed one, and the order.
    let named = |seed, name| {
        let key = signing_key(seed).verifying_key().clone();
        ring.update(|ring| ring.add_named(name, &key)).unwrap();
    };
    named(3, "carol");
    ring.update(|ring| ring.add(signing_key(4).verifying_key())).unwrap();
    ring.update(|ring| ring.remove(signing_key(2).verifying_key().key_id())).unwrap();
    clients.rename("zoe.pem", "alice.pem");
    clients.write("caroline.pem", 3);
    clients.write("dave.pem", 4);
    clients.write("eve.pem", 5);
    assert!(ring.reload().unwrap());
    let expected = [Some("alice"), Some("carol"), Some("dave"), Some("eve")];
    assert_eq!(names(&ring.load()), expected);
    clients.remove("alice.pem");
    assert!(ring.reload().unwrap());
    assert_eq!(names(&ring.load()), expected[1..]);
}
