//! Do framed sessions arrive whole over any connection, and does whatever else arrives end them?

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use twinseal::{
    Error, Plaintext, hazmat,
    session::{FramedReceiver, FramedSender, Hello, MessageTag, SessionReceiver, SessionSender},
};

use super::fixture::{ALICE, BOB, BOB_P384, CTX, UNSIGNED_LENGTH};
use crate::common::{
    faulty_io::{Fault, FaultyReader, FaultyWriter, Plan},
    unlucky::UNLUCKY,
};

const MESSAGES: [&[u8]; 3] = [b"layer 1", b"", b"the last layer"];

fn accept(hello: &[u8]) -> Result<SessionReceiver, Error> {
    BOB.receiver(CTX, hello)
}

/// The same session each time.
fn start() -> (Vec<u8>, SessionSender) {
    hazmat::sender(BOB.encapsulation_key(), None, CTX, &[7; 64]).unwrap()
}

fn send_all<W: Write>(mut sender: FramedSender<W>) -> io::Result<W> {
    let (last, others) = MESSAGES.split_last().unwrap();
    others.iter().try_for_each(|message| sender.send(message))?;
    sender.finish(last)?;
    Ok(sender.into_inner())
}

/// The bytes of a session that carries [`MESSAGES`].
fn bytes() -> Vec<u8> {
    send_all(FramedSender::start(Vec::new(), start()).unwrap()).unwrap()
}

/// Where each frame ends.
fn ends() -> Vec<usize> {
    let messages = MESSAGES.iter().map(|message| 4 + MessageTag::LEN + message.len());
    let lengths = [4 + UNSIGNED_LENGTH].into_iter().chain(messages);
    lengths
        .scan(0, |end, length| {
            *end += length;
            Some(*end)
        })
        .collect()
}

/// All messages, or those before the first error.
fn receive_all<R: Read>(receiver: &mut FramedReceiver<R>) -> (Vec<Plaintext>, Option<io::Error>) {
    let mut messages = Vec::new();
    for message in receiver {
        match message {
            Ok(message) => messages.push(message),
            Err(error) => return (messages, Some(error)),
        }
    }
    (messages, None)
}

#[track_caller]
fn assert_same(error: &io::Error, again: &io::Error) {
    assert_eq!(again.kind(), error.kind());
    assert_eq!(Error::inside(again), Error::inside(error));
}

/// The error of a receiver that has failed, which it repeats.
#[track_caller]
fn failure<R: Read>(receiver: &mut FramedReceiver<R>) -> io::Error {
    let (_, error) = receive_all(receiver);
    let error = error.unwrap();
    assert!(!receiver.is_finished());
    assert_same(&error, &receiver.receive().unwrap_err());
    assert_same(&error, &receiver.next().unwrap().unwrap_err());
    assert_same(&error, &receiver.expect_end().unwrap_err());
    error
}

fn receiver(bytes: &[u8]) -> FramedReceiver<&[u8]> {
    FramedReceiver::accept(bytes, accept).unwrap()
}

#[test]
fn to_the_letter() {
    let (hello, mut tx) = start();
    let mut expected = Vec::new();
    for frame in [
        hello,
        tx.seal(MESSAGES[0]).unwrap(),
        tx.seal(MESSAGES[1]).unwrap(),
        tx.finish(MESSAGES[2]).unwrap(),
    ] {
        expected.extend((frame.len() as u32).to_be_bytes());
        expected.extend(frame);
    }
    assert!(bytes() == expected);
    assert_eq!(ends().last(), Some(&expected.len()));

    let mut in_place = FramedSender::start(Vec::new(), start()).unwrap();
    let mut buffers = MESSAGES.map(<[u8]>::to_vec);
    in_place.send_in_place(b"", &mut buffers[0]).unwrap();
    in_place.send_in_place(b"", &mut buffers[1]).unwrap();
    in_place.finish_in_place(b"", &mut buffers[2]).unwrap();
    assert!(in_place.into_inner() == expected);

    let mut rx = receiver(&expected);
    let nonce_and_more = rx.reply(Vec::new()).unwrap().into_inner();
    assert_eq!((nonce_and_more.len(), &nonce_and_more[..4]), (36, &[0, 0, 0, 32][..]));
    assert!(receive_all(&mut rx).1.is_none());
}

