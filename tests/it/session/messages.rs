//! Is every message refused but the next one, unchanged, and does that one still open?

use twinseal::{
    Error,
    session::{MessageKind, MessageTag, SessionReceiver},
};

use super::fixture::{BOB, CTX, OTHER, message_tag, session};

const ZEROS: [u8; 64] = [0; 64];

/// It does not open, neither attached nor in place, and what failed leaves nothing behind.
#[track_caller]
fn assert_refused(rx: &mut SessionReceiver, aad: &[u8], sealed: &[u8]) {
    assert!(matches!(rx.open_with_aad(aad, sealed), Err(Error::Open)));
    let (ciphertext, tag) = sealed[1..].split_last_chunk::<16>().unwrap();
    let kind = if sealed[0] == 0 { MessageKind::More } else { MessageKind::Last };
    let mut buffer = ciphertext.to_vec();
    let refused = rx.open_in_place(aad, &mut buffer, &message_tag(kind, *tag));
    assert!(matches!(refused, Err(Error::Open)));
    assert_eq!(buffer, ZEROS[..buffer.len()]);
    assert!(!rx.is_finished());
}

#[test]
fn replayed() {
    let (mut tx, mut rx) = session();
    let first = tx.seal(b"first").unwrap();
    let second = tx.seal(b"second").unwrap();
    rx.open(&first).unwrap();
    assert_refused(&mut rx, b"", &first);
    rx.open(&second).unwrap();
    assert_refused(&mut rx, b"", &second);
    assert_refused(&mut rx, b"", &first);
    assert_eq!(&rx.open(&tx.finish(b"third").unwrap()).unwrap()[..], b"third");
}

#[test]
fn duplicated() {
    let (mut tx, mut rx) = session();
    let message = tx.seal(b"same").unwrap();
    // The same plaintext twice is two different messages.
    let again = tx.seal(b"same").unwrap();
    assert_ne!(message, again);
    rx.open(&message).unwrap();
    assert_refused(&mut rx, b"", &message);
    rx.open(&again).unwrap();
}

#[test]
fn reordered() {
    let (mut tx, mut rx) = session();
    let messages: Vec<_> = (0..4).map(|index| tx.seal(&[index; 9]).unwrap()).collect();
    for next in 0..4 {
        for other in (0..4).filter(|other| *other != next) {
            assert_refused(&mut rx, b"", &messages[other]);
        }
        assert_eq!(&rx.open(&messages[next]).unwrap()[..], &[next as u8; 9]);
    }
}

#[test]
fn dropped() {
    let (mut tx, mut rx) = session();
    tx.seal(b"dropped").unwrap();
    for _ in 0..3 {
        assert_refused(&mut rx, b"", &tx.seal(b"after it").unwrap());
    }
    assert_refused(&mut rx, b"", &tx.finish(b"").unwrap());
}

#[test]
fn the_last_one_missing() {
    let (mut tx, mut rx) = session();
    rx.open(&tx.seal(b"first").unwrap()).unwrap();
    assert!(!rx.is_finished());
    rx.open(&tx.finish(b"last").unwrap()).unwrap();
    assert!(rx.is_finished());
}

#[test]
fn anything_after_the_last_one() {
    let (mut tx, mut rx) = session();
    let last = tx.finish(b"last").unwrap();
    rx.open(&last).unwrap();

    let mut buffer = *b"gradient";
    assert!(matches!(tx.seal(b"more"), Err(Error::Finished)));
    assert!(matches!(tx.seal_with_aad(b"aad", b"more"), Err(Error::Finished)));
    assert!(matches!(tx.finish(b""), Err(Error::Finished)));
    assert!(matches!(tx.finish_with_aad(b"aad", b""), Err(Error::Finished)));
    assert!(matches!(tx.seal_in_place(b"", &mut buffer), Err(Error::Finished)));
    assert!(matches!(tx.finish_in_place(b"", &mut buffer), Err(Error::Finished)));
    // Bytes that were not encrypted are not changed.
    assert_eq!(&buffer, b"gradient");

    assert!(matches!(rx.open(&last), Err(Error::Finished)));
    assert!(matches!(rx.open_with_aad(b"aad", &last), Err(Error::Finished)));
    let tag = message_tag(MessageKind::More, [0; 16]);
    assert!(matches!(rx.open_in_place(b"", &mut buffer, &tag), Err(Error::Finished)));
    assert_eq!(buffer, [0; 8]);
    assert!(rx.is_finished());
}

