//! Do framed sessions keep to a list of messages, blocking or not, whatever calls come in whatever order, wherever a
//! future is dropped, and whatever the connection and the provider do?

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
};

use futures_core::Stream;
use proptest::{collection::vec, option, prelude::*};
use twinseal::{
    Error, Plaintext,
    session::{FramedReceiver, FramedSender, MessageTag, ReplyNonce, SessionReceiver},
    tokio,
};

use super::{
    any_calls::UNLUCKY_BOB,
    fixture::{BOB, CTX},
};
use crate::common::{
    any_calls::{Planned, ScriptedReader, ScriptedWriter, Step, cases, damage, steps},
    polling::{run, run_for},
    waiting::Waiting,
};

const DEFAULT_BOUND: usize = 1 << 20;

/// How often a future is polled before it is dropped. A blocking call is never dropped.
type Polls = usize;

#[derive(Clone, Debug)]
enum SenderCall {
    Send { length: usize, aad: &'static [u8], is_last: bool, in_place: bool, polls: Polls },
    Flush(Polls),
}

fn sender_calls() -> impl Strategy<Value = Vec<SenderCall>> {
    let length = prop_oneof![
        20 => 0..13_usize,
        20 => 15..60_usize,
        1 => 13..15_usize, // at which the unlucky provider fails and panics
        3 => 1000..100_000_usize,
    ];
    let is_last = prop::bool::weighted(0.06);
    let send = (length, aad(), is_last, any::<bool>(), 0..6_usize).prop_map(
        |(length, aad, is_last, in_place, polls)| SenderCall::Send {
            length,
            aad,
            is_last,
            in_place,
            polls,
        },
    );
    let call = prop_oneof![8 => send, 1 => (0..6_usize).prop_map(SenderCall::Flush)];
    vec(call, 0..30)
}

fn aad() -> impl Strategy<Value = &'static [u8]> {
    prop_oneof![Just(&b""[..]), Just(&b"layer"[..])]
}

/// The longest message, if it is not the default.
fn bounds() -> impl Strategy<Value = Option<usize>> {
    option::weighted(0.2, 0..70_usize)
}

enum Sender {
    Blocking(FramedSender<ScriptedWriter>),
    Asynchronous(tokio::FramedSender<Waiting<ScriptedWriter>>),
}

impl Sender {
    fn with_bound(self, bound: Option<usize>) -> Self {
        let bound = bound.unwrap_or(DEFAULT_BOUND);
        match self {
            Self::Blocking(tx) => Self::Blocking(tx.with_bound(bound)),
            Self::Asynchronous(tx) => Self::Asynchronous(tx.with_bound(bound)),
        }
    }

