//! The sending side of a session.

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
    receiver::SessionReceiver,
    reply::{self, ReplyNonce},
    session_id::SessionId,
};
use crate::{error::Error, provider::Provider, secret::SecretBuffer};

/// The sending side of a session, or of a reply.
///
/// Send every message, in order, over a channel that delivers in order, such as TCP: the receiver
/// opens only the next one. It cannot skip a lost message, because that would hide a message that
/// somebody held back. After a loss, start another session.
///
/// A copy of the process (`fork`, a snapshot of a virtual machine) has the same key and the same
/// number of the next message. If both continue, they encrypt different messages under one nonce,
/// which reveals the difference of the plaintexts and allows forgeries. Only one of them may
/// continue; the other must drop its sender. A snapshot that is restored later is such a copy.
///
/// ```
/// use twinseal::{DecapsulationKey, SigningKey};
///
/// # let bob = DecapsulationKey::generate()?;
/// # let alice = SigningKey::generate()?;
/// let context = b"example.com/gradients/round-7";
/// let (hello, mut tx) = bob.encapsulation_key().signed_by(&alice).sender(context)?;
/// let mut rx = bob.accepting(alice.verifying_key()).receiver(context, &hello)?;
///
/// let first = tx.seal(b"layer 1")?;
/// let last = tx.finish(b"layer 2")?;
/// assert_eq!(&rx.open(&first)?[..], b"layer 1");
/// assert_eq!(&rx.open(&last)?[..], b"layer 2");
/// assert!(rx.is_finished()); // nothing was cut off at the end
///
/// let (nonce, mut answer) = rx.reply()?;
/// let mut answers = tx.accept_reply(nonce)?;
/// assert_eq!(&answers.open(&answer.finish(b"averaged")?)?[..], b"averaged");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct SessionSender {
    pub(super) direction: Direction,
    pub(super) session_id: SessionId,
    pub(super) provider: &'static Provider,
    /// `None` once a message of a reply was opened, and for a reply itself.
    pub(super) exporter: Option<Exporter>,
    /// Whether a message of a reply was opened.
    pub(super) replied: Arc<AtomicBool>,
}

impl SessionSender {
    /// Seals the next message. The result is 17 bytes longer than the plaintext. It has to arrive:
    /// if it is lost, no later message opens.
    ///
    /// # Errors
    ///
    /// [`Error::Finished`] after the last message; [`Error::Misuse`] for a message over 2^30
    /// bytes; [`Error::Exhausted`] once the direction has carried 2^40 bytes.
    pub fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal_with_aad(b"", message)
    }

    /// Seals the next message. `aad` is authenticated with it, but not sent.
    ///
    /// # Errors
    ///
    /// Same as [`seal`](Self::seal).
    pub fn seal_with_aad(&mut self, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.attached(MessageKind::More, aad, message)
    }

    /// Seals the last message, so that the receiver notices if any was cut off. It may be empty.
    ///
    /// # Errors
    ///
    /// Same as [`seal`](Self::seal).
    pub fn finish(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.finish_with_aad(b"", message)
    }

    /// Seals the last message. `aad` is authenticated with it, but not sent.
    ///
    /// # Errors
    ///
    /// Same as [`seal`](Self::seal).
    pub fn finish_with_aad(&mut self, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.attached(MessageKind::Last, aad, message)
    }

    /// Seals the next message in its own buffer, without moving or allocating anything. Send the
    /// [`MessageTag`] with it.
    ///
    /// # Errors
    ///
    /// Same as [`seal`](Self::seal).
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let (hello, mut tx) = bob.encapsulation_key().sender(b"example.com")?;
    /// # let mut rx = bob.receiver(b"example.com", &hello)?;
    /// let mut gradient = vec![1, 2, 3];
    /// let tag = tx.seal_in_place(b"layer 1", &mut gradient)?;
    /// rx.open_in_place(b"layer 1", &mut gradient, &tag)?;
    /// assert_eq!(gradient, [1, 2, 3]);
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn seal_in_place(&mut self, aad: &[u8], message: &mut [u8]) -> Result<MessageTag, Error> {
        self.direction.seal(MessageKind::More, aad, message)
    }

    /// Seals the last message in its own buffer; see [`seal_in_place`](Self::seal_in_place).
    ///
    /// # Errors
    ///
    /// Same as [`seal`](Self::seal).
    pub fn finish_in_place(&mut self, aad: &[u8], message: &mut [u8]) -> Result<MessageTag, Error> {
        self.direction.seal(MessageKind::Last, aad, message)
    }

    /// Accepts the reply that starts with this nonce; [`SessionReceiver::reply`] made it.
    ///
    /// The nonce is not authenticated before the first message of the reply opens. If that fails,
    /// call this again with the next nonce that arrives: a forged one uses up nothing. A session has
    /// one reply: once a message of one reply was opened, those of all others are refused.
    ///
    /// That message proves that the reply is from somebody who has the recipient's key, for this
    /// session. It does not prove which of this session's messages they had received.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if a message of a reply was already opened, or this is a reply itself.
    ///
    /// ```
    /// use twinseal::session::ReplyNonce;
    ///
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let (hello, mut tx) = bob.encapsulation_key().sender(b"example.com")?;
    /// # let rx = bob.receiver(b"example.com", &hello)?;
    /// let (nonce, mut answer) = rx.reply()?;
    /// let sealed = answer.finish(b"averaged")?;
    ///
    /// let forged = ReplyNonce::from_bytes([0; 32]); // arrived first
    /// assert!(tx.accept_reply(forged)?.open(&sealed).is_err());
    /// assert_eq!(&tx.accept_reply(nonce)?.open(&sealed)?[..], b"averaged");
    /// assert!(tx.accept_reply(nonce).is_err()); // a session has only one
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn accept_reply(&mut self, nonce: ReplyNonce) -> Result<SessionReceiver, Error> {
        if self.replied.load(Ordering::Acquire) {
            self.exporter = None; // which wipes it
        }
        let exporter = self.exporter.as_ref().ok_or(reply::NO_REPLY)?;
        Ok(SessionReceiver {
            direction: reply::direction(self.provider, exporter, nonce)?,
            session_id: self.session_id,
            signer: None,
            provider: self.provider,
            exporter: None,
            replied: Some(Arc::clone(&self.replied)),
        })
    }

    /// The name of the session, the same on both sides and for the reply.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// `type || ciphertext || tag`.
    fn attached(
        &mut self,
        kind: MessageKind,
        aad: &[u8],
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.direction.admit_to_send(kind, aad, message.len())?; // before it is copied
        // Wiped if sealing fails, because it then holds the message.
        let mut sealed = SecretBuffer::with_capacity(message.len() + MessageTag::LEN);
        sealed.extend_from_slice(&[kind.id()]);
        sealed.extend_from_slice(message);
        let tag = self.direction.seal(kind, aad, &mut sealed[1..])?;
        sealed.extend_from_slice(tag.tag());
        Ok(sealed.into_vec())
    }
}

impl fmt::Debug for SessionSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionSender({} messages sealed)", self.direction.messages())
    }
}
