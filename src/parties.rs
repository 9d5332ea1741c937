//! Who is on both sides of a session or a request: the recipient's keys, and the signers.

use std::fmt;

use crate::{
    addressee::{Addressed, Addressee},
    kem::{DecapsulationKey, EncapsulationKey},
    key_id::KeyId,
    keyring::{Keyring, VerifyingKeyring},
    sign::{Sign, SignatureSuite, VerifyingKey},
};

impl EncapsulationKey {
    /// Names the signer of a session or a request: its first bytes are signed with this key, and prove
    /// who sends.
    #[must_use]
    pub fn signed_by<'a>(&'a self, signer: &'a dyn Sign) -> SignedBy<'a> {
        SignedBy { to: self, signer }
    }
}

/// The recipient and the signer of a session or a request; see [`EncapsulationKey::signed_by`].
///
/// ```
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let alice = twinseal::SigningKey::generate()?;
/// let to_bob = bob.encapsulation_key();
/// let (hello, mut tx) = to_bob.signed_by(&alice).sender(b"example.com/logs")?;
/// let mut rx = bob.accepting(alice.verifying_key()).receiver(b"example.com/logs", &hello)?;
/// assert_eq!(rx.signer(), Some(alice.verifying_key().key_id()));
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct SignedBy<'a> {
    pub(crate) to: &'a EncapsulationKey,
    pub(crate) signer: &'a dyn Sign,
}

impl fmt::Debug for SignedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedBy({:?} to {:?})", self.signer.verifying_key(), self.to)
    }
}

impl DecapsulationKey {
    /// Accepts only sessions and requests of this signer. Unsigned ones are refused.
    #[must_use]
    pub fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts only sessions and requests of these signers, and reports whose each is.
    #[must_use]
    pub fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

impl Keyring {
    /// Accepts only sessions and requests of this signer; see [`DecapsulationKey::accepting`].
    #[must_use]
    pub fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts only sessions and requests of these signers, and reports whose each is.
    #[must_use]
    pub fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

/// The keys that a session or a request may be addressed to, and the signers that it may come from;
/// see [`DecapsulationKey::accepting`].
///
/// ```
/// use twinseal::{DecapsulationKey, Error, SigningKey, VerifyingKeyring};
///
/// # let bob = DecapsulationKey::generate()?;
/// # let alice = SigningKey::generate()?;
/// # let mallory = SigningKey::generate()?;
/// let mut signers = VerifyingKeyring::new([])?;
/// signers.add_named("alice", alice.verifying_key())?;
/// let accepting = bob.accepting_any(&signers);
///
/// let to_bob = bob.encapsulation_key();
/// let (hello, _) = to_bob.signed_by(&alice).sender(b"example.com/orders")?;
/// let rx = accepting.receiver(b"example.com/orders", &hello)?;
/// assert_eq!(rx.signer().and_then(|signer| signers.name_of(signer)), Some("alice"));
///
/// let (hello, _) = to_bob.signed_by(&mallory).sender(b"example.com/orders")?;
/// let refused = accepting.receiver(b"example.com/orders", &hello);
/// assert_eq!(refused.unwrap_err(), Error::UnknownSigner);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Accepting<'a> {
    pub(crate) keys: Addressee<'a>,
    pub(crate) signers: Signers<'a>,
}

impl<'a> Accepting<'a> {
    pub(crate) fn one(keys: Addressee<'a>, signer: &'a VerifyingKey) -> Self {
        Self { keys, signers: Signers::One(signer) }
    }

    pub(crate) fn any(keys: Addressee<'a>, signers: &'a VerifyingKeyring) -> Self {
        Self { keys, signers: Signers::AnyOf(signers) }
    }
}

/// The signers that a session or a request may come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signers<'a> {
    One(&'a VerifyingKey),
    AnyOf(&'a VerifyingKeyring),
}

impl<'a> Signers<'a> {
    pub(crate) fn find(self, suite: SignatureSuite, key_id: KeyId) -> Option<&'a VerifyingKey> {
        let found = match self {
            Self::One(signer) => Some(signer),
            Self::AnyOf(signers) => signers.find(key_id),
        };
        found.filter(|signer| (signer.suite(), signer.key_id()) == (suite, key_id))
    }
}
