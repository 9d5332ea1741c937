//! What must one certificate satisfy, wherever it comes from?

use std::time::{Duration, SystemTime};

use spki::ObjectIdentifier;
use x509_cert::{certificate::Version, ext::pkix::BasicConstraints};

use super::{extensions::KeyUsage, fields::Fields};
use crate::error::CertificateRefusal;

/// What a certificate's key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It verifies a signature over data.
    Sign,
    /// Data is sealed to it.
    Seal,
    /// It verifies other certificates, and so many authorities are below it on the path.
    Certify { below: usize },
}

impl Fields {
    /// Version, validity, critical extensions and usage (RFC 5280 §6.1.3, §6.1.4).
    pub(super) fn check(
        &self,
        purpose: Purpose,
        now: SystemTime,
    ) -> Result<(), CertificateRefusal> {
        if self.version != Version::V3 {
            return Err(CertificateRefusal::Version);
        }
        let now = seconds(now).ok_or(CertificateRefusal::NotYetValid)?;
        if now < self.not_before {
            return Err(CertificateRefusal::NotYetValid);
        }
        if now > self.not_after {
            return Err(CertificateRefusal::Expired);
        }
        if self.extensions.has_unknown_critical {
            return Err(CertificateRefusal::CriticalExtension);
        }
        match purpose {
            Purpose::Certify { below } => self.check_authority(below)?,
            // RFC 5280 §4.2.1.10: only authorities have them.
            _ if self.extensions.constraints.is_some() => {
                return Err(CertificateRefusal::Malformed);
            }
            Purpose::Sign | Purpose::Seal => {}
        }
        match self.extensions.key_usage {
            Some(usage) if !allows(usage, purpose) => Err(CertificateRefusal::KeyUsage),
            _ => Ok(()),
        }
    }

    fn check_authority(&self, below: usize) -> Result<(), CertificateRefusal> {
        match &self.extensions.basic_constraints {
            Some(BasicConstraints { ca: true, path_len_constraint }) => match path_len_constraint {
                Some(most) if below > usize::from(*most) => Err(CertificateRefusal::PathTooLong),
                _ => Ok(()),
            },
            _ => Err(CertificateRefusal::NotACa),
        }
    }

    /// webpki applies constraints on addresses of mail to alternative names only. RFC 5280 §4.2.1.10 has them
    /// apply to subjects, too; here such a subject is refused, whatever its address is.
    pub(super) fn check_email_constraint(
        &self,
        has_email_subject_below: bool,
    ) -> Result<(), CertificateRefusal> {
        match &self.extensions.constraints {
            Some(constraints) if constraints.of_email && has_email_subject_below => {
                Err(CertificateRefusal::NameConstraint)
            }
            _ => Ok(()),
        }
    }

    /// An extended key usage, if there is one, must contain the one that was named.
    pub(super) fn check_extended_key_usage(
        &self,
        named: Option<ObjectIdentifier>,
    ) -> Result<(), CertificateRefusal> {
        match &self.extensions.extended_key_usage {
            Some(usages) if !named.is_some_and(|named| usages.contains(&named)) => {
                Err(CertificateRefusal::ExtendedKeyUsage)
            }
            _ => Ok(()),
        }
    }
}

fn allows(usage: KeyUsage, purpose: Purpose) -> bool {
    match purpose {
        Purpose::Sign => {
            usage.has(KeyUsage::DIGITAL_SIGNATURE) || usage.has(KeyUsage::NON_REPUDIATION)
        }
        // A key for key encipherment has no other use (draft-ietf-lamps-pq-composite-kem).
        Purpose::Seal => usage == KeyUsage::KEY_ENCIPHERMENT,
        Purpose::Certify { .. } => usage.has(KeyUsage::KEY_CERT_SIGN),
    }
}

/// Whole seconds since 1970, as certificates count: both ends of a validity belong to it. `None` before, when
/// no certificate is valid.
pub(super) fn seconds(now: SystemTime) -> Option<Duration> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Duration::from_secs(since.as_secs()))
}
