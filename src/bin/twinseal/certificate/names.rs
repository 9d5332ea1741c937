//! Reads the names of `--name`, such as `dns:alice.example`, for a new certificate.

use std::net::IpAddr;

use x509_cert::{der::asn1::Ia5String, ext::pkix::name::GeneralName};

/// A name of a subject, whose form is that of RFC 5280 §4.2.1.6.
#[derive(Clone, Debug)]
pub(crate) struct SubjectName(pub(super) GeneralName);

impl SubjectName {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (kind, value) = text.split_once(':').unwrap_or(("", text));
        let ascii = || Ia5String::new(value).map_err(|_| "it is not ASCII".to_owned());
        Ok(Self(match kind {
            "dns" => GeneralName::DnsName(host(value).and_then(|()| ascii())?),
            "ip" => {
                let address: Result<IpAddr, _> = value.parse();
                address.map_err(|_| "not an IP address, such as 192.0.2.1 or 2001:db8::1")?.into()
            }
            "uri" => GeneralName::UniformResourceIdentifier(uri(value).and_then(|()| ascii())?),
            "email" => GeneralName::Rfc822Name(mailbox(value).and_then(|()| ascii())?),
            _ => {
                return Err(
                    "its type is missing: dns:HOST, ip:ADDRESS, uri:URI or email:ADDRESS".into()
                );
            }
        }))
    }
}

/// A host's whole name: names are compared without wildcards.
fn host(value: &str) -> Result<(), String> {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if value.contains('*') {
        return Err("names are compared without wildcards; name each host".into());
    }
    if value.len() > 253 || !value.split('.').all(is_label) {
        return Err(
            "not the name of a host, such as alice.example; write other letters than those \
                    of ASCII as xn--.."
                .into(),
        );
    }
    Ok(())
}

/// A scheme, and something after it.
fn uri(value: &str) -> Result<(), String> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    match value.split_once(':') {
        Some((scheme, rest))
            if is_scheme(scheme)
                && !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Ok(())
        }
        _ => Err("not a URI, such as spiffe://example.com/alice".into()),
    }
}

fn mailbox(value: &str) -> Result<(), String> {
    match value.split_once('@') {
        Some((local, domain))
            if !local.is_empty() && local.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            host(domain)
        }
        _ => Err("not a mail address, such as alice@example.com".into()),
    }
}
