//! Do streams make progress in pools that are busy, small or missing?
//!
//! Nothing that waits for a peer keeps a thread of the pool waiting. Each case runs in a process of its
//! own, because a process has one global pool.

use std::{
    env,
    io::{self, Read, Write, copy, pipe, sink},
    iter::from_fn,
    marker::PhantomData,
    rc::Rc,
    sync::mpsc::channel,
    thread::{self, scope, spawn},
};

use rayon::prelude::*;

use super::fixture::{BOB, CHUNK, CTX, plaintext};
use crate::common::process::{DEADLINE, command, ended};

/// Much more than pipes hold.
fn data() -> Vec<u8> {
    plaintext(3 << 20)
}

/// Runs a case in global pools of these sizes, each in a process of its own, which is this test again.
fn in_global_pools(test: &str, sizes: &[usize], case: fn(usize)) {
    const POOL: &str = "TWINSEAL_TEST_POOL";
    if let Ok(size) = env::var(POOL) {
        return case(size.parse().unwrap());
    }
    for size in sizes {
        let mut child = command(env::current_exe().unwrap());
        child.args([test, "--exact", "--nocapture"]);
        child.env(POOL, size.to_string()).env("RAYON_NUM_THREADS", size.to_string());
        let output = ended(child);
        assert!(output.status.success(), "in a pool of {size}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    }
}

fn seal(mut data: impl Read, to: impl Write) -> io::Result<()> {
    let mut writer = BOB.encapsulation_key().seal_writer(CTX, to)?.parallel();
    copy(&mut data, &mut writer)?;
    writer.finish().map(drop)
}

/// Each writer stands behind the pipe of the one before it, and there are more than threads.
#[test]
fn writers_behind_writers() {
    in_global_pools("stream::pools::writers_behind_writers", &[1, 2], |size| {
        let data = data();
        scope(|scope| {
            let (mut before, to) = pipe().unwrap();
            let first = &data[..];
            scope.spawn(move || seal(first, to).unwrap());
            for _ in 0..size {
                let (next, to) = pipe().unwrap();
                let from = std::mem::replace(&mut before, next);
                scope.spawn(move || {
                    seal(BOB.open_reader(CTX, from).unwrap().parallel(), to).unwrap();
                });
            }
            let mut opened = Vec::new();
            BOB.open_reader(CTX, before).unwrap().read_to_end(&mut opened).unwrap();
            assert!(opened == data);
        });
    });
}

/// All threads of the pool wait for what the writer writes.
#[test]
fn the_pool_is_the_receiver() {
    in_global_pools("stream::pools::the_pool_is_the_receiver", &[1, 2], |_| {
        let data = data();
        let length = BOB.encapsulation_key().sealed_len(data.len() as u64);
        let (mut from, to) = pipe().unwrap();
        let (begun, begin) = channel();
        let sealing = spawn(move || {
            begin.recv_timeout(DEADLINE).unwrap(); // now a thread of the pool waits for the pipe
            seal(&data[..], to).unwrap();
        });
        let pieces = from_fn(move || {
            let _ = begun.send(());
            let mut piece = vec![0; 1 << 16];
            let length = from.read(&mut piece).unwrap();
            (length > 0).then_some((piece, length))
        });
        let total: usize = pieces.par_bridge().map(|(_, length)| length).sum();
        assert_eq!(Some(total as u64), length);
        sealing.join().unwrap();
    });
}

/// All threads of the pool wait for what the reader is given.
#[test]
fn the_pool_is_the_sender() {
    in_global_pools("stream::pools::the_pool_is_the_sender", &[1, 2], |size| {
        let data = data();
        let sealed = BOB.encapsulation_key().seal(CTX, &data).unwrap();
        let (readers, writers): (Vec<_>, Vec<_>) = (0..size).map(|_| pipe().unwrap()).unzip();
        scope(|scope| {
            for from in readers {
                scope.spawn(|| {
                    let mut opened = Vec::new();
                    let reader = BOB.open_reader(CTX, from).unwrap();
                    reader.parallel().read_to_end(&mut opened).unwrap();
                    assert!(opened == data);
                });
            }
            writers.into_par_iter().for_each(|mut to| to.write_all(&sealed).unwrap());
        });
    });
}

/// As many writers as the pool has threads wait for receivers that read on only after the pool has
/// done something else.
#[test]
fn receivers_that_stall() {
    in_global_pools("stream::pools::receivers_that_stall", &[1, 2], |size| {
        let data = data();
        scope(|scope| {
            let mut receivers = Vec::new();
            for _ in 0..size {
                let (from, to) = pipe().unwrap();
                let data = &data[..];
                scope.spawn(move || seal(data, to).unwrap());
                receivers.push(from);
            }
            for from in &mut receivers {
                from.read_exact(&mut vec![0; 100_000]).unwrap();
            }
            assert_eq!((0..1000_u64).into_par_iter().sum::<u64>(), 499_500);
            let mut sealed = Vec::new();
            seal(&data[..], &mut sealed).unwrap();
            for mut from in receivers {
                scope.spawn(move || copy(&mut from, &mut sink()).unwrap());
            }
        });
    });
}

/// An inner writer or reader that stays on its thread, which is not `Send` either.
#[test]
fn inner_writers_and_readers_stay_on_their_thread() {
    struct Here<T>(T, thread::ThreadId, PhantomData<Rc<()>>);
    impl<T> Here<T> {
        fn new(inner: T) -> Self {
            Self(inner, thread::current().id(), PhantomData)
        }
    }
    impl<T: Read> Read for Here<T> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert_eq!(thread::current().id(), self.1);
            self.0.read(buffer)
        }
    }
    impl<T: Write> Write for Here<T> {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            assert_eq!(thread::current().id(), self.1);
            self.0.write(buffer)
        }
        fn flush(&mut self) -> io::Result<()> {
            assert_eq!(thread::current().id(), self.1);
            self.0.flush()
        }
    }
    let data = data();
    let mut writer =
        BOB.encapsulation_key().seal_writer(CTX, Here::new(Vec::new())).unwrap().parallel();
    writer.write_all(&data).unwrap();
    writer.flush().unwrap();
    let sealed = writer.finish().unwrap().0;
    let mut opened = Vec::new();
    let reader = BOB.open_reader(CTX, Here::new(&sealed[..])).unwrap();
    reader.parallel().read_to_end(&mut opened).unwrap();
    assert!(opened == data);
}

/// A process that may start no thread: the global pool cannot be had, here or when it was tried before.
#[test]
fn no_threads() {
    in_global_pools("stream::pools::no_threads", &[1, 2, 0], |_| {
        let none = |_| Err(io::Error::from(io::ErrorKind::WouldBlock));
        rayon::ThreadPoolBuilder::new().spawn_handler(none).build_global().unwrap_err();
        for length in [0, 1, CHUNK, 100 * CHUNK + 9] {
            let data = plaintext(length);
            let mut sealed = Vec::new();
            seal(&data[..], &mut sealed).unwrap();
            let mut opened = Vec::new();
            let reader = BOB.open_reader(CTX, &sealed[..]).unwrap();
            reader.parallel().read_to_end(&mut opened).unwrap();
            assert!(opened == data);
        }
        // A pool of one's own is used still.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.install(|| seal(&data()[..], sink())).unwrap();
    });
}
