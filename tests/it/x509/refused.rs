//! Which chains are refused, and for which reason?

use twinseal::{
    CertificateRefusal::{self, *},
    Error,
    x509::{Certificate, TrustAnchors},
};
use x509_cert::ext::pkix::KeyUsages;

use super::fixture::{
    ALICES_KEY, AUTHORITY, AUTHORITYS_KEY, BASIC_CONSTRAINTS, CODE_SIGNING, DAY, Draft,
    EMAIL_PROTECTION, Issuer, NOW, ROOT, ROOTS_KEY, Setup, alice, at, ca, encapsulation_spki,
    extended_key_usage, key_usage, now, raw, refusal,
};
use crate::common::{
    der::{spki, tlv},
    errors::{misuse, outcome},
};

type Change = fn(&mut Draft);

/// Which certificate of a setup is changed.
type Which = fn(&mut Setup) -> &mut Draft;

const WHICH: [Which; 3] =
    [|setup| &mut setup.root, |setup| &mut setup.authority, |setup| &mut setup.alice];

fn assert_refused(expected: CertificateRefusal, change: impl FnOnce(&mut Setup)) {
    assert_eq!(refusal(Setup::changed(change).verify()), expected);
}

/// Each of these faults, in each certificate of the chain and in the anchor.
#[test]
fn a_fault_in_any_certificate() {
    let faults: [(CertificateRefusal, Change); 6] = [
        (Expired, |draft| draft.not_after = NOW - 1),
        (NotYetValid, |draft| draft.not_before = NOW + 1),
        (Version, |draft| draft.extensions.clear()),
        (CriticalExtension, |draft| draft.set(raw("1.2.3.4", true, &[5, 0]))),
        (KeyUsage, |draft| draft.set(key_usage(&[KeyUsages::CRLSign, KeyUsages::KeyAgreement]))),
        (ExtendedKeyUsage, |draft| draft.set(extended_key_usage(&[CODE_SIGNING]))),
    ];
    for (expected, fault) in faults {
        for which in WHICH {
            assert_refused(expected, |setup| fault(which(setup)));
        }
    }
}

/// Extensions that webpki counts as known, and others that are: nothing here obeys them.
#[test]
fn critical_extensions_without_a_meaning_here() {
    let crl_distribution_points = ("2.5.29.31", &[0x30, 0x00][..]);
    let transparency = ("1.3.6.1.4.1.11129.2.4.2", &[0x04, 0x02, 0x30, 0x00][..]);
    let policies = ("2.5.29.32", &[0x30, 0x00][..]);
    for (oid, content) in [crl_distribution_points, transparency, policies] {
        for which in WHICH {
            let with = |critical| {
                Setup::changed(|setup| which(setup).set(raw(oid, critical, content))).verify()
            };
            assert_eq!(refusal(with(true)), CriticalExtension, "{oid}");
            with(false).unwrap();
        }
    }
}

#[test]
fn extended_key_usages() {
    // Another one than was named, or none was.
    for which in WHICH {
        for named in [Some(EMAIL_PROTECTION), None] {
            assert_refused(ExtendedKeyUsage, |setup| {
                setup.extended_key_usage = named;
                let any = "2.5.29.37.0";
                which(setup).set(extended_key_usage(&[CODE_SIGNING, any]));
            });
        }
    }
    let anchors = || Setup::new().anchors();
    let reason = "it is not an object identifier in dotted form, as in 1.3.6.1.5.5.7.3.4";
    for text in ["", "clientAuth", "1", "1.2.", "1.2.99999999999999999999"] {
        let named = outcome(anchors().with_extended_key_usage(text));
        assert_eq!(named, misuse("extended key usage", reason), "{text}");
    }
}

#[test]
fn authorities_that_are_none() {
    let faults: [Change; 2] =
        [|draft| draft.remove(BASIC_CONSTRAINTS), |draft| draft.set(ca(false, None))];
    for fault in faults {
        assert_refused(NotACa, |setup| fault(&mut setup.root));
        assert_refused(NotACa, |setup| fault(&mut setup.authority));
    }
    assert_refused(IsACa, |setup| setup.alice.set(ca(true, None)));
}

