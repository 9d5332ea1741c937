//! Are asynchronous framed sessions the blocking ones, wherever a peer waits or fails and a call is cancelled?

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, duplex, split},
    time::timeout,
};
use twinseal::{
    Error, session,
    session::{SessionReceiver, SessionSender},
    tokio::{FramedReceiver, FramedSender},
};

use super::fixture::{BOB, CTX};
use crate::common::polling::{run, run_for};

#[track_caller]
fn twinseal_error(error: &io::Error) -> &Error {
    Error::inside(error).unwrap_or_else(|| panic!("{error:?}"))
}

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Error(io::ErrorKind),
    /// A writer takes nothing.
    Nothing,
    /// More bytes are claimed than there were.
    Lie,
}

/// Bytes that are written or read in parts of random lengths; every second call or so has to wait.
struct Unsteady {
    bytes: Vec<u8>,
    position: usize,
    state: u64,
    at_most: usize,
    fault: Option<(usize, Fault)>,
    calls: usize,
}

impl Unsteady {
    fn new(bytes: &[u8], at_most: usize, seed: u64) -> Self {
        let bytes = bytes.to_vec();
        Self { bytes, position: 0, state: seed, at_most, fault: None, calls: 0 }
    }

    fn with_fault(self, call: usize, fault: Fault) -> Self {
        Self { fault: Some((call, fault)), ..self }
    }

    fn random(&mut self) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.state >> 40) as usize
    }

    /// How many bytes this call moves, or the fault that it meets.
    fn call(&mut self, most: usize) -> Poll<io::Result<usize>> {
        if self.random().is_multiple_of(2) {
            return Poll::Pending;
        }
        self.calls += 1;
        match self.fault {
            Some((call, fault)) if call == self.calls - 1 => Poll::Ready(match fault {
                Fault::Error(kind) => Err(kind.into()),
                Fault::Nothing => Ok(0),
                Fault::Lie => Ok(most + 1),
            }),
            _ => {
                let most = most.min(self.at_most);
                Poll::Ready(Ok(if most == 0 { 0 } else { 1 + self.random() % most }))
            }
        }
    }
}

impl AsyncWrite for Unsteady {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let called = self.call(bytes.len());
        if let Poll::Ready(Ok(count)) = called {
            self.bytes.extend_from_slice(&bytes[..count.min(bytes.len())]);
        }
        called
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.call(0).map_ok(drop)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Unsteady {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = self.bytes.len() - self.position;
        let room = buffer.remaining();
        match self.call(rest.min(room)) {
            Poll::Ready(Ok(count)) if count > rest.min(room) => {
                // The only way to lie: another buffer in the place of the one that was given.
                *buffer = ReadBuf::new(vec![0; room + 1].leak());
                buffer.set_filled(room + 1);
            }
            Poll::Ready(Ok(count)) => {
                buffer.put_slice(&self.bytes[self.position..][..count]);
                self.position += count;
            }
            other => return other.map_ok(drop),
        }
        Poll::Ready(Ok(()))
    }
}

fn messages() -> Vec<Vec<u8>> {
    [7, 0, 1, 3000, 40, 70_000, 9].iter().map(|length| vec![*length as u8; *length]).collect()
}

fn start() -> (Vec<u8>, SessionSender) {
    BOB.encapsulation_key().sender(CTX).unwrap()
}

fn accept(hello: &[u8]) -> Result<SessionReceiver, Error> {
    BOB.receiver(CTX, hello)
}

/// The bytes of a session that carries all messages, by the blocking sender.
fn sent() -> Vec<u8> {
    let mut tx = session::FramedSender::start(Vec::new(), start()).unwrap();
    let messages = messages();
    let (last, others) = messages.split_last().unwrap();
    others.iter().for_each(|message| tx.send(message).unwrap());
    tx.finish(last).unwrap();
    tx.into_inner()
}

/// Opens the bytes of a session with the blocking receiver.
fn received(bytes: &[u8]) -> Vec<Vec<u8>> {
    let rx = session::FramedReceiver::accept(bytes, accept).unwrap();
    rx.map(|message| message.unwrap().to_vec()).collect()
}

