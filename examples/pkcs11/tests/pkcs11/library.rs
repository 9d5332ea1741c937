//! Halves in SoftHSM, as a service uses them: in several threads, for a long time, and when the token has troubles.

use std::{fs, thread};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, AttributeType, ObjectClass},
    session::{Session, UserType},
    types::AuthPin,
};
use pkcs11::{
    Algorithm, EcdhP384, EcdsaP384, Failure, Fault, KeyName, MlKem1024, Module, Pin, Token,
    TokenName,
};
use twinseal::{
    Decapsulate, DecapsulationKey, Error, KemSuite,
    provider::{Decapsulator, PORTABLE, Random, SchemeSigner},
    split::SplitDecapsulationKey,
};

use crate::tokens::{Tokens, key};

/// Each is a child, which has the tokens of its parent.
macro_rules! children {
    ($($test:ident runs $child:ident;)*) => { $(
        #[test]
        fn $test() {
            let Some(tokens) = Tokens::soft_hsm() else { return };
            tokens.child(concat!("library::", stringify!($child)));
        }
    )* };
}

children! {
    keys_are_as_secret_as_they_can_be runs makes_keys;
    tokens_do_what_providers_do runs does_what_providers_do;
    several_threads_share_a_half runs is_shared;
    a_lost_session_is_one_failure runs loses_sessions;
    a_wrong_pin_is_tried_once runs tries_a_wrong_pin;
    wrong_keys_are_named runs finds_wrong_keys;
    a_new_key_is_taken_back_alone runs takes_a_key_back;
    a_tampered_ciphertext_is_no_failure runs opens_tampered;
}

/// A session beside those of the library, in the same process.
fn session(tokens: &Tokens, label: &str) -> (Pkcs11, Session) {
    let functions = Pkcs11::new(tokens.path("softhsm.so")).unwrap();
    let _ = functions.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
    let mut slots = functions.get_slots_with_initialized_token().unwrap();
    slots.retain(|slot| functions.get_token_info(*slot).unwrap().label() == label);
    let session = functions.open_rw_session(slots[0]).unwrap();
    let _ = session.login(UserType::User, Some(&AuthPin::new(format!("{label} pin").into())));
    (functions, session)
}

/// A P-384 key pair for ECDH in a token, and what sealing to it gives.
fn ecdh(token: &Token, label: &str) -> (EcdhP384, Vec<u8>, [u8; 48]) {
    let public = token.generate(Algorithm::EcdhP384, &key(label)).unwrap();
    let encapsulator = PORTABLE.p384.encapsulator(public.public_half()).unwrap();
    let (mut ciphertext, mut sent) = (vec![0; 97], [0; 48]);
    encapsulator.encapsulate(&mut Random::System, &mut ciphertext, &mut sent).unwrap();
    (EcdhP384::find(token.clone(), key(label)).unwrap(), ciphertext, sent)
}

fn decapsulate(half: &EcdhP384, ciphertext: &[u8]) -> Result<[u8; 48], Error> {
    let mut secret = [0; 48];
    half.decapsulate(ciphertext, &mut secret).map(|()| secret)
}

/// What the token said, from an error of the library.
fn said(error: &Error) -> String {
    let Error::External(failure) = error else { panic!("{error:?}") };
    std::error::Error::source(failure).unwrap().to_string()
}

fn fault<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    result.unwrap_err().to_string()
}

