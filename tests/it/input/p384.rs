//! Which P-384 points are refused, in every value that ends in one?

use twinseal::{EncapsulationKey, VerifyingKey, kem::Ciphertext};

use super::{NOT_ON_CURVE, NOT_UNCOMPRESSED};
use crate::common::{
    errors::{invalid, outcome},
    keys::{COMPOSITE, P384, kem_key, signing_key},
    numbers::{PRIME, plus},
};

/// Each value that ends in a point, with `point` in its place.
fn with_p384(point: &[u8]) -> [String; 3] {
    let key = kem_key(P384, 3);
    let (ciphertext, _) = key.encapsulation_key().encapsulate().unwrap();
    let signer = signing_key(3);
    let put = |valid: &[u8]| [&valid[..valid.len() - 97], point].concat();
    [
        outcome(EncapsulationKey::from_bytes(P384, &put(key.encapsulation_key().as_bytes()))),
        outcome(Ciphertext::from_bytes(P384, &put(ciphertext.as_bytes()))),
        outcome(VerifyingKey::from_bytes(COMPOSITE, &put(signer.verifying_key().as_bytes()))),
    ]
}

#[test]
fn p384_points() {
    let key = kem_key(P384, 4);
    let valid = &key.encapsulation_key().as_bytes()[1568..];
    assert_eq!(with_p384(valid), ["Ok"; 3]);

    for form in (0..=0xff).filter(|form| *form != 4) {
        let mut point = valid.to_vec();
        point[0] = form;
        let expected = invalid("P-384 point", NOT_UNCOMPRESSED);
        assert_eq!(with_p384(&point), [&expected[..]; 3], "{form:#x}");
    }

    // A point with x below 2^128, so that x + p has 48 bytes too.
    let (small, on_curve) = (0..=0xff)
        .find_map(|x| {
            let compressed = [&[2][..], &[0; 47], &[x]].concat();
            let point = p384::PublicKey::from_sec1_bytes(&compressed).ok()?;
            Some((x, p384::Sec1Point::from(point).to_bytes().to_vec()))
        })
        .unwrap();
    let [x, y] = [&on_curve[1..49], &on_curve[49..]];
    let zero = [0; 48];
    assert_eq!(with_p384(&[&[4], x, y].concat()), ["Ok"; 3]);
    let table: [[&[u8]; 2]; 7] = [
        [&plus(&PRIME, small), y],
        [y, x],
        [x, &zero],
        [&zero, &zero],
        [&[0xff; 48], &[0xff; 48]],
        [&PRIME, &zero],
        [x, &PRIME],
    ];
    for [x, y] in table {
        let expected = invalid("P-384 point", NOT_ON_CURVE);
        let point = [&[4], x, y].concat();
        assert_eq!(with_p384(&point), [&expected[..]; 3], "{point:02x?}");
    }
}
