//! One direction of a session: messages in order, up to what its key may protect.

use super::message::{MessageKind, MessageTag};
use crate::{
    error::Error,
    numbered_key::{KEY_AND_NONCE, NumberedKey},
    provider::Provider,
};

/// The longest message: 2^30 bytes.
pub(super) const MAX_MESSAGE: u64 = 1 << 30;

const TOO_LONG: &str = "it is longer than 2^30 bytes";

/// The most that one direction may carry: 2^40 bytes, which keeps AES-GCM's bound near 2^-57 (SPEC.md,
/// "Limits of a session"). Each message counts with its associated data and [`OVERHEAD_BLOCKS`].
const MAX_DIRECTION: u64 = 1 << 40;

/// GCM's own two blocks per message: even empty messages use up the limit.
const OVERHEAD_BLOCKS: u64 = 32;

/// One direction: a key, and how much of it was used.
pub(crate) struct Direction {
    key: NumberedKey,
    next: u64,
    used: u64,
    finished: bool,
    /// `type || caller's data`, in a buffer that is kept for the next message.
    aad: Vec<u8>,
}

impl Direction {
    pub(crate) fn new(
        provider: &Provider,
        key_and_nonce: &[u8; KEY_AND_NONCE],
    ) -> Result<Self, Error> {
        let key = NumberedKey::new(provider, key_and_nonce)?;
        Ok(Self { key, next: 0, used: 0, finished: false, aad: Vec::new() })
    }

    /// The number of messages that were sealed or opened.
    pub(crate) fn messages(&self) -> u64 {
        self.next
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Checks that a message still fits below the limit, and returns what the direction will have
    /// used with it.
    fn admit(&self, aad: &[u8], message: usize, limit: u64, too_long: Error) -> Result<u64, Error> {
        if self.finished {
            return Err(Error::Finished);
        }
        if message as u64 > MAX_MESSAGE {
            return Err(too_long);
        }
        (message as u64)
            .checked_add(aad.len() as u64)
            .and_then(|length| length.checked_add(OVERHEAD_BLOCKS))
            .and_then(|length| length.checked_add(self.used))
            .filter(|used| *used <= limit)
            .ok_or(Error::Exhausted)
    }

    /// A sender's limit leaves room for an empty last message.
    pub(crate) fn admit_to_send(
        &self,
        kind: MessageKind,
        aad: &[u8],
        message: usize,
    ) -> Result<u64, Error> {
        let kept = match kind {
            MessageKind::More => OVERHEAD_BLOCKS,
            MessageKind::Last => 0,
        };
        let too_long = Error::Misuse { what: "message", reason: TOO_LONG };
        self.admit(aad, message, MAX_DIRECTION - kept, too_long)
    }

    pub(crate) fn admit_to_open(&self, aad: &[u8], message: usize) -> Result<u64, Error> {
        let too_long = Error::Invalid { what: "message", reason: TOO_LONG };
        self.admit(aad, message, MAX_DIRECTION, too_long)
    }

    fn set_aad(&mut self, kind: MessageKind, aad: &[u8]) {
        self.aad.clear();
        self.aad.push(kind.id());
        self.aad.extend_from_slice(aad);
    }

    /// Moves on to the next message.
    fn advance(&mut self, kind: MessageKind, used: u64) {
        self.next = self.next.saturating_add(1); // 2^40 bytes end long before 2^64 messages
        self.used = used;
        self.finished = kind == MessageKind::Last;
    }

    pub(crate) fn seal(
        &mut self,
        kind: MessageKind,
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<MessageTag, Error> {
        let used = self.admit_to_send(kind, aad, buffer.len())?;
        self.set_aad(kind, aad);
        // Before encryption: a number whose encryption failed is never used again. As the receiver would wait for it, no
        // other message follows, also if the provider panics.
        let index = self.next;
        self.advance(kind, used);
        self.finished = true;
        let tag = self.key.seal_in_place(index, &self.aad, buffer)?;
        self.finished = kind == MessageKind::Last;
        Ok(MessageTag::new(kind, tag))
    }

    /// After a failure the buffer holds zeros or is unchanged, and the same message is still the
    /// next one.
    pub(crate) fn open(
        &mut self,
        aad: &[u8],
        buffer: &mut [u8],
        tag: &MessageTag,
    ) -> Result<(), Error> {
        let used = self.admit_to_open(aad, buffer.len())?;
        self.set_aad(tag.kind(), aad);
        self.key.open_in_place(self.next, &self.aad, buffer, tag.tag())?;
        self.advance(tag.kind(), used);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kem::{DecapsulationKey, KemSuite},
        session::{SessionReceiver, SessionSender},
    };

    const CTX: &[u8] = b"example.com/sessions";

    /// Both sides of a session that has already carried so much.
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
                assert_eq!(sealed.err(), Some(Error::Exhausted));
                continue;
            }
            rx.open_with_aad(b"aad", &sealed?)?;
            // Now not even an empty message fits.
            assert_eq!(tx.seal(b"").err(), Some(Error::Exhausted));
            let mut buffer = *b"plain";
            assert_eq!(tx.seal_in_place(b"", &mut buffer).err(), Some(Error::Exhausted));
            assert_eq!(&buffer, b"plain");
            // But the end does, and it is a proper one.
            assert_eq!(tx.finish(b"ab").err(), Some(Error::Exhausted));
            rx.open(&tx.finish(b"")?)?;
            assert!(rx.is_finished());
            // A reply is a direction of its own.
            let (nonce, mut answer) = rx.reply()?;
            tx.accept_reply(nonce)?.open(&answer.finish(b"answer")?)?;
        }
        Ok(())
    }

    #[test]
    fn a_receiver_ends_at_the_limit_too() -> Result<(), Error> {
        let (_, mut rx) = session(MAX_DIRECTION)?;
        assert_eq!(rx.open(&[0; MessageTag::LEN]).err(), Some(Error::Exhausted));
        let mut buffer = *b"sealed";
        let tag = MessageTag::new(MessageKind::Last, [0; 16]);
        assert_eq!(rx.open_in_place(b"", &mut buffer, &tag).err(), Some(Error::Exhausted));
        assert_eq!(buffer, [0; 6]);
        assert!(!rx.is_finished());
        Ok(())
    }

    #[test]
    fn what_fails_uses_nothing_up() -> Result<(), Error> {
        let (mut tx, mut rx) = session(MAX_DIRECTION - 10 - 2 * OVERHEAD_BLOCKS)?;
        assert_eq!(tx.seal(&[0; 11]).err(), Some(Error::Exhausted));
        for _ in 0..3 {
            assert_eq!(rx.open(&[0; 10 + MessageTag::LEN]).err(), Some(Error::Open));
        }
        rx.open(&tx.seal(&[0; 10])?)?;
        Ok(())
    }

    #[test]
    fn the_limit_does_not_wrap() -> Result<(), Error> {
        let (mut tx, mut rx) = session(u64::MAX)?;
        assert_eq!(tx.seal(b"").err(), Some(Error::Exhausted));
        assert_eq!(rx.open(&[0; MessageTag::LEN]).err(), Some(Error::Exhausted));
        Ok(())
    }
}
