//! Does any certificate make a function panic, or pass with bytes that its issuer did not sign?

use proptest::{collection::vec, prelude::*, sample::Index};
use twinseal::x509::{Certificate, TrustAnchors};
use x509_cert::{
    der::asn1::OctetString,
    ext::pkix::{KeyUsages, name::GeneralName},
};

use super::fixture::{
    ALICES_DNS, EMAIL_PROTECTION, Setup, alice, alternative_names, ca, extended_key_usage, ia5,
    key_usage, now, raw,
};
use crate::common::der::tlv;

/// With every extension that is read.
fn setup() -> Setup {
    Setup::changed(|setup| {
        setup.extended_key_usage = Some(EMAIL_PROTECTION);
        let subtrees = tlv(0xa0, &[&tlv(0x30, &[&tlv(0x82, &[b"example.com"])])]);
        let authority = &mut setup.authority;
        authority.set(ca(true, Some(3)));
        authority.set(raw("2.5.29.30", true, &tlv(0x30, &[&subtrees])));
        setup.alice.set(key_usage(&[KeyUsages::DigitalSignature, KeyUsages::NonRepudiation]));
        setup.alice.set(extended_key_usage(&[EMAIL_PROTECTION]));
        setup.alice.set(alternative_names(&[
            GeneralName::DnsName(ia5(ALICES_DNS)),
            GeneralName::IpAddress(OctetString::new([192, 0, 2, 1]).unwrap()),
        ]));
    })
}

/// Calls everything that reads a certificate. Whether a chain with it is good.
fn use_everywhere(setup: &Setup, chain: &[Certificate; 2], der: &[u8]) -> bool {
    let Ok(changed) = Certificate::from_der(der) else { return false };
    let _ = (changed.subject(), changed.issuer(), changed.names(), changed.to_pem());
    let _ = (changed.not_before(), changed.not_after());
    let _ = (changed.claimed_verifying_key(now()), changed.claimed_encapsulation_key(now()));
    if let Ok(anchors) = TrustAnchors::new([changed.clone()]) {
        let _ = anchors.verifying_key(chain, &alice(), now());
    }
    let [subject, authority] = chain;
    let anchors = setup.anchors();
    let verify = |chain: [_; 2]| anchors.verifying_key(&chain, &alice(), now()).is_ok();
    verify([changed.clone(), authority.clone()]) || verify([subject.clone(), changed])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes(der in vec(any::<u8>(), 0..300)) {
        prop_assert!(Certificate::from_der(&der).is_err());
        let sequence = tlv(0x30, &[&tlv(0x30, &[&der])]);
        prop_assert!(Certificate::from_der(&sequence).is_err());
    }

    /// Most positions of a certificate are in its key and signature, so half of the changes are elsewhere.
    #[test]
    fn changed_certificates(
        which in 0..2_usize,
        changes in vec((any::<Index>(), any::<bool>(), 1..=255_u8), 1..4),
        length in prop::option::of(any::<Index>()),
    ) {
        let setup = setup();
        let chain = setup.chain();
        let original = chain[which].as_der();
        let mut der = original.to_vec();
        for (place, is_anywhere, mask) in changes {
            let fields = original.len() - 4731 - 2689; // all but the longest key and signature
            let place = match place.index(if is_anywhere { original.len() } else { fields }) {
                place if is_anywhere || place < fields / 2 => place,
                place => place + 2689,
            };
            der[place] ^= mask;
        }
        if let Some(length) = length {
            der.truncate(length.index(der.len()) + 1);
        }
        let is_good = use_everywhere(&setup, &chain, &der);
        prop_assert!(!is_good || der == original);
    }
}

#[test]
fn the_unchanged_one() {
    let setup = setup();
    let chain = setup.chain();
    assert!(use_everywhere(&setup, &chain, chain[0].as_der()));
    assert!(use_everywhere(&setup, &chain, chain[1].as_der()));
}
