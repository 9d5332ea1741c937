//! Which form does DER have that is not the one asked for?

use pkcs8::der::{
    self, Decode, Reader, SliceReader,
    Tag::{BitString, Integer, OctetString, Sequence},
    Tagged,
    asn1::AnyRef,
};

use crate::key_files::algorithm::NOT_DER;

/// The reason of an error: which other form the bytes have, and what reads it.
pub(super) fn reason(der: &[u8]) -> &'static str {
    match tags(der).as_deref() {
        Ok([Sequence, BitString]) => SPKI,
        Ok([Integer, Sequence, OctetString, ..]) => PKCS8,
        Ok([Sequence, OctetString]) => ENCRYPTED,
        Ok([Sequence, Sequence, BitString]) => {
            "it is a certificate or a request for one; certificates are read by x509::Certificate"
        }
        Ok([Integer, OctetString, ..]) => {
            "it is only an EC private key (RFC 5915); a hybrid key has a post-quantum half, too"
        }
        _ => NOT_DER,
    }
}

pub(super) const SPKI: &str = "it is a public key (SPKI)";

pub(super) const PKCS8: &str = "it is a private key (PKCS#8)";

pub(super) const ENCRYPTED: &str = "it is an encrypted private key";

/// The tags of a SEQUENCE's first parts.
fn tags(der: &[u8]) -> der::Result<Vec<der::Tag>> {
    let mut tags = Vec::new();
    AnyRef::from_der(der)?.sequence(|parts: &mut SliceReader<'_>| {
        while !parts.is_finished() {
            let part: AnyRef<'_> = parts.decode()?;
            tags.push(part.tag());
            if tags.len() > MOST_PARTS {
                return Err(parts.error(der::ErrorKind::Failed));
            }
        }
        Ok(())
    })?;
    Ok(tags)
}

/// No form above has more.
const MOST_PARTS: usize = 5;
