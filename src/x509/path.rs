//! Which path leads from a certificate to a trust anchor? webpki looks for it, and here is checked what it
//! leaves out.

use std::{cell::Cell, ptr, time::SystemTime};

use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm,
    TrustAnchor, UnixTime,
};
use spki::ObjectIdentifier;
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, VerifiedPath,
};

use super::{
    Certificate,
    checks::{Purpose, seconds},
    refusal, signature,
};
use crate::{
    error::{CertificateRefusal, Error},
    sign::VerifyingKey,
};

/// The certificates of authorities that are trusted, and for what.
#[derive(Clone)]
pub(super) struct Anchors {
    pub(super) certificates: Vec<Certificate>,
    /// The same in webpki's form, in the same order: subject, key and name constraints.
    anchors: Vec<TrustAnchor<'static>>,
    pub(super) extended_key_usage: Option<ObjectIdentifier>,
}

impl Anchors {
    pub(super) fn new(certificates: Vec<Certificate>) -> Result<Self, Error> {
        let anchor = |certificate: &Certificate| {
            let der = CertificateDer::from(certificate.as_der());
            webpki::anchor_from_trusted_cert(&der).map(|anchor| anchor.to_owned())
        };
        let anchors = certificates.iter().map(anchor).collect::<Result<_, _>>();
        let anchors = anchors.map_err(|error| Error::Certificate(refusal::of(&error)))?;
        Ok(Self { certificates, anchors, extended_key_usage: None })
    }

    /// Whether one of the paths from a certificate through some of those `between` to an anchor is good.
    /// The certificate's own usage is not checked here.
    pub(super) fn find_path(
        &self,
        subject: &Certificate,
        between: &[Certificate],
        now: SystemTime,
    ) -> Result<(), CertificateRefusal> {
        let of_webpki = |error| refusal::of(&error);
        let has_email_subject = subject.fields().has_email_subject;
        let der = CertificateDer::from(subject.as_der());
        let subject = EndEntityCert::try_from(&der).map_err(of_webpki)?;
        let ders: Vec<_> = between.iter().map(|issuer| issuer.as_der().into()).collect();
        // The error of a path is one of webpki's, which has none for some of our reasons.
        let reason = Cell::new(None);
        let check = |path: &VerifiedPath<'_>| {
            self.check_path(path, has_email_subject, between, now).map_err(|refusal| {
                reason.set(reason.get().or(Some(refusal)));
                webpki::Error::UnknownIssuer
            })
        };
        let found = subject.verify_for_usage(
            &[&CompositeSignature],
            &self.anchors,
            &ders,
            UnixTime::since_unix_epoch(seconds(now).ok_or(CertificateRefusal::NotYetValid)?),
            self,
            None,
            Some(&check),
        );
        found.map(drop).map_err(|error| reason.get().unwrap_or_else(|| of_webpki(error)))
    }

    /// What webpki leaves out: all of the anchor but its subject, key and name constraints, of the others
    /// the key usage, and addresses of mail in subjects, which name constraints are about, too. webpki tries
    /// the next path if it fails.
    fn check_path(
        &self,
        path: &VerifiedPath<'_>,
        mut has_email_subject: bool,
        between: &[Certificate],
        now: SystemTime,
    ) -> Result<(), CertificateRefusal> {
        let mut below = 0;
        for issuer in path.intermediate_certificates() {
            let der = issuer.der();
            let issuer = between.iter().find(|issuer| issuer.as_der() == &*der);
            let issuer = issuer.ok_or(CertificateRefusal::UnknownIssuer)?;
            issuer.fields().check(Purpose::Certify { below }, now)?;
            issuer.fields().check_email_constraint(has_email_subject)?;
            has_email_subject |= issuer.fields().has_email_subject;
            below += 1;
        }
        // Two anchors may have the same subject and key.
        let place = self.anchors.iter().position(|anchor| ptr::eq(anchor, path.anchor()));
        let anchor = place.and_then(|place| self.certificates.get(place));
        let anchor = anchor.ok_or(CertificateRefusal::UnknownIssuer)?;
        anchor.fields().check(Purpose::Certify { below }, now)?;
        anchor.fields().check_email_constraint(has_email_subject)?;
        anchor.fields().check_extended_key_usage(self.extended_key_usage)
    }
}

/// webpki asks for every certificate below the anchor, also for one without extended key usages.
impl ExtendedKeyUsageValidator for Anchors {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let named = self.extended_key_usage.as_ref();
        let mut are_absent = true;
        for usage in usages {
            let usage = usage?;
            are_absent = false;
            if named.is_some_and(|named| usage == KeyPurposeId::new(named.as_bytes())) {
                return Ok(());
            }
        }
        if are_absent { Ok(()) } else { Err(webpki::Error::EmptyEkuExtension) }
    }
}

/// The only algorithm that webpki is given, so that a link with another one is refused.
#[derive(Debug)]
struct CompositeSignature;

impl SignatureVerificationAlgorithm for CompositeSignature {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::import_bytes(signature::SUITE, public_key);
        key.and_then(|key| signature::verify(&key, message, signature))
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(signature::ALGORITHM)
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(signature::ALGORITHM)
    }
}
