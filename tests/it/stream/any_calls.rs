//! Do writers and readers keep to a vector of bytes, whatever calls come in whatever order, and whatever the inner
//! ones and the provider do?

use std::{
    io::{self, BufRead, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::LazyLock,
};

use proptest::{collection::vec, option, prelude::*, sample::select};
use twinseal::{
    DecapsulationKey, Error, Recipients, hazmat,
    stream::{OpenReader, ParallelOpenReader, ParallelSealWriter, SealWriter},
    tokio,
};

use super::{
    fixture::{
        BOB, CHUNK, CTX, RANDOMNESS, SEALED_CHUNK, chunks_start, plaintext, seal, with_threads,
    },
    panicking::PANICKING,
};
use crate::common::{
    any_calls::{Damage, Planned, ScriptedReader, ScriptedWriter, Step, cases, damage, steps},
    polling::run,
    waiting::{Dropped, Polled, Waiting},
};

/// Two batches and a bit.
const MOST: usize = 70 * CHUNK;

/// The plaintext, of which each case uses a part. No chunk of it begins with a byte at which [`PANICKING`] fails.
pub(super) static PLAINTEXT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut plaintext = plaintext(MOST);
    plaintext.iter_mut().step_by(CHUNK).for_each(|first| *first |= 0x80);
    plaintext
});

/// Its envelope, whose full chunks are those of the envelope of every part of it.
pub(super) static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| seal(&PLAINTEXT));

/// Bob, with a provider that fails at some chunks.
pub(super) static UNLUCKY_BOB: LazyLock<DecapsulationKey> = LazyLock::new(|| {
    DecapsulationKey::from_seed(BOB.suite(), BOB.seed().unwrap()).unwrap().on(&PANICKING).unwrap()
});
pub(super) static TO_UNLUCKY_BOB: LazyLock<Recipients> =
    LazyLock::new(|| Recipients::new([UNLUCKY_BOB.encapsulation_key()]).unwrap());

pub(super) fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![
        3 => 0..100_usize,
        3 => 0..3 * CHUNK,
        1 => select(&[CHUNK - 1, CHUNK, CHUNK + 1, SEALED_CHUNK, 32 * CHUNK][..]),
        2 => 0..MOST,
    ]
}

/// A chunk at which the provider fails or panics; most often none.
pub(super) fn mishap() -> impl Strategy<Value = Option<(usize, bool)>> {
    option::weighted(0.2, (0..MOST / CHUNK, any::<bool>()))
}

/// The plaintext with that chunk in it. `panics` is how a chunk begins at which the provider panics.
pub(super) fn with_mishap(mishap: Option<(usize, bool)>, panics: u8) -> Vec<u8> {
    let mut plaintext = PLAINTEXT.clone();
    if let Some((chunk, does_panic)) = mishap {
        plaintext[chunk * CHUNK] = if does_panic { panics } else { 12 };
    }
    plaintext
}

/// The outcome of a call, or whose panic it was.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, &'static str> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| match payload.downcast::<Planned>() {
        Ok(planned) => planned.0,
        Err(payload) => std::panic::resume_unwind(payload),
    })
}

fn of_provider(error: &io::Error) -> bool {
    matches!(Error::inside(error), Some(Error::Unsupported(_)))
}

#[derive(Clone, Debug)]
enum WriterCall {
    Write(usize),
    Flush,
    TryFinish,
    TurnParallel,
}

fn writer_calls() -> impl Strategy<Value = Vec<WriterCall>> {
    let call = prop_oneof![
        20 => lengths().prop_map(WriterCall::Write),
        4 => Just(WriterCall::Flush),
        1 => Just(WriterCall::TryFinish),
        3 => Just(WriterCall::TurnParallel),
    ];
    vec(call, 0..40)
}

enum Writer {
    Serial(SealWriter<ScriptedWriter>),
    Parallel(ParallelSealWriter<ScriptedWriter>),
    Asynchronous(Polled<tokio::SealWriter<Waiting<ScriptedWriter>>>),
}

