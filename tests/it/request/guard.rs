//! Does the guard of a window let each request in once, refuse with the right word, and keep signers apart?

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use twinseal::{
    Error, ErrorKind, KeyId,
    ReplayRefusal::{self, FromTheFuture, Full, Replayed, Restarted, TooOld},
    request::{AllowReplays, Mark, ReplayGuard, RequestId, RequestTime, Window, WindowGuard},
};

use crate::common::process::Watch;

/// When the clocks of these tests start, in milliseconds.
pub(super) const START: u64 = 1_800_000_000_000;
pub(super) const BACK: u64 = 60_000;
pub(super) const AHEAD: u64 = 2_000;

pub(super) const ALICE: Option<KeyId> = Some(KeyId::from_bytes([1; 16]));
pub(super) const BOB: Option<KeyId> = Some(KeyId::from_bytes([2; 16]));
pub(super) const UNSIGNED: Option<KeyId> = None;

/// A clock that tests set.
#[derive(Clone)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(super) fn at(millis: u64) -> Self {
        Self(Arc::new(AtomicU64::new(millis)))
    }

    pub(super) fn set(&self, millis: u64) {
        self.0.store(millis, SeqCst);
    }

    pub(super) fn now(&self) -> u64 {
        self.0.load(SeqCst)
    }

    pub(super) fn reader(&self) -> impl Fn() -> RequestTime + Send + Sync + 'static {
        let clock = self.clone();
        move || time(clock.now())
    }
}

pub(super) fn time(millis: u64) -> RequestTime {
    RequestTime::from_millis(millis).unwrap()
}

pub(super) fn id(number: u64) -> RequestId {
    let mut bytes = [0; RequestId::LEN];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    RequestId::from_bytes(bytes)
}

/// A mark that refuses nothing: that of a guard which let nothing in.
pub(super) fn no_mark() -> Mark {
    Mark::from_bytes(&[0; Mark::LEN]).unwrap()
}

/// A guard that refuses nothing because of its start, and its clock.
pub(super) fn guard() -> (WindowGuard, Clock) {
    let clock = Clock::at(START);
    (WindowGuard::resume(no_mark()).with_clock(clock.reader()), clock)
}

pub(super) fn refused(reason: ReplayRefusal) -> Result<(), Error> {
    Err(Error::Replay(reason))
}

#[test]
fn a_request_is_let_in_once() {
    let (guard, clock) = guard();
    for signer in [ALICE, UNSIGNED] {
        let id = id(signer.is_some().into());
        assert_eq!(guard.admit(id, signer, time(START)), Ok(()));
        for now in [START, START + 1, START + BACK] {
            clock.set(now);
            assert_eq!(guard.admit(id, signer, time(START)), refused(Replayed), "{now}");
            assert_eq!(guard.look(id, signer, time(START)), refused(Replayed), "{now}");
        }
        clock.set(START + BACK + 1);
        assert_eq!(guard.admit(id, signer, time(START)), refused(TooOld));
        clock.set(START);
    }
}

/// The first and the last millisecond of a window, of the default one and of others.
#[test]
fn a_window_has_sharp_edges() {
    let window = Window::default();
    assert_eq!(window.back(), Duration::from_millis(BACK));
    assert_eq!(window.ahead(), Duration::from_millis(AHEAD));
    assert_eq!(window, Window::new(window.back(), window.ahead()));
    for (window, back, ahead) in [
        (window, BACK, AHEAD),
        (Window::new(Duration::ZERO, Duration::ZERO), 0, 0),
        // Parts of a millisecond do not count.
        (Window::new(Duration::from_micros(5_999), Duration::from_micros(1_001)), 5, 1),
    ] {
        for (millis, verdict) in [
            (START - back - 1, refused(TooOld)),
            (START - back, Ok(())),
            (START, Ok(())),
            (START + ahead, Ok(())),
            (START + ahead + 1, refused(FromTheFuture)),
        ] {
            assert_eq!(window.check(time(millis), time(START)), verdict, "{millis}");
            let guard = WindowGuard::resume(no_mark()).with_window(window);
            let guard = guard.with_clock(|| time(START));
            assert_eq!(guard.look(id(1), ALICE, time(millis)), verdict, "{millis}");
            assert_eq!(guard.admit(id(1), ALICE, time(millis)), verdict, "{millis}");
        }
    }
}