    /// Nothing if the future was dropped.
    fn call(&mut self, call: &SenderCall, message: &mut [u8]) -> Option<io::Result<()>> {
        match (self, call) {
            (Self::Blocking(tx), SenderCall::Flush(_)) => Some(tx.flush()),
            (Self::Blocking(tx), SenderCall::Send { aad, is_last, in_place, .. }) => {
                Some(match (in_place, is_last) {
                    (true, false) => tx.send_in_place(aad, message),
                    (true, true) => tx.finish_in_place(aad, message),
                    (false, false) if aad.is_empty() => tx.send(message),
                    (false, true) if aad.is_empty() => tx.finish(message),
                    (false, false) => tx.send_with_aad(aad, message),
                    (false, true) => tx.finish_with_aad(aad, message),
                })
            }
            (Self::Asynchronous(tx), SenderCall::Flush(polls)) => run_for(*polls, tx.flush()),
            (Self::Asynchronous(tx), SenderCall::Send { aad, is_last, polls, .. }) => {
                match (is_last, aad.is_empty()) {
                    (false, true) => run_for(*polls, tx.send(message)),
                    (true, true) => run_for(*polls, tx.finish(message)),
                    (false, false) => run_for(*polls, tx.send_with_aad(aad, message)),
                    (true, false) => run_for(*polls, tx.finish_with_aad(aad, message)),
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Blocking(tx) => tx.flush(),
            Self::Asynchronous(tx) => run(tx.flush()),
        }
    }

    fn is_blocking(&self) -> bool {
        matches!(self, Self::Blocking(_))
    }
}

struct Message {
    plaintext: Vec<u8>,
    aad: &'static [u8],
    is_last: bool,
    /// Where its frame ends.
    end: usize,
}

/// Who sends, and all that it may have to send.
struct Sending {
    tx: Sender,
    writer: ScriptedWriter,
    bound: usize,
    /// Where the hello or the nonce ends.
    first: usize,
    messages: Vec<Message>,
    /// Whether no message may follow.
    has_ended: bool,
    /// Whether nothing may be written any more.
    is_lost: bool,
}

impl Sending {
    fn queued(&self) -> usize {
        self.messages.last().map_or(self.first, |message| message.end)
    }

    fn call(&mut self, call: &SenderCall) {
        let SenderCall::Send { length, aad, is_last, in_place, polls } = *call else {
            return self.flush(call);
        };
        let plaintext = vec![self.messages.len() as u8 + 1; length];
        let mut message = plaintext.clone();
        let raised = self.writer.state().raised.len();
        let taken = self.writer.state().taken.len();
        let tx = AssertUnwindSafe(|| self.tx.call(call, &mut message));
        let outcome = catch_unwind(tx);

        // What is refused before it is sealed.
        let refusal = if self.is_lost {
            Some(None)
        } else if length > self.bound {
            Some(Some(Error::Misuse { what: "message", reason: "it is longer than the bound" }))
        } else if self.has_ended {
            Some(Some(Error::Finished))
        } else {
            None
        };
        let never_polled = polls == 0 && !self.tx.is_blocking();
        if never_polled || refusal.is_some() {
            assert_eq!(self.writer.state().taken.len(), taken);
            assert_eq!(message, plaintext, "not sent, and changed");
        }
        match (outcome, refusal) {
            (Ok(None), _) if never_polled => {}
            (Ok(Some(Err(error))), Some(refusal)) => {
                assert_eq!(Error::inside(&error), refusal.as_ref());
                assert!(refusal.is_some() || error.to_string().contains("failed before"));
            }
            (_, Some(refusal)) => panic!("{refusal:?} was expected"),
            (Ok(Some(Err(error))), None) if of_provider(&error) => {
                assert_eq!(length, 13);
                self.has_ended = true;
            }
            (Err(panic), None) if !panic.is::<Planned>() => {
                assert_eq!(length, 14);
                self.has_ended = true;
                // Plaintext may be in the queue.
                self.is_lost = !(in_place && self.tx.is_blocking());
            }
            (outcome, None) => {
                let end = self.queued() + 4 + MessageTag::LEN + length;
                self.messages.push(Message { plaintext, aad, is_last, end });
                self.has_ended = is_last;
                self.written(outcome.is_err(), outcome.unwrap_or(None), raised);
            }
        }
    }

    fn flush(&mut self, call: &SenderCall) {
        let raised = self.writer.state().raised.len();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.tx.call(call, &mut [])));
        match outcome {
            Ok(Some(Err(error))) if self.is_lost => {
                assert!(error.to_string().contains("failed before"), "{error}");
            }
            outcome => self.written(outcome.is_err(), outcome.unwrap_or(None), raised),
        }
    }

    /// After a call that writes.
    fn written(&mut self, panicked: bool, outcome: Option<io::Result<()>>, raised: usize) {
        let queued = self.queued();
        let state = self.writer.state();
        assert!(state.taken.len() <= queued, "more than there is");
        match outcome {
            Some(Ok(())) => {
                assert!(!self.is_lost);
                assert!(state.taken.len() == queued && state.is_flushed, "{queued}");
            }
            Some(Err(error)) if error.kind() == ErrorKind::Interrupted => {
                assert!(!self.tx.is_blocking());
            }
            Some(Err(error)) => {
                assert_eq!(state.raised.len(), raised + 1);
                assert_eq!(Some(&error.kind()), state.raised.last());
            }
            None => assert!(panicked || !self.tx.is_blocking()),
        }
        self.is_lost |= state.is_lost;
    }

