//! Readers and writers that misbehave once, at a chosen call, and work after it.

use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex, MutexGuard},
};

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails, and nothing is read or written.
    Error(io::ErrorKind),
    /// `Ok(0)`: a writer writes nothing, a reader reports its end.
    Nothing,
    /// More bytes are claimed than the buffer has.
    Lie,
}

/// The fault and its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The number of the call, from 0.
    pub(crate) call: usize,
    /// The fault.
    pub(crate) fault: Fault,
    /// No call moves more bytes than this.
    pub(crate) at_most: usize,
}

impl Plan {
    /// Everything works, in pieces.
    pub(crate) fn harmless(at_most: usize) -> Self {
        Self { call: usize::MAX, fault: Fault::Nothing, at_most }
    }
}

/// A writer that compares the bytes it gets with the right ones. Clones share their state, so that it can
/// be inspected after its owner has taken it.
#[derive(Clone, Debug)]
pub(crate) struct FaultyWriter(Arc<Mutex<WriterState>>);

#[derive(Debug)]
struct WriterState {
    plan: Plan,
    expected: Arc<[u8]>,
    taken: usize,
    calls: usize,
    failed: bool,
}

impl FaultyWriter {
    /// A writer that must get only `expected`, in order.
    pub(crate) fn new(expected: &Arc<[u8]>, plan: Plan) -> Self {
        let expected = Arc::clone(expected);
        Self(Arc::new(Mutex::new(WriterState {
            plan,
            expected,
            taken: 0,
            calls: 0,
            failed: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, WriterState> {
        self.0.lock().unwrap()
    }

    /// How many bytes were written; all of them were right.
    pub(crate) fn taken(&self) -> usize {
        self.state().taken
    }

    /// Whether the plan's call was reached, and was not one to be tried again.
    pub(crate) fn failed(&self) -> bool {
        self.state().failed
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> usize {
        self.state().calls
    }
}

impl WriterState {
    /// Counts a call. True if it is the chosen one.
    fn call(&mut self) -> bool {
        self.calls += 1;
        let chosen = self.calls - 1 == self.plan.call;
        self.failed |= chosen && self.plan.fault != Fault::Error(io::ErrorKind::Interrupted);
        chosen
    }
}

impl Write for FaultyWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let chosen = state.call();
        // Even the bytes of a call that fails are public by now.
        let right = state.expected.get(state.taken..state.taken + buffer.len());
        assert!(right == Some(buffer), "other bytes than the expected ones");
        match state.plan.fault {
            Fault::Error(kind) if chosen => return Err(io::Error::new(kind, "planned")),
            Fault::Nothing if chosen => return Ok(0),
            Fault::Lie if chosen => return Ok(buffer.len() + 1),
            _ => {}
        }
        let length = buffer.len().min(state.plan.at_most);
        state.taken += length;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut state = self.state();
        match (state.call(), state.plan.fault) {
            (true, Fault::Error(kind)) => Err(io::Error::new(kind, "planned")),
            (true, Fault::Nothing | Fault::Lie) => Err(io::ErrorKind::WriteZero.into()),
            (false, _) => Ok(()),
        }
    }
}

/// A reader over bytes. It checks that nobody reads on after its end.
#[derive(Debug)]
pub(crate) struct FaultyReader<'a> {
    bytes: &'a [u8],
    plan: Plan,
    calls: usize,
    failed: bool,
    ended: bool,
}

impl<'a> FaultyReader<'a> {
    pub(crate) fn new(bytes: &'a [u8], plan: Plan) -> Self {
        Self { bytes, plan, calls: 0, failed: false, ended: false }
    }

    /// Whether the plan's call was reached, and was not one to be tried again.
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }
}

impl Read for FaultyReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!self.ended, "called again after the end");
        self.calls += 1;
        if self.calls - 1 == self.plan.call {
            self.failed = self.plan.fault != Fault::Error(io::ErrorKind::Interrupted);
            match self.plan.fault {
                Fault::Error(kind) => return Err(io::Error::new(kind, "planned")),
                Fault::Lie => return Ok(buffer.len() + 1),
                Fault::Nothing => return Ok(0),
            }
        }
        let length = self.bytes.len().min(buffer.len()).min(self.plan.at_most);
        let (now, later) = self.bytes.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.bytes = later;
        self.ended = length == 0 && !buffer.is_empty();
        Ok(length)
    }
}
