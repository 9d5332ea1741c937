//! Both halves in tokens of two makers: SoftHSM has the traditional one, kryoptic the post-quantum one.

use std::fs;

use cryptoki::{
    context::Pkcs11,
    object::{Attribute, AttributeType, ObjectClass},
};
use pkcs11::{Algorithm, EcdhP384, EcdsaP384, MlDsa87, MlKem1024};
use twinseal::{
    DecapsulationKey, Error, KemSuite, SigningKey,
    provider::{Decapsulator, PORTABLE, Random, SchemeSigner},
};

use crate::tokens::{Tokens, key};

#[test]
fn a_key_in_two_tokens() {
    let Some(tokens) = Tokens::with_kryoptic() else { return };
    fs::write(tokens.path("data"), "hello").unwrap();
    let listed = tokens.program(&["tokens", "kryoptic.so"]).prints();
    assert!(
        listed.contains("\"quantum\"") && listed.contains("ML-KEM-1024\n  ML-DSA-87"),
        "{listed}"
    );

    let (pq, classic) = (tokens.uri("quantum", "open"), tokens.uri("first", "open"));
    tokens
        .program(&["keygen", "--post-quantum", &pq, "--traditional", &classic, "-o", "open"])
        .prints();
    tokens.program(&["seal", "-r", "open.pub.pem", "-c", "test", "-o", "sealed", "data"]).prints();
    tokens.program(&["open", "-k", "open.halves", "-c", "test", "-o", "opened", "sealed"]).prints();
    assert_eq!(fs::read(tokens.path("opened")).unwrap(), b"hello");

    let (pq, classic) = (tokens.uri("quantum", "sign"), tokens.uri("second", "sign"));
    tokens
        .program(&[
            "keygen",
            "--sign",
            "--post-quantum",
            &pq,
            "--traditional",
            &classic,
            "-o",
            "sign",
        ])
        .prints();
    tokens
        .program(&["sign", "-k", "sign.halves", "-c", "test", "-o", "signature", "data"])
        .prints();
    tokens
        .program(&["verify", "-k", "sign.pub.pem", "-s", "signature", "-c", "test", "data"])
        .prints();
    assert_eq!(
        tokens.files(),
        [
            "data",
            "open.halves",
            "open.pub.pem",
            "opened",
            "sealed",
            "sign.halves",
            "sign.pub.pem",
            "signature"
        ],
    );
}

/// It works, with a warning.
#[test]
fn a_key_in_one_token() {
    let Some(tokens) = Tokens::with_kryoptic() else { return };
    let (pq, classic) = (tokens.uri("quantum", "pq"), tokens.uri("quantum", "classic"));
    let new = ["keygen", "--post-quantum", &pq, "--traditional", &classic, "-o", "one"];
    for arguments in [&new[..], &["check", "-k", "one.halves"]] {
        let outcome = tokens.program(arguments).run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        let warning = "pkcs11: warning: both halves are in one token: \"quantum\", ";
        assert!(outcome.stderr.starts_with(warning), "{}", outcome.stderr);
    }
}

#[test]
fn tokens_do_what_providers_do() {
    let Some(tokens) = Tokens::with_kryoptic() else { return };
    tokens.child("kryoptic::does_what_providers_do");
}

