//! Do the pieces of an answer arrive as they were made, and is an answer that is not whole an error?

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_core::Stream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::{sleep, timeout},
};
use twinseal::{
    Error,
    request::{AllowReplays, Asked, Pending, PieceSealer},
    tokio::{PieceReader, PieceWriter, SealedPieces},
};

use super::{
    fixture::{BOB, CTX, again, plaintext, twinseal_error},
    unsteady::{Fault, Unsteady},
};
use crate::common::polling::run;

/// Two ends of one request.
fn ends() -> (Asked, Pending) {
    let (request, pending) = BOB.encapsulation_key().request(CTX, b"a poem").unwrap();
    (BOB.accept(CTX, &request, &AllowReplays).unwrap().1, pending)
}

fn piece_writer(asked: Asked, seed: u64) -> PieceWriter<Unsteady> {
    PieceWriter::new(asked.piece_sealer().unwrap(), Unsteady::new(b"", 5000, seed))
}

/// All pieces, and how it ended. An error about the data repeats itself.
fn read(pending: Pending, answer: &[u8]) -> (Vec<Vec<u8>>, Option<io::Error>) {
    let inner = Unsteady::new(answer, 3000, 7);
    let mut reader = PieceReader::new(pending.piece_opener(), inner);
    let mut pieces = Vec::new();
    loop {
        match run(reader.piece()) {
            Ok(Some(piece)) => pieces.push(piece.to_vec()),
            Ok(None) => {
                assert!(run(reader.piece()).unwrap().is_none());
                return (pieces, None);
            }
            Err(error) => {
                let again = run(reader.piece()).unwrap_err();
                assert_eq!(again.to_string(), error.to_string());
                return (pieces, Some(error));
            }
        }
    }
}

const LENGTHS: [usize; 7] = [5, 0, 1, 100_000, 0, 32, 16384];

