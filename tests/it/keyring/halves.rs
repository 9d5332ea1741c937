//! Does a ring refuse two different keys with an equal half, wherever keys come from?

use std::{fs, io, path::Path};

use p384::elliptic_curve::sec1::ToSec1Point;

#[cfg(feature = "experimental-falcon")]
use twinseal::SignatureSuite;
use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KemSuite, Keyring, Policy, Recipients,
    SigningKey, VerifyingKey, VerifyingKeyring,
    kem::{AwaitedKey, Ciphertext, SharedSecret},
    keyring::Shared,
    provider::PORTABLE,
    sign::EcdsaSignature,
};

use super::CTX;
use crate::common::{
    der::ec_private_key,
    keys::{COMPOSITE, P384, X25519, kem_key, signing_key},
};

/// A private key of two halves, each made of a number.
fn signer(ml_dsa: u8, ecdsa: u8) -> VerifyingKey {
    let bytes = [vec![ml_dsa; 32], ec_private_key(&[ecdsa; 48])].concat();
    SigningKey::from_bytes(COMPOSITE, &bytes).unwrap().verifying_key().clone()
}

/// The public key of the post-quantum half of one key and the traditional half of another.
fn public(suite: KemSuite, post_quantum: &EncapsulationKey, traditional: u8) -> EncapsulationKey {
    let traditional = kem_key(suite, traditional);
    let traditional = traditional.encapsulation_key().halves().traditional;
    EncapsulationKey::from_halves(suite, post_quantum.halves().post_quantum, traditional).unwrap()
}

/// A key that is known by its public half only.
struct Elsewhere(EncapsulationKey);

impl Decapsulate for Elsewhere {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.0
    }

    fn decapsulate(&self, _: &Ciphertext) -> Result<SharedSecret, Error> {
        Err(Error::external("it is elsewhere"))
    }
}

#[track_caller]
fn assert_refused<T>(result: Result<T, Error>, algorithm: &str) {
    let reason = format!("two different keys have the same {algorithm} half");
    match result {
        Err(Error::Keyring { reason: found }) => assert_eq!(found, reason),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was accepted"),
    }
}

fn keys(ring: &Keyring) -> Vec<EncapsulationKey> {
    ring.keys().cloned().collect()
}

#[test]
fn decapsulation_keys_with_an_equal_half() {
    let first = kem_key(X25519, 1);
    let second = kem_key(P384, 2);
    let mut ring = Keyring::new(kem_key(X25519, 1));
    ring.add_older(kem_key(P384, 2)).unwrap();
    ring.add_older(kem_key(X25519, 3)).unwrap();
    let before = keys(&ring);

    let shared = [
        // Of the primary key and of older ones, in the same suite and in another one.
        (public(X25519, first.encapsulation_key(), 9), "ML-KEM-1024"),
        (public(P384, first.encapsulation_key(), 9), "ML-KEM-1024"),
        (public(X25519, second.encapsulation_key(), 9), "ML-KEM-1024"),
        (public(P384, second.encapsulation_key(), 9), "ML-KEM-1024"),
        (public(X25519, kem_key(X25519, 9).encapsulation_key(), 1), "X25519"),
        (public(X25519, kem_key(X25519, 9).encapsulation_key(), 3), "X25519"),
        (public(P384, kem_key(X25519, 9).encapsulation_key(), 2), "P-384"),
    ];
    for (key, algorithm) in shared {
        assert_refused(ring.rotate(Elsewhere(key.clone())), algorithm);
        assert_refused(ring.add_older(Elsewhere(key)), algorithm);
        assert_eq!(keys(&ring), before);
    }

    // The same key is not a different one, and a half leaves with its key.
    ring.rotate(kem_key(X25519, 3)).unwrap();
    ring.add_older(kem_key(X25519, 1)).unwrap();
    ring.add_older(kem_key(P384, 2)).unwrap();
    assert_eq!(ring.keys().count(), 3);
    let again = public(X25519, second.encapsulation_key(), 9);
    assert_refused(ring.rotate(Elsewhere(again.clone())), "ML-KEM-1024");
    ring.retire(second.encapsulation_key().key_id()).unwrap();
    ring.rotate(Elsewhere(again)).unwrap();
    // The previous primary key stays, so its half is still taken.
    let previous = public(P384, kem_key(X25519, 3).encapsulation_key(), 9);
    assert_refused(ring.rotate(Elsewhere(previous)), "ML-KEM-1024");
    ring.with_policy(Policy::stable()).unwrap();
}

