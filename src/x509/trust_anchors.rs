//! Authorities that are trusted to say whose key a key is.

use std::{fmt, time::SystemTime};

use spki::ObjectIdentifier;

use super::{Certificate, Name, checks::Purpose, path::Anchors};
use crate::{
    error::{CertificateRefusal, Error},
    kem::EncapsulationKey,
    sign::VerifyingKey,
};

/// The certificates of authorities that are trusted to say whose key a key is.
///
/// The [module](super) has an example, and lists what is verified.
#[derive(Clone)]
pub struct TrustAnchors(Anchors);

/// Every order of these certificates may be a path, so the time to find that none is one grows with their
/// factorial.
const MOST_BETWEEN: usize = 8;

impl TrustAnchors {
    /// Trusts these authorities. Whether each is valid, and an authority at all, is checked when a chain
    /// leads to it.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if there is none; [`Error::Certificate`] if one is damaged.
    pub fn new(authorities: impl IntoIterator<Item = Certificate>) -> Result<Self, Error> {
        let certificates: Vec<_> = authorities.into_iter().collect();
        if certificates.is_empty() {
            return Err(Error::Misuse { what: "trust anchors", reason: "there are none" });
        }
        Ok(Self(Anchors::new(certificates)?))
    }

    /// Names the extended key usage (RFC 5280 §4.2.1.12) that the certificates are needed for, in dotted
    /// form. Certificates with extended key usages must then have this one among them. Those without any
    /// remain usable for every purpose.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if it is not an object identifier.
    pub fn with_extended_key_usage(mut self, oid: &str) -> Result<Self, Error> {
        let reason = "it is not an object identifier in dotted form, as in 1.3.6.1.5.5.7.3.4";
        let oid = ObjectIdentifier::new(oid)
            .map_err(|_| Error::Misuse { what: "extended key usage", reason })?;
        self.0.extended_key_usage = Some(oid);
        Ok(self)
    }

    /// The key of the signer with this name, out of the first certificate of a chain. The others are those
    /// of authorities between it and a trust anchor: at most 8, in any order. Not all of them need to be on
    /// the path, which has at most 6 of them.
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] with the reason, if no path to an anchor is good, or the certificate is for
    /// another name; [`Error::Algorithm`], [`Error::Length`] or [`Error::Invalid`] if its key is not one to
    /// verify with; [`Error::Misuse`] if the chain or the name is empty.
    pub fn verifying_key(
        &self,
        chain: &[Certificate],
        name: &Name,
        now: SystemTime,
    ) -> Result<VerifyingKey, Error> {
        let (subject, between) = split(chain)?;
        let key = VerifyingKey::import_der(subject.spki_der())?;
        self.verify(subject, between, Purpose::Sign, name, now)?;
        Ok(key)
    }

    /// The key of the recipient with this name, like [`verifying_key`](Self::verifying_key).
    ///
    /// # Errors
    ///
    /// Same as [`verifying_key`](Self::verifying_key), for a key to seal to.
    pub fn encapsulation_key(
        &self,
        chain: &[Certificate],
        name: &Name,
        now: SystemTime,
    ) -> Result<EncapsulationKey, Error> {
        let (subject, between) = split(chain)?;
        let key = EncapsulationKey::import_der(subject.spki_der())?;
        self.verify(subject, between, Purpose::Seal, name, now)?;
        Ok(key)
    }

    fn verify(
        &self,
        subject: &Certificate,
        between: &[Certificate],
        purpose: Purpose,
        name: &Name,
        now: SystemTime,
    ) -> Result<(), Error> {
        name.check()?;
        let verify = || {
            if between.len() > MOST_BETWEEN {
                return Err(CertificateRefusal::TooComplex);
            }
            subject.fields().check(purpose, now)?;
            self.0.find_path(subject, between, now)?;
            if subject.is_named(name) { Ok(()) } else { Err(CertificateRefusal::Name) }
        };
        verify().map_err(Error::Certificate)
    }
}

/// The first certificate, and the others.
fn split(chain: &[Certificate]) -> Result<(&Certificate, &[Certificate]), Error> {
    chain.split_first().ok_or(Error::Misuse { what: "chain", reason: "it has no certificate" })
}

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0.certificates).finish()
    }
}
