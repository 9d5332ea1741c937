//! Is this public value well formed? The checks that come before every provider, so that all of
//! them accept and reject the same bytes.

use p384::ecdsa;
use subtle::ConstantTimeEq;

use crate::{
    constants,
    error::Error,
    provider::{Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Random},
    wire,
};

type Check = fn(&[u8]) -> Result<(), Error>;

/// The rules that a KEM's values must satisfy: their lengths, and what is checked beyond them.
#[derive(Debug)]
pub(crate) struct KemChecks {
    name: &'static str,
    pub(crate) lengths: KemLengths,
    seed: Check,
    encapsulation_key: Check,
    ciphertext: Check,
    shared_secret: Check,
}

pub(crate) static X25519: KemChecks = KemChecks {
    name: "X25519",
    lengths: constants::X25519_LENGTHS,
    seed: anything,
    encapsulation_key: x25519_public,
    ciphertext: x25519_public,
    shared_secret: x25519_shared,
};

pub(crate) static P384: KemChecks = KemChecks {
    name: "P-384",
    lengths: constants::P384_LENGTHS,
    seed: p384_scalar,
    encapsulation_key: p384_point,
    ciphertext: p384_point,
    shared_secret: anything,
};

pub(crate) static ML_KEM_1024: KemChecks = KemChecks {
    name: "ML-KEM-1024",
    lengths: constants::ML_KEM_1024_LENGTHS,
    seed: anything,
    encapsulation_key: ml_kem_modulus,
    ciphertext: anything,
    shared_secret: anything,
};

/// A provider's KEM behind the checks of its public values. The provider is not asked for lengths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckedKem {
    kem: &'static dyn Kem,
    checks: &'static KemChecks,
}

struct Checked<T: ?Sized> {
    inner: Box<T>,
    checks: &'static KemChecks,
}

impl CheckedKem {
    pub(crate) const fn new(kem: &'static dyn Kem, checks: &'static KemChecks) -> Self {
        Self { kem, checks }
    }

    pub(crate) fn check_ciphertext(&self, ciphertext: &[u8]) -> Result<(), Error> {
        wire::exact(self.checks.name, ciphertext, self.checks.lengths.ciphertext)?;
        (self.checks.ciphertext)(ciphertext)
    }

    pub(crate) fn check_encapsulation_key(&self, encapsulation_key: &[u8]) -> Result<(), Error> {
        wire::exact(self.checks.name, encapsulation_key, self.checks.lengths.encapsulation_key)?;
        (self.checks.encapsulation_key)(encapsulation_key)
    }

    /// Checks a shared secret that was computed elsewhere. It is of the length of this KEM's.
    pub(crate) fn check_shared_secret(&self, shared_secret: &[u8]) -> Result<(), Error> {
        (self.checks.shared_secret)(shared_secret)
    }

    pub(crate) fn shared_secret_len(&self) -> usize {
        self.checks.lengths.shared_secret
    }

    pub(crate) fn name(&self) -> &'static str {
        self.checks.name
    }

    /// The primitive's own decapsulator, which leaves the checks to its caller.
    pub(crate) fn raw_decapsulator(&self, seed: &[u8]) -> Result<Box<dyn Decapsulator>, Error> {
        wire::exact(self.checks.name, seed, self.checks.lengths.seed)?;
        (self.checks.seed)(seed)?;
        Ok(self.kem.key_pair(seed)?.decapsulator)
    }
}

impl Kem for CheckedKem {
    fn lengths(&self) -> KemLengths {
        self.checks.lengths
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        wire::exact(self.checks.name, seed, self.lengths().seed)?;
        (self.checks.seed)(seed)?;
        let pair = self.kem.key_pair(seed)?;
        let checks = self.checks;
        wire::exact(checks.name, &pair.encapsulation_key, checks.lengths.encapsulation_key)?;
        Ok(KemKeyPair {
            encapsulation_key: pair.encapsulation_key,
            encapsulator: Box::new(Checked { inner: pair.encapsulator, checks }),
            decapsulator: Box::new(Checked { inner: pair.decapsulator, checks }),
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        self.check_encapsulation_key(encapsulation_key)?;
        let inner = self.kem.encapsulator(encapsulation_key)?;
        Ok(Box::new(Checked { inner, checks: self.checks }))
    }
}

impl Encapsulator for Checked<dyn Encapsulator> {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let KemChecks { name, lengths, .. } = self.checks;
        wire::exact(name, ciphertext, lengths.ciphertext)?;
        wire::exact(name, shared_secret, lengths.shared_secret)?;
        self.inner.encapsulate(random, ciphertext, shared_secret)?;
        (self.checks.shared_secret)(shared_secret)
    }
}

impl Decapsulator for Checked<dyn Decapsulator> {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let KemChecks { name, lengths, .. } = self.checks;
        wire::exact(name, ciphertext, lengths.ciphertext)?;
        wire::exact(name, shared_secret, lengths.shared_secret)?;
        (self.checks.ciphertext)(ciphertext)?;
        self.inner.decapsulate(ciphertext, shared_secret)?;
        (self.checks.shared_secret)(shared_secret)
    }
}