/// Signed, in both suites, with associated data, and with long messages.
#[test]
fn there_and_back() {
    let long = vec![7; 3 << 20];
    for bob in [&*BOB, &*BOB_P384] {
        let session = bob.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
        let mut tx = FramedSender::start(Vec::new(), session).unwrap().with_bound(long.len());
        tx.send_with_aad(b"layer 1", b"hello").unwrap();
        tx.send_in_place(b"layer 2", &mut long.clone()).unwrap();
        tx.send(&long).unwrap();
        tx.finish_with_aad(b"layer 3", b"").unwrap();
        assert_eq!(format!("{tx:?}"), "FramedSender(0 bytes queued)");

        let accept = |hello: &[u8]| bob.accepting(ALICE.verifying_key()).receiver(CTX, hello);
        let sent = tx.get_ref().clone();
        let rx = FramedReceiver::accept(&sent[..], accept).unwrap();
        let mut rx = rx.with_bound(long.len());
        assert_eq!(rx.session_id(), tx.session_id());
        assert_eq!(rx.signer(), Some(ALICE.verifying_key().key_id()));
        assert_eq!(&rx.receive_with_aad(b"layer 1").unwrap().unwrap()[..], b"hello");
        assert!(rx.receive_with_aad(b"layer 2").unwrap().unwrap()[..] == long);
        // A reply may begin at any time.
        let mut answers = rx.reply(Vec::new()).unwrap();
        answers.send(b"so far").unwrap();
        assert!(rx.receive().unwrap().unwrap()[..] == long);
        assert!(!rx.is_finished());
        assert_eq!(&rx.receive_with_aad(b"layer 3").unwrap().unwrap()[..], b"");
        assert!(rx.is_finished());
        assert!(rx.receive().unwrap().is_none());
        answers.finish(b"all").unwrap();
        assert!(answers.accept_reply(&[][..]).is_err());

        let answers = answers.into_inner();
        let mut reply = tx.accept_reply(&answers[..]).unwrap();
        assert_eq!(reply.session_id(), tx.session_id());
        assert_eq!(&reply.receive().unwrap().unwrap()[..], b"so far");
        assert_eq!(&reply.receive().unwrap().unwrap()[..], b"all");
        assert!(reply.receive().unwrap().is_none());
        reply.expect_end().unwrap();
    }
}

/// One connection carries both directions, and one session after the other.
#[test]
fn over_tcp() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let patience = Some(Duration::from_secs(60));
    let receiving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(patience).unwrap();
        for _ in 0..2 {
            let mut rx = FramedReceiver::accept(&stream, accept).unwrap();
            let mut answers = rx.reply(&stream).unwrap();
            while let Some(message) = rx.receive().unwrap() {
                answers.send(&message).unwrap();
            }
            answers.finish(b"").unwrap();
        }
        let mut nothing = FramedReceiver::accept(&stream, accept).unwrap();
        assert_eq!(nothing.receive().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    });
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(patience).unwrap();
    for _ in 0..2 {
        let session = BOB.encapsulation_key().sender(CTX).unwrap();
        let mut tx = FramedSender::start(&stream, session).unwrap();
        let mut answers = tx.accept_reply(&stream).unwrap();
        for round in 0..100_u8 {
            let message = vec![round; 100 * usize::from(round)];
            tx.send(&message).unwrap();
            assert_eq!(answers.receive().unwrap().unwrap()[..], message);
        }
        tx.finish(b"last").unwrap();
        assert_eq!(answers.by_ref().map(Result::unwrap).count(), 2);
    }
    drop(FramedSender::start(&stream, start()).unwrap());
    drop(stream);
    receiving.join().unwrap();
}

#[test]
fn cut_at_every_byte() {
    let (bytes, ends) = (bytes(), ends());
    for cut in (0..bytes.len()).filter(|cut| cut % 50 == 0 || *cut < 9 || *cut > ends[0] - 3) {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let Some(messages) = whole.checked_sub(1) else {
            let error = FramedReceiver::accept(&bytes[..cut], accept).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
            assert!(matches!(Error::inside(&error), Some(Error::Truncated { .. })), "{cut}");
            continue;
        };
        let mut rx = receiver(&bytes[..cut]);
        let (found, error) = receive_all(&mut rx);
        let found: Vec<_> = found.iter().map(|message| &message[..]).collect();
        assert_eq!(found, MESSAGES[..messages], "{cut}");
        assert_same(&error.unwrap(), &failure(&mut rx));
        let error = failure(&mut rx);
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
        let is_between = ends.contains(&cut);
        let text = if is_between { "the connection ended" } else { "frame ends after" };
        assert!(error.to_string().contains(text), "{cut}: {error}");
    }
}