/// A certificate that signs itself is no anchor for itself.
#[test]
fn itself_as_the_anchor() {
    let mut own = Setup::new().alice;
    own.issuer = own.subject;
    own.signed_by = Issuer::Composite(ALICES_KEY);
    let anchors = TrustAnchors::new([own.sign()]).unwrap();
    assert_eq!(refusal(anchors.verifying_key(&[own.sign()], &alice(), now())), NotACa);
    own.set(ca(true, None));
    let anchors = TrustAnchors::new([own.sign()]).unwrap();
    assert_eq!(refusal(anchors.verifying_key(&[own.sign()], &alice(), now())), IsACa);
}

#[test]
fn paths_that_are_too_long() {
    assert_refused(PathTooLong, |setup| setup.root.set(ca(true, Some(0))));
    // A second authority below the first, which allows none.
    const LOWER: &str = "CN=Lower";
    let mut setup = Setup::new();
    setup.authority.set(ca(true, Some(0)));
    setup.alice.issuer = LOWER;
    setup.alice.signed_by = Issuer::Composite(12);
    let lower = Draft::authority(LOWER, 12, AUTHORITY, AUTHORITYS_KEY).sign();
    let chain = [setup.alice.sign(), setup.authority.sign(), lower];
    assert_eq!(refusal(setup.anchors().verifying_key(&chain, &alice(), now())), PathTooLong);
}

#[test]
fn signatures() {
    // By a stranger in the authority's name, or in the root's.
    assert_refused(Signature, |setup| setup.alice.signed_by = Issuer::Composite(9));
    assert_refused(Signature, |setup| setup.authority.signed_by = Issuer::Composite(9));
    // Classical links.
    assert_refused(Algorithm, |setup| setup.alice.signed_by = Issuer::Classical);
    assert_refused(Algorithm, |setup| setup.authority.signed_by = Issuer::Classical);
    // Classical authorities, whose certificates have composite signatures.
    let classical = || spki(&tlv(0x30, &[&tlv(0x06, &[b"\x2b\x65\x70"])]), 0, &[7; 32]);
    assert_refused(Algorithm, |setup| setup.root.spki = classical());
    assert_refused(Algorithm, |setup| setup.authority.spki = classical());
    // An authority with a key to seal to.
    assert_refused(Algorithm, |setup| setup.authority.spki = encapsulation_spki(1));
}

#[test]
fn no_anchor() {
    assert_refused(UnknownIssuer, |setup| setup.alice.issuer = "CN=Nobody");
    assert_refused(UnknownIssuer, |setup| {
        (setup.root.subject, setup.root.issuer) = ("CN=Another root", "CN=Another root");
    });
    let setup = Setup::new();
    let chain = setup.chain();
    let missing = setup.anchors().verifying_key(&chain[..1], &alice(), now());
    assert_eq!(refusal(missing), UnknownIssuer);
    let none = outcome(setup.anchors().verifying_key(&[], &alice(), now()));
    assert_eq!(none, misuse("chain", "it has no certificate"));
    assert_eq!(outcome(TrustAnchors::new([])), misuse("trust anchors", "there are none"));
}

/// Two authorities that certify each other.
#[test]
fn a_loop() {
    let setup = Setup::new();
    const LOWER: &str = "CN=Lower";
    let of_authority = Draft::authority(AUTHORITY, AUTHORITYS_KEY, LOWER, 12).sign();
    let of_lower = Draft::authority(LOWER, 12, AUTHORITY, AUTHORITYS_KEY).sign();
    let chain = [setup.alice.sign(), of_authority, of_lower];
    assert_eq!(refusal(setup.anchors().verifying_key(&chain, &alice(), now())), UnknownIssuer);
}

