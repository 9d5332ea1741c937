//! Do writers withstand inner writers that fail, at any call?

use std::{
    io::{self, ErrorKind, Write},
    sync::Arc,
};

use twinseal::{
    hazmat,
    stream::{ParallelSealWriter, SealWriter},
};

use super::fixture::{
    CHUNK, CTX, RANDOMNESS, SEALED_CHUNK, TO_BOB, chunks_start, plaintext, seal, with_threads,
};
use crate::common::faulty_io::{Fault, FaultyWriter, Plan};

/// The common methods of the serial and the parallel writer.
trait Sealing: Write {
    fn try_finish(&mut self) -> io::Result<()>;
    fn finish(self) -> io::Result<FaultyWriter>;
}

impl Sealing for SealWriter<FaultyWriter> {
    fn try_finish(&mut self) -> io::Result<()> {
        self.try_finish()
    }

    fn finish(self) -> io::Result<FaultyWriter> {
        self.finish()
    }
}

impl Sealing for ParallelSealWriter<FaultyWriter> {
    fn try_finish(&mut self) -> io::Result<()> {
        self.try_finish()
    }

    fn finish(self) -> io::Result<FaultyWriter> {
        self.finish()
    }
}

fn writer(inner: FaultyWriter) -> io::Result<SealWriter<FaultyWriter>> {
    hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, inner)
}

/// Pieces of odd sizes, a flush now and then.
fn write_in_pieces(
    writer: &mut impl Sealing,
    plaintext: &[u8],
    mut call: impl FnMut(&mut dyn FnMut() -> io::Result<usize>) -> io::Result<usize>,
) -> io::Result<()> {
    for (index, mut part) in plaintext.chunks(50_001).enumerate() {
        while !part.is_empty() {
            let taken = call(&mut || writer.write(part))?;
            part = &part[taken..];
        }
        if index % 5 == 2 {
            call(&mut || writer.flush().map(|()| 0))?;
        }
    }
    Ok(())
}

/// An owner who gives up after the first error.
fn give_up(mut writer: impl Sealing, plaintext: &[u8]) -> io::Result<()> {
    write_in_pieces(&mut writer, plaintext, |call| call())?;
    writer.finish().map(drop)
}

