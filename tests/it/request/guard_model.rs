//! Is a request ever let in twice, forgotten within the window, or refused without a reason, whatever
//! happens to the clock and the process? Random histories, beside a model that never forgets.

use std::collections::{HashMap, HashSet};

use proptest::{collection::vec, prelude::*};
use twinseal::{
    Error, KeyId,
    ReplayRefusal::{FromTheFuture, Full, Replayed, Restarted, TooOld},
    request::{ReplayGuard, WindowGuard},
};

use super::guard::{AHEAD, BACK, Clock, START, id, time};

/// How many ids a room has space for here.
const ROOM: usize = 12;

#[derive(Clone, Debug)]
enum Event {
    /// A request with a time this far from the guard's, which may be wrong itself.
    Made {
        signer: u8,
        from_now: i64,
    },
    /// A request by a maker whose clock is right.
    Honest {
        signer: u8,
    },
    /// One of the requests so far, let in or not.
    Again {
        which: prop::sample::Index,
    },
    /// Unsigned requests, with times spread over the window.
    Flood {
        requests: u8,
    },
    Pass {
        millis: u64,
    },
    /// The guard's clock is now so far from the right one.
    Jump {
        offset: i64,
    },
    /// The guard's clock is right again.
    Right,
    /// The process ends in order, and another resumes.
    Restart,
    /// The process ends, and another begins anew.
    Crash,
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..4_u8, -70_000..4_000_i64).prop_map(|(signer, from_now)| Event::Made { signer, from_now }),
        3 => (0..4_u8, -3_i64..3).prop_map(|(signer, by)| {
            // The first and the last times of the window.
            let edge = if by < 0 { -(BACK as i64) } else { AHEAD as i64 };
            Event::Made { signer, from_now: edge + by % 2 }
        }),
        6 => (0..4_u8).prop_map(|signer| Event::Honest { signer }),
        8 => any::<prop::sample::Index>().prop_map(|which| Event::Again { which }),
        1 => (1..20_u8).prop_map(|requests| Event::Flood { requests }),
        3 => (1..3_000_u64).prop_map(|millis| Event::Pass { millis }),
        2 => (1..100_000_u64).prop_map(|millis| Event::Pass { millis }),
        2 => (-200_000..200_000_i64).prop_map(|offset| Event::Jump { offset }),
        2 => Just(Event::Right),
        1 => Just(Event::Restart),
        1 => Just(Event::Crash),
    ]
}

#[derive(Clone, Copy)]
struct Request {
    number: u64,
    signer: Option<KeyId>,
    millis: u64,
}

/// What the model knows of a room of the present guard.
#[derive(Default)]
struct Room {
    let_in: Vec<Request>,
    /// The beginning of the latest window in which something was let in: what is earlier may be forgotten.
    may_be_forgotten: u64,
}

struct World {
    right: u64,
    offset: i64,
    clock: Clock,
    guard: WindowGuard,
    /// What is refused because of the beginning.
    beginning: u64,
    rooms: HashMap<Option<KeyId>, Room>,
    requests: Vec<Request>,
    /// By all guards.
    let_in: HashSet<u64>,
    /// The latest time of the guard's clock at which anything was asked, and how far it was ahead at most.
    seen: u64,
    ahead: u64,
    /// Since when the guard's clock is right, and the guard is the present one.
    right_since: u64,
}

fn signer(number: u8) -> Option<KeyId> {
    (number > 0).then(|| KeyId::from_bytes([number; 16]))
}

impl World {
    fn new() -> Self {
        let clock = Clock::at(START);
        Self {
            right: START,
            offset: 0,
            guard: WindowGuard::new().with_clock(clock.reader()).with_room(ROOM),
            clock,
            beginning: START + AHEAD,
            rooms: HashMap::new(),
            requests: Vec::new(),
            let_in: HashSet::new(),
            seen: START,
            ahead: 0,
            right_since: START,
        }
    }

    fn set_clock(&mut self) {
        self.clock.set(self.right.checked_add_signed(self.offset).unwrap());
        if self.offset == 0 {
            return;
        }
        self.right_since = self.right;
        self.ahead = self.ahead.max(self.offset.max(0).unsigned_abs());
    }

    fn make(&mut self, signer: Option<KeyId>, millis: u64) {
        let request = Request { number: self.requests.len() as u64, signer, millis };
        self.requests.push(request);
        self.ask(request);
    }

