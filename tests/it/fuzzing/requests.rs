//! Requests, and answers as a whole and in pieces.

use std::{io::Read, sync::LazyLock};

use sha2::{Digest, Sha384, Sha512};
use twinseal::{
    KemSuite, Plaintext, hazmat,
    hazmat::RequestRandomness,
    provider::PORTABLE,
    request::{AllowReplays, Pending, RequestHead, RequestTime, attach, detach},
};

use super::{
    people::{ALICE, ALICES, CTX, P384, X25519, bob, hkdf, on_all},
    script::{Object, Script},
    sessions::{Deterministic, randomness},
};

const QUESTION: &[u8] = b"a picture";
const ANSWER: &[u8] = b"a cat";
const SALT: [u8; 24] = [8; 24];

struct Request {
    suite: KemSuite,
    is_signed: bool,
    core: Object,
    signature: Vec<u8>,
    body: Vec<u8>,
}

fn made(suite: KemSuite, is_signed: bool) -> (Vec<u8>, Pending) {
    let signer = is_signed.then_some(&Deterministic as &dyn twinseal::Sign);
    let time = RequestTime::from_millis(1_785_542_400_000).unwrap();
    let randomness = RequestRandomness { time, encapsulation: randomness(suite), salt: SALT };
    let to = bob(suite)[0].encapsulation_key();
    hazmat::request(to, signer, CTX, QUESTION, &randomness).unwrap()
}

impl Request {
    fn new(suite: KemSuite, is_signed: bool) -> Self {
        let (request, _) = made(suite, is_signed);
        let (head, body) = request.split_at(RequestHead::parse(&request).unwrap().len());
        let start = if is_signed { 46 } else { 28 };
        let (core, signature) = head.split_at(start + 8 + suite.ciphertext_len());
        let mut fields = vec![&core[..8], &core[8..9], &core[9..10], &core[10..12], &core[12..28]];
        if is_signed {
            fields.extend([&core[28..30], &core[30..46]]);
        }
        fields.extend([
            &core[start..start + 8],
            &core[start + 8..start + 8 + 1568],
            &core[start + 8 + 1568..],
        ]);
        let core = Object::of_fields(&fields);
        Self { suite, is_signed, core, signature: signature.to_vec(), body: body.to_vec() }
    }
}

static REQUESTS: LazyLock<Vec<Request>> = LazyLock::new(|| {
    [X25519, P384]
        .iter()
        .flat_map(|suite| [false, true].map(|signed| Request::new(*suite, signed)))
        .collect()
});

static CORES: LazyLock<Vec<Object>> =
    LazyLock::new(|| REQUESTS.iter().map(|request| request.core.clone()).collect());

static HEADS: LazyLock<Vec<Object>> = LazyLock::new(|| {
    let heads = REQUESTS.iter().map(|request| {
        let length = request.signature.len().min(2);
        let (length, signature) = request.signature.split_at(length);
        Object::of_fields(&[
            &request.core.bytes[..28],
            &request.core.bytes[28..],
            length,
            signature,
        ])
    });
    heads.collect()
});

/// The parser alone, and what takes a signature off and puts it back.
pub fn request_head(data: &[u8]) {
    let bytes = Script::new(data).changed(&HEADS);
    let parsed = RequestHead::parse(&bytes);
    let read = RequestHead::read(&bytes[..]);
    assert_eq!(parsed.is_ok(), read.is_ok());
    let Ok(head) = parsed else { return };
    assert_eq!(read.unwrap().as_bytes(), head.as_bytes());
    assert_eq!(bytes[..head.len()], *head.as_bytes());
    assert_eq!(head.claimed_signer().is_some(), head.signature_suite().is_some());
    let mut without = bytes.clone();
    match (detach(&mut without), head.signature()) {
        (Ok(signature), Some(expected)) => {
            assert_eq!(signature, expected.as_bytes());
            assert_eq!(RequestHead::parse(&without).unwrap().id(), head.id());
            attach(&mut without, &signature).unwrap();
            assert_eq!(without, bytes);
        }
        (Err(_), None) => assert_eq!(without, bytes),
        (detached, _) => panic!("{detached:?}"),
    }
}

