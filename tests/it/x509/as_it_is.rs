//! What is checked of a certificate that is trusted as it is?

use twinseal::{
    CertificateRefusal::{self, *},
    Error,
};
use x509_cert::ext::pkix::KeyUsages;

use super::fixture::{
    ALICE, ALICES_KEY, CODE_SIGNING, DAY, Draft, Issuer, KEY_USAGE, NOW, Setup, at, ca,
    encapsulation_spki, extended_key_usage, key_usage, now, raw, refusal, verifying_spki,
};
use crate::common::keys::{P384, kem_key, signing_key};

/// Signed by herself.
fn own() -> Draft {
    let mut own = Setup::new().alice;
    (own.issuer, own.signed_by) = (own.subject, Issuer::Composite(ALICES_KEY));
    own
}

fn recipient() -> Draft {
    let mut recipient = Setup::new().alice;
    recipient.spki = encapsulation_spki(ALICES_KEY);
    recipient.set(key_usage(&[KeyUsages::KeyEncipherment]));
    recipient
}

#[test]
fn its_key() {
    let certificate = own().sign();
    let key = certificate.claimed_verifying_key(now());
    assert_eq!(key.as_ref(), Ok(signing_key(ALICES_KEY).verifying_key()));
    let key = recipient().sign().claimed_encapsulation_key(now());
    assert_eq!(key.as_ref(), Ok(kem_key(P384, ALICES_KEY).encapsulation_key()));

    // Whoever signed it, and with whatever algorithm: recipients' keys cannot sign.
    let mut classical = recipient();
    classical.signed_by = Issuer::Classical;
    classical.remove(KEY_USAGE);
    classical.sign().claimed_encapsulation_key(now()).unwrap();
}

#[test]
fn what_is_refused() {
    type Change = fn(&mut Draft);
    let faults: [(CertificateRefusal, Change); 5] = [
        (Expired, |draft| draft.not_after = NOW - 1),
        (NotYetValid, |draft| draft.not_before = NOW + 1),
        (Version, |draft| draft.extensions.clear()),
        (CriticalExtension, |draft| draft.set(raw("1.2.3.4", true, &[5, 0]))),
        (ExtendedKeyUsage, |draft| draft.set(extended_key_usage(&[CODE_SIGNING]))),
    ];
    for (expected, fault) in faults {
        let (mut own, mut recipient) = (own(), recipient());
        fault(&mut own);
        fault(&mut recipient);
        assert_eq!(refusal(own.sign().claimed_verifying_key(now())), expected);
        assert_eq!(refusal(recipient.sign().claimed_encapsulation_key(now())), expected);
    }
    let mut own = own();
    own.set(key_usage(&[KeyUsages::KeyCertSign]));
    assert_eq!(refusal(own.sign().claimed_verifying_key(now())), KeyUsage);
    let mut recipient = recipient();
    recipient.set(key_usage(&[KeyUsages::KeyEncipherment, KeyUsages::DataEncipherment]));
    assert_eq!(refusal(recipient.sign().claimed_encapsulation_key(now())), KeyUsage);
    // A tenth bit, which RFC 5280 does not define.
    recipient.set(raw("2.5.29.15", true, &[0x03, 0x03, 0x06, 0x20, 0x40]));
    assert_eq!(refusal(recipient.sign().claimed_encapsulation_key(now())), KeyUsage);
}

#[test]
fn keys_of_another_kind() {
    let what = "SubjectPublicKeyInfo";
    let algorithm = |oid: &str| Some(Error::Algorithm { what, oid: oid.into() });
    let (own, recipient) = (own().sign(), recipient().sign());
    assert_eq!(own.claimed_encapsulation_key(now()).err(), algorithm("1.3.6.1.5.5.7.6.49"));
    assert_eq!(recipient.claimed_verifying_key(now()).err(), algorithm("1.3.6.1.5.5.7.6.63"));
}

#[test]
fn its_signature_and_nothing_else() {
    // Neither the validity, nor the usage, nor that the issuer is an authority.
    let mut draft = own();
    (draft.not_before, draft.not_after) = (NOW - 9 * DAY, NOW - 8 * DAY);
    draft.set(ca(true, None));
    draft.set(key_usage(&[KeyUsages::KeyCertSign]));
    let key = signing_key(ALICES_KEY);
    draft.sign().verify_signature(key.verifying_key()).unwrap();

    let stranger = signing_key(9);
    let other = draft.sign().verify_signature(stranger.verifying_key());
    assert_eq!(refusal(other), Signature);
    draft.signed_by = Issuer::Classical;
    assert_eq!(refusal(draft.sign().verify_signature(key.verifying_key())), Algorithm);
}

#[test]
fn what_it_says() {
    let certificate = own().sign();
    assert_eq!(certificate.as_der(), own_der(&certificate));
    assert_eq!((certificate.subject(), certificate.issuer()), (ALICE.into(), ALICE.into()));
    assert_eq!(certificate.not_before(), at(NOW - DAY));
    assert_eq!(certificate.not_after(), at(NOW + DAY));
    assert_eq!(certificate.spki_der(), verifying_spki(ALICES_KEY));
    let names: Vec<_> = certificate.names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["dns:alice.example.com", "uri:https://example.com/alice"]);
    assert_eq!(format!("{certificate:?}"), "Certificate(CN=Alice,O=Example)");
}

/// The bytes that x509-cert reads and writes.
fn own_der(certificate: &twinseal::x509::Certificate) -> Vec<u8> {
    use x509_cert::der::{Decode, Encode};
    let read = x509_cert::Certificate::from_der(certificate.as_der()).unwrap();
    read.to_der().unwrap()
}
