//! Which bytes are refused as an envelope, and how many recipients are too many?

use twinseal::{DecapsulationKey, EncapsulationKey, Recipients, envelope::Header};

use super::{LOW_ORDER, NOT_BELOW_PRIME};
use crate::common::{
    errors::{invalid, length, misuse, outcome, truncated, unknown},
    keys::{CTX, X25519, kem_key},
};

#[test]
fn envelopes() {
    let key = kem_key(X25519, 10);
    let valid = key.encapsulation_key().seal(CTX, b"hello").unwrap();
    let with = |position: usize, bytes: &[u8]| {
        let mut changed = valid.clone();
        changed[position..position + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let not_ours = "NotAnEnvelope".to_string();
    let count = invalid("envelope header", "it must have 1 to 1000 recipients");
    let wrong_length = |actual| length("recipient's ciphertext", 1600, actual);
    let table = [
        ("nothing", vec![], truncated("envelope header", 8, 0)),
        ("one byte", b"t".to_vec(), truncated("envelope header", 8, 1)),
        ("the magic", b"twinseal".to_vec(), truncated("envelope header", 9, 8)),
        ("zeros", vec![0; 5000], not_ours.clone()),
        ("ones", vec![0xff; 5000], not_ours.clone()),
        ("another magic", with(0, b"Twinseal"), not_ours.clone()),
        ("a session's magic", with(0, b"twinsess"), not_ours.clone()),
        ("PEM", key.encapsulation_key().to_pem().into(), not_ours.clone()),
        ("a bare body", valid[12 + 1668 + 32..].to_vec(), not_ours),
        ("version 0", with(8, &[0]), unknown("envelope version", 0)),
        ("version 2", with(8, &[2]), unknown("envelope version", 2)),
        ("body 0", with(9, &[0]), unknown("envelope body", 0)),
        ("body 255", with(9, &[255]), unknown("envelope body", 255)),
        ("no recipients", with(10, &[0, 0]), count.clone()),
        ("1001 recipients", with(10, &[3, 0xe9]), count.clone()),
        ("65535 recipients", with(10, &[255, 255]), count),
        ("no ciphertext", with(30, &[0, 0]), wrong_length(0)),
        ("one byte less", with(30, &[6, 63]), wrong_length(1599)),
        ("one byte more", with(30, &[6, 65]), wrong_length(1601)),
        (
            "another suite's name",
            with(12, &[0, 0x51]),
            length("recipient's ciphertext", 1665, 1600),
        ),
        ("an unknown suite", with(12, &[0xff, 0xff]), "NotARecipient".into()),
        ("another key id", with(14, &[0; 16]), "NotARecipient".into()),
        (
            "a low-order ciphertext",
            with(32 + 1568, &[0; 32]),
            invalid("X25519 public value", LOW_ORDER),
        ),
        (
            "a non-canonical ciphertext",
            with(32 + 1568, &[0xff; 32]),
            invalid("X25519 public value", NOT_BELOW_PRIME),
        ),
        ("another ML-KEM ciphertext", with(32, &[0; 1568]), "Open".into()),
        ("no body", valid[..12 + 1668 + 32].to_vec(), "Open".into()),
    ];
    for (form, sealed, expected) in table {
        assert_eq!(outcome(key.open(CTX, &sealed)), expected, "{form}");
        let parsed = outcome(Header::parse(&sealed));
        let judged_later = ["an unknown suite", "another key id", "no body"].contains(&form)
            || form.contains("ciphertext") && form != "no ciphertext";
        assert_eq!(parsed, if judged_later { "Ok" } else { &expected }, "{form}");
    }
}

#[test]
fn numbers_of_recipients() {
    let keys: Vec<_> = (0u16..1001)
        .map(|number| {
            let mut seed = [0; 32];
            seed[..2].copy_from_slice(&number.to_be_bytes());
            DecapsulationKey::from_seed(X25519, &seed).unwrap()
        })
        .collect();
    let to = |keys: &[DecapsulationKey]| {
        Recipients::new(keys.iter().map(DecapsulationKey::encapsulation_key))
    };
    let number = misuse("recipients", "there must be 1 to 1000");
    assert_eq!(outcome(to(&[])), number);
    assert_eq!(outcome(to(&keys)), number);
    let twice = misuse("recipients", "a key is listed twice");
    let one = keys[0].encapsulation_key();
    assert_eq!(outcome(Recipients::new([one, one])), twice);
    let (two, parsed) = (keys[1].encapsulation_key(), one.as_bytes());
    let parsed = EncapsulationKey::from_bytes(X25519, parsed).unwrap();
    assert_eq!(outcome(Recipients::new([one, two, &parsed])), twice);

    let most = to(&keys[..1000]).unwrap();
    let sealed = most.seal(CTX, b"hello").unwrap();
    assert_eq!(most.sealed_len(5), Some(sealed.len() as u64));
    for key in [&keys[0], &keys[500], &keys[999]] {
        assert_eq!(&key.open(CTX, &sealed).unwrap()[..], b"hello");
    }
    assert_eq!(outcome(keys[1000].open(CTX, &sealed)), "NotARecipient");
}
