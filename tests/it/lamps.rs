//! Does the composite signature agree with the LAMPS working group's vector for
//! id-MLDSA87-ECDSA-P384-SHA512, and can neither half be replaced or stripped off?
//!
//! Other software reads what the crate writes, and the ML-DSA half is checked with C2SP's accumulated
//! vector, too.

use ml_dsa::MlDsa87;
use p384::ecdsa;
use sha2::{Digest, Sha512};
use shake::{ExtendableOutput, Shake128, Update, XofReader};
use signature::{Signer, Verifier};
use twinseal::{
    Error, Signature, SignatureSuite, SigningKey, VerifyingKey, hazmat,
    provider::{PORTABLE, SignatureScheme},
};
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

use crate::common::{providers::PROVIDERS, vectors};

const SUITE: SignatureSuite = SignatureSuite::ML_DSA_87_ECDSA_P384;

/// The lengths of the ML-DSA halves.
const ML_DSA_KEY: usize = 2592;
const ML_DSA_SIGNATURE: usize = 4627;

const LABEL: &[u8] = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512";

/// A field of the vector.
fn vector(field: &str) -> Vec<u8> {
    vectors::value(include_str!("../vectors/sign-0001.txt"), field)
}

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(SUITE, &vector("signing_key")).unwrap()
}

fn verifying_key() -> VerifyingKey {
    VerifyingKey::from_bytes(SUITE, &vector("verifying_key")).unwrap()
}

fn signature(bytes: &[u8]) -> Signature {
    Signature::from_bytes(SUITE, bytes).unwrap()
}

#[test]
fn private_key_to_public_key() {
    for provider in *PROVIDERS {
        let key = signing_key().on(provider).unwrap();
        assert_eq!(key.verifying_key().as_bytes(), vector("verifying_key"));
    }
}

#[test]
fn official_signatures_verify() {
    let (message, context) = (vector("message"), vector("context"));
    let without = signature(&vector("signature_without_context"));
    let with = signature(&vector("signature"));
    for provider in *PROVIDERS {
        let key = verifying_key().on(provider).unwrap();
        key.without_context().verify(&message, &without).unwrap();
        key.verify(&context, &message, &with).unwrap();

        assert!(key.without_context().verify(&message, &with).is_err());
        let result = key.verify(&context, &message, &without);
        assert!(matches!(result, Err(Error::Verify)));
    }
}

/// The message representative M' (draft-ietf-lamps-pq-composite-sigs-19 §2.2).
fn representative(context: &[u8], message: &[u8]) -> Vec<u8> {
    let mut bytes = b"CompositeAlgorithmSignatures2025".to_vec();
    bytes.extend_from_slice(LABEL);
    bytes.push(context.len().try_into().unwrap());
    bytes.extend_from_slice(context);
    bytes.extend_from_slice(&Sha512::digest(message));
    bytes
}

#[test]
fn our_signatures_verify_through_the_parts() {
    let (message, context) = (vector("message"), vector("context"));
    let without = |key: &SigningKey| key.without_context().try_sign(&message).unwrap();
    for provider in *PROVIDERS {
        let key = signing_key().on(provider).unwrap();
        verify_parts(b"", &without(&key));
        verify_parts(&context, &key.sign(&context, &message).unwrap());
        let by_reader = key.sign_reader(&context, &message[..]).unwrap();
        verify_parts(&context, &by_reader);
    }
    let key = signing_key();
    verify_parts(b"", &hazmat::sign(&key, b"", &message).unwrap());
    verify_parts(&context, &hazmat::sign(&key, &context, &message).unwrap());
}

fn verify_parts(context: &[u8], signature: &Signature) {
    let key = vector("verifying_key");
    let (key_pq, key_t) = key.split_at(ML_DSA_KEY);
    let (sig_pq, sig_t) = signature.as_bytes().split_at(ML_DSA_SIGNATURE);
    let representative = representative(context, &vector("message"));

    let key_pq = ml_dsa::VerifyingKey::<MlDsa87>::decode(key_pq.try_into().unwrap());
    let sig_pq = sig_pq.try_into().unwrap();
    assert!(key_pq.verify_with_context(&representative, LABEL, &sig_pq));

    let key_t = ecdsa::VerifyingKey::from_sec1_bytes(key_t).unwrap();
    let sig_t = ecdsa::Signature::from_der(sig_t).unwrap();
    key_t.verify(&representative, &sig_t).unwrap();
}

#[test]
fn pkcs8_round_trip() {
    let der = vector("pkcs8");
    let key = SigningKey::from_pkcs8_der(&der).unwrap();
    assert_eq!(key.secret_bytes(), vector("signing_key"));
    assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), der);
}

#[test]
fn certificate() {
    let der = vector("certificate");
    let certificate = Certificate::from_der(&der).unwrap();
    assert_eq!(certificate.to_der().unwrap(), der);
    let signed = certificate.tbs_certificate();

    let spki = signed.subject_public_key_info().to_der().unwrap();
    let key = VerifyingKey::from_spki_der(&spki).unwrap();
    assert_eq!(key.to_spki_der().unwrap(), spki);
    assert_eq!(key, verifying_key());

    assert_eq!(signed.issuer(), signed.subject());
    let by_itself = signature(certificate.signature().as_bytes().unwrap());
    let mut message = signed.to_der().unwrap();
    let key = key.without_context();
    key.verify(&message, &by_itself).unwrap();
    *message.last_mut().unwrap() ^= 1;
    assert!(key.verify(&message, &by_itself).is_err());
}