    /// Everything that was accepted is written, unless the writer is lost.
    fn end(mut self) -> (Vec<u8>, usize, Vec<Message>) {
        for _ in 0..100 {
            match catch_unwind(AssertUnwindSafe(|| self.tx.flush())) {
                Ok(Ok(())) => break,
                _ if self.writer.state().is_lost || self.is_lost => break,
                _ => {}
            }
        }
        let is_lost = self.writer.state().is_lost || self.is_lost;
        let taken = self.writer.state().taken.clone();
        assert!(is_lost || taken.len() == self.queued(), "lost");
        (taken, self.first, self.messages)
    }
}

fn of_provider(error: &io::Error) -> bool {
    matches!(Error::inside(error), Some(Error::Unsupported(_)))
}

#[derive(Clone, Debug)]
enum ReceiverCall {
    /// With other associated data than the next message's, or as an iterator.
    Receive {
        other_aad: bool,
        iterate: bool,
        polls: Polls,
    },
    ExpectEnd(Polls),
}

fn receiver_calls() -> impl Strategy<Value = Vec<ReceiverCall>> {
    let receive = (prop::bool::weighted(0.02), any::<bool>(), 0..6_usize).prop_map(
        |(other_aad, iterate, polls)| ReceiverCall::Receive { other_aad, iterate, polls },
    );
    let call = prop_oneof![12 => receive, 1 => (0..6_usize).prop_map(ReceiverCall::ExpectEnd)];
    vec(call, 0..60)
}

enum Receiver<'a> {
    Blocking(FramedReceiver<ScriptedReader<'a>>),
    Asynchronous(tokio::FramedReceiver<Waiting<ScriptedReader<'a>>>),
}

impl<'a> Receiver<'a> {
    fn reader(&self) -> &ScriptedReader<'a> {
        match self {
            Self::Blocking(rx) => rx.get_ref(),
            Self::Asynchronous(rx) => &rx.get_ref().inner,
        }
    }

    fn is_blocking(&self) -> bool {
        matches!(self, Self::Blocking(_))
    }

    fn is_finished(&self) -> bool {
        match self {
            Self::Blocking(rx) => rx.is_finished(),
            Self::Asynchronous(rx) => rx.is_finished(),
        }
    }

    fn receive(
        &mut self,
        aad: &[u8],
        iterate: bool,
        polls: Polls,
    ) -> Option<io::Result<Option<Plaintext>>> {
        let iterate = iterate && aad.is_empty();
        match self {
            Self::Blocking(rx) if iterate => Some(rx.next().transpose()),
            Self::Blocking(rx) if aad.is_empty() => Some(rx.receive()),
            Self::Blocking(rx) => Some(rx.receive_with_aad(aad)),
            Self::Asynchronous(rx) if iterate => {
                run_for(polls, poll_fn(|cx| Pin::new(&mut *rx).poll_next(cx)))
                    .map(Option::transpose)
            }
            Self::Asynchronous(rx) => run_for(polls, rx.receive_with_aad(aad)),
        }
    }

    fn expect_end(&mut self, polls: Polls) -> Option<io::Result<()>> {
        match self {
            Self::Blocking(rx) => Some(rx.expect_end()),
            Self::Asynchronous(rx) => run_for(polls, rx.expect_end()),
        }
    }
}

/// Who receives, and all that was sent.
struct Receiving<'a> {
    rx: Receiver<'a>,
    bound: usize,
    sent: &'a [u8],
    messages: &'a [Message],
    next: usize,
    /// What it repeats.
    failed: Option<(ErrorKind, Error)>,
}

