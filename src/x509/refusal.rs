//! What an error of webpki means to the caller.

use crate::error::CertificateRefusal;

/// The reason for which no path to an anchor was found.
#[allow(deprecated)] // older variants of the same errors, which webpki may still return
pub(super) fn of(error: &webpki::Error) -> CertificateRefusal {
    use webpki::Error as E;

    match error {
        E::CertExpired { .. } => CertificateRefusal::Expired,
        E::CertNotValidYet { .. } => CertificateRefusal::NotYetValid,
        E::InvalidSignatureForPublicKey => CertificateRefusal::Signature,
        E::UnknownIssuer => CertificateRefusal::UnknownIssuer,
        E::UnsupportedSignatureAlgorithm
        | E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKey
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => CertificateRefusal::Algorithm,
        E::EndEntityUsedAsCa => CertificateRefusal::NotACa,
        E::CaUsedAsEndEntity => CertificateRefusal::IsACa,
        E::PathLenConstraintViolated => CertificateRefusal::PathTooLong,
        E::EmptyEkuExtension | E::RequiredEkuNotFound | E::RequiredEkuNotFoundContext(_) => {
            CertificateRefusal::ExtendedKeyUsage
        }
        E::UnsupportedCriticalExtension => CertificateRefusal::CriticalExtension,
        E::UnsupportedCertVersion => CertificateRefusal::Version,
        E::NameConstraintViolation
        | E::MalformedNameConstraint
        | E::InvalidNetworkMaskConstraint => CertificateRefusal::NameConstraint,
        E::MaximumPathBuildCallsExceeded
        | E::MaximumPathDepthExceeded
        | E::MaximumSignatureChecksExceeded
        | E::MaximumNameConstraintComparisonsExceeded => CertificateRefusal::TooComplex,
        _ => CertificateRefusal::Malformed,
    }
}
