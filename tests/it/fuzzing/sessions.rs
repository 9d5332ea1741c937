//! Sessions: the first message, and frames.

use std::sync::LazyLock;

use sha2::{Digest, Sha512};
use twinseal::{
    KemSuite, hazmat,
    session::{FramedReceiver, Hello, SessionSender},
};

use super::{
    people::{ALICE, ALICES, ALL, CTX, P384, X25519, bob, on_all},
    script::{Object, Script},
};

/// Who signs without randomness.
pub(super) struct Deterministic;

impl twinseal::Sign for Deterministic {
    fn verifying_key(&self) -> &twinseal::VerifyingKey {
        ALICE.verifying_key()
    }

    fn sign_prehashed(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
    ) -> Result<twinseal::Signature, twinseal::Error> {
        hazmat::sign_prehashed(&ALICE, context, sha512)
    }
}

pub(super) fn randomness(suite: KemSuite) -> &'static [u8] {
    if suite == X25519 { &[6; 64] } else { &[6; 80] }
}

struct Session {
    suite: KemSuite,
    is_signed: bool,
    core: Object,
    /// The first message.
    message: Vec<u8>,
}

impl Session {
    fn new(suite: KemSuite, is_signed: bool) -> Self {
        let signer = is_signed.then_some(&Deterministic as &dyn twinseal::Sign);
        let to = bob(suite)[0].encapsulation_key();
        let (hello, mut tx) = hazmat::sender(to, signer, CTX, randomness(suite)).unwrap();
        let core = if is_signed { &hello[..50 + suite.ciphertext_len()] } else { &hello[..] };
        let mut fields = vec![
            &core[..8],
            &core[8..9],
            &core[9..11],
            &core[11..13],
            &core[13..15],
            &core[15..16],
            &core[16..32],
        ];
        let ciphertext = if is_signed { &core[50..] } else { &core[32..] };
        if is_signed {
            fields.extend([&core[32..34], &core[34..50]]);
        }
        fields.extend([&ciphertext[..1568], &ciphertext[1568..]]);
        let core = Object::of_fields(&fields);
        Self { suite, is_signed, core, message: tx.finish(b"hello").unwrap() }
    }
}

static SESSIONS: LazyLock<Vec<Session>> = LazyLock::new(|| {
    [X25519, P384]
        .iter()
        .flat_map(|suite| [false, true].map(|signed| Session::new(*suite, signed)))
        .collect()
});

static CORES: LazyLock<Vec<Object>> =
    LazyLock::new(|| SESSIONS.iter().map(|session| session.core.clone()).collect());

/// The parser alone.
pub fn hello(data: &[u8]) {
    let bytes = Script::new(data).changed(&CORES);
    let Ok(hello) = Hello::parse(&bytes) else { return };
    assert_eq!(bytes[9..11], hello.suite().id().to_be_bytes());
    assert_eq!(bytes[16..32], hello.recipient().as_bytes()[..]);
    assert_eq!(hello.claimed_signer().is_some(), bytes[15] == 1);
    assert_eq!(hello.claimed_signer().is_some(), hello.signature_suite().is_some());
    if let Some(signer) = hello.claimed_signer() {
        assert_eq!(bytes[34..50], signer.as_bytes()[..]);
    }
}

/// A changed core, and a signature over it or over the one before: accepted or refused by all providers alike.
pub fn receiver(data: &[u8]) {
    let mut script = Script::new(data);
    let session = script.one_of(&SESSIONS[..]);
    let mode = script.byte();
    let mut core = session.core.bytes.clone();
    script.change(&mut core, &session.core, &CORES);
    let is_same = core == session.core.bytes;
    let mut hello = core.clone();
    if session.is_signed && (mode & 1 == 0 || Hello::parse(&core).is_ok()) {
        let signed = if mode & 1 == 0 { &session.core.bytes } else { &core };
        let to = bob(session.suite)[0].encapsulation_key().as_bytes();
        let digest = Sha512::digest([signed, to, ALICE.verifying_key().as_bytes(), CTX].concat());
        let signature =
            hazmat::sign_prehashed(&ALICE, b"twinseal/session/v1", &digest.into()).unwrap();
        let mut signature = signature.as_bytes().to_vec();
        if mode & 2 != 0 {
            script.change(&mut signature, &session.core, &CORES);
        }
        hello.extend(signature);
    }
    // As it was made for, or in another way.
    let (suite, is_signed) = match mode >> 4 {
        0..8 => (session.suite, session.is_signed),
        other => ([X25519, P384][usize::from(other & 1)], other & 2 != 0),
    };
    let accepted = on_all(|index| {
        let key = &bob(suite)[index];
        let received = if is_signed {
            key.accepting(&ALICES[index]).receiver(CTX, &hello)
        } else {
            key.receiver(CTX, &hello)
        };
        received.map(|mut rx| {
            let id = *rx.session_id().as_bytes();
            (id, rx.signer(), rx.open(&session.message).map(twinseal::Plaintext::into_vec))
        })
    });
    if let Ok((_, signer, message)) = accepted {
        assert_eq!(signer.is_some(), is_signed);
        assert_eq!(message.is_ok(), is_same, "only the core that was made has its keys");
        assert!(is_same || !is_signed || mode & 1 != 0, "nobody signed it");
    }
}

/// Frames that are right, changed, repeated or left out, behind a hello. What is received is what was sent, in
/// order, from the first on.
pub fn frames(data: &[u8]) {
    let session = &SESSIONS[0];
    let mut tx: SessionSender = {
        let to = bob(session.suite)[0].encapsulation_key();
        hazmat::sender(to, None, CTX, randomness(session.suite)).unwrap().1
    };
    let mut script = Script::new(data);
    let provider = usize::from(script.byte()) % ALL.len();
    let bound = 1 + script.number() % 64;
    let mut frames = Vec::new();
    let mut sent = Vec::new();
    for number in 0..script.byte() % 6 {
        let plaintext = vec![number; usize::from(script.byte() % 80)];
        let is_last = script.byte() & 7 == 7;
        let message = if is_last { tx.finish(&plaintext) } else { tx.seal(&plaintext) };
        let Ok(message) = message else { break };
        let length = u32::try_from(message.len()).unwrap();
        frames.push([&length.to_be_bytes()[..], &message].concat());
        sent.push(plaintext);
    }
    match script.byte() % 5 {
        1 if !frames.is_empty() => {
            let index = usize::from(script.byte()) % frames.len();
            frames.remove(index);
        }
        2 if !frames.is_empty() => {
            let index = usize::from(script.byte()) % frames.len();
            let again = frames[index].clone();
            frames.push(again);
        }
        3 if frames.len() > 1 => frames.swap(0, 1),
        _ => {}
    }
    let object = Object::of_fields(&frames.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut stream = object.bytes.clone();
    script.change(&mut stream, &object, &CORES[..1]);
    let hello = &session.core.bytes;
    let length = u32::try_from(hello.len()).unwrap();
    let whole = [&length.to_be_bytes()[..], hello, &stream].concat();
    let key = &bob(session.suite)[provider];
    let accepted = FramedReceiver::accept(&whole[..], |hello| key.receiver(CTX, hello));
    let mut framed = accepted.unwrap().with_bound(bound);
    let mut received = 0;
    while let Ok(Some(message)) = framed.receive() {
        assert_eq!(message[..], sent[received]);
        assert!(message.len() <= bound);
        received += 1;
    }
    if framed.is_finished() {
        assert_eq!(received, sent.len(), "the last one was opened");
    }
}
