//! Reads the names of `--name`, such as `dns:alice.example`, as options have them.

use std::net::IpAddr;

use twinseal::x509::Name;
use x509_cert::{
    der::{self, asn1::Ia5String},
    ext::pkix::name::GeneralName,
};

/// A name of a subject, in a certificate that is made or verified.
#[derive(Clone, Debug)]
pub(crate) struct SubjectName(pub(crate) Name);

impl SubjectName {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((kind, value)) = text.split_once(':') else {
            return Err(format!("its type is missing: {TYPES}"));
        };
        let checked = |check: fn(&str) -> Result<(), String>| -> Result<String, String> {
            check(value)?;
            if value.is_ascii() { Ok(value.to_owned()) } else { Err("it is not ASCII".into()) }
        };
        Ok(Self(match kind {
            "dns" if value.parse::<IpAddr>().is_ok() => {
                return Err(format!("an address, not the name of a host: write ip:{value}"));
            }
            "dns" => Name::Dns(checked(host)?),
            "ip" => {
                let address: Result<IpAddr, _> = value.parse();
                Name::Ip(
                    address.map_err(|_| "not an IP address, such as 192.0.2.1 or 2001:db8::1")?,
                )
            }
            "uri" => Name::Uri(checked(uri)?),
            "email" => Name::Email(checked(mailbox)?),
            kind if ["dns", "ip", "uri", "email"].contains(&&*kind.to_ascii_lowercase()) => {
                return Err(format!("write {}: in lower case", kind.to_ascii_lowercase()));
            }
            kind => return Err(format!("{kind:?} is not a type: write {TYPES}")),
        }))
    }

    /// As a new certificate has it (RFC 5280 §4.2.1.6).
    pub(super) fn to_x509(&self) -> der::Result<GeneralName> {
        Ok(match &self.0 {
            Name::Dns(host) => GeneralName::DnsName(Ia5String::new(host)?),
            Name::Ip(address) => (*address).into(),
            Name::Uri(uri) => GeneralName::UniformResourceIdentifier(Ia5String::new(uri)?),
            Name::Email(mailbox) => GeneralName::Rfc822Name(Ia5String::new(mailbox)?),
            // `parse` makes no others.
            _ => return Err(der::ErrorKind::Failed.into()),
        })
    }
}

const TYPES: &str = "dns:HOST, ip:ADDRESS, uri:URI or email:ADDRESS";

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
