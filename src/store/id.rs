//! The name of a store, which is in every key of it.

use std::fmt;

/// 16 random bytes, drawn when the store is made: [`SealedStore::id`](super::SealedStore::id). Its text is 32
/// hexadecimal digits, with which a [`Pin`](super::Pin) begins. It is not secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId([u8; StoreId::LEN]);

impl StoreId {
    pub(super) const LEN: usize = 16;

    pub(super) const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreId({self})")
    }
}
