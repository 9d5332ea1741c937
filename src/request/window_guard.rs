//! The library's own guard against replays: it remembers what it let in for as long as a window.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Mark, ReplayGuard, RequestId, RequestTime, Window, room::Room};
use crate::{
    error::{Error, ReplayRefusal},
    key_id::KeyId,
};

/// Lets each request in at most once, and only while its time is within a [`Window`]. It needs no
/// storage: what is outside the window is refused, so its id can be forgotten.
///
/// One guard is shared by all threads that accept requests, and may serve several keys and contexts. It
/// knows one process: for several that share a key, see [`Window`].
///
/// ```
/// use twinseal::{DecapsulationKey, Error, ReplayRefusal, SigningKey, request::WindowGuard};
///
/// const CTX: &[u8] = b"example.com/predict/v1";
/// # let (bob, alice) = (DecapsulationKey::generate()?, SigningKey::generate()?);
/// # let (to_bob, from_alice) = (bob.encapsulation_key(), alice.verifying_key());
/// let guard = WindowGuard::for_new_keys(); // at later starts `new`, see "Starting and stopping" below
///
/// let (request, _pending) = to_bob.signed_by(&alice).request(CTX, b"a picture")?;
/// let (picture, asked) = bob.accepting(from_alice).accept(CTX, &request, &guard)?;
///
/// let again = bob.accepting(from_alice).accept(CTX, &request, &guard);
/// assert_eq!(again.unwrap_err(), Error::Replay(ReplayRefusal::Replayed));
/// # Ok::<(), Error>(())
/// ```
///
/// # What is refused
///
/// With one of these words in [`Error::Replay`], the first that applies:
///
/// | refusal | the request's time is | what its maker can do |
/// |---|---|---|
/// | [`FromTheFuture`](ReplayRefusal::FromTheFuture) | later than now + `ahead` | set a clock right. Nothing was remembered, so the request stands in nobody's way |
/// | [`TooOld`](ReplayRefusal::TooOld) | earlier than now - `back`, or not later than an id that was forgotten | make a new one |
/// | [`Restarted`](ReplayRefusal::Restarted) | not later than this guard's beginning | make a new one. The old one may have been answered before the restart |
/// | [`Replayed`](ReplayRefusal::Replayed) | of a request that was let in | wait for the answer, which this does not promise |
/// | [`Full`](ReplayRefusal::Full) | right, but the signer's room is full | try again later |
///
/// # Rooms
///
/// Each signer has a room of its own, with space for 2^16 ids unless [set](Self::with_room) otherwise:
/// on average a thousand requests a second. All unsigned requests share one room. A full room refuses,
/// and never forgets an id that is within the window. So a signer who floods the service shuts out only
/// its own requests. A stranger can fill the room of the unsigned ones: limit their rate.
///
/// An id takes about 70 bytes, a full room 5 MB. A room is made when the first request of a verified
/// signer is let in, and stays as long as the guard, even when the signer leaves the ring: otherwise a
/// signer who returns would find an empty one. When ids are forgotten, at most eight at a time with the
/// next request of the same room, their memory is free again. A call takes a time that grows with the
/// logarithm of the number of ids, whatever their times are.
///
/// # A clock that jumps
///
/// An id is forgotten only when its time is earlier than now - `back`, and never because it is ahead of
/// now. Its room then refuses everything that is not later. So a clock that was ahead by some time lets
/// nothing in twice, and once it is right again, honest requests are refused for at most as long as it was
/// ahead. In a room that was filled meanwhile, add the length of the window, as for any full room.
///
/// # Starting and stopping
///
/// The guard [for new keys](Self::for_new_keys) needs no care: nothing was let in before it with them.
///
/// A [new](Self::new) guard does not know what its predecessor let in. It refuses what was made up to its
/// start plus `ahead`, since its predecessor let in nothing later. **This holds if the clock did not
/// go back over the restart**, and if `ahead` was not greater before. A service therefore refuses requests
/// for its first two seconds, and makers try again.
///
/// A service that is stopped in order needs no such wait. [`close`](Self::close) ends a guard and gives a
/// [`Mark`], from which the next one [resumes](Self::resume), whatever the clock did meanwhile. It refuses
/// what is not later than the latest request of its predecessor: nothing that is made after the restart,
/// unless that request was ahead of time, by at most `ahead`. A mark is for one restart: it is deleted,
/// durably, before the first request is accepted, so that after a crash there is none, and the next guard
/// is a new one.
///
/// [`Mark::take_file`] and [`Mark::write_file`] do that with a file. Only processes that do not overlap
/// may share it: in a rolling update the old and the new one are replicas.
///
/// What copies a process copies its guard, and then two guards let the same request in: after `fork`
/// only one of the two may accept requests, and after a snapshot of a virtual machine was restored, the
/// guard has to begin anew.
pub struct WindowGuard {
    window: Window,
    capacity: usize,
    clock: Box<dyn Fn() -> RequestTime + Send + Sync>,
    beginning: Beginning,
    known: Mutex<Known>,
}

