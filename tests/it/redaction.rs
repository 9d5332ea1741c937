//! Does any text that the crate prints, in `Debug`, `Display` or an error, hold a piece of a secret?

use std::io::{Cursor, Read, Write};

use base64::{Engine, prelude::BASE64_STANDARD};
use twinseal::{
    DecapsulationKey, KemSuite, SigningKey,
    envelope::Header,
    kem::SharedSecret,
    request::{AllowReplays, PieceReader, RequestHead},
};

use crate::common::{
    der::{composite_oid, ec_private_key, pem, pkcs8},
    keys::{COMPOSITE, CTX, P384, X25519},
};

const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";

/// No piece of a secret is in a text, in any of the ways bytes are printed.
pub(crate) fn assert_silent(text: &str, secret: &[u8]) {
    let lower = text.to_lowercase();
    for piece in secret.windows(4) {
        let decimal = format!("{piece:?}");
        let decimal = decimal.trim_matches(['[', ']']);
        assert!(!text.contains(decimal), "{decimal} in {text}");
        let lines = decimal.replace(", ", ",\n");
        let unindented: String = text.split(' ').collect();
        assert!(!unindented.contains(&lines), "{lines} in {text}");
        assert!(!lower.contains(&hex::encode(piece)), "hex in {text}");
        let spaced = format!("{piece:02x?}").to_lowercase();
        assert!(!lower.contains(spaced.trim_matches(['[', ']'])), "hex in {text}");
    }
    for piece in secret.windows(9) {
        let base64 = BASE64_STANDARD.encode(piece);
        assert!(!text.contains(&base64), "base64 in {text}");
    }
}

/// Bytes that do not look like anything else.
fn strange<const N: usize>() -> [u8; N] {
    std::array::from_fn(|index| (index as u8).wrapping_mul(151).wrapping_add(77))
}

fn debug<T: std::fmt::Debug>(value: &T) -> String {
    format!("{value:?} {value:#?} {value:02x?}")
}

#[test]
fn the_control_is_not_silent() {
    let secret = strange::<32>();
    let texts = [
        debug(&secret),
        format!("{secret:#?}"),
        format!("{secret:02X?}"),
        hex::encode_upper(secret),
        BASE64_STANDARD.encode(secret),
        pem("TEST", &secret),
    ];
    for text in texts {
        assert!(std::panic::catch_unwind(|| assert_silent(&text, &secret)).is_err());
    }
}

#[test]
fn secret_types_are_silent() {
    for &suite in KemSuite::ALL {
        let seed = strange::<32>();
        let key = DecapsulationKey::from_seed(suite, &seed).unwrap();
        let pem = key.to_pem();
        assert_silent(&debug(&key), &seed);
        assert_silent(&debug(&pem), &seed);
        assert_eq!(format!("{pem:?}"), "PrivatePem(..)");

        let secret = &strange::<64>()[..suite.shared_secret_len()];
        assert_silent(&debug(&SharedSecret::from_bytes(suite, secret).unwrap()), secret);

        let text = strange::<100>();
        let sealed = key.encapsulation_key().seal(CTX, &text).unwrap();
        assert_silent(&debug(&key.open(CTX, &sealed).unwrap()), &text);

        let header = Header::parse(&sealed).unwrap();
        let recipient = header.find(key.encapsulation_key()).unwrap();
        let secret = key.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
        let body_key = header.unlock(&recipient, &secret).unwrap();
        assert_silent(&debug(&secret), secret.as_bytes());
        assert_eq!(debug(&body_key), "BodyKey(..) BodyKey(..) BodyKey(..)");
    }
    let bytes = [&strange::<32>()[..], &ec_private_key(&strange::<48>())].concat();
    let key = SigningKey::from_bytes(COMPOSITE, &bytes).unwrap();
    let der = key.to_pkcs8_der().unwrap();
    assert_eq!(format!("{der:?}"), "PrivateDer(..)");
    for text in [debug(&key), debug(&key.to_pem()), debug(&der), debug(&key.without_context())] {
        assert_silent(&text, &strange::<48>());
    }
}

/// Neither the question nor the answer is in what prints the objects between them.
#[test]
fn requests_are_silent() {
    let (question, answer) = (strange::<100>(), strange::<90>());
    for &suite in KemSuite::ALL {
        let key = DecapsulationKey::from_seed(suite, &strange::<32>()).unwrap();
        let to = key.encapsulation_key();
        let sealer = to.request_sealer(CTX).unwrap();
        let writer = to.request_writer(CTX, Vec::new()).unwrap();
        let (request, pending) = to.request(CTX, &question).unwrap();
        let head = RequestHead::parse(&request).unwrap();
        let body = &request[head.len()..];
        let (prefix, first) = body.split_first_chunk().unwrap();
        let unlocked = || key.accept_head(CTX, head.clone()).unwrap().unlock().unwrap();
        let opened = unlocked().open(body).unwrap();
        let begun = unlocked().begin(prefix, first).unwrap();
        let id = pending.id();
        assert_eq!(format!("{opened:?} {begun:?}"), format!("Unadmitted({id}) Unadmitted({id})"));
        let mut text = [debug(&sealer), debug(&writer), debug(&pending)].concat();
        text += &[debug(&unlocked()), debug(&opened), debug(&begun)].concat();
        let (plaintext, asked) = opened.admitted(Ok(())).unwrap();
        let (_, opener) = begun.admitted(Ok(())).unwrap();
        let reader = key.accept_reader(CTX, &request[..], &AllowReplays).unwrap();
        text += &[debug(&plaintext), debug(&asked), debug(&opener), debug(&reader)].concat();

        let failed = pending.open(&request).unwrap_err();
        text += &format!("{failed} {}", debug(&failed));
        let (start, mut sealer) = asked.piece_sealer().unwrap();
        let piece = sealer.piece(&answer).unwrap();
        let mut opener = failed.pending.piece_opener();
        opener.update(&[start, piece].concat());
        text += &[debug(&sealer), debug(&opener)].concat();
        text += &debug(&opener.next().unwrap());
        text += &debug(&opener);
        let mut reader = pieces(&key, &question, &answer);
        text += &debug(&reader);
        reader.read_exact(&mut [0; 10]).unwrap();
        text += &debug(&reader);
        assert_silent(&text, &question);
        assert_silent(&text, &strange::<32>());
    }
}

