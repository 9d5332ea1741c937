//! Does `certificate` make what RFC 5280 and RFC 2986 say, and nothing that it was not asked for?

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use proptest::prelude::*;
use twinseal::{
    CertificateRefusal, Error, Signature, VerifyingKey, key_files::PemDocument,
    signature::Verifier, x509,
};
use x509_cert::{
    Certificate, Version,
    der::{Any, Decode, Encode, asn1::BitString},
    ext::Extension,
    name::Name,
    request::CertReq,
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

use crate::{
    common::{keys::signing_key, process::ended},
    desk::Desk,
    distinguished_name::DistinguishedName,
};

const ALGORITHM: &str = "1.3.6.1.5.5.7.6.49";

/// keyUsage: digitalSignature. basicConstraints: not an authority.
const USAGE: (&str, bool, &[u8]) = ("2.5.29.15", true, &[3, 2, 7, 0x80]);
const NOT_A_CA: (&str, bool, &[u8]) = ("2.5.29.19", true, &[0x30, 0]);

/// The output of a run that must succeed: one PEM document with this label.
fn made(desk: &Desk, label: &str, arguments: &[&str]) -> Vec<u8> {
    let line = [&["certificate", "-k", "alice.pem"], arguments].concat();
    let output = ended(desk.command_with(&line));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let [document] = PemDocument::split(&text).unwrap()[..] else { panic!("{text}") };
    assert_eq!(document.label(), label);
    document.decode().unwrap().to_vec()
}

fn extensions(found: &[Extension]) -> Vec<(String, bool, &[u8])> {
    let one = |extension: &Extension| (extension.extn_id.to_string(), extension.critical);
    let all = found.iter().map(|extension| (one(extension), extension.extn_value.as_bytes()));
    all.map(|((id, critical), value)| (id, critical, value)).collect()
}

fn expected<'a>(these: &[(&str, bool, &'a [u8])]) -> Vec<(String, bool, &'a [u8])> {
    these.iter().map(|(id, critical, value)| (String::from(*id), *critical, *value)).collect()
}

/// It is Alice's key, and what she signed is exactly the first field.
fn assert_signed_by_alice(
    signed: &[u8],
    spki: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    signature: &BitString,
) {
    let key = VerifyingKey::from_spki_der(&spki.to_der().unwrap()).unwrap();
    assert_eq!(&key, signing_key(3).verifying_key());
    assert_eq!((algorithm.oid.to_string().as_str(), &algorithm.parameters), (ALGORITHM, &None));
    let signature = Signature::from_bytes(key.suite(), signature.as_bytes().unwrap()).unwrap();
    key.without_context().verify(signed, &signature).unwrap();
}

#[test]
fn a_self_signed_certificate() {
    let desk = Desk::new();
    let subject = "CN=Alice Müller, O=Ex\\, ample + OU=7,C=DE";
    let names =
        ["dns:Alice.example", "ip:192.0.2.1", "ip:2001:db8::1", "uri:spiffe://e/a", "email:a@e.de"];
    let mut arguments = vec!["--subject", subject, "--days", "2"];
    names.iter().for_each(|name| arguments.extend(["--name", name]));
    let second = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let before = second(SystemTime::now());
    let der = made(&desk, "CERTIFICATE", &arguments);
    let after = second(SystemTime::now());

    let certificate = Certificate::from_der(&der).unwrap();
    let tbs = certificate.tbs_certificate();
    assert_eq!(tbs.version(), Version::V3);
    assert_eq!(tbs.signature(), certificate.signature_algorithm());
    assert_signed_by_alice(
        &tbs.to_der().unwrap(),
        tbs.subject_public_key_info(),
        tbs.signature(),
        certificate.signature(),
    );
    let subject = b"0<1\x0b0\t\x06\x03U\x04\x06\x13\x02DE1\x1c0\x08\x06\x03U\x04\x0b\x0c\x017\
        0\x10\x06\x03U\x04\n\x0c\tEx, ample1\x160\x14\x06\x03U\x04\x03\x0c\rAlice M\xc3\xbcller";
    let subject = [&[0x30, u8::try_from(subject.len() - 2).unwrap()], &subject[2..]].concat();
    assert_eq!(tbs.subject().to_der().unwrap(), subject);
    assert_eq!(tbs.issuer(), tbs.subject());
    let from = tbs.validity().not_before.to_unix_duration().as_secs();
    assert!((before..=after).contains(&from), "{before} {from} {after}");
    let to = tbs.validity().not_after.to_unix_duration();
    assert_eq!(to, Duration::from_secs(from + 2 * 86400));
    let names = b"0D\x82\x0dAlice.example\x87\x04\xc0\0\x02\x01\
        \x87\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x86\x0cspiffe://e/a\x81\x06a@e.de";
    let names = [&[0x30, u8::try_from(names.len() - 2).unwrap()], &names[2..]].concat();
    let found = extensions(tbs.extensions().unwrap());
    assert_eq!(found, expected(&[NOT_A_CA, USAGE, ("2.5.29.17", false, &names)]));

    // As the library reads it: the key of a signer, and no authority.
    let certificate = x509::Certificate::from_der(&der).unwrap();
    assert_eq!(
        certificate.claimed_verifying_key(SystemTime::now()).unwrap(),
        *signing_key(3).verifying_key()
    );
    certificate.claimed_encapsulation_key(SystemTime::now()).unwrap_err();
    certificate.verify_signature(signing_key(3).verifying_key()).unwrap();
    let shown: Vec<_> = certificate.names().iter().map(ToString::to_string).collect();
    assert_eq!(shown, arguments_after(&arguments, "--name"));
    let anchors = x509::TrustAnchors::new([certificate.clone()]).unwrap();
    let name = x509::Name::Dns("alice.example".into());
    let refused = anchors.verifying_key(&[certificate], &name, SystemTime::now()).unwrap_err();
    assert!(matches!(refused, Error::Certificate(CertificateRefusal::NotACa)), "{refused}");
}