#[test]
fn one_by_one() {
    let (asked, pending) = ends();
    let mut writer = piece_writer(asked, 1);
    for length in LENGTHS {
        run(writer.piece(&plaintext(length))).unwrap();
    }
    for _ in 0..3 {
        run(writer.shutdown()).unwrap();
    }
    let error = run(writer.piece(b"x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(run(writer.write(b"x")).unwrap_err().kind(), ErrorKind::InvalidInput);
    let inner = writer.into_inner();
    assert_eq!((inner.flushes, inner.shutdowns), (1, 1));

    let (pieces, error) = read(pending, &inner.bytes);
    assert!(error.is_none());
    let lengths: Vec<_> = pieces.iter().map(Vec::len).collect();
    assert_eq!(lengths, [&LENGTHS[..], &[0]].concat());
    assert!(pieces.iter().all(|piece| *piece == plaintext(piece.len())));
}

#[test]
fn as_a_writer() {
    let (asked, pending) = ends();
    let mut writer = piece_writer(asked, 1).with_bound(1000);
    run(writer.flush()).unwrap(); // makes no piece
    run(writer.write_all(&plaintext(2300))).unwrap();
    run(writer.flush()).unwrap();
    run(writer.flush()).unwrap();
    run(writer.write_all(b"abc")).unwrap();
    run(writer.piece(b"def")).unwrap();
    let error = run(writer.piece(&[7; 1001])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    run(writer.write_all(b"the end")).unwrap();
    let inner = run(writer.finish()).unwrap();
    assert_eq!(inner.shutdowns, 0);

    let pieces = pending.open_pieces(&inner.bytes).unwrap();
    let lengths: Vec<_> = pieces.iter().map(|piece| piece.len()).collect();
    assert_eq!(lengths, [1000, 1000, 300, 3, 3, 7]);
    assert_eq!(&pieces[5][..], b"the end");
}

/// Nothing that was written is in a piece beyond the bound, even if that is lowered afterwards.
#[test]
fn a_bound_that_is_lowered() {
    for (written, next) in [(10, 0), (10, 1), (10, 2), (10, 3), (4, 0), (4, 3)] {
        let (asked, pending) = ends();
        let mut writer = piece_writer(asked, 1);
        run(writer.write_all(&plaintext(written))).unwrap();
        let mut writer = writer.with_bound(4);
        match next {
            0 => run(writer.write_all(b"abc")).unwrap(),
            1 => run(writer.flush()).unwrap(),
            2 => run(writer.piece(b"abc")).unwrap(),
            _ => {}
        }
        let answer = run(writer.finish()).unwrap().bytes;
        let pieces = pending.open_pieces(&answer).unwrap();
        assert!(pieces.iter().all(|piece| piece.len() <= 4));
        let expected = if next % 2 == 0 { &b"abc"[..] } else { b"" };
        let text: Vec<u8> = pieces.iter().flat_map(|piece| piece.to_vec()).collect();
        assert_eq!(text, [&plaintext(written), expected].concat());
    }
}

/// A piece that cannot be written is not taken; one that was taken is not made twice.
#[test]
fn takes_a_piece_and_then_waits() {
    let (asked, pending) = ends();
    let mut inner = Unsteady::new(b"", 5000, 2);
    inner.waits = 1; // it always waits
    let mut writer = PieceWriter::new(asked.piece_sealer().unwrap(), inner);
    let mut context = Context::from_waker(Waker::noop());
    let mut future = Box::pin(writer.piece(b"refused"));
    for _ in 0..5 {
        assert!(future.as_mut().poll(&mut context).is_pending()); // the start has to go first
    }
    drop(future);
    assert!(writer.into_inner().bytes.is_empty());
    drop(pending);

    for seed in 0..20 {
        let (asked, pending) = ends();
        let mut random = Unsteady::new(b"", 0, seed);
        let mut writer = piece_writer(asked, seed);
        for index in 0..50_u8 {
            again!(random, writer.piece(&[index; 200])).unwrap();
            if random.random().is_multiple_of(5) {
                again!(random, writer.flush()).unwrap();
            }
        }
        again!(random, writer.shutdown()).unwrap();
        let inner = Unsteady::new(&writer.into_inner().bytes, 100, seed);
        let mut reader = PieceReader::new(pending.piece_opener(), inner);
        for index in 0..50 {
            assert_eq!(&again!(random, reader.piece()).unwrap().unwrap()[..], [index; 200]);
        }
        assert!(again!(random, reader.piece()).unwrap().unwrap().is_empty());
        assert!(again!(random, reader.piece()).unwrap().is_none());
    }
}

#[test]
fn an_error_loses_nothing() {
    for call in 0..12 {
        for fault in [Fault::Error(ErrorKind::Other), Fault::Nothing] {
            let (asked, pending) = ends();
            let inner = Unsteady::new(b"", 5000, 3).with_fault(call, fault);
            let mut writer = PieceWriter::new(asked.piece_sealer().unwrap(), inner);
            for index in 0..5_u8 {
                while run(writer.piece(&[index; 3000])).is_err() {}
            }
            while run(writer.shutdown()).is_err() {}
            let pieces = pending.open_pieces(&writer.into_inner().bytes).unwrap();
            assert_eq!(pieces.len(), 6);
        }
    }
    for fault in [Fault::Lie, Fault::Panic] {
        let (asked, _) = ends();
        let inner = Unsteady::new(b"", 5000, 3).with_fault(1, fault);
        let mut writer = PieceWriter::new(asked.piece_sealer().unwrap(), inner);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..5 {
                let _ = run(writer.piece(&[7; 3000]));
            }
        }));
        run(writer.piece(b"x")).unwrap_err();
        run(writer.shutdown()).unwrap_err();
    }
}

#[test]
fn every_truncation_and_extension() {
    let (asked, pending) = ends();
    drop(pending);
    let mut inner = piece_writer(asked, 4);
    run(inner.piece(b"roses ")).unwrap();
    run(inner.piece(b"are red")).unwrap();
    let length = run(inner.finish()).unwrap().bytes.len();
    for cut in 0..length {
        let (asked, pending) = ends();
        let mut writer = piece_writer(asked, 4);
        run(writer.piece(b"roses ")).unwrap();
        run(writer.piece(b"are red")).unwrap();
        let answer = run(writer.finish()).unwrap().bytes;
        let (_, error) = read(pending, &answer[..cut]);
        assert_eq!(error.unwrap().kind(), ErrorKind::InvalidData);
    }
    let (asked, pending) = ends();
    let mut writer = piece_writer(asked, 4);
    run(writer.piece(b"roses ")).unwrap();
    let mut answer = run(writer.finish()).unwrap().bytes;
    answer.push(0);
    let (pieces, error) = read(pending, &answer);
    assert_eq!(pieces, [b"roses ".to_vec(), vec![]]);
    assert!(matches!(twinseal_error(&error.unwrap()), Error::Invalid { .. }));
}

