//! Does what is sent arrive: in both suites, signed and unsigned, attached and in place, and in replies?

use std::collections::HashSet;

use twinseal::{
    Error, hazmat,
    session::{MessageKind, MessageTag, ReplyNonce, SessionReceiver, SessionSender},
};

use super::fixture::{ALICE, BOB, BOB_P384, CTX, UNSIGNED_LENGTH, message_tag, session};

/// Every form of sending, each read in the attached form and in place.
fn exchange(tx: &mut SessionSender, rx: &mut SessionReceiver) {
    let long = vec![7; 100_000];
    for (aad, message) in
        [(&b""[..], &b"hello"[..]), (b"", b""), (b"layer 1", b"x"), (b"layer 2", b""), (b"", &long)]
    {
        for (sent_in_place, read_in_place) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let (mut bytes, tag) = if sent_in_place {
                let mut bytes = message.to_vec();
                let tag = tx.seal_in_place(aad, &mut bytes).unwrap();
                (bytes, tag)
            } else {
                split(&tx.seal_with_aad(aad, message).unwrap())
            };
            assert_eq!(tag.kind(), MessageKind::More);
            if read_in_place {
                rx.open_in_place(aad, &mut bytes, &tag).unwrap();
                assert_eq!(bytes, message);
            } else {
                let opened = rx.open_with_aad(aad, &join(&bytes, tag)).unwrap();
                assert_eq!(&opened[..], message);
            }
        }
    }
    let short = tx.seal(b"short").unwrap();
    assert_eq!(short.len(), 5 + MessageTag::LEN);
    assert_eq!(&rx.open(&short).unwrap()[..], b"short");
    assert!(!rx.is_finished());
}

/// `type || ciphertext || tag` in its parts.
fn split(sealed: &[u8]) -> (Vec<u8>, MessageTag) {
    let (ciphertext, tag) = sealed[1..].split_last_chunk::<16>().unwrap();
    let tag = [&sealed[..1], tag].concat();
    (ciphertext.to_vec(), MessageTag::from_bytes(tag[..].try_into().unwrap()).unwrap())
}

fn join(ciphertext: &[u8], tag: MessageTag) -> Vec<u8> {
    let (kind, tag) = tag.to_bytes().split_first().map(|(k, t)| (*k, t.to_vec())).unwrap();
    [&[kind], ciphertext, &tag].concat()
}

#[test]
fn unsigned() {
    for bob in [&*BOB, &*BOB_P384] {
        let (hello, mut tx) = bob.encapsulation_key().sender(CTX).unwrap();
        let mut rx = bob.receiver(CTX, &hello).unwrap();
        assert_eq!(rx.signer(), None);
        assert_eq!(hello.len(), 32 + bob.suite().ciphertext_len());
        exchange(&mut tx, &mut rx);
    }
    assert_eq!(BOB.encapsulation_key().sender(CTX).unwrap().0.len(), UNSIGNED_LENGTH);
}

#[test]
fn signed() {
    for bob in [&*BOB, &*BOB_P384] {
        let (hello, mut tx) = bob.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
        let mut rx = bob.accepting(ALICE.verifying_key()).receiver(CTX, &hello).unwrap();
        assert_eq!(rx.signer(), Some(ALICE.verifying_key().key_id()));
        exchange(&mut tx, &mut rx);
    }
}

#[test]
fn finished() {
    for content in [&b""[..], b"the last"] {
        for aad in [&b""[..], b"aad"] {
            for in_place in [false, true] {
                let (mut tx, mut rx) = session();
                let sealed = if in_place {
                    let mut bytes = content.to_vec();
                    let tag = tx.finish_in_place(aad, &mut bytes).unwrap();
                    assert_eq!(tag.kind(), MessageKind::Last);
                    join(&bytes, tag)
                } else if aad.is_empty() {
                    tx.finish(content).unwrap()
                } else {
                    tx.finish_with_aad(aad, content).unwrap()
                };
                assert!(!rx.is_finished());
                assert_eq!(&rx.open_with_aad(aad, &sealed).unwrap()[..], content);
                assert!(rx.is_finished());
            }
        }
    }
}