#[test]
fn truncated_and_extended() {
    for content in [&b""[..], b"content"] {
        let (mut tx, mut rx) = session();
        let message = tx.seal(content).unwrap();
        for length in 0..MessageTag::LEN {
            let refused = rx.open(&message[..length]);
            assert!(
                matches!(refused, Err(Error::Truncated { what: "message", needed: 17, actual })
                if actual == length)
            );
        }
        for length in MessageTag::LEN..message.len() {
            assert_refused(&mut rx, b"", &message[..length]);
        }
        for more in 1..20 {
            assert_refused(&mut rx, b"", &[&message[..], &ZEROS[..more]].concat());
        }
        assert_eq!(&rx.open(&message).unwrap()[..], content);
    }
}

#[test]
fn every_bit_changed() {
    for finish in [false, true] {
        let (mut tx, mut rx) = session();
        let message = if finish { tx.finish(b"content") } else { tx.seal(b"content") }.unwrap();
        for bit in 0..message.len() * 8 {
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            if changed[0] < 2 {
                assert_refused(&mut rx, b"", &changed);
            } else {
                let refused = rx.open(&changed);
                assert!(matches!(refused, Err(Error::Unknown { what: "message type", id })
                    if id == u16::from(changed[0])));
            }
        }
        assert_eq!(&rx.open(&message).unwrap()[..], b"content");
        assert_eq!(rx.is_finished(), finish);
    }
}

#[test]
fn every_type() {
    let (mut tx, mut rx) = session();
    let message = tx.seal(b"content").unwrap();
    for id in 1..=255 {
        let mut changed = message.clone();
        changed[0] = id;
        match rx.open(&changed) {
            Err(Error::Open) => assert_eq!(id, 1),
            Err(Error::Unknown { what: "message type", id: found }) => {
                assert_eq!(found, u16::from(id));
            }
            other => panic!("{other:?}"),
        }
    }
    rx.open(&message).unwrap();
}

#[test]
fn other_associated_data() {
    let (mut tx, mut rx) = session();
    let message = tx.seal_with_aad(b"layer 1", b"content").unwrap();
    for aad in [&b""[..], b"layer 2", b"layer 1\0", b"layer ", b"\0layer 1"] {
        assert_refused(&mut rx, aad, &message);
    }
    // A byte that moves between the data and the message is noticed, too.
    let moved = [&message[..1], b"1", &message[1..]].concat();
    assert_refused(&mut rx, b"layer ", &moved);
    assert_eq!(&rx.open_with_aad(b"layer 1", &message).unwrap()[..], b"content");
}

#[test]
fn of_another_session_or_direction() {
    let (mut tx, mut rx) = session();
    let (mut other_tx, _) = session();
    let (nonce, mut reply_tx) = rx.reply().unwrap();
    let mut reply_rx = tx.accept_reply(nonce).unwrap();
    assert_refused(&mut rx, b"", &other_tx.seal(b"content").unwrap());
    assert_refused(&mut rx, b"", &reply_tx.seal(b"content").unwrap());
    // Sent back to where it came from.
    let message = tx.seal(b"content").unwrap();
    assert_refused(&mut reply_rx, b"", &message);
    rx.open(&message).unwrap();
}

#[test]
fn for_another_purpose() {
    let (hello, mut tx) = BOB.encapsulation_key().sender(CTX).unwrap();
    let mut rx = BOB.receiver(OTHER, &hello).unwrap();
    assert_refused(&mut rx, b"", &tx.seal(b"content").unwrap());
}

/// It must be refused before it is touched: a buffer of this size costs nothing until then.
#[test]
fn too_long() {
    let (mut tx, mut rx) = session();
    let mut long = vec![0; (1 << 30) + 1];
    let (what, reason) = ("message", "it is longer than 2^30 bytes");
    let misuse = Error::Misuse { what, reason };
    assert_eq!(tx.seal_in_place(b"", &mut long).unwrap_err(), misuse);
    assert_eq!(tx.finish_in_place(b"", &mut long).unwrap_err(), misuse);
    assert_eq!(tx.seal(&long).unwrap_err(), misuse);
    assert_eq!(tx.finish(&long).unwrap_err(), misuse);
    long.resize((1 << 30) + 1 + MessageTag::LEN, 0);
    assert_eq!(rx.open(&long).unwrap_err(), Error::Invalid { what, reason });
    rx.open(&tx.seal(b"content").unwrap()).unwrap();
}
