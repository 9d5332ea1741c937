//! Why are the keys of a sealed store refused?

use std::fmt;

/// Why the keys of a sealed store are refused, or an object in it.
///
/// [`UnknownEpoch`](Self::UnknownEpoch) and [`OldEpoch`](Self::OldEpoch) are about one object, and after
/// [`NewEpoch`](Self::NewEpoch) the upload is repeated. After any other, nobody reads or writes until somebody has
/// looked at what is in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreRefusal {
    /// There are no keys: this is no sealed store, or somebody deleted them.
    NoKeys,
    /// Another owner signed them, or for another context, or nobody did.
    Owner,
    /// They are those of another store.
    AnotherStore,
    /// They are not where they belong: their serial is not that of their name.
    Misplaced,
    /// They are older than the pin: somebody hides a change.
    Older,
    /// They, or keys before them that the pin names, are not those that were seen: somebody replaced a change.
    Replaced,
    /// They are sealed to others than those whom the owner signed.
    Recipients,
    /// They are damaged, or not of this format.
    Malformed,
    /// They are longer than 12 MiB.
    TooLong,
    /// The object is under an epoch that the store's keys do not have: it was retired, or never there. A store
    /// looks for unknown epochs once a second at most, so for that long it can also be one that has just begun.
    UnknownEpoch,
    /// The object is under an epoch before the one that the reader accepts.
    OldEpoch,
    /// A newer epoch began during an upload.
    NewEpoch,
}

impl fmt::Display for StoreRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKeys => {
                "there are no keys at this place: it is not a sealed store, or they were deleted"
            }
            Self::Owner => "its keys are not signed by this owner for this context",
            Self::AnotherStore => "its keys are those of another store",
            Self::Misplaced => "its keys are not those that their name says",
            Self::Older => "its keys are older than the pin",
            Self::Replaced => "keys that were seen before have been replaced",
            Self::Recipients => "its keys are sealed to others than its owner signed",
            Self::Malformed => "its keys are damaged",
            Self::TooLong => "its keys are longer than 12 MiB",
            Self::UnknownEpoch => "an object is under an epoch that the store does not have",
            Self::OldEpoch => "an object is under an epoch that is no longer accepted",
            Self::NewEpoch => "a newer epoch began during the upload",
        })
    }
}
