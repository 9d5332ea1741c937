//! Do writers of requests and answers withstand inner writers that fail, at any call?

use std::{
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use twinseal::{
    Error, Plaintext,
    request::{Pending, PieceWriter},
};

use super::fixture::{ANY, BOB, CHUNK, CTX, exchange, plaintext};
use crate::common::faulty_io::{Fault, Plan};

/// Collects what it is given, and misbehaves at one call. Clones share what they collect.
#[derive(Clone)]
struct Sink {
    plan: Plan,
    panics: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    calls: usize,
}

impl Sink {
    fn new(plan: Plan) -> Self {
        Self { plan, panics: false, state: Arc::default() }
    }

    /// Panics where the plan has its fault.
    fn panicking(plan: Plan) -> Self {
        Self { panics: true, ..Self::new(plan) }
    }

    fn bytes(&self) -> Vec<u8> {
        self.state.lock().unwrap().bytes.clone()
    }

    fn calls(&self) -> usize {
        self.state.lock().unwrap().calls
    }

    /// Counts a call. True if it is the chosen one.
    fn call(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let chosen = state.calls - 1 == self.plan.call;
        drop(state);
        assert!(!(chosen && self.panics), "planned");
        chosen
    }
}

impl Write for Sink {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match (self.call(), self.plan.fault) {
            (true, Fault::Error(kind)) => return Err(kind.into()),
            (true, Fault::Nothing) => return Ok(0),
            (true, Fault::Lie) => return Ok(buffer.len() + 1),
            (false, _) => {}
        }
        let length = buffer.len().min(self.plan.at_most);
        self.state.lock().unwrap().bytes.extend_from_slice(&buffer[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        match (self.call(), self.plan.fault) {
            (true, Fault::Error(kind)) => Err(kind.into()),
            (true, Fault::Nothing | Fault::Lie) => Err(ErrorKind::WriteZero.into()),
            (false, _) => Ok(()),
        }
    }
}

const FAULTS: [(Fault, ErrorKind); 5] = [
    (Fault::Error(ErrorKind::Other), ErrorKind::Other),
    (Fault::Error(ErrorKind::WouldBlock), ErrorKind::WouldBlock),
    (Fault::Error(ErrorKind::TimedOut), ErrorKind::TimedOut),
    (Fault::Error(ErrorKind::Interrupted), ErrorKind::Interrupted),
    (Fault::Nothing, ErrorKind::WriteZero),
];

/// An owner who calls again after an error, whatever it is. Notes the errors.
#[derive(Default)]
struct Owner(Vec<ErrorKind>);

impl Owner {
    fn again<T>(&mut self, mut call: impl FnMut() -> io::Result<T>) -> T {
        loop {
            match call() {
                Ok(done) => return done,
                Err(error) => self.0.push(error.kind()),
            }
            assert!(self.0.len() < 10, "it fails for good: {:?}", self.0);
        }
    }

    fn write_all(&mut self, writer: &mut impl Write, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.again(|| writer.write(bytes));
            bytes = &bytes[taken..];
        }
    }

    /// Once, unless it was to be repeated at once or could wait.
    fn assert_saw(&self, kind: ErrorKind, may_be_silent: bool) {
        match self.0[..] {
            [] => assert!(may_be_silent || kind == ErrorKind::Interrupted),
            [found] => assert!(found == kind && kind != ErrorKind::Interrupted),
            _ => panic!("{:?}", self.0),
        }
    }
}

#[test]
fn a_request() {
    for (length, at_most) in [(0, 1000), (100, 700), (3 * CHUNK + 9, 9000), (20 * CHUNK, 150_000)] {
        let question = plaintext(length);
        let to = BOB.encapsulation_key();
        for call in 0.. {
            let mut is_reached = false;
            for (fault, kind) in FAULTS {
                let sink = Sink::new(Plan { call, fault, at_most });
                let mut writer = match to.request_writer(CTX, sink.clone()) {
                    Ok(writer) => writer,
                    Err(error) => {
                        assert!(error.kind() == kind && sink.bytes().len() < 1636 + 56);
                        is_reached = true;
                        continue;
                    }
                };
                let head_calls = sink.calls();
                let mut owner = Owner::default();
                for (index, part) in question.chunks(5001).enumerate() {
                    owner.write_all(&mut writer, part);
                    if index % 4 == 2 {
                        owner.again(|| writer.flush());
                    }
                }
                owner.again(|| writer.try_finish());
                // Now it is complete, and nothing comes after it.
                assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::InvalidInput);
                writer.try_finish().unwrap();
                let id = writer.id();
                let (_, pending) = writer.finish().unwrap();
                assert_eq!(pending.id(), id);
                let is_again = matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut);
                if call < sink.calls() {
                    is_reached = true;
                    owner.assert_saw(kind, call < head_calls && is_again);
                } else {
                    assert!(owner.0.is_empty());
                }
                let (opened, asked) = BOB.accept(CTX, &sink.bytes(), ANY).unwrap();
                assert!(opened[..] == question);
                pending.open(&asked.answer(b"a cat").unwrap()).unwrap();
            }
            if !is_reached {
                assert!(call > 2);
                break;
            }
        }
    }
}

/// Dropped before its end, or after an error, it is not accepted.
#[test]
fn a_request_without_its_end() {
    for length in [0, 100, CHUNK, 9 * CHUNK] {
        let sink = Sink::new(Plan::harmless(usize::MAX));
        let mut writer = BOB.encapsulation_key().request_writer(CTX, sink.clone()).unwrap();
        writer.write_all(&plaintext(length)).unwrap();
        writer.flush().unwrap();
        drop(writer);
        assert_eq!(BOB.accept(CTX, &sink.bytes(), ANY).unwrap_err(), Error::Open);
    }
}

