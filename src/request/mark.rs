//! What a guard leaves to the one that begins where it ended.

use super::RequestTime;
#[cfg(doc)]
use crate::error::ReplayRefusal;
use crate::{error::Error, wire};

/// What a [`WindowGuard`](super::WindowGuard) leaves behind: no request that is later was let in.
///
/// A mark is for one restart. The guard that [resumes](super::WindowGuard::resume) from it lets in what is
/// later, so a second guard that resumed from the same mark would let the same requests in again:
/// **delete a stored mark, durably, before the first request is accepted**.
///
/// It is not secret, but whoever can change it decides which requests are refused as
/// [`Restarted`](ReplayRefusal::Restarted).
#[derive(Debug, PartialEq, Eq)]
pub struct Mark(RequestTime);

impl Mark {
    /// Length in bytes.
    pub const LEN: usize = 8;

    pub(super) const fn new(time: RequestTime) -> Self {
        Self(time)
    }

    /// Uses it up.
    pub(super) fn into_time(self) -> RequestTime {
        self.0
    }

    /// The time up to which requests will be refused.
    #[must_use]
    pub const fn time(&self) -> RequestTime {
        self.0
    }

    /// The mark as 8 bytes, to be stored.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        self.0.as_millis().to_be_bytes()
    }

    /// A mark that was stored. If there is an error, begin with a [new](super::WindowGuard::new) guard.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] unless there are 8 bytes, [`Error::Invalid`] if they are not those of a mark.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let millis = u64::from_be_bytes(wire::array("mark", bytes)?);
        let time = RequestTime::from_millis(millis);
        let reason = "its time is not below 2^53";
        time.map(Self).ok_or(Error::Invalid { what: "mark", reason })
    }
}
