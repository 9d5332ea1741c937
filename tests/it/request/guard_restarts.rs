//! Does a request that was let in before a restart stay out after it?

use std::{
    fs,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use twinseal::{
    Error,
    ReplayRefusal::{FromTheFuture, Replayed, Restarted, TooOld},
    request::{Mark, ReplayGuard, RequestTime, Window, WindowGuard},
};

use super::guard::{
    AHEAD, ALICE, BACK, BOB, Clock, START, UNSIGNED, guard, id, no_mark, refused, time,
};
use crate::common::process::Watch;

fn new(clock: &Clock) -> WindowGuard {
    WindowGuard::new().with_clock(clock.reader())
}

fn mark(millis: u64) -> Mark {
    Mark::from_bytes(&millis.to_be_bytes()).unwrap()
}

fn resume(millis: u64, clock: &Clock) -> WindowGuard {
    WindowGuard::resume(mark(millis)).with_clock(clock.reader())
}

/// Whatever the one before let in was made at the latest `ahead` after the new one's start.
#[test]
fn a_new_guard_refuses_what_was_made_up_to_its_start() {
    let clock = Clock::at(START);
    let guard = new(&clock);
    for signer in [ALICE, BOB, UNSIGNED] {
        for millis in [START - BACK, START, START + AHEAD] {
            assert_eq!(guard.look(id(1), signer, time(millis)), refused(Restarted));
            assert_eq!(guard.admit(id(1), signer, time(millis)), refused(Restarted));
        }
    }
    clock.set(START + AHEAD + 1);
    assert_eq!(guard.admit(id(1), ALICE, time(START + AHEAD)), refused(Restarted));
    assert_eq!(guard.admit(id(2), ALICE, time(START + AHEAD + 1)), Ok(()));
    // After a while, what is that old is so for another reason.
    clock.set(START + AHEAD + BACK + 1);
    assert_eq!(guard.admit(id(1), ALICE, time(START + AHEAD)), refused(TooOld));
}

/// Within the same second, and with a maker whose clock is ahead.
#[test]
fn after_a_crash_nothing_is_let_in_twice() {
    let (first, clock) = guard();
    let times = [START - BACK, START - 1, START, START + 1, START + AHEAD];
    for (number, millis) in times.into_iter().enumerate() {
        assert_eq!(first.admit(id(number as u64), ALICE, time(millis)), Ok(()));
    }
    drop(first);
    let second = new(&clock);
    for now in (START..=START + 2 * BACK).step_by(500) {
        clock.set(now);
        for (number, millis) in times.into_iter().enumerate() {
            let verdict = second.admit(id(number as u64), ALICE, time(millis));
            assert!(verdict.is_err(), "{number} at {now}");
        }
    }
}

/// The system's clock is used unless another is given.
#[test]
fn a_guard_begins_by_the_systems_clock() {
    let guard = WindowGuard::default();
    let now = RequestTime::now();
    assert_eq!(guard.admit(id(1), ALICE, now), refused(Restarted));
    assert_eq!(
        guard.admit(id(1), ALICE, time(now.as_millis() + 3_600_000)),
        refused(FromTheFuture)
    );
    assert_eq!(guard.admit(id(1), ALICE, time(now.as_millis() - 3_600_000)), refused(TooOld));
    assert!(guard.refuses_for() <= guard.window().ahead());
}

#[test]
fn a_closed_guard_lets_nothing_in() {
    let (guard, clock) = guard();
    assert_eq!(guard.admit(id(1), ALICE, time(START)), Ok(()));
    let mark = guard.close();
    for now in [START, START + 1, START + 2 * BACK] {
        clock.set(now);
        for (number, signer) in [(1, ALICE), (2, ALICE), (2, BOB), (2, UNSIGNED)] {
            for millis in [START, now, now + AHEAD + 1] {
                let verdict = guard.admit(id(number), signer, time(millis));
                assert_eq!(verdict, refused(Restarted));
                assert_eq!(guard.look(id(number), signer, time(millis)), refused(Restarted));
            }
        }
    }
    assert_eq!(guard.close(), mark);
    assert_eq!(guard.refuses_for(), Duration::MAX);
}

/// What was let in last is out, what is later is in, without a wait.
#[test]
fn a_guard_resumes_where_another_ended() {
    let (first, clock) = guard();
    assert_eq!(first.admit(id(1), ALICE, time(START + AHEAD)), Ok(()));
    assert_eq!(first.admit(id(2), BOB, time(START - 5)), Ok(()));
    let second = WindowGuard::resume(first.close()).with_clock(clock.reader());
    assert_eq!(second.admit(id(1), ALICE, time(START + AHEAD)), refused(Restarted));
    assert_eq!(second.admit(id(2), BOB, time(START - 5)), refused(Restarted));
    assert_eq!(second.admit(id(3), BOB, time(START + AHEAD)), refused(Restarted));
    clock.set(START + 1);
    assert_eq!(second.admit(id(3), BOB, time(START + AHEAD + 1)), Ok(()));
    assert_eq!(second.admit(id(3), BOB, time(START + AHEAD + 1)), refused(Replayed));
}

/// A mark is the greatest of what the guard began with and what it let in, of which it may have forgotten
/// everything.
#[test]
fn marks() {
    let clock = Clock::at(START);
    assert_eq!(new(&clock).close(), mark(START + AHEAD));
    assert_eq!(resume(START - 7, &clock).close(), mark(START - 7));
    assert_eq!(resume(START + BACK, &clock).close(), mark(START + BACK));

    let guard = resume(START - 7, &clock);
    let _ = guard.admit(id(1), ALICE, time(START + AHEAD + 1));
    let _ = guard.look(id(1), ALICE, time(START + AHEAD));
    assert_eq!(guard.admit(id(1), ALICE, time(START + 3)), Ok(()));
    assert_eq!(guard.admit(id(2), BOB, time(START + 1)), Ok(()));
    // The clock goes back, and more comes that is older than what was forgotten.
    clock.set(START + 3 + BACK + 1);
    assert_eq!(guard.admit(id(3), ALICE, time(START + 4)), Ok(()));
    clock.set(START);
    assert_eq!(guard.admit(id(4), BOB, time(START - 1)), Ok(()));
    assert_eq!(guard.close(), mark(START + 4));
}

#[test]
fn a_mark_is_eight_bytes() {
    let stored = mark(0x0001_0203_0405_0607).to_bytes();
    assert_eq!(stored, [0, 1, 2, 3, 4, 5, 6, 7]);
    let read = Mark::from_bytes(&stored).unwrap();
    assert_eq!(read.time(), time(0x0001_0203_0405_0607));
    for length in (0..8).chain(9..20) {
        let error = Error::Length { what: "mark", expected: 8, actual: length };
        assert_eq!(Mark::from_bytes(&vec![0; length]), Err(error));
    }
    let last = RequestTime::MAX.as_millis();
    assert_eq!(mark(last).time(), RequestTime::MAX);
    for beyond in [last + 1, u64::MAX] {
        let error = Mark::from_bytes(&beyond.to_be_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "invalid mark: its time is not below 2^53");
    }
}

/// The clock was far ahead and is right now: the operator can know why nothing is let in, and until when.
#[test]
fn a_mark_far_ahead_is_reported() {
    let clock = Clock::at(START);
    let guard = resume(START + 3_600_000, &clock);
    assert_eq!(guard.refuses_for(), Duration::from_secs(3600));
    assert!(guard.refuses_for() > guard.window().ahead());
    assert_eq!(guard.admit(id(1), ALICE, time(START)), refused(Restarted));
    clock.set(START + 3_599_000);
    assert_eq!(guard.refuses_for(), Duration::from_secs(1));
    clock.set(START + 3_600_001);
    assert_eq!(guard.refuses_for(), Duration::ZERO);
    assert_eq!(guard.admit(id(1), ALICE, time(START + 3_600_001)), Ok(()));

    // In order: nothing, or at most `ahead`.
    assert_eq!(resume(START, &clock).refuses_for(), Duration::ZERO);
    assert_eq!(new(&clock).refuses_for(), Window::default().ahead());
    // A new guard tells of a clock that went back, too.
    let guard = new(&clock);
    clock.set(START);
    assert!(guard.refuses_for() > guard.window().ahead());
}

/// Each of the settings, in any order.
#[test]
fn settings_belong_to_the_beginning() {
    let clock = Clock::at(START);
    let window = Window::new(Duration::from_secs(5), Duration::from_millis(10));
    let guards = [
        WindowGuard::new().with_window(window).with_clock(clock.reader()),
        WindowGuard::new().with_clock(clock.reader()).with_window(window),
    ];
    for guard in guards {
        assert_eq!(guard.window(), window);
        assert_eq!(guard.refuses_for(), window.ahead());
        assert_eq!(guard.close(), mark(START + 10));
    }
    let resumed = WindowGuard::resume(no_mark()).with_clock(clock.reader()).with_window(window);
    assert_eq!(resumed.close(), no_mark());
    let shown = format!("{:?}", new(&clock));
    assert!(shown.starts_with("WindowGuard { window: Window { back: 60s, ahead: 2s }"), "{shown}");
}

/// Threads that accept requests while the guard is closed and another resumes, again and again: nothing is
/// let in twice, and nothing that was let in is later than the mark.
#[test]
fn threads_over_restarts() {
    const THREADS: u64 = 6;
    const RESTARTS: usize = 20;
    let clock = Clock::at(START);
    let current = RwLock::new(Arc::new(resume(0, &clock)));
    // How often each request was let in.
    let let_in: Vec<_> = (0..2_000).map(|_| AtomicUsize::new(0)).collect();
    let latest = AtomicU64::new(START);
    let (asked, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let _watch = Watch::over("threads that race with the end of a guard");
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (clock, current, let_in, latest, asked, done) =
                (&clock, &current, &let_in, &latest, &asked, &done);
            scope.spawn(move || {
                let mut number = thread; // different threads begin with different requests
                while !done.load(SeqCst) {
                    number = (number + 1) % let_in.len() as u64;
                    let millis = START + number;
                    let guard = Arc::clone(&current.read().unwrap());
                    clock.set(millis);
                    match guard.admit(id(number), ALICE, time(millis)) {
                        Ok(()) => {
                            let_in[number as usize].fetch_add(1, SeqCst);
                            latest.fetch_max(millis, SeqCst);
                        }
                        Err(error) => assert!(matches!(error, Error::Replay(_)), "{error}"),
                    }
                    asked.fetch_add(1, SeqCst);
                }
            });
        }
        let _done = SetOnDrop(&done); // after a failed assertion too, or the threads never end
        for restart in 1..=RESTARTS {
            while asked.load(SeqCst) < 300 * restart {
                thread::yield_now();
            }
            let closed = Arc::clone(&current.read().unwrap());
            let mark = closed.close();
            let resumed = WindowGuard::resume(mark).with_clock(clock.reader());
            *current.write().unwrap() = Arc::new(resumed);
        }
    });
    assert!(let_in.iter().all(|times| times.load(SeqCst) <= 1));
    assert!(let_in.iter().any(|times| times.load(SeqCst) == 1));
    assert_eq!(current.into_inner().unwrap().close().time(), time(latest.into_inner()));
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// A mark in a file is taken once, and what is not one is no mark.
#[test]
fn a_mark_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mark");
    let is_there = || path.try_exists().unwrap();
    assert_eq!(Mark::take_file(&path).unwrap(), None);

    mark(START).write_file(&path).unwrap();
    mark(START + 1).write_file(&path).unwrap(); // in place of the older one
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    assert_eq!(Mark::take_file(&path).unwrap(), Some(mark(START + 1)));
    assert!(!is_there());
    assert_eq!(Mark::take_file(&path).unwrap(), None);

    // Cut off, zeros that a crash left, too long, and beyond the latest time.
    let damaged: [&[u8]; 6] = [b"", &[7; 7], &[0; 8], &[7; 9], &[7; 100_000], &[255; 8]];
    for bytes in damaged {
        fs::write(&path, bytes).unwrap();
        assert_eq!(Mark::take_file(&path).unwrap(), None);
        assert!(!is_there());
    }

    // What cannot be taken or written is an error that names the file.
    fs::create_dir(&path).unwrap();
    let nowhere = directory.path().join("nowhere/mark");
    for error in [
        Mark::take_file(&path).unwrap_err(),
        mark(START).write_file(&path).unwrap_err(),
        mark(START).write_file(&nowhere).unwrap_err(),
    ] {
        assert!(error.to_string().contains("mark: "), "{error}");
    }
    // Elsewhere, nothing is found there.
    #[cfg(unix)]
    {
        let file = directory.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = Mark::take_file(file.join("mark")).unwrap_err();
        assert!(error.to_string().contains("mark: "), "{error}");
    }
}