/// What the owner of a writer of pieces does, and which pieces it makes.
fn write_pieces(owner: &mut Owner, writer: &mut PieceWriter<Sink>) {
    owner.again(|| writer.piece(b"roses"));
    owner.write_all(writer, &plaintext(250));
    owner.again(|| writer.flush());
    owner.again(|| writer.flush());
    owner.write_all(writer, b"are");
    owner.again(|| writer.piece(b""));
    owner.again(|| writer.piece(&plaintext(100)));
    owner.write_all(writer, b"red");
    owner.again(|| writer.try_finish());
}

fn expected_pieces() -> [Vec<u8>; 8] {
    let all = plaintext(250);
    [
        b"roses".to_vec(),
        all[..100].to_vec(),
        all[100..200].to_vec(),
        all[200..].to_vec(),
        b"are".to_vec(),
        vec![],
        plaintext(100),
        b"red".to_vec(),
    ]
}

fn opened(pending: Pending, answer: &[u8]) -> Vec<Vec<u8>> {
    pending.open_pieces(answer).unwrap().into_iter().map(Plaintext::into_vec).collect()
}

/// Each piece arrives once and in order, because a call that fails has taken nothing.
#[test]
fn pieces() {
    for at_most in [7, 30, 1000] {
        for call in 0.. {
            let mut is_reached = false;
            for (fault, kind) in FAULTS {
                let (pending, asked) = exchange();
                let sink = Sink::new(Plan { call, fault, at_most });
                let mut writer = match asked.piece_writer(sink.clone()) {
                    Ok(writer) => writer.with_bound(100),
                    Err(error) => {
                        assert!(error.kind() == kind && sink.bytes().len() < 42);
                        is_reached = true;
                        continue;
                    }
                };
                let mut owner = Owner::default();
                write_pieces(&mut owner, &mut writer);
                writer.try_finish().unwrap();
                assert_eq!(writer.piece(b"x").unwrap_err().kind(), ErrorKind::InvalidInput);
                assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::InvalidInput);
                if call < sink.calls() {
                    is_reached = true;
                    owner.assert_saw(kind, true);
                } else {
                    assert!(owner.0.is_empty());
                }
                writer.finish().unwrap();
                assert_eq!(opened(pending, &sink.bytes()), expected_pieces());
            }
            if !is_reached {
                assert!(call > 2);
                break;
            }
        }
    }
}

/// A writer that fails for good is reported at the latest by the next call.
#[test]
fn a_broken_connection() {
    struct Broken(usize);
    impl Write for Broken {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            match self.0.checked_sub(1) {
                Some(left) => self.0 = left,
                None => return Err(ErrorKind::BrokenPipe.into()),
            }
            Ok(buffer.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (_, asked) = exchange();
    let mut writer = asked.piece_writer(Broken(2)).unwrap();
    writer.piece(b"arrives").unwrap();
    writer.piece(b"is taken").unwrap();
    assert_eq!(writer.piece(b"is not").unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(writer.write(b"is not").unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(writer.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(writer.finish().map(drop).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

/// After a panic, or a claim of more bytes than were offered, nobody knows what was written.
#[test]
fn a_panic_or_a_lie_ends_them() {
    let write = |writer: &mut PieceWriter<Sink>| -> io::Result<()> {
        writer.piece(b"roses")?;
        writer.write_all(&plaintext(250))?;
        writer.flush()?;
        writer.piece(b"red")
    };
    // The first two calls write the start of an answer, and the head of a request.
    for call in 2..10 {
        for panics in [false, true] {
            let sink = |at_most| {
                let plan = Plan { call, fault: Fault::Lie, at_most };
                if panics { Sink::panicking(plan) } else { Sink::new(plan) }
            };
            let (pending, asked) = exchange();
            let answer = sink(30);
            let mut writer = asked.piece_writer(answer.clone()).unwrap().with_bound(100);
            match catch_unwind(AssertUnwindSafe(|| write(&mut writer))) {
                Ok(result) => assert!(!panics && result.is_err()),
                Err(_) => assert!(panics),
            }
            let calls = answer.calls();
            writer.piece(b"x").unwrap_err();
            writer.write(b"x").unwrap_err();
            writer.flush().unwrap_err();
            writer.try_finish().unwrap_err();
            writer.finish().map(drop).unwrap_err();
            assert_eq!(answer.calls(), calls, "it is not called again");
            pending.open_pieces(&answer.bytes()).unwrap_err();

            let request = sink(1000);
            let mut writer = BOB.encapsulation_key().request_writer(CTX, request.clone()).unwrap();
            let question = plaintext(10 * CHUNK);
            let write = || writer.write_all(&question).and_then(|()| writer.flush());
            match catch_unwind(AssertUnwindSafe(write)) {
                Ok(result) => assert!(!panics && result.is_err()),
                Err(_) => assert!(panics),
            }
            let calls = request.calls();
            writer.write(b"x").unwrap_err();
            writer.flush().unwrap_err();
            writer.try_finish().unwrap_err();
            writer.finish().map(drop).unwrap_err();
            assert_eq!(request.calls(), calls, "it is not called again");
            BOB.accept(CTX, &request.bytes(), ANY).unwrap_err();
        }
    }
}
