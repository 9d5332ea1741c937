//! Is a hello refused that nobody made for this receiver?

use std::ops::Range;

use twinseal::{
    Error, KemSuite,
    session::{Hello, SessionReceiver},
};

use super::fixture::{
    AEAD, ALICE, BOB, BOB_P384, CAROL, CTX, FLAGS, KDF, KEM, MALLORY, OTHER, RECIPIENT,
    SIGNATURE_SUITE, SIGNED_CORE, SIGNER, UNSIGNED_LENGTH, VERSION, assert_estranged,
};

fn unsigned() -> Vec<u8> {
    BOB.encapsulation_key().sender(CTX).unwrap().0
}

fn signed() -> Vec<u8> {
    BOB.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap().0
}

fn receive(hello: &[u8]) -> Result<SessionReceiver, Error> {
    BOB.receiver(CTX, hello)
}

fn receive_signed(hello: &[u8]) -> Result<SessionReceiver, Error> {
    BOB.accepting(ALICE.verifying_key()).receiver(CTX, hello)
}

fn with(hello: &[u8], at: Range<usize>, bytes: &[u8]) -> Vec<u8> {
    let mut changed = hello.to_vec();
    changed[at].copy_from_slice(bytes);
    changed
}

/// Both ways of receiving refuse it for this reason.
#[track_caller]
fn assert_unknown(hello: &[u8], expected_what: &str, expected_id: u16) {
    for refused in [receive(hello), receive_signed(hello)] {
        match refused {
            Err(Error::Unknown { what, id }) => {
                assert_eq!((what, id), (expected_what, expected_id));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[track_caller]
fn assert_invalid(refused: Result<SessionReceiver, Error>, expected: &str) {
    match refused {
        Err(Error::Invalid { what: "hello", reason }) => assert_eq!(reason, expected),
        other => panic!("{other:?}"),
    }
}

/// Anyone can look at a hello before it is accepted, even if it is for somebody else.
#[test]
fn parsed() {
    for (bob, suite) in
        [(&*BOB, KemSuite::X25519_ML_KEM_1024), (&*BOB_P384, KemSuite::ML_KEM_1024_P384)]
    {
        let to = bob.encapsulation_key();
        let (unsigned, _) = to.sender(CTX).unwrap();
        let (signed, _) = to.signed_by(&*ALICE).sender(CTX).unwrap();
        let alice = ALICE.verifying_key();
        let signers = [None, Some((alice.suite(), alice.key_id()))];
        for (bytes, signer) in [unsigned, signed].iter().zip(signers) {
            assert!(bytes.len() <= Hello::MAX_LEN);
            let hello = Hello::parse(bytes).unwrap();
            assert_eq!((hello.suite(), hello.recipient()), (suite, to.key_id()));
            assert_eq!(hello.signature_suite().zip(hello.claimed_signer()), signer);
        }
    }
}

#[test]
fn truncated() {
    let hello = unsigned();
    assert_eq!(hello.len(), UNSIGNED_LENGTH);
    for length in 0..hello.len() {
        for refused in [receive(&hello[..length]), receive_signed(&hello[..length])] {
            assert!(matches!(refused, Err(Error::Truncated { what: "hello", needed, actual })
                if actual == length && needed > length && needed <= UNSIGNED_LENGTH));
        }
    }
    let hello = signed();
    for length in 0..SIGNED_CORE {
        let refused = receive_signed(&hello[..length]);
        assert!(
            matches!(refused, Err(Error::Truncated { what: "hello", actual, .. }) if actual == length)
        );
    }
    for length in SIGNED_CORE..hello.len() {
        let refused = receive_signed(&hello[..length]);
        assert!(
            matches!(refused, Err(Error::Truncated { .. } | Error::Invalid { .. })),
            "{length}"
        );
    }
}

#[test]
fn something_else() {
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"twinseal\x01\x01", &[0; 5000]] {
        assert_invalid(receive(bytes), "it does not start with \"twinsess\"");
        assert_invalid(receive_signed(bytes), "it does not start with \"twinsess\"");
    }
}

#[test]
fn bytes_after_an_unsigned_one() {
    let hello = unsigned();
    for more in [1, 16, 5000] {
        let longer = [&hello[..], &vec![0; more]].concat();
        assert_invalid(receive(&longer), "bytes follow an unsigned one");
        assert_invalid(receive_signed(&longer), "bytes follow an unsigned one");
    }
}

#[test]
fn unknown_identifiers() {
    for hello in [unsigned(), signed()] {
        for version in [0, 2, 255] {
            let changed = with(&hello, VERSION..VERSION + 1, &[version]);
            assert_unknown(&changed, "session version", version.into());
        }
        for (at, what) in [(KEM, "KEM suite"), (KDF, "session KDF"), (AEAD, "session AEAD")] {
            for id in [0_u16, 3, 0x0102, 0xffff] {
                assert_unknown(&with(&hello, at.clone(), &id.to_be_bytes()), what, id);
            }
        }
        for flags in 2..=255 {
            let changed = with(&hello, FLAGS..FLAGS + 1, &[flags]);
            assert_unknown(&changed, "session flags", flags.into());
        }
    }
    for id in [0_u16, 2, 0x0100, 0xffff] {
        let changed = with(&signed(), SIGNATURE_SUITE, &id.to_be_bytes());
        assert_unknown(&changed, "signature suite", id);
    }
}

#[test]
fn for_somebody_else() {
    for hello in [unsigned(), signed()] {
        assert!(matches!(CAROL.receiver(CTX, &hello), Err(Error::NotARecipient)));
        let refused = CAROL.accepting(ALICE.verifying_key()).receiver(CTX, &hello);
        assert_eq!(refused.unwrap_err(), Error::NotARecipient);
        // The same person's key of another suite.
        assert!(matches!(BOB_P384.receiver(CTX, &hello), Err(Error::NotARecipient)));
    }
    // Sent on by Carol as if it were for Bob: nobody holds its key, or the signature shows it.
    let (hello, mut tx) = CAROL.encapsulation_key().sender(CTX).unwrap();
    let bob = BOB.encapsulation_key().key_id();
    assert_estranged(&mut tx, receive(&with(&hello, RECIPIENT, bob.as_bytes())).unwrap());
    let (hello, _) = CAROL.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
    let refused = receive_signed(&with(&hello, RECIPIENT, bob.as_bytes()));
    assert_eq!(refused.unwrap_err(), Error::Verify);
}

/// The suite's identifier changed to one that is known, with a ciphertext of its length.
#[test]
fn of_another_suite() {
    let (hello, _) = BOB_P384.encapsulation_key().sender(CTX).unwrap();
    let bob = BOB_P384.encapsulation_key().key_id();
    let retold = with(&unsigned(), RECIPIENT, bob.as_bytes());
    assert!(matches!(BOB_P384.receiver(CTX, &retold), Err(Error::NotARecipient)));
    // Cut to the length that the other suite has, the ciphertext is one of that suite to the parser.
    let mut retold = with(&hello, KEM, &1_u16.to_be_bytes());
    retold.truncate(UNSIGNED_LENGTH);
    let refused = BOB_P384.receiver(CTX, &retold);
    assert!(matches!(refused, Err(Error::NotARecipient | Error::Invalid { .. })));
}

#[test]
fn no_downgrade_in_either_direction() {
    assert_eq!(receive_signed(&unsigned()).unwrap_err(), Error::Unsigned);
    assert_eq!(receive(&signed()).unwrap_err(), Error::Signed);
}

/// The signature and its flag are removed: a receiver that asked for a signer notices, and any other derives
/// different keys, because the whole core is bound.
#[test]
fn stripped_signature() {
    let (hello, mut tx) = BOB.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
    let mut stripped = hello[..SIGNED_CORE].to_vec();
    stripped[FLAGS] = 0;
    stripped.drain(SIGNATURE_SUITE.start..SIGNER.end);
    assert_eq!(stripped.len(), UNSIGNED_LENGTH);
    assert_eq!(receive_signed(&stripped).unwrap_err(), Error::Unsigned);
    assert_estranged(&mut tx, receive(&stripped).unwrap());
}

/// Mallory puts her name to an unsigned hello that she does not know the secret of.
#[test]
fn adopted_by_another_signer() {
    let (hello, mut tx) = BOB.encapsulation_key().sender(CTX).unwrap();
    let signer = MALLORY.verifying_key();
    let mut core = hello.clone();
    core[FLAGS] = 1;
    let name = [&signer.suite().id().to_be_bytes()[..], signer.key_id().as_bytes()].concat();
    core.splice(SIGNATURE_SUITE.start..SIGNATURE_SUITE.start, name);
    let (ek, vk) = (BOB.encapsulation_key().as_bytes(), signer.as_bytes());
    let signed = [&core[..], ek, vk, CTX].concat();
    // With the reserved context: only the crate's own protocols ask for it, but Mallory may.
    let signature = twinseal::hazmat::sign(&MALLORY, b"twinseal/session/v1", &signed).unwrap();
    let adopted = [&core[..], signature.as_bytes()].concat();
    let rx = BOB.accepting(signer).receiver(CTX, &adopted).unwrap();
    assert_eq!(rx.signer(), Some(signer.key_id()));
    assert_estranged(&mut tx, rx);
}

#[test]
fn flipped_flag() {
    let (mut hello, _) = BOB.encapsulation_key().sender(CTX).unwrap();
    hello[FLAGS] = 1;
    // The ciphertext is now parsed as a signer and a shorter ciphertext.
    receive(&hello).unwrap_err();
    receive_signed(&hello).unwrap_err();
    let mut hello = signed();
    hello[FLAGS] = 0;
    receive(&hello).unwrap_err();
    receive_signed(&hello).unwrap_err();
}

#[test]
fn swapped_signature() {
    let (ours, _) = BOB.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
    // Alice's own signature from another session, and another signer's.
    let again = signed();
    let (theirs, _) = BOB.encapsulation_key().signed_by(&*MALLORY).sender(CTX).unwrap();
    for other in [again, theirs] {
        let swapped = [&ours[..SIGNED_CORE], &other[SIGNED_CORE..]].concat();
        assert!(matches!(receive_signed(&swapped), Err(Error::Verify)));
    }
}

#[test]
fn another_signer() {
    let (hello, _) = BOB.encapsulation_key().signed_by(&*MALLORY).sender(CTX).unwrap();
    assert_eq!(receive_signed(&hello).unwrap_err(), Error::UnknownSigner);
    // Under Alice's name.
    let alice = ALICE.verifying_key().key_id();
    let renamed = with(&hello, SIGNER, alice.as_bytes());
    assert!(matches!(receive_signed(&renamed), Err(Error::Verify)));
    // Alice's hello under Mallory's name, to those who trust Mallory.
    let mallory = MALLORY.verifying_key();
    let renamed = with(&signed(), SIGNER, mallory.key_id().as_bytes());
    let refused = BOB.accepting(mallory).receiver(CTX, &renamed);
    assert_eq!(refused.unwrap_err(), Error::Verify);
}

/// The key id in the core is too short to single out a key: the whole keys are under the signature.
#[test]
fn signed_over_anything_else() {
    let (ek, carol) = (BOB.encapsulation_key().as_bytes(), CAROL.encapsulation_key().as_bytes());
    let (vk, mallory) = (ALICE.verifying_key().as_bytes(), MALLORY.verifying_key().as_bytes());
    let hello = signed();
    let core = &hello[..SIGNED_CORE];
    let resigned = |parts: &[&[u8]]| {
        let message = [core, &parts.concat()].concat();
        let signature = twinseal::hazmat::sign(&ALICE, b"twinseal/session/v1", &message).unwrap();
        receive_signed(&[core, signature.as_bytes()].concat())
    };
    resigned(&[ek, vk, CTX]).unwrap();
    for parts in [
        &[ek, CTX][..],          // without the signer's key
        &[vk, CTX],              // without the recipient's
        &[CTX],                  // without either: their ids are in the core
        &[ek, mallory, CTX],     // over the key of another signer, who would share the id
        &[carol, vk, CTX],       // over the key of another recipient, who would share the id
        &[vk, ek, CTX],          // in another order
        &[ek, &vk[..2592], CTX], // over one half of the signer's key
        &[ek, vk, OTHER],
        &[ek, vk],
    ] {
        assert_eq!(resigned(parts).unwrap_err(), Error::Verify);
    }
}

#[test]
fn garbage_for_a_signature() {
    let hello = signed();
    let core = &hello[..SIGNED_CORE];
    let length = hello.len() - SIGNED_CORE;
    for garbage in [vec![], vec![0], vec![0; length], vec![0xff; length], vec![0x30; 100_000]] {
        let refused = receive_signed(&[core, &garbage].concat());
        assert!(matches!(refused, Err(Error::Truncated { .. } | Error::Invalid { .. })));
    }
    for more in [1, 16, 5000] {
        let refused = receive_signed(&[&hello[..], &vec![0; more]].concat());
        assert!(
            matches!(refused, Err(Error::Invalid { what: "signature" | "ECDSA signature", .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn another_context() {
    let (hello, mut tx) = BOB.encapsulation_key().sender(CTX).unwrap();
    assert_estranged(&mut tx, BOB.receiver(OTHER, &hello).unwrap());
    let refused = BOB.accepting(ALICE.verifying_key()).receiver(OTHER, &signed());
    assert_eq!(refused.unwrap_err(), Error::Verify);
}

#[test]
fn no_context() {
    let key = BOB.encapsulation_key();
    for context in [&b""[..], b"twinseal/", b"twinseal/session/v1", &[b'x'; 256]] {
        assert!(matches!(key.sender(context), Err(Error::Context(_))));
        assert!(matches!(key.signed_by(&*ALICE).sender(context), Err(Error::Context(_))));
        assert!(matches!(BOB.receiver(context, &unsigned()), Err(Error::Context(_))));
        let refused = BOB.accepting(ALICE.verifying_key()).receiver(context, &signed());
        assert!(matches!(refused, Err(Error::Context(_))));
    }
    let (hello, mut tx) = key.sender(&[b'x'; 255]).unwrap();
    let mut rx = BOB.receiver(&[b'x'; 255], &hello).unwrap();
    rx.open(&tx.seal(b"the longest context").unwrap()).unwrap();
}

/// Every byte of an unsigned hello: refused at once, or no message opens.
#[test]
fn every_byte_of_an_unsigned_one_changed() {
    let (hello, mut tx) = BOB.encapsulation_key().sender(CTX).unwrap();
    let mut accepted = 0;
    for index in 0..hello.len() {
        let mut changed = hello.clone();
        changed[index] ^= 1 << (index % 8);
        match receive(&changed) {
            Ok(rx) => {
                assert_estranged(&mut tx, rx);
                accepted += 1;
            }
            Err(Error::Unknown { .. } | Error::Invalid { .. } | Error::NotARecipient) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    // A changed ciphertext gives another secret, and no error.
    assert!(accepted > 1500);
}

/// A signed one is always refused at once.
#[test]
fn every_field_of_a_signed_one_changed() {
    let hello = signed();
    let signature = SIGNED_CORE..hello.len();
    let ecdsa = signature.start + 4627..hello.len();
    for index in (0..70).chain((70..ecdsa.start).step_by(41)).chain(ecdsa) {
        let mut changed = hello.clone();
        changed[index] ^= 1 << (index % 8);
        let error = receive_signed(&changed).unwrap_err();
        let expected = match error {
            Error::Verify => index >= SIGNATURE_SUITE.start,
            Error::UnknownSigner => SIGNATURE_SUITE.contains(&index) || SIGNER.contains(&index),
            Error::NotARecipient => RECIPIENT.contains(&index) || KEM.contains(&index),
            Error::Unknown { .. } => index < RECIPIENT.start || SIGNATURE_SUITE.contains(&index),
            Error::Truncated { .. } => index == FLAGS || KEM.contains(&index),
            Error::Invalid { .. } | Error::Length { .. } => true,
            _ => false,
        };
        assert!(expected, "{index}: {error:?}");
    }
}
