//! Are certificates read from and written to text, and is what they say shown without harm?

use std::fs;

use twinseal::{
    Error,
    x509::{Certificate, Name},
};

use super::fixture::{Draft, Setup, distinguished};
use crate::common::{
    der::{pem, tlv},
    errors::{invalid, outcome},
};

#[test]
fn one_and_several() {
    let [alice, authority] = Setup::new().chain();
    let (one, two) = (alice.to_pem(), alice.to_pem() + &authority.to_pem());
    assert_eq!(one, pem("CERTIFICATE", alice.as_der()));
    assert_eq!(one, alice.to_string());
    assert_eq!(Certificate::from_pem(&one).as_ref(), Ok(&alice));
    assert_eq!(one.parse().as_ref(), Ok(&alice));
    assert_eq!(Certificate::from_pem(&two), Err(Error::PemCount { found: 2 }));
    assert_eq!(Certificate::chain_from_pem(&two).unwrap(), [alice.clone(), authority]);
    let request = pem("CERTIFICATE REQUEST", alice.as_der());
    let label = Error::PemLabel { expected: "CERTIFICATE", found: "CERTIFICATE REQUEST".into() };
    assert_eq!(Certificate::chain_from_pem(&(one + &request)), Err(label));

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alice.pem");
    fs::write(&path, &two).unwrap();
    assert_eq!(Certificate::read_pem_chain(&path).unwrap().len(), 2);
    fs::write(&path, pem("CERTIFICATE", b"nothing")).unwrap();
    let error = Certificate::read_pem_chain(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("alice.pem: invalid certificate: it is not DER of this type"),
        "{error}"
    );
}

#[test]
fn der_that_is_no_certificate() {
    let der = Setup::new().alice.der();
    let not_der = invalid("certificate", "it is not DER of this type");
    for bytes in [&der[..der.len() - 1], &[&der[..], b"\0"].concat(), b"", b"\x30\x00"] {
        assert_eq!(outcome(Certificate::from_der(bytes)), not_der);
    }
    // Extensions that are there twice, or damaged.
    let with = |change: fn(&mut Draft)| {
        let mut draft = Setup::new().alice;
        change(&mut draft);
        outcome(Certificate::from_der(&draft.der()))
    };
    use super::fixture::raw;
    let changes: [fn(&mut Draft); 6] = [
        |draft| draft.extensions.extend_from_within(..1),
        |draft| draft.set(raw("2.5.29.15", true, &[0x03, 0x00])),
        |draft| draft.set(raw("2.5.29.15", true, &[0x03, 0x04, 0x00, 0, 0, 1])),
        |draft| draft.set(raw("2.5.29.19", true, &[0x30, 0x03, 0x02, 0x01])),
        |draft| draft.set(raw("2.5.29.17", true, &[0x30, 0x05, 0x87, 0x03, 1, 2, 3])),
        |draft| draft.set(raw("2.5.29.37", true, &[0x30, 0x02, 0x06, 0x00])),
    ];
    for change in changes {
        assert_eq!(with(change), not_der);
    }
    assert_eq!(with(|_| {}), "Ok");
}

/// Escape sequences, line ends, characters that reverse a line, and invisible ones.
#[test]
fn names_that_would_harm_a_terminal() {
    let mut draft = Setup::new().alice;
    draft.subject = "CN=A\\1b[2J\\0a\\e2\\80\\aeB\\c2\\9b\\e2\\80\\8b\\c3\\a9\\,";
    let certificate = draft.sign();
    let shown = certificate.subject();
    assert_eq!(shown, "CN=A\\1b[2J\\0a\\e2\\80\\aeB\\c2\\9b\\e2\\80\\8b\u{e9}\\,");
    assert_eq!(distinguished(&shown), distinguished(draft.subject)); // it is the same name

    let name = Name::Uri("a:\u{1b}[2J\n\u{202e}".into());
    assert_eq!(name.to_string(), "uri:a:\\u{1b}[2J\\n\\u{202e}");
    assert_eq!(Name::Subject(vec![0x30, 0x01, 0x1b]).to_string(), "subject:#30011b");
    let bytes = tlv(0x30, &[]);
    assert_eq!(Name::Subject(bytes).to_string(), "subject:");
}
