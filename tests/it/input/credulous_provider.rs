//! Do the checks stand above the providers? A primitive that takes everything changes nothing.

use twinseal::{
    Error, KemSuite, hazmat,
    provider::{
        Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, PORTABLE, Provider, Random,
    },
};

use super::{LOW_ORDER, NOT_ON_CURVE, NOT_REDUCED, NOT_UNCOMPRESSED, ml_kem::set_coefficient};
use crate::common::errors::{invalid, outcome};

/// Takes every key and ciphertext, and makes shared secrets of zeros.
#[derive(Debug)]
struct Credulous {
    seed: usize,
    key: usize,
    ciphertext: usize,
}

static PROVIDER: Provider = Provider {
    x25519: &Credulous { seed: 32, key: 32, ciphertext: 32 },
    p384: &Credulous { seed: 48, key: 97, ciphertext: 97 },
    ml_kem_1024: &Credulous { seed: 64, key: 1568, ciphertext: 1568 },
    ..PORTABLE
};

impl Kem for Credulous {
    fn lengths(&self) -> KemLengths {
        KemLengths {
            seed: self.seed,
            encapsulation_key: self.key,
            ciphertext: self.ciphertext,
            shared_secret: 32,
        }
    }

    fn key_pair(&self, _: &[u8]) -> Result<KemKeyPair, Error> {
        Ok(KemKeyPair {
            encapsulation_key: vec![0; self.key],
            encapsulator: Box::new(Zeros),
            decapsulator: Box::new(Zeros),
        })
    }

    fn encapsulator(&self, _: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        Ok(Box::new(Zeros))
    }
}

struct Zeros;

impl Encapsulator for Zeros {
    fn encapsulate(&self, _: &mut Random<'_>, _: &mut [u8], _: &mut [u8]) -> Result<(), Error> {
        Ok(())
    }
}

impl Decapsulator for Zeros {
    fn decapsulate(&self, _: &[u8], _: &mut [u8]) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn keys() {
    let mut not_reduced = [0; 1568];
    let modulus = invalid("ML-KEM-1024 encapsulation key", NOT_REDUCED);
    let ml_kem = hazmat::ml_kem_1024(&PROVIDER);
    for index in 0..1024 {
        set_coefficient(&mut not_reduced, index, 3329);
        assert_eq!(outcome(ml_kem.encapsulator(&not_reduced)), modulus);
        set_coefficient(&mut not_reduced, index, 3328);
        assert_eq!(outcome(ml_kem.encapsulator(&not_reduced)), "Ok");
    }
    let low_order = invalid("X25519 public value", LOW_ORDER);
    let x25519 = hazmat::x25519(&PROVIDER);
    assert_eq!(outcome(x25519.encapsulator(&[0; 32])), low_order);
    let form = invalid("P-384 point", NOT_UNCOMPRESSED);
    let p384 = hazmat::p384(&PROVIDER);
    let range = invalid("P-384 scalar", "it is not from 1 to n - 1");
    assert_eq!(outcome(p384.key_pair(&[0; 48])), range);
    assert_eq!(outcome(p384.key_pair(&[0xff; 48])), range);
    assert_eq!(outcome(p384.encapsulator(&[0; 97])), form);
    let curve = invalid("P-384 point", NOT_ON_CURVE);
    assert_eq!(outcome(p384.encapsulator(&[4; 97])), curve);
}

/// A key pair whose public half has another length is none.
#[test]
fn short_keys() {
    static SHORT: Credulous = Credulous { seed: 32, key: 31, ciphertext: 32 };
    static PROVIDER: Provider = Provider { x25519: &SHORT, ..PORTABLE };
    let found = hazmat::x25519(&PROVIDER).key_pair(&[1; 32]).map(drop);
    assert_eq!(found, Err(Error::Length { what: "X25519", expected: 32, actual: 31 }));
    let found = KemSuite::X25519_ML_KEM_1024.kem(&PROVIDER).key_pair(&[1; 32]).map(drop);
    assert_eq!(found, Err(Error::Length { what: "X25519", expected: 32, actual: 31 }));
}

#[test]
fn ciphertexts() {
    let decapsulate = |kem: &dyn Kem, ciphertext: &[u8]| {
        let pair = kem.key_pair(&vec![1; kem.lengths().seed]).unwrap();
        let mut secret = vec![0; kem.lengths().shared_secret];
        outcome(pair.decapsulator.decapsulate(ciphertext, &mut secret))
    };
    let (x25519, p384) = (hazmat::x25519(&PROVIDER), hazmat::p384(&PROVIDER));
    let low_order = invalid("X25519 public value", LOW_ORDER);
    assert_eq!(decapsulate(&x25519, &[0; 32]), low_order);
    let curve = invalid("P-384 point", NOT_ON_CURVE);
    assert_eq!(decapsulate(&p384, &[4; 97]), curve);
}

/// An X25519 result of zeros is refused on both sides, whatever led to it.
#[test]
fn zeros() {
    let low_order = invalid("X25519 public value", LOW_ORDER);
    let x25519 = hazmat::x25519(&PROVIDER);
    let pair = x25519.key_pair(&[1; 32]).unwrap();
    let (mut ciphertext, mut secret) = ([9; 32], [0; 32]);
    let found = pair.encapsulator.encapsulate(&mut Random::System, &mut ciphertext, &mut secret);
    assert_eq!(outcome(found), low_order);
    let found = pair.decapsulator.decapsulate(&ciphertext, &mut secret);
    assert_eq!(outcome(found), low_order);
    secret[31] = 1;
    let found = pair.decapsulator.decapsulate(&ciphertext, &mut secret);
    assert_eq!(outcome(found), "Ok");
}