#[test]
fn one_bit_ends_it() {
    let (bytes, ends) = (bytes(), ends());
    for bit in 8 * ends[0]..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let mut rx = receiver(&changed);
        let error = failure(&mut rx);
        assert!(Error::inside(&error).is_some(), "{bit}: {error}");
    }
}

#[test]
fn frames_dropped_doubled_and_swapped() {
    let (bytes, ends) = (bytes(), ends());
    let frames: Vec<_> = ends.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
    let other = bytes_of_another_session();
    let [first, second, last] = frames[..] else { panic!() };
    let foreign = &other[ends[0]..ends[1]];
    for order in [
        &[second, last][..],
        &[first, last],
        &[last],
        &[first, first, second, last],
        &[second, first, last],
        &[first, foreign, second, last],
        &[foreign],
    ] {
        let changed = [&bytes[..ends[0]], &order.concat()].concat();
        assert_eq!(Error::inside(&failure(&mut receiver(&changed))), Some(&Error::Open));
    }
}

fn bytes_of_another_session() -> Vec<u8> {
    let session = BOB.encapsulation_key().sender(CTX).unwrap();
    send_all(FramedSender::start(Vec::new(), session).unwrap()).unwrap()
}

/// After the last message nothing is read, unless the end is asked for.
#[test]
fn bytes_after_the_last_message() {
    let mut bytes = bytes();
    let mut rx = receiver(&bytes);
    let error = rx.expect_end().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(receive_all(&mut rx).1.is_none());
    rx.expect_end().unwrap();

    bytes.push(0);
    let mut rx = receiver(&bytes);
    assert_eq!(receive_all(&mut rx).0.len(), MESSAGES.len());
    assert!(rx.receive().unwrap().is_none());
    assert_eq!(rx.get_ref().len(), 1);
    let error = rx.expect_end().unwrap_err();
    assert!(error.to_string().contains("bytes follow its last message"), "{error}");
    assert_same(&error, &rx.receive().unwrap_err());

    let mut tx = FramedSender::start(Vec::new(), start()).unwrap();
    tx.finish(b"").unwrap();
    let length = tx.get_ref().len();
    for error in [tx.send(b"more"), tx.finish(b""), tx.send_in_place(b"", &mut [1; 9])] {
        assert_eq!(Error::inside(&error.unwrap_err()), Some(&Error::Finished));
    }
    assert_eq!(tx.into_inner().len(), length);
}

#[test]
fn lengths_that_are_refused() {
    let hello = &bytes()[..ends()[0]];
    let message = 17 + (1 << 20);
    for (length, reason) in [
        (0_u32, "message ends after 0 bytes but needs at least 17"),
        (16, "message ends after 16 bytes but needs at least 17"),
        (message + 1, "its message is longer than the bound"),
        (u32::MAX, "its message is longer than the bound"),
    ] {
        // Before a byte of the message is there.
        let frame = [hello, &length.to_be_bytes()].concat();
        let mut rx = receiver(&frame);
        assert!(failure(&mut rx).to_string().contains(reason));
    }
    let longest = [hello, &message.to_be_bytes()].concat();
    assert_eq!(failure(&mut receiver(&longest)).kind(), io::ErrorKind::UnexpectedEof);

    for length in [Hello::MAX_LEN as u32 + 1, u32::MAX] {
        let error = FramedReceiver::accept(&length.to_be_bytes()[..], accept).unwrap_err();
        assert!(error.to_string().contains("longer than any hello"), "{error}");
    }
    for length in [0_u32, 31, 33, u32::MAX] {
        let mut tx = FramedSender::start(Vec::new(), start()).unwrap();
        let frame = [&length.to_be_bytes()[..], &[0; 40]].concat();
        let error = tx.accept_reply(&frame[..]).unwrap_err();
        let actual = length as usize;
        let expected = Error::Length { what: "reply nonce", expected: 32, actual };
        assert_eq!(Error::inside(&error), Some(&expected));
    }
}

