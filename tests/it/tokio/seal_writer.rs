//! Does a `SealWriter` write what opens to what it took, whatever its inner writer does?

use std::{
    future::poll_fn,
    io::{ErrorKind, IoSlice},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncWrite, AsyncWriteExt};
use twinseal::{DecapsulationKey, Recipients, tokio::SealWriter};

use super::{
    fixture::{
        BATCH, BOB, CHUNK, CTX, LENGTHS, SEALED_CHUNK, chunks_start, plaintext, seal_writer,
        write_in_steps,
    },
    unsteady::{Fault, Unsteady},
};
use crate::common::polling::run;

#[track_caller]
fn assert_opens(sealed: &[u8], plaintext: &[u8]) {
    assert!(BOB.open(CTX, sealed).unwrap()[..] == *plaintext);
}

#[test]
fn every_length_in_parts_of_every_length() {
    for length in LENGTHS {
        let plaintext = plaintext(length);
        for (seed, (step, at_most)) in
            [(1000, 700), (CHUNK, 5000), (50_001, 100_000), (usize::MAX, usize::MAX)]
                .into_iter()
                .enumerate()
        {
            let mut writer = seal_writer(Unsteady::new(b"", at_most, seed as u64));
            run(write_in_steps(&mut writer, &plaintext, step)).unwrap();
            let inner = writer.into_inner();
            assert_opens(&inner.bytes, &plaintext);
            assert_eq!((inner.flushes, inner.shutdowns), (1, 1));
        }
    }
    // Byte by byte, on both sides.
    let plaintext = plaintext(CHUNK + 10);
    let mut writer = seal_writer(Unsteady::new(b"", 1, 9));
    run(write_in_steps(&mut writer, &plaintext, 1)).unwrap();
    assert_opens(&writer.get_ref().bytes, &plaintext);
}

#[test]
fn for_several_recipients() {
    let carol = DecapsulationKey::generate().unwrap();
    let to_both = Recipients::new([BOB.encapsulation_key(), carol.encapsulation_key()]).unwrap();
    let mut writer = SealWriter::new(to_both.sealer(CTX).unwrap(), Vec::new());
    run(writer.write_all(b"hello")).unwrap();
    let sealed = run(writer.finish()).unwrap();
    for key in [&BOB, &carol] {
        assert_eq!(&key.open(CTX, &sealed).unwrap()[..], b"hello");
    }
}

#[test]
fn several_parts_in_one_call() {
    let plaintext = plaintext(2 * BATCH + 1000);
    let mut writer = seal_writer(Unsteady::new(b"", 100_000, 4));
    assert!(writer.is_write_vectored());
    let mut rest = &plaintext[..];
    while !rest.is_empty() {
        let parts: Vec<_> = [&b""[..]]
            .into_iter()
            .chain(rest.chunks(7001))
            .map(IoSlice::new)
            .take(rest.len() % 40 + 2)
            .collect();
        let offered: usize = parts.iter().map(|part| part.len()).sum();
        let taken = run(writer.write_vectored(&parts)).unwrap();
        assert!((1..=offered.min(BATCH)).contains(&taken));
        rest = &rest[taken..];
    }
    assert_eq!(run(writer.write_vectored(&[])).unwrap(), 0);
    run(writer.shutdown()).unwrap();
    assert_opens(&writer.into_inner().bytes, &plaintext);
}

/// Nothing is written before it has to be, and nothing is taken that has no room.
#[test]
fn takes_a_batch_and_then_waits() {
    let plaintext = plaintext(2 * BATCH);
    let mut inner = Unsteady::new(b"", usize::MAX, 5);
    inner.waits = 1; // it always waits
    let mut writer = seal_writer(inner);
    let mut context = Context::from_waker(Waker::noop());
    let mut poll = |writer: &mut SealWriter<Unsteady>, part: &[u8]| {
        Pin::new(writer).poll_write(&mut context, part)
    };
    let mut taken = 0;
    while let Poll::Ready(length) = poll(&mut writer, &plaintext[taken..]) {
        taken += length.unwrap();
    }
    assert_eq!(taken, BATCH);
    for _ in 0..10 {
        assert!(poll(&mut writer, &plaintext[taken..]).is_pending());
        assert!(poll(&mut writer, b"other bytes").is_pending());
    }
    assert_eq!(writer.get_ref().calls, 0);

    let mut inner = Unsteady::new(b"", 10_000, 5);
    inner.waits = 2;
    let mut writer = seal_writer(inner);
    run(write_in_steps(&mut writer, &plaintext, usize::MAX)).unwrap();
    assert_opens(&writer.into_inner().bytes, &plaintext);
}

#[test]
fn flush_makes_no_short_chunk() {
    let plaintext = plaintext(3 * CHUNK);
    let mut writer = seal_writer(Unsteady::new(b"", 10_000, 6));
    run(writer.flush()).unwrap();
    let start = chunks_start(&writer.get_ref().bytes);
    assert_eq!(writer.get_ref().bytes.len(), start);
    let mut written = 0;
    for part in plaintext.chunks(5000) {
        run(writer.write_all(part)).unwrap();
        run(writer.flush()).unwrap();
        written += part.len();
        assert_eq!(writer.get_ref().bytes.len(), start + written / CHUNK * SEALED_CHUNK);
    }
    run(writer.shutdown()).unwrap();
    assert_opens(&writer.into_inner().bytes, &plaintext);
}