/// Each piece is there before the next one is made.
#[tokio::test(start_paused = true)]
async fn while_the_next_one_is_made() -> io::Result<()> {
    let (asked, pending) = ends();
    let (client, server) = duplex(100);
    let answering = async {
        let mut writer = PieceWriter::new(asked.piece_sealer()?, server);
        for word in ["roses ", "are ", "red"] {
            writer.piece(word.as_bytes()).await?;
            writer.flush().await?;
            sleep(Duration::from_secs(10)).await;
        }
        writer.shutdown().await
    };
    let reading = async {
        let mut reader = PieceReader::new(pending.piece_opener(), client);
        for word in ["roses ", "are ", "red"] {
            let piece = timeout(Duration::from_secs(11), reader.piece()).await??;
            assert_eq!(&piece.unwrap()[..], word.as_bytes());
        }
        assert!(reader.piece().await?.unwrap().is_empty());
        assert!(reader.piece().await?.is_none());
        io::Result::Ok(())
    };
    let (answered, read) = tokio::join!(answering, reading);
    answered?;
    read
}

/// A stream of what is in it, which waits before each item. `None` is a panic.
struct Items(VecDeque<Option<Result<&'static str, &'static str>>>, bool);

impl Items {
    fn new(items: impl IntoIterator<Item = Option<Result<&'static str, &'static str>>>) -> Self {
        Self(items.into_iter().collect(), false)
    }
}

impl Stream for Items {
    type Item = Result<&'static str, &'static str>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.1 ^= true;
        if self.1 {
            return Poll::Pending;
        }
        Poll::Ready(self.0.pop_front().map(|item| item.expect("planned")))
    }
}

/// All items of a stream, and the error that ended it.
fn collect(mut stream: SealedPieces<Items>) -> (Vec<u8>, Option<io::Error>) {
    let mut context = Context::from_waker(Waker::noop());
    let mut next = || {
        (0..10).find_map(|_| match Pin::new(&mut stream).poll_next(&mut context) {
            Poll::Ready(item) => Some(item),
            Poll::Pending => None,
        })
    };
    let mut sealed = Vec::new();
    loop {
        match next().expect("it is pending for ever") {
            Some(Ok(part)) => sealed.extend(part),
            Some(Err(error)) => {
                assert!(next().unwrap().is_none());
                return (sealed, Some(error));
            }
            None => return (sealed, None),
        }
    }
}

#[test]
fn as_a_stream() {
    let parts = || -> (Pending, (Vec<u8>, PieceSealer)) {
        let (asked, pending) = ends();
        (pending, asked.piece_sealer().unwrap())
    };
    let (pending, sealer) = parts();
    let words = ["roses ", "are ", "red"];
    let items = Items::new(words.map(|word| Some(Ok(word))));
    let (sealed, error) = collect(SealedPieces::new(sealer, items));
    assert!(error.is_none());
    let pieces = pending.open_pieces(&sealed).unwrap();
    let pieces: Vec<_> = pieces.iter().map(|piece| &piece[..]).collect();
    assert_eq!(pieces, [&b"roses "[..], b"are ", b"red", b""]);

    // Errors of the stream, pieces that are too long, panics, and a body that is dropped: cut off.
    let (pending, sealer) = parts();
    let items = Items::new([Some(Ok("roses ")), Some(Err("no more")), Some(Ok("x"))]);
    let (sealed, error) = collect(SealedPieces::new(sealer, items));
    assert_eq!(error.unwrap().to_string(), "no more");
    assert!(matches!(pending.open_pieces(&sealed), Err(Error::Truncated { .. })));

    let (pending, (start, sealer)) = parts();
    let items = Items::new([Some(Ok("four")), Some(Ok("fives"))]);
    let (sealed, error) = collect(SealedPieces::new((start, sealer.with_bound(4)), items));
    assert_eq!(error.unwrap().kind(), ErrorKind::InvalidInput);
    assert!(matches!(pending.open_pieces(&sealed), Err(Error::Truncated { .. })));

    let (_, sealer) = parts();
    let mut stream = SealedPieces::new(sealer, Items::new([None, Some(Ok("x"))]));
    let mut context = Context::from_waker(Waker::noop());
    let mut poll = || Pin::new(&mut stream).poll_next(&mut context);
    assert!(matches!(poll(), Poll::Ready(Some(Ok(_))))); // the start
    assert!(poll().is_pending());
    catch_unwind(AssertUnwindSafe(&mut poll)).unwrap_err();
    assert!(matches!(poll(), Poll::Ready(None)));
}

/// The reader reads through the bytes of anything that is an `AsyncRead`.
#[tokio::test]
async fn in_two_parts() -> io::Result<()> {
    let (asked, pending) = ends();
    let (start, sealer) = asked.piece_sealer()?;
    let last = sealer.finish(b"all")?;
    let mut reader = PieceReader::new(pending.piece_opener(), (&start[..]).chain(&last[..]));
    assert_eq!(&reader.piece().await?.unwrap()[..], b"all");
    assert!(reader.piece().await?.is_none());
    Ok(())
}
