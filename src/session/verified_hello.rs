//! A hello on its way in: its signature holds, and nothing was decapsulated yet.

use std::fmt;

use super::{Hello, SessionReceiver, start};
use crate::{
    addressee::decapsulate,
    error::Error,
    kem::{Ciphertext, Decapsulate, EncapsulationKey, SharedSecret},
    key_id::KeyId,
};

/// A hello whose signature holds, or that is unsigned. Nothing was decapsulated yet. From
/// [`Accepting::accept_hello`](crate::Accepting::accept_hello), which has an example.
///
/// Continue with [`receiver`](Self::receiver), or with [`receiver_with`](Self::receiver_with) if the secret is
/// awaited. A hello that verifies was made by its signer, but whoever saw it on the way can send it, too.
pub struct VerifiedHello<'a> {
    pub(super) to: &'a EncapsulationKey,
    pub(super) key: &'a dyn Decapsulate,
    pub(super) hello: Hello,
    /// All of the hello except its signature.
    pub(super) core: Vec<u8>,
    pub(super) context: Vec<u8>,
}

impl<'a> VerifiedHello<'a> {
    /// The key whose signature was verified; `None` for an unsigned hello.
    /// [`VerifyingKeyring::name_of`](crate::VerifyingKeyring::name_of) returns its owner's name.
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.hello.claimed_signer()
    }

    /// The ciphertext to be decapsulated with the [recipient](Self::recipient)'s key.
    #[must_use]
    pub fn ciphertext(&self) -> &Ciphertext {
        &self.hello.ciphertext
    }

    /// The key that the hello is for: one of a ring's keys. A secret that was recovered in two halves is
    /// [combined](SharedSecret::combine) with it.
    #[must_use]
    pub fn recipient(&self) -> &'a EncapsulationKey {
        self.to
    }

    /// Uses the key, and accepts the session. An external key may block here.
    ///
    /// # Errors
    ///
    /// The errors of the key.
    pub fn receiver(self) -> Result<SessionReceiver, Error> {
        let secret = decapsulate(self.key, self.to, self.ciphertext())?;
        self.receiver_with(&secret)
    }

    /// Accepts the session with the shared secret of [`ciphertext`](Self::ciphertext), which was decapsulated
    /// elsewhere: by a KMS that is awaited. With any other secret no message opens.
    ///
    /// # Errors
    ///
    /// [`Error::SuiteMismatch`] if the secret is of another suite.
    pub fn receiver_with(self, secret: &SharedSecret) -> Result<SessionReceiver, Error> {
        secret.check_suite(self.to.suite())?;
        let provider = self.to.provider();
        let (direction, exporter, session_id) =
            start::derive(provider, secret, &self.core, &self.context)?;
        Ok(SessionReceiver {
            direction,
            session_id,
            signer: self.signer(),
            provider,
            exporter: Some(exporter),
            replied: None,
        })
    }
}

impl fmt::Debug for VerifiedHello<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.signer() {
            Some(signer) => write!(f, "VerifiedHello(to {:?}, by {signer})", self.to),
            None => write!(f, "VerifiedHello(to {:?})", self.to),
        }
    }
}