/// A reader of an answer in pieces, of two.
fn pieces(key: &DecapsulationKey, question: &[u8], answer: &[u8]) -> PieceReader<Cursor<Vec<u8>>> {
    let (request, pending) = key.encapsulation_key().request(CTX, question).unwrap();
    let (_, asked) = key.accept(CTX, &request, &AllowReplays).unwrap();
    let mut writer = asked.piece_writer(Vec::new()).unwrap();
    writer.piece(answer).unwrap();
    writer.write_all(answer).unwrap();
    assert_silent(&debug(&writer), answer);
    pending.piece_reader(Cursor::new(writer.finish().unwrap()))
}

#[cfg(feature = "hazmat")]
#[test]
fn given_randomness_is_silent() {
    let secret = strange::<80>();
    let randomness = twinseal::hazmat::SealRandomness {
        content_key: *secret.first_chunk().unwrap(),
        salt: [0; 24],
        encapsulations: &[&secret],
    };
    assert_silent(&debug(&randomness), &secret);
}

/// Secrets that are refused do not come back in the error.
#[test]
fn errors_are_silent() {
    let secret = strange::<48>();
    let scalar_too_high = [&[0xff; 24], &strange::<24>()[..]].concat();
    let in_key = |scalar: &[u8]| [&strange::<32>()[..], &ec_private_key(scalar)].concat();
    let oid = composite_oid();
    let text = |label, content: &[u8]| pem(label, content);
    let with_suite = |id: u16, bytes: &[u8]| [&id.to_be_bytes(), bytes].concat();
    let kem = "TWINSEAL KEM PRIVATE KEY";
    let errors = [
        DecapsulationKey::from_seed(X25519, &secret).unwrap_err(),
        SharedSecret::from_bytes(X25519, &secret).unwrap_err(),
        DecapsulationKey::from_pem(&text(kem, &with_suite(1, &secret))).unwrap_err(),
        DecapsulationKey::from_pem(&text(kem, &with_suite(2, &secret))).unwrap_err(),
        DecapsulationKey::from_pem(&text("PRIVATE KEY", &secret)).unwrap_err(),
        DecapsulationKey::from_pem(&hex::encode(secret)).unwrap_err(),
        DecapsulationKey::from_pem(&BASE64_STANDARD.encode(secret)).unwrap_err(),
        SigningKey::from_bytes(COMPOSITE, &secret).unwrap_err(),
        SigningKey::from_bytes(COMPOSITE, &[secret; 2].concat()).unwrap_err(),
        SigningKey::from_bytes(COMPOSITE, &in_key(&scalar_too_high[1..])).unwrap_err(),
        SigningKey::from_bytes(COMPOSITE, &in_key(&[0xff; 48])).unwrap_err(),
        SigningKey::from_pkcs8_der(&secret).unwrap_err(),
        SigningKey::from_pkcs8_der(&pkcs8(&oid, &secret)).unwrap_err(),
        SigningKey::from_pkcs8_der(&pkcs8(ED25519, &secret)).unwrap_err(),
        SigningKey::from_pem(&text("PRIVATE KEY", &secret)).unwrap_err(),
        SigningKey::from_pem(&text(kem, &secret)).unwrap_err(),
        DecapsulationKey::import_pem(&text("PRIVATE KEY", &secret)).unwrap_err(),
        DecapsulationKey::import_bytes(P384, &[secret; 2].concat()).unwrap_err(),
        SigningKey::import_der(&secret).unwrap_err(),
        SigningKey::import_der(&pkcs8(&oid, &secret)).unwrap_err(),
        SigningKey::import_bytes(COMPOSITE, &[secret; 2].concat()).unwrap_err(),
        SigningKey::import_bytes(COMPOSITE, &in_key(&[0xff; 48])).unwrap_err(),
        SigningKey::import_expanded_bytes(COMPOSITE, &in_key(&secret)).unwrap_err(),
        SigningKey::import_expanded_bytes(COMPOSITE, &secret.repeat(103)).unwrap_err(),
    ];
    for error in errors {
        assert_silent(&format!("{error} {}", debug(&error)), &secret);
        let io = std::io::Error::from(error);
        assert_silent(&format!("{io} {io:?}"), &secret);
    }
}
