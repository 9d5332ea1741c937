//! Certificates as PEM text (RFC 7468 §5), one or a chain.

use std::{fmt, io, path::Path, str::FromStr};

use super::Certificate;
use crate::{
    error::Error,
    key_files::{PemDocument, files, pem},
};

const LABEL: &str = "CERTIFICATE";

impl Certificate {
    /// Parses the only certificate of a PEM text.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`from_der`](Self::from_der);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        PemDocument::only(pem)?.try_into()
    }

    /// Parses a chain: the first certificate is the subject's, the others are those of authorities between
    /// it and a trust anchor, in any order.
    ///
    /// # Errors
    ///
    /// Same as [`from_pem`](Self::from_pem), except that there may be several documents.
    pub fn chain_from_pem(pem: &str) -> Result<Vec<Self>, Error> {
        PemDocument::split(pem)?.into_iter().map(Self::try_from).collect()
    }

    /// Reads a chain from a PEM file of at most 4 MiB. A pipe is read to its end.
    ///
    /// # Errors
    ///
    /// Same as [`chain_from_pem`](Self::chain_from_pem), wrapped in [`io::Error`] (see
    /// [`Error::inside`]); and those of the file system. The text starts with the path.
    pub fn read_pem_chain(path: impl AsRef<Path>) -> io::Result<Vec<Self>> {
        files::read_key(path.as_ref(), Self::chain_from_pem)
    }

    /// The certificate as PEM, labelled `CERTIFICATE`. `Display` writes the same text.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(LABEL, self.as_der()).to_string()
    }
}

/// A document labelled `CERTIFICATE`.
impl TryFrom<PemDocument<'_>> for Certificate {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        Self::from_der(&document.content(LABEL)?)
    }
}

/// Writes the PEM of [`to_pem`](Certificate::to_pem).
impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_pem())
    }
}

/// Parses PEM, like [`from_pem`](Certificate::from_pem).
impl FromStr for Certificate {
    type Err = Error;

    fn from_str(pem: &str) -> Result<Self, Error> {
        Self::from_pem(pem)
    }
}
