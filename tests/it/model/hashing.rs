//! Does hashing beside a writer give it all bytes, the digest of those that it took, and no thread that stays?

use std::{
    io::{self, ErrorKind, Write, sink},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use twinseal::model::{Hashing, Method};

use super::hasher::{assert_is_of, content, shards};
use crate::common::{
    errors::io_outcome,
    faulty_io::{Fault, FaultyWriter, Plan},
};

/// More than all buffers hold.
const LONG: usize = 6_000_000;

/// Long enough for a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(300);

/// Fails if the work hangs.
fn within_the_deadline<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    ended.recv_timeout(DEADLINE).expect("it hangs, or has panicked")
}

#[test]
fn every_length_and_part() {
    let all = content(LONG);
    for method in [Method::Files, shards(100_000), shards(1 << 20)] {
        for length in [1, 1000, 262_143, 262_144, 262_145, 1_048_576, LONG] {
            for part in [1000, 262_144, 1_000_000] {
                let file = &all[..length];
                let mut hashing = Hashing::new(Vec::new(), method).unwrap();
                file.chunks(part).for_each(|part| hashing.write_all(part).unwrap());
                hashing.flush().unwrap();
                let (written, digest) = hashing.finish().unwrap();
                assert!(written == file);
                assert_is_of(&digest, file, method);
            }
        }
    }
}

