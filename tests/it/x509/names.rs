//! Which names is a certificate for?

use std::net::IpAddr;

use twinseal::{CertificateRefusal, x509::Name};
use x509_cert::{
    der::{
        Encode,
        asn1::{OctetString, PrintableString},
    },
    ext::pkix::name::GeneralName,
};

use super::fixture::{ALICE, Setup, alternative_names, distinguished, ia5, now, raw, refusal};
use crate::common::{der::tlv, errors::misuse, errors::outcome};

/// The outcome for each name that a caller may expect of one certificate.
fn assert_named(setup: &Setup, cases: impl IntoIterator<Item = (Name, bool)>) {
    let (anchors, chain) = (setup.anchors(), setup.chain());
    for (name, is_good) in cases {
        let key = anchors.verifying_key(&chain, &name, now());
        if is_good {
            assert!(key.is_ok(), "{name}: {key:?}");
        } else {
            assert_eq!(refusal(key), CertificateRefusal::Name, "{name}");
        }
    }
}

#[test]
fn alternative_names_of_each_type() {
    let address = |octets: &[u8]| GeneralName::IpAddress(OctetString::new(octets).unwrap());
    let setup = Setup::changed(|setup| {
        setup.alice.set(alternative_names(&[
            GeneralName::DnsName(ia5("Alice.example.com")),
            GeneralName::DnsName(ia5("*.example.org")),
            GeneralName::DirectoryName(distinguished("CN=Bob")),
            GeneralName::UniformResourceIdentifier(ia5("spiffe://example.com/Alice")),
            GeneralName::Rfc822Name(ia5("alice@example.com")),
            address(&[192, 0, 2, 1]),
            address(&[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ]));
    });
    let dns = |text: &str| Name::Dns(text.into());
    let uri = |text: &str| Name::Uri(text.into());
    let email = |text: &str| Name::Email(text.into());
    let ip = |text: &str| Name::Ip(text.parse::<IpAddr>().unwrap());
    let subject = |text: &str| Name::Subject(distinguished(text).to_der().unwrap());
    assert_named(
        &setup,
        [
            (dns("ALICE.example.com"), true),
            (dns("alice.example.com."), false),
            (dns("example.com"), false),
            // No wildcards.
            (dns("www.example.org"), false),
            (dns("example.org"), false),
            (ip("192.0.2.1"), true),
            (ip("192.0.2.2"), false),
            (ip("2001:db8::1"), true),
            (ip("::ffff:192.0.2.1"), false),
            (uri("spiffe://example.com/Alice"), true),
            (uri("spiffe://example.com/alice"), false),
            (email("alice@example.com"), true),
            (email("Alice@example.com"), false),
            // The type is the caller's to say.
            (dns("alice@example.com"), false),
            (uri("alice.example.com"), false),
            (dns("192.0.2.1"), false),
            (subject(ALICE), true),
            (subject("CN=Bob"), false),
            (subject("O=Example,CN=Alice"), false),
        ],
    );
}

/// A subject is compared byte for byte: the type of its strings counts.
#[test]
fn subjects_of_another_encoding() {
    let setup = Setup::changed(|setup| setup.alice.subject = "CN=Alice");
    let attribute = |value: &[u8]| {
        let attribute = tlv(0x30, &[&tlv(0x06, &[b"\x55\x04\x03"]), value]);
        Name::Subject(tlv(0x30, &[&tlv(0x31, &[&attribute])]))
    };
    let printable = PrintableString::new("Alice").unwrap().to_der().unwrap();
    let utf8 = "Alice".to_owned().to_der().unwrap();
    assert_named(&setup, [(attribute(&utf8), true), (attribute(&printable), false)]);
}

/// A certificate without any name of a type must not be everybody's.
#[test]
fn empty_names() {
    let setup = Setup::changed(|setup| {
        setup.alice.subject = "";
        setup.alice.set(raw("2.5.29.17", true, &tlv(0x30, &[&[0x81, 0, 0x82, 0, 0x86, 0]])));
    });
    let (anchors, chain) = (setup.anchors(), setup.chain());
    for name in [
        Name::Dns(String::new()),
        Name::Uri(String::new()),
        Name::Email(String::new()),
        Name::Subject(Vec::new()),
        Name::Subject(vec![0x30, 0]),
    ] {
        let key = outcome(anchors.verifying_key(&chain, &name, now()));
        assert_eq!(key, misuse("name", "it is empty"), "{name:?}");
    }
}