#[test]
#[ignore = "run by keys_are_as_secret_as_they_can_be"]
fn makes_keys() {
    let Some(tokens) = Tokens::given() else { return };
    let token = tokens.token("first");
    let scalar = [7; 48];
    let public = PORTABLE.p384.key_pair(&scalar).unwrap().encapsulation_key;
    token.generate(Algorithm::EcdhP384, &key("generated open")).unwrap();
    token.generate(Algorithm::EcdsaP384, &key("generated sign")).unwrap();
    token.import(Algorithm::EcdhP384, &key("imported open"), &scalar, &public).unwrap();
    token.import(Algorithm::EcdsaP384, &key("imported sign"), &scalar, &public).unwrap();
    let (_, session) = session(&tokens, "first");
    for label in ["generated open", "generated sign", "imported open", "imported sign"] {
        let template = [Attribute::Label(label.into()), Attribute::Class(ObjectClass::PRIVATE_KEY)];
        let object = session.find_objects(&template).unwrap()[0];
        let opens = label.ends_with("open");
        for expected in [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Derive(opens),
            Attribute::Sign(!opens),
            Attribute::SignRecover(false),
            Attribute::Decrypt(false),
            Attribute::Unwrap(false),
            Attribute::AlwaysSensitive(label.starts_with("generated")),
            Attribute::NeverExtractable(label.starts_with("generated")),
        ] {
            let found = session.get_attributes(object, &[expected.attribute_type()]).unwrap();
            assert_eq!(found, [expected], "{label}");
        }
        assert_eq!(session.get_attributes(object, &[AttributeType::Value]).unwrap(), [], "{label}");
    }
    // A second key of a name would hide the first.
    let error = fault(token.generate(Algorithm::EcdhP384, &key("imported sign")));
    assert!(error.ends_with("\"imported sign\": there is already a key of that name"), "{error}");
    token.destroy(&key("imported sign")).unwrap();
    token.generate(Algorithm::EcdhP384, &key("imported sign")).unwrap();
    // Neither is a half of the wrong length, nor a key without a name, and nothing of them remains.
    let error = fault(token.import(Algorithm::EcdhP384, &key("short"), &scalar[..47], &public));
    assert!(error.ends_with("the token's private half has 47 bytes, not 48"), "{error}");
    let error = fault(token.import(Algorithm::EcdhP384, &key("short"), &scalar, &public[..96]));
    assert!(error.ends_with("the token's public half has 96 bytes, not 97"), "{error}");
    let error = fault(token.generate(Algorithm::EcdhP384, &KeyName::default()));
    assert!(error.ends_with("add object= to the URI"), "{error}");
    assert!(token.destroy(&KeyName::default()).is_err());
    // SoftHSM has no ML-KEM: the second object is not made, either.
    let error = fault(token.generate(Algorithm::MlKem1024, &key("short")));
    assert!(error.contains("C_GenerateKeyPair failed with CKR_MECHANISM_INVALID"), "{error}");
    assert_eq!(session.find_objects(&[Attribute::Label("short".into())]).unwrap(), []);
    assert_eq!(session.find_objects(&[Attribute::Token(true)]).unwrap().len(), 8);
}

#[test]
#[ignore = "run by tokens_do_what_providers_do"]
fn does_what_providers_do() {
    let Some(tokens) = Tokens::given() else { return };
    let token = tokens.token("first");
    let (half, ciphertext, sent) = ecdh(&token, "open");
    for _ in 0..20 {
        assert_eq!(decapsulate(&half, &ciphertext).unwrap(), sent);
    }
    // The token keeps none of these secrets.
    let (_, session) = session(&tokens, "first");
    assert_eq!(session.find_objects(&[Attribute::Token(false)]).unwrap(), []);
    assert!(matches!(decapsulate(&half, &ciphertext[1..]).unwrap_err(), Error::Length { .. }));

    let public = token.generate(Algorithm::EcdsaP384, &key("sign")).unwrap();
    assert_eq!(
        token.public_half(Algorithm::EcdsaP384, &key("sign")).unwrap(),
        public.public_half()
    );
    let half = EcdsaP384::find(token, key("sign")).unwrap();
    let verifier = PORTABLE.ecdsa_p384.verifier(public.public_half()).unwrap();
    for len in [0, 1, 127, 128, 129, 100_000] {
        let message = vec![7; len];
        verifier.verify(b"", &message, &half.sign(b"", &message).unwrap()).unwrap();
    }
    assert!(matches!(half.sign(b"context", b"").unwrap_err(), Error::Context(_)));
}