/// What came before a guard.
enum Beginning {
    /// Nothing.
    First,
    /// It is unknown, and the guard began now.
    New(RequestTime),
    /// A guard that let in nothing later.
    Resumed(RequestTime),
}

/// What changes together.
#[derive(Default)]
struct Known {
    rooms: HashMap<Option<KeyId>, Room>,
    /// The greatest time that was let in.
    latest: Option<RequestTime>,
    closed: bool,
}

impl WindowGuard {
    /// How many ids a room has space for, unless [set](Self::with_room) otherwise.
    pub const DEFAULT_ROOM: usize = 1 << 16;

    /// The first guard of all: no request was let in before it with the same keys, so it refuses none as
    /// [`Restarted`](ReplayRefusal::Restarted). For keys that this process has just made, and for tests.
    /// **A service that reads its keys uses [`new`](Self::new) or [`resume`](Self::resume)**: this guard
    /// would let in again what was let in before its start.
    #[must_use]
    pub fn for_new_keys() -> Self {
        Self::begin(Beginning::First)
    }

    /// A guard that begins now. It refuses as [`Restarted`](ReplayRefusal::Restarted) what was made up
    /// to now plus `ahead`, by the system's clock: every request of its first two seconds.
    #[must_use]
    pub fn new() -> Self {
        Self::begin(Beginning::New(RequestTime::now()))
    }

    /// A guard that begins where another one ended. It refuses as
    /// [`Restarted`](ReplayRefusal::Restarted) what was made up to the mark's time.
    ///
    /// If that is far ahead, because the clock was wrong before or is wrong now, all requests are
    /// refused until then. [`refuses_for`](Self::refuses_for) says for how long: report it. Do not
    /// begin with a [new](Self::new) guard instead: it would let in again what the old one let in
    /// while its clock was ahead.
    #[must_use]
    pub fn resume(mark: Mark) -> Self {
        Self::begin(Beginning::Resumed(mark.into_time()))
    }

    fn begin(beginning: Beginning) -> Self {
        Self {
            window: Window::default(),
            capacity: Self::DEFAULT_ROOM,
            clock: Box::new(RequestTime::now),
            beginning,
            known: Mutex::default(),
        }
    }

    /// Sets how far a request's time may be from now. If `ahead` becomes smaller than that of the guard
    /// before a restart, a [new](Self::new) guard can let in again what was let in before.
    #[must_use]
    pub fn with_window(self, window: Window) -> Self {
        Self { window, ..self }
    }

    /// Sets how many ids each room has space for.
    #[must_use]
    pub fn with_room(self, ids: usize) -> Self {
        Self { capacity: ids, ..self }
    }