/// A point and its negative have the same shared secrets, and so the same private half.
#[test]
fn a_negated_point_is_the_same_half() {
    let alice = p384_key(1, 1);
    let (ml_kem, other) = (p384_key(2, 2), alice.encapsulation_key().halves().traditional.to_vec());
    // In the compressed form, the first byte is the sign of y.
    let negated = [&[0x02 | !other[96] & 1], &other[1..49]].concat();
    let negated = p384::PublicKey::from_sec1_bytes(&negated).unwrap().to_sec1_point(false);
    assert_ne!(negated.as_bytes(), other);
    let suite = alice.suite();
    let ml_kem = ml_kem.encapsulation_key().halves().post_quantum;
    let mallory = EncapsulationKey::from_halves(suite, ml_kem, negated.as_bytes()).unwrap();
    let mut ring = Keyring::new(alice);
    assert_refused(ring.rotate(AwaitedKey::new(mallory)), "P-384");
}

#[test]
fn verifying_keys_with_an_equal_half() {
    let mut ring = VerifyingKeyring::new([&signer(1, 1)]).unwrap();
    ring.add_named("bob", &signer(2, 2)).unwrap();
    let before: Vec<_> = ring.keys().cloned().collect();
    for (key, algorithm) in [
        (signer(1, 9), "ML-DSA-87"),
        (signer(2, 1), "ML-DSA-87"),
        (signer(9, 1), "ECDSA-P384"),
        (signer(9, 2), "ECDSA-P384"),
    ] {
        assert_refused(ring.add(&key), algorithm);
        assert_refused(ring.add_named("mallory", &key), algorithm);
        assert_refused(VerifyingKeyring::new([&signer(1, 1), &signer(2, 2), &key]), algorithm);
        let bundle = [signer(1, 1), signer(2, 2), key].map(|key| key.to_pem()).concat();
        assert_refused(VerifyingKeyring::from_pem(&bundle), algorithm);
        assert!(ring.keys().eq(&before));
    }
    ring.add(&signer(2, 2)).unwrap();
    ring.add_named("alice", &signer(1, 1)).unwrap();
    ring.remove(signer(2, 2).key_id()).unwrap();
    ring.add(&signer(2, 9)).unwrap();
    assert_eq!(ring.len(), 2);
}

/// What the refusal prevents: a signature by Alice becomes one by a key with a copy of her ML-DSA half.
#[test]
fn a_copied_half_makes_her_messages_his() {
    let alice = signing_key(1);
    let mallory = signer(1, 66); // he would have only the public half of the first one
    let by_alice = alice.sign(CTX, b"hello").unwrap();
    let (ml_dsa, _) = by_alice.as_bytes().split_at(4627);
    let sha512 = <sha2::Sha512 as sha2::Digest>::digest(b"hello").into();
    let to_be_signed = mallory.to_be_signed(CTX, &sha512).unwrap();
    let ecdsa = PORTABLE.ecdsa_p384.key_pair(&[66; 48]).unwrap().signer;
    let ecdsa = ecdsa.sign(b"", to_be_signed.message()).map(EcdsaSignature::Fixed);
    let signature = to_be_signed.join(Ok(ml_dsa), ecdsa).unwrap();
    mallory.verify(CTX, b"hello", &signature).unwrap();
    assert_refused(VerifyingKeyring::new([alice.verifying_key(), &mallory]), "ML-DSA-87");
}

#[cfg(feature = "experimental-falcon")]
#[test]
fn the_experimental_suite_shares_a_half_too() {
    let suite = SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;
    let falcon = SigningKey::generate_for(suite).unwrap().verifying_key().clone();
    let stable = signer(1, 1);
    let policy = Policy::stable().with_signature_suites(SignatureSuite::ALL.iter().copied());
    let both =
        VerifyingKey::from_halves(suite, falcon.halves().post_quantum, stable.halves().traditional)
            .unwrap();
    let mut ring = VerifyingKeyring::new([&stable]).unwrap().with_policy(policy).unwrap();
    ring.add(&falcon).unwrap();
    assert_refused(ring.add(&both), "Falcon-1024");
    ring.remove(falcon.key_id()).unwrap();
    assert_refused(ring.add(&both), "ECDSA-P384");
}