#[test]
fn pem_round_trip() {
    let private = signing_key().to_pem();
    let key = SigningKey::from_pem(private.as_str()).unwrap();
    assert_eq!(key.secret_bytes(), vector("signing_key"));
    assert_eq!(key.to_pem().as_str(), private.as_str());

    let public = verifying_key().to_pem();
    let key = VerifyingKey::from_pem(&public).unwrap();
    assert_eq!(key, verifying_key());
    assert_eq!(key.to_pem(), public);
}

#[test]
fn a_replaced_half_fails() {
    let (message, context) = (vector("message"), vector("context"));
    let official = signature(&vector("signature"));
    let key = signing_key();

    // Halves of one key, message and context can be exchanged: what fails below fails for no other
    // reason.
    let ours = key.sign(&context, &message).unwrap();
    for result in [verify_spliced(&official, &ours), verify_spliced(&ours, &official)] {
        result.unwrap();
    }

    let other_key = SigningKey::generate().unwrap();
    let others = [
        ("key", other_key.sign(&context, &message).unwrap()),
        ("message", key.sign(&context, b"another").unwrap()),
        ("context", key.sign(b"another", &message).unwrap()),
        ("empty context", key.without_context().try_sign(&message).unwrap()),
        ("plain schemes", signed_with_plain_schemes(&message)),
    ];
    for (what, other) in &others {
        for (first, second) in [(other, &official), (&official, other), (other, other)] {
            let result = verify_spliced(first, second);
            assert!(matches!(result, Err(Error::Verify)), "{what}: {result:?}");
        }
    }
}

/// ECDSA has no context, so that its half is an ordinary signature over M'; ML-DSA's is not.
#[test]
fn the_label_is_the_context_of_ml_dsa() {
    let official = signature(&vector("signature"));
    let plain = signed_with_plain_schemes(&representative(&vector("context"), &vector("message")));
    verify_spliced(&official, &plain).unwrap();
    let result = verify_spliced(&plain, &official);
    assert!(matches!(result, Err(Error::Verify)), "{result:?}");
}

/// Verifies the first half of one signature and the second of another as a signature of the
/// vector's message and context; all providers must agree.
fn verify_spliced(first: &Signature, second: &Signature) -> Result<(), Error> {
    let (first, _) = first.as_bytes().split_at(ML_DSA_SIGNATURE);
    let (_, second) = second.as_bytes().split_at(ML_DSA_SIGNATURE);
    let spliced = signature(&[first, second].concat());
    let results = PROVIDERS.map(|provider| {
        let key = verifying_key().on(provider).unwrap();
        key.verify(&vector("context"), &vector("message"), &spliced)
    });
    let valid = results.iter().filter(|result| result.is_ok()).count();
    assert!(valid == 0 || valid == PROVIDERS.len(), "{results:?}");
    results.into_iter().collect()
}

/// Signs with each of the vector's two keys by itself, without label or context.
fn signed_with_plain_schemes(message: &[u8]) -> Signature {
    let secret = vector("signing_key");
    let (seed, ec_private_key) = secret.split_at(32);
    let post_quantum = PORTABLE.ml_dsa_87.key_pair(seed).unwrap();
    let traditional = hazmat::ecdsa_p384(&PORTABLE).key_pair(ec_private_key);
    let halves = [
        post_quantum.signer.sign(b"", message).unwrap(),
        traditional.unwrap().signer.sign(b"", message).unwrap(),
    ];
    signature(&halves.concat())
}

#[test]
fn a_dropped_half_fails() {
    let official = vector("signature");
    let (first, second) = official.split_at(ML_DSA_SIGNATURE);
    let parse = |bytes: &[u8]| Signature::from_bytes(SUITE, bytes);
    assert!(matches!(parse(first), Err(Error::Invalid { .. })));
    assert!(matches!(parse(second), Err(Error::Truncated { .. })));

    let zeros = [&[0; ML_DSA_SIGNATURE], second].concat();
    let key = verifying_key();
    let result = key.verify(&vector("context"), &vector("message"), &signature(&zeros));
    assert!(matches!(result, Err(Error::Verify)));
    // r = s = 0 in DER.
    let zeros = [first, b"\x30\x06\x02\x01\x00\x02\x01\x00"].concat();
    assert!(matches!(parse(&zeros), Err(Error::Invalid { .. })));
}

#[test]
fn accumulated_100() {
    assert_eq!(
        accumulated(100),
        "8c3ad714777622b8f21ce31bb35f71394f23bc0fcf3c78ace5d608990f3b061b"
    );
}

#[test]
#[ignore = "takes half a minute"]
fn accumulated_10_000() {
    assert_eq!(
        accumulated(10_000),
        "80a8cf39317f7d0be0e24972c51ac152bd2a3e09bc0c32ce29dd82c4e7385e60"
    );
}

/// Many ML-DSA-87 keys and signatures in one hash (C2SP/CCTV, ML-DSA/accumulated): seeds are read
/// from one SHAKE128, public keys and deterministic signatures of the empty message are written to
/// another.
fn accumulated(cases: usize) -> String {
    let mut seeds = Shake128::default().finalize_xof();
    let mut hash = Shake128::default();
    for _ in 0..cases {
        let mut seed = [0; 32];
        seeds.read(&mut seed);
        let pair = PORTABLE.ml_dsa_87.key_pair(&seed).unwrap();
        hash.update(&pair.verifying_key);
        let signature = pair.signer.sign_deterministic(b"", b"").unwrap();
        hash.update(&signature);
        pair.verifier.verify(b"", b"", &signature).unwrap();
    }
    let mut result = [0; 32];
    hash.finalize_xof().read(&mut result);
    hex::encode(result)
}
