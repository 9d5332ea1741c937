//! Sessions: many messages after one key exchange, in order, in one direction, with a reply
//! direction on demand.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    key_id::KeyId,
    numbered_key::{KEY_AND_NONCE, TAG},
    plaintext::Plaintext,
    provider::Provider,
    random,
    secret::SecretBuffer,
};

mod direction;
mod hello;
pub(crate) mod key_schedule;
pub(crate) mod start;

use direction::Direction;
pub use direction::{MessageKind, MessageTag};
use key_schedule::Exporter;
#[cfg(feature = "hazmat")]
pub(crate) use start::sender;
pub use start::{Accepting, SignedBy};

/// The sending side of a session, or of a reply.
///
/// Messages arrive in order, each of them, or the session is broken: the receiver opens only the next
/// one. It does not skip a lost message, and cannot, since that would hide a message that somebody
/// held back. Send them over a channel that delivers in order, as TCP does. After a loss, start
/// another session.
///
/// A copy of the process (`fork`, a snapshot of a virtual machine) has the same key and the same
/// number of the next message. If both go on, they encrypt different messages under one nonce, which
/// gives away the difference of their plaintexts and lets messages be forged: only one of them may go
/// on, the other must drop its sender. A snapshot that is restored later is such a copy.
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
/// let mut answers = tx.accept_reply(&nonce)?;
/// assert_eq!(&answers.open(&answer.finish(b"averaged")?)?[..], b"averaged");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct SessionSender {
    direction: Direction,
    session_id: [u8; 32],
    provider: &'static Provider,
    /// Until a reply was opened. A reply itself has none.
    exporter: Option<Exporter>,
    /// Whether a message of a reply was opened.
    replied: Arc<AtomicBool>,
}

impl SessionSender {
    /// Seals the next message: 17 bytes longer than the plaintext. It has to arrive: if it is lost,
    /// no later one opens, and the session is broken; start another.
    ///
    /// # Errors
    ///
    /// [`Error::Finished`] after the last message; [`Error::Misuse`] for a message over 2^30
    /// bytes; [`Error::Exhausted`] once the direction has carried 2^40 bytes.
    pub fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal_with_aad(b"", message)
    }

    /// Seals the next message and authenticates `aad` with it, which is not sent.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn seal_with_aad(&mut self, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.attached(MessageKind::More, aad, message)
    }

    /// Seals the last message, so that the receiver notices if any was cut off. It may be empty.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn finish(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.finish_with_aad(b"", message)
    }

    /// Seals the last message and authenticates `aad` with it, which is not sent.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn finish_with_aad(&mut self, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.attached(MessageKind::Last, aad, message)
    }

    /// Seals the next message in its own buffer, without moving or allocating anything. The
    /// [`MessageTag`] part travels beside it.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let (hello, mut tx) = bob.encapsulation_key().sender(b"example.com")?;
    /// # let mut rx = bob.receiver(b"example.com", &hello)?;
    /// let mut gradient = vec![1, 2, 3];
    /// let detached = tx.seal_in_place(b"layer 1", &mut gradient)?;
    /// rx.open_in_place(b"layer 1", &mut gradient, &detached)?;
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
    /// Those of [`seal`](Self::seal).
    pub fn finish_in_place(&mut self, aad: &[u8], message: &mut [u8]) -> Result<MessageTag, Error> {
        self.direction.seal(MessageKind::Last, aad, message)
    }

    /// Starts reading the reply, from the 32 bytes that [`SessionReceiver::reply`] drew.
    ///
    /// The bytes are not authenticated before the first message of the reply opens. If it does not
    /// open, call this again with the next bytes that arrive: a forged value uses nothing up. A
    /// session has one reply: once a message of one has opened, those of every other are refused.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if a message of a reply was opened before, or this is a reply itself.
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let (hello, mut tx) = bob.encapsulation_key().sender(b"example.com")?;
    /// # let rx = bob.receiver(b"example.com", &hello)?;
    /// let (nonce, mut answer) = rx.reply()?;
    /// let sealed = answer.finish(b"averaged")?;
    ///
    /// let forged = [0; 32]; // arrived first
    /// assert!(tx.accept_reply(&forged)?.open(&sealed).is_err());
    /// assert_eq!(&tx.accept_reply(&nonce)?.open(&sealed)?[..], b"averaged");
    /// assert!(tx.accept_reply(&nonce).is_err()); // that was the one
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn accept_reply(&mut self, nonce: &[u8; 32]) -> Result<SessionReceiver, Error> {
        if self.replied.load(Ordering::Acquire) {
            self.exporter = None; // which wipes it
        }
        let exporter = self.exporter.as_ref().ok_or(NO_REPLY)?;
        Ok(SessionReceiver {
            direction: reply_direction(self.provider, exporter, nonce)?,
            session_id: self.session_id,
            signer: None,
            provider: self.provider,
            exporter: None,
            only_reply: Some(Arc::clone(&self.replied)),
        })
    }

    /// 32 bytes that name the session, the same on both sides and for the reply.
    #[must_use]
    pub fn session_id(&self) -> &[u8; 32] {
        &self.session_id
    }

    /// `type || ciphertext || tag`.
    fn attached(
        &mut self,
        kind: MessageKind,
        aad: &[u8],
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.direction.admit_to_send(kind, aad, message.len())?; // before it is copied
        // Wiped if sealing fails: then it holds the message still.
        let length = message.len().saturating_add(MessageTag::LENGTH);
        let mut sealed = SecretBuffer::with_capacity(length);
        sealed.extend_from_slice(&[kind.id()]);
        sealed.extend_from_slice(message);
        let ciphertext = sealed.get_mut(1..).unwrap_or_default();
        let detached = self.direction.seal(kind, aad, ciphertext)?;
        sealed.extend_from_slice(&detached.tag);
        Ok(sealed.into_vec())
    }
}

