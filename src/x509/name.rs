//! Whose certificate is it? The names that a caller can expect, and how they are compared.

use std::{fmt, net::IpAddr};

use super::distinguished_name;
use crate::error::Error;

/// A name of a signer or recipient, with its type.
///
/// Names are compared whole. A certificate for `*.example.com` is not one for `www.example.com`.
///
/// ```
/// use twinseal::x509::Name;
///
/// assert_eq!(Name::Dns("example.com".into()).to_string(), "dns:example.com");
/// assert_eq!(Name::Ip([192, 0, 2, 1].into()).to_string(), "ip:192.0.2.1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Name {
    /// A `dNSName` among the certificate's alternative names, compared without regard to ASCII case.
    Dns(String),
    /// An `iPAddress` among the certificate's alternative names.
    Ip(IpAddr),
    /// A `uniformResourceIdentifier` among the certificate's alternative names.
    Uri(String),
    /// An `rfc822Name` among the certificate's alternative names.
    Email(String),
    /// The certificate's subject as DER, as [`Certificate::subject_der`](super::Certificate::subject_der)
    /// returns it, compared byte for byte.
    Subject(Vec<u8>),
}

impl Name {
    /// A certificate whose subject is empty has its name elsewhere, so an empty name would fit certificates
    /// of anybody.
    pub(super) fn check(&self) -> Result<(), Error> {
        let is_empty = match self {
            Self::Dns(text) | Self::Uri(text) | Self::Email(text) => text.is_empty(),
            Self::Subject(der) => der.is_empty() || der == EMPTY_SEQUENCE,
            Self::Ip(_) => false,
        };
        if is_empty { Err(Error::Misuse { what: "name", reason: "it is empty" }) } else { Ok(()) }
    }

    /// Whether a certificate's name is the one that the caller expects.
    pub(super) fn is(&self, expected: &Self) -> bool {
        match (self, expected) {
            (Self::Dns(name), Self::Dns(expected)) => name.eq_ignore_ascii_case(expected),
            _ => self == expected,
        }
    }
}

const EMPTY_SEQUENCE: &[u8] = &[0x30, 0];

/// The type and the name, as in `uri:https://example.com/alice`. Control characters are escaped.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{}", name.escape_debug()),
            Self::Ip(address) => write!(f, "ip:{address}"),
            Self::Uri(name) => write!(f, "uri:{}", name.escape_debug()),
            Self::Email(name) => write!(f, "email:{}", name.escape_debug()),
            Self::Subject(der) => write!(f, "subject:{}", distinguished_name::text(der)),
        }
    }
}