fn arguments_after<'a>(arguments: &[&'a str], option: &str) -> Vec<&'a str> {
    let pairs = arguments.windows(2).filter(|pair| pair[0] == option);
    pairs.map(|pair| pair[1]).collect()
}

#[test]
fn serial_numbers_are_random_and_a_year_is_the_default() {
    let desk = Desk::new();
    let mut serials = BTreeSet::new();
    for _ in 0..4 {
        let der = made(&desk, "CERTIFICATE", &["--subject", "CN=Alice"]);
        let certificate = Certificate::from_der(&der).unwrap();
        let tbs = certificate.tbs_certificate();
        assert_eq!(tbs.serial_number().as_bytes().len(), 16);
        assert!(tbs.serial_number().as_bytes()[0] < 0x80, "it is positive");
        let (from, to) = (tbs.validity().not_before, tbs.validity().not_after);
        assert_eq!(
            to.to_unix_duration() - from.to_unix_duration(),
            Duration::from_secs(365 * 86400)
        );
        assert_eq!(extensions(tbs.extensions().unwrap()), expected(&[NOT_A_CA, USAGE]));
        serials.insert(tbs.serial_number().as_bytes().to_vec());
    }
    assert_eq!(serials.len(), 4);
}

#[test]
fn a_request() {
    let desk = Desk::new();
    let arguments = ["--request", "--subject", "CN=Alice", "--name", "dns:a.example"];
    let der = made(&desk, "CERTIFICATE REQUEST", &arguments);
    let request = CertReq::from_der(&der).unwrap();
    let info = &request.info;
    assert_signed_by_alice(
        &info.to_der().unwrap(),
        &info.public_key,
        &request.algorithm,
        &request.signature,
    );
    assert_eq!(info.subject.to_string(), "CN=Alice");
    let [attribute] = info.attributes.as_slice() else { panic!("{:?}", info.attributes) };
    assert_eq!(attribute.oid.to_string(), "1.2.840.113549.1.9.14");
    let [requested] = attribute.values.as_slice() else { panic!("{attribute:?}") };
    let requested: Vec<Extension> = requested.decode_as().unwrap();
    let names = b"0\x0b\x82\x09a.example";
    assert_eq!(extensions(&requested), expected(&[USAGE, ("2.5.29.17", false, names)]));
}

#[test]
fn the_result_replaces_a_file_but_not_the_key() {
    let desk = Desk::new();
    desk.write("alice.crt", "old");
    desk.prints("certificate -k alice.pem --subject CN=Alice -o alice.crt");
    assert!(desk.read("alice.crt").starts_with(b"-----BEGIN CERTIFICATE-----\n"));
    let error = desk.fails("certificate -k alice.pem --subject CN=Alice -o alice.pem");
    assert!(error.contains("alice.pem: it would be both read and written"), "{error}");
}