impl Writer {
    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::Serial(writer) => writer,
            Self::Parallel(writer) => writer,
            Self::Asynchronous(writer) => writer,
        }
    }

    fn try_finish(&mut self) -> io::Result<()> {
        match self {
            Self::Serial(writer) => writer.try_finish(),
            Self::Parallel(writer) => writer.try_finish(),
            Self::Asynchronous(writer) => {
                writer.poll(|inner, cx| pin!(inner.get_mut().try_finish()).poll(cx))
            }
        }
    }

    fn finish(self) -> io::Result<ScriptedWriter> {
        match self {
            Self::Serial(writer) => writer.finish(),
            Self::Parallel(writer) => writer.finish(),
            Self::Asynchronous(writer) => run(writer.inner.finish()).map(|waiting| waiting.inner),
        }
    }

    fn parallel(self) -> Self {
        match self {
            Self::Serial(writer) => Self::Parallel(writer.parallel()),
            other => other,
        }
    }
}

/// Whether the last chunk was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    No,
    /// An attempt failed, before it or after it.
    Perhaps,
    Yes,
}

/// What a writer must have done.
struct WriterModel {
    plaintext: Vec<u8>,
    /// How much of it was taken.
    accepted: usize,
    start: usize,
    /// The envelope of so much of the plaintext.
    envelope: (usize, Vec<u8>),
    /// The first chunk that cannot be sealed.
    unlucky: usize,
    ended: Ended,
    /// Nothing may be written any more.
    is_broken: bool,
    inner: ScriptedWriter,
}

impl WriterModel {
    fn new(mishap: Option<(usize, bool)>, inner: ScriptedWriter) -> Self {
        let plaintext = with_mishap(mishap, 14);
        let start = chunks_start(&SEALED);
        let unlucky = mishap.map_or(usize::MAX, |(chunk, _)| chunk);
        Self {
            plaintext,
            accepted: 0,
            start,
            envelope: (0, Vec::new()),
            unlucky,
            ended: Ended::No,
            is_broken: false,
            inner,
        }
    }

    fn may_be_unlucky(&self, more: usize) -> bool {
        self.unlucky < (self.accepted + more) / CHUNK
    }

    /// The envelope of what was taken.
    fn envelope(&mut self) -> &[u8] {
        if self.envelope.0 != self.accepted || self.envelope.1.is_empty() {
            self.envelope = (self.accepted, seal(&self.plaintext[..self.accepted]));
        }
        &self.envelope.1
    }

    /// The header and the full chunks.
    fn full_chunks(&self) -> usize {
        self.start + self.accepted / CHUNK * SEALED_CHUNK
    }

    fn check_taken(&mut self) {
        let inner = self.inner.clone();
        let taken = &inner.state().taken;
        let sealable = self.start.saturating_add(self.unlucky.saturating_mul(SEALED_CHUNK));
        assert!(
            !self.may_be_unlucky(0) || taken.len() <= sealable,
            "a chunk was written that was not sealed"
        );
        if taken.len() <= self.full_chunks() {
            assert!(SEALED.starts_with(taken), "other bytes");
        } else {
            assert_ne!(self.ended, Ended::No, "more than was sealed");
            assert!(self.envelope().starts_with(taken), "other bytes");
        }
    }