/// The receiving side of a session, or of a reply. See [`SessionSender`].
pub struct SessionReceiver {
    direction: Direction,
    session_id: [u8; 32],
    signer: Option<KeyId>,
    provider: &'static Provider,
    /// A reply itself has none.
    exporter: Option<Exporter>,
    /// For a reply of which nothing was opened yet: whether another one was.
    only_reply: Option<Arc<AtomicBool>>,
}

impl SessionReceiver {
    /// Opens the next message. After an error the same message is still the next one.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if it is not the next message of this session, unchanged: after a message that
    /// was lost, every later one ends in this; [`Error::Truncated`] or [`Error::Unknown`] if it is not
    /// a message; [`Error::Finished`] after the last one; [`Error::Misuse`] for a reply, if a message
    /// of another reply was opened.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Plaintext, Error> {
        self.open_with_aad(b"", sealed)
    }

    /// Opens the next message, which was sealed with this `aad`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_with_aad(&mut self, aad: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        let too_short = || Error::Truncated {
            what: "message",
            needed: MessageTag::LENGTH,
            actual: sealed.len(),
        };
        let (kind, rest) = sealed.split_first().ok_or_else(too_short)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>().ok_or_else(too_short)?;
        let detached = MessageTag { kind: MessageKind::from_id(*kind)?, tag: *tag };
        self.direction.admit_to_open(aad, ciphertext.len())?; // before it is copied
        let mut plaintext = SecretBuffer::from(ciphertext.to_vec());
        self.open_in_place(aad, &mut plaintext, &detached)?;
        Ok(Plaintext::new(plaintext))
    }

    /// Opens the next message in its own buffer, which is zeroed if that fails.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_in_place(
        &mut self,
        aad: &[u8],
        message: &mut [u8],
        detached: &MessageTag,
    ) -> Result<(), Error> {
        // The first message that opens shows that the reply is a true one, and makes it the only.
        let Some(replied) = &self.only_reply else {
            return self.direction.open(aad, message, detached);
        };
        let opened = match replied.load(Ordering::Acquire) {
            true => Err(NO_REPLY),
            false => self.direction.open(aad, message, detached),
        };
        let opened = opened.and_then(|()| match replied.swap(true, Ordering::AcqRel) {
            true => Err(NO_REPLY),
            false => Ok(()),
        });
        opened.inspect_err(|_| message.fill(0))?;
        self.only_reply = None;
        Ok(())
    }

    /// Whether the last message was opened. If the messages end before, some were cut off.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.direction.finished && self.only_reply.is_none()
    }

    /// Starts a reply: 32 fresh random bytes, to be sent first, and the sender. Each call draws new
    /// ones, so that a replayed hello never makes a reply key twice.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if this is a reply itself; [`Error::Randomness`] if the system has none.
    pub fn reply(&self) -> Result<([u8; 32], SessionSender), Error> {
        let nonce = *random::array()?;
        Ok((nonce, self.reply_from(&nonce)?))
    }

    pub(crate) fn reply_from(&self, nonce: &[u8; 32]) -> Result<SessionSender, Error> {
        let exporter = self.exporter.as_ref().ok_or(NO_REPLY)?;
        Ok(SessionSender {
            direction: reply_direction(self.provider, exporter, nonce)?,
            session_id: self.session_id,
            provider: self.provider,
            exporter: None,
            replied: Arc::default(),
        })
    }

    /// 32 bytes that name the session, the same on both sides and for the reply. A whole session
    /// can be replayed; remembering these (never the hello's bytes) detects it.
    #[must_use]
    pub fn session_id(&self) -> &[u8; 32] {
        &self.session_id
    }

    /// Who signed the hello, if it was signed.
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.signer
    }
}

