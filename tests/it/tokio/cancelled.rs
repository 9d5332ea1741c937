//! What is lost if a future is dropped while it waits? Nothing of a writer or a reader that still exists.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinseal::tokio::open_reader;

use super::{
    fixture::{BATCH, BOB, CHUNK, CTX, again, plaintext, seal, seal_writer},
    unsteady::Unsteady,
};
use crate::common::polling::{run, run_for};

#[test]
fn a_writer_at_every_call() {
    let plaintext = plaintext(2 * BATCH + CHUNK + 9);
    for seed in 0..20 {
        let mut random = Unsteady::new(b"", 0, seed);
        let mut inner = Unsteady::new(b"", 30_000, seed);
        inner.waits = 2;
        let mut writer = seal_writer(inner);
        let mut rest = &plaintext[..];
        while !rest.is_empty() {
            let part = &rest[..rest.len().min(1 + random.random() as usize % 100_000)];
            let taken = again!(random, writer.write(part)).unwrap();
            rest = &rest[taken..];
            if random.random().is_multiple_of(5) {
                again!(random, writer.flush()).unwrap();
            }
        }
        if seed % 2 == 0 {
            again!(random, writer.try_finish()).unwrap();
        }
        again!(random, writer.shutdown()).unwrap();
        let inner = writer.into_inner();
        assert_eq!(inner.shutdowns, 1);
        assert!(BOB.open(CTX, &inner.bytes).unwrap()[..] == plaintext);
    }
}

#[test]
fn a_reader_at_every_call() {
    let plaintext = plaintext(2 * BATCH + CHUNK + 9);
    let sealed = seal(&plaintext);
    for seed in 0..20 {
        let mut random = Unsteady::new(b"", 0, seed);
        let mut inner = Unsteady::new(&sealed, 30_000, seed);
        inner.waits = 2;
        let mut reader = run(open_reader(&*BOB, CTX, inner)).unwrap();
        let mut released = Vec::new();
        let mut buffer = vec![0; 50_000];
        loop {
            let room = 1 + random.random() as usize % buffer.len();
            match again!(random, reader.read(&mut buffer[..room])).unwrap() {
                0 => break,
                length => released.extend_from_slice(&buffer[..length]),
            }
        }
        assert!(released == plaintext);
    }
}

/// The functions that read a start lose it: what is left does not open, and is not taken for something else.
#[test]
fn the_start_of_an_envelope() {
    let sealed = seal(b"hello");
    for polls in 1..40 {
        let mut inner = Unsteady::new(&sealed, 100, 7);
        inner.waits = 2;
        if run_for(polls, open_reader(&*BOB, CTX, &mut inner)).is_none() && inner.calls > 0 {
            run(open_reader(&*BOB, CTX, &mut inner)).unwrap_err();
        }
    }
}
