//! Which text is refused as a key file?

use base64::{Engine, prelude::BASE64_STANDARD};
use twinseal::{DecapsulationKey, EncapsulationKey, Error, SigningKey, VerifyingKey};

use super::NOT_DER;
use crate::common::{
    der::pem,
    errors::{bad_pem, invalid, length, outcome, truncated, unknown},
    keys::{P384, X25519, kem_key, signing_key},
    parsers::pem_parsers,
};

#[test]
fn text_that_is_not_pem() {
    for parser in pem_parsers() {
        let valid = String::from_utf8(parser.valid.clone()).unwrap();
        let (first, rest) = valid.split_once('\n').unwrap();
        let end = valid.lines().count();
        let no_begin = "it has no BEGIN line (RFC 7468)";
        let boundary = "it has five hyphens, and is neither a BEGIN nor an END line";
        let unpaired = "an END line without a BEGIN line";
        let not_pem = |reason| format!("{:?}", Error::NotPem { reason });
        let nul = "it has NUL bytes, as binary data and UTF-16 have; PEM is UTF-8 or ASCII text";
        // The first line of what remains is base64, which is short in a private KEM key.
        let lost = match rest.lines().next().unwrap().trim_end_matches('=').len() {
            40.. => bad_pem(1, "base64 without a BEGIN line before it"),
            _ => bad_pem(end - 1, unpaired),
        };
        let texts = [
            (String::new(), not_pem("it is empty")),
            (" \n".into(), not_pem("it is empty")),
            ("\0".repeat(100), not_pem(nul)),
            ("\u{ff}".repeat(100), not_pem(no_begin)),
            (first.into(), bad_pem(1, "its document is cut off, it has no END line")),
            (rest.into(), lost),
            (valid.replace("-----BEGIN", "----BEGIN"), bad_pem(1, boundary)),
            (valid.replace("-----END", "-----ENDE"), bad_pem(end, boundary)),
            (valid.replace("-----END", "---- END"), bad_pem(end, boundary)),
            (valid.replace("BEGIN ", "BEGIN  "), bad_pem(1, boundary)),
            (valid.replace("BEGIN", "begin"), bad_pem(1, boundary)),
            (
                valid.replacen(parser.what, "CERTIFICATE", 1),
                bad_pem(end, "its label differs from that of the BEGIN line"),
            ),
            (
                format!("{first}\nProc-Type: 4,ENCRYPTED\n\n{rest}"),
                bad_pem(2, "a header, which only old or encrypted files have"),
            ),
            (
                format!("{first}\n-----END {}-----\n", parser.what),
                bad_pem(1, "its document has no content"),
            ),
            (valid.replace('\n', ""), bad_pem(1, boundary)),
            (valid.replace('\n', " "), bad_pem(1, boundary)),
            (valid.replace('\n', "\\n"), bad_pem(1, boundary)),
            (format!("{first}\n{valid}"), bad_pem(2, "the document before it has no END line")),
        ];
        for (text, expected) in texts {
            assert_eq!(parser.parse(text.as_bytes()), expected, "{text}");
        }
        // In one line of base64, even that of a whole file.
        let text = BASE64_STANDARD.encode(&valid);
        let expected = bad_pem(1, "base64 without a BEGIN line before it");
        assert_eq!(parser.parse(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn pem_of_another_type() {
    // The label of each kind of key, and what it calls the content of the standard one.
    let (kem_private, kem_public) = ("TWINSEAL KEM PRIVATE KEY", "TWINSEAL KEM PUBLIC KEY");
    let (private, public) = ("PKCS#8 key", "SubjectPublicKeyInfo");
    let kinds = [
        (kem_private, private, "1.3.6.1.5.5.7.6.63"),
        (kem_private, private, "1.3.6.1.5.5.7.6.63"),
        (kem_public, public, "1.3.6.1.5.5.7.6.63"),
        (kem_public, public, "1.3.6.1.5.5.7.6.63"),
        ("PRIVATE KEY", private, "1.3.6.1.5.5.7.6.49"),
        ("PUBLIC KEY", public, "1.3.6.1.5.5.7.6.49"),
    ];
    let parsers = pem_parsers();
    let certificate = pem("CERTIFICATE", b"anything");
    for (parser, (label, what, _)) in parsers.iter().zip(kinds) {
        for (other, (other_label, other_what, oid)) in parsers.iter().zip(kinds) {
            let has_standard_label = !other.what.starts_with("TWINSEAL");
            let expected = if label == other_label {
                "Ok".into()
            } else if what == other_what && has_standard_label {
                format!("{:?}", Error::Algorithm { what, oid: oid.into() })
            } else {
                format!("{:?}", Error::PemLabel { expected: label, found: other.what.into() })
            };
            assert_eq!(parser.parse(&other.valid), expected);
        }
        let expected = Error::PemLabel { expected: label, found: "CERTIFICATE".into() };
        assert_eq!(parser.parse(certificate.as_bytes()), format!("{expected:?}"));
    }
    let error = DecapsulationKey::from_pem(&certificate).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a PEM document labelled \"TWINSEAL KEM PRIVATE KEY\", found \"CERTIFICATE\""
    );
}

#[test]
fn pem_with_other_content() {
    let private = |content: &[u8]| {
        let text = pem("TWINSEAL KEM PRIVATE KEY", content);
        outcome(DecapsulationKey::from_pem(&text))
    };
    let public = |content: &[u8]| {
        let text = pem("TWINSEAL KEM PUBLIC KEY", content);
        outcome(EncapsulationKey::from_pem(&text))
    };
    for id in [0x0000, 0x0002, 0x0050, 0x0052, 0x0100, 0x5100, 0xf001, 0xffff] {
        let content = [&u16::to_be_bytes(id)[..], &[7; 32]].concat();
        assert_eq!(private(&content), unknown("KEM suite", id));
        assert_eq!(public(&content), unknown("KEM suite", id));
    }
    assert_eq!(private(&[0]), truncated("KEM key file", 2, 1));
    assert_eq!(public(&[0]), truncated("KEM key file", 2, 1));
    let one_byte_more = [&[0, 1], &[7; 33][..]].concat();
    assert_eq!(private(&one_byte_more), length("decapsulation key seed", 32, 33));
    // The content of the other type.
    let key = kem_key(X25519, 8);
    let ek = [&[0, 1], key.encapsulation_key().as_bytes()].concat();
    assert_eq!(private(&ek), length("decapsulation key seed", 32, 1600));
    let seed = [&[0, 1], key.seed().unwrap()].concat();
    assert_eq!(public(&seed), length("encapsulation key", 1600, 32));
    // Suite 0x0051 has standard files only.
    let key = kem_key(P384, 8);
    let reason = "keys of its suite are PKCS#8 and SPKI; import it to get that form";
    let ek = [&[0, 0x51], key.encapsulation_key().as_bytes()].concat();
    assert_eq!(public(&ek), invalid("KEM key file", reason));
    let seed = [&[0, 0x51], key.seed().unwrap()].concat();
    assert_eq!(private(&seed), invalid("KEM key file", reason));

    let der = |label, content: &[u8]| pem(label, content);
    let spki = signing_key(8).verifying_key().to_spki_der().unwrap();
    let found = outcome(SigningKey::from_pem(&der("PRIVATE KEY", &spki)));
    assert_eq!(found, invalid("PKCS#8 key", NOT_DER));
    let pkcs8 = signing_key(8).to_pkcs8_der().unwrap();
    let found = outcome(VerifyingKey::from_pem(&der("PUBLIC KEY", pkcs8.as_bytes())));
    assert_eq!(found, invalid("SubjectPublicKeyInfo", NOT_DER));
}

/// Base64 has spare bits at the end; they must be zero (RFC 4648 §3.5).
#[test]
fn pem_with_spare_bits() {
    let text = kem_key(X25519, 9).to_pem().as_str().to_string();
    let end = text.find("==").unwrap();
    assert_eq!(outcome(DecapsulationKey::from_pem(&text)), "Ok");
    let last = text.as_bytes()[end - 1];
    for other in (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9') {
        let mut changed = text.clone().into_bytes();
        changed[end - 1] = other;
        let changed = String::from_utf8(changed).unwrap();
        let canonical = b"AQgw".contains(&other);
        let found = outcome(DecapsulationKey::from_pem(&changed));
        if canonical {
            assert_eq!(found, "Ok", "another key, since {last} became {other}");
        } else {
            let reason = "its base64 is incomplete, or ends wrongly";
            assert_eq!(found, bad_pem(2, reason), "{other}");
        }
    }
}
