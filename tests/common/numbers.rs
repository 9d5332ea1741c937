//! Which numbers are at the edges of P-384?

/// The order of P-384 and the prime of its field (FIPS 186-5), big-endian.
pub(crate) const ORDER: [u8; 48] = hex_48(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);

pub(crate) const PRIME: [u8; 48] = hex_48(
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
);

const fn hex_48(text: &str) -> [u8; 48] {
    let mut bytes = [0; 48];
    let mut index = 0;
    while index < 96 {
        let digit = match text.as_bytes()[index] {
            digit @ b'0'..=b'9' => digit - b'0',
            letter => letter - b'a' + 10,
        };
        bytes[index / 2] = bytes[index / 2] << 4 | digit;
        index += 1;
    }
    bytes
}

/// A number of 48 bytes, and a small one added to it.
pub(crate) fn plus(number: &[u8; 48], small: u8) -> [u8; 48] {
    let mut sum = *number;
    let mut carry = u16::from(small);
    for byte in sum.iter_mut().rev() {
        carry += u16::from(*byte);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(carry, 0);
    sum
}

pub(crate) fn minus_one(number: &[u8; 48]) -> [u8; 48] {
    let mut difference = *number;
    *difference.last_mut().unwrap() -= 1;
    difference
}