/// An asynchronous end at each side of a pipe, and a blocking one for what was written.
#[test]
fn both_ways() {
    for capacity in [1, 7, 100_000] {
        let (client, server) = duplex(capacity);
        let sending = async {
            let (reader, writer) = split(client);
            let mut tx = FramedSender::start(writer, start()).await?;
            let messages = messages();
            let (last, others) = messages.split_last().unwrap();
            let mut answers = None;
            for message in others {
                tx.send_with_aad(b"aad", message).await?;
            }
            tx.finish(last).await?;
            let answers = answers.insert(tx.accept_reply(reader).await?);
            assert_eq!(answers.session_id(), tx.session_id());
            assert_eq!(answers.signer(), None);
            let answer = answers.receive().await?.unwrap();
            assert!(answers.is_finished() && answers.receive().await?.is_none());
            answers.expect_end().await?;
            Ok::<_, io::Error>(answer)
        };
        let answering = async {
            let (reader, writer) = split(server);
            let mut rx = FramedReceiver::accept(reader, accept).await?;
            let mut total = 0;
            for message in &messages()[..6] {
                let received = rx.receive_with_aad(b"aad").await?.unwrap();
                assert!(received[..] == message[..]);
                total += received.len();
            }
            assert_eq!(rx.receive().await?.unwrap()[..], messages()[6]);
            assert!(rx.receive().await?.is_none());
            let mut tx = rx.reply(writer).await?;
            tx.finish(&total.to_be_bytes()).await?;
            let mut whole = rx.into_inner().unsplit(tx.into_inner());
            whole.shutdown().await
        };
        let (answer, answered) = run(async { tokio::join!(sending, answering) });
        answered.unwrap();
        let total: usize = messages()[..6].iter().map(Vec::len).sum();
        assert_eq!(answer.unwrap()[..], total.to_be_bytes());
    }
}

/// Every call of the writer may wait, and every future may be dropped: each message is sent once.
#[test]
fn sending_is_cancelled_anywhere() {
    for seed in 0..60 {
        let mut random = Unsteady::new(b"", 0, seed);
        let inner = Unsteady::new(b"", 2000, seed);
        let mut tx = run(FramedSender::start(inner, start())).unwrap();
        let messages = messages();
        for (index, message) in messages.iter().enumerate() {
            let polls = 1 + random.random() % 4;
            let sent = match index + 1 == messages.len() {
                true => run_for(polls, tx.finish(message)),
                false => run_for(polls, tx.send(message)),
            };
            if sent.is_none() && random.random().is_multiple_of(2) {
                while run_for(1 + random.random() % 3, tx.flush()).is_none() {}
                assert_eq!(format!("{tx:?}"), "FramedSender(0 bytes queued)");
            }
            sent.unwrap_or(Ok(())).unwrap();
        }
        run(tx.flush()).unwrap();
        assert!(received(&tx.into_inner().bytes) == messages, "{seed}");
    }
}

/// A future that was never polled has done nothing.
#[test]
fn a_future_that_is_not_polled_sends_nothing() {
    let mut tx = run(FramedSender::start(Vec::new(), start())).unwrap();
    drop(tx.send(b"nothing"));
    run(tx.finish(b"all")).unwrap();
    assert_eq!(received(&tx.into_inner()), [b"all"]);
}

#[test]
fn receiving_is_cancelled_anywhere() {
    let bytes = sent();
    for seed in 0..60 {
        let mut random = Unsteady::new(b"", 0, seed);
        let inner = Unsteady::new(&bytes, 2000, seed);
        let mut rx = run(FramedReceiver::accept(inner, accept)).unwrap();
        let mut found = Vec::new();
        loop {
            let polls = random.random() % 3;
            let received = match random.random() % 2 {
                0 => run_for(polls, rx.receive()),
                _ => run_for(polls, poll_fn(|cx| Pin::new(&mut rx).poll_next(cx)))
                    .map(Option::transpose),
            };
            match received {
                None => {}
                Some(message) => match message.unwrap() {
                    Some(message) => found.push(message.to_vec()),
                    None => break,
                },
            }
        }
        assert!(found == messages());
        assert!(rx.is_finished());
    }
}