fn anything(_: &[u8]) -> Result<(), Error> {
    Ok(())
}

/// 2^255 - 19, little-endian.
const FIELD_PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// The u-coordinates below 2^255 - 19 of all points whose order divides 8, on the curve or its
/// twist: 0, 1, 2^255 - 20, and the two of order 8. A shared secret with any of them is zero.
const LOW_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = FIELD_PRIME;
        minus_one[0] = 0xec;
        minus_one
    },
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
];

/// RFC 7748 §5 lets implementations reduce what they read; we refuse instead, so that a key has
/// one encoding.
fn x25519_public(bytes: &[u8]) -> Result<(), Error> {
    let invalid = |reason| Err(Error::Invalid { what: "X25519 public value", reason });
    if !bytes.iter().rev().lt(FIELD_PRIME.iter().rev()) {
        return invalid("it is not below 2^255 - 19");
    }
    if LOW_ORDER.iter().any(|point| point == bytes) {
        return invalid("it is a point of low order");
    }
    Ok(())
}

/// RFC 7748 §6.1: an all-zero result means that the other side chose a point of low order. That
/// depends only on public data, so the error reveals nothing; the comparison is constant-time.
fn x25519_shared(secret: &[u8]) -> Result<(), Error> {
    if secret.ct_eq(&[0; 32]).into() {
        return Err(Error::Invalid {
            what: "X25519 public value",
            reason: "it is a point of low order",
        });
    }
    Ok(())
}

/// From 1 to n - 1, big-endian (SP 800-56A §5.6.2.1.2).
pub(crate) fn p384_scalar(bytes: &[u8]) -> Result<(), Error> {
    let bytes = wire::array_ref::<48>("P-384 scalar", bytes)?;
    p384::SecretKey::from_bytes(bytes.into())
        .map(drop)
        .map_err(|_| Error::Invalid { what: "P-384 scalar", reason: "it is not from 1 to n - 1" })
}

/// SEC 1 §2.3.4, uncompressed only, and SP 800-56A §5.6.2.3.3.
pub(crate) fn p384_point(bytes: &[u8]) -> Result<(), Error> {
    let invalid = |reason| Error::Invalid { what: "P-384 point", reason };
    wire::exact("P-384 point", bytes, 97)?;
    if bytes.first() != Some(&0x04) {
        return Err(invalid("it is not in uncompressed form"));
    }
    p384::PublicKey::from_sec1_bytes(bytes).map(drop).map_err(|_| invalid("it is not on the curve"))
}

/// FIPS 203 §7.2: every 12-bit coefficient of the encoded vector is below q = 3329. The last 32
/// bytes are a seed and may be anything.
fn ml_kem_modulus(encapsulation_key: &[u8]) -> Result<(), Error> {
    let (vector, _seed) = encapsulation_key.split_at(1536);
    let (triples, _) = vector.as_chunks::<3>();
    let reduced = triples.iter().all(|&[a, b, c]| {
        let first = u16::from(a) | (u16::from(b) & 0x0f) << 8;
        let second = u16::from(b) >> 4 | u16::from(c) << 4;
        first < 3329 && second < 3329
    });
    if reduced {
        Ok(())
    } else {
        Err(Error::Invalid {
            what: "ML-KEM-1024 encapsulation key",
            reason: "a coefficient is not below 3329",
        })
    }
}

/// The DER form of an ECDSA signature (RFC 3279 §2.2.3) as `r || s`: strict DER, and both in
/// 1..n-1. A high s is accepted, as everywhere outside Bitcoin.
pub(crate) fn ecdsa_signature_from_der(der: &[u8]) -> Result<[u8; 96], Error> {
    ecdsa::Signature::from_der(der).map(|signature| signature.to_bytes().into()).map_err(|_| {
        Error::Invalid {
            what: "ECDSA signature",
            reason: "it is not the DER form of two integers from 1 to n - 1",
        }
    })
}

/// The DER form of `r || s`.
pub(crate) fn ecdsa_signature_to_der(fixed: &[u8]) -> Result<Vec<u8>, Error> {
    wire::exact("ECDSA signature", fixed, constants::ECDSA_P384_LENGTHS.signature)?;
    ecdsa::Signature::from_slice(fixed)
        .map(|signature| signature.to_der().as_bytes().to_vec())
        .map_err(|_| Error::Invalid {
            what: "ECDSA signature",
            reason: "r or s is not from 1 to n - 1",
        })
}
