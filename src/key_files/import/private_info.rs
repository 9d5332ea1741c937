//! PKCS#8 of either version, with attributes and public key (RFC 5958 §2).

use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier,
    der::{
        self, Decode, Reader, SliceReader, Tag, Tagged,
        asn1::{AnyRef, OctetStringRef},
    },
};

use super::form;
use crate::{error::Error, key_files::algorithm::PKCS8};

/// A `OneAsymmetricKey` in its parts. The private key is borrowed, and in no error or `Debug`.
pub(crate) struct PrivateInfo<'a> {
    pub(crate) algorithm: AlgorithmIdentifierRef<'a>,
    /// The content of the OCTET STRING.
    pub(crate) private_key: &'a [u8],
    /// The content of the BIT STRING, which version 2 has.
    pub(crate) public_key: Option<&'a [u8]>,
    /// The value of the attribute localKeyId (RFC 2985 §5.5.2), of any length. All others are ignored.
    #[cfg_attr(
        not(feature = "passphrase"),
        expect(dead_code, reason = "it authenticates encrypted keys")
    )]
    pub(crate) local_key_id: Option<&'a [u8]>,
}

impl<'a> PrivateInfo<'a> {
    /// Reads DER, and nothing behind it.
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: PKCS8, reason };
        let fields = Fields::read(der).map_err(|_| match form::reason(der) {
            form::PKCS8 => {
                invalid("it has another encoding than DER, or fields that PKCS#8 does not have")
            }
            form::ENCRYPTED => Error::Encrypted,
            reason => invalid(reason),
        })?;
        match (fields.version, fields.public_key) {
            (0, None) | (1, Some(_)) => {}
            (0 | 1, _) => {
                return Err(invalid("version 2 has a public key, and version 1 has none"));
            }
            _ => return Err(invalid("its version is neither 1 nor 2")),
        }
        let local_key_id = match fields.attributes {
            None => None,
            Some(attributes) => {
                local_key_id(attributes).map_err(|_| invalid("its attributes are damaged"))?
            }
        };
        Ok(Self {
            algorithm: fields.algorithm,
            private_key: fields.private_key,
            public_key: fields.public_key,
            local_key_id,
        })
    }
}

struct Fields<'a> {
    version: u8,
    algorithm: AlgorithmIdentifierRef<'a>,
    private_key: &'a [u8],
    attributes: Option<&'a [u8]>,
    public_key: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn read(der: &'a [u8]) -> der::Result<Self> {
        AnyRef::from_der(der)?.sequence(|fields: &mut SliceReader<'a>| {
            Ok(Self {
                version: fields.decode()?,
                algorithm: fields.decode()?,
                private_key: fields.decode::<&OctetStringRef>()?.as_bytes(),
                attributes: tagged(fields, 0xa0)?,
                public_key: tagged(fields, 0x81)?.map(whole_bytes).transpose()?,
            })
        })
    }
}

/// The content of the next value, if it has this tag byte.
pub(super) fn tagged<'a>(reader: &mut SliceReader<'a>, tag: u8) -> der::Result<Option<&'a [u8]>> {
    if reader.peek_byte() != Some(tag) {
        return Ok(None);
    }
    reader.decode::<AnyRef<'a>>().map(|value| Some(value.value()))
}

/// The bytes of a BIT STRING that has only whole ones.
fn whole_bytes(content: &[u8]) -> der::Result<&[u8]> {
    content.strip_prefix(&[0]).ok_or(Tag::BitString.value_error().to_error())
}

/// 1.2.840.113549.1.9.21.
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");

/// The only value of the only localKeyId of a `SET OF Attribute`.
fn local_key_id(attributes: &[u8]) -> der::Result<Option<&[u8]>> {
    let mut found = None;
    let mut attributes = SliceReader::new(attributes)?;
    while !attributes.is_finished() {
        let attribute: AnyRef<'_> = attributes.decode()?;
        let (name, values) = attribute.sequence(|parts: &mut SliceReader<'_>| {
            Ok::<_, der::Error>((
                parts.decode::<ObjectIdentifier>()?,
                parts.decode::<AnyRef<'_>>()?,
            ))
        })?;
        values.tag().assert_eq(Tag::Set)?;
        if name == LOCAL_KEY_ID {
            let value = <&OctetStringRef>::from_der(values.value())?;
            if found.replace(value.as_bytes()).is_some() {
                return Err(attributes.error(der::ErrorKind::Failed));
            }
        }
    }
    Ok(found)
}
