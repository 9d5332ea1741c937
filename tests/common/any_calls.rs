//! Inner readers and writers with random faults, at random calls, and how many random cases run.

use std::{
    env,
    io::{self, ErrorKind, IoSlice, Read, Write},
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec::IntoIter,
};

use proptest::{collection::vec, prelude::*, sample::select};

/// This many cases, or as many as `PROPTEST_CASES` says.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default(); // which reads the environment
    let cases = if env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..default }
}

/// What one call of an inner reader or writer does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// It moves no more bytes than this.
    AtMost(usize),
    /// It fails, and moves nothing.
    Fails(ErrorKind),
    /// `Ok(0)`: a writer writes nothing, a reader reports its end.
    Nothing,
    /// It claims more bytes than the buffer has, and moves none.
    Lies,
    /// It panics, and moves nothing.
    Panics,
}

/// The next calls; those after them work.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    const KINDS: &[ErrorKind] = &[
        ErrorKind::Interrupted,
        ErrorKind::WouldBlock,
        ErrorKind::TimedOut,
        ErrorKind::Other,
        ErrorKind::InvalidData,
        ErrorKind::InvalidInput,
    ];
    let lengths = prop_oneof![1..100_usize, 1..200_000_usize, Just(usize::MAX)];
    let step = prop_oneof![
        50 => lengths.prop_map(Step::AtMost),
        20 => select(KINDS).prop_map(Step::Fails),
        1 => Just(Step::Nothing),
        1 => Just(Step::Lies),
        1 => Just(Step::Panics),
    ];
    vec(step, 0..60)
}

/// The payload of a panic that was planned. No hook reports it.
pub(crate) struct Planned(pub(crate) &'static str);

pub(crate) fn panic_as_planned(whose: &'static str) -> ! {
    resume_unwind(Box::new(Planned(whose)))
}

/// A writer that keeps what it takes. Clones share their state.
#[derive(Clone, Debug)]
pub(crate) struct ScriptedWriter(Arc<Mutex<Written>>);

#[derive(Debug)]
pub(crate) struct Written {
    steps: IntoIter<Step>,
    pub(crate) taken: Vec<u8>,
    pub(crate) calls: usize,
    /// The errors so far, except interruptions.
    pub(crate) raised: Vec<ErrorKind>,
    /// Whether it has panicked or lied.
    pub(crate) is_lost: bool,
    /// Whether it was flushed after the last byte.
    pub(crate) is_flushed: bool,
}

impl ScriptedWriter {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self(Arc::new(Mutex::new(Written {
            steps: steps.into_iter(),
            taken: Vec::new(),
            calls: 0,
            raised: Vec::new(),
            is_lost: false,
            is_flushed: false,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    fn next(&mut self) -> io::Result<Step> {
        self.calls += 1;
        let step = self.steps.next().unwrap_or(Step::AtMost(usize::MAX));
        match step {
            Step::Fails(kind) => return Err(self.raise(kind)),
            Step::Panics => {
                self.is_lost = true;
                panic_as_planned("inner");
            }
            _ => {}
        }
        Ok(step)
    }

    fn raise(&mut self, kind: ErrorKind) -> io::Error {
        if kind != ErrorKind::Interrupted {
            self.raised.push(kind);
        }
        io::Error::new(kind, "planned")
    }
}

impl Write for ScriptedWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let at_most = match state.next()? {
            Step::AtMost(at_most) => at_most,
            Step::Nothing => {
                state.raise(ErrorKind::WriteZero);
                return Ok(0);
            }
            _ => {
                state.is_lost = true;
                state.raise(ErrorKind::Other);
                return Ok(buffer.len() + 1);
            }
        };
        let length = buffer.len().min(at_most);
        state.taken.extend_from_slice(&buffer[..length]);
        state.is_flushed = false;
        Ok(length)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let buffers: Vec<_> = buffers.iter().map(|buffer| &buffer[..]).collect();
        self.write(&buffers.concat())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.next()?;
        state.is_flushed = true;
        Ok(())
    }
}

/// A reader over bytes.
#[derive(Debug)]
pub(crate) struct ScriptedReader<'a> {
    steps: IntoIter<Step>,
    bytes: &'a [u8],
    position: usize,
    /// Where the steps begin. Up to there it works.
    steps_from: usize,
    pub(crate) calls: usize,
    /// The errors so far, except interruptions.
    pub(crate) raised: Vec<ErrorKind>,
    has_ended: bool,
    /// Whether it was called again after its end.
    pub(crate) is_overrun: bool,
}

impl<'a> ScriptedReader<'a> {
    pub(crate) fn new(bytes: &'a [u8], steps: Vec<Step>) -> Self {
        Self {
            steps: steps.into_iter(),
            bytes,
            position: 0,
            steps_from: 0,
            calls: 0,
            raised: Vec::new(),
            has_ended: false,
            is_overrun: false,
        }
    }

    /// The same, whose steps begin at a position of the bytes.
    pub(crate) fn from(self, steps_from: usize) -> Self {
        Self { steps_from, ..self }
    }

    /// What it has given.
    pub(crate) fn given(&self) -> &'a [u8] {
        &self.bytes[..self.position]
    }

    /// All that it has: up to its end, if that came early.
    pub(crate) fn all(&self) -> &'a [u8] {
        if self.has_ended { self.given() } else { self.bytes }
    }
}

