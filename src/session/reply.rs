//! Replies: messages in the other direction of a session.

use std::fmt;

use zeroize::Zeroizing;

use super::{direction::Direction, key_schedule::Exporter};
use crate::{constants, error::Error, numbered_key::KEY_AND_NONCE, provider::Provider, random};

/// 32 random bytes that are sent before a reply; its key is derived from them and the session's.
///
/// They are public, and not authenticated before the first message of the reply opens. See
/// [`SessionReceiver::reply`](super::SessionReceiver::reply) and
/// [`SessionSender::accept_reply`](super::SessionSender::accept_reply).
///
/// ```
/// use twinseal::session::ReplyNonce;
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let (hello, mut tx) = bob.encapsulation_key().sender(b"example.com")?;
/// # let rx = bob.receiver(b"example.com", &hello)?;
/// let (nonce, mut answers) = rx.reply()?;
/// let sent: [u8; ReplyNonce::LEN] = *nonce.as_bytes();
///
/// let mut answer = tx.accept_reply(ReplyNonce::from_bytes(sent))?;
/// assert_eq!(&answer.open(&answers.finish(b"averaged")?)?[..], b"averaged");
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplyNonce([u8; ReplyNonce::LEN]);

impl ReplyNonce {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A nonce that was received.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub(super) fn random() -> Result<Self, Error> {
        Ok(Self(*random::array()?))
    }
}

impl fmt::Debug for ReplyNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyNonce(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

pub(super) const NO_REPLY: Error =
    Error::Misuse { what: "reply", reason: "the session had its reply, or is one" };

/// `key || base nonce = Export("twinseal/reply/v1" || nonce, 44)`.
pub(super) fn direction(
    provider: &Provider,
    exporter: &Exporter,
    nonce: ReplyNonce,
) -> Result<Direction, Error> {
    let mut key_and_nonce = Zeroizing::new([0; KEY_AND_NONCE]);
    exporter.export(&[constants::SESSION_REPLY, &nonce.0], &mut *key_and_nonce);
    Direction::new(provider, &key_and_nonce)
}
