//! Accepting a session: with which key, and from whom.

use super::{hello::Parts, receiver::SessionReceiver, verified_hello::VerifiedHello};
use crate::{
    addressee::{Addressed, Addressee},
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

    /// Accepts a hello and decapsulates nothing yet. For a signed one, see [`Accepting::accept_hello`].
    ///
    /// # Errors
    ///
    /// Same as [`receiver`](Self::receiver).
    pub fn accept_hello(&self, context: &[u8], hello: &[u8]) -> Result<VerifiedHello<'_>, Error> {
        accept_hello(self.addressee(), None, context, hello)
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

    /// Accepts a hello and decapsulates nothing yet; see [`DecapsulationKey::accept_hello`].
    ///
    /// # Errors
    ///
    /// Same as [`receiver`](Self::receiver).
    pub fn accept_hello(&self, context: &[u8], hello: &[u8]) -> Result<VerifiedHello<'_>, Error> {
        accept_hello(self.addressee(), None, context, hello)
    }
}

impl<'a> Accepting<'a> {
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
        self.accept_hello(context, hello)?.receiver()
    }

    /// Verifies a hello's signature and decapsulates nothing yet: for keys whose secret is awaited, and for
    /// services that ask their HSM only for signers who may start another session.
    ///
    /// # Errors
    ///
    /// Same as [`receiver`](Self::receiver), except for the errors of the key.
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let alice = twinseal::SigningKey::generate()?;
    /// # let ask_kms = |ciphertext| bob.decapsulate(ciphertext);
    /// let to_bob = bob.encapsulation_key();
    /// let (hello, mut tx) = to_bob.signed_by(&alice).sender(b"example.com/orders")?;
    ///
    /// let verified = bob.accepting(alice.verifying_key()).accept_hello(b"example.com/orders", &hello)?;
    /// assert_eq!(verified.signer(), Some(alice.verifying_key().key_id()));
    /// let secret = ask_kms(verified.ciphertext())?; // awaited
    /// let mut rx = verified.receiver_with(&secret)?;
    /// assert_eq!(&rx.open(&tx.seal(b"one of each")?)?[..], b"one of each");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn accept_hello(&self, context: &[u8], hello: &[u8]) -> Result<VerifiedHello<'a>, Error> {
        accept_hello(self.keys, Some(self.signers), context, hello)
    }
}

/// Accepts a session that does not prove who sends.
pub(crate) fn receiver(
    keys: Addressee<'_>,
    context: &[u8],
    hello: &[u8],
) -> Result<SessionReceiver, Error> {
    accept_hello(keys, None, context, hello)?.receiver()
}

/// Common to all ways of accepting a session.
pub(crate) fn accept_hello<'a>(
    keys: Addressee<'a>,
    signers: Option<Signers<'_>>,
    context: &[u8],
    hello: &[u8],
) -> Result<VerifiedHello<'a>, Error> {
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
    Ok(VerifiedHello { to, key, hello, core: core.to_vec(), context: context.to_vec() })
}