/// Neither the first times, nor the last, nor the longest durations overflow.
#[test]
fn the_ends_of_time() {
    let all = Window::new(Duration::MAX, Duration::MAX);
    let (first, last) = (time(0), RequestTime::MAX);
    for window in [Window::default(), all] {
        assert_eq!(window.check(first, first), Ok(()));
        assert_eq!(window.check(last, last), Ok(()));
    }
    assert_eq!(all.check(first, last), Ok(()));
    assert_eq!(all.check(last, first), Ok(()));
    assert_eq!(Window::default().check(first, last), refused(TooOld));
    assert_eq!(Window::default().check(last, first), refused(FromTheFuture));
    let guard = WindowGuard::new().with_window(all).with_clock(|| RequestTime::MAX);
    assert_eq!(guard.admit(id(1), ALICE, last), refused(Restarted));
    assert_eq!(guard.close().time(), last);
}

/// Of several reasons the first one is named, in the order in which the documentation lists them.
#[test]
fn refusals_have_an_order() {
    let begin = START + 10_000;
    let clock = Clock::at(begin);
    let mark = Mark::from_bytes(&time(begin).as_millis().to_be_bytes()).unwrap();
    let guard = WindowGuard::resume(mark).with_room(1).with_clock(clock.reader());
    // From the future, and not later than the beginning.
    clock.set(begin - AHEAD - 1);
    assert_eq!(guard.admit(id(1), ALICE, time(begin)), refused(FromTheFuture));
    // Too old, and not later than the beginning.
    clock.set(begin + BACK + 1);
    assert_eq!(guard.admit(id(1), ALICE, time(begin)), refused(TooOld));
    // Not later than the beginning, and the room is full.
    clock.set(begin + 1);
    assert_eq!(guard.admit(id(1), ALICE, time(begin + 1)), Ok(()));
    assert_eq!(guard.admit(id(2), ALICE, time(begin)), refused(Restarted));
    // Let in before, and the room is full.
    assert_eq!(guard.admit(id(1), ALICE, time(begin + 1)), refused(Replayed));
    assert_eq!(guard.admit(id(2), ALICE, time(begin + 1)), refused(Full));
    // Not later than what was forgotten, and not later than the beginning.
    clock.set(begin + BACK + 2);
    assert_eq!(guard.admit(id(3), ALICE, time(begin + 2)), Ok(()));
    clock.set(begin + 1);
    assert_eq!(guard.admit(id(4), ALICE, time(begin)), refused(TooOld));
    assert_eq!(guard.admit(id(4), BOB, time(begin)), refused(Restarted));
}

/// What is full may have space later; everything else needs a new request.
#[test]
fn refusals_have_a_kind_and_a_text() {
    let refusals = [FromTheFuture, TooOld, Restarted, Replayed, Full];
    for (index, reason) in refusals.into_iter().enumerate() {
        let kind = if reason == Full { ErrorKind::Busy } else { ErrorKind::Replay };
        assert_eq!(Error::Replay(reason).kind(), kind);
        assert!(refusals[..index].iter().all(|other| other.to_string() != reason.to_string()));
    }
}

#[test]
fn a_request_from_the_future_stands_in_nobodys_way() {
    let (guard, clock) = guard();
    let guard = guard.with_room(1);
    let early = time(START + AHEAD + 1);
    assert_eq!(guard.admit(id(1), ALICE, early), refused(FromTheFuture));
    clock.set(START + 1);
    assert_eq!(guard.admit(id(1), ALICE, early), Ok(()));
    // Neither it nor the room of another signer would have had space if it had been recorded.
    assert_eq!(guard.admit(id(2), BOB, time(START)), Ok(()));
}

/// A full room refuses and forgets nothing. Others do not notice.
#[test]
fn each_signer_fills_only_its_own_room() {
    let (guard, clock) = guard();
    let guard = guard.with_room(3);
    for flooder in [UNSIGNED, ALICE] {
        for number in 0..10 {
            let verdict = if number < 3 { Ok(()) } else { refused(Full) };
            let at = time(START + number);
            clock.set(START + number);
            assert_eq!(guard.look(id(number), flooder, at), verdict);
            assert_eq!(guard.admit(id(number), flooder, at), verdict);
        }
        for number in 0..3 {
            let again = guard.admit(id(number), flooder, time(START + number));
            assert_eq!(again, refused(Replayed));
        }
    }
    assert_eq!(guard.admit(id(10), BOB, time(START)), Ok(()));
    // Space returns with each request that leaves the window, and only then.
    clock.set(START + BACK);
    assert_eq!(guard.admit(id(11), ALICE, time(START + BACK)), refused(Full));
    clock.set(START + BACK + 1);
    assert_eq!(guard.look(id(11), ALICE, time(START + BACK)), Ok(()));
    assert_eq!(guard.admit(id(11), ALICE, time(START + BACK)), Ok(()));
    assert_eq!(guard.admit(id(12), ALICE, time(START + BACK)), refused(Full));
}

