//! The name of a request.

use std::fmt;

use sha2::{Digest, Sha384};

use crate::constants;

/// 32 bytes that name a request, the same on both sides.
///
/// It is computed from the head before anything is verified, and does not depend on the bytes of the
/// signature, of which a changed one may still be valid. A [`ReplayGuard`](super::ReplayGuard)
/// remembers it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId([u8; RequestId::LEN]);

impl RequestId {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// The first 32 bytes of `SHA-384("twinseal/request-id/v1" || core)`.
    pub(super) fn of(core: &[u8]) -> Self {
        let digest =
            Sha384::new().chain_update(constants::REQUEST_ID).chain_update(core).finalize();
        Self(*digest.first_chunk().expect("48 bytes hold 32"))
    }

    /// An id that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}