/// An owner who calls again after an error, whatever it is. Returns the errors.
fn go_on(mut writer: impl Sealing, plaintext: &[u8]) -> Vec<io::Error> {
    let mut errors = Vec::new();
    let mut again = |call: &mut dyn FnMut() -> io::Result<usize>| {
        loop {
            match call() {
                Err(error) => errors.push(error),
                done => return done,
            }
            assert!(errors.len() < 10, "it fails for good: {errors:?}");
        }
    };
    write_in_pieces(&mut writer, plaintext, &mut again).unwrap();
    again(&mut || writer.try_finish().map(|()| 0)).unwrap();
    // Now it is complete, and nothing comes after it.
    writer.try_finish().unwrap();
    for more in [&b"x"[..], &[7; 200_000]] {
        assert_eq!(writer.write(more).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    writer.flush().unwrap();
    writer.finish().unwrap();
    errors
}

const FAULTS: [Fault; 5] = [
    Fault::Error(ErrorKind::Other),
    Fault::Error(ErrorKind::WouldBlock),
    Fault::Error(ErrorKind::TimedOut),
    Fault::Error(ErrorKind::Interrupted),
    Fault::Nothing,
];

/// Lets an owner seal on one thread, or in a pool.
fn seal_with<T: Send>(
    threads: Option<usize>,
    writer: SealWriter<FaultyWriter>,
    plaintext: &[u8],
    serial: impl Fn(SealWriter<FaultyWriter>, &[u8]) -> T,
    parallel: impl Fn(ParallelSealWriter<FaultyWriter>, &[u8]) -> T + Sync,
) -> T {
    match threads {
        None => serial(writer, plaintext),
        Some(threads) => with_threads(threads, || parallel(writer.parallel(), plaintext)),
    }
}

/// Lets the inner writer fail at each of its calls, in each way.
fn fail_at_each_call(plaintext: &[u8], at_most: usize, threads: Option<usize>) {
    let expected: Arc<[u8]> = seal(plaintext).into();
    let whole = FaultyWriter::new(&expected, Plan::harmless(at_most));
    let head = whole.clone();
    drop(writer(head));
    let head_calls = whole.calls();
    let whole = FaultyWriter::new(&expected, Plan::harmless(at_most));
    seal_with(threads, writer(whole.clone()).unwrap(), plaintext, give_up, give_up).unwrap();
    assert_eq!(whole.taken(), expected.len());

    for call in 0..whole.calls() {
        for fault in FAULTS {
            let kind = match fault {
                Fault::Error(kind) => kind,
                Fault::Nothing | Fault::Lie => ErrorKind::WriteZero,
            };
            let is_again = matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut);
            let in_head = call < head_calls;
            let plan = Plan { call, fault, at_most };
            let silent = kind == ErrorKind::Interrupted || in_head && is_again;

            let inner = FaultyWriter::new(&expected, plan);
            match writer(inner.clone()) {
                Err(error) => assert!(in_head && error.kind() == kind),
                Ok(writer) => match seal_with(threads, writer, plaintext, give_up, give_up) {
                    Ok(()) => assert!(silent && inner.taken() == expected.len()),
                    Err(error) => assert!(!silent && error.kind() == kind, "{error:?}"),
                },
            }
            assert_eq!(inner.failed(), kind != ErrorKind::Interrupted);

            let inner = FaultyWriter::new(&expected, plan);
            let Ok(writer) = writer(inner.clone()) else { continue };
            let errors = seal_with(threads, writer, plaintext, go_on, go_on);
            let kinds: Vec<_> = errors.iter().map(io::Error::kind).collect();
            assert_eq!(kinds, if silent { vec![] } else { vec![kind] }, "at call {call}");
            assert_eq!(inner.taken(), expected.len());
        }
    }
}

#[test]
fn serial_writer() {
    for (length, at_most) in
        [(0, 1000), (100, 500), (20 * CHUNK + 9, 40_000), (40 * CHUNK, usize::MAX)]
    {
        fail_at_each_call(&plaintext(length), at_most, None);
    }
}

#[test]
fn parallel_writer() {
    for (length, at_most) in
        [(0, 1000), (100, 500), (40 * CHUNK + 9, 90_000), (100 * CHUNK, usize::MAX)]
    {
        for threads in [1, 2] {
            fail_at_each_call(&plaintext(length), at_most, Some(threads));
        }
    }
}

/// A writer that claims more bytes than it was offered: nobody knows what it has taken.
#[test]
fn a_lie_about_the_length_ends_it() {
    let plaintext = plaintext(40 * CHUNK);
    let expected: Arc<[u8]> = seal(&plaintext).into();
    for call in 1..6 {
        let plan = Plan { call, fault: Fault::Lie, at_most: 90_000 };
        for threads in [None, Some(1), Some(2)] {
            let inner = FaultyWriter::new(&expected, plan);
            let writer = writer(inner.clone()).unwrap();
            let check = |writer: &mut dyn Write| {
                let error = writer.write_all(&plaintext).and_then(|()| writer.flush()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Other);
                let calls = inner.calls();
                writer.write(&plaintext).unwrap_err();
                writer.write(b"").unwrap_err();
                writer.flush().unwrap_err();
                assert_eq!(inner.calls(), calls);
            };
            let serial = |mut writer: SealWriter<_>, _: &[u8]| {
                check(&mut writer);
                // It stays so when it turns parallel.
                let mut writer = writer.parallel();
                writer.write(b"x").unwrap_err();
                writer.finish().unwrap_err();
            };
            let parallel = |mut writer: ParallelSealWriter<_>, _: &[u8]| {
                check(&mut writer);
                writer.try_finish().unwrap_err();
                writer.finish().unwrap_err();
            };
            seal_with(threads, writer, b"", serial, parallel);
        }
    }
}

/// A writer that becomes parallel first writes the bytes that it could not write before.
#[test]
fn an_error_before_it_turns_parallel_loses_nothing() {
    let plaintext = plaintext(40 * CHUNK + 9);
    let expected: Arc<[u8]> = seal(&plaintext).into();
    for call in 0..12 {
        let fault = Fault::Error(ErrorKind::WouldBlock);
        let inner = FaultyWriter::new(&expected, Plan { call, fault, at_most: 50_000 });
        let mut writer = writer(inner.clone()).unwrap();
        let mut rest = &plaintext[..];
        while !rest.is_empty() {
            match writer.write(rest) {
                Ok(taken) => rest = &rest[taken..],
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        with_threads(2, || {
            let mut writer = writer.parallel();
            writer.write_all(rest).unwrap();
            // Perhaps only here is the planned call.
            let _ = writer.try_finish();
            writer.finish().unwrap();
        });
        assert_eq!(inner.taken(), expected.len());
    }
}

#[test]
fn a_part_of_a_chunk_waits() {
    let plaintext = plaintext(CHUNK - 1);
    let expected: Arc<[u8]> = seal(&plaintext).into();
    let inner = FaultyWriter::new(&expected, Plan::harmless(usize::MAX));
    let mut writer = writer(inner.clone()).unwrap();
    let head = inner.taken();
    assert_eq!(head, chunks_start(&expected));
    for byte in plaintext.chunks(1) {
        writer.write_all(byte).unwrap();
    }
    assert_eq!(inner.taken(), head);
    writer.finish().unwrap();
    assert_eq!(inner.taken(), expected.len());
}

#[test]
fn dropped_without_finish_does_not_open() {
    for length in [0, 1, CHUNK, 2 * CHUNK, 8 * CHUNK, 40 * CHUNK + 1] {
        let plaintext = plaintext(length);
        let mut serial = Vec::new();
        let mut writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, &mut serial).unwrap();
        writer.write_all(&plaintext).unwrap();
        drop(writer);

        let mut parallel = Vec::new();
        let writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, &mut parallel).unwrap();
        with_threads(1, || {
            let mut writer = writer.parallel();
            writer.write_all(&plaintext).unwrap();
            writer.flush().unwrap();
        });
        for sealed in [serial, parallel] {
            assert!(seal(&plaintext).starts_with(&sealed));
            super::damage::assert_refused(&sealed, &plaintext);
        }
    }
}

/// An inner writer that panics once, and whose owner catches that, as thread pools do.
#[test]
fn nothing_wrong_is_written_after_a_panic() {
    struct Panics {
        sealed: Vec<u8>,
        calls_left: usize,
    }
    impl Write for Panics {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            self.calls_left = self.calls_left.wrapping_sub(1);
            assert_ne!(self.calls_left, 0, "planned");
            self.sealed.extend_from_slice(buffer);
            Ok(buffer.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let plaintext = plaintext(70 * CHUNK);
    for calls_left in 2..5 {
        let inner = Panics { sealed: Vec::new(), calls_left };
        let writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, inner).unwrap();
        with_threads(1, || {
            let mut writer = writer.parallel();
            let write = std::panic::AssertUnwindSafe(|| writer.write_all(&plaintext));
            std::panic::catch_unwind(write).unwrap_err();
            let before = writer.get_ref().sealed.clone();
            assert!(seal(&plaintext).starts_with(&before));
            assert_eq!((before.len() - chunks_start(&before)) % SEALED_CHUNK, 0);
            writer.write_all(&plaintext).unwrap_err();
            writer.flush().unwrap_err();
            assert_eq!(writer.get_ref().sealed, before);
            writer.finish().map(drop).unwrap_err();
        });
    }
    // The serial one too.
    let inner = Panics { sealed: Vec::new(), calls_left: 2 };
    let mut writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, inner).unwrap();
    let write = std::panic::AssertUnwindSafe(|| writer.write_all(&plaintext));
    std::panic::catch_unwind(write).unwrap_err();
    writer.write_all(b"x").unwrap_err();
}
