//! X.509 certificates.

use std::sync::LazyLock;

use twinseal::{
    hazmat,
    x509::{Certificate, Name, TrustAnchors},
};

use super::{
    people::ALICE,
    script::{Object, Script, first_inside},
};
use crate::common::{
    certificates::{NAME, authority, issued, now},
    der::tlv,
    keys::signing_key,
};

static AUTHORITY: LazyLock<Certificate> = LazyLock::new(|| authority(&*ALICE));

static CERTIFICATES: LazyLock<Vec<Object>> = LazyLock::new(|| {
    let signer = issued(&AUTHORITY, &*ALICE, signing_key(3).verifying_key());
    [signer, AUTHORITY.clone()].map(|certificate| Object::of_der(certificate.as_der())).into()
});

fn look(certificate: &Certificate) {
    let _ = (certificate.subject(), certificate.issuer(), certificate.names());
    let _ = (certificate.not_before(), certificate.not_after());
    let _ =
        (certificate.claimed_verifying_key(now()), certificate.claimed_encapsulation_key(now()));
    let again = Certificate::from_pem(&certificate.to_pem()).unwrap();
    assert_eq!(again.as_der(), certificate.as_der());
}

/// Any changes to a certificate.
pub fn certificate(data: &[u8]) {
    let der = Script::new(data).changed(&CERTIFICATES);
    let Ok(certificate) = Certificate::from_der(&der) else { return };
    assert_eq!(certificate.as_der(), der);
    look(&certificate);
    if let Ok(anchors) = TrustAnchors::new([certificate.clone()]) {
        let _ = anchors.verifying_key(&[certificate], &Name::Dns(NAME.into()), now());
    }
}

/// The same, signed again by the authority, so that all that is behind the signature is reached.
pub fn chain(data: &[u8]) {
    static ANCHORS: LazyLock<TrustAnchors> =
        LazyLock::new(|| TrustAnchors::new([AUTHORITY.clone()]).unwrap());
    static ALGORITHM: LazyLock<Vec<u8>> =
        LazyLock::new(|| tlv(0x30, &[&crate::common::der::composite_oid()]));
    let mut script = Script::new(data);
    let changed = script.changed(&CERTIFICATES);
    if Certificate::from_der(&changed).is_err() {
        return;
    }
    let Some(tbs) = first_inside(&changed) else { return };
    let signature = hazmat::sign(&ALICE, b"", tbs).unwrap();
    let der = tlv(0x30, &[tbs, &ALGORITHM, &tlv(0x03, &[&[0], signature.as_bytes()])]);
    let Ok(certificate) = Certificate::from_der(&der) else { return };
    look(&certificate);
    let chain = [certificate.clone(), AUTHORITY.clone()];
    for name in [Name::Dns(NAME.into()), Name::Dns("example.com".into())] {
        if let Ok(key) = ANCHORS.verifying_key(&chain, &name, now()) {
            assert_eq!(certificate.claimed_verifying_key(now()).unwrap(), key);
            assert!(certificate.verify_signature(ALICE.verifying_key()).is_ok());
        }
        let _ = ANCHORS.encapsulation_key(&chain, &name, now());
    }
    // As an authority, too.
    if let Ok(anchors) = TrustAnchors::new([certificate]) {
        let _ = anchors.verifying_key(&chain, &Name::Dns(NAME.into()), now());
    }
}
