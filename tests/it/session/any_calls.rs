//! Do senders, receivers and replies keep to lists of messages, whatever is sealed, lost, changed, repeated or handed
//! to another, in whatever order?

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};

use proptest::{collection::vec, prelude::*, sample::Index};
use twinseal::{
    DecapsulationKey, Error,
    session::{MessageTag, ReplyNonce, SessionReceiver, SessionSender},
};

use super::fixture::{ALICE, BOB, CTX};
use crate::common::{
    any_calls::{Damage, cases, damage},
    unlucky::UNLUCKY,
};

/// Bob, with a provider that fails at messages of 13 bytes and panics at those of 14.
pub(super) static UNLUCKY_BOB: LazyLock<DecapsulationKey> = LazyLock::new(|| {
    let seed = BOB.seed().unwrap();
    DecapsulationKey::from_seed(BOB.suite(), seed).unwrap().on(&UNLUCKY).unwrap()
});

#[derive(Clone, Debug)]
enum Call {
    Seal {
        by: Index,
        length: usize,
        is_last: bool,
        has_aad: bool,
        in_place: bool,
    },
    Deliver {
        to: Index,
        /// Another message than the next one, of any sender.
        other: Option<(Index, Index)>,
        damage: Damage,
        other_aad: bool,
        in_place: bool,
    },
    Reply {
        of: Index,
    },
    AcceptReply {
        by: Index,
        nonce_of: Index,
    },
}

fn calls() -> impl Strategy<Value = Call> {
    let index = any::<Index>;
    let seldom = || prop::bool::weighted(0.06);
    let length = prop_oneof![20 => 0..13_usize, 20 => 15..40_usize, 1 => 13..15_usize];
    let seal = (index(), length, seldom(), any::<bool>(), any::<bool>()).prop_map(
        |(by, length, is_last, has_aad, in_place)| Call::Seal {
            by,
            length,
            is_last,
            has_aad,
            in_place,
        },
    );
    let other = proptest::option::weighted(0.2, (index(), index()));
    let damage = prop_oneof![3 => Just(Damage::None), 1 => damage()];
    let deliver = (index(), other, damage, seldom(), any::<bool>()).prop_map(
        |(to, other, damage, other_aad, in_place)| Call::Deliver {
            to,
            other,
            damage,
            other_aad,
            in_place,
        },
    );
    prop_oneof![
        8 => seal,
        12 => deliver,
        1 => index().prop_map(|of| Call::Reply { of }),
        1 => (index(), index()).prop_map(|(by, nonce_of)| Call::AcceptReply { by, nonce_of }),
    ]
}

struct Sent {
    /// Nothing if it was lost while it was sealed.
    sealed: Option<Vec<u8>>,
    aad: &'static [u8],
    plaintext: Vec<u8>,
    is_last: bool,
}

struct Sending {
    tx: SessionSender,
    session: usize,
    /// If it is a reply.
    nonce: Option<ReplyNonce>,
    sent: Vec<Sent>,
    has_ended: bool,
}

struct Receiving {
    rx: SessionReceiver,
    session: usize,
    is_reply: bool,
    /// The sender whose messages it opens. None, if its nonce was another session's.
    from: Option<usize>,
    next: usize,
    has_ended: bool,
}

/// Two sessions, so that one can get the other's messages.
struct World {
    sending: Vec<Sending>,
    receiving: Vec<Receiving>,
    /// The receiver of each session's reply, as soon as it has opened a message.
    replies: [Option<usize>; 2],
}

impl World {
    fn new(signed: [bool; 2], unlucky: bool) -> Self {
        let bob = if unlucky { &*UNLUCKY_BOB } else { &*BOB };
        let to = bob.encapsulation_key();
        let mut world = Self { sending: Vec::new(), receiving: Vec::new(), replies: [None; 2] };
        for (session, is_signed) in signed.into_iter().enumerate() {
            let alice = ALICE.verifying_key();
            let (tx, rx) = if is_signed {
                let (hello, tx) = to.signed_by(&*ALICE).sender(CTX).unwrap();
                (tx, bob.accepting(alice).receiver(CTX, &hello).unwrap())
            } else {
                let (hello, tx) = to.sender(CTX).unwrap();
                (tx, bob.receiver(CTX, &hello).unwrap())
            };
            assert_eq!(rx.signer(), is_signed.then(|| alice.key_id()));
            world.sending.push(Sending {
                tx,
                session,
                nonce: None,
                sent: Vec::new(),
                has_ended: false,
            });
            world.receiving.push(Receiving {
                rx,
                session,
                is_reply: false,
                from: Some(session),
                next: 0,
                has_ended: false,
            });
        }
        world
    }

