//! Keys, ciphertexts and signatures as the providers see them: all must agree on each.

use std::sync::LazyLock;

use twinseal::{
    EncapsulationKey, Error, KemSuite, Signature, VerifyingKey, hazmat,
    kem::Ciphertext,
    provider::{PORTABLE, SchemeVerifier, SignatureScheme},
};

use super::{
    people::{ALICE, ALICES, ALL, COMPOSITE, CTX, P384, X25519, bob, on_all},
    script::{Object, Script},
};
use crate::common::numbers::{ORDER, minus_one};

const SUITES: [KemSuite; 2] = [X25519, P384];
const LABEL: &[u8] = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512";
const ML_DSA: usize = 4627;

/// Public values of curves at which implementations go apart.
static EDGES: LazyLock<Vec<Object>> = LazyLock::new(|| {
    let mut low_order = [0; 32];
    low_order[0] = 1;
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    let order = [&[0][..], &ORDER].concat();
    [
        &low_order[..],
        &[0; 97],
        &prime,
        &[0xff; 97],
        &order,
        &minus_one(&ORDER),
        b"\x01\xd0",
        b"\xff\x0c",
    ]
    .map(|bytes| Object::of_fields(&[bytes]))
    .into()
});

/// The shared secret, or the refusal, of a changed ciphertext.
pub fn kem_ciphertext(data: &[u8]) {
    static CIPHERTEXTS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let ciphertexts = SUITES.map(|suite| {
            let to = bob(suite)[0].encapsulation_key();
            let (ciphertext, _) =
                hazmat::encapsulate(to, super::sessions::randomness(suite)).unwrap();
            let (post_quantum, traditional) = ciphertext.as_bytes().split_at(1568);
            Object::of_fields(&[&post_quantum[..1408], &post_quantum[1408..], traditional])
        });
        ciphertexts.into()
    });
    let mut script = Script::new(data);
    let index = usize::from(script.byte()) % 2;
    let mut bytes = CIPHERTEXTS[index].bytes.clone();
    script.change(&mut bytes, &CIPHERTEXTS[index], &EDGES);
    let suite = SUITES[index];
    let Ok(ciphertext) = Ciphertext::from_bytes(suite, &bytes) else { return };
    assert_eq!(ciphertext.as_bytes(), bytes);
    let decapsulate = |index: usize| bob(suite)[index].decapsulate(&ciphertext);
    let _ = on_all(|index| decapsulate(index).map(|secret| secret.as_bytes().to_vec()));
}

/// Changed encapsulation keys.
pub fn kem_key(data: &[u8]) {
    static KEYS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let keys = SUITES.map(|suite| {
            let (post_quantum, traditional) =
                bob(suite)[0].encapsulation_key().as_bytes().split_at(1568);
            Object::of_fields(&[&post_quantum[..1536], &post_quantum[1536..], traditional])
        });
        keys.into()
    });
    let mut script = Script::new(data);
    let index = usize::from(script.byte()) % 2;
    let mut bytes = KEYS[index].bytes.clone();
    script.change(&mut bytes, &KEYS[index], &EDGES);
    let suite = SUITES[index];
    let Ok(key) = EncapsulationKey::from_bytes(suite, &bytes) else { return };
    assert_eq!(key.as_bytes(), bytes);
    on_all(|index| key.on(ALL[index]).map(|key| key.key_id())).unwrap();
    let (first, secret) = hazmat::encapsulate(&key, super::sessions::randomness(suite)).unwrap();
    let (second, same) = hazmat::encapsulate(&key, super::sessions::randomness(suite)).unwrap();
    assert_eq!((first.as_bytes(), secret.as_bytes()), (second.as_bytes(), same.as_bytes()));
}

static SIGNATURES: LazyLock<Vec<Object>> = LazyLock::new(|| {
    let signatures = [&b"hello"[..], b"", &[7; 100]].map(|message| {
        let signature = hazmat::sign(&ALICE, CTX, message).unwrap();
        let (ml_dsa, ecdsa) = signature.as_bytes().split_at(ML_DSA);
        let (start, hints) = ml_dsa.split_at(ML_DSA - 83);
        Object::of_fields(&[
            &start[..64],
            &start[64..],
            &hints[..75],
            &hints[75..],
            &ecdsa[..2],
            &ecdsa[2..],
        ])
    });
    signatures.into()
});

