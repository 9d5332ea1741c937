//! Reads distinguished names, such as `CN=Alice,O=Example`, from text (RFC 4514).

use std::fmt;

use x509_cert::{
    attr::AttributeTypeAndValue,
    der::{
        self, Any, Decode, Encode, Tag, Tagged,
        asn1::ObjectIdentifier,
        oid::db::{DB, rfc3280::EMAIL_ADDRESS, rfc4519},
    },
    name::{Name, RdnSequence, RelativeDistinguishedName},
};

/// A distinguished name: its relative distinguished names in the order of certificates, which is that of the
/// text backwards, each as an ordered list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DistinguishedName(Vec<Vec<Attribute>>);

/// The type of an attribute and its value as text, whichever of ASN.1's kinds of string a certificate has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attribute {
    kind: ObjectIdentifier,
    value: String,
}

/// What ends a value.
#[derive(PartialEq, Eq)]
enum End {
    /// `+`: another attribute of the same relative distinguished name follows.
    Plus,
    /// `,`: another relative distinguished name follows.
    Comma,
    Text,
}

impl DistinguishedName {
    /// Reads text of RFC 4514, with or without spaces around separators. Types have the names of RFC 4519, or
    /// are object identifiers.
    ///
    /// `x509_cert`'s own reader accepts unfinished escapes and characters that must be escaped.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut names, mut name, mut rest) = (Vec::new(), Vec::new(), text);
        loop {
            let (kind, after) = attribute_type(rest)?;
            let (value, end, after) = value(after)?;
            name.push(Attribute { kind, value });
            rest = after;
            if end != End::Plus {
                name.sort();
                names.push(std::mem::take(&mut name));
            }
            if end == End::Text {
                names.reverse();
                return Ok(Self(names));
            }
        }
    }

    /// Whether a DER name has the same attributes in the same order, with the same text as values. Within one
    /// relative distinguished name, their order has no meaning.
    pub(crate) fn is(&self, der: &[u8]) -> bool {
        Name::from_der(der).is_ok_and(|name| Self::of(&name).as_ref() == Some(self))
    }

    /// Whether a DER name has the same attributes in another order.
    pub(crate) fn is_reordered(&self, der: &[u8]) -> bool {
        let sorted = |name: &Self| {
            let mut names = name.0.clone();
            names.sort();
            names
        };
        let name = Name::from_der(der).ok().and_then(|name| Self::of(&name));
        name.is_some_and(|name| sorted(&name) == sorted(self))
    }

    /// `None` if an attribute is not text.
    fn of(name: &Name) -> Option<Self> {
        let attribute = |attribute: &AttributeTypeAndValue| {
            let value = text_of(&attribute.value)?;
            Some(Attribute { kind: attribute.oid, value })
        };
        let names = name.iter_rdn().map(|name| {
            let attributes: Option<Vec<_>> = name.iter().map(attribute).collect();
            attributes.map(|mut attributes| {
                attributes.sort();
                attributes
            })
        });
        names.collect::<Option<_>>().map(Self)
    }

    /// The name as a new certificate or request has it.
    pub(crate) fn to_x509(&self) -> Result<Name, String> {
        let mut sequence = RdnSequence::default();
        for name in &self.0 {
            let mut pairs = name.windows(2);
            if pairs.any(|pair| matches!(pair, [first, second] if first.kind == second.kind)) {
                return Err("two values of one type with `+` between".into());
            }
            let attributes: Result<Vec<_>, _> = name.iter().map(Attribute::to_x509).collect();
            let name = RelativeDistinguishedName::try_from(attributes?);
            sequence.push(name.map_err(|error| error.to_string())?);
        }
        let name = || Name::from_der(&sequence.to_der()?);
        name().map_err(|error: der::Error| error.to_string())
    }
}

/// As certificates have it, in the order of RFC 4514.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_x509() {
            Ok(name) => name.fmt(f),
            Err(_) => f.write_str("the subject that was named"),
        }
    }
}

impl Attribute {
    /// Every value is a UTF8String, except of types that RFC 5280 (appendix A.1) gives another string.
    fn to_x509(&self) -> Result<AttributeTypeAndValue, String> {
        let value = &self.value;
        if value.is_empty() {
            return Err("a type has no value".into());
        }
        if let Some(control) = value.chars().find(|character| character.is_control()) {
            return Err(format!("{control:?} in a value is a control character"));
        }
        let tag = match self.kind {
            rfc4519::COUNTRY_NAME if !is_country(value) => {
                return Err(format!("the country {value:?} is not two letters"));
            }
            rfc4519::COUNTRY_NAME | rfc4519::SERIAL_NUMBER | rfc4519::DN_QUALIFIER => {
                Tag::PrintableString
            }
            rfc4519::DOMAIN_COMPONENT | EMAIL_ADDRESS => Tag::Ia5String,
            _ => Tag::Utf8String,
        };
        let is_allowed = match tag {
            Tag::PrintableString => value.bytes().all(is_printable_string),
            Tag::Ia5String => value.is_ascii(),
            _ => true,
        };
        if !is_allowed {
            return Err(format!("{value:?} has characters that its type does not allow"));
        }
        let value = Any::new(tag, value.as_bytes()).map_err(|error| error.to_string())?;
        Ok(AttributeTypeAndValue { oid: self.kind, value })
    }
}

