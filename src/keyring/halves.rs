//! Do two different keys have an equal half?

use std::hash::{Hash, Hasher};

use crate::{error::Error, half::Half, kem::EncapsulationKey, sign::VerifyingKey};

const BOTH: [Half; 2] = [Half::PostQuantum, Half::Traditional];

/// A public key that is made of two halves.
pub(super) trait OfHalves: Clone {
    /// The algorithm of a half, whichever suite it is a half of, and its bytes.
    fn half(&self, half: Half) -> (&'static str, &[u8]);
}

impl OfHalves for EncapsulationKey {
    fn half(&self, half: Half) -> (&'static str, &[u8]) {
        let (kems, halves) = (self.kems(), self.halves());
        match half {
            Half::PostQuantum => (kems.post_quantum.name(), halves.post_quantum),
            Half::Traditional => (kems.traditional.name(), key_of(halves.traditional)),
        }
    }
}

/// Of a P-384 point, the x coordinate: the point and its negative have the same shared secrets.
fn key_of(traditional: &[u8]) -> &[u8] {
    match traditional {
        [0x04, x_and_y @ ..] if x_and_y.len() == 96 => x_and_y.split_at(48).0,
        x25519 => x25519,
    }
}

impl OfHalves for VerifyingKey {
    fn half(&self, half: Half) -> (&'static str, &[u8]) {
        let halves = self.halves();
        match half {
            Half::PostQuantum => (self.suite().0.post_quantum_name, halves.post_quantum),
            Half::Traditional => ("ECDSA-P384", halves.traditional),
        }
    }
}

/// One half of a key, found by its algorithm and bytes. It shares the key's memory.
#[derive(Clone, Debug)]
pub(super) struct PublicHalf<K> {
    key: K,
    half: Half,
}

impl<K: OfHalves> PublicHalf<K> {
    pub(super) fn both(key: &K) -> [Self; 2] {
        BOTH.map(|half| Self { key: key.clone(), half })
    }

    /// Why another key with this half is refused.
    pub(super) fn refusal(&self) -> Error {
        let (algorithm, _) = self.key.half(self.half);
        Error::Keyring { reason: reason(algorithm) }
    }
}

impl<K: OfHalves> PartialEq for PublicHalf<K> {
    fn eq(&self, other: &Self) -> bool {
        self.key.half(self.half) == other.key.half(other.half)
    }
}

impl<K: OfHalves> Eq for PublicHalf<K> {}

impl<K: OfHalves> Hash for PublicHalf<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.half(self.half).hash(state);
    }
}

/// Refuses two different keys if a half of one is a half of the other.
pub(super) fn check<K: OfHalves + Eq>(one: &K, other: &K) -> Result<(), Error> {
    if one == other {
        return Ok(());
    }
    let (ours, theirs) = (PublicHalf::both(one), PublicHalf::both(other));
    match ours.iter().find(|half| theirs.contains(half)) {
        Some(half) => Err(half.refusal()),
        None => Ok(()),
    }
}

fn reason(algorithm: &str) -> &'static str {
    match algorithm {
        "ML-KEM-1024" => "two different keys have the same ML-KEM-1024 half",
        "X25519" => "two different keys have the same X25519 half",
        "P-384" => "two different keys have the same P-384 half",
        "ML-DSA-87" => "two different keys have the same ML-DSA-87 half",
        "Falcon-1024" => "two different keys have the same Falcon-1024 half",
        "ECDSA-P384" => "two different keys have the same ECDSA-P384 half",
        _ => "two different keys have the same half",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kem::{DecapsulationKey, KemSuite},
        sign::{SignatureSuite, SigningKey},
    };

    fn assert_named(key: &impl OfHalves) {
        for half in BOTH {
            let (algorithm, bytes) = key.half(half);
            assert!(reason(algorithm).contains(algorithm), "{algorithm}");
            assert!(!bytes.is_empty());
        }
    }

    #[test]
    fn the_reason_names_every_algorithm() -> Result<(), Error> {
        for suite in KemSuite::ALL {
            assert_named(DecapsulationKey::generate_for(*suite)?.encapsulation_key());
        }
        for suite in SignatureSuite::ALL {
            assert_named(SigningKey::generate_for(*suite)?.verifying_key());
        }
        Ok(())
    }
}
