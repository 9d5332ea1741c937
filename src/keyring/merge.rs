//! What a ring becomes when the directory that it was read from has changed.

use crate::{
    error::Error,
    kem::EncapsulationKey,
    keyring::{Keyring, VerifyingKeyring},
};

/// Public only because it seals [`Ring`](crate::keyring::Ring): the directories are those of this
/// crate's rings.
pub trait Merge: Sized {
    /// Whether the other ring has the same keys in the same order.
    fn has_keys_of(&self, other: &Self) -> bool;

    /// This ring with what changed between two readings of its directory. Keys that neither of
    /// them has, or that both have, stay as they are here. A ring that has the keys of the first
    /// reading gets those of the second, in their order, however many changes were missed.
    fn with_changes(&self, before: &Self, now: &Self) -> Result<Self, Error>;
}

impl Merge for Keyring {
    fn has_keys_of(&self, other: &Self) -> bool {
        self.keys().eq(other.keys())
    }

    fn with_changes(&self, before: &Self, now: &Self) -> Result<Self, Error> {
        let mut ring = now.clone().with_policy(self.policy.clone())?;
        if self.has_keys_of(before) {
            for key in self.ring_keys().filter(|key| now.contains(key.public())) {
                ring.add_older(key.clone())?; // in its place there
            }
            return Ok(ring);
        }
        ring = self.clone();
        for key in now.ring_keys() {
            if !before.contains(key.public()) && !ring.contains(key.public()) {
                ring.add_older(key.clone())?;
            }
        }
        let is_gone = |key: &EncapsulationKey| before.contains(key) && !now.contains(key);
        if now.primary() != before.primary() || is_gone(ring.primary()) {
            // In the ring there may be another handle to it, which is the newer one.
            let known = ring.ring_keys().find(|key| key.public() == now.primary()).cloned();
            ring.rotate(known.unwrap_or_else(|| now.primary.clone()))?;
        }
        let gone: Vec<_> = ring.keys().filter(|key| is_gone(key)).cloned().collect();
        for key in &gone {
            ring.older.remove(key);
        }
        Ok(ring)
    }
}

impl Merge for VerifyingKeyring {
    fn has_keys_of(&self, other: &Self) -> bool {
        self.keys().eq(other.keys())
    }

    fn with_changes(&self, before: &Self, now: &Self) -> Result<Self, Error> {
        let mut ring = now.clone().with_policy(self.policy.clone())?;
        if self.has_keys_of(before) {
            for key in self.keys().filter(|key| now.keys.contains(key)) {
                ring.add(key)?; // in its place there
            }
            return Ok(ring);
        }
        ring = self.clone();
        for key in now.keys() {
            if !before.keys.contains(key) && !ring.keys.contains(key) {
                ring.add(key)?;
            }
        }
        for key in before.keys().filter(|key| !now.keys.contains(key)) {
            ring.keys.remove(key);
        }
        if ring.keys.len() == 0 {
            let reason = "the directory dropped the last key that `update` had left";
            return Err(Error::Invalid { what: "keyring", reason });
        }
        Ok(ring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kem::{DecapsulationKey, KemSuite},
        policy::Policy,
    };

    fn key(number: u8) -> Result<DecapsulationKey, Error> {
        DecapsulationKey::from_seed(KemSuite::X25519_ML_KEM_1024, &[number; 32])
    }

    /// A ring of these keys, the primary one first.
    fn ring(numbers: &[u8]) -> Result<Keyring, Error> {
        let (primary, older) = numbers.split_first().ok_or(Error::NotARecipient)?;
        let mut ring = Keyring::new(key(*primary)?);
        older.iter().try_for_each(|number| ring.add_older(key(*number)?))?;
        Ok(ring)
    }

    #[test]
    fn what_update_did_stays_and_what_the_directory_did_is_applied() -> Result<(), Error> {
        for (current, before, now, merged) in [
            // Nothing changed, or only the directory did.
            (&[1, 2][..], &[1, 2][..], &[1, 2][..], &[1, 2][..]),
            (&[1], &[1], &[2, 1], &[2, 1]),
            (&[2, 1], &[2, 1], &[2], &[2]),
            (&[1], &[1], &[2], &[2]),
            (&[1, 2], &[1, 2], &[2, 1], &[2, 1]),
            (&[3, 2, 1], &[3, 2, 1], &[5, 4, 3], &[5, 4, 3]),
            (&[1, 2, 3], &[1, 2, 3], &[1, 3, 2], &[1, 3, 2]),
            // `update` rotated, then the directory changed, too.
            (&[9, 1], &[1], &[1], &[9, 1]),
            (&[9, 1], &[1], &[1, 2], &[9, 1, 2]),
            (&[9, 1], &[1], &[2, 1], &[2, 9, 1]),
            (&[9, 1], &[1], &[9, 1], &[9, 1]),
            (&[9, 1], &[1], &[2], &[2, 9]),
            // What came by `update` and is in the directory now goes with its file.
            (&[9, 1], &[9, 1], &[1], &[1]),
            // An older key was added, or one retired.
            (&[1, 9], &[1], &[2, 1], &[2, 1, 9]),
            (&[1], &[1, 2], &[1, 2], &[1]),
            (&[1], &[1, 2], &[1, 2, 3], &[1, 3]),
            (&[1], &[1, 2], &[1], &[1]),
            // An older one was made the primary one, and is gone.
            (&[2, 1], &[1, 2], &[1], &[1]),
            (&[2], &[1, 2], &[1], &[1]),
        ] {
            let result = ring(current)?.with_changes(&ring(before)?, &ring(now)?)?;
            let expected = ring(merged)?;
            assert!(result.has_keys_of(&expected), "{current:?} {before:?} {now:?}: {result:?}");
        }
        Ok(())
    }

    #[test]
    fn the_policy_is_that_of_the_ring() -> Result<(), Error> {
        let strict = Policy::stable().with_kem_suites([KemSuite::X25519_ML_KEM_1024]);
        let current = ring(&[1])?.with_policy(strict)?;
        let other = DecapsulationKey::from_seed(KemSuite::ML_KEM_1024_P384, &[1; 32])?;
        let refused = current.with_changes(&ring(&[1])?, &Keyring::new(other));
        assert!(matches!(refused, Err(Error::Refused { .. })));
        let merged = current.with_changes(&ring(&[1])?, &ring(&[2])?)?;
        assert_eq!(merged.policy, current.policy);
        Ok(())
    }
}