/// A deterministic key exchange leads to the same session every time.
#[test]
fn known_randomness() {
    let seal = |randomness: &[u8]| {
        let key = BOB.encapsulation_key();
        let (hello, mut tx) = hazmat::sender(key, None, CTX, randomness).unwrap();
        (hello, tx.seal(b"hello").unwrap(), tx.session_id())
    };
    assert_eq!(seal(&[1; 64]), seal(&[1; 64]));
    assert_ne!(seal(&[1; 64]).2, seal(&[2; 64]).2);
}

#[test]
fn session_ids() {
    let mut seen = HashSet::new();
    for _ in 0..3 {
        for bob in [&*BOB, &*BOB_P384] {
            let (hello, mut tx) = bob.encapsulation_key().sender(CTX).unwrap();
            let rx = bob.receiver(CTX, &hello).unwrap();
            let (nonce, reply_tx) = rx.reply().unwrap();
            let reply_rx = tx.accept_reply(nonce).unwrap();
            for id in [rx.session_id(), reply_tx.session_id(), reply_rx.session_id()] {
                assert_eq!(id, tx.session_id());
            }
            assert!(seen.insert(tx.session_id()));
        }
    }
}

#[test]
fn a_reply() {
    for bob in [&*BOB, &*BOB_P384] {
        let (hello, mut tx) = bob.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
        let mut rx = bob.accepting(ALICE.verifying_key()).receiver(CTX, &hello).unwrap();
        let (nonce, mut reply_tx) = rx.reply().unwrap();
        let mut reply_rx = tx.accept_reply(nonce).unwrap();
        assert_eq!(reply_rx.signer(), None);
        exchange(&mut reply_tx, &mut reply_rx);
        // Both directions continue side by side, and end independently.
        exchange(&mut tx, &mut rx);
        assert_eq!(&rx.open(&tx.finish(b"done").unwrap()).unwrap()[..], b"done");
        assert!(!reply_rx.is_finished());
        exchange(&mut reply_tx, &mut reply_rx);
        reply_rx.open(&reply_tx.finish(b"").unwrap()).unwrap();
        assert!(reply_rx.is_finished());
    }
}

/// A request may be finished before anybody thinks of a reply.
#[test]
fn a_reply_after_the_end() {
    let (mut tx, mut rx) = session();
    rx.open(&tx.finish(b"request").unwrap()).unwrap();
    let (nonce, mut reply_tx) = rx.reply().unwrap();
    let mut reply_rx = tx.accept_reply(nonce).unwrap();
    assert_eq!(&reply_rx.open(&reply_tx.finish(b"answer").unwrap()).unwrap()[..], b"answer");
}

#[test]
fn several_replies_and_one_is_accepted() {
    let (mut tx, rx) = session();
    let mut replies: Vec<_> = (0..3).map(|_| rx.reply().unwrap()).collect();
    let nonces: HashSet<_> = replies.iter().map(|(nonce, _)| *nonce).collect();
    assert_eq!(nonces.len(), 3);

    let messages: Vec<_> =
        replies.iter_mut().map(|(_, reply_tx)| reply_tx.finish(b"answer").unwrap()).collect();
    let mut readers: Vec<_> =
        replies.iter().map(|(nonce, _)| tx.accept_reply(*nonce).unwrap()).collect();
    assert!(matches!(readers[1].open(&messages[0]), Err(Error::Open)));
    assert_eq!(&readers[1].open(&messages[1]).unwrap()[..], b"answer");
    assert!(readers[1].is_finished());
    for index in [0, 2] {
        let refused = readers[index].open(&messages[index]);
        assert!(matches!(refused, Err(Error::Misuse { what: "reply", .. })));
        assert!(!readers[index].is_finished());
        let refused = tx.accept_reply(replies[index].0);
        assert!(matches!(refused, Err(Error::Misuse { what: "reply", .. })));
    }
}

