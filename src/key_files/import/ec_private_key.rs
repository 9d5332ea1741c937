//! The P-384 half of a private key, as other software writes it: RFC 5915 with or without the curve and
//! the public key, or the 48 bytes of the scalar.

use pkcs8::{
    ObjectIdentifier,
    der::{self, Decode, Reader, SliceReader, asn1::AnyRef},
};

use super::{point, private_info::tagged};
use crate::error::Error;

/// A scalar, and what else stands beside it.
pub(super) struct EcPrivateKey<'a> {
    /// 48 bytes. Whether they are from 1 to n - 1 is not checked here.
    pub(super) scalar: &'a [u8],
    /// Of the public key that should be the scalar's.
    point: Option<&'a [u8]>,
}

impl<'a> EcPrivateKey<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() == SCALAR {
            return Ok(Self { scalar: bytes, point: None });
        }
        let invalid = |reason| Error::Invalid { what: "ECPrivateKey", reason };
        let fields = Fields::read(bytes).map_err(|_| invalid("it is not RFC 5915 in DER"))?;
        if fields.version != 1 {
            return Err(invalid("its version is not 1"));
        }
        if fields.private_key.len() != SCALAR {
            return Err(invalid("its scalar is not 48 bytes long"));
        }
        if fields.curve.is_some_and(|curve| curve != SECP384R1) {
            return Err(invalid("its curve is not secp384r1"));
        }
        if !matches!(fields.point.map_or(point::COMPRESSED, <[u8]>::len), point::COMPRESSED | 97) {
            return Err(invalid("its public key is neither 49 nor 97 bytes long"));
        }
        Ok(Self { scalar: fields.private_key, point: fields.point })
    }

    /// Whether bytes are meant to be such a key: exactly one SEQUENCE.
    pub(super) fn looks_like(bytes: &[u8]) -> bool {
        bytes.first() == Some(&0x30) && AnyRef::from_der(bytes).is_ok()
    }

    /// Compares the point, if there is one, with that of the hybrid public key, whose last 97 bytes it is.
    pub(super) fn check_point(&self, public_key: &[u8]) -> Result<(), Error> {
        let Some(point) = self.point else { return Ok(()) };
        if public_key.ends_with(&point::uncompressed(point)?) {
            return Ok(());
        }
        let reason = "its public key belongs to another private key";
        Err(Error::Invalid { what: "ECPrivateKey", reason })
    }
}

const SCALAR: usize = 48;

const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// As RFC 5915 §3 has them.
struct Fields<'a> {
    version: u8,
    private_key: &'a [u8],
    curve: Option<ObjectIdentifier>,
    point: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn read(bytes: &'a [u8]) -> der::Result<Self> {
        AnyRef::from_der(bytes)?.sequence(|fields: &mut SliceReader<'a>| {
            let version = fields.decode()?;
            let private_key = fields.decode::<&der::asn1::OctetStringRef>()?.as_bytes();
            let curve = tagged(fields, 0xa0)?.map(ObjectIdentifier::from_der).transpose()?;
            let point = tagged(fields, 0xa1)?.map(der::asn1::BitStringRef::from_der).transpose()?;
            let whole_bytes = |point: der::asn1::BitStringRef<'a>| {
                point.as_bytes().ok_or(der::Tag::BitString.value_error().to_error())
            };
            let point = point.map(whole_bytes).transpose()?;
            Ok(Self { version, private_key, curve, point })
        })
    }
}