#[test]
fn bounds_that_are_set() {
    for bound in [0, 1, 100, 2 << 20] {
        let tx = FramedSender::start(Vec::new(), start()).unwrap();
        let mut tx = tx.with_bound(bound);
        tx.send(&vec![1; bound]).unwrap();
        let length = tx.get_ref().len();
        let mut longer = vec![1; bound + 1];
        for refused in [tx.send(&longer), tx.finish_in_place(b"", &mut longer)] {
            assert!(matches!(Error::inside(&refused.unwrap_err()), Some(Error::Misuse { .. })));
        }
        assert_eq!((tx.get_ref().len(), longer), (length, vec![1; bound + 1]));
        tx.finish(&vec![2; bound]).unwrap();
        let sent = tx.into_inner();

        let mut rx = receiver(&sent).with_bound(bound);
        let lengths: Vec<_> = receive_all(&mut rx).0.iter().map(|message| message.len()).collect();
        assert_eq!(lengths, [bound, bound]);
        if let Some(less) = bound.checked_sub(1) {
            let error = failure(&mut receiver(&sent).with_bound(less));
            assert!(matches!(Error::inside(&error), Some(Error::Invalid { what: "frame", .. })));
        }
    }
    // No message is longer than 2^30 bytes, whatever the bound.
    let hello = &bytes()[..ends()[0]];
    let frame = [hello, &(17 + (1 << 30) + 1_u32).to_be_bytes()].concat();
    let error = failure(&mut receiver(&frame).with_bound(usize::MAX));
    assert!(error.to_string().contains("longer than the bound"), "{error}");
}

#[test]
fn what_accepting_refuses() {
    let hello = &bytes()[..ends()[0]];
    let other = |hello: &[u8]| BOB_P384.receiver(CTX, hello);
    let error = FramedReceiver::accept(hello, other).unwrap_err();
    assert_eq!(Error::inside(&error), Some(&Error::NotARecipient));
    let own = |_: &[u8]| Err::<SessionReceiver, _>(io::Error::from(io::ErrorKind::QuotaExceeded));
    let error = FramedReceiver::accept(hello, own).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);

    drop(FramedSender::start(Vec::new(), (vec![0; Hello::MAX_LEN], start().1)).unwrap());
    let sender = start().1;
    let error = FramedSender::start(Vec::new(), (vec![0; Hello::MAX_LEN + 1], sender)).unwrap_err();
    assert!(matches!(Error::inside(&error), Some(Error::Misuse { what: "hello", .. })));
}

/// Readers that give one byte at a time, and fail at any call.
#[test]
fn a_reader_that_fails_loses_nothing() {
    let bytes = bytes();
    let begin = ends()[0];
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut, io::ErrorKind::Interrupted] {
        for at_most in [1, 5, 1000] {
            for call in 0..bytes.len() - begin + 5 {
                let plan = Plan { call, fault: Fault::Error(kind), at_most };
                let mut rx = FramedReceiver::new(
                    FaultyReader::new(&bytes[begin..], plan),
                    accept(&start().0).unwrap(),
                );
                let mut messages = Vec::new();
                let mut errors = 0;
                loop {
                    match rx.receive() {
                        Ok(Some(message)) => messages.push(message.to_vec()),
                        Ok(None) => break,
                        Err(error) => {
                            assert_eq!(error.kind(), kind);
                            errors += 1;
                        }
                    }
                }
                assert_eq!(messages, MESSAGES);
                assert_eq!(errors, usize::from(rx.get_ref().failed()), "{call}");
                if at_most > 100 && call > 10 {
                    break;
                }
            }
        }
    }
    let plan = Plan { call: 3, fault: Fault::Lie, at_most: 5 };
    let reader = FaultyReader::new(&bytes[begin..], plan);
    let mut rx = FramedReceiver::new(reader, accept(&start().0).unwrap());
    assert!(receive_all(&mut rx).1.unwrap().to_string().contains("claims more bytes"));
}

/// Sends the session, and flushes after each error until all of it is written.
fn persist(writer: &FaultyWriter, in_place: bool) -> Result<(), io::Error> {
    let (hello, sender) = start();
    let mut errors = 0;
    let mut tx = match FramedSender::start(writer.clone(), (hello, sender)) {
        Err(_) => return Ok(()), // the connection has failed, and the session with it
        Ok(tx) => tx,
    };
    let (last, others) = MESSAGES.split_last().unwrap();
    for message in others.iter().copied().chain([*last]) {
        let mut buffer = message.to_vec();
        let sent = match (in_place, std::ptr::eq(message, *last)) {
            (false, false) => tx.send(message),
            (true, false) => tx.send_in_place(b"", &mut buffer),
            (false, true) => tx.finish(message),
            (true, true) => tx.finish_in_place(b"", &mut buffer),
        };
        if sent.is_err() {
            errors += 1;
            assert_eq!(errors, 1);
            if !writer.taken().is_multiple_of(2) {
                tx.flush()?; // else with the next message
            }
        }
    }
    tx.flush().or_else(|_| tx.flush())
}