/// The body that fits to a changed core, if its ciphertext can be used.
fn body_for(core: &[u8], request: &Request) -> Option<Vec<u8>> {
    let parsed = [core, &[0, 0]].concat();
    let head = RequestHead::parse(if request.is_signed { &parsed } else { core }).ok()?;
    if head.suite() != request.suite {
        return None;
    }
    let key = &bob(request.suite)[0];
    let secret = key.decapsulate(head.ciphertext()).ok()?;
    let vk = if head.claimed_signer().is_some() { ALICE.verifying_key().as_bytes() } else { &[] };
    let transcript = Sha384::digest([core, key.encapsulation_key().as_bytes(), vk, CTX].concat());
    let keys: [u8; 80] = hkdf(secret.as_bytes(), &[b"twinseal/request/v1", &transcript]);
    let key = keys.first_chunk().unwrap();
    Some(hazmat::cobblestone_seal(&PORTABLE, key, &SALT, CTX, QUESTION).unwrap())
}

/// A changed core, signed and sealed again or not: accepted or refused by all providers alike.
pub fn accept(data: &[u8]) {
    let mut script = Script::new(data);
    let request = script.one_of(&REQUESTS[..]);
    let mode = script.byte();
    let mut core = request.core.bytes.clone();
    script.change(&mut core, &request.core, &CORES);
    let is_same = core == request.core.bytes;
    let mut signature = request.signature.clone();
    let mut body = request.body.clone();
    if !is_same && mode & 1 != 0 {
        let Some(fitting) = body_for(&core, request) else { return };
        body = fitting;
        if request.is_signed {
            let to = bob(request.suite)[0].encapsulation_key().as_bytes();
            let digest =
                Sha512::digest([&core[..], to, ALICE.verifying_key().as_bytes(), CTX].concat());
            let signed =
                hazmat::sign_prehashed(&ALICE, b"twinseal/request/v1", &digest.into()).unwrap();
            let length = u16::try_from(signed.as_bytes().len()).unwrap();
            signature = [&length.to_be_bytes()[..], signed.as_bytes()].concat();
        }
    }
    if mode & 2 != 0 {
        script.change(&mut signature, &request.core, &CORES);
    }
    if mode & 4 != 0 {
        script.change(&mut body, &request.core, &CORES);
    }
    let sealed = [&core[..], &signature, &body].concat();
    // As it was made for, or in another way.
    let (suite, is_signed) = match mode >> 4 {
        0..8 => (request.suite, request.is_signed),
        other => ([X25519, P384][usize::from(other & 1)], other & 2 != 0),
    };
    let accepted = on_all(|index| {
        let key = &bob(suite)[index];
        let accepted = if is_signed {
            key.accepting(&ALICES[index]).accept(CTX, &sealed, &AllowReplays)
        } else {
            key.accept(CTX, &sealed, &AllowReplays)
        };
        accepted.map(|(plaintext, asked)| {
            (plaintext.into_vec(), asked.id(), asked.signer(), asked.time())
        })
    });
    if let Ok((plaintext, _, signer, _)) = &accepted {
        assert_eq!(plaintext, QUESTION);
        assert_eq!(signer.is_some(), is_signed);
        assert!(is_same || mode & 1 != 0, "nobody made it");
    }
    let mut plaintext = Vec::new();
    let key = &bob(suite)[0];
    let read = if is_signed {
        key.accepting(&ALICES[0]).accept_reader(CTX, &sealed[..], &AllowReplays)
    } else {
        key.accept_reader(CTX, &sealed[..], &AllowReplays)
    };
    let read = read
        .and_then(|mut reader| reader.read_to_end(&mut plaintext).and_then(|_| reader.finish()));
    assert_eq!(read.is_ok(), accepted.is_ok());
}

/// The answer secret of the first request, in both suites without a signature.
fn answer_secret(suite: KemSuite) -> [u8; 48] {
    let core = &REQUESTS[if suite == X25519 { 0 } else { 2 }].core.bytes;
    let key = &bob(suite)[0];
    let secret = key.decapsulate(RequestHead::parse(core).unwrap().ciphertext()).unwrap();
    let transcript = Sha384::digest([&core[..], key.encapsulation_key().as_bytes(), CTX].concat());
    let keys: [u8; 80] = hkdf(secret.as_bytes(), &[b"twinseal/request/v1", &transcript]);
    *keys.last_chunk().unwrap()
}