fn is_country(value: &str) -> bool {
    value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_printable_string(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}

/// Reads up to the `=`.
fn attribute_type(text: &str) -> Result<(ObjectIdentifier, &str), String> {
    let text = text.trim_start_matches(' ');
    if text.is_empty() {
        return Err("a TYPE=VALUE is missing, as in CN=Alice,O=Example".into());
    }
    let (name, rest) = text.split_once('=').ok_or("no `=` after a type, as in CN=Alice")?;
    let name = name.trim_end_matches(' ');
    let kind = match DB.by_name(name).filter(|kind| is_attribute(kind)) {
        Some(kind) => *kind,
        None => ObjectIdentifier::new(name).map_err(|_| {
            format!(
                "{name:?} is not a type: use CN, O, OU, L, ST, C, DC, UID, street, title, serialNumber, GN, SN, \
                 emailAddress or an object identifier"
            )
        })?,
    };
    Ok((kind, rest))
}

/// Whether it is the type of an attribute: the table has other objects, too.
fn is_attribute(kind: &ObjectIdentifier) -> bool {
    let of_names = [rfc4519::UID, rfc4519::DOMAIN_COMPONENT, EMAIL_ADDRESS];
    kind.as_bytes().starts_with(&[0x55, 4]) || of_names.contains(kind)
}

/// Reads a value, and returns the text after its separator.
fn value(text: &str) -> Result<(String, End, &str), String> {
    let text = text.trim_start_matches(' ');
    if let Some(text) = text.strip_prefix('#') {
        let (digits, end, rest) = hexadecimal(text);
        let value = of_hexadecimal(digits);
        return Ok((
            value.ok_or("a # needs the DER of a string; write \\# for the sign")?,
            end,
            rest,
        ));
    }
    let (mut value, mut length) = (Vec::new(), 0);
    let mut bytes = text.bytes().enumerate();
    let mut end = (End::Text, text.len());
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b',' => end = (End::Comma, index + 1),
            b'+' => end = (End::Plus, index + 1),
            b'\\' => {
                value.push(escaped(&mut bytes)?);
                length = value.len();
                continue;
            }
            b'"' | b';' | b'<' | b'>' => {
                return Err(format!("write \\{0} for {0} in a value", char::from(byte)));
            }
            byte => {
                value.push(byte);
                // Spaces at the end are no part of a value, unless they are escaped.
                length = if byte == b' ' { length } else { value.len() };
                continue;
            }
        }
        break;
    }
    value.truncate(length);
    let value = String::from_utf8(value).map_err(|_| "an escaped value is not UTF-8")?;
    if value.is_empty() {
        return Err("a type has no value".into());
    }
    let (end, rest) = end;
    Ok((value, end, text.get(rest..).unwrap_or_default()))
}

/// Splits digits from the text after their separator.
fn hexadecimal(text: &str) -> (&str, End, &str) {
    let end = text.find([',', '+']).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let (end, rest) = match (rest.strip_prefix(','), rest.strip_prefix('+')) {
        (Some(rest), _) => (End::Comma, rest),
        (_, Some(rest)) => (End::Plus, rest),
        _ => (End::Text, rest),
    };
    (digits.trim_end_matches(' '), end, rest)
}

/// Reads what follows a backslash: a special character, or two hexadecimal digits.
fn escaped(bytes: &mut impl Iterator<Item = (usize, u8)>) -> Result<u8, String> {
    let wrong = "a backslash stands before a special character or two hexadecimal digits";
    let mut next = || bytes.next().map(|(_, byte)| byte).ok_or(wrong);
    let first = next()?;
    if b" \"#+,;<=>\\".contains(&first) {
        return Ok(first);
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (high, low) = (digit(first).ok_or(wrong)?, digit(next()?).ok_or(wrong)?);
    Ok(high << 4 | low)
}

/// The text of a string of ASN.1. `None` if it is no string, or of a type on whose characters software does not
/// agree.
fn text_of(value: &Any) -> Option<String> {
    let bytes = value.value();
    match value.tag() {
        Tag::Utf8String => String::from_utf8(bytes.into()).ok(),
        Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString
        | Tag::TeletexString => bytes.is_ascii().then(|| String::from_utf8_lossy(bytes).into()),
        Tag::BmpString => {
            let (units, []) = bytes.as_chunks() else { return None };
            let units: Vec<_> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

/// A string given by the hexadecimal digits of its DER (RFC 4514 §2.4).
fn of_hexadecimal(digits: &str) -> Option<String> {
    let (pairs, []) = digits.as_bytes().as_chunks() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    let der: Option<Vec<_>> = pairs.iter().map(byte).collect();
    text_of(&Any::from_der(&der?).ok()?)
}
