//! What does a clock that is wrong, jumps or panics do to the guard of a window?

use std::{
    panic::catch_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use twinseal::{
    ReplayRefusal::{FromTheFuture, Full, Replayed, TooOld},
    request::{ReplayGuard, WindowGuard},
};

use super::guard::{AHEAD, ALICE, BACK, BOB, START, guard, id, no_mark, refused, time};
use crate::common::process::Watch;

/// How far the clocks jump here.
const JUMP: u64 = 10 * BACK;

/// Each call decides by one time.
#[test]
fn the_clock_is_read_once_in_each_call() {
    let reads = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&reads);
    let guard = WindowGuard::resume(no_mark()).with_clock(move || {
        counted.fetch_add(1, SeqCst);
        time(START)
    });
    let before = reads.load(SeqCst);
    for (calls, millis) in [START, START, START + AHEAD + 1, START - BACK - 1].iter().enumerate() {
        let _ = guard.look(id(1), ALICE, time(*millis));
        let _ = guard.admit(id(1), ALICE, time(*millis));
        assert_eq!(reads.load(SeqCst) - before, 2 * (calls as u64 + 1));
    }
}

/// Of what was let in, nothing is let in again, before, during and after the jump; and an honest request
/// is refused for at most as long as the clock was ahead.
#[test]
fn a_clock_that_was_ahead() {
    let (guard, clock) = guard();
    let early = time(START);
    assert_eq!(guard.admit(id(1), ALICE, early), Ok(()));

    clock.set(START + JUMP);
    assert_eq!(guard.admit(id(1), ALICE, early), refused(TooOld));
    // Somebody has the same wrong time. The first request is forgotten by that, and then the second.
    assert_eq!(guard.admit(id(2), ALICE, time(START + JUMP)), Ok(()));
    clock.set(START + JUMP + BACK + 1);
    assert_eq!(guard.admit(id(3), ALICE, time(START + JUMP + BACK + 1)), Ok(()));

    // A window later by the right clock, which was ahead by JUMP until now.
    let right = START + BACK + 1;
    clock.set(right);
    assert_eq!(guard.admit(id(1), ALICE, early), refused(TooOld));
    assert_eq!(guard.admit(id(2), ALICE, time(START + JUMP)), refused(FromTheFuture));
    assert_eq!(guard.admit(id(4), ALICE, time(right)), refused(TooOld));
    // The others have forgotten nothing.
    assert_eq!(guard.admit(id(4), BOB, time(right)), Ok(()));

    // What was let in ahead of time is known when its time has come.
    clock.set(START + JUMP);
    assert_eq!(guard.admit(id(2), ALICE, time(START + JUMP)), refused(TooOld));
    clock.set(START + JUMP + 1);
    assert_eq!(guard.admit(id(5), ALICE, time(START + JUMP + 1)), Ok(()));
    clock.set(right + JUMP);
    assert_eq!(guard.admit(id(6), ALICE, time(right + JUMP)), Ok(()));
    assert_eq!(guard.admit(id(3), ALICE, time(START + JUMP + BACK + 1)), refused(Replayed));
}

/// A jump that nobody used costs nothing: a room refuses only up to what it forgot.
#[test]
fn a_short_jump() {
    let (guard, clock) = guard();
    assert_eq!(guard.admit(id(1), ALICE, time(START)), Ok(()));
    clock.set(START + JUMP);
    assert_eq!(guard.admit(id(2), ALICE, time(START + 1)), refused(TooOld));
    clock.set(START);
    assert_eq!(guard.admit(id(1), ALICE, time(START)), refused(Replayed));
    assert_eq!(guard.admit(id(2), ALICE, time(START)), Ok(()));

    clock.set(START + JUMP);
    assert_eq!(guard.admit(id(3), ALICE, time(START + JUMP)), Ok(()));
    clock.set(START + 1);
    assert_eq!(guard.admit(id(1), ALICE, time(START)), refused(TooOld));
    assert_eq!(guard.admit(id(4), ALICE, time(START + 1)), Ok(()));
}