/// The parser of signatures alone.
pub fn signature(data: &[u8]) {
    let bytes = Script::new(data).changed(&SIGNATURES);
    if let Ok(signature) = Signature::from_bytes(COMPOSITE, &bytes) {
        assert_eq!(signature.as_bytes(), bytes);
        assert!((4635..=4731).contains(&bytes.len()));
    }
}

/// A changed signature, over a message that may be changed, too.
pub fn verify(data: &[u8]) {
    let mut script = Script::new(data);
    let mut bytes = SIGNATURES[0].bytes.clone();
    script.change(&mut bytes, &SIGNATURES[0], &SIGNATURES);
    let message = if script.byte() < 250 { &b"hello"[..] } else { script.bytes(16) };
    let Ok(signature) = Signature::from_bytes(COMPOSITE, &bytes) else { return };
    let verified = on_all(|index| ALICES[index].verify(CTX, message, &signature));
    if verified.is_ok() {
        assert_eq!(message, b"hello");
        // A strong signature has no second form for the same message, but ECDSA's may be negated.
        assert_eq!(bytes[..ML_DSA], SIGNATURES[0].bytes[..ML_DSA]);
    }
}

/// Changed verifying keys.
pub fn verifying_key(data: &[u8]) {
    static KEYS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let (ml_dsa, point) = ALICE.verifying_key().as_bytes().split_at(2592);
        vec![Object::of_fields(&[
            &ml_dsa[..32],
            &ml_dsa[32..],
            &point[..1],
            &point[1..49],
            &point[49..],
        ])]
    });
    static SIGNATURE: LazyLock<Signature> =
        LazyLock::new(|| hazmat::sign(&ALICE, CTX, b"hello").unwrap());
    let mut script = Script::new(data);
    let mut bytes = KEYS[0].bytes.clone();
    script.change(&mut bytes, &KEYS[0], &EDGES);
    let Ok(key) = VerifyingKey::from_bytes(COMPOSITE, &bytes) else { return };
    assert_eq!(key.as_bytes(), bytes);
    let verified = on_all(|index| key.on(ALL[index])?.verify(CTX, b"hello", &SIGNATURE));
    assert_eq!(verified.is_ok(), bytes == KEYS[0].bytes);
}

type Verifier = Box<dyn SchemeVerifier>;

/// Only ML-DSA-87, without the other half, which would hide what it takes.
pub fn ml_dsa(data: &[u8]) {
    static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
        let key = &ALICE.verifying_key().as_bytes()[..2592];
        ALL.iter().map(|provider| provider.ml_dsa_87.verifier(key).unwrap()).collect()
    });
    static OBJECT: LazyLock<Object> = LazyLock::new(|| {
        let pair = PORTABLE.ml_dsa_87.key_pair(&ALICE.secret_bytes()[..32]).unwrap();
        let bytes = pair.signer.sign_deterministic(LABEL, b"hello").unwrap();
        Object::of_fields(&[
            &bytes[..64],
            &bytes[64..ML_DSA - 83],
            &bytes[ML_DSA - 83..ML_DSA - 8],
            &bytes[ML_DSA - 8..],
        ])
    });
    let mut script = Script::new(data);
    let mut bytes = OBJECT.bytes.clone();
    script.change(&mut bytes, &OBJECT, &SIGNATURES);
    if bytes.len() != ML_DSA {
        return; // the layer above never passes it on
    }
    let verified = on_all(|index| VERIFIERS[index].verify(LABEL, b"hello", &bytes));
    assert_eq!(verified, if bytes == OBJECT.bytes { Ok(()) } else { Err(Error::Verify) });
}

/// Only ECDSA over P-384, in DER.
pub fn ecdsa(data: &[u8]) {
    static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
        let key = &ALICE.verifying_key().as_bytes()[2592..];
        ALL.iter().map(|provider| hazmat::ecdsa_p384(provider).verifier(key).unwrap()).collect()
    });
    static OBJECT: LazyLock<Object> = LazyLock::new(|| {
        let pair = hazmat::ecdsa_p384(&PORTABLE).key_pair(&ALICE.secret_bytes()[32..]);
        Object::of_der(pair.unwrap().signer.sign_deterministic(b"", b"hello").unwrap())
    });
    let mut script = Script::new(data);
    let mut bytes = OBJECT.bytes.clone();
    script.change(&mut bytes, &OBJECT, &EDGES);
    let message = if script.byte() < 250 { &b"hello"[..] } else { script.bytes(16) };
    let verified = on_all(|index| VERIFIERS[index].verify(b"", message, &bytes));
    if verified.is_ok() {
        assert_eq!(message, b"hello");
    }
}
