//! The receiving side of a session.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    direction::Direction,
    key_schedule::Exporter,
    message::{MessageKind, MessageTag},
    reply::{self, ReplyNonce},
    sender::SessionSender,
    session_id::SessionId,
};
use crate::{
    error::Error, key_id::KeyId, plaintext::Plaintext, provider::Provider, secret::SecretBuffer,
};

/// The receiving side of a session, or of a reply. [`SessionSender`] has an example.
///
/// Messages open in the order in which they were sealed, and none may be missing. The session is complete only when
/// [`is_finished`](Self::is_finished) is true.
pub struct SessionReceiver {
    pub(super) direction: Direction,
    pub(super) session_id: SessionId,
    pub(super) signer: Option<KeyId>,
    pub(super) provider: &'static Provider,
    /// `None` for a reply.
    pub(super) exporter: Option<Exporter>,
    /// For a reply, until its first message was opened: whether a message of any reply was.
    pub(super) replied: Option<Arc<AtomicBool>>,
}

impl SessionReceiver {
    /// Opens the next message. After an error the same message is still the next one.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if it is not the next message of this session, or was changed: after a lost
    /// message, this is the error of all later ones. [`Error::Truncated`], [`Error::Unknown`] or
    /// [`Error::Invalid`] if it is not a message; [`Error::Finished`] after the last one;
    /// [`Error::Exhausted`] once the direction has carried 2^40 bytes; [`Error::Misuse`] for a reply,
    /// if a message of another reply was opened.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Plaintext, Error> {
        self.open_with_aad(b"", sealed)
    }

    /// Opens the next message, which was sealed with this `aad`.
    ///
    /// # Errors
    ///
    /// Same as [`open`](Self::open).
    pub fn open_with_aad(&mut self, aad: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        let too_short =
            || Error::Truncated { what: "message", needed: MessageTag::LEN, actual: sealed.len() };
        let (kind, rest) = sealed.split_first().ok_or_else(too_short)?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or_else(too_short)?;
        let tag = MessageTag::new(MessageKind::from_id(*kind)?, *tag);
        self.direction.admit_to_open(aad, ciphertext.len())?; // before it is copied
        let mut plaintext = SecretBuffer::from(ciphertext.to_vec());
        self.open_in_place(aad, &mut plaintext, &tag)?;
        Ok(Plaintext::new(plaintext))
    }

    /// Opens the next message in its own buffer, which is zeroed if that fails.
    ///
    /// # Errors
    ///
    /// Same as [`open`](Self::open).
    pub fn open_in_place(
        &mut self,
        aad: &[u8],
        message: &mut [u8],
        tag: &MessageTag,
    ) -> Result<(), Error> {
        let opened = self.open_next(aad, message, tag);
        if opened.is_err() {
            message.fill(0);
        }
        opened
    }

    /// The first message that opens shows that a reply is the true one, and makes it the only one.
    fn open_next(&mut self, aad: &[u8], message: &mut [u8], tag: &MessageTag) -> Result<(), Error> {
        let Some(replied) = &self.replied else {
            return self.direction.open(aad, message, tag);
        };
        if replied.load(Ordering::Acquire) {
            return Err(reply::NO_REPLY);
        }
        self.direction.open(aad, message, tag)?;
        if replied.swap(true, Ordering::AcqRel) {
            return Err(reply::NO_REPLY); // another thread opened one of another reply
        }
        self.replied = None;
        Ok(())
    }

    /// Whether the last message was opened. If the channel ends earlier, messages were cut off.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.direction.is_finished() && self.replied.is_none()
    }

    /// Starts a reply: a nonce, to be sent first, and the sender. Each call draws another nonce, so
    /// that a replayed hello never leads to the same reply key.
    ///
    /// A reply proves to the other side that this side has the recipient's key. It does not say which
    /// messages were opened: put that into the reply if it matters.
    ///
    /// Before a message was opened, nobody has shown that they know the session's keys: the hello may
    /// have been sent again by somebody who cannot open anything, or be anyone's if it is unsigned. A
    /// reply that is started then can be opened only by the hello's maker (or with the recipient's
    /// key), so it reveals nothing. But do not count the peer as present. A challenge can be sent this
    /// way: a first message that contains it is new.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if this is a reply itself; [`Error::Randomness`] if the system has none.
    pub fn reply(&self) -> Result<(ReplyNonce, SessionSender), Error> {
        let nonce = ReplyNonce::random()?;
        Ok((nonce, self.reply_from(nonce)?))
    }

    pub(crate) fn reply_from(&self, nonce: ReplyNonce) -> Result<SessionSender, Error> {
        let exporter = self.exporter.as_ref().ok_or(reply::NO_REPLY)?;
        Ok(SessionSender {
            direction: reply::direction(self.provider, exporter, nonce)?,
            session_id: self.session_id,
            provider: self.provider,
            exporter: None,
            replied: Arc::default(),
        })
    }

    /// The name of the session, the same on both sides and for the reply. Remember it when the first
    /// message was opened, to notice replays: see [`SessionId`].
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// The key whose signature of the hello was verified; `None` for an unsigned session and for a
    /// reply. [`VerifyingKeyring::name_of`](crate::VerifyingKeyring::name_of) returns its owner's
    /// name.
    ///
    /// The signer began this session. The messages are the signer's as long as nobody else has the
    /// recipient's decapsulation key: the signature does not cover them.
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.signer
    }
}

impl fmt::Debug for SessionReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionReceiver({} messages opened)", self.direction.messages())
    }
}
