//! The short name of a public key, by which envelopes and keyrings find it.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha384};

use crate::error::Error;

/// The first 16 bytes of a hash over a suite and a public key (SPEC.md, "Key identifiers").
///
/// It names a key and does not authenticate one: compare whole keys before trusting them.
/// [`Display`](fmt::Display) prints it as 32 hexadecimal digits, as the command-line tool does, and
/// [`FromStr`] reads them in either case.
///
/// ```
/// let key = twinseal::DecapsulationKey::generate()?;
/// let id = key.encapsulation_key().key_id();
/// let text = id.to_string();
/// assert_eq!(text.len(), 32);
/// assert_eq!(text.parse::<twinseal::KeyId>()?, id);
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KeyId::LEN]);

impl KeyId {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// A key id that was stored or sent.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// `domain` separates KEM keys from signature keys.
    pub(crate) fn derive(domain: &[u8], suite: u16, public_key: &[u8]) -> Self {
        let hash = Sha384::new()
            .chain_update(domain)
            .chain_update(suite.to_be_bytes())
            .chain_update(public_key)
            .finalize();
        let (id, _) = hash.split_first_chunk().expect("SHA-384 has 48 bytes");
        Self(*id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for KeyId {
    type Err = Error;

    /// Reads 32 hexadecimal digits and nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for any other text.
    fn from_str(text: &str) -> Result<Self, Error> {
        let reason = "it must be 32 hexadecimal digits";
        let invalid = Error::Invalid { what: "key id", reason };
        // `from_str_radix` would also take shorter texts, and a sign.
        if text.len() != 2 * Self::LEN || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(invalid);
        }
        let id = u128::from_str_radix(text, 16).map_err(|_| invalid)?;
        Ok(Self(id.to_be_bytes()))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}