    /// Takes the time from `clock` instead of the system: for tests, and for services with a better
    /// clock. A new guard begins at its time.
    ///
    /// It is called once in each call of the guard, under the guard's lock, so it should be quick, and
    /// must not call the guard.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> RequestTime + Send + Sync + 'static) -> Self {
        let beginning = match self.beginning {
            Beginning::New(_) => Beginning::New(clock()),
            known @ (Beginning::First | Beginning::Resumed(_)) => known,
        };
        Self { clock: Box::new(clock), beginning, ..self }
    }

    /// How far a request's time may be from now.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }

    /// How long requests that are made from now on will be refused as
    /// [`Restarted`](ReplayRefusal::Restarted).
    ///
    /// After [`new`](Self::new) it is `ahead`, and less from then on. If it is more, then the guard
    /// [resumed](Self::resume) from a mark that is far ahead, or the clock went back: someone should
    /// look at the clock. After [`close`](Self::close) it is [`Duration::MAX`].
    #[must_use]
    pub fn refuses_for(&self) -> Duration {
        let known = self.lock();
        if known.closed {
            return Duration::MAX;
        }
        let until = self.refused_until().map_or(0, RequestTime::as_millis);
        Duration::from_millis(until.saturating_sub((self.clock)().as_millis()))
    }

    /// Ends the guard: each later request is refused as [`Restarted`](ReplayRefusal::Restarted), in all
    /// threads. The mark is for the guard after a restart; no later request was let in.
    #[must_use = "without the mark, the next guard begins anew"]
    pub fn close(&self) -> Mark {
        let mut known = self.lock();
        known.closed = true;
        Mark::new(known.latest.max(self.refused_until()).unwrap_or(RequestTime::MIN))
    }

    /// The latest time that is refused because of the beginning.
    fn refused_until(&self) -> Option<RequestTime> {
        match self.beginning {
            Beginning::First => None,
            Beginning::New(start) => Some(self.window.latest(start)),
            Beginning::Resumed(mark) => Some(mark),
        }
    }

    /// What is known stays valid if a thread panics: only the clock can, and nothing is changed before
    /// it was read.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may be let in. What is known stays as it is.
    fn judge(
        &self,
        known: &Known,
        id: RequestId,
        signer: Option<KeyId>,
        time: RequestTime,
        now: RequestTime,
    ) -> Result<(), Error> {
        let empty = Room::default();
        let room = known.rooms.get(&signer).unwrap_or(&empty);
        let refuse = |reason| Err(Error::Replay(reason));
        if known.closed {
            return refuse(ReplayRefusal::Restarted);
        }
        self.window.check(time, now)?;
        if room.may_have_dropped(time) {
            return refuse(ReplayRefusal::TooOld);
        }
        if self.refused_until().is_some_and(|until| time <= until) {
            return refuse(ReplayRefusal::Restarted);
        }
        if room.contains(time, id) {
            return refuse(ReplayRefusal::Replayed);
        }
        if room.is_full(self.capacity, self.window.earliest(now)) {
            return refuse(ReplayRefusal::Full);
        }
        Ok(())
    }
}

impl Default for WindowGuard {
    /// A [new](Self::new) guard.
    fn default() -> Self {
        Self::new()
    }
}

/// An id stands for its signer and its time, which are hashed into it: calls with one id have one
/// signer and one time.
impl ReplayGuard for WindowGuard {
    fn admit(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        let mut known = self.lock();
        // Under the lock: no thread decides by a time from before another one forgot.
        let now = (self.clock)();
        self.judge(&known, id, signer, time, now)?;
        known.latest = known.latest.max(Some(time));
        let room = known.rooms.entry(signer).or_default();
        room.insert(time, id, self.window.earliest(now));
        Ok(())
    }

    fn look(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        let known = self.lock();
        let now = (self.clock)();
        self.judge(&known, id, signer, time, now)
    }
}

/// The settings. Ids are not shown.
impl fmt::Debug for WindowGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowGuard")
            .field("window", &self.window)
            .field("room", &self.capacity)
            .field("refused_until", &self.refused_until())
            .finish_non_exhaustive()
    }
}