#[test]
fn a_writer_that_fails_loses_nothing() {
    let expected: Arc<[u8]> = bytes().into();
    for in_place in [false, true] {
        for at_most in [1, 7, 10_000] {
            for fault in [
                Fault::Error(io::ErrorKind::WouldBlock),
                Fault::Error(io::ErrorKind::Interrupted),
                Fault::Error(io::ErrorKind::BrokenPipe),
                Fault::Nothing,
            ] {
                let writer = FaultyWriter::new(&expected, Plan::harmless(at_most));
                persist(&writer, in_place).unwrap();
                assert_eq!(writer.taken(), expected.len());
                let calls = writer.calls();
                let first = ends()[0].div_ceil(at_most) + 1;
                for call in first..calls {
                    let writer = FaultyWriter::new(&expected, Plan { call, fault, at_most });
                    persist(&writer, in_place).unwrap();
                    assert_eq!(writer.taken(), expected.len(), "{in_place} {at_most} {call}");
                }
            }
        }
    }
}

/// A message is one call of the writer, and one flush.
#[test]
fn a_message_is_one_call() {
    #[derive(Default)]
    struct Counting {
        written: usize,
        flushed: usize,
        vectored: usize,
    }
    impl Write for Counting {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            self.written += 1;
            Ok(buffer.len())
        }
        fn write_vectored(&mut self, buffers: &[io::IoSlice<'_>]) -> io::Result<usize> {
            self.vectored += 1;
            Ok(buffers.iter().map(|buffer| buffer.len()).sum())
        }
        fn flush(&mut self) -> io::Result<()> {
            self.flushed += 1;
            Ok(())
        }
    }
    let mut tx = FramedSender::start(Counting::default(), start()).unwrap();
    tx.send(&[1; 1 << 20]).unwrap();
    tx.send_in_place(b"", &mut [2; 100]).unwrap();
    tx.finish(b"").unwrap();
    let Counting { written, flushed, vectored } = tx.into_inner();
    assert_eq!((written, flushed, vectored), (3, 4, 1));
}

/// It is unclear how much such a writer has taken.
#[test]
fn a_writer_that_panics_or_lies_is_not_used_again() {
    let lie = Plan { call: 2, fault: Fault::Lie, at_most: 10_000 };
    let writer = FaultyWriter::new(&bytes().into(), lie);
    let mut tx = FramedSender::start(writer, start()).unwrap();
    let error = tx.send(MESSAGES[0]).unwrap_err();
    assert!(error.to_string().contains("claims too many bytes"), "{error}");
    for again in [tx.send(MESSAGES[0]), tx.send_in_place(b"", &mut [1]), tx.flush()] {
        assert!(again.unwrap_err().to_string().contains("failed before"));
    }

    for in_place in [false, true] {
        struct Panicking(bool);
        impl Write for Panicking {
            fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
                assert!(!self.0, "as planned");
                Ok(buffer.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut tx = FramedSender::start(Panicking(false), start()).unwrap();
        tx.get_mut().0 = true;
        let panicked = catch_unwind(AssertUnwindSafe(|| match in_place {
            true => tx.send_in_place(b"", &mut [1]),
            false => tx.send(&[1]),
        }));
        assert!(panicked.is_err());
        tx.get_mut().0 = false;
        assert!(tx.send(b"more").unwrap_err().to_string().contains("failed before"));
    }
}

/// What was not encrypted is never written, even if the provider panics at it.
#[test]
fn a_provider_that_fails() {
    for length in [13, 14] {
        let to_bob = BOB.encapsulation_key().on(&UNLUCKY).unwrap();
        let mut tx = FramedSender::start(Vec::new(), to_bob.sender(CTX).unwrap()).unwrap();
        tx.send(b"layer 1").unwrap();
        let before = tx.get_ref().len();
        let send = AssertUnwindSafe(|| tx.send(&[7; 14][..length]).is_err());
        assert!(catch_unwind(send).unwrap_or(true));
        let flushed = tx.flush();
        assert_eq!(flushed.is_err(), length == 14); // after an error, nothing is queued
        tx.send(b"more").unwrap_err();
        tx.finish(b"").unwrap_err();
        assert_eq!(tx.into_inner().len(), before);
    }
}
