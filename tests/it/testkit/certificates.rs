//! Keys out of certificates.

use std::time::{Duration, SystemTime};

use twinseal::{
    Error,
    provider::Provider,
    x509::{Certificate, Name, TrustAnchors},
};

use super::{
    case::Case,
    outcome::{Outcome, expected},
};

/// Certificates one behind another.
fn certificates(mut ders: &[u8]) -> Result<Vec<Certificate>, Error> {
    let mut found = Vec::new();
    while !ders.is_empty() {
        // All are longer than 255 bytes, so their lengths are in the third and fourth byte.
        let length = 4 + usize::from(u16::from_be_bytes([ders[2], ders[3]]));
        found.push(Certificate::from_der(&ders[..length])?);
        ders = &ders[length..];
    }
    Ok(found)
}

fn name(text: &str) -> Name {
    let (kind, name) = text.split_once(':').unwrap();
    match kind {
        "dns" => Name::Dns(name.into()),
        "ip" => Name::Ip(name.parse().unwrap()),
        "uri" => Name::Uri(name.into()),
        "email" => Name::Email(name.into()),
        "subject" => Name::Subject(hex::decode(name).unwrap()),
        other => panic!("no such type of names: {other}"),
    }
}

pub(super) fn certificate(case: &Case, _: &'static Provider) -> Outcome {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(case.number("time").unwrap());
    let mut chain = vec![Certificate::from_der(case.bytes("certificate"))?];
    chain.extend(certificates(case.get("between").unwrap_or_default())?);
    let is_signer = case.text("use") == "signer";
    let key_id = if let Some(anchors) = case.get("anchors") {
        let mut anchors = TrustAnchors::new(certificates(anchors)?)?;
        if case.get("purpose").is_some() {
            anchors = anchors.with_extended_key_usage(case.text("purpose"))?;
        }
        let name = name(case.text("name"));
        if is_signer {
            anchors.verifying_key(&chain, &name, now)?.key_id()
        } else {
            anchors.encapsulation_key(&chain, &name, now)?.key_id()
        }
    } else if is_signer {
        chain[0].claimed_verifying_key(now)?.key_id()
    } else {
        chain[0].claimed_encapsulation_key(now)?.key_id()
    };
    expected(case, "key-id", &hex::encode(key_id.as_bytes()))
}
