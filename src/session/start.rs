//! Starting a session and accepting one: for whom, by whom, and from which shared secret.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha512};

use super::{
    SessionReceiver, SessionSender,
    direction::Direction,
    hello::Core,
    key_schedule::{Exporter, Schedule},
};
use crate::{
    addressee::{Addressed, Addressee, decapsulate},
    constants, context,
    error::Error,
    kem::{DecapsulationKey, EncapsulationKey, SharedSecret},
    key_id::KeyId,
    keyring::{Keyring, VerifyingKeyring},
    provider::Provider,
    sign::{Sign, Signature, SignatureSuite, VerifyingKey, sign_checked},
};

/// Both sides: from a shared secret to a direction, an exporter and the session's name.
fn start(
    provider: &Provider,
    secret: &SharedSecret,
    core: &[u8],
    context: &[u8],
) -> Result<(Direction, Exporter, [u8; 32]), Error> {
    let info: [&[u8]; 3] = [constants::SESSION_INFO, core, context];
    let Schedule { key_and_nonce, exporter } =
        Schedule::new(secret.suite().id(), secret.as_bytes(), &info);
    let mut session_id = [0; 32];
    exporter.export(&[constants::SESSION_ID], &mut session_id);
    Ok((Direction::new(provider, &key_and_nonce)?, exporter, session_id))
}

impl EncapsulationKey {
    /// Starts a session with the key's owner: the hello to be sent first, and the sender. Nobody
    /// is authenticated to the receiver; with [`signed_by`](Self::signed_by) somebody is.
    ///
    /// # Errors
    ///
    /// [`Error::Context`]; [`Error::Randomness`] if the system has none.
    pub fn sender(&self, context: &[u8]) -> Result<(Vec<u8>, SessionSender), Error> {
        sender(self, None, context, None)
    }

    /// Starts a session that proves who sends.
    #[must_use]
    pub fn signed_by<'a>(&'a self, signer: &'a dyn Sign) -> SignedBy<'a> {
        SignedBy { to: self, signer }
    }
}

/// A session to be started with a signed hello; see [`EncapsulationKey::signed_by`].
#[derive(Clone, Copy)]
pub struct SignedBy<'a> {
    to: &'a EncapsulationKey,
    signer: &'a dyn Sign,
}

impl SignedBy<'_> {
    /// Starts the session; see [`EncapsulationKey::sender`].
    ///
    /// # Errors
    ///
    /// Those of [`EncapsulationKey::sender`], and whatever the signing key reports.
    pub fn sender(&self, context: &[u8]) -> Result<(Vec<u8>, SessionSender), Error> {
        sender(self.to, Some(self.signer), context, None)
    }
}

impl fmt::Debug for SignedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedBy({:?} to {:?})", self.signer.verifying_key(), self.to)
    }
}

/// Where every way of starting a session ends. `randomness` is given for known answers only.
pub(crate) fn sender(
    to: &EncapsulationKey,
    signer: Option<&dyn Sign>,
    context: &[u8],
    randomness: Option<&[u8]>,
) -> Result<(Vec<u8>, SessionSender), Error> {
    context::check(context)?;
    let (ciphertext, secret) = match randomness {
        None => to.encapsulate()?,
        Some(randomness) => to.encapsulate_from(randomness)?,
    };
    let core = Core {
        suite: to.suite(),
        recipient: to.key_id(),
        signer: signer.map(|signer| {
            let key = signer.verifying_key();
            (key.suite(), key.key_id())
        }),
        ciphertext,
    };
    let mut hello = core.to_bytes();
    let (direction, exporter, session_id) = start(to.provider(), &secret, &hello, context)?;
    if let Some(signer) = signer {
        let digest = signed_digest(&hello, to, context);
        let signature = sign_checked(signer, constants::SESSION_SIGNATURE_CONTEXT, &digest)?;
        hello.extend_from_slice(signature.as_bytes());
    }
    let sender = SessionSender {
        direction,
        session_id,
        provider: to.provider(),
        exporter: Some(exporter),
        replied: Arc::default(),
    };
    Ok((hello, sender))
}

/// What a hello's signature is over: `SHA-512(core || ek || context)`.
fn signed_digest(core: &[u8], to: &EncapsulationKey, context: &[u8]) -> [u8; 64] {
    Sha512::new()
        .chain_update(core)
        .chain_update(to.as_bytes())
        .chain_update(context)
        .finalize()
        .into()
}

impl DecapsulationKey {
    /// Accepts a session that does not say who sends. A signed hello is refused: name its signer
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

    /// Accepts sessions of one signer only. An unsigned hello is refused.
    #[must_use]
    pub fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts sessions of any of several signers; [`SessionReceiver::signer`] tells whose it is.
    #[must_use]
    pub fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

impl Keyring {
    /// Accepts a session with the key that it is addressed to; see
    /// [`DecapsulationKey::receiver`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::receiver`]; [`Error::Refused`] if the policy does not accept
    /// the key's suite.
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<SessionReceiver, Error> {
        receiver(self.addressee(), context, hello)
    }

    /// Accepts sessions of one signer only; see [`DecapsulationKey::accepting`].
    #[must_use]
    pub fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts sessions of any of several signers; [`SessionReceiver::signer`] tells whose it is.
    #[must_use]
    pub fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

/// Sessions of one signer, or of any of several; see [`DecapsulationKey::accepting`].
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
    /// another key; [`Error::Verify`] if the signature does not verify;
    /// [`Error::Refused`] if a keyring's policy does not accept the signature's suite; otherwise the
    /// same as [`DecapsulationKey::receiver`].
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<SessionReceiver, Error> {
        receive(self.keys, Some(&self.signers), context, hello)
    }
}

/// From whom a session is accepted.
#[derive(Clone, Copy, Debug)]
enum Signers<'a> {
    One(&'a VerifyingKey),
    AnyOf(&'a VerifyingKeyring),
}

impl Signers<'_> {
    fn find(&self, suite: SignatureSuite, key_id: KeyId) -> Option<&VerifyingKey> {
        let found = match self {
            Self::One(signer) => Some(*signer),
            Self::AnyOf(signers) => signers.find(key_id),
        };
        found.filter(|signer| (signer.suite(), signer.key_id()) == (suite, key_id))
    }
}

/// Accepts a session that does not say who sends.
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
    signers: Option<&Signers<'_>>,
    context: &[u8],
    hello: &[u8],
) -> Result<SessionReceiver, Error> {
    context::check(context)?;
    let (core, core_bytes, signature) = Core::parse(hello)?;
    let key = keys.find(core.suite, core.recipient)?;
    let to = key.encapsulation_key();
    match (signers, core.signer) {
        (None, None) => {}
        (None, Some(_)) => return Err(Error::Signed),
        (Some(_), None) => return Err(Error::Unsigned),
        (Some(signers), Some((suite, key_id))) => {
            keys.check_signer(suite)?;
            let signer = signers.find(suite, key_id).ok_or(Error::UnknownSigner)?;
            let signature = Signature::from_bytes(suite, signature)?;
            let digest = signed_digest(core_bytes, to, context);
            signer.verify_prehashed(constants::SESSION_SIGNATURE_CONTEXT, &digest, &signature)?;
        }
    }
    let secret = decapsulate(key, &core.ciphertext)?;
    let (direction, exporter, session_id) = start(to.provider(), &secret, core_bytes, context)?;
    Ok(SessionReceiver {
        direction,
        session_id,
        signer: core.signer.map(|(_, key_id)| key_id),
        provider: to.provider(),
        exporter: Some(exporter),
        only_reply: None,
    })
}
