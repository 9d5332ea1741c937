//! Which ML-KEM encapsulation keys are refused?

use twinseal::{EncapsulationKey, KemSuite};

use super::NOT_REDUCED;
use crate::common::{
    errors::{invalid, outcome},
    keys::kem_key,
};

/// FIPS 203 `ByteEncode_12`: two coefficients in three bytes.
pub(super) fn set_coefficient(key: &mut [u8], index: usize, value: u16) {
    let triple = &mut key[index / 2 * 3..][..3];
    if index.is_multiple_of(2) {
        triple[0] = value as u8;
        triple[1] = triple[1] & 0xf0 | (value >> 8) as u8;
    } else {
        triple[1] = triple[1] & 0x0f | (value << 4) as u8;
        triple[2] = (value >> 4) as u8;
    }
}

#[test]
fn ml_kem_modulus() {
    for &suite in KemSuite::ALL {
        let key = kem_key(suite, 5);
        for index in [0, 1, 2, 255, 256, 511, 512, 1022, 1023] {
            for (value, expected) in [
                (0, "Ok".to_string()),
                (3328, "Ok".to_string()),
                (3329, invalid("ML-KEM-1024 encapsulation key", NOT_REDUCED)),
                (4095, invalid("ML-KEM-1024 encapsulation key", NOT_REDUCED)),
            ] {
                let mut bytes = key.encapsulation_key().as_bytes().to_vec();
                set_coefficient(&mut bytes, index, value);
                let found = outcome(EncapsulationKey::from_bytes(suite, &bytes));
                assert_eq!(found, expected, "coefficient {index} is {value}");
            }
        }
        // The seed behind the coefficients may be anything.
        let mut bytes = key.encapsulation_key().as_bytes().to_vec();
        bytes[1536..1568].fill(0xff);
        assert_eq!(outcome(EncapsulationKey::from_bytes(suite, &bytes)), "Ok");
    }
}
