//! Writers over inner writers that fail, at every call in turn.

use std::{
    io::{self, ErrorKind, Write},
    sync::Arc,
};

use twinseal::{ParallelSealWriter, SealWriter, hazmat};

use crate::{
    faulty_io::{Fault, FaultyWriter, Plan},
    fixture::{CHUNK, CTX, RANDOMNESS, SEALED_CHUNK, TO_BOB, plaintext, seal, with_threads},
};

/// What the serial and the parallel writer have in common.
trait Sealing: Write {
    fn finish(self) -> io::Result<FaultyWriter>;
}

impl Sealing for SealWriter<FaultyWriter> {
    fn finish(self) -> io::Result<FaultyWriter> {
        self.finish()
    }
}

impl Sealing for ParallelSealWriter<FaultyWriter> {
    fn finish(self) -> io::Result<FaultyWriter> {
        self.finish()
    }
}

fn writer(inner: FaultyWriter) -> io::Result<SealWriter<FaultyWriter>> {
    hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, inner)
}

/// Writes everything in odd pieces with a flush now and then. After the first error, everything
/// else must fail; the inner writer checks that it sees nothing of it.
fn seal_all(mut writer: impl Sealing, plaintext: &[u8]) -> io::Result<()> {
    let written = plaintext.chunks(50_001).enumerate().try_for_each(|(index, part)| {
        writer.write_all(part)?;
        if index % 5 == 2 { writer.flush() } else { Ok(()) }
    });
    if written.is_err() {
        let other = vec![0xaa; 100_000];
        for _ in 0..20 {
            writer.write(&other).unwrap_err();
            writer.write(b"").unwrap_err();
            writer.flush().unwrap_err();
        }
        writer.finish().unwrap_err();
        return written;
    }
    writer.finish().map(drop)
}

const FAULTS: [Fault; 4] = [
    Fault::Error(ErrorKind::Other),
    Fault::Error(ErrorKind::WouldBlock),
    Fault::Error(ErrorKind::Interrupted),
    Fault::Nothing,
];

/// Lets the inner writer fail at each of its calls, in each way. `seal` seals all of the plaintext.
fn fail_at_each_call(
    plaintext: &[u8],
    at_most: usize,
    mut seal_to: impl FnMut(FaultyWriter, &[u8]) -> io::Result<()>,
) {
    let expected: Arc<[u8]> = seal(plaintext).into();
    let whole = FaultyWriter::new(&expected, Plan::harmless(at_most));
    seal_to(whole.clone(), plaintext).unwrap();
    assert_eq!(whole.taken(), expected.len());

    for call in 0..whole.calls() {
        for fault in FAULTS {
            let inner = FaultyWriter::new(&expected, Plan { call, fault, at_most });
            let result = seal_to(inner.clone(), plaintext);
            match (fault, result) {
                (Fault::Error(ErrorKind::Interrupted), result) => {
                    result.unwrap();
                    assert_eq!(inner.taken(), expected.len());
                }
                (Fault::Error(kind), Err(error)) => assert_eq!(error.kind(), kind),
                (Fault::Nothing, Err(error)) => assert_eq!(error.kind(), ErrorKind::WriteZero),
                (fault, result) => panic!("{fault:?} at call {call}: {result:?}"),
            }
            assert_eq!(inner.failed(), fault != Fault::Error(ErrorKind::Interrupted));
        }
    }
}

#[test]
fn serial_writer() {
    for (length, at_most) in
        [(0, 1000), (100, 500), (20 * CHUNK + 9, 40_000), (40 * CHUNK, usize::MAX)]
    {
        fail_at_each_call(&plaintext(length), at_most, |inner, plaintext| {
            seal_all(writer(inner)?, plaintext)
        });
    }
}

#[test]
fn parallel_writer() {
    for (length, at_most) in
        [(0, 1000), (100, 500), (40 * CHUNK + 9, 90_000), (100 * CHUNK, usize::MAX)]
    {
        for threads in [1, 2] {
            fail_at_each_call(&plaintext(length), at_most, |inner, plaintext| {
                let writer = writer(inner)?;
                with_threads(threads, || seal_all(writer.parallel(), plaintext))
            });
        }
    }
}

/// Batches that the parallel writer takes straight from the caller's slice.
#[test]
fn parallel_writer_in_one_write() {
    fail_at_each_call(&plaintext(70 * CHUNK + 9), 90_000, |inner, plaintext| {
        let writer = writer(inner)?;
        with_threads(1, || {
            let mut writer = writer.parallel();
            if let Err(error) = writer.write_all(plaintext) {
                writer.write_all(plaintext).unwrap_err();
                writer.flush().unwrap_err();
                writer.finish().unwrap_err();
                return Err(error);
            }
            writer.finish().map(drop)
        })
    });
}

#[test]
fn an_error_stays_when_a_writer_turns_parallel() {
    let plaintext = plaintext(20 * CHUNK);
    let expected = seal(&plaintext).into();
    let fault = Fault::Error(ErrorKind::Other);
    let inner = FaultyWriter::new(&expected, Plan { call: 1, fault, at_most: usize::MAX });
    let mut writer = writer(inner.clone()).unwrap();
    writer.write_all(&plaintext).unwrap_err();
    let mut writer = writer.parallel();
    writer.write_all(&plaintext).unwrap_err();
    writer.flush().unwrap_err();
    writer.finish().unwrap_err();
    assert!(inner.failed());
}

#[test]
fn a_part_of_a_chunk_waits() {
    let plaintext = plaintext(CHUNK - 1);
    let expected: Arc<[u8]> = seal(&plaintext).into();
    let inner = FaultyWriter::new(&expected, Plan::harmless(usize::MAX));
    let mut writer = writer(inner.clone()).unwrap();
    let head = inner.taken();
    assert_eq!(head, crate::fixture::chunks_start(&expected));
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
            crate::damage::assert_refused(&sealed, &plaintext);
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
            assert_eq!((before.len() - crate::fixture::chunks_start(&before)) % SEALED_CHUNK, 0);
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