#[test]
#[ignore = "run by several_threads_share_a_half"]
fn is_shared() {
    let Some(tokens) = Tokens::given() else { return };
    let token = tokens.token("first");
    let (half, ciphertext, sent) = ecdh(&token, "open");
    let public = token.generate(Algorithm::EcdsaP384, &key("sign")).unwrap();
    let signer = EcdsaP384::find(token, key("sign")).unwrap();
    let verifier = PORTABLE.ecdsa_p384.verifier(public.public_half()).unwrap();
    thread::scope(|scope| {
        for number in 0..8_u8 {
            let (half, ciphertext, signer, verifier) = (&half, &ciphertext, &signer, &verifier);
            scope.spawn(move || {
                for round in 0..20_u8 {
                    assert_eq!(decapsulate(half, ciphertext).unwrap(), sent);
                    let message = [number, round];
                    verifier.verify(b"", &message, &signer.sign(b"", &message).unwrap()).unwrap();
                }
            });
        }
    });
}

#[test]
#[ignore = "run by a_lost_session_is_one_failure"]
fn loses_sessions() {
    let Some(tokens) = Tokens::given() else { return };
    let (half, ciphertext, sent) = ecdh(&tokens.token("first"), "open");
    assert_eq!(decapsulate(&half, &ciphertext).unwrap(), sent);

    // Somebody else in this process logs out.
    let (_, other) = session(&tokens, "first");
    other.logout().unwrap();
    let error = decapsulate(&half, &ciphertext).unwrap_err();
    assert!(
        said(&error).starts_with("token \"first\", key \"open\": C_DeriveKey failed with CKR_"),
        "{}",
        said(&error)
    );
    assert_eq!(decapsulate(&half, &ciphertext).unwrap(), sent);
    drop(other);

    // The module starts anew: all sessions are gone.
    let (functions, other) = session(&tokens, "first");
    drop(other);
    functions.clone().finalize().unwrap();
    let error = decapsulate(&half, &ciphertext).unwrap_err();
    assert!(
        said(&error).ends_with("C_DeriveKey failed with CKR_CRYPTOKI_NOT_INITIALIZED"),
        "{}",
        said(&error)
    );
    functions.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    assert_eq!(decapsulate(&half, &ciphertext).unwrap(), sent);
    functions.clone().finalize().unwrap();
    functions.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let error = decapsulate(&half, &ciphertext).unwrap_err();
    assert!(
        said(&error).ends_with("C_DeriveKey failed with CKR_SESSION_HANDLE_INVALID"),
        "{}",
        said(&error)
    );
    assert_eq!(decapsulate(&half, &ciphertext).unwrap(), sent);

    // The token is away, and comes back.
    functions.clone().finalize().unwrap();
    fs::rename(tokens.path("softhsm"), tokens.path("softhsm-away")).unwrap();
    fs::create_dir(tokens.path("softhsm")).unwrap();
    functions.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    decapsulate(&half, &ciphertext).unwrap_err();
    let error = decapsulate(&half, &ciphertext).unwrap_err();
    assert!(said(&error).contains("there is no such token"), "{}", said(&error));
    functions.clone().finalize().unwrap();
    fs::remove_dir_all(tokens.path("softhsm")).unwrap();
    fs::rename(tokens.path("softhsm-away"), tokens.path("softhsm")).unwrap();
    functions.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    assert_eq!(decapsulate(&half, &ciphertext).unwrap(), sent);
}

