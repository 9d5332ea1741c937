//! Accepting a session: with which key, and from whom.

use super::{hello::Parts, receiver::SessionReceiver, start};
use crate::{
    addressee::{Addressed, Addressee, decapsulate},
    constants, context,
    error::Error,
    kem::DecapsulationKey,
    key_id::KeyId,
    keyring::{Keyring, VerifyingKeyring},
    sign::{Signature, SignatureSuite, VerifyingKey},
};

impl DecapsulationKey {
    /// Accepts a session that does not prove who sends. A signed hello is refused: name its signer
    /// with [`accepting`](Self::accepting).
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if it is for another key; [`Error::Signed`] if it is signed;
    /// [`Error::Truncated`], [`Error::Unknown`] or [`Error::Invalid`] if it is not a hello;
    /// [`Error::Context`]. A changed hello leads to other keys: the first message fails to open.
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<SessionReceiver, Error> {
        receiver(self.addressee(), context, hello)
    }

    /// Accepts only sessions of this signer. An unsigned hello is refused.
    #[must_use]
    pub fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts only sessions of these signers; [`SessionReceiver::signer`] returns whose it is.
    #[must_use]
    pub fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

impl Keyring {
    /// Accepts a session with the key that it is addressed to; see [`DecapsulationKey::receiver`].
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::receiver`]; also [`Error::Refused`] if the policy does not accept
    /// the key's suite.
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<SessionReceiver, Error> {
        receiver(self.addressee(), context, hello)
    }

    /// Accepts only sessions of this signer; see [`DecapsulationKey::accepting`].
    #[must_use]
    pub fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts only sessions of these signers; [`SessionReceiver::signer`] returns whose it is.
    #[must_use]
    pub fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

/// The keys that a session may be addressed to, and the signers that it may come from; see
/// [`DecapsulationKey::accepting`].
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
    keys: Addressee<'a>,
    signers: Signers<'a>,
}

impl<'a> Accepting<'a> {
    pub(crate) fn one(keys: Addressee<'a>, signer: &'a VerifyingKey) -> Self {
        Self { keys, signers: Signers::One(signer) }
    }

    pub(crate) fn any(keys: Addressee<'a>, signers: &'a VerifyingKeyring) -> Self {
        Self { keys, signers: Signers::AnyOf(signers) }
    }

    /// Verifies the hello's signature and accepts the session.
    ///
    /// # Errors
    ///
    /// [`Error::Unsigned`] if the hello is not signed; [`Error::UnknownSigner`] if it is signed by
    /// another key; [`Error::Verify`] if the signature does not verify; [`Error::Refused`] if a
    /// keyring's policy does not accept the signature's suite. Otherwise the same as
    /// [`DecapsulationKey::receiver`].
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<SessionReceiver, Error> {
        receive(self.keys, Some(self.signers), context, hello)
    }
}

/// The signers that a session may come from.
#[derive(Clone, Copy, Debug)]
enum Signers<'a> {
    One(&'a VerifyingKey),
    AnyOf(&'a VerifyingKeyring),
}

impl<'a> Signers<'a> {
    fn find(self, suite: SignatureSuite, key_id: KeyId) -> Option<&'a VerifyingKey> {
        let found = match self {
            Self::One(signer) => Some(signer),
            Self::AnyOf(signers) => signers.find(key_id),
        };
        found.filter(|signer| (signer.suite(), signer.key_id()) == (suite, key_id))
    }
}

/// Accepts a session that does not prove who sends.
pub(crate) fn receiver(
    keys: Addressee<'_>,
    context: &[u8],
    hello: &[u8],
) -> Result<SessionReceiver, Error> {
    receive(keys, None, context, hello)
}

/// Common to all ways of accepting a session.
fn receive(
    keys: Addressee<'_>,
    signers: Option<Signers<'_>>,
    context: &[u8],
    hello: &[u8],
) -> Result<SessionReceiver, Error> {
    context::check(context)?;
    let Parts { hello, core, signature } = Parts::parse(hello)?;
    let (to, key) = keys.find(hello.suite, hello.recipient)?;
    match (signers, hello.signer) {
        (None, None) => {}
        (None, Some(_)) => return Err(Error::Signed),
        (Some(_), None) => return Err(Error::Unsigned),
        (Some(signers), Some((suite, key_id))) => {
            keys.check_signer(suite)?;
            let signer = signers.find(suite, key_id).ok_or(Error::UnknownSigner)?;
            let signature = Signature::from_bytes(suite, signature)?;
            let digest = start::signed_digest(core, to, context);
            signer.verify_prehashed(constants::SESSION_SIGNATURE_CONTEXT, &digest, &signature)?;
        }
    }
    let secret = decapsulate(key, &hello.ciphertext)?;
    let (direction, exporter, session_id) = start::derive(to.provider(), &secret, core, context)?;
    Ok(SessionReceiver {
        direction,
        session_id,
        signer: hello.signer(),
        provider: to.provider(),
        exporter: Some(exporter),
        replied: None,
    })
}