#[test]
fn the_end_may_be_repeated() {
    let mut writer = seal_writer(Unsteady::new(b"", 100, 7));
    run(writer.write_all(b"hello")).unwrap();
    for _ in 0..3 {
        run(writer.try_finish()).unwrap();
        assert_eq!((writer.get_ref().flushes, writer.get_ref().shutdowns), (1, 0));
    }
    for _ in 0..3 {
        run(writer.shutdown()).unwrap();
        assert_eq!((writer.get_ref().flushes, writer.get_ref().shutdowns), (1, 1));
    }
    for more in [&b"x"[..], &[7; 200_000]] {
        let error = run(writer.write(more)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = run(writer.write_vectored(&[IoSlice::new(more)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    run(writer.try_finish()).unwrap();
    assert_opens(&writer.into_inner().bytes, b"hello");
}

#[test]
fn finish_leaves_the_inner_writer_open() {
    let mut writer = seal_writer(Unsteady::new(b"", 100, 8));
    run(writer.write_all(b"hello")).unwrap();
    let mut inner = run(writer.finish()).unwrap();
    assert_eq!((inner.flushes, inner.shutdowns), (1, 0));
    let length = inner.bytes.len();
    run(inner.write_all(b"something else")).unwrap();
    assert_opens(&inner.bytes[..length], b"hello");
}

/// Before the end was written there is nothing that opens.
#[test]
fn dropped_without_an_end() {
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let mut writer = seal_writer(Unsteady::new(b"", usize::MAX, 8));
        run(writer.write_all(&plaintext)).unwrap();
        BOB.open(CTX, &writer.get_ref().bytes).unwrap_err();
        run(writer.flush()).unwrap();
        BOB.open(CTX, &writer.into_inner().bytes).unwrap_err();
    }
}

/// An inner writer that fails at any of its calls, and is called again.
#[test]
fn an_error_loses_nothing() {
    for (length, at_most) in [(0, 500), (100, 500), (BATCH + CHUNK + 9, 100_000)] {
        let plaintext = plaintext(length);
        let mut whole = seal_writer(Unsteady::new(b"", at_most, 3));
        run(write_in_steps(&mut whole, &plaintext, 50_001)).unwrap();
        for call in 0..whole.get_ref().calls {
            for fault in [
                Fault::Error(ErrorKind::Other),
                Fault::Error(ErrorKind::WouldBlock),
                Fault::Error(ErrorKind::Interrupted),
                Fault::Nothing,
            ] {
                let inner = Unsteady::new(b"", at_most, 3).with_fault(call, fault);
                let mut writer = seal_writer(inner);
                let mut errors = Vec::new();
                let mut rest = &plaintext[..];
                while !rest.is_empty() {
                    match run(writer.write(&rest[..rest.len().min(50_001)])) {
                        Ok(taken) => rest = &rest[taken..],
                        Err(error) => errors.push(error.kind()),
                    }
                }
                while let Err(error) = run(writer.shutdown()) {
                    errors.push(error.kind());
                }
                let expected = match fault {
                    Fault::Error(kind) => kind,
                    _ => ErrorKind::WriteZero,
                };
                assert_eq!(errors, [expected]);
                let inner = writer.into_inner();
                assert_opens(&inner.bytes, &plaintext);
                assert_eq!(inner.shutdowns, 1);
            }
        }
    }
}

/// A writer that claims too much, or panics: nobody knows what it has taken.
#[test]
fn a_lie_or_a_panic_ends_it() {
    let plaintext = plaintext(2 * BATCH);
    for fault in [Fault::Lie, Fault::Panic] {
        for call in 0..10 {
            let inner = Unsteady::new(b"", 90_000, 3).with_fault(call, fault);
            let mut writer = seal_writer(inner);
            let ended = catch_unwind(AssertUnwindSafe(|| {
                run(write_in_steps(&mut writer, &plaintext, 50_001)).unwrap_err()
            }));
            assert_eq!(ended.is_err(), fault == Fault::Panic || writer.get_ref().calls > call + 1);
            let calls = writer.get_ref().calls;
            run(writer.write(b"x")).unwrap_err();
            run(writer.flush()).unwrap_err();
            run(writer.try_finish()).unwrap_err();
            run(writer.shutdown()).unwrap_err();
            assert_eq!(writer.get_ref().calls, calls);
            BOB.open(CTX, &writer.into_inner().bytes).unwrap_err();
        }
    }
}

/// A task that seals into memory, where nothing ever waits, lets other tasks have their turn.
#[tokio::test]
async fn others_have_their_turn() {
    let part = vec![7; BATCH];
    let mut writer = seal_writer(Vec::new());
    let mut batches = 0;
    poll_fn(|cx| {
        while let Poll::Ready(taken) = Pin::new(&mut writer).poll_write(cx, &part) {
            taken.unwrap();
            batches += 1;
            assert!(batches < 1000, "it never yields");
        }
        Poll::Ready(())
    })
    .await;
}
