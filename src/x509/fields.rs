//! What does a certificate say? Its fields, some of which are kept as the bytes that they were read from.

use std::time::Duration;

use spki::{
    ObjectIdentifier,
    der::{
        self, Decode, ErrorKind, Reader, SliceReader, Tag, TagMode, TagNumber,
        asn1::{BitStringRef, IntRef, SequenceRef},
    },
};
use x509_cert::{
    certificate::Version,
    ext::Extension,
    name::{RdnSequence, RelativeDistinguishedName},
    time::Validity,
};

use super::extensions::Extensions;

/// The fields of a certificate (RFC 5280 §4.1).
///
/// Names are compared and signatures are verified as bytes: what another encoder wrote is never encoded
/// again.
#[derive(Debug)]
pub(super) struct Fields {
    /// `tbsCertificate`: the bytes that are signed.
    pub(super) signed: Vec<u8>,
    /// The content of `signatureAlgorithm`.
    pub(super) algorithm: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) version: Version,
    /// `tbsCertificate.signature`, which repeats `signatureAlgorithm`.
    pub(super) signed_algorithm: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    /// Since 1970.
    pub(super) not_before: Duration,
    /// Since 1970.
    pub(super) not_after: Duration,
    pub(super) subject: Vec<u8>,
    /// Whether the subject has an address of mail among its attributes.
    pub(super) has_email_subject: bool,
    pub(super) spki: Vec<u8>,
    pub(super) extensions: Extensions,
}

/// As much as webpki reads, in bytes.
const LONGEST: usize = 64 * 1024 - 1;

/// Every certificate on the way to an anchor is read many times.
const MOST_EXTENSIONS: usize = 32;

impl Fields {
    /// The fields, or what is wrong with the certificate.
    pub(super) fn read(certificate: &[u8]) -> Result<Self, &'static str> {
        if certificate.len() > LONGEST {
            return Err("it is longer than 64 KiB");
        }
        let mut has_too_many = false;
        Self::parse(certificate, |extensions| {
            has_too_many = extensions.len() > MOST_EXTENSIONS;
            if has_too_many { Err(ErrorKind::Failed.into()) } else { Extensions::read(extensions) }
        })
        .map_err(|_| if has_too_many { "it has more than 32 extensions" } else { NOT_DER })
    }

    fn parse(
        certificate: &[u8],
        read_extensions: impl FnOnce(&[Extension]) -> der::Result<Extensions>,
    ) -> der::Result<Self> {
        let mut reader = SliceReader::new(certificate)?;
        let (signed, algorithm, signature) = reader.sequence(|outer| {
            let signed = outer.tlv_bytes()?;
            let algorithm = <&SequenceRef>::decode(outer)?;
            Ok::<_, der::Error>((signed, algorithm, BitStringRef::decode(outer)?))
        })?;
        reader.finish()?;

        let mut reader = SliceReader::new(signed)?;
        let fields = reader.sequence(|tbs| {
            let version = tbs.context_specific::<Version>(TagNumber(0), TagMode::Explicit)?;
            IntRef::decode(tbs)?; // serialNumber: for revocation lists and logs only
            let signed_algorithm = <&SequenceRef>::decode(tbs)?;
            let issuer = name(tbs)?;
            let Validity { not_before, not_after, .. } = <Validity>::decode(tbs)?;
            let subject = name(tbs)?;
            let spki = tbs.tlv_bytes()?;
            // issuerUniqueID and subjectUniqueID, which nobody uses.
            for number in [1, 2] {
                tbs.context_specific::<BitStringRef<'_>>(TagNumber(number), TagMode::Implicit)?;
            }
            let extensions =
                tbs.context_specific::<Vec<Extension>>(TagNumber(3), TagMode::Explicit)?;
            Ok::<_, der::Error>(Self {
                signed: signed.to_vec(),
                algorithm: algorithm.as_bytes().to_vec(),
                signature: signature.as_bytes().ok_or(Tag::BitString.value_error())?.to_vec(),
                version: version.unwrap_or(Version::V1),
                signed_algorithm: signed_algorithm.as_bytes().to_vec(),
                issuer,
                not_before: not_before.to_unix_duration(),
                not_after: not_after.to_unix_duration(),
                has_email_subject: has_email(&subject)?,
                subject,
                spki: spki.to_vec(),
                extensions: read_extensions(&extensions.unwrap_or_default())?,
            })
        })?;
        reader.finish()?;
        Ok(fields)
    }
}

const NOT_DER: &str = "it is not DER of this type";

/// emailAddress of PKCS #9 (RFC 2985 §5.2.1).
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

fn has_email(name: &[u8]) -> der::Result<bool> {
    let name = RdnSequence::from_der(name)?;
    Ok(name
        .iter()
        .flat_map(RelativeDistinguishedName::iter)
        .any(|attribute| attribute.oid == EMAIL_ADDRESS))
}

/// A distinguished name, as its bytes.
fn name<'a>(reader: &mut SliceReader<'a>) -> der::Result<Vec<u8>> {
    let bytes = reader.tlv_bytes()?;
    RdnSequence::from_der(bytes)?;
    Ok(bytes.to_vec())
}