impl Receiving<'_> {
    fn has_ended(&self) -> bool {
        self.next.checked_sub(1).is_some_and(|last| self.messages[last].is_last)
    }

    /// The next message, if all of its frame arrives unchanged.
    fn arrives(&self) -> Option<&Message> {
        let arrives = self.rx.reader().all();
        self.messages.get(self.next).filter(|message| {
            self.sent.get(..message.end).is_some_and(|sent| arrives.starts_with(sent))
        })
    }

    fn call(&mut self, call: &ReceiverCall) {
        match *call {
            ReceiverCall::ExpectEnd(polls) => self.expect_end(polls),
            ReceiverCall::Receive { other_aad, iterate, polls } => {
                let aad = self.messages.get(self.next).map_or(&b""[..], |message| message.aad);
                self.receive(if other_aad { b"another layer" } else { aad }, iterate, polls);
            }
        }
        assert_eq!(self.rx.is_finished(), self.has_ended());
    }

    fn receive(&mut self, aad: &[u8], iterate: bool, polls: Polls) {
        let (raised, calls) = (self.rx.reader().raised.len(), self.rx.reader().calls);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.rx.receive(aad, iterate, polls)));
        if self.failed.is_some() || self.has_ended() {
            assert_eq!(self.rx.reader().calls, calls, "it reads beyond the end");
        }
        match outcome {
            Ok(Some(Ok(None))) => assert!(self.failed.is_none() && self.has_ended()),
            Ok(Some(Ok(Some(plaintext)))) => {
                assert!(self.failed.is_none() && !self.has_ended());
                let message = self.arrives().expect("it was changed or cut off");
                assert_eq!((&plaintext[..], aad), (&message.plaintext[..], message.aad));
                assert!(plaintext.len() <= self.bound);
                assert_eq!(self.rx.reader().given().len(), message.end, "it read on");
                self.next += 1;
            }
            Ok(Some(Err(error))) => {
                let may_open =
                    |message: &Message| message.aad == aad && message.plaintext.len() <= self.bound;
                let is_right = self.arrives().is_some_and(may_open);
                self.fails(&error, raised, is_right);
            }
            // Of the reader, whose next call may work.
            Err(panic) => assert!(panic.is::<Planned>()),
            Ok(None) => assert!(!self.rx.is_blocking()),
        }
    }

    fn fails(&mut self, error: &io::Error, raised: usize, is_right: bool) {
        let inside = Error::inside(error);
        if let Some((kind, failed)) = &self.failed {
            assert_eq!((error.kind(), inside), (*kind, Some(failed)), "another error");
            return;
        }
        let Some(inside) = inside else {
            let is_interrupted = error.kind() == ErrorKind::Interrupted;
            let all = &self.rx.reader().raised;
            assert!(is_interrupted || all.len() == raised + 1 && all.last() == Some(&error.kind()));
            return;
        };
        assert!(!is_right, "{inside}");
        let reader = self.rx.reader();
        match error.kind() {
            ErrorKind::UnexpectedEof => assert_eq!(reader.given(), reader.all()),
            kind => assert_eq!(kind, ErrorKind::InvalidData),
        }
        self.failed = Some((error.kind(), inside.clone()));
    }

    fn expect_end(&mut self, polls: Polls) {
        let raised = self.rx.reader().raised.len();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.rx.expect_end(polls)));
        let end = self.next.checked_sub(1).map_or(0, |last| self.messages[last].end);
        match outcome {
            Ok(Some(Ok(()))) => {
                assert!(self.failed.is_none() && self.has_ended());
                assert_eq!(self.rx.reader().all().len(), end, "bytes follow");
            }
            Ok(Some(Err(error))) if self.failed.is_none() && !self.has_ended() => {
                assert!(matches!(Error::inside(&error), Some(Error::Misuse { .. })), "{error}");
            }
            Ok(Some(Err(error))) => {
                let nothing_follows = self.rx.reader().all().len() == end;
                self.fails(&error, raised, nothing_follows);
            }
            Err(panic) => assert!(panic.is::<Planned>() && self.has_ended()),
            Ok(None) => assert!(!self.rx.is_blocking()),
        }
    }

    /// What was not received so far comes now, up to the last message or the first that was lost or changed.
    fn receive_the_rest(&mut self) {
        for _ in 0..200 {
            if self.failed.is_some() || self.has_ended() {
                return;
            }
            let aad = self.messages.get(self.next).map_or(&b""[..], |message| message.aad);
            self.receive(aad, false, usize::MAX);
        }
        panic!("it neither ends nor fails");
    }
}