#[test]
fn a_room_has_space_for_65536_requests() {
    let (guard, _) = guard();
    assert_eq!(WindowGuard::DEFAULT_ROOM, 65_536);
    for number in 0..65_536 {
        assert_eq!(guard.admit(id(number), ALICE, time(START - number % BACK)), Ok(()));
    }
    assert_eq!(guard.admit(id(65_536), ALICE, time(START)), refused(Full));
    assert_eq!(guard.admit(id(0), ALICE, time(START)), refused(Replayed));
    let none = WindowGuard::resume(no_mark()).with_room(0);
    assert_eq!(none.admit(id(0), ALICE, RequestTime::now()), refused(Full));
}

/// A room that was full of old requests is soon empty, and has space at once.
#[test]
fn a_full_room_recovers() {
    const SPACE: u64 = 1_000;
    let (guard, clock) = guard();
    let guard = guard.with_room(SPACE as usize);
    for round in 0..4 {
        let now = START + round * (BACK + 1_001);
        clock.set(now);
        for number in 0..SPACE {
            let id = id(round * SPACE + number);
            assert_eq!(guard.admit(id, ALICE, time(now + number)), Ok(()), "{round} {number}");
        }
        assert_eq!(guard.admit(id(u64::MAX), ALICE, time(now)), refused(Full));
    }
}

/// `look` says what `admit` would say, and leaves everything as it is.
#[test]
fn a_look_remembers_nothing() {
    let (guard, _) = guard();
    for _ in 0..3 {
        assert_eq!(guard.look(id(1), ALICE, time(START)), Ok(()));
    }
    assert_eq!(guard.admit(id(1), ALICE, time(START)), Ok(()));
    assert_eq!(guard.look(id(1), ALICE, time(START)), refused(Replayed));
    assert_eq!(AllowReplays.look(id(1), ALICE, time(START)), Ok(()));
    assert_eq!(guard.close().time(), time(START));
}

/// Many threads try the same requests at once.
#[test]
fn threads_that_race_let_each_request_in_once() {
    const THREADS: usize = 8;
    const REQUESTS: u64 = 2_000;
    let (guard, clock) = guard();
    let wins: Vec<_> = (0..REQUESTS).map(|_| AtomicUsize::new(0)).collect();
    let arrived = AtomicUsize::new(0);
    let _watch = Watch::over("threads that race");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                arrived.fetch_add(1, SeqCst);
                while arrived.load(SeqCst) < THREADS {
                    thread::yield_now();
                }
                for number in 0..REQUESTS {
                    let signer = [ALICE, BOB, UNSIGNED][number as usize % 3];
                    // Less than a window in all.
                    clock.set(START + number);
                    match guard.admit(id(number), signer, time(START + number)) {
                        Ok(()) => drop(wins[number as usize].fetch_add(1, SeqCst)),
                        Err(error) => assert_eq!(error, Error::Replay(Replayed)),
                    }
                }
            });
        }
    });
    for wins in wins {
        assert_eq!(wins.load(SeqCst), 1);
    }
}

/// A guard is passed as what the service has of it.
#[test]
fn guards_behind_pointers() {
    fn once(guard: &dyn ReplayGuard, number: u64) {
        let now = RequestTime::now();
        assert_eq!(guard.look(id(number), ALICE, now), Ok(()));
        assert_eq!(guard.admit(id(number), ALICE, now), Ok(()));
        assert_eq!(guard.look(id(number), ALICE, now), refused(Replayed));
        assert_eq!(guard.admit(id(number), ALICE, now), refused(Replayed));
    }
    let guard = Arc::new(WindowGuard::resume(no_mark()));
    let boxed: Box<dyn ReplayGuard> = Box::new(Arc::clone(&guard));
    once(&*guard, 1);
    once(&guard, 2);
    once(&&*guard, 3);
    once(&boxed, 4);
}

/// A first guard knows that nothing came before it. The one after it is none.
#[test]
fn the_first_guard_refuses_nothing_as_restarted() {
    let (made, now) = (RequestTime::now(), RequestTime::now());
    let first = WindowGuard::for_new_keys();
    assert_eq!(first.refuses_for(), Duration::ZERO);
    assert_eq!(first.admit(id(1), ALICE, made), Ok(()));
    assert_eq!(first.admit(id(1), ALICE, made), refused(Replayed));
    let second = WindowGuard::resume(first.close());
    assert_eq!(second.admit(id(1), ALICE, made), refused(Restarted));
    assert_eq!(WindowGuard::for_new_keys().close().time().as_millis(), 0);
    assert_eq!(WindowGuard::new().admit(id(1), ALICE, now), refused(Restarted));
}