fn pieces_of(start: &[u8], pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let asked = || {
        let (request, _) = made(X25519, false);
        bob(X25519)[0].accept(CTX, &request, &AllowReplays).unwrap().1
    };
    let (made, mut sealer) = hazmat::piece_sealer(asked(), &[7; 32]).unwrap();
    assert!(made.starts_with(start));
    let mut all = vec![made];
    let (last, before) = pieces.split_last().unwrap();
    for piece in before {
        all.push(sealer.piece(piece).unwrap());
    }
    all.push(sealer.finish(last).unwrap());
    all
}

/// A changed answer, sealed again or not.
pub fn answer(data: &[u8]) {
    static ANSWERS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let key: [u8; 32] = hkdf(&answer_secret(X25519), &[b"twinseal/answer/v1"]);
        let lengths = [ANSWER.len(), 0, 16 * 1024];
        let answers = lengths.map(|length| {
            let plaintext = ANSWER.iter().copied().cycle().take(length).collect::<Vec<_>>();
            let body = hazmat::cobblestone_seal(&PORTABLE, &key, &SALT, CTX, &plaintext).unwrap();
            Object::of_fields(&[b"twinansw", &[1], &[1], &body[..24], &body[24..56], &body[56..]])
        });
        answers.into()
    });
    let mut script = Script::new(data);
    let answer = script.changed(&ANSWERS);
    let pending = || made(X25519, false).1;
    let opened = pending().open(&answer).map(Plaintext::into_vec);
    if let Ok(plaintext) = &opened {
        assert!(ANSWERS.iter().any(|known| known.bytes == answer));
        assert!([0, ANSWER.len(), 16 * 1024].contains(&plaintext.len()));
    }
    let mut read = Vec::new();
    let reader = pending().open_reader(&answer[..]);
    let is_read = reader.and_then(|mut reader| reader.read_to_end(&mut read));
    assert_eq!(is_read.is_ok(), opened.is_ok());
    if let Ok(plaintext) = opened {
        assert_eq!(read, plaintext);
    }
}

/// Pieces that are changed, repeated or left out: what comes out is what was sent, from the first on.
pub fn pieces(data: &[u8]) {
    static PIECES: LazyLock<[Vec<u8>; 4]> =
        LazyLock::new(|| [vec![1; 5], vec![], vec![2; 60], vec![3; 17]]);
    static SEALED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        pieces_of(b"twinansw\x01\x02", &PIECES.iter().map(Vec::as_slice).collect::<Vec<_>>())
    });
    let mut script = Script::new(data);
    let mut parts: Vec<&[u8]> = SEALED.iter().map(Vec::as_slice).collect();
    let at = usize::from(script.byte()) % parts.len();
    match script.byte() % 4 {
        1 => {
            parts.remove(at);
        }
        2 => parts.push(parts[at]),
        3 => parts.swap(at, 1),
        _ => {}
    }
    let object = Object::of_fields(&parts);
    let mut answer = object.bytes.clone();
    script.change(&mut answer, &object, std::slice::from_ref(&object));
    let bound = 1 + script.number() % 100;
    let pending = made(X25519, false).1;
    let mut opener = pending.piece_opener().with_bound(bound);
    let size = 1 + usize::from(script.byte());
    let mut opened = 0;
    let mut failed = false;
    'all: for part in answer.chunks(size) {
        opener.update(part);
        loop {
            match opener.next() {
                Ok(Some(piece)) => {
                    assert!(!failed && piece.len() <= bound);
                    assert_eq!(piece[..], PIECES[opened]);
                    opened += 1;
                }
                Ok(None) => break,
                Err(_) => {
                    failed = true;
                    break 'all;
                }
            }
        }
    }
    if failed {
        opener.update(&SEALED[1]);
        assert!(opener.next().is_err(), "the first failure is final");
    } else if opener.finish().is_ok() {
        assert_eq!(opened, PIECES.len());
    }
}
