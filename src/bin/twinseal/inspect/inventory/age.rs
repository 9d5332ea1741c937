//! The age of a file.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The time since a file's content was last changed, if the file system reports it.
#[derive(Clone, Copy)]
pub(super) struct Age {
    modified: Option<SystemTime>,
    now: SystemTime,
}

impl Age {
    pub(super) fn of(metadata: &std::fs::Metadata, now: SystemTime) -> Self {
        Self { modified: metadata.modified().ok(), now }
    }

    /// In seconds since 1970.
    pub(super) fn modified(self) -> Option<i64> {
        seconds(UNIX_EPOCH, self.modified?)
    }

    /// Negative if the file was modified in the future.
    pub(super) fn in_seconds(self) -> Option<i64> {
        seconds(self.modified?, self.now)
    }
}

fn seconds(from: SystemTime, to: SystemTime) -> Option<i64> {
    let whole = |duration: Duration| i64::try_from(duration.as_secs()).ok();
    match to.duration_since(from) {
        Ok(later) => whole(later),
        Err(earlier) => whole(earlier.duration()).map(|seconds| -seconds),
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        let (number, unit) = match self.in_seconds() {
            None => return f.write_str("of unknown age"),
            Some(..0) => return f.write_str("modified in the future"),
            Some(seconds @ 0..MINUTE) => (seconds, "second"),
            Some(seconds @ MINUTE..HOUR) => (seconds / MINUTE, "minute"),
            Some(seconds @ HOUR..DAY) => (seconds / HOUR, "hour"),
            Some(seconds) => (seconds / DAY, "day"),
        };
        write!(f, "{number} {unit}{} old", if number == 1 { "" } else { "s" })
    }
}
