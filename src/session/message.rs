//! What a session adds to a message: its kind and an authentication tag.

use crate::{error::Error, numbered_key::TAG, wire};

/// Whether a message is the last one of its direction. It is authenticated with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// More messages follow.
    More,
    /// The last message of its direction.
    Last,
}

impl MessageKind {
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::More => 0x00,
            Self::Last => 0x01,
        }
    }

    pub(crate) fn from_id(id: u8) -> Result<Self, Error> {
        match id {
            0x00 => Ok(Self::More),
            0x01 => Ok(Self::Last),
            other => Err(Error::Unknown { what: "message type", id: other.into() }),
        }
    }
}

/// The 17 bytes that travel beside a message that was encrypted in place: its kind and its
/// authentication tag. See [`SessionSender::seal_in_place`](super::SessionSender::seal_in_place).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageTag {
    kind: MessageKind,
    tag: [u8; TAG],
}

impl MessageTag {
    /// Length in bytes, which is all that a session adds to a message.
    pub const LEN: usize = 1 + TAG;

    pub(crate) const fn new(kind: MessageKind, tag: [u8; TAG]) -> Self {
        Self { kind, tag }
    }

    /// Whether more messages follow. It is not authenticated before the message was opened.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        self.kind
    }

    pub(crate) const fn tag(&self) -> &[u8; TAG] {
        &self.tag
    }

    /// `type (1) || tag (16)`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [self.kind.id(); Self::LEN];
        bytes[1..].copy_from_slice(&self.tag);
        bytes
    }

    /// Parses `type (1) || tag (16)`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another type.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, Error> {
        let mut reader = wire::Reader::new("message tag", bytes);
        Ok(Self { kind: MessageKind::from_id(reader.u8()?)?, tag: reader.array()? })
    }
}
