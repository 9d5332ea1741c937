//! How old a request may be, and how far ahead its maker's clock.

use std::time::Duration;

use super::RequestTime;
use crate::error::{Error, ReplayRefusal};

/// How far a request's time may be from the time of its recipient: by default at most 60 seconds back
/// and 2 seconds ahead.
///
/// What lies between the time of a request and the moment in which a guard lets it in has to fit into
/// `back`: the difference of the two clocks, the way, the wait in queues, and, for a body that is
/// opened in memory, the transfer of all of it. A body that is opened by a reader counts only up to its
/// first chunk.
///
/// # Processes that share a key
///
/// All processes that accept requests with one key and in one context must share what they know, or
/// each lets the same request in. This holds for replicas, and for an old and a new process that overlap
/// during an update. [`WindowGuard`](super::WindowGuard) knows one process. Others keep the ids in a
/// store that they share and that offers *set if absent* in one step, such as Redis (`SET .. NX PX ..`):
///
/// 1. Check the time, with [`check`](Self::check), so that the store is not filled with what is refused.
/// 2. Set the id if it is absent. If it was there, the request is [`Replayed`](ReplayRefusal::Replayed).
/// 3. Check the time again: if this process or its network stood still since the first check, the entry
///    of another process may have expired meanwhile.
///
/// The entry must not expire while another process could let the request in: after `back`, plus
/// `ahead`, plus twice the greatest difference between a process's clock and the right time. Ten seconds
/// are a careful guess for that difference if clocks are synchronised.
///
/// The store must not lose what it confirmed. One that does, for example when it fails over to a replica
/// of its own, or removes entries when its memory is full, can let a request in twice.
///
/// ```
/// use std::{collections::HashMap, sync::Mutex, time::{Duration, SystemTime}};
/// use twinseal::{
///     Error, KeyId, ReplayRefusal,
///     request::{ReplayGuard, RequestId, RequestTime, Window},
/// };
///
/// /// Stands for the store: ids, each with the time when its entry expires.
/// #[derive(Default)]
/// struct Store(Mutex<HashMap<RequestId, SystemTime>>);
///
/// impl Store {
///     /// Whether the id was absent, or an error if that is unknown.
///     fn set_if_absent(&self, id: RequestId, expires_after: Duration) -> Result<bool, String> {
///         let now = SystemTime::now();
///         let mut entries = self.0.lock().map_err(|error| error.to_string())?;
///         entries.retain(|_, expires| *expires >= now);
///         let absent = !entries.contains_key(&id);
///         if absent {
///             entries.insert(id, now + expires_after);
///         }
///         Ok(absent)
///     }
/// }
///
/// struct SharedGuard {
///     window: Window,
///     store: Store,
/// }
///
/// /// The greatest difference between the clock of a process and the right time.
/// const CLOCKS: Duration = Duration::from_secs(10);
///
/// impl ReplayGuard for SharedGuard {
///     fn admit(&self, id: RequestId, _: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
///         self.window.check(time, RequestTime::now())?;
///         let expires_after = self.window.back() + self.window.ahead() + 2 * CLOCKS;
///         match self.store.set_if_absent(id, expires_after) {
///             Ok(true) => self.window.check(time, RequestTime::now()),
///             Ok(false) => Err(Error::Replay(ReplayRefusal::Replayed)),
///             Err(error) => Err(Error::external(error)), // unreachable: nothing is let in
///         }
///     }
/// }
///
/// let guard = SharedGuard { window: Window::default(), store: Store::default() };
/// let (id, time) = (RequestId::from_bytes([7; 32]), RequestTime::now());
/// guard.admit(id, None, time)?;
/// assert_eq!(guard.admit(id, None, time), Err(Error::Replay(ReplayRefusal::Replayed)));
/// # Ok::<(), Error>(())
/// ```
///
/// A store that is awaited cannot be called from `admit`. Accept such requests in steps, as
/// [`VerifiedHead`](super::VerifiedHead) shows: it gives the id, the signer and the time, the store gives
/// the verdict, and [`admitted`](super::Unadmitted::admitted) gives the plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    back: Duration,
    ahead: Duration,
}

impl Window {
    /// A request may be made up to `back` before and up to `ahead` after the time of the recipient.
    /// Parts of a millisecond do not count.
    ///
    /// A small `ahead` is enough for clocks that are synchronised. A new
    /// [`WindowGuard`](super::WindowGuard) refuses every request for as long.
    #[must_use]
    pub const fn new(back: Duration, ahead: Duration) -> Self {
        Self { back, ahead }
    }

    /// How old a request may be.
    #[must_use]
    pub const fn back(&self) -> Duration {
        self.back
    }

    /// How far a request may be from the future.
    #[must_use]
    pub const fn ahead(&self) -> Duration {
        self.ahead
    }

    /// Whether a request of this time may be let in now.
    ///
    /// # Errors
    ///
    /// [`Error::Replay`]: [`FromTheFuture`](ReplayRefusal::FromTheFuture) or
    /// [`TooOld`](ReplayRefusal::TooOld).
    pub fn check(&self, time: RequestTime, now: RequestTime) -> Result<(), Error> {
        if time > self.latest(now) {
            return Err(Error::Replay(ReplayRefusal::FromTheFuture));
        }
        if time < self.earliest(now) {
            return Err(Error::Replay(ReplayRefusal::TooOld));
        }
        Ok(())
    }

    /// The latest time that is within the window.
    pub(super) fn latest(&self, now: RequestTime) -> RequestTime {
        let latest = u128::from(now.as_millis()) + self.ahead.as_millis();
        let latest = u64::try_from(latest).ok().and_then(RequestTime::from_millis);
        latest.unwrap_or(RequestTime::MAX)
    }

    /// The earliest time that is within the window.
    pub(super) fn earliest(&self, now: RequestTime) -> RequestTime {
        let back = u64::try_from(self.back.as_millis()).unwrap_or(u64::MAX);
        RequestTime::from_millis(now.as_millis().saturating_sub(back)).unwrap_or(now)
    }
}

/// 60 seconds back and 2 seconds ahead.
impl Default for Window {
    fn default() -> Self {
        Self::new(Duration::from_secs(60), Duration::from_secs(2))
    }
}
