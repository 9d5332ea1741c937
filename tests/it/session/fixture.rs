//! Who talks to whom, and where are the fields of a hello?

use std::{ops::Range, sync::LazyLock};

use twinseal::{
    DecapsulationKey, Error, KemSuite, SigningKey,
    provider::PORTABLE,
    session::{MessageKind, MessageTag, SessionReceiver, SessionSender},
};

pub(crate) const CTX: &[u8] = b"example.com/gradients/round-7";
pub(crate) const OTHER: &[u8] = b"example.com/gradients/round-8";

/// On the provider that takes given randomness.
fn key(suite: KemSuite, seed: u8) -> DecapsulationKey {
    DecapsulationKey::from_seed(suite, &[seed; 32]).unwrap().on(&PORTABLE).unwrap()
}

pub(crate) static BOB: LazyLock<DecapsulationKey> =
    LazyLock::new(|| key(KemSuite::X25519_ML_KEM_1024, 0xb0));
pub(crate) static CAROL: LazyLock<DecapsulationKey> =
    LazyLock::new(|| key(KemSuite::X25519_ML_KEM_1024, 0xca));
/// Bob with HPKE's suite.
pub(crate) static BOB_P384: LazyLock<DecapsulationKey> =
    LazyLock::new(|| key(KemSuite::ML_KEM_1024_P384, 0xb1));

pub(crate) static ALICE: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());
pub(crate) static MALLORY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate().unwrap().on(&PORTABLE).unwrap());

/// An unsigned session with Bob.
pub(crate) fn session() -> (SessionSender, SessionReceiver) {
    let (hello, tx) = BOB.encapsulation_key().sender(CTX).unwrap();
    (tx, BOB.receiver(CTX, &hello).unwrap())
}

pub(crate) fn message_tag(kind: MessageKind, tag: [u8; 16]) -> MessageTag {
    let mut bytes = [u8::from(kind == MessageKind::Last); MessageTag::LEN];
    bytes[1..].copy_from_slice(&tag);
    MessageTag::from_bytes(&bytes).unwrap()
}

/// Where the fields of a hello are.
pub(crate) const VERSION: usize = 8;
pub(crate) const KEM: Range<usize> = 9..11;
pub(crate) const KDF: Range<usize> = 11..13;
pub(crate) const AEAD: Range<usize> = 13..15;
pub(crate) const FLAGS: usize = 15;
pub(crate) const RECIPIENT: Range<usize> = 16..32;
/// Of a signed one; in an unsigned one, the KEM's ciphertext starts here.
pub(crate) const SIGNATURE_SUITE: Range<usize> = 32..34;
pub(crate) const SIGNER: Range<usize> = 34..50;
/// All of an unsigned hello of the default suite, and the core of a signed one.
pub(crate) const UNSIGNED_LENGTH: usize = 32 + 1600;
pub(crate) const SIGNED_CORE: usize = 50 + 1600;

/// Whether a receiver that was made from a changed hello can do nothing with the true messages.
#[track_caller]
pub(crate) fn assert_estranged(tx: &mut SessionSender, mut rx: SessionReceiver) {
    assert_ne!(tx.session_id(), rx.session_id());
    let first = tx.seal(b"first").unwrap();
    assert!(matches!(rx.open(&first), Err(Error::Open)));
}
