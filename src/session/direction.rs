//! One direction of a session: messages in order, up to what its key may protect.

use crate::{
    error::Error,
    numbered_key::{KEY_AND_NONCE, NumberedKey, TAG},
    provider::Provider,
    wire,
};

/// The longest message: 2^30 bytes.
const MAX_MESSAGE: u64 = 1 << 30;

const TOO_LONG: &str = "it is longer than 2^30 bytes";

/// All that one direction may carry: 2^40 bytes, which keeps AES-GCM's bound near 2^-57 (SPEC.md,
/// "Limits of a session"). Each message counts with its associated data and [`OVERHEAD_BLOCKS`].
pub(super) const MAX_DIRECTION: u64 = 1 << 40;

/// GCM's own two blocks per message, so that even empty messages use the bound up.
pub(super) const OVERHEAD_BLOCKS: u64 = 32;

/// What a message is within its session. It is authenticated with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// More messages follow.
    More,
    /// The last message of its direction.
    Last,
}

impl MessageKind {
    pub(super) const fn id(self) -> u8 {
        match self {
            Self::More => 0x00,
            Self::Last => 0x01,
        }
    }

    pub(super) fn from_id(id: u8) -> Result<Self, Error> {
        match id {
            0x00 => Ok(Self::More),
            0x01 => Ok(Self::Last),
            other => Err(Error::Unknown { what: "message type", id: other.into() }),
        }
    }
}

/// What travels beside a message that was encrypted in place: 17 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageTag {
    /// Whether more messages follow.
    pub kind: MessageKind,
    /// The authentication tag.
    pub tag: [u8; TAG],
}

impl MessageTag {
    /// Length in bytes, which is all that a session adds to a message.
    pub const LENGTH: usize = 1 + TAG;

    /// `type (1) || tag (16)`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [self.kind.id(); Self::LENGTH];
        for (byte, value) in bytes.iter_mut().skip(1).zip(self.tag) {
            *byte = value;
        }
        bytes
    }

    /// Parses `type (1) || tag (16)`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another type.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, Error> {
        let mut reader = wire::Reader::new("detached tag", bytes);
        Ok(Self { kind: MessageKind::from_id(reader.u8()?)?, tag: reader.array()? })
    }
}

/// One direction: a key, and how much of it is used up.
pub(super) struct Direction {
    key: NumberedKey,
    pub(super) next: u64,
    pub(super) used: u64,
    pub(super) finished: bool,
    /// `type || caller's data`, in a buffer that is kept from message to message.
    aad: Vec<u8>,
}

impl Direction {
    pub(super) fn new(
        provider: &Provider,
        key_and_nonce: &[u8; KEY_AND_NONCE],
    ) -> Result<Self, Error> {
        let key = NumberedKey::new(provider, key_and_nonce)?;
        Ok(Self { key, next: 0, used: 0, finished: false, aad: Vec::new() })
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

    /// What a sender keeps to: before the last message there is always room for an empty one.
    pub(super) fn admit_to_send(
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

    pub(super) fn admit_to_open(&self, aad: &[u8], message: usize) -> Result<u64, Error> {
        let too_long = Error::Invalid { what: "message", reason: TOO_LONG };
        self.admit(aad, message, MAX_DIRECTION, too_long)
    }

    fn set_aad(&mut self, kind: MessageKind, aad: &[u8]) {
        self.aad.clear();
        self.aad.push(kind.id());
        self.aad.extend_from_slice(aad);
    }

    /// Called once a message was sealed or opened.
    fn advance(&mut self, kind: MessageKind, used: u64) {
        self.next = self.next.saturating_add(1); // 2^40 bytes end long before 2^64 messages
        self.used = used;
        self.finished = kind == MessageKind::Last;
    }

    pub(super) fn seal(
        &mut self,
        kind: MessageKind,
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<MessageTag, Error> {
        let used = self.admit_to_send(kind, aad, buffer.len())?;
        self.set_aad(kind, aad);
        // Before anything is encrypted: a number that met a failure is never used again.
        let index = self.next;
        self.advance(kind, used);
        match self.key.seal_in_place(index, &self.aad, buffer) {
            Ok(tag) => Ok(MessageTag { kind, tag }),
            Err(error) => {
                self.finished = true;
                Err(error)
            }
        }
    }

    pub(super) fn open(
        &mut self,
        aad: &[u8],
        buffer: &mut [u8],
        detached: &MessageTag,
    ) -> Result<(), Error> {
        let MessageTag { kind, tag } = detached;
        let opened = self.admit_to_open(aad, buffer.len()).and_then(|used| {
            self.set_aad(*kind, aad);
            self.key.open_in_place(self.next, &self.aad, buffer, tag)?;
            Ok(used)
        });
        self.advance(*kind, opened.inspect_err(|_| buffer.fill(0))?);
        Ok(())
    }
}