    fn call(&mut self, writer: &mut Writer, call: &WriterCall) {
        let (calls, raised) = {
            let state = self.inner.state();
            (state.calls, state.raised.len())
        };
        let offered = match call {
            WriterCall::Write(length) => (*length).min(MOST - self.accepted),
            _ => 0,
        };
        let part = &self.plaintext[self.accepted..][..offered];
        let outcome = guarded(|| match call {
            WriterCall::Write(_) => writer.as_write().write(part),
            WriterCall::Flush => writer.as_write().flush().map(|()| 0),
            _ => writer.try_finish().map(|()| 0),
        });
        let (is_flushed, is_lost, reached, now) = {
            let state = self.inner.state();
            let now = state.raised[raised..].to_vec();
            (state.is_flushed, state.is_lost, state.taken.len(), now)
        };
        if self.is_broken {
            assert!(outcome.unwrap().is_err(), "it continues after bytes were lost");
            assert_eq!(self.inner.state().calls, calls, "and calls the inner writer");
            return self.check_taken();
        }
        if matches!(call, WriterCall::TryFinish) && self.ended == Ended::No {
            self.ended = Ended::Perhaps;
        }
        match outcome {
            Err("inner") => self.is_broken = true,
            Err(_) => {
                assert!(self.may_be_unlucky(offered));
                self.is_broken = true;
            }
            Ok(Ok(taken)) => {
                assert!(now.is_empty(), "an error was not reported: {now:?}");
                match call {
                    WriterCall::Write(_) => {
                        assert_ne!(self.ended, Ended::Yes);
                        assert!(taken <= offered && (taken > 0 || offered == 0));
                        self.ended = Ended::No;
                        self.accepted += taken;
                    }
                    WriterCall::Flush => {
                        let is_complete =
                            self.ended != Ended::No && reached == self.envelope().len();
                        let is_right = match self.ended {
                            Ended::No => reached == self.full_chunks(),
                            Ended::Perhaps => is_complete || reached == self.full_chunks(),
                            Ended::Yes => is_complete,
                        };
                        assert!(is_right && is_flushed, "flushed {reached}, {:?}", self.ended);
                    }
                    _ => {
                        self.ended = Ended::Yes;
                        let inner = self.inner.clone();
                        assert!(inner.state().taken == self.envelope());
                        assert!(is_flushed);
                    }
                }
            }
            Ok(Err(error)) if Dropped::is(&error) => assert!(now.is_empty()),
            Ok(Err(error)) if now.is_empty() && of_provider(&error) => {
                assert!(self.may_be_unlucky(offered));
                self.is_broken = true;
            }
            Ok(Err(error)) if now.is_empty() => {
                assert!(matches!(call, WriterCall::Write(_)), "{error:?}");
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert_ne!(self.ended, Ended::No);
                self.ended = Ended::Yes;
            }
            Ok(Err(error)) => {
                assert_eq!(now, [error.kind()]);
                self.is_broken = is_lost;
            }
        }
        self.check_taken();
    }
}

fn write_any(
    calls: &[WriterCall],
    script: Vec<Step>,
    mishap: Option<(usize, bool)>,
    gives_up: bool,
    waiting: Option<u64>,
) {
    let inner = ScriptedWriter::new(script);
    let mut model = WriterModel::new(mishap, inner.clone());
    let made = guarded(|| match waiting {
        None => hazmat::seal_writer(&TO_UNLUCKY_BOB, CTX, &RANDOMNESS, inner.clone())
            .map(Writer::Serial),
        Some(seed) => {
            let sealer = hazmat::sealer(&TO_UNLUCKY_BOB, CTX, &RANDOMNESS)?;
            let writer = tokio::SealWriter::new(sealer, Waiting::new(inner.clone(), seed));
            Ok(Writer::Asynchronous(Polled::new(writer, !seed)))
        }
    });
    let Ok(Ok(mut writer)) = made else {
        return model.check_taken();
    };
    for call in calls {
        if matches!(call, WriterCall::TurnParallel) {
            writer = writer.parallel();
        } else {
            model.call(&mut writer, call);
        }
    }
    if !gives_up {
        // The planned faults end, and this many calls are too many for all of them.
        for _ in 0..100 {
            if model.is_broken {
                break;
            }
            model.call(&mut writer, &WriterCall::TryFinish);
        }
        assert!(model.is_broken || model.ended == Ended::Yes, "it never ends");
        assert_eq!(guarded(|| writer.finish()).unwrap().is_ok(), !model.is_broken);
    }
    let taken = &inner.state().taken.clone();
    let is_whole = model.ended != Ended::No && *taken == model.envelope();
    match BOB.open(CTX, taken) {
        Ok(opened) => assert!(is_whole && opened[..] == model.plaintext[..model.accepted]),
        Err(_) => assert!(!is_whole),
    }
}

proptest! {
    #![proptest_config(cases(128))]

    /// Each byte is written once, in order; after an error the same call continues; and only a finished envelope opens.
    #[test]
    fn writers(
        calls in writer_calls(),
        script in steps(),
        mishap in mishap(),
        gives_up in any::<bool>(),
        waiting in option::of(any::<u64>()),
        threads in 1..=4_usize,
    ) {
        with_threads(threads, || write_any(&calls, script, mishap, gives_up, waiting));
    }
}

#[derive(Clone, Debug)]
enum ReaderCall {
    Read(usize),
    /// How much is consumed of what there is, or more than that.
    FillBuf(usize),
    TurnParallel,
}

fn reader_calls() -> impl Strategy<Value = Vec<ReaderCall>> {
    let call = prop_oneof![
        8 => lengths().prop_map(ReaderCall::Read),
        8 => lengths().prop_map(ReaderCall::FillBuf),
        1 => Just(ReaderCall::TurnParallel),
    ];
    (any::<bool>(), vec(call, 0..40)).prop_map(|(turns_at_once, mut calls)| {
        if turns_at_once {
            calls.insert(0, ReaderCall::TurnParallel);
        }
        calls
    })
}