    fn call(&mut self, call: &Call) {
        match call {
            Call::Seal { by, length, is_last, has_aad, in_place } => {
                let by = by.index(self.sending.len());
                let sending = &mut self.sending[by];
                let number = (by * 31 + sending.sent.len()) as u8;
                let aad = if *has_aad { &b"step 7"[..] } else { b"" };
                seal(sending, vec![number; *length], *is_last, aad, *in_place);
            }
            Call::Deliver { to, other, damage, other_aad, in_place } => {
                self.deliver(to.index(self.receiving.len()), other, damage, *other_aad, *in_place);
            }
            Call::Reply { of } => {
                let receiving = &self.receiving[of.index(self.receiving.len())];
                match receiving.rx.reply() {
                    Ok((nonce, tx)) => {
                        assert!(!receiving.is_reply);
                        assert_eq!(tx.session_id(), receiving.rx.session_id());
                        let session = receiving.session;
                        let nonce = Some(nonce);
                        self.sending.push(Sending {
                            tx,
                            session,
                            nonce,
                            sent: Vec::new(),
                            has_ended: false,
                        });
                    }
                    Err(error) => {
                        assert!(receiving.is_reply && matches!(error, Error::Misuse { .. }));
                    }
                }
            }
            Call::AcceptReply { by, nonce_of } => {
                let nonce_of = nonce_of.index(self.sending.len());
                let Some(nonce) = self.sending[nonce_of].nonce else { return };
                let right_session = self.sending[nonce_of].session;
                let sending = &mut self.sending[by.index(nonce_of + 1)];
                let may_have_one =
                    sending.nonce.is_none() && self.replies[sending.session].is_none();
                match sending.tx.accept_reply(nonce) {
                    Ok(rx) => {
                        assert!(may_have_one);
                        assert_eq!(rx.session_id(), sending.tx.session_id());
                        let session = sending.session;
                        let from = (session == right_session).then_some(nonce_of);
                        let (next, has_ended) = (0, false);
                        let is_reply = true;
                        self.receiving.push(Receiving {
                            rx,
                            session,
                            is_reply,
                            from,
                            next,
                            has_ended,
                        });
                    }
                    Err(error) => {
                        assert!(!may_have_one && matches!(error, Error::Misuse { .. }));
                    }
                }
            }
        }
        for receiving in &self.receiving {
            assert_eq!(receiving.rx.is_finished(), receiving.has_ended);
        }
    }

    fn deliver(
        &mut self,
        to: usize,
        other: &Option<(Index, Index)>,
        damage: &Damage,
        other_aad: bool,
        in_place: bool,
    ) {
        let receiving = &mut self.receiving[to];
        let (from, number) = match other {
            Some((from, number)) => {
                let from = from.index(self.sending.len());
                (from, number.index(self.sending[from].sent.len().max(1)))
            }
            None => (receiving.from.unwrap_or(0), receiving.next),
        };
        let Some(message) = self.sending[from].sent.get(number) else { return };
        let Some(sealed) = &message.sealed else { return };
        let damaged = damage.apply(sealed, 0, 7);
        let aad = if other_aad { b"step 8" } else { message.aad };
        let is_changed = damaged != *sealed || other_aad;
        let reply = self.replies[receiving.session];
        let is_superseded = receiving.is_reply && reply.is_some_and(|reply| reply != to);
        let is_next = receiving.from == Some(from) && receiving.next == number;
        let is_right = is_next && !is_changed && !is_superseded && !receiving.has_ended;
        match open(&mut receiving.rx, aad, &damaged, in_place) {
            Ok(plaintext) => {
                assert!(is_right, "message {number} of {from} is not the next one for {to}");
                assert_eq!(plaintext, message.plaintext);
                receiving.next += 1;
                receiving.has_ended = message.is_last;
                if receiving.is_reply {
                    self.replies[receiving.session] = Some(to);
                }
            }
            Err(error) => {
                assert!(!is_right, "{error:?}");
                if is_changed {
                    return;
                }
                match error {
                    Error::Finished => assert!(receiving.has_ended),
                    Error::Misuse { .. } => assert!(is_superseded),
                    error => {
                        assert_eq!(error, Error::Open);
                        assert!(!receiving.has_ended && !is_superseded);
                    }
                }
            }
        }
    }

