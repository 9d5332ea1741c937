//! A certificate: what it says, and the key in it.

use std::{fmt, hash, sync::Arc, time::SystemTime};

use super::{Name, checks::Purpose, distinguished_name, fields::Fields, signature};
use crate::{
    error::{CertificateRefusal, Error},
    kem::EncapsulationKey,
    sign::VerifyingKey,
};

/// An X.509 certificate (RFC 5280). A clone shares it. Equality is that of all bytes.
///
/// What it says is only claimed until [`TrustAnchors`](super::TrustAnchors) verified a chain for it.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    fields: Fields,
}

impl Certificate {
    /// Parses a certificate. Versions, times, extensions and signatures are judged when its key is asked
    /// for.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the bytes are not DER of a certificate, are more than 65535, or have more than
    /// 32 extensions; or if one of those that this crate knows is damaged, or any is repeated.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: "certificate", reason };
        let fields = Fields::read(der).map_err(invalid)?;
        Ok(Self(Arc::new(Parsed { der: der.to_vec(), fields })))
    }

    /// The certificate's bytes, as they were read.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The subject as text (RFC 4514), as in `CN=Alice,O=Example`. Control characters and invisible ones
    /// are escaped.
    #[must_use]
    pub fn subject(&self) -> String {
        distinguished_name::text(self.subject_der())
    }

    /// The issuer as text, like [`subject`](Self::subject).
    #[must_use]
    pub fn issuer(&self) -> String {
        distinguished_name::text(&self.fields().issuer)
    }

    /// The subject as DER, for [`Name::Subject`].
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.fields().subject
    }

    /// The public key as the DER `SubjectPublicKeyInfo` that the certificate has. Nothing about it is
    /// checked.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.fields().spki
    }

    /// The first second of its validity.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.fields().not_before
    }

    /// The last second of its validity.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.fields().not_after
    }

    /// The alternative names of the types that [`Name`] has, without the subject.
    #[must_use]
    pub fn names(&self) -> Vec<Name> {
        self.fields().extensions.names.clone().unwrap_or_default()
    }

    /// The key of a signer, **trusting the certificate as it is**: no signature is verified, and no name is
    /// compared. Its version, validity, critical extensions and usage are checked.
    ///
    /// # Errors
    ///
    /// [`Error::Algorithm`] if the key is not one to verify with; [`Error::Length`] or [`Error::Invalid`] if
    /// it is damaged; [`Error::Certificate`] if a check fails.
    pub fn claimed_verifying_key(&self, now: SystemTime) -> Result<VerifyingKey, Error> {
        let key = VerifyingKey::import_der(self.spki_der())?;
        self.check_as_it_is(Purpose::Sign, now)?;
        Ok(key)
    }

    /// The key of a recipient, **trusting the certificate as it is**, like
    /// [`claimed_verifying_key`](Self::claimed_verifying_key).
    ///
    /// # Errors
    ///
    /// [`Error::Algorithm`] if the key is not one to seal to; [`Error::Length`] or [`Error::Invalid`] if it
    /// is damaged; [`Error::Certificate`] if a check fails.
    pub fn claimed_encapsulation_key(&self, now: SystemTime) -> Result<EncapsulationKey, Error> {
        let key = EncapsulationKey::import_der(self.spki_der())?;
        self.check_as_it_is(Purpose::Seal, now)?;
        Ok(key)
    }

    fn check_as_it_is(&self, purpose: Purpose, now: SystemTime) -> Result<(), Error> {
        self.fields().check(purpose, now).map_err(Error::Certificate)?;
        self.fields().check_extended_key_usage(None).map_err(Error::Certificate)
    }

    /// Verifies the certificate's signature with the issuer's key, **and nothing else**: neither validity
    /// nor usage nor that the issuer is an authority. For chains there is
    /// [`TrustAnchors`](super::TrustAnchors).
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`]: [`Algorithm`](CertificateRefusal::Algorithm) if it is signed with another
    /// algorithm, [`Signature`](CertificateRefusal::Signature) if the signature does not verify.
    pub fn verify_signature(&self, issuer: &VerifyingKey) -> Result<(), Error> {
        let fields = self.fields();
        if fields.algorithm != signature::ALGORITHM {
            return Err(Error::Certificate(CertificateRefusal::Algorithm));
        }
        if fields.signed_algorithm != fields.algorithm {
            return Err(Error::Certificate(CertificateRefusal::Malformed));
        }
        signature::verify(issuer, &fields.signed, &fields.signature)
    }

    /// Whether the certificate is for this name.
    pub(super) fn is_named(&self, expected: &Name) -> bool {
        match expected {
            Name::Subject(der) => self.subject_der() == der,
            _ => self.names().iter().any(|name| name.is(expected)),
        }
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.0.fields
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.as_der() == other.as_der()
    }
}

impl Eq for Certificate {}

impl hash::Hash for Certificate {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_der().hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.subject())
    }
}