#[test]
#[ignore = "run by tokens_do_what_providers_do"]
fn does_what_providers_do() {
    let Some(tokens) = Tokens::given() else { return };
    let token = tokens.token("quantum");

    let whole = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384).unwrap();
    let public = whole.encapsulation_key().halves().post_quantum.to_vec();
    let half = whole.into_halves().unwrap().post_quantum;
    token.import(Algorithm::MlKem1024, &key("kem"), half.secret_bytes(), &public).unwrap();
    assert_eq!(token.public_half(Algorithm::MlKem1024, &key("kem")).unwrap(), public);
    let in_token = MlKem1024::find(token.clone(), key("kem")).unwrap();
    let in_memory = PORTABLE.ml_kem_1024.key_pair(half.secret_bytes()).unwrap();
    let (mut ciphertext, mut sent) = (vec![0; 1568], [0; 32]);
    in_memory.encapsulator.encapsulate(&mut Random::System, &mut ciphertext, &mut sent).unwrap();
    let decapsulate = |ciphertext: &[u8]| {
        let mut secret = [0; 32];
        in_token.decapsulate(ciphertext, &mut secret).map(|()| secret)
    };
    assert_eq!(decapsulate(&ciphertext).unwrap(), sent);
    // FIPS 203's implicit rejection: another secret, the same as ml-kem's.
    ciphertext[700] ^= 1;
    let mut rejected = [0; 32];
    in_memory.decapsulator.decapsulate(&ciphertext, &mut rejected).unwrap();
    assert_ne!(rejected, sent);
    assert_eq!(decapsulate(&ciphertext).unwrap(), rejected);
    // kryoptic answers CKR_DEVICE_ERROR to those of a wrong length, so it is not asked.
    for len in [0, 1567, 1569] {
        let error = decapsulate(&vec![0; len]).unwrap_err();
        assert!(matches!(error, Error::Length { what: "ciphertext", .. }), "{len}: {error:?}");
    }

    let whole = SigningKey::generate().unwrap();
    let public = whole.verifying_key().halves().post_quantum.to_vec();
    let half = whole.into_halves().unwrap().post_quantum;
    token.import(Algorithm::MlDsa87, &key("dsa"), half.secret_bytes(), &public).unwrap();
    let in_token = MlDsa87::find(token.clone(), key("dsa")).unwrap();
    let verifier = PORTABLE.ml_dsa_87.verifier(&public).unwrap();
    for context in [&b""[..], b"c", &[7; 255]] {
        let signature = in_token.sign(context, b"message").unwrap();
        verifier.verify(context, b"message", &signature).unwrap();
        verifier.verify(b"other", b"message", &signature).unwrap_err();
    }
    assert!(matches!(in_token.sign(&[7; 256], b"").unwrap_err(), Error::Context(_)));

    // What it made, and what it was given, cannot be read out again.
    token.generate(Algorithm::MlKem1024, &key("made kem")).unwrap();
    token.generate(Algorithm::MlDsa87, &key("made dsa")).unwrap();
    let functions = Pkcs11::new(tokens.path("kryoptic.so")).unwrap();
    let slot = functions.get_slots_with_initialized_token().unwrap()[0];
    let session = functions.open_ro_session(slot).unwrap(); // the process is logged in
    for label in ["kem", "dsa", "made kem", "made dsa"] {
        let template = [Attribute::Label(label.into()), Attribute::Class(ObjectClass::PRIVATE_KEY)];
        let object = session.find_objects(&template).unwrap()[0];
        for expected in [
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(label.ends_with("dsa")),
            Attribute::Derive(false),
        ] {
            let found = session.get_attributes(object, &[expected.attribute_type()]).unwrap();
            assert_eq!(found, [expected], "{label}");
        }
        for secret in [AttributeType::Value, AttributeType::Seed] {
            assert_eq!(session.get_attributes(object, &[secret]).unwrap(), [], "{label}");
        }
    }

    // It takes traditional halves, too, and returns points without an OCTET STRING.
    let whole = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384).unwrap();
    let public = whole.encapsulation_key().halves().traditional.to_vec();
    let half = whole.into_halves().unwrap().traditional;
    token.import(Algorithm::EcdhP384, &key("ecdh"), half.secret_bytes(), &public).unwrap();
    token.import(Algorithm::EcdsaP384, &key("ecdsa"), half.secret_bytes(), &public).unwrap();
    for (algorithm, name) in [(Algorithm::EcdhP384, "ecdh"), (Algorithm::EcdsaP384, "ecdsa")] {
        assert_eq!(token.public_half(algorithm, &key(name)).unwrap(), public);
    }
    let in_memory = PORTABLE.p384.key_pair(half.secret_bytes()).unwrap();
    let (mut ciphertext, mut sent, mut secret) = (vec![0; 97], [0; 48], [0; 48]);
    in_memory.encapsulator.encapsulate(&mut Random::System, &mut ciphertext, &mut sent).unwrap();
    let ecdh = EcdhP384::find(token.clone(), key("ecdh")).unwrap();
    ecdh.decapsulate(&ciphertext, &mut secret).unwrap();
    assert_eq!(secret, sent);
    let signature = EcdsaP384::find(token, key("ecdsa")).unwrap().sign(b"", b"message").unwrap();
    PORTABLE.ecdsa_p384.verifier(&public).unwrap().verify(b"", b"message", &signature).unwrap();
}
