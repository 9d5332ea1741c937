//! Which extensions does a certificate have, and how many?

use twinseal::{
    CertificateRefusal::{self, *},
    Error,
    x509::{Certificate, Name},
};
use x509_cert::der::Encode;

use super::fixture::{Draft, Setup, alice, at, distinguished, now, raw, refusal};
use crate::common::der::tlv;

const ALTERNATIVE_NAMES: &str = "2.5.29.17";

/// Which certificate of a setup is changed.
type Which = fn(&mut Setup) -> &mut Draft;

const AUTHORITIES: [Which; 2] = [|setup| &mut setup.root, |setup| &mut setup.authority];

fn constraint(content: &[u8]) -> x509_cert::ext::Extension {
    raw("2.5.29.30", true, content)
}

fn permitted(subtrees: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0xa0, &[subtrees])])
}

fn excluded(subtrees: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0xa1, &[subtrees])])
}

/// A subtree of a type of name.
fn subtree(tag: u8, base: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(tag, &[base])])
}

fn assert_refused(expected: CertificateRefusal, change: impl FnOnce(&mut Setup)) {
    assert_eq!(refusal(Setup::changed(change).verify()), expected);
}

/// Names that an authority may not certify; and constraints of a kind that is not supported.
#[test]
fn name_constraints() {
    let example = subtree(0x82, b"example.com");
    for draft in AUTHORITIES {
        let good = Setup::changed(|setup| draft(setup).set(constraint(&permitted(&example))));
        good.verify().unwrap();
        let directory = subtree(0xa4, &tlv(0x30, &[]));
        for bad in [
            permitted(&subtree(0x82, b"example.org")),
            excluded(&example),
            permitted(&directory),
            permitted(&subtree(0x86, b"example.com")),
        ] {
            assert_refused(NameConstraint, |setup| draft(setup).set(constraint(&bad)));
        }
    }
}

/// webpki looks for addresses of mail in the alternative names only. They may be in the subject.
#[test]
fn constraints_on_mail_and_a_subject_with_an_address() {
    let example = subtree(0x81, b"example.com");
    let with_mail = |setup: &mut Setup| {
        setup.alice.subject = "emailAddress=alice@evil.com,CN=Alice";
        setup.alice.remove(ALTERNATIVE_NAMES.parse().unwrap());
    };
    let verify = |setup: &Setup| {
        let name = Name::Subject(setup.alice.sign().subject_der().to_vec());
        setup.anchors().verifying_key(&setup.chain(), &name, now())
    };
    verify(&Setup::changed(with_mail)).unwrap();
    for draft in AUTHORITIES {
        for content in [permitted(&example), excluded(&example)] {
            let setup = Setup::changed(|setup| {
                with_mail(setup);
                draft(setup).set(constraint(&content));
            });
            assert_eq!(refusal(verify(&setup)), NameConstraint);
            // The constraint alone stops nobody.
            let without = Setup::changed(|setup| draft(setup).set(constraint(&content)));
            assert!(without.verify().is_ok());
        }
    }
    // In the subject of an authority below the one that has the constraint.
    let setup = Setup::changed(|setup| {
        setup.root.set(constraint(&excluded(&example)));
        setup.authority.subject = "emailAddress=ca@evil.com,CN=Authority";
        setup.alice.issuer = setup.authority.subject;
    });
    assert_eq!(refusal(setup.verify()), NameConstraint);
}

/// Empty ones would allow everything, and only authorities have any.
#[test]
fn constraints_that_rfc_5280_forbids() {
    let empty = [tlv(0x30, &[]), permitted(&[]), excluded(&[]), b"junk".to_vec()];
    for content in &empty {
        let setup = Setup::changed(|setup| setup.authority.set(constraint(content)));
        let read = Certificate::from_der(&setup.authority.der());
        assert!(matches!(read, Err(Error::Invalid { .. })), "{content:02x?}: {read:?}");
    }
    let content = permitted(&subtree(0x82, b"example.com"));
    let setup = Setup::changed(|setup| setup.alice.set(constraint(&content)));
    assert_eq!(refusal(setup.verify()), Malformed);
    assert_eq!(refusal(setup.alice.sign().claimed_verifying_key(now())), Malformed);
}

/// If nothing in a critical extension has a meaning here, the whole extension has none.
#[test]
fn alternative_names_that_nobody_can_ask_for() {
    let other = tlv(0xa0, &[&tlv(0x06, &[&[0x2a, 3]]), &tlv(0xa0, &[&tlv(0x0c, &[b"x"])])]);
    let directory = tlv(0xa4, &[&distinguished("CN=Mallory").to_der().unwrap()]);
    for content in [other, directory] {
        for critical in [true, false] {
            let names = raw(ALTERNATIVE_NAMES, critical, &tlv(0x30, &[&content]));
            let setup = Setup::changed(|setup| setup.alice.set(names));
            let name = Name::Subject(setup.alice.sign().subject_der().to_vec());
            let chain = setup.anchors().verifying_key(&setup.chain(), &name, now());
            let as_it_is = setup.alice.sign().claimed_verifying_key(now());
            for key in [chain, as_it_is] {
                let expected = if critical { Some(CriticalExtension) } else { None };
                assert_eq!(key.err(), expected.map(Error::Certificate));
            }
        }
    }
}

#[test]
fn alternative_names_that_are_none() {
    let names = [
        ("none at all", Vec::new()),
        ("a tag that no type has", tlv(0x89, &[b"x"])),
        ("an INTEGER", vec![2, 1, 1]),
        ("a constructed dNSName", tlv(0xa2, &[b"alice.example.com"])),
        ("a primitive directoryName", tlv(0x84, &[b"x"])),
        ("an address of five bytes", tlv(0x87, &[&[192, 0, 2, 1, 0]])),
    ];
    for (what, content) in names {
        let names = raw(ALTERNATIVE_NAMES, true, &tlv(0x30, &[&content]));
        let setup = Setup::changed(|setup| setup.alice.set(names));
        assert!(Certificate::from_der(&setup.alice.der()).is_err(), "{what}");
    }
}

/// Every certificate on the way to an anchor is read many times, so one with thousands would take minutes.
#[test]
fn as_many_as_are_read() {
    let with = |number: usize| {
        let mut alice = Setup::new().alice;
        while alice.extensions.len() < number {
            let oid = format!("1.2.3.{}", alice.extensions.len());
            alice.set(raw(&oid, false, &[5, 0]));
        }
        alice
    };
    with(32).sign().claimed_verifying_key(now()).unwrap();
    let invalid = |reason| Some(Error::Invalid { what: "certificate", reason });
    let many = Certificate::from_der(&with(33).der());
    assert_eq!(many.err(), invalid("it has more than 32 extensions"));
    let mut long = with(3);
    long.set(raw("1.2.3", false, &[0; 60_000]));
    let long = Certificate::from_der(&long.der());
    assert_eq!(long.err(), invalid("it is longer than 64 KiB"));
}

/// A clock that was never set may be before 1970, where no validity begins.
#[test]
fn a_clock_before_1970() {
    let setup = Setup::changed(|setup| {
        for draft in [&mut setup.root, &mut setup.authority, &mut setup.alice] {
            draft.not_before = 0;
        }
    });
    let before = at(0) - std::time::Duration::from_secs(1);
    let verify = |now| setup.anchors().verifying_key(&setup.chain(), &alice(), now);
    assert_eq!(refusal(verify(before)), NotYetValid);
    verify(at(0)).unwrap();
    assert_eq!(refusal(setup.alice.sign().claimed_verifying_key(before)), NotYetValid);
}