#[test]
fn a_key_that_cannot_sign_is_refused() {
    let desk = Desk::new();
    for (key, what) in [("bob.pem", "to open with"), ("alice.pub", "to verify with")] {
        let error = desk.fails(&format!("certificate -k {key} --subject CN=Alice"));
        assert!(error.contains(what) && error.contains("to sign with is needed"), "{error}");
    }
}

#[test]
fn wrong_arguments_are_refused_with_the_reason() {
    let desk = Desk::new();
    let refused = |arguments: &[&str], reason: &str| {
        let line = [&["certificate", "-k", "alice.pem"], arguments].concat();
        let output = ended(desk.command_with(&line));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert_eq!(output.stdout, b"");
        assert!(error.contains(reason), "{arguments:?}: {error}");
    };
    for (subject, reason) in [
        ("", "TYPE=VALUE is missing"),
        ("CN=Alice,", "TYPE=VALUE is missing"),
        ("Alice", "no `=`"),
        ("=Alice", "\"\" is not a type"),
        ("Name of Alice=Alice", "is not a type"),
        ("sha256WithRSAEncryption=x", "is not a type"),
        ("9.9=x", "is not a type"),
        ("CN=", "has no value"),
        ("CN= ,O=x", "has no value"),
        ("CN=a;O=b", "write \\; for ;"),
        ("CN=\"a\"", "write \\\" for \""),
        ("CN=#0c01", "the DER of a string"),
        ("CN=a\\", "a backslash stands before"),
        ("CN=a\\4", "a backslash stands before"),
        ("CN=a\\x", "a backslash stands before"),
        ("CN=\\ff", "not UTF-8"),
        ("CN=a\\00", "control character"),
        ("CN=#0c00", "has no value"),
        ("CN=a+O=c+CN=b", "two values of one type"),
        ("C=Germany", "two letters"),
        ("C=D1", "two letters"),
        ("DC=bücher", "does not allow"),
        ("serialNumber=7*", "does not allow"),
    ] {
        refused(&["--subject", subject], reason);
    }
    for (name, reason) in [
        ("alice.example", "its type is missing"),
        ("DNS:alice.example", "write dns: in lower case"),
        ("host:alice.example", "\"host\" is not a type"),
        ("dns:192.0.2.1", "write ip:192.0.2.1"),
        ("dns:*.example", "without wildcards"),
        ("dns:a..example", "not the name of a host"),
        ("dns:-a", "not the name of a host"),
        ("dns:bücher.example", "xn--"),
        ("ip:192.0.2.256", "not an IP address"),
        ("ip:192.0.2.0/24", "not an IP address"),
        ("uri:example.com", "not a URI"),
        ("uri:x:a b", "not a URI"),
        ("email:alice", "not a mail address"),
        ("email:@example.com", "not a mail address"),
        ("email:a@b@c", "not the name of a host"),
    ] {
        refused(&["--subject", "CN=a", "--name", name], reason);
    }
    refused(&["--name", "dns:a"], "--subject");
    refused(&["--subject", "CN=a", "--days", "0"], "--days");
    refused(&["--subject", "CN=a", "--days", "36501"], "--days");
    refused(&["--subject", "CN=a", "--days", "9", "--request"], "cannot be used with");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_of_names_panic(text in "(CN|2.5|[^=]{0,3})=?([#+,=\\\\ \"0-9a-f]|\\PC){0,12}") {
        if let Ok(name) = DistinguishedName::parse(&text) {
            let _ = name.to_x509();
        }
    }

    /// Escaped as RFC 4514 says, by other code, each name is read back.
    #[test]
    fn every_name_is_read_back(values in proptest::collection::vec("[^\\p{Cc}]{1,8}", 1..4)) {
        let types = ["CN=", "ou=", "1.2.3="];
        let text: Vec<_> = values.iter().zip(types).map(|(value, kind)| {
            let hex: String = value.bytes().map(|byte| format!("\\{byte:02x}")).collect();
            format!("{kind}{hex}")
        }).collect();
        let name = DistinguishedName::parse(&text.join(",")).unwrap().to_x509().unwrap();
        let found: Vec<_> = name.iter().map(|attribute| {
            String::from_utf8(Any::value(&attribute.value).to_vec()).unwrap()
        }).collect();
        prop_assert!(found.iter().eq(values.iter().take(types.len()).rev()));
        let shown = Name::from_der(&name.to_der().unwrap()).unwrap().to_string();
        if !shown.contains("=#") {
            prop_assert_eq!(DistinguishedName::parse(&shown).unwrap().to_x509().unwrap(), name);
        }
    }
}
