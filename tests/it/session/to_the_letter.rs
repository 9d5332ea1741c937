//! Are the bytes of a session those that the key schedule gives, put together by hand?

use twinseal::{
    hazmat::{self, KeySchedule},
    provider::PORTABLE,
    session::ReplyNonce,
};

use super::fixture::{ALICE, BOB, BOB_P384, CTX};

/// HPKE's identifiers of HKDF-SHA384 and AES-256-GCM.
const KDF_AND_AEAD: [u8; 4] = [0, 2, 0, 2];

#[test]
fn every_byte() {
    for (bob, randomness) in [(&*BOB, &[5; 64][..]), (&*BOB_P384, &[5; 80])] {
        for signed in [false, true] {
            let (key, suite) = (bob.encapsulation_key(), bob.suite());
            let signer = ALICE.verifying_key();
            let (ciphertext, secret) = hazmat::encapsulate(key, randomness).unwrap();
            let name =
                [&signer.suite().id().to_be_bytes()[..], signer.key_id().as_bytes()].concat();
            let core = [
                &b"twinsess\x01"[..],
                &suite.id().to_be_bytes(),
                &KDF_AND_AEAD,
                &[signed.into()],
                key.key_id().as_bytes(),
                if signed { &name } else { b"" },
                ciphertext.as_bytes(),
            ]
            .concat();
            let info = [&b"twinseal/session/v1"[..], &core, CTX].concat();
            let schedule = KeySchedule::new(&PORTABLE, suite, secret.as_bytes(), &info).unwrap();

            let by: Option<&dyn twinseal::Sign> = if signed { Some(&*ALICE) } else { None };
            let (hello, mut tx) = hazmat::sender(key, by, CTX, randomness).unwrap();
            assert!(hello.starts_with(&core));
            assert_eq!(hello.len() > core.len(), signed);
            let mut session_id = [0; 32];
            schedule.export(b"twinseal/session-id/v1", &mut session_id);
            assert_eq!(tx.session_id().as_bytes(), &session_id);

            let more = tx.seal_with_aad(b"layer 1", b"gradient").unwrap();
            let last = tx.finish(b"").unwrap();
            let expected = schedule.seal(0, b"\x00layer 1", b"gradient").unwrap();
            assert_eq!(more, [&[0], &expected[..]].concat());
            let expected = schedule.seal(1, b"\x01", b"").unwrap();
            assert_eq!(last, [&[1], &expected[..]].concat());
        }
    }
}

/// `Export("twinseal/reply/v1" || nonce, 44)` is a key of its own: no other export has it.
#[test]
fn the_key_of_a_reply() {
    let randomness = [5; 64];
    let key = BOB.encapsulation_key();
    let (hello, mut tx) = hazmat::sender(key, None, CTX, &randomness).unwrap();
    let (_, secret) = hazmat::encapsulate(key, &randomness).unwrap();
    let info = [&b"twinseal/session/v1"[..], &hello, CTX].concat();
    let schedule = KeySchedule::new(&PORTABLE, BOB.suite(), secret.as_bytes(), &info).unwrap();
    let mut key_and_nonce = [0; 44];
    schedule.export(&[&b"twinseal/reply/v1"[..], &[9; 32]].concat(), &mut key_and_nonce);
    let (key, nonce) = key_and_nonce.split_first_chunk::<32>().unwrap();

    let rx = BOB.receiver(CTX, &hello).unwrap();
    let nine = ReplyNonce::from_bytes([9; 32]);
    let answer = hazmat::reply(&rx, nine).unwrap().seal_with_aad(b"aad", b"answer").unwrap();
    let mut buffer = *b"answer";
    let aead = PORTABLE.aes_256_gcm.key(key).unwrap();
    let tag = aead.seal_in_place(nonce.try_into().unwrap(), b"\x00aad", &mut buffer).unwrap();
    assert_eq!(answer, [&[0], &buffer[..], &tag].concat());
    tx.accept_reply(nine).unwrap().open_with_aad(b"aad", &answer).unwrap();
}