#[test]
#[ignore = "run by a_wrong_pin_is_tried_once"]
fn tries_a_wrong_pin() {
    let Some(tokens) = Tokens::given() else { return };
    let pin = |pin| {
        let module = Module::load(tokens.path("softhsm.so")).unwrap();
        Token::new(module, TokenName::label("first"), pin)
    };
    let file = tokens.path("pin");
    fs::write(&file, "wrong").unwrap();
    let token = pin(Pin::File(file.clone()));
    let error = token.generate(Algorithm::EcdhP384, &key("open")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "token \"first\", key \"open\": C_Login failed with CKR_PIN_INCORRECT"
    );
    for _ in 0..20 {
        let error = token.generate(Algorithm::EcdhP384, &key("open")).unwrap_err();
        assert!(matches!(error.fault(), Fault::RefusedPin), "{error}");
    }
    // A new PIN is used without a restart.
    fs::write(&file, "first pin").unwrap();
    token.generate(Algorithm::EcdhP384, &key("open")).unwrap();

    for (content, reason) in [("", "it is empty"), ("a\nb", "it has more than one line")] {
        fs::write(&file, content).unwrap();
        let error = fault(token.public_half(Algorithm::EcdhP384, &key("open")));
        assert!(error.ends_with(reason), "{error}");
    }
    let error = fault(pin(Pin::File(tokens.path("absent"))).destroy(&key("open")));
    assert!(error.contains("the PIN cannot be read from") && error.contains("absent"), "{error}");
    let error = fault(pin(Pin::Variable("TWINSEAL_NO_SUCH_PIN".into())).destroy(&key("open")));
    assert!(
        error.contains("the PIN cannot be read from the variable TWINSEAL_NO_SUCH_PIN"),
        "{error}"
    );
    // SoftHSM has no keyboard.
    let error = fault(pin(Pin::Keyboard).destroy(&key("open")));
    assert!(error.contains("the token wants a PIN"), "{error}");
}

#[test]
#[ignore = "run by wrong_keys_are_named"]
fn finds_wrong_keys() {
    let Some(tokens) = Tokens::given() else { return };
    let token = tokens.token("first");
    let missing = fault(EcdhP384::find(token.clone(), key("open")));
    assert_eq!(missing, "token \"first\", key \"open\": there is no private key of that name");
    assert!(fault(EcdhP384::find(token.clone(), KeyName::default())).contains("no private key"));

    // P-256, for which a ciphertext would be too long.
    let (_, session) = session(&tokens, "first");
    let p256 = Attribute::EcParams(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".to_vec());
    let name = |label: &str| vec![Attribute::Token(true), Attribute::Label(label.into())];
    let public = [name("p256"), vec![p256]].concat();
    session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &name("p256")).unwrap();
    let error = fault(EcdhP384::find(token.clone(), key("p256")));
    assert!(error.ends_with("the key is not for ECDH on P-384"), "{error}");
    let error = fault(token.public_half(Algorithm::EcdsaP384, &key("p256")));
    assert!(error.ends_with("the key is not for ECDSA on P-384"), "{error}");

    token.generate(Algorithm::EcdhP384, &key("twice")).unwrap();
    let error = fault(MlKem1024::find(token.clone(), key("twice")));
    assert!(error.ends_with("the key is not for ML-KEM-1024"), "{error}");
    let private = [Attribute::Label("twice".into()), Attribute::Class(ObjectClass::PRIVATE_KEY)];
    let object = session.find_objects(&private).unwrap()[0];
    session.copy_object(object, &[Attribute::Id(vec![7])]).unwrap();
    let error = fault(EcdhP384::find(token.clone(), key("twice")));
    assert!(
        error.ends_with("there are several private keys of that name; add id= to the URI"),
        "{error}"
    );
    EcdhP384::find(token.clone(), KeyName { id: vec![7], ..key("twice") }).unwrap();
    EcdhP384::find(token.clone(), KeyName { id: vec![7], label: String::new() }).unwrap();

    // A key for signatures does not open, whatever its caller thinks, and none can be read out.
    token.generate(Algorithm::EcdsaP384, &key("sign")).unwrap();
    let error = fault(EcdhP384::find(token.clone(), key("sign")));
    assert!(error.contains("key \"sign\": CKA_SIGN of the private key is not false: "), "{error}");
    let p384 = Attribute::EcParams(b"\x06\x05\x2b\x81\x04\x00\x22".to_vec());
    for (label, [sensitive, extractable, sign], reason) in [
        ("shown", [false, false, false], "CKA_SENSITIVE"),
        ("wrapped", [true, true, false], "CKA_EXTRACTABLE"),
        ("both", [true, false, true], "CKA_SIGN"),
    ] {
        let public = [name(label), vec![p384.clone()]].concat();
        let private = [
            name(label),
            vec![Attribute::Sensitive(sensitive), Attribute::Extractable(extractable)],
            vec![Attribute::Sign(sign), Attribute::Derive(true)],
        ]
        .concat();
        session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
        let error = fault(EcdhP384::find(token.clone(), key(label)));
        assert!(error.contains(&format!("key {label:?}: {reason} of the private key")), "{error}");
    }
}

