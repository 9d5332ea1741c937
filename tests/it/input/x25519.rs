//! Which X25519 points are refused, in keys and in ciphertexts?

use twinseal::{EncapsulationKey, kem::Ciphertext};

use super::{LOW_ORDER, NOT_BELOW_PRIME};
use crate::common::{
    errors::{invalid, outcome},
    keys::{X25519, kem_key},
};

/// A key or ciphertext of suite 0x0001 whose second half is `point`.
fn with_x25519(point: &[u8]) -> [String; 2] {
    let key = kem_key(X25519, 2);
    let (ciphertext, _) = key.encapsulation_key().encapsulate().unwrap();
    let [ek, ct] = [key.encapsulation_key().as_bytes(), ciphertext.as_bytes()]
        .map(|valid| [&valid[..1568], point].concat());
    [
        outcome(EncapsulationKey::from_bytes(X25519, &ek)),
        outcome(Ciphertext::from_bytes(X25519, &ct)),
    ]
}

#[test]
fn x25519_points() {
    let small = |number: u8| {
        let mut point = [0; 32];
        point[0] = number;
        point
    };
    // 2^255 - 19 + difference, little-endian.
    let prime_plus = |difference: i16| {
        let mut point = [0xff; 32];
        point[0] = u8::try_from(0xed + difference).unwrap();
        point[31] = 0x7f;
        point
    };
    let order_8: [[u8; 32]; 2] = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ]
    .map(|text| hex::decode(text).unwrap().try_into().unwrap());
    let with_high_bit = |mut point: [u8; 32]| {
        point[31] |= 0x80;
        point
    };

    let low_order = [small(0), small(1), prime_plus(-1), order_8[0], order_8[1]];
    for point in low_order {
        let expected = invalid("X25519 public value", LOW_ORDER);
        assert_eq!(with_x25519(&point), [&expected[..]; 2], "{point:02x?}");
    }
    let not_canonical = low_order
        .map(with_high_bit)
        .into_iter()
        .chain((0..=18).map(prime_plus))
        .chain([with_high_bit(small(9)), [0xff; 32]]);
    for point in not_canonical {
        let expected = invalid("X25519 public value", NOT_BELOW_PRIME);
        assert_eq!(with_x25519(&point), [&expected[..]; 2], "{point:02x?}");
    }
    for point in [small(2), small(9), prime_plus(-2)] {
        assert_eq!(with_x25519(&point), ["Ok"; 2], "{point:02x?}");
    }
}
