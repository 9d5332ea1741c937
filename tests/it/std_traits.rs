//! Do the standard traits of keys, suites and buffers do what their names say?

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use twinseal::{VerifyingKeyring, secret::PageBuffer};

use crate::common::keys::{COMPOSITE, CTX, P384, X25519, kem_key, signing_key};

fn hash(value: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

#[test]
fn equal_keys_and_suites_have_one_hash_and_others_have_others() {
    let signer = |number| signing_key(number).verifying_key().clone();
    assert_eq!(hash(signer(1)), hash(signer(1)));
    assert_ne!(hash(signer(1)), hash(signer(2)));
    let recipient = |suite, number| kem_key(suite, number).encapsulation_key().clone();
    assert_eq!(hash(recipient(P384, 1)), hash(recipient(P384, 1)));
    assert_ne!(hash(recipient(P384, 1)), hash(recipient(P384, 2)));
    assert_ne!(hash(P384), hash(X25519));
    assert_ne!(hash(COMPOSITE), hash(()), "there may be no second suite");
}

#[test]
fn equal_keys_are_of_one_suite_and_have_the_same_bytes() {
    let signer = |number| signing_key(number).verifying_key().clone();
    assert_eq!(signer(1), signer(1));
    assert_ne!(signer(1), signer(2));
    let recipient = |suite, number| kem_key(suite, number).encapsulation_key().clone();
    assert_eq!(recipient(P384, 1), recipient(P384, 1));
    assert_ne!(recipient(P384, 1), recipient(P384, 2));
    assert_ne!(recipient(P384, 1), recipient(X25519, 1));
}

#[test]
fn buffers_are_borrowed_whole() {
    let mut buffer = PageBuffer::zeroed(3);
    buffer.as_mut().copy_from_slice(b"abc");
    let borrowed: &[u8] = buffer.as_ref();
    assert_eq!((borrowed, &buffer[..]), (&b"abc"[..], &b"abc"[..]));

    let key = kem_key(P384, 1);
    let sealed = key.encapsulation_key().seal(CTX, b"text").unwrap();
    let plaintext = key.open(CTX, &sealed).unwrap();
    let borrowed: &[u8] = plaintext.as_ref();
    assert_eq!((borrowed, &plaintext[..]), (&b"text"[..], &b"text"[..]));
    assert_eq!(plaintext.into_vec(), b"text");
}

#[test]
fn a_ring_of_verifying_keys_is_not_empty() {
    let ring = VerifyingKeyring::new([signing_key(1).verifying_key()]).unwrap();
    assert_eq!((ring.len(), ring.is_empty()), (1, false));
}