impl Read for ScriptedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        self.is_overrun |= self.has_ended;
        let before = self.steps_from.saturating_sub(self.position);
        let step = if before > 0 { Some(Step::AtMost(before)) } else { self.steps.next() };
        let at_most = match step.unwrap_or(Step::AtMost(usize::MAX)) {
            Step::AtMost(at_most) => at_most,
            Step::Nothing => 0,
            Step::Fails(kind) => {
                if kind != ErrorKind::Interrupted {
                    self.raised.push(kind);
                }
                return Err(io::Error::new(kind, "planned"));
            }
            Step::Lies => {
                self.raised.push(ErrorKind::Other);
                return Ok(buffer.len() + 1);
            }
            Step::Panics => panic_as_planned("inner"),
        };
        let rest = &self.bytes[self.position..];
        let length = rest.len().min(buffer.len()).min(at_most);
        buffer[..length].copy_from_slice(&rest[..length]);
        self.position += length;
        self.has_ended = length == 0 && !buffer.is_empty();
        Ok(length)
    }
}

/// A change of bytes on their way.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    None,
    Flip {
        at: prop::sample::Index,
        bit: u8,
    },
    Cut(prop::sample::Index),
    Extend(Vec<u8>),
    /// These two pieces change places.
    Swap(prop::sample::Index, prop::sample::Index),
    /// This piece comes twice.
    Repeat(prop::sample::Index),
    /// This piece is left out.
    Leave(prop::sample::Index),
}

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        6 => Just(Damage::None),
        1 => (index(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip { at, bit }),
        1 => index().prop_map(Damage::Cut),
        1 => vec(any::<u8>(), 1..40).prop_map(Damage::Extend),
        1 => (index(), index()).prop_map(|(one, other)| Damage::Swap(one, other)),
        1 => index().prop_map(Damage::Repeat),
        1 => index().prop_map(Damage::Leave),
    ]
}

impl Damage {
    /// Changes these bytes from `start` on, in pieces of some length.
    pub(crate) fn apply(&self, bytes: &[u8], start: usize, piece: usize) -> Vec<u8> {
        let (head, body) = bytes.split_at(start);
        let mut body = body.to_vec();
        let mut pieces: Vec<_> = body.chunks(piece).map(<[u8]>::to_vec).collect();
        if body.is_empty() {
            return head.to_vec();
        }
        match self {
            Self::None => {}
            Self::Flip { at, bit } => {
                let at = at.index(body.len());
                body[at] ^= 1 << bit;
                return [head, &body].concat();
            }
            Self::Cut(at) => {
                body.truncate(at.index(body.len()));
                return [head, &body].concat();
            }
            Self::Extend(more) => pieces.push(more.clone()),
            Self::Swap(one, other) => {
                pieces.swap(
                    one.index(body.len().div_ceil(piece)),
                    other.index(body.len().div_ceil(piece)),
                );
            }
            Self::Repeat(which) => {
                let which = which.index(pieces.len());
                pieces.insert(which, pieces[which].clone());
            }
            Self::Leave(which) => {
                pieces.remove(which.index(pieces.len()));
            }
        }
        [head, &pieces.concat()].concat()
    }
}
