//! Updates a ring or a key when the directory or file that it was read from has changed.

use std::sync::Arc;

use super::{Keyring, VerifyingKeyring, distinct::Distinct, signer::Signer};
use crate::{error::Error, kem::EncapsulationKey, sign::SigningKey};

/// Public only because it seals [`Reload`](super::Reload).
pub trait Merge: Sized {
    /// Whether the other one has the same keys, with the same names, in the same order.
    fn is_same(&self, other: &Self) -> bool;

    /// This ring with what changed between two readings of its directory. Keys that neither of
    /// them has, or that both have, stay as they are here. A ring that is as in the first reading
    /// gets the keys of the second, in their order, however many changes were missed.
    fn with_changes(self: &Arc<Self>, before: &Self, now: &Arc<Self>) -> Result<Arc<Self>, Error>;
}

impl Merge for Keyring {
    fn is_same(&self, other: &Self) -> bool {
        self.keys().eq(other.keys())
    }

    fn with_changes(self: &Arc<Self>, before: &Self, now: &Arc<Self>) -> Result<Arc<Self>, Error> {
        let mut ring = Self::clone(now).with_policy(self.policy.clone())?;
        if self.is_same(before) {
            for key in self.ring_keys().filter(|key| now.contains(key.public())) {
                ring.put_older(key.clone())?; // in its place there
            }
            return Ok(Arc::new(ring));
        }
        let is_gone = |key: &EncapsulationKey| before.contains(key) && !now.contains(key);
        let is_new = |key: &EncapsulationKey| !before.contains(key) && !self.contains(key);
        let primary = if now.primary() != before.primary() || is_gone(self.primary()) {
            // In the ring there may be another handle to it, which is the newer one.
            let known = self.ring_keys().find(|key| key.public() == now.primary());
            known.unwrap_or(&now.primary).clone()
        } else {
            self.primary.clone()
        };
        // Only keys that stay are compared: a new one may have a half of one that is gone.
        ring = Self { primary, older: Distinct::new(), policy: self.policy.clone() };
        let stay = self.ring_keys().filter(|key| !is_gone(key.public()));
        for key in stay.chain(now.ring_keys().filter(|key| is_new(key.public()))) {
            ring.put_older(key.clone())?;
        }
        Ok(Arc::new(ring))
    }
}

impl Merge for VerifyingKeyring {
    fn is_same(&self, other: &Self) -> bool {
        self.signers.iter().eq(other.signers.iter())
    }

    fn with_changes(self: &Arc<Self>, before: &Self, now: &Arc<Self>) -> Result<Arc<Self>, Error> {
        let mut ring = Self::clone(now).with_policy(self.policy.clone())?;
        if self.is_same(before) {
            for key in self.keys().filter(|key| now.signers.contains(key)) {
                ring.add(key)?; // in its place there, with its name there
            }
            return Ok(Arc::new(ring));
        }
        ring = Self::clone(self);
        // First, since a new key may have a half of one that is gone.
        for key in before.keys().filter(|key| !now.signers.contains(key)) {
            ring.signers.remove(key);
        }
        for Signer { key, name } in now.signers.iter() {
            match ring.signers.get(key) {
                // Its file was renamed, or it has one now.
                Some(here) if here.name.as_deref() == before.name(key) => {
                    ring.put(Signer { key: here.key.clone(), name: name.clone() })?;
                }
                None if !before.signers.contains(key) => {
                    ring.put(Signer { key: key.clone(), name: name.clone() })?;
                }
                _ => {}
            }
        }
        Ok(Arc::new(ring))
    }
}

impl Merge for SigningKey {
    fn is_same(&self, other: &Self) -> bool {
        self.verifying_key() == other.verifying_key()
    }

    fn with_changes(self: &Arc<Self>, before: &Self, now: &Arc<Self>) -> Result<Arc<Self>, Error> {
        Ok(Arc::clone(if now.is_same(before) { self } else { now }))
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
    fn ring(numbers: &[u8]) -> Result<Arc<Keyring>, Error> {
        let (primary, older) = numbers.split_first().ok_or(Error::NotARecipient)?;
        let mut ring = Keyring::new(key(*primary)?);
        older.iter().try_for_each(|number| ring.add_older(key(*number)?))?;
        Ok(Arc::new(ring))
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
            // A key that was added by `update` and is now in the directory is removed with its file.
            (&[9, 1], &[9, 1], &[1], &[1]),
            // An older key was added, or one retired.
            (&[1, 9], &[1], &[2, 1], &[2, 1, 9]),
            (&[1], &[1, 2], &[1, 2], &[1]),
            (&[1], &[1, 2], &[1, 2, 3], &[1, 3]),
            (&[1], &[1, 2], &[1], &[1]),
            // An older one was made the primary one, and was removed.
            (&[2, 1], &[1, 2], &[1], &[1]),
            (&[2], &[1, 2], &[1], &[1]),
        ] {
            let result = ring(current)?.with_changes(&*ring(before)?, &ring(now)?)?;
            let expected = ring(merged)?;
            assert!(result.is_same(&expected), "{current:?} {before:?} {now:?}: {result:?}");
        }
        Ok(())
    }

    #[test]
    fn the_policy_is_that_of_the_ring() -> Result<(), Error> {
        let strict = Policy::stable().with_kem_suites([KemSuite::X25519_ML_KEM_1024]);
        let current = Arc::new(Keyring::new(key(1)?).with_policy(strict)?);
        let other = DecapsulationKey::from_seed(KemSuite::ML_KEM_1024_P384, &[1; 32])?;
        let refused = current.with_changes(&*ring(&[1])?, &Arc::new(Keyring::new(other)));
        assert!(matches!(refused, Err(Error::Refused { .. })));
        let merged = current.with_changes(&*ring(&[1])?, &ring(&[2])?)?;
        assert_eq!(merged.policy, current.policy);
        Ok(())
    }
}