const NO_REPLY: Error =
    Error::Misuse { what: "reply", reason: "the session had its reply, or is one" };

/// `key || base nonce = Export("twinseal/reply/v1" || nonce, 44)`.
fn reply_direction(
    provider: &Provider,
    exporter: &Exporter,
    nonce: &[u8; 32],
) -> Result<Direction, Error> {
    let mut key_and_nonce = Zeroizing::new([0; KEY_AND_NONCE]);
    exporter.export(&[constants::SESSION_REPLY, nonce], &mut *key_and_nonce);
    Direction::new(provider, &key_and_nonce)
}

impl fmt::Debug for SessionSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({} messages sealed)", self.direction.next)
    }
}

impl fmt::Debug for SessionReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({} messages opened)", self.direction.next)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        direction::{MAX_DIRECTION, OVERHEAD_BLOCKS},
        *,
    };
    use crate::kem::{DecapsulationKey, KemSuite};

    const CTX: &[u8] = b"example.com/sessions";

    /// Both sides of a session that has carried so much already.
    fn session(used: u64) -> Result<(SessionSender, SessionReceiver), Error> {
        let bob = DecapsulationKey::from_seed(KemSuite::X25519_ML_KEM_1024, &[7; 32])?;
        let (hello, mut tx) = bob.encapsulation_key().sender(CTX)?;
        let mut rx = bob.receiver(CTX, &hello)?;
        tx.direction.used = used;
        rx.direction.used = used;
        Ok((tx, rx))
    }

    #[test]
    fn a_direction_ends_at_its_limit() -> Result<(), Error> {
        // 3 bytes of associated data and 10 of a message, and room for an empty last one.
        let exactly = 3 + 10 + 2 * OVERHEAD_BLOCKS;
        for (left, fits) in [(exactly, true), (exactly + 1, true), (exactly - 1, false), (0, false)]
        {
            let (mut tx, mut rx) = session(MAX_DIRECTION - left)?;
            let sealed = tx.seal_with_aad(b"aad", &[0; 10]);
            if !fits {
                assert!(matches!(sealed, Err(Error::Exhausted)));
                continue;
            }
            rx.open_with_aad(b"aad", &sealed?)?;
            // Now not even an empty message fits.
            assert!(matches!(tx.seal(b""), Err(Error::Exhausted)));
            let mut buffer = *b"plain";
            assert!(matches!(tx.seal_in_place(b"", &mut buffer), Err(Error::Exhausted)));
            assert_eq!(&buffer, b"plain");
            // But the end does, and it is a proper one.
            assert!(matches!(tx.finish(b"ab"), Err(Error::Exhausted)));
            rx.open(&tx.finish(b"")?)?;
            assert!(rx.is_finished());
            // A reply is a direction of its own.
            let (nonce, mut answer) = rx.reply()?;
            tx.accept_reply(&nonce)?.open(&answer.finish(b"answer")?)?;
        }
        Ok(())
    }

    #[test]
    fn a_receiver_ends_at_the_limit_too() -> Result<(), Error> {
        let (_, mut rx) = session(MAX_DIRECTION)?;
        assert!(matches!(rx.open(&[0; MessageTag::LENGTH]), Err(Error::Exhausted)));
        let mut buffer = *b"sealed";
        let detached = MessageTag { kind: MessageKind::Last, tag: [0; TAG] };
        assert!(matches!(rx.open_in_place(b"", &mut buffer, &detached), Err(Error::Exhausted)));
        assert_eq!(buffer, [0; 6]);
        assert!(!rx.is_finished());
        Ok(())
    }

    #[test]
    fn what_fails_uses_nothing_up() -> Result<(), Error> {
        let (mut tx, mut rx) = session(MAX_DIRECTION - 10 - 2 * OVERHEAD_BLOCKS)?;
        assert!(matches!(tx.seal(&[0; 11]), Err(Error::Exhausted)));
        for _ in 0..3 {
            assert!(matches!(rx.open(&[0; 10 + MessageTag::LENGTH]), Err(Error::Open)));
        }
        rx.open(&tx.seal(&[0; 10])?)?;
        Ok(())
    }

    #[test]
    fn the_limit_does_not_wrap() -> Result<(), Error> {
        let (mut tx, mut rx) = session(u64::MAX)?;
        assert!(matches!(tx.seal(b""), Err(Error::Exhausted)));
        assert!(matches!(rx.open(&[0; MessageTag::LENGTH]), Err(Error::Exhausted)));
        Ok(())
    }
}