    /// Whatever was not delivered comes now, in order.
    fn deliver_the_rest(&mut self) {
        for to in 0..self.receiving.len() {
            let receiving = &self.receiving[to];
            let from = receiving.from.unwrap_or(0);
            for _ in receiving.next..self.sending[from].sent.len() {
                self.deliver(to, &None, &Damage::None, false, false);
            }
        }
        for receiving in &self.receiving[..2] {
            let sent = &self.sending[receiving.session].sent;
            let arrive = sent.iter().take_while(|message| message.sealed.is_some()).count();
            assert_eq!(receiving.next, arrive, "a message was lost");
        }
    }
}

fn seal(
    sending: &mut Sending,
    plaintext: Vec<u8>,
    is_last: bool,
    aad: &'static [u8],
    in_place: bool,
) {
    let tx = &mut sending.tx;
    let mut buffer = plaintext.clone();
    let sealed = catch_unwind(AssertUnwindSafe(|| match (in_place, is_last) {
        (false, false) if aad.is_empty() => tx.seal(&plaintext),
        (false, true) if aad.is_empty() => tx.finish(&plaintext),
        (false, false) => tx.seal_with_aad(aad, &plaintext),
        (false, true) => tx.finish_with_aad(aad, &plaintext),
        (true, _) => {
            let tag = if is_last {
                tx.finish_in_place(aad, &mut buffer)
            } else {
                tx.seal_in_place(aad, &mut buffer)
            };
            let bytes = tag?.to_bytes();
            Ok([&bytes[..1], &buffer, &bytes[1..]].concat())
        }
    }));
    let length = plaintext.len();
    let push = |sealed| sending.sent.push(Sent { sealed, aad, plaintext, is_last });
    match sealed {
        Ok(Ok(sealed)) => {
            assert!(!sending.has_ended, "it seals after its end");
            push(Some(sealed));
            sending.has_ended = is_last;
        }
        Ok(Err(Error::Finished)) => {
            assert!(sending.has_ended);
            assert!(buffer.iter().all(|byte| *byte == buffer[0]), "not sealed, and changed");
        }
        // The number is used up, so nothing that is sealed later may open.
        failed => {
            match failed {
                Ok(error) => {
                    assert!(error.err() == Some(Error::Unsupported("13 bytes")) && length == 13);
                }
                Err(_) => assert_eq!(length, 14),
            }
            push(None);
            sending.has_ended = true;
        }
    }
}

fn open(
    rx: &mut SessionReceiver,
    aad: &[u8],
    sealed: &[u8],
    in_place: bool,
) -> Result<Vec<u8>, Error> {
    let parts = sealed.split_first().and_then(|(kind, rest)| {
        let (ciphertext, tag) = rest.split_last_chunk::<16>()?;
        let mut bytes = [*kind; MessageTag::LEN];
        bytes[1..].copy_from_slice(tag);
        Some((ciphertext, MessageTag::from_bytes(&bytes).ok()?))
    });
    match parts {
        Some((ciphertext, tag)) if in_place => {
            let mut buffer = ciphertext.to_vec();
            let opened = rx.open_in_place(aad, &mut buffer, &tag);
            assert!(opened.is_ok() || buffer.iter().all(|byte| *byte == 0), "not authentic");
            opened.map(|()| buffer)
        }
        _ if aad.is_empty() => rx.open(sealed).map(|plaintext| plaintext.to_vec()),
        _ => rx.open_with_aad(aad, sealed).map(|plaintext| plaintext.to_vec()),
    }
}

proptest! {
    #![proptest_config(cases(200))]

    /// A receiver opens the next message of its sender, unchanged and before its end, and nothing else; a session has
    /// one reply.
    #[test]
    fn sessions(
        signed in any::<[bool; 2]>(),
        unlucky in any::<bool>(),
        calls in vec(calls(), 0..200),
    ) {
        let mut world = World::new(signed, unlucky);
        for call in &calls {
            world.call(call);
        }
        world.deliver_the_rest();
    }
}