/// Depths that nobody needs, and certificates from which very many paths could be made.
#[test]
fn too_many() {
    const NAMES: [&str; 9] =
        ["CN=0", "CN=1", "CN=2", "CN=3", "CN=4", "CN=5", "CN=6", "CN=7", "CN=8"];
    let setup = Setup::changed(|setup| {
        setup.alice.issuer = NAMES[8];
        setup.alice.signed_by = Issuer::Composite(28);
    });
    let mut chain = vec![setup.alice.sign()];
    for (number, name) in NAMES.into_iter().enumerate() {
        let (issuer, key) = match number {
            0 => (ROOT, ROOTS_KEY),
            _ => (NAMES[number - 1], 19 + number as u8),
        };
        chain.push(Draft::authority(name, 20 + number as u8, issuer, key).sign());
    }
    assert_eq!(refusal(setup.anchors().verifying_key(&chain, &alice(), now())), TooComplex);
    chain.remove(1);
    assert_eq!(refusal(setup.anchors().verifying_key(&chain, &alice(), now())), TooComplex);

    let mut one = setup.authority.clone();
    (one.subject, one.issuer, one.signed_by) = (NAMES[8], NAMES[8], Issuer::Composite(9));
    let many = (0..8).map(|number| {
        one.spki = super::fixture::verifying_spki(30 + number);
        one.sign()
    });
    let chain: Vec<_> = [setup.alice.sign()].into_iter().chain(many).collect();
    assert_eq!(refusal(setup.anchors().verifying_key(&chain, &alice(), now())), TooComplex);
}

/// Keys that are not of the kind that was asked for.
#[test]
fn another_key() {
    let mut setup = Setup::new();
    let chain = setup.chain();
    let oid = "1.3.6.1.5.5.7.6.49".to_owned();
    let what = "SubjectPublicKeyInfo";
    let sealed_to = setup.anchors().encapsulation_key(&chain, &alice(), now());
    assert_eq!(sealed_to, Err(Error::Algorithm { what, oid }));
    setup.alice.spki = encapsulation_spki(ALICES_KEY);
    let oid = "1.3.6.1.5.5.7.6.63".to_owned();
    assert_eq!(setup.verify(), Err(Error::Algorithm { what, oid }));
}

/// A recipient's key is for nothing but key encipherment.
#[test]
fn a_recipients_usage() {
    let mut setup = Setup::new();
    setup.alice.spki = encapsulation_spki(ALICES_KEY);
    for usages in [
        &[KeyUsages::DigitalSignature][..],
        &[KeyUsages::KeyEncipherment, KeyUsages::KeyAgreement],
        &[],
    ] {
        setup.alice.set(key_usage(usages));
        let key = setup.anchors().encapsulation_key(&setup.chain(), &alice(), now());
        assert_eq!(refusal(key), KeyUsage, "{usages:?}");
    }
}

/// Expired is what a caller wants to read first, of several reasons.
#[test]
fn anchors_that_are_no_longer_valid() {
    let setup = Setup::new();
    let verify = |now| setup.anchors().verifying_key(&setup.chain(), &alice(), now);
    assert_eq!(refusal(verify(at(NOW - DAY - 1))), NotYetValid);
    assert_eq!(refusal(verify(at(NOW + DAY + 1))), Expired);
    assert_eq!(
        refusal(verify(std::time::SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(9))),
        NotYetValid
    );
}

/// One changed bit in either certificate of a chain.
#[test]
fn a_changed_bit() {
    let setup = Setup::new();
    let chain = setup.chain();
    let anchors = setup.anchors();
    for (place, certificate) in chain.iter().enumerate() {
        for bit in (0..certificate.as_der().len() * 8).step_by(509) {
            let mut der = certificate.as_der().to_vec();
            der[bit / 8] ^= 1 << (bit % 8);
            let Ok(changed) = Certificate::from_der(&der) else { continue };
            let mut chain = chain.clone();
            chain[place] = changed;
            let key = anchors.verifying_key(&chain, &alice(), now());
            assert!(key.is_err(), "bit {bit} of certificate {place}");
        }
    }
}