/// Nothing is looked up in a list of recipients: each opens with a key of its own.
#[test]
fn recipients_are_not_compared() {
    let first = kem_key(X25519, 1);
    let second = public(X25519, first.encapsulation_key(), 2);
    let to = Recipients::new([first.encapsulation_key(), &second]).unwrap();
    let sealed = to.seal(CTX, b"hello").unwrap();
    assert_eq!(&first.open(CTX, &sealed).unwrap()[..], b"hello");
}

// Files.

fn write(directory: &Path, name: &str, pem: &str) {
    let next = directory.join("next");
    fs::write(&next, pem).unwrap();
    fs::rename(next, directory.join(name)).unwrap();
}

/// A private key of suite 0x0051 of two halves, each of a number.
fn p384_key(ml_kem: u8, p384: u8) -> DecapsulationKey {
    let bytes = [vec![ml_kem; 64], ec_private_key(&[p384; 48])].concat();
    DecapsulationKey::import_bytes(P384, &bytes).unwrap()
}

#[test]
fn a_bundle_of_keys() {
    let [first, second] = [p384_key(1, 1), p384_key(2, 2)].map(|key| key.to_pem());
    let bundle =
        |last: DecapsulationKey| [first.as_str(), second.as_str(), last.to_pem().as_str()].concat();
    Keyring::from_pem(&bundle(p384_key(3, 3))).unwrap();
    for (key, algorithm) in [
        (p384_key(1, 3), "ML-KEM-1024"),
        (p384_key(3, 1), "P-384"),
        (p384_key(2, 1), "P-384"), // of the primary key, which is compared first
        (p384_key(3, 2), "P-384"),
    ] {
        assert_refused(Keyring::from_pem(&bundle(key)), algorithm);
    }
}

#[track_caller]
fn assert_refused_file<T>(result: io::Result<T>, text: &str) {
    let error = result.err().expect("it was accepted");
    assert_eq!(error.to_string(), text);
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(matches!(Error::inside(&error), Some(Error::Keyring { .. })), "{error:?}");
}

/// The ring in use stays as it was until one of the files is gone.
#[test]
fn a_directory_of_decapsulation_keys() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, ml_kem, p384| {
        write(directory.path(), name, p384_key(ml_kem, p384).to_pem().as_str());
    };
    put("primary.pem", 1, 1);
    put("old.pem", 2, 2);
    let ring = Shared::<Keyring>::read_dir(directory.path()).unwrap();
    let before = keys(&ring.load());
    let path = directory.path().display();
    for (ml_kem, p384, file, algorithm) in
        [(1, 3, "primary", "ML-KEM-1024"), (2, 3, "old", "ML-KEM-1024"), (3, 2, "old", "P-384")]
    {
        put("z.pem", ml_kem, p384);
        let text = format!(
            "{path}/z.pem and {file}.pem: invalid keyring: two different keys have the same {algorithm} half"
        );
        assert_refused_file(Keyring::read_dir(directory.path()), &text);
        assert_refused_file(ring.reload(), &text);
        assert_eq!(keys(&ring.load()), before);
    }
    // The same key under two names is one.
    put("z.pem", 2, 2);
    assert!(!ring.reload().unwrap());
    put("z.pem", 2, 3);
    fs::remove_file(directory.path().join("old.pem")).unwrap();
    assert!(ring.reload().unwrap());
    assert_eq!(ring.load().keys().count(), 2);
}

/// Only what is in the ring in the end is compared: keys that go away stand in nobody's way.
#[test]
fn a_new_key_with_a_half_of_one_that_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, ml_kem, p384| {
        write(directory.path(), name, p384_key(ml_kem, p384).to_pem().as_str());
    };
    for updated in [false, true] {
        put("primary.pem", 1, 1);
        put("old.pem", 2, 2);
        let ring = Shared::<Keyring>::read_dir(directory.path()).unwrap();
        if updated {
            ring.update(|ring| ring.add_older(p384_key(9, 9))).unwrap();
        }
        put("primary.pem", 2, 1); // a half of each of the two
        fs::remove_file(directory.path().join("old.pem")).unwrap();
        assert!(ring.reload().unwrap(), "{updated}");
        assert_eq!(ring.load().primary(), p384_key(2, 1).encapsulation_key());
        assert_eq!(ring.load().keys().count(), 1 + usize::from(updated));
    }

    let clients = tempfile::tempdir().unwrap();
    for updated in [false, true] {
        write(clients.path(), "alice.pem", &signer(1, 1).to_pem());
        let ring = Shared::<VerifyingKeyring>::read_dir(clients.path()).unwrap();
        if updated {
            ring.update(|ring| ring.add(&signer(9, 9))).unwrap();
        }
        write(clients.path(), "alice.pem", &signer(1, 2).to_pem());
        assert!(ring.reload().unwrap(), "{updated}");
        assert!(ring.load().find(signer(1, 2).key_id()).is_some());
        assert_eq!(ring.load().len(), 1 + usize::from(updated));
    }
}

