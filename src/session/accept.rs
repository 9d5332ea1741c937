//! Accepting a session: with which key, and from whom.

use super::{hello::Parts, receiver::SessionReceiver, start};
use crate::{
    addressee::{Addressed, Addressee, decapsulate},
    constants, context,
    error::Error,
    kem::DecapsulationKey,
    keyring::Keyring,
    parties::{Accepting, Signers, signed_digest},
    sign::Signature,
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
}

impl Accepting<'_> {
    /// Verifies the hello's signature and accepts the session.
    ///
    /// The signature proves that the signer began this session, for the key that accepts it, in this
    /// context, at some time. The hello may have been sent before: see
    /// [`SessionId`](crate::session::SessionId).
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
            let digest = signed_digest(core, to, signer, context);
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
