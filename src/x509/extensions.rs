//! Which of a certificate's extensions have a meaning here, and what do they say?

use std::net::IpAddr;

use spki::{
    ObjectIdentifier,
    der::{
        self, AnyRef, Decode, ErrorKind, Tag, Tagged,
        asn1::{BitStringRef, Ia5StringRef},
    },
};
use x509_cert::ext::{
    Extension,
    pkix::{BasicConstraints, NameConstraints, name::GeneralName},
};

use super::name::Name;

const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// The extensions that are checked (RFC 5280 §4.2.1).
#[derive(Debug, Default)]
pub(super) struct Extensions {
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) names: Option<Vec<Name>>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) extended_key_usage: Option<Vec<ObjectIdentifier>>,
    pub(super) constraints: Option<Constraints>,
    /// Whether a critical one has no meaning here.
    pub(super) has_unknown_critical: bool,
}

impl Extensions {
    pub(super) fn read(extensions: &[Extension]) -> der::Result<Self> {
        let mut known = Self::default();
        let mut seen = Vec::with_capacity(extensions.len());
        for extension in extensions {
            // RFC 5280 §4.2: no extension more than once.
            if seen.contains(&extension.extn_id) {
                return Err(ErrorKind::Failed.into());
            }
            seen.push(extension.extn_id);
            let value = extension.extn_value.as_bytes();
            match extension.extn_id {
                KEY_USAGE => known.key_usage = Some(KeyUsage::read(value)?),
                SUBJECT_ALT_NAME => {
                    let names = names(value)?;
                    known.has_unknown_critical |= extension.critical && names.is_empty();
                    known.names = Some(names);
                }
                BASIC_CONSTRAINTS => {
                    known.basic_constraints = Some(BasicConstraints::from_der(value)?);
                }
                EXTENDED_KEY_USAGE => known.extended_key_usage = Some(Vec::from_der(value)?),
                NAME_CONSTRAINTS => known.constraints = Some(Constraints::read(value)?),
                _ => known.has_unknown_critical |= extension.critical,
            }
        }
        Ok(known)
    }
}

/// The names that an authority may certify (RFC 5280 §4.2.1.10). webpki compares the alternative names with
/// them.
#[derive(Debug)]
pub(super) struct Constraints {
    /// Whether they are about addresses of mail, which may also be in a subject.
    pub(super) of_email: bool,
}

impl Constraints {
    fn read(value: &[u8]) -> der::Result<Self> {
        let NameConstraints { permitted_subtrees, excluded_subtrees } = Decode::from_der(value)?;
        // Empty ones would allow everything.
        let is_empty = |subtrees: &Option<Vec<_>>| subtrees.as_ref().is_some_and(Vec::is_empty);
        let are_absent = permitted_subtrees.is_none() && excluded_subtrees.is_none();
        if are_absent || is_empty(&permitted_subtrees) || is_empty(&excluded_subtrees) {
            return Err(ErrorKind::Failed.into());
        }
        let mut all = permitted_subtrees.iter().chain(&excluded_subtrees).flatten();
        Ok(Self { of_email: all.any(|tree| matches!(tree.base, GeneralName::Rfc822Name(_))) })
    }
}

/// What a key may be used for (RFC 5280 §4.2.1.3): bit n of the extension has the value `1 << n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyUsage(u16);

impl KeyUsage {
    pub(super) const DIGITAL_SIGNATURE: Self = Self(1);
    pub(super) const NON_REPUDIATION: Self = Self(1 << 1);
    pub(super) const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    pub(super) const KEY_CERT_SIGN: Self = Self(1 << 5);

    fn read(value: &[u8]) -> der::Result<Self> {
        let mut usage = 0;
        for (number, is_set) in BitStringRef::from_der(value)?.bits().enumerate() {
            // Nine are defined. Bits beyond them are kept, so that none passes as "nothing else".
            let bit = u32::try_from(number).ok().and_then(|number| 1_u16.checked_shl(number));
            usage |= u16::from(is_set) * bit.ok_or(Tag::BitString.value_error())?;
        }
        Ok(Self(usage))
    }

    /// Whether one of `other`'s uses is among these.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The `GeneralName`s (RFC 5280 §4.2.1.6) of the types that can be asked for. The others are left out.
fn names(value: &[u8]) -> der::Result<Vec<Name>> {
    let mut names = Vec::new();
    let all = Vec::<AnyRef<'_>>::from_der(value)?;
    if all.is_empty() {
        return Err(ErrorKind::Failed.into());
    }
    for name in all {
        let tag = name.tag();
        let Tag::ContextSpecific { constructed, number } = tag else {
            return Err(tag.unexpected_error(None).into());
        };
        // otherName, x400Address, directoryName and ediPartyName are constructed.
        if number.value() > 8 || constructed != matches!(number.value(), 0 | 3..=5) {
            return Err(tag.value_error().into());
        }
        let text = || Ok::<_, der::Error>(Ia5StringRef::new(name.value())?.as_str().to_owned());
        names.push(match number.value() {
            1 => Name::Email(text()?),
            2 => Name::Dns(text()?),
            6 => Name::Uri(text()?),
            7 => Name::Ip(address(name.value())?),
            _ => continue,
        });
    }
    Ok(names)
}

fn address(octets: &[u8]) -> der::Result<IpAddr> {
    let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from));
    Ok(address.map_err(|_| Tag::OctetString.value_error())?)
}