/// The two sources of a ring's keys have to fit each other.
#[test]
fn a_file_with_a_half_of_a_key_that_update_added() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, ml_kem, p384| {
        write(directory.path(), name, p384_key(ml_kem, p384).to_pem().as_str());
    };
    put("primary.pem", 1, 1);
    let ring = Shared::<Keyring>::read_dir(directory.path()).unwrap();
    assert_refused(ring.update(|ring| ring.rotate(p384_key(2, 1))), "P-384");
    ring.update(|ring| ring.rotate(p384_key(2, 2))).unwrap();
    let before = keys(&ring.load());
    let path = directory.path().display();
    put("new.pem", 3, 2);
    let reason = "invalid keyring: two different keys have the same P-384 half";
    assert_refused_file(ring.reload(), &format!("{path}: {reason}"));
    assert_eq!(keys(&ring.load()), before);
    ring.update(|ring| ring.rotate(p384_key(1, 1))).unwrap();
    ring.update(|ring| ring.retire(p384_key(2, 2).encapsulation_key().key_id())).unwrap();
    assert!(ring.reload().unwrap());
    assert_eq!(ring.load().keys().count(), 2);

    let clients = tempfile::tempdir().unwrap();
    write(clients.path(), "alice.pem", &signer(1, 1).to_pem());
    let ring = Shared::<VerifyingKeyring>::read_dir(clients.path()).unwrap();
    ring.update(|ring| ring.add(&signer(2, 2))).unwrap();
    write(clients.path(), "bob.pem", &signer(2, 3).to_pem());
    let reason = "invalid keyring: two different keys have the same ML-DSA-87 half";
    assert_refused_file(ring.reload(), &format!("{}: {reason}", clients.path().display()));
    assert_eq!(ring.load().len(), 2);
}

/// A policy refuses one file for itself, whatever it shares with another one.
#[cfg(feature = "experimental-falcon")]
#[test]
fn a_file_that_the_policy_refuses_is_named_alone() {
    let clients = tempfile::tempdir().unwrap();
    write(clients.path(), "alice.pem", &signer(1, 1).to_pem());
    let suite = SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;
    let falcon = SigningKey::generate_for(suite).unwrap();
    let falcon = falcon.verifying_key().halves().post_quantum.to_vec();
    let shared = signer(1, 1).halves().traditional.to_vec();
    let bob = VerifyingKey::from_halves(suite, &falcon, &shared).unwrap();
    write(clients.path(), "bob.pem", &bob.to_pem());
    let error = VerifyingKeyring::read_dir(clients.path()).unwrap_err().to_string();
    let path = clients.path().display();
    assert!(error.starts_with(&format!("{path}/bob.pem: the policy does not accept")), "{error}");
}

#[test]
fn a_directory_of_signers() {
    let clients = tempfile::tempdir().unwrap();
    write(clients.path(), "alice.pem", &signer(1, 1).to_pem());
    write(clients.path(), "bob.pem", &signer(2, 2).to_pem());
    let ring = Shared::<VerifyingKeyring>::read_dir(clients.path()).unwrap();
    write(clients.path(), "mallory.pem", &signer(1, 66).to_pem());
    let text = format!(
        "{}/mallory.pem and alice.pem: invalid keyring: two different keys have the same ML-DSA-87 half",
        clients.path().display()
    );
    assert_refused_file(VerifyingKeyring::read_dir(clients.path()), &text);
    assert_refused_file(ring.reload(), &text);
    assert_eq!(ring.load().len(), 2);
    // Removed, the other changes are read.
    write(clients.path(), "carol.pem", &signer(3, 3).to_pem());
    fs::remove_file(clients.path().join("mallory.pem")).unwrap();
    assert!(ring.reload().unwrap());
    assert_eq!(ring.load().len(), 3);
}