    /// Whether a maker with a right clock may expect not to be refused because of times.
    fn is_settled(&self) -> bool {
        self.offset == 0 && self.right > self.right_since + self.ahead + AHEAD
    }

    fn ask(&mut self, Request { number, signer, millis }: Request) {
        let now = self.clock.now();
        self.seen = self.seen.max(now);
        let room = self.rooms.entry(signer).or_default();
        let earliest = now - BACK;
        let within = |from: u64| room.let_in.iter().filter(|known| known.millis >= from).count();
        let looked = self.guard.look(id(number), signer, time(millis));
        let verdict = self.guard.admit(id(number), signer, time(millis));
        assert_eq!(looked, verdict);
        let reason = match &verdict {
            Ok(()) => None,
            Err(Error::Replay(reason)) => Some(*reason),
            Err(error) => panic!("{error}"),
        };

        // The greatest time that may have been forgotten.
        let forgotten = room.let_in.iter().map(|known| known.millis);
        let forgotten = forgotten.filter(|millis| *millis < room.may_be_forgotten).max();
        if millis > now + AHEAD {
            assert_eq!(reason, Some(FromTheFuture));
        } else if millis < earliest {
            assert_eq!(reason, Some(TooOld));
        } else if reason == Some(TooOld) {
            assert!(forgotten.is_some_and(|forgotten| millis <= forgotten));
        } else if millis <= self.beginning {
            assert_eq!(reason, Some(Restarted));
        } else if room.let_in.iter().any(|known| known.number == number) {
            assert_eq!(reason, Some(Replayed));
        } else if reason == Some(Full) {
            assert!(within(earliest) >= ROOM);
        } else {
            assert_eq!(reason, None);
            assert!(within(earliest.max(room.may_be_forgotten)) < ROOM);
        }

        if reason.is_none() {
            room.may_be_forgotten = room.may_be_forgotten.max(earliest);
            room.let_in.push(Request { number, signer, millis });
            assert!(self.let_in.insert(number), "let in twice");
        }
    }

    fn restart(&mut self, guard: WindowGuard, beginning: u64) {
        self.guard = guard.with_clock(self.clock.reader()).with_room(ROOM);
        self.beginning = beginning;
        self.rooms.clear();
        self.right_since = self.right;
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Made { signer: number, from_now } => {
                let millis = self.clock.now().checked_add_signed(*from_now).unwrap();
                self.make(signer(*number), millis);
            }
            Event::Honest { signer: number } => {
                let signer = signer(*number);
                let space = self.rooms.get(&signer).is_none_or(|room| {
                    let within = |known: &&Request| known.millis >= self.right - BACK;
                    room.let_in.iter().filter(within).count() < ROOM
                });
                let number = self.requests.len() as u64;
                self.make(signer, self.right);
                if self.is_settled() && space {
                    assert!(self.let_in.contains(&number), "an honest request was refused");
                }
            }
            Event::Again { which } => {
                if !self.requests.is_empty() {
                    self.ask(*which.get(&self.requests));
                }
            }
            Event::Flood { requests } => {
                for number in 0..u64::from(*requests) {
                    self.make(None, self.clock.now() + AHEAD - number * 3_100);
                }
            }
            Event::Pass { millis } => {
                self.right += millis;
                self.set_clock();
            }
            Event::Jump { offset } => {
                self.offset = *offset;
                self.set_clock();
            }
            Event::Right => {
                if self.offset != 0 {
                    self.right_since = self.right;
                }
                self.offset = 0;
                self.set_clock();
            }
            Event::Restart => {
                let mark = self.guard.close();
                let let_in = self.rooms.values().flat_map(|room| &room.let_in);
                let latest = let_in.map(|request| request.millis).max().unwrap_or(0);
                let beginning = self.beginning.max(latest);
                assert_eq!(mark.time(), time(beginning));
                self.restart(WindowGuard::resume(mark), beginning);
            }
            Event::Crash => {
                // The clock must not go back over a restart.
                self.right += self.seen.saturating_sub(self.clock.now());
                self.set_clock();
                self.restart(WindowGuard::new(), self.clock.now() + AHEAD);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn never_twice_never_forgotten_never_refused_without_a_reason(events in vec(events(), 1..250)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        // Everything once more, when the clock is right again.
        world.happen(&Event::Right);
        for request in world.requests.clone() {
            world.ask(request);
        }
        // And a while later everybody is let in.
        world.happen(&Event::Pass { millis: world.ahead + AHEAD + 1 });
        for number in 0..4 {
            world.happen(&Event::Honest { signer: number });
        }
    }
}