#[test]
#[ignore = "run by a_new_key_is_taken_back_alone"]
fn takes_a_key_back() {
    let Some(tokens) = Tokens::given() else { return };
    let token = tokens.token("first");
    let (_, session) = session(&tokens, "first");
    let of_name = |label: &str| session.find_objects(&[Attribute::Label(label.into())]).unwrap();
    let scalar = [7; 48];
    let point = PORTABLE.p384.key_pair(&scalar).unwrap().encapsulation_key;
    for (label, new) in [
        ("made", token.generate(Algorithm::EcdhP384, &key("made")).unwrap()),
        ("moved", token.import(Algorithm::EcdhP384, &key("moved"), &scalar, &point).unwrap()),
    ] {
        let ours = of_name(label);
        assert_eq!(ours.len(), 2, "{label}");
        // Somebody else's objects of the same name, which came later.
        let theirs = Attribute::Id(vec![9]);
        for object in &ours {
            session.copy_object(*object, std::slice::from_ref(&theirs)).unwrap();
        }
        new.destroy().unwrap();
        let left = of_name(label);
        assert_eq!(left.len(), 2, "{label}");
        for object in left {
            assert!(!ours.contains(&object), "{label}");
            let id = session.get_attributes(object, &[AttributeType::Id]).unwrap();
            assert_eq!(id, std::slice::from_ref(&theirs), "{label}");
        }
    }
}

#[test]
#[ignore = "run by a_tampered_ciphertext_is_no_failure"]
fn opens_tampered() {
    let Some(tokens) = Tokens::given() else { return };
    let whole = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384).unwrap();
    let public = whole.encapsulation_key().clone();
    let halves = whole.into_halves().unwrap();
    let token = tokens.token("first");
    let (private, point) = (halves.traditional.secret_bytes(), public.halves().traditional);
    token.import(Algorithm::EcdhP384, &key("open"), private, point).unwrap();
    let traditional = EcdhP384::find(token, key("open")).unwrap();
    let split = SplitDecapsulationKey::new(
        public.clone(),
        halves.post_quantum.into(),
        Box::new(traditional),
    );
    split.check().unwrap();

    let (ciphertext, secret) = public.encapsulate().unwrap();
    assert_eq!(split.decapsulate(&ciphertext).unwrap().as_bytes(), secret.as_bytes());
    let (other, _) = public.encapsulate().unwrap();
    let (ours, others) = (ciphertext.halves(), other.halves());
    for mixed in [
        [ours.post_quantum, others.traditional].concat(),
        [others.post_quantum, ours.traditional].concat(),
    ] {
        let mixed =
            twinseal::kem::Ciphertext::from_bytes(KemSuite::ML_KEM_1024_P384, &mixed).unwrap();
        assert_ne!(split.decapsulate(&mixed).unwrap().as_bytes(), secret.as_bytes());
    }
}