/// A slow peer, a byte at a time, against a clock: no byte of a message is lost to the timeouts.
#[tokio::test(start_paused = true)]
async fn timeouts_lose_nothing() {
    let bytes = sent();
    let (mut slow, reader) = duplex(64);
    let writing = tokio::spawn(async move {
        for part in bytes.chunks(100) {
            slow.write_all(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut rx = FramedReceiver::accept(reader, accept).await.unwrap();
    let (mut found, mut timeouts) = (Vec::new(), 0);
    loop {
        match timeout(Duration::from_millis(25), rx.receive()).await {
            Err(_) => timeouts += 1,
            Ok(message) => match message.unwrap() {
                Some(message) => found.push(message.to_vec()),
                None => break,
            },
        }
    }
    assert!(found == messages());
    assert!(timeouts > 100, "{timeouts}");
    rx.expect_end().await.unwrap();
    writing.await.unwrap();
}

#[test]
fn cut_off_and_changed() {
    let bytes = sent();
    let begin = 4 + u32::from_be_bytes(*bytes.first_chunk().unwrap()) as usize;
    for cut in (0..begin).step_by(97) {
        let refused = run(FramedReceiver::accept(&bytes[..cut], accept)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::UnexpectedEof);
    }
    for cut in (begin..bytes.len()).step_by(61) {
        let mut rx = run(FramedReceiver::accept(&bytes[..cut], accept)).unwrap();
        let error = loop {
            match run(rx.receive()) {
                Ok(message) => assert!(message.is_some()),
                Err(error) => break error,
            }
        };
        for _ in 0..3 {
            let again = run(rx.receive()).unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::UnexpectedEof);
            assert_eq!(twinseal_error(&again), twinseal_error(&error));
        }
    }
    for (byte, expected) in [(begin + 4, Error::Open), (begin + 20, Error::Open)] {
        let mut changed = bytes.clone();
        changed[byte] ^= 1;
        let mut rx = run(FramedReceiver::accept(&changed[..], accept)).unwrap();
        assert_eq!(twinseal_error(&run(rx.receive()).unwrap_err()), &expected);
        assert_eq!(twinseal_error(&run(rx.receive()).unwrap_err()), &expected);
        assert_eq!(twinseal_error(&run(rx.expect_end()).unwrap_err()), &expected);
    }
    let mut extended = bytes.clone();
    extended.push(0);
    let mut rx = run(FramedReceiver::accept(&extended[..], accept)).unwrap();
    while run(rx.receive()).unwrap().is_some() {}
    assert!(run(rx.expect_end()).unwrap_err().to_string().contains("bytes follow"));
    run(rx.receive()).unwrap_err();
}

#[test]
fn lengths_over_the_bound() {
    let receiver = || accept(&start().0).unwrap();
    for length in [0_u32, 16, 17 + (1 << 20) + 1, u32::MAX] {
        let bytes = length.to_be_bytes();
        let refused = run(FramedReceiver::new(&bytes[..], receiver()).receive()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{length}");
    }
    let bytes = 6447_u32.to_be_bytes();
    let refused = run(FramedReceiver::accept(&bytes[..], accept)).unwrap_err();
    assert!(refused.to_string().contains("longer than any hello"));
    for length in [31_u32, 33] {
        let bytes = [&length.to_be_bytes()[..], &[0; 40]].concat();
        let mut tx = run(FramedSender::start(Vec::new(), start())).unwrap();
        let refused = run(tx.accept_reply(&bytes[..])).unwrap_err();
        assert!(matches!(twinseal_error(&refused), Error::Length { .. }));
    }
    let tx = run(FramedSender::start(Vec::new(), start())).unwrap();
    let mut tx = tx.with_bound(10);
    let refused = run(tx.send(&[0; 11])).unwrap_err();
    assert!(matches!(twinseal_error(&refused), Error::Misuse { .. }));
    run(tx.finish(&[1; 10])).unwrap();
    assert_eq!(received(tx.get_ref()), [[1; 10]]);
    let rx = run(FramedReceiver::accept(&tx.get_ref()[..], accept)).unwrap();
    let refused = run(rx.with_bound(9).receive()).unwrap_err();
    assert!(refused.to_string().contains("longer than the bound"));
}

/// After an error of the writer the message is written by the next call; after a lie or a panic nothing is.
#[test]
fn writers_that_fail() {
    let messages = messages();
    for call in 2..40 {
        for fault in [Fault::Error(io::ErrorKind::Other), Fault::Nothing, Fault::Lie] {
            let inner = Unsteady::new(b"", 100_000, 7).with_fault(call, fault);
            let Ok(mut tx) = run(FramedSender::start(inner, start())) else { continue };
            let mut failed = 0;
            for (index, message) in messages.iter().enumerate() {
                let sent = match index + 1 == messages.len() {
                    true => run(tx.finish(message)),
                    false => run(tx.send(message)),
                };
                failed += usize::from(sent.is_err());
            }
            if fault == Fault::Lie && failed > 1 {
                let error = run(tx.flush()).unwrap_err();
                assert!(error.to_string().contains("failed before"), "{error}");
                continue;
            }
            assert!(failed <= 1, "{fault:?} {failed}");
            run(tx.flush()).unwrap();
            assert!(received(&tx.into_inner().bytes) == messages);
        }
    }
}

#[test]
fn readers_that_fail() {
    let bytes = sent();
    for call in 0..60 {
        let fault = Fault::Error(io::ErrorKind::ConnectionReset);
        let inner = Unsteady::new(&bytes, 5000, 7).with_fault(call, fault);
        let Ok(mut rx) = run(FramedReceiver::accept(inner, accept)) else { continue };
        let (mut found, mut failed) = (Vec::new(), 0);
        loop {
            match run(rx.receive()) {
                Ok(Some(message)) => found.push(message.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
                    failed += 1;
                }
            }
        }
        assert!(found == messages() && failed <= 1);
    }
    let begin = 4 + u32::from_be_bytes(*bytes.first_chunk().unwrap()) as usize;
    let inner = Unsteady::new(&bytes[begin..], 5000, 7).with_fault(0, Fault::Lie);
    let mut rx = FramedReceiver::new(inner, accept(&bytes[4..begin]).unwrap());
    assert!(run(rx.receive()).unwrap_err().to_string().contains("claims more bytes"));
}