/// Delivering a false nonce first gains nothing: it authenticates nothing and uses up nothing.
#[test]
fn a_false_start_of_a_reply_uses_nothing_up() {
    let (mut tx, rx) = session();
    let (nonce, mut reply_tx) = rx.reply().unwrap();
    let first = reply_tx.seal(b"one").unwrap();
    for false_nonce in [[0; 32], [0xff; 32], nonce.as_bytes().map(|byte| byte ^ 1)] {
        let mut reply_rx = tx.accept_reply(ReplyNonce::from_bytes(false_nonce)).unwrap();
        for _ in 0..3 {
            assert!(matches!(reply_rx.open(&first), Err(Error::Open)));
        }
        let mut buffer = *b"sealed";
        let tag = message_tag(MessageKind::Last, [0; 16]);
        assert!(reply_rx.open_in_place(b"", &mut buffer, &tag).is_err());
        assert_eq!(buffer, [0; 6]);
    }
    let mut reply_rx = tx.accept_reply(nonce).unwrap();
    assert!(reply_rx.open(&[0; 20]).is_err());
    assert_eq!(&reply_rx.open(&first).unwrap()[..], b"one");
    assert_eq!(&reply_rx.open(&reply_tx.finish(b"two").unwrap()).unwrap()[..], b"two");
    assert!(tx.accept_reply(nonce).is_err());
}

#[test]
fn a_reply_has_no_reply() {
    let (mut tx, rx) = session();
    let (nonce, mut reply_tx) = rx.reply().unwrap();
    let reply_rx = tx.accept_reply(nonce).unwrap();
    let refused = reply_tx.accept_reply(nonce);
    assert!(matches!(refused, Err(Error::Misuse { what: "reply", .. })));
    assert!(matches!(reply_rx.reply(), Err(Error::Misuse { what: "reply", .. })));
    let refused = hazmat::reply(&reply_rx, nonce);
    assert!(matches!(refused, Err(Error::Misuse { what: "reply", .. })));
}

#[test]
fn a_reply_with_another_nonce() {
    let (mut tx, rx) = session();
    let (nonce, mut reply_tx) = rx.reply().unwrap();
    let mut another = *nonce.as_bytes();
    another[31] ^= 1;
    let mut reply_rx = tx.accept_reply(ReplyNonce::from_bytes(another)).unwrap();
    assert!(matches!(reply_rx.open(&reply_tx.seal(b"answer").unwrap()), Err(Error::Open)));
}

/// A recorded session can be played again from its hello on: the receiver is to remember session
/// ids. What it answers is nevertheless under a key of its own.
#[test]
fn a_replayed_hello() {
    let (hello, mut tx) = BOB.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
    let receiver = || BOB.accepting(ALICE.verifying_key()).receiver(CTX, &hello).unwrap();
    let (mut rx, mut replayed) = (receiver(), receiver());
    assert_eq!(rx.session_id(), replayed.session_id());
    let message = tx.seal(b"again").unwrap();
    assert_eq!(&rx.open(&message).unwrap()[..], b"again");
    assert_eq!(&replayed.open(&message).unwrap()[..], b"again");

    let (nonce, mut reply_tx) = rx.reply().unwrap();
    let (other_nonce, mut other_tx) = replayed.reply().unwrap();
    assert_ne!(nonce, other_nonce);
    let mut reply_rx = tx.accept_reply(nonce).unwrap();
    // The same plaintext at the same place, and not one keystream.
    let (ours, theirs) = (reply_tx.seal(&[0; 64]).unwrap(), other_tx.seal(&[0; 64]).unwrap());
    assert_ne!(ours[1..65], theirs[1..65]);
    assert!(matches!(reply_rx.open(&theirs), Err(Error::Open)));
    assert_eq!(&reply_rx.open(&ours).unwrap()[..], [0; 64]);
    // From one nonce it would be one key: why each call draws a new one.
    let mut same = hazmat::reply(&replayed, nonce).unwrap();
    assert_eq!(same.seal(&[0; 64]).unwrap(), ours);
}

#[test]
fn a_message_tag_as_bytes() {
    for (id, kind) in [(0, MessageKind::More), (1, MessageKind::Last)] {
        let mut bytes = [7; MessageTag::LEN];
        bytes[0] = id;
        let tag = MessageTag::from_bytes(&bytes).unwrap();
        assert_eq!(tag.kind(), kind);
        assert_eq!(tag.to_bytes(), bytes);
    }
    for id in 2..=255 {
        let mut bytes = [7; MessageTag::LEN];
        bytes[0] = id;
        let refused = MessageTag::from_bytes(&bytes);
        assert!(
            matches!(refused, Err(Error::Unknown { what: "message type", id: found }) if found == u16::from(id))
        );
    }
}