type Inner<'a> = ScriptedReader<'a>;

enum Reader<'a> {
    Serial(OpenReader<Inner<'a>>),
    Parallel(ParallelOpenReader<Inner<'a>>),
    Asynchronous(Polled<tokio::OpenReader<Waiting<Inner<'a>>>>),
}

impl<'a> Reader<'a> {
    fn as_read(&mut self) -> &mut dyn BufRead {
        match self {
            Self::Serial(reader) => reader,
            Self::Parallel(reader) => reader,
            Self::Asynchronous(reader) => reader,
        }
    }

    fn inner(&self) -> &Inner<'a> {
        match self {
            Self::Serial(reader) => reader.get_ref(),
            Self::Parallel(reader) => reader.get_ref(),
            Self::Asynchronous(reader) => &reader.inner.get_ref().inner,
        }
    }

    fn parallel(self) -> Self {
        match self {
            Self::Serial(reader) => Self::Parallel(reader.parallel()),
            other => other,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Nothing,
    End,
    Refusal,
}

/// How much plaintext comes before what was damaged, and before the first chunk that does not open.
pub(super) fn good(
    damaged: &[u8],
    sealed: &[u8],
    start: usize,
    unlucky: usize,
    length: usize,
) -> usize {
    if damaged == sealed && unlucky >= length / CHUNK {
        return length;
    }
    let full = |bytes| <[u8]>::chunks_exact(bytes, SEALED_CHUNK);
    let pairs = full(&damaged[start..]).zip(full(&sealed[start..]));
    pairs.take_while(|(one, other)| one == other).count().min(unlucky) * CHUNK
}

/// What a reader must have done.
struct ReaderModel<'a> {
    plaintext: &'a [u8],
    /// The envelope before it was damaged.
    sealed: &'a [u8],
    start: usize,
    /// The first chunk that the provider does not open.
    unlucky: usize,
    released: Vec<u8>,
    /// How many errors of the inner reader were reported.
    reported: usize,
    reached: Reached,
}

impl ReaderModel<'_> {
    fn call(&mut self, reader: &mut Reader<'_>, call: &ReaderCall) {
        let (calls, known) = (reader.inner().calls, self.reported);
        let mut length = 0;
        let mut buffer = Vec::new();
        let outcome = guarded(|| match call {
            ReaderCall::Read(room) => {
                length = *room;
                buffer.resize(length, 0xee);
                reader.as_read().read(&mut buffer)
            }
            ReaderCall::FillBuf(amount) => {
                length = 1;
                let ready = reader.as_read().fill_buf()?;
                buffer.extend_from_slice(&ready[..ready.len().min(*amount)]);
                let is_empty = ready.is_empty();
                reader.as_read().consume(*amount);
                Ok(if *amount == 0 && !is_empty { usize::MAX } else { buffer.len() })
            }
            ReaderCall::TurnParallel => Ok(usize::MAX),
        });
        let inner = reader.inner();
        assert!(!inner.is_overrun, "called again after the end");
        let good = good(inner.all(), self.sealed, self.start, self.unlucky, self.plaintext.len());
        let raised = inner.raised.len();
        if self.reached != Reached::Nothing && length > 0 {
            assert_eq!(inner.calls, calls, "it reads on");
        }
        match outcome {
            Err("inner") => assert_eq!(self.reached, Reached::Nothing),
            Err(_) => {
                assert!(self.unlucky < self.plaintext.len() / CHUNK);
                self.reached = Reached::Refusal;
                buffer.clear(); // the provider may have panicked after its work
            }
            Ok(Ok(usize::MAX)) => {}
            Ok(Ok(0)) if length == 0 => {}
            Ok(Ok(0)) => {
                assert_ne!(self.reached, Reached::Refusal);
                assert!(inner.all() == self.sealed && inner.given() == self.sealed);
                assert!(self.released.len() == self.plaintext.len(), "the end comes early");
                assert_eq!(raised, self.reported, "an error was not reported");
                self.reached = Reached::End;
            }
            Ok(Ok(released)) => {
                assert_eq!(self.reached, Reached::Nothing);
                assert!(self.released.len() + released <= good, "more than is authentic");
                let expected = &self.plaintext[self.released.len()..][..released];
                assert!(expected == &buffer[..released], "other bytes");
                self.released.extend_from_slice(expected);
                buffer.drain(..released);
            }
            Ok(Err(error)) if Dropped::is(&error) => {
                assert_eq!(self.reached, Reached::Nothing);
                assert_eq!(raised, self.reported);
            }
            Ok(Err(error)) if Error::inside(&error).is_some() => {
                assert_ne!(self.reached, Reached::End);
                if self.reached == Reached::Nothing {
                    assert!(good < self.plaintext.len() || inner.all() != self.sealed);
                    assert_eq!(self.released.len(), good, "less than there was before the damage");
                }
                assert!(of_provider(&error) || error.kind() == ErrorKind::InvalidData);
                self.reached = Reached::Refusal;
            }
            Ok(Err(error)) => {
                assert_eq!(self.reached, Reached::Nothing);
                assert_eq!(inner.raised.get(self.reported), Some(&error.kind()));
                self.reported += 1;
                assert_eq!(raised, self.reported);
                let given = (inner.given().len() - self.start) / SEALED_CHUNK * CHUNK;
                assert_eq!(self.released.len(), given, "the error comes before the chunks");
            }
        }
        // The parallel one reads ahead, and keeps one error for later.
        assert!(raised - known <= 1);
        if matches!(call, ReaderCall::Read(_)) {
            assert!(buffer.iter().all(|byte| matches!(byte, 0 | 0xee)), "not authentic");
        }
    }
}

fn read_any(
    calls: &[ReaderCall],
    length: usize,
    damage: &Damage,
    (script, in_header): (Vec<Step>, bool),
    mishap: Option<(usize, bool)>,
    waiting: Option<u64>,
) {
    let mut plaintext = with_mishap(mishap, 13);
    plaintext.truncate(length);
    let sealed = seal(&plaintext);
    let start = chunks_start(&sealed);
    let damaged = damage.apply(&sealed, start, SEALED_CHUNK);
    let inner = ScriptedReader::new(&damaged, script).from(if in_header { 0 } else { start });
    let made = guarded(|| match waiting {
        None => UNLUCKY_BOB.open_reader(CTX, inner).map(Reader::Serial),
        Some(seed) => {
            let inner = Waiting::new(inner, seed);
            let reader = run(tokio::open_reader(&*UNLUCKY_BOB, CTX, inner))?;
            Ok(Reader::Asynchronous(Polled::new(reader, !seed)))
        }
    });
    let Ok(Ok(mut reader)) = made else {
        return; // the header is read by one call
    };
    let chunk_is_there = |(chunk, _): &(usize, bool)| *chunk < plaintext.len() / CHUNK;
    let mut model = ReaderModel {
        plaintext: &plaintext,
        sealed: &sealed,
        start,
        unlucky: mishap.filter(chunk_is_there).map_or(usize::MAX, |(chunk, _)| chunk),
        released: Vec::new(),
        reported: reader.inner().raised.len(),
        reached: Reached::Nothing,
    };
    for call in calls {
        if matches!(call, ReaderCall::TurnParallel) {
            reader = reader.parallel();
        }
        model.call(&mut reader, call);
    }
    for call in [ReaderCall::Read(70_000), ReaderCall::FillBuf(5 * CHUNK)].iter().cycle().take(400)
    {
        model.call(&mut reader, call);
    }
    assert_ne!(model.reached, Reached::Nothing, "it never ends");
    assert_eq!(
        model.reached == Reached::End,
        model.released.len() == plaintext.len()
            && reader.inner().all() == sealed
            && model.unlucky == usize::MAX
    );
}

proptest! {
    #![proptest_config(cases(128))]

    /// Each byte is returned once, in order; after an error of the inner reader the same call continues; after a
    /// refusal nothing comes; and the end comes only if nothing is missing.
    #[test]
    fn readers(
        calls in reader_calls(),
        length in prop_oneof![lengths(), 20 * CHUNK..MOST],
        damage in damage(),
        script in (steps(), prop::bool::weighted(0.1)),
        mishap in mishap(),
        waiting in option::of(any::<u64>()),
        threads in 1..=4_usize,
    ) {
        with_threads(threads, || read_any(&calls, length, &damage, script, mishap, waiting));
    }
}
