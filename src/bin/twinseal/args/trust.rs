//! The options by which `seal`, `rewrap` and `verify` verify a certificate.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::{certificate::SubjectName, distinguished_name::DistinguishedName};

/// Without any of them, a certificate is trusted as it is.
#[derive(Args)]
pub(crate) struct Trust {
    /// Verify the certificate: only these authorities may have issued it. Needs --name or --subject
    ///
    /// Without --ca, a certificate is trusted as it is, like a public key: only its validity and usage are
    /// checked. Certificates of authorities between it and those in FILE belong in its own file, after it.
    /// At most 6 may be on the path. Every certificate in FILE is trusted, whoever issued it. Certificates are not
    /// looked up in revocation lists.
    #[arg(long, value_name = "FILE", requires = "whose", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Option<PathBuf>,

    /// The certificate must have this name: dns:HOST, ip:ADDRESS, uri:URI or email:ADDRESS
    #[arg(long, value_name = "TYPE:VALUE", requires = "ca", group = "whose",
        value_parser = SubjectName::parse, value_hint = ValueHint::Other)]
    pub(crate) name: Option<SubjectName>,

    /// The certificate must be for this subject, such as CN=Alice,O=Example,C=DE (RFC 4514)
    #[arg(long, value_name = "DN", requires = "ca", group = "whose",
        value_parser = DistinguishedName::parse, value_hint = ValueHint::Other)]
    pub(crate) subject: Option<DistinguishedName>,

    /// If the certificate has an extended key usage, it must include this object identifier, such as
    /// 1.3.6.1.5.5.7.3.4
    #[arg(long, value_name = "OID", requires = "ca", value_hint = ValueHint::Other)]
    pub(crate) eku: Option<String>,
}