/// The writer and the thread take turns with parts that the buffers hold, however much is written in one call.
#[test]
fn one_long_write_is_offered_in_parts() {
    struct Parts(Vec<usize>);
    impl Write for Parts {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let file = content(LONG);
    let mut hashing = Hashing::new(Parts(Vec::new()), Method::Files).unwrap();
    hashing.write_all(&file).unwrap();
    let (Parts(parts), digest) = hashing.finish().unwrap();
    assert!(parts.iter().all(|length| *length <= 512 * 1024), "{parts:?}");
    assert_eq!(parts.iter().sum::<usize>(), LONG);
    assert_is_of(&digest, &file, Method::Files);
}

/// Only what the writer took is hashed, and once.
#[test]
fn short_and_failing_writers() {
    let file: Arc<[u8]> = content(1000).into();
    for at_most in [1, 7, 1000] {
        for kind in [ErrorKind::Interrupted, ErrorKind::WouldBlock, ErrorKind::StorageFull] {
            for call in 0..3 {
                let plan = Plan { call, fault: Fault::Error(kind), at_most };
                let writer = FaultyWriter::new(&file, plan);
                let mut hashing = Hashing::new(writer.clone(), Method::Files).unwrap();
                let mut taken = 0;
                let mut errors = 0;
                while taken < file.len() {
                    match hashing.write(&file[taken..]) {
                        Ok(length) => taken += length,
                        Err(error) => {
                            assert_eq!(error.kind(), kind);
                            errors += 1;
                        }
                    }
                }
                assert_eq!(errors, usize::from(writer.calls() > call + 1));
                let (_, digest) = hashing.finish().unwrap();
                assert_is_of(&digest, &file, Method::Files);
            }
        }
    }
    let plan = Plan { call: 0, fault: Fault::Nothing, at_most: 10 };
    let mut hashing = Hashing::new(FaultyWriter::new(&file, plan), Method::Files).unwrap();
    assert_eq!(hashing.write_all(&file).unwrap_err().kind(), ErrorKind::WriteZero);
    assert_is_of(&hashing.finish().unwrap().1, b"", Method::Files);
}

#[test]
fn a_flush_that_fails_can_be_repeated() {
    let file: Arc<[u8]> = content(10).into();
    let plan = Plan { call: 0, fault: Fault::Error(ErrorKind::WouldBlock), at_most: 10 };
    let mut hashing = Hashing::new(FaultyWriter::new(&file, plan), Method::Files).unwrap();
    assert_eq!(hashing.flush().unwrap_err().kind(), ErrorKind::WouldBlock);
    hashing.flush().unwrap();
    hashing.write_all(&file).unwrap();
    assert_is_of(&hashing.finish().unwrap().1, &file, Method::Files);
}

/// What was written is not what was hashed: there is no digest then.
#[test]
fn writers_that_lie_or_panic() {
    let file: Arc<[u8]> = content(1000).into();
    let assert_failed = |mut hashing: Hashing<FaultyWriter>| {
        assert_eq!(io_outcome(hashing.write(&file)), "Other");
        assert_eq!(io_outcome(hashing.flush()), "Other");
        assert_eq!(io_outcome(hashing.finish().map(drop)), "Other");
    };
    let new = |fault, at_most| {
        let writer = FaultyWriter::new(&file, Plan { call: 1, fault, at_most });
        let mut hashing = Hashing::new(writer, Method::Files).unwrap();
        assert_eq!(hashing.write(&file).unwrap(), at_most);
        hashing
    };
    let mut lying = new(Fault::Lie, 100);
    assert_eq!(io_outcome(lying.write(&file[100..])), "Other");
    assert_failed(lying);

    // It panics at other bytes than the expected ones.
    let mut panicking = new(Fault::Lie, 100);
    let unwound = catch_unwind(AssertUnwindSafe(|| panicking.write(&file)));
    assert!(unwound.is_err());
    assert_failed(panicking);
}

/// Whichever of both is slower, memory is bounded and the digest right.
#[test]
fn slow_writers() {
    struct Slow(usize);
    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            thread::sleep(Duration::from_millis(5));
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let file = content(LONG);
    let mut slow = Hashing::new(Slow(0), shards(1000)).unwrap();
    file.chunks(100_000).for_each(|part| slow.write_all(part).unwrap());
    let (writer, digest) = slow.finish().unwrap();
    assert_eq!(writer.0, LONG);
    assert_is_of(&digest, &file, shards(1000));

    let mut fast = Hashing::new(sink(), Method::Files).unwrap();
    let file = file.repeat(10);
    fast.write_all(&file).unwrap();
    assert_is_of(&fast.finish().unwrap().1, &file, Method::Files);
}

#[test]
fn empty_files_and_too_many_shards() {
    let hashing = Hashing::new(Vec::new(), shards(8)).unwrap();
    assert_eq!(io_outcome(hashing.finish().map(drop)), "InvalidData: Model(EmptyFile)");
    let hashing = Hashing::new(Vec::new(), Method::Files).unwrap();
    assert_is_of(&hashing.finish().unwrap().1, b"", Method::Files);

    // The thread finds it while the writer goes on. The writer hears of it, and nothing hangs.
    let outcome = within_the_deadline(|| {
        let mut hashing = Hashing::new(sink(), shards(1)).unwrap();
        let written = (0..100).try_for_each(|_| hashing.write_all(&[7; 1 << 20]));
        (io_outcome(written), io_outcome(hashing.write(b"7")), io_outcome(hashing.finish()))
    });
    assert_eq!(outcome.0, "InvalidData: Model(TooLarge)");
    assert_eq!((&*outcome.1, &*outcome.2), ("Other", "Other"));
    let last = within_the_deadline(|| {
        let mut hashing = Hashing::new(sink(), shards(1)).unwrap();
        hashing.write_all(&[7; (1 << 20) + 1]).unwrap();
        io_outcome(hashing.finish())
    });
    assert_eq!(last, "InvalidData: Model(TooLarge)");
}

/// Before the first byte, in the middle, with all buffers full, and after an error.
#[test]
fn given_up_half_way() {
    within_the_deadline(|| {
        for length in [0, 1, 262_144, 1_000_000, LONG] {
            for _ in 0..10 {
                let mut hashing = Hashing::new(sink(), shards(1000)).unwrap();
                hashing.write_all(&vec![7; length]).unwrap();
                drop(hashing);
            }
        }
    });
    no_thread_is_left();
}

/// Other tests that run meanwhile have some, until they end.
#[cfg(target_os = "linux")]
pub(super) fn no_thread_is_left() {
    let hashes = |thread: io::Result<std::fs::DirEntry>| {
        let name = std::fs::read_to_string(thread.unwrap().path().join("comm"));
        name.is_ok_and(|name| name.trim() == "twinseal-hash")
    };
    let start = std::time::Instant::now();
    while std::fs::read_dir("/proc/self/task").unwrap().any(hashes) {
        assert!(start.elapsed() < DEADLINE, "a thread is left");
        thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn no_thread_is_left() {}