/// Nothing is dropped because it is ahead, however full the room is.
#[test]
fn a_full_room_keeps_what_is_ahead() {
    let (guard, clock) = guard();
    let guard = guard.with_room(2);
    clock.set(START + JUMP);
    for number in 0..2 {
        assert_eq!(guard.admit(id(number), ALICE, time(START + JUMP)), Ok(()));
    }
    for now in [START, START + JUMP - BACK, START + JUMP - AHEAD, START + JUMP + BACK] {
        clock.set(now);
        assert_eq!(guard.admit(id(3), ALICE, time(now)), refused(Full), "{now}");
    }
    for now in [START + JUMP - AHEAD, START + JUMP + BACK] {
        clock.set(now);
        assert_eq!(guard.admit(id(1), ALICE, time(START + JUMP)), refused(Replayed), "{now}");
    }
    clock.set(START + JUMP + BACK + 1);
    assert_eq!(guard.admit(id(3), ALICE, time(START + JUMP + BACK + 1)), Ok(()));
}

/// A clock that was behind lets in what is old by the right time, once.
#[test]
fn a_clock_that_was_behind() {
    let (guard, clock) = guard();
    assert_eq!(guard.admit(id(1), ALICE, time(START)), Ok(()));
    clock.set(START - JUMP);
    assert_eq!(guard.admit(id(1), ALICE, time(START)), refused(FromTheFuture));
    assert_eq!(guard.admit(id(2), ALICE, time(START - JUMP)), Ok(()));
    assert_eq!(guard.admit(id(2), ALICE, time(START - JUMP)), refused(Replayed));
    clock.set(START);
    assert_eq!(guard.admit(id(1), ALICE, time(START)), refused(Replayed));
    assert_eq!(guard.admit(id(2), ALICE, time(START - JUMP)), refused(TooOld));
    assert_eq!(guard.admit(id(3), ALICE, time(START)), Ok(()));
    clock.set(START - JUMP);
    assert_eq!(guard.admit(id(2), ALICE, time(START - JUMP)), refused(TooOld));
}

/// A signer who was away for long finds the room as it was, and so does what was recorded of it.
#[test]
fn a_room_stays() {
    let (guard, clock) = guard();
    assert_eq!(guard.admit(id(1), ALICE, time(START)), Ok(()));
    clock.set(START + BACK + 1);
    assert_eq!(guard.admit(id(2), ALICE, time(START + BACK + 1)), Ok(()));
    clock.set(START + JUMP);
    for number in 10..1_000 {
        assert_eq!(guard.admit(id(number), BOB, time(START + JUMP)), Ok(()));
    }
    clock.set(START + BACK);
    assert_eq!(guard.admit(id(1), ALICE, time(START)), refused(TooOld));
    assert_eq!(guard.admit(id(2), ALICE, time(START + BACK + 1)), refused(Replayed));
}

/// Many threads ask for the same requests, and each of them moves the clock.
#[test]
fn threads_while_the_clock_jumps() {
    const THREADS: u64 = 6;
    const REQUESTS: u64 = 3_000;
    let (guard, clock) = guard();
    let let_in: Vec<_> = (0..REQUESTS).map(|_| AtomicUsize::new(0)).collect();
    let _watch = Watch::over("threads while the clock jumps");
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (guard, clock, let_in) = (&guard, &clock, &let_in);
            scope.spawn(move || {
                for number in 0..REQUESTS {
                    // 50 s later with each hundred requests. Some threads are three windows ahead.
                    let millis = START + number / 100 * 50_000;
                    clock.set(millis + [0, 3 * BACK][(number + thread) as usize % 7 / 6]);
                    if guard.admit(id(number), ALICE, time(millis)).is_ok() {
                        let_in[number as usize].fetch_add(1, SeqCst);
                    }
                }
            });
        }
    });
    assert!(let_in.iter().all(|times| times.load(SeqCst) <= 1));
    assert!(let_in.iter().any(|times| times.load(SeqCst) == 1));
}

#[test]
fn a_clock_that_panics_leaves_the_guard_as_it_was() {
    let panics = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&panics);
    let guard = WindowGuard::resume(no_mark()).with_clock(move || {
        assert!(!switch.load(SeqCst), "the clock stands still");
        time(START)
    });
    assert_eq!(guard.admit(id(1), ALICE, time(START)), Ok(()));
    panics.store(true, SeqCst);
    assert!(catch_unwind(|| guard.admit(id(2), ALICE, time(START))).is_err());
    assert!(catch_unwind(|| guard.look(id(2), ALICE, time(START))).is_err());
    panics.store(false, SeqCst);
    assert_eq!(guard.admit(id(1), ALICE, time(START)), refused(Replayed));
    assert_eq!(guard.admit(id(2), ALICE, time(START)), Ok(()));
}
