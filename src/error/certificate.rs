//! Why is a certificate refused?

use std::fmt;

/// Why a certificate, or every chain from it to a trust anchor, is refused (RFC 5280 §6). The functions
/// that refuse are in the module `x509`, with the feature of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateRefusal {
    /// Its validity, or that of its issuers, has ended.
    Expired,
    /// Its validity, or that of its issuers, has not begun.
    NotYetValid,
    /// A signature does not verify.
    Signature,
    /// No chain leads to a trust anchor.
    UnknownIssuer,
    /// A signature on the chain is of an algorithm that this crate does not have.
    Algorithm,
    /// An issuer, or the trust anchor, is not a certification authority.
    NotACa,
    /// It is a certification authority, but the certificate of a signer or recipient is needed.
    IsACa,
    /// There are more certification authorities on the chain than one of them allows.
    PathTooLong,
    /// A key usage on the chain does not allow this use.
    KeyUsage,
    /// An extended key usage on the chain is not the one that was named, or none was named.
    ExtendedKeyUsage,
    /// A critical extension that this crate does not know.
    CriticalExtension,
    /// It is not an X.509 certificate of version 3.
    Version,
    /// It is for another name.
    Name,
    /// An issuer may not certify its name.
    NameConstraint,
    /// A certificate of the chain is damaged, or breaks a rule of its form.
    Malformed,
    /// There are too many certificates, or too many ways from one to the next.
    TooComplex,
}

impl fmt::Display for CertificateRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "it, or an issuer, has expired",
            Self::NotYetValid => "it, or an issuer, is not yet valid",
            Self::Signature => "its signature, or that of an issuer, does not verify",
            Self::UnknownIssuer => "no chain leads from it to a trusted certification authority",
            Self::Algorithm => "its signature, or that of an issuer, is of another algorithm",
            Self::NotACa => "an issuer is not a certification authority",
            Self::IsACa => "it is that of a certification authority",
            Self::PathTooLong => "an issuer does not allow a chain of this length",
            Self::KeyUsage => "its key usage, or that of an issuer, does not allow this",
            Self::ExtendedKeyUsage => {
                "its extended key usage, or that of an issuer, is not one that was named"
            }
            Self::CriticalExtension => "it, or an issuer, has a critical extension that is unknown",
            Self::Version => "it, or an issuer, is not of version 3",
            Self::Name => "it is for another name",
            Self::NameConstraint => "an issuer may not certify its name",
            Self::Malformed => "it, or an issuer, is damaged",
            Self::TooComplex => "there are too many certificates to build a chain from",
        })
    }
}
