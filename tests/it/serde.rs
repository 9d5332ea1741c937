//! Do public values go through text and binary formats of `serde` unchanged, and are they checked on the way
//! in?

use std::fmt::Debug;

use serde_core::{
    Deserialize, Serialize,
    de::{DeserializeOwned, value},
};
use twinseal::{
    DecapsulationKey, EncapsulationKey, KemSuite, KeyId, Signature, SigningKey, VerifyingKey,
    kem::Ciphertext,
};

type All = (EncapsulationKey, Ciphertext, VerifyingKey, Signature, KeyId);

/// One of each.
fn all(suite: KemSuite) -> All {
    let bob = DecapsulationKey::generate_for(suite).unwrap();
    let alice = SigningKey::generate().unwrap();
    let key = bob.encapsulation_key();
    let (ciphertext, _) = key.encapsulate().unwrap();
    let signature = alice.sign(b"example.com/notes", b"hello").unwrap();
    (key.clone(), ciphertext, alice.verifying_key().clone(), signature, key.key_id())
}

fn cbor(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn from_cbor<T: DeserializeOwned>(value: &ciborium::Value) -> Result<T, String> {
    ciborium::from_reader(&cbor(value)[..]).map_err(|error| error.to_string())
}

#[test]
fn unchanged() {
    for suite in KemSuite::ALL {
        let all = all(*suite);
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<All>(&json).unwrap(), all);
        assert_eq!(ciborium::from_reader::<All, _>(&cbor(&all)[..]).unwrap(), all);
    }
}

/// The forms that SPEC.md has.
#[test]
fn suite_and_bytes() {
    fn check(value: &(impl Serialize + Debug), suite: u16, bytes: &[u8]) {
        use base64::{Engine, prelude::BASE64_STANDARD};

        let expected = [&suite.to_be_bytes(), bytes].concat();
        let text = serde_json::to_value(value).unwrap();
        assert_eq!(text, BASE64_STANDARD.encode(&expected));
        let binary: ciborium::Value = ciborium::from_reader(&cbor(value)[..]).unwrap();
        assert_eq!(binary, ciborium::Value::Bytes(expected));
    }
    let (key, ciphertext, verifying_key, signature, key_id) = all(KemSuite::ML_KEM_1024_P384);
    check(&key, 0x0051, key.as_bytes());
    check(&ciphertext, 0x0051, ciphertext.as_bytes());
    check(&verifying_key, 0x0001, verifying_key.as_bytes());
    check(&signature, 0x0001, signature.as_bytes());
    assert_eq!(serde_json::to_value(key_id).unwrap(), key_id.to_string());
    let binary: ciborium::Value = ciborium::from_reader(&cbor(&key_id)[..]).unwrap();
    assert_eq!(binary, ciborium::Value::Bytes(key_id.as_bytes().to_vec()));
}

/// So `serde` passes the bytes of a binary format that it has kept, behind `flatten` and in untagged enums.
#[test]
fn bytes_from_what_calls_itself_text() {
    let (key, ..) = all(KemSuite::X25519_ML_KEM_1024);
    let bytes = [&[0, 1], key.as_bytes()].concat();
    let kept = value::BytesDeserializer::<value::Error>::new(&bytes);
    assert_eq!(EncapsulationKey::deserialize(kept).unwrap(), key);
}

#[track_caller]
fn assert_refused<T: DeserializeOwned + Debug>(value: &ciborium::Value, reason: &str) {
    let error = from_cbor::<T>(value).unwrap_err();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn checked_on_the_way_in() {
    let (key, ..) = all(KemSuite::X25519_ML_KEM_1024);
    let binary = |change: fn(&mut Vec<u8>)| {
        let mut bytes = [&[0, 1], key.as_bytes()].concat();
        change(&mut bytes);
        ciborium::Value::Bytes(bytes)
    };
    assert!(from_cbor::<EncapsulationKey>(&binary(|_| ())).is_ok());
    let refused = assert_refused::<EncapsulationKey>;
    refused(&binary(|bytes| bytes[1] = 7), "KEM suite");
    refused(&binary(|bytes| bytes.truncate(1)), "encapsulation key");
    refused(&binary(|bytes| bytes.truncate(100)), "1600");
    refused(&binary(|bytes| bytes.push(0)), "1600");
    // A coefficient that is not reduced, and a point of low order.
    refused(&binary(|bytes| bytes[2..5].fill(0xff)), "ML-KEM");
    refused(&binary(|bytes| bytes[1570..].fill(0)), "X25519");
    refused(&ciborium::Value::Integer(1.into()), "invalid type");
    assert_refused::<KeyId>(&ciborium::Value::Bytes(vec![0; 15]), "key id");
    // A signature's suite has the same number as a KEM's: the lengths differ.
    assert!(from_cbor::<Signature>(&binary(|_| ())).is_err());
    assert!(from_cbor::<VerifyingKey>(&binary(|_| ())).is_err());
}

/// One text for each value.
#[test]
fn text_has_one_form() {
    let (key, ciphertext, ..) = all(KemSuite::ML_KEM_1024_P384);
    let text = serde_json::to_value(&ciphertext).unwrap();
    let text = text.as_str().unwrap();
    let read = |text: &str| serde_json::from_value::<Ciphertext>(text.into());
    assert_eq!(read(text).unwrap(), ciphertext);
    let error = "base64 with padding";
    for wrong in
        [format!("{text}="), format!(" {text}"), format!("{text}\n"), text.replace('A', "-")]
    {
        let refusal = read(&wrong).unwrap_err().to_string();
        assert!(refusal.contains(error), "{refusal}");
    }
    let text = serde_json::to_value(&key).unwrap();
    let text = text.as_str().unwrap();
    let read = |text: &str| serde_json::from_value::<EncapsulationKey>(text.into());
    assert_eq!(read(text).unwrap(), key);
    // 1667 bytes are one short of a multiple of three.
    let unpadded = text.strip_suffix('=').unwrap();
    assert!(read(unpadded).unwrap_err().to_string().contains(error));
}
