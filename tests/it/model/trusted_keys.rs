//! Which public keys can be trusted to sign models, in which forms?

use base64::{Engine, prelude::BASE64_STANDARD};
use p384::elliptic_curve::sec1::ToSec1Point;
use twinseal::{
    Error, ModelRefusal,
    model::{Bundle, TrustedKey},
};

use super::{
    drafts::{FILES, PAYLOAD_TYPE, alice, pae, unsigned, with_root},
    trees::{read, text},
};
use crate::common::errors::{invalid, outcome};

fn pem(der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

/// The DER of a PEM file.
fn der(name: &str) -> Vec<u8> {
    let text = text(name);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64_STANDARD.decode(body).unwrap()
}

#[test]
fn both_kinds_are_written_in_one_form() {
    let p384 = text("p384.pub.pem");
    let key = TrustedKey::from_pem(&p384).unwrap();
    assert_eq!(key.to_pem(), p384);
    assert_eq!(key.hint(), "77bac231a44ac8c846a5ca510d5647f06fbd259b4bebeb384f50c91e711e853d");
    assert_eq!(key.to_string(), key.hint());
    assert_eq!(format!("{key:?}"), format!("TrustedKey(ECDSA-P384, {})", key.hint()));
    assert!(key.hybrid().is_none());

    let alice = alice();
    let key = TrustedKey::from_pem(&alice.verifying_key().to_pem()).unwrap();
    assert_eq!(key, TrustedKey::from(alice.verifying_key()));
    assert_eq!(key.hybrid(), Some(alice.verifying_key()));
    assert_eq!(key.to_pem(), alice.verifying_key().to_pem());
    assert_eq!(key.to_string(), alice.verifying_key().key_id().to_string());
}

#[test]
fn a_text_before_the_document_is_skipped() {
    let p384 = text("p384.pub.pem");
    let key = TrustedKey::from_pem(&p384).unwrap();
    // As `openssl pkey -pubin -text` writes it, and GnuTLS's certtool.
    let point: String =
        (0..6).map(|_| "    92:71:c7:29:53:cb:a7:ae:01:9f:70:2b:d2:e8:7b:\n").collect();
    let dumps = [
        format!("Public-Key: (384 bit)\npub:\n{point}ASN1 OID: secp384r1\nNIST CURVE: P-384\n"),
        "Public Key PIN:\n\tpin-sha256:weSdYzJ/hcfilxrv0wtaDRxrm14aiS5/X7qZWtrOgW0=\n\n\n"
            .to_owned(),
    ];
    for dump in dumps {
        assert_eq!(TrustedKey::from_pem(&format!("{dump}{p384}")).unwrap(), key);
        assert_eq!(TrustedKey::from_pem(&format!("{p384}{dump}")).unwrap(), key);
    }
}

/// A compressed point and long lines give the same key, and the same hint.
#[test]
fn other_forms_of_a_p384_key() {
    let key = TrustedKey::from_pem(&text("p384.pub.pem")).unwrap();
    let der = der("p384.pub.pem");
    let (start, point) = der.split_at(der.len() - 97);
    let compressed = p384::PublicKey::from_sec1_bytes(point).unwrap().to_sec1_point(true);
    let mut short = [start, compressed.as_bytes()].concat();
    (short[1], short[start.len() - 2]) = (0x46, 0x32);
    for der in [&der, &short] {
        let read = TrustedKey::from_pem(&pem(der)).unwrap();
        assert_eq!((&read, read.hint()), (&key, key.hint()));
    }
    let mut off_curve = der.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    let expected = invalid("P-384 point", "it is not on the curve");
    assert_eq!(outcome(TrustedKey::from_pem(&pem(&off_curve))), expected);
    for length in 0..der.len() {
        assert!(TrustedKey::from_pem(&pem(&der[..length])).is_err());
    }
    assert!(TrustedKey::from_pem(&pem(&[&der[..], &[0]].concat())).is_err());
}

#[test]
fn other_kinds_are_refused_by_name() {
    let of_kind = format!("{:?}", Error::Model(ModelRefusal::KindOfKey));
    for name in ["p256.pub.pem", "p521.pub.pem"] {
        assert_eq!(outcome(TrustedKey::from_pem(&text(name))), of_kind);
    }
    // Ed25519, RFC 8410 §10.1.
    let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    let expected = Error::Algorithm { what: "SubjectPublicKeyInfo", oid: "1.3.101.112".into() };
    assert_eq!(TrustedKey::from_pem(ed25519).unwrap_err(), expected);
    let private = alice().to_pem();
    let refusal = TrustedKey::from_pem(private.as_str()).unwrap_err();
    assert!(matches!(refusal, Error::PemLabel { expected: "PUBLIC KEY", .. }), "{refusal}");
    assert!(matches!(TrustedKey::from_pem(""), Err(Error::NotPem { .. })));
    let two = text("p384.pub.pem").repeat(2);
    assert_eq!(TrustedKey::from_pem(&two).unwrap_err(), Error::PemCount { found: 2 });
}

/// Neither kind of key takes the other's signature, or half of it.
#[test]
fn signatures_of_the_other_kind() {
    let alice = alice();
    let key = TrustedKey::from(alice.verifying_key());
    let halves = alice.verifying_key().halves();
    let start = &der("p384.pub.pem")[..23];
    let half = TrustedKey::from_pem(&pem(&[start, halves.traditional].concat())).unwrap();
    let payload = with_root(FILES);
    let signature = {
        use twinseal::signature::Signer;
        alice.without_context().sign(&pae(PAYLOAD_TYPE, payload.as_bytes()))
    };
    let (whole, ecdsa) = (signature.as_bytes(), &signature.as_bytes()[4627..]);
    for (signer, signature) in
        [(&half, whole), (&half, ecdsa), (&key, ecdsa), (&key, &whole[..4627])]
    {
        let bundle = unsigned(&signer.hint(), PAYLOAD_TYPE, payload.as_bytes(), signature);
        let bundle = Bundle::from_bytes(bundle).unwrap();
        assert_eq!(bundle.verify(std::slice::from_ref(signer)).unwrap_err(), Error::Verify);
    }
    // The same signature for a context, over the payload only, or over the text without its lengths.
    let with_context = alice.sign(b"model", &pae(PAYLOAD_TYPE, payload.as_bytes())).unwrap();
    let bundle = unsigned(&key.hint(), PAYLOAD_TYPE, payload.as_bytes(), with_context.as_bytes());
    let bundle = Bundle::from_bytes(bundle).unwrap();
    assert_eq!(bundle.verify(&[key]).unwrap_err(), Error::Verify);
}

/// A P-384 bundle under every provider's own implementation is tested by its vectors.
#[test]
fn p384_bundles_of_the_reference_verify_with_the_compressed_key() {
    let der = der("p384.pub.pem");
    let (start, point) = der.split_at(der.len() - 97);
    let compressed = p384::PublicKey::from_sec1_bytes(point).unwrap().to_sec1_point(true);
    let mut short = [start, compressed.as_bytes()].concat();
    (short[1], short[start.len() - 2]) = (0x46, 0x32);
    let key = TrustedKey::from_pem(&pem(&short)).unwrap();
    Bundle::from_bytes(read("simple.p384.sig")).unwrap().verify(&[key]).unwrap();
}
