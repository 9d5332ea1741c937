//! A DER SEQUENCE out of its encoded elements, and their bytes out of one.

use pkcs5::der::{Decode, Encode, Header, Length, Tag, Tagged, asn1::AnyRef};

/// In a buffer that does not grow.
pub(super) fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    let length = elements.iter().map(|element| element.len()).sum::<usize>();
    let invariant = "a key fits DER";
    let header = Header::new(Tag::Sequence, Length::try_from(length).expect(invariant));
    let header = header.to_der().expect(invariant);
    let mut der = Vec::with_capacity(header.len() + length);
    der.extend_from_slice(&header);
    elements.iter().for_each(|element| der.extend_from_slice(element));
    der
}

/// The elements of the SEQUENCE that is all of `der`.
pub(super) fn elements(der: &[u8]) -> Option<&[u8]> {
    let any = AnyRef::from_der(der).ok()?;
    (any.tag() == Tag::Sequence).then_some(any.value())
}
