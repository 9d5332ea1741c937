//! When a request was made.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// When a request was made, by the clock of its maker: milliseconds since 1970 (UTC), below 2^53.
///
/// It is public, authenticated, and for the [`ReplayGuard`](super::ReplayGuard) alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestTime(u64);

impl RequestTime {
    /// The earliest time that a request can have: the beginning of 1970.
    pub(super) const MIN: Self = Self(0);

    /// The latest time that a request can have: 2^53 - 1 milliseconds.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The time now, by the clock of this system. Before 1970 it is 0.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Milliseconds since 1970, or `None` from 2^53 on.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Option<Self> {
        if millis <= Self::MAX.0 { Some(Self(millis)) } else { None }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

/// Times before 1970 become 0, and those beyond [`RequestTime::MAX`] become that.
impl From<SystemTime> for RequestTime {
    fn from(time: SystemTime) -> Self {
        let millis = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Self(u64::try_from(millis).unwrap_or(u64::MAX).min(Self::MAX.0))
    }
}

/// A time beyond what the system's clock can show becomes the latest that it can: on Windows that is
/// in the year 30828.
impl From<RequestTime> for SystemTime {
    fn from(time: RequestTime) -> Self {
        // Anybody can put any time into a request's head, so this must not panic.
        UNIX_EPOCH.checked_add(Duration::from_millis(time.0)).unwrap_or_else(latest)
    }
}

/// The latest time, up to [`RequestTime::MAX`], that the system's clock can show.
fn latest() -> SystemTime {
    (0..53).rev().map(|bit| Duration::from_millis(1 << bit)).fold(UNIX_EPOCH, |latest, step| {
        latest.checked_add(step).unwrap_or(latest) // what is too much is left out
    })
}

/// Seconds since 1970 with three decimals.
impl fmt::Display for RequestTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_beyond_the_latest() {
        let [middle, end] = [RequestTime::MAX.0 / 2, RequestTime::MAX.0].map(RequestTime);
        assert_eq!(SystemTime::from(end), latest());
        assert!(SystemTime::from(middle) <= latest());
        assert_eq!(RequestTime::from(SystemTime::from(RequestTime::MIN)), RequestTime::MIN);
    }
}