/// A session or a reply with Bob. Returns its sending end, whose first frame is written, and the receiving end.
fn connect(
    is_reply: bool,
    unlucky: bool,
    writer: &ScriptedWriter,
    asynchronous: Option<u64>,
) -> (Sender, usize, SessionReceiver) {
    let bob = if unlucky { &*UNLUCKY_BOB } else { &*BOB };
    let (hello, mut session) = bob.encapsulation_key().sender(CTX).unwrap();
    let rx = bob.receiver(CTX, &hello).unwrap();
    let writer = writer.clone();
    if !is_reply {
        let first = 4 + hello.len();
        let tx = match asynchronous {
            None => Sender::Blocking(FramedSender::start(writer, (hello, session)).unwrap()),
            Some(seed) => {
                let writer = Waiting::new(writer, seed);
                let tx = run(tokio::FramedSender::start(writer, (hello, session))).unwrap();
                Sender::Asynchronous(tx)
            }
        };
        return (tx, first, rx);
    }
    let state = writer.clone();
    let tx = match asynchronous {
        None => Sender::Blocking(FramedReceiver::new(io::empty(), rx).reply(writer).unwrap()),
        Some(seed) => {
            let writer = Waiting::new(writer, seed);
            let rx = tokio::FramedReceiver::new(&b""[..], rx);
            Sender::Asynchronous(run(rx.reply(writer)).unwrap())
        }
    };
    let nonce = state.state().taken.clone();
    let nonce = ReplyNonce::from_bytes(nonce[4..].try_into().unwrap());
    (tx, 4 + 32, session.accept_reply(nonce).unwrap())
}

/// The seed of what waits, if anything does.
fn asynchronous() -> impl Strategy<Value = Option<u64>> {
    option::of(any::<u64>())
}

proptest! {
    #![proptest_config(cases(300))]

    /// Each message that was accepted is written once and in order, after errors and dropped futures, too; and a
    /// receiver returns them up to the first that was changed, and its end only behind the last.
    #[test]
    fn framed_sessions(
        [is_reply, unlucky] in any::<[bool; 2]>(),
        sends in asynchronous(),
        writer in steps(),
        bound in bounds(),
        sender_calls in sender_calls(),
        damage in damage(),
        receives in asynchronous(),
        reader in steps(),
        accepted in bounds(),
        receiver_calls in receiver_calls(),
    ) {
        // The first frame and its flush.
        let works = [Step::AtMost(usize::MAX); 2];
        let writer = ScriptedWriter::new([&works[..], &writer].concat());
        let (tx, first, rx) = connect(is_reply, unlucky, &writer, sends);
        let mut sending = Sending {
            tx: tx.with_bound(bound),
            writer,
            bound: bound.unwrap_or(DEFAULT_BOUND),
            first,
            messages: Vec::new(),
            has_ended: false,
            is_lost: false,
        };
        sender_calls.iter().for_each(|call| sending.call(call));
        let (sent, first, mut messages) = sending.end();
        let sent = &sent[first..];
        for message in &mut messages {
            message.end -= first;
        };

        let frame = messages.first().map_or(1, |message| message.end);
        let damaged = damage.apply(sent, 0, frame);
        let reader = ScriptedReader::new(&damaged, reader);
        let bound = accepted.unwrap_or(DEFAULT_BOUND);
        let rx = match receives {
            None => Receiver::Blocking(FramedReceiver::new(reader, rx).with_bound(bound)),
            Some(seed) => {
                let reader = Waiting::new(reader, seed);
                Receiver::Asynchronous(tokio::FramedReceiver::new(reader, rx).with_bound(bound))
            }
        };
        let messages = &messages;
        let mut receiving = Receiving { rx, bound, sent, messages, next: 0, failed: None };
        receiver_calls.iter().for_each(|call| receiving.call(call));
        receiving.receive_the_rest();
    }
}
