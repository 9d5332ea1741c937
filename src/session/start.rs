//! Starting a session: its keys from a shared secret, and its hello.

use std::sync::Arc;

use super::{
    direction::Direction,
    hello::Hello,
    key_schedule::{Exporter, Schedule},
    sender::SessionSender,
    session_id::SessionId,
};
use crate::{
    constants, context,
    error::Error,
    kem::{EncapsulationKey, SharedSecret},
    parties::{SignedBy, signed_digest},
    provider::{Provider, Random},
    sign::{Sign, VerifyingKey, sign_checked},
};

/// Derives from the shared secret, as both sides do: a direction, an exporter and the session's name.
pub(super) fn derive(
    provider: &Provider,
    secret: &SharedSecret,
    core: &[u8],
    context: &[u8],
) -> Result<(Direction, Exporter, SessionId), Error> {
    let info: [&[u8]; 3] = [constants::SESSION_INFO, core, context];
    let Schedule { key_and_nonce, exporter } =
        Schedule::new(secret.suite().id(), secret.as_bytes(), &info);
    let mut session_id = [0; SessionId::LEN];
    exporter.export(&[constants::SESSION_ID], &mut session_id);
    let direction = Direction::new(provider, &key_and_nonce)?;
    Ok((direction, exporter, SessionId::from_bytes(session_id)))
}

impl EncapsulationKey {
    /// Starts a session with the key's owner. Returns the hello, to be sent first, and the sender.
    /// The receiver does not learn who sends; use [`signed_by`](Self::signed_by) to prove it.
    ///
    /// The hello has 1632 bytes with [`KemSuite::X25519_ML_KEM_1024`](crate::KemSuite), 1697 with
    /// [`KemSuite::ML_KEM_1024_P384`](crate::KemSuite).
    ///
    /// # Errors
    ///
    /// [`Error::Context`]; [`Error::Randomness`] if the system has none.
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// let (hello, mut tx) = bob.encapsulation_key().sender(b"example.com/logs")?;
    /// let mut rx = bob.receiver(b"example.com/logs", &hello)?;
    /// assert_eq!(&rx.open(&tx.seal(b"a line")?)?[..], b"a line");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn sender(&self, context: &[u8]) -> Result<(Vec<u8>, SessionSender), Error> {
        sender(self, None, context, &mut Random::System)
    }
}

impl SignedBy<'_> {
    /// Starts the session; see [`EncapsulationKey::sender`]. The hello has at most 6381 bytes with
    /// [`KemSuite::X25519_ML_KEM_1024`](crate::KemSuite), 6446 with
    /// [`KemSuite::ML_KEM_1024_P384`](crate::KemSuite).
    ///
    /// The signature covers the rest of the hello, the recipient's and the signer's whole keys, and the
    /// context. It does not cover the messages; the [module](crate::session) says what proves those.
    ///
    /// # Errors
    ///
    /// Same as [`EncapsulationKey::sender`], and the errors of the signing key.
    pub fn sender(&self, context: &[u8]) -> Result<(Vec<u8>, SessionSender), Error> {
        sender(self.to, Some(self.signer), context, &mut Random::System)
    }
}

/// Starts a session with a signer whose key is here, or with none.
pub(crate) fn sender(
    to: &EncapsulationKey,
    signer: Option<&dyn Sign>,
    context: &[u8],
    random: &mut Random<'_>,
) -> Result<(Vec<u8>, SessionSender), Error> {
    // The public half is asked for once: an external key could answer differently the next time.
    let signer = signer.map(|signer| (signer, signer.verifying_key()));
    let (mut hello, sender) = begin(to, signer.map(|(_, key)| key), context, random)?;
    if let Some((signer, key)) = signer {
        let digest = signed_digest(&hello, to, key, context);
        let signature = sign_checked(signer, key, constants::SESSION_SIGNATURE_CONTEXT, &digest)?;
        hello.extend_from_slice(signature.as_bytes());
    }
    Ok((hello, sender))
}

/// Common to all ways of starting a session: the core of its hello, which the signature follows if there is a
/// signer, and its sender.
pub(super) fn begin(
    to: &EncapsulationKey,
    signer: Option<&VerifyingKey>,
    context: &[u8],
    random: &mut Random<'_>,
) -> Result<(Vec<u8>, SessionSender), Error> {
    context::check(context)?;
    let (ciphertext, secret) = to.encapsulate_with(random)?;
    let hello = Hello {
        suite: to.suite(),
        recipient: to.key_id(),
        signer: signer.map(|key| (key.suite(), key.key_id())),
        ciphertext,
    };
    let core = hello.core();
    let (direction, exporter, session_id) = derive(to.provider(), &secret, &core, context)?;
    let sender = SessionSender {
        direction,
        session_id,
        provider: to.provider(),
        exporter: Some(exporter),
        replied: Arc::default(),
    };
    Ok((core, sender))
}
