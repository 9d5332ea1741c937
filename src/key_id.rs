//! The short name of a public key, by which envelopes and keyrings find it.

use std::fmt;

use sha2::{Digest, Sha384};

/// The first 16 bytes of a hash over a suite and a public key (SPEC.md, "Key identifiers").
///
/// It names a key, it does not authenticate one: compare whole keys before trusting them.
///
/// ```
/// let key = twinseal::DecapsulationKey::generate()?;
/// let id = key.encapsulation_key().key_id();
/// assert_eq!(id.to_string().len(), 32); // hexadecimal
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KeyId::LENGTH]);

impl KeyId {
    /// Length in bytes.
    pub const LENGTH: usize = 16;

    /// A key id that was stored or sent.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// `domain` separates KEM keys from signature keys.
    pub(crate) fn derive(domain: &[u8], suite: u16, public_key: &[u8]) -> Self {
        let hash = Sha384::new()
            .chain_update(domain)
            .chain_update(suite.to_be_bytes())
            .chain_update(public_key)
            .finalize();
        let mut id = [0; Self::LENGTH];
        for (byte, hashed) in id.iter_mut().zip(hash) {
            *byte = hashed;
        }
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}
