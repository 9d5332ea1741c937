//! The verifying keys of several signers, each of whom is accepted.

use super::distinct::Distinct;
use crate::{
    error::Error,
    key_id::KeyId,
    policy::Policy,
    sign::{Signature, VerifyingKey},
};

/// Verifying keys of several signers: a signature of any of them is accepted, and `verify` returns
/// the key that it is of. Never empty.
///
/// A signature does not name its signer, so they are tried one after the other; a session's hello
/// does, so there is one verification.
///
/// ```
/// use twinseal::{SigningKey, VerifyingKeyring};
///
/// let (alice, bob) = (SigningKey::generate()?, SigningKey::generate()?);
/// let ring = VerifyingKeyring::new([alice.verifying_key(), bob.verifying_key()])?;
/// let signature = bob.sign(b"example.com/releases", b"hello")?;
/// let signer = ring.verify(b"example.com/releases", b"hello", &signature)?;
/// assert_eq!(signer, bob.verifying_key());
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct VerifyingKeyring {
    pub(super) keys: Distinct<VerifyingKey>,
    pub(super) policy: Policy,
}

impl VerifyingKeyring {
    /// A keyring with [`Policy::stable`].
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there is no key; [`Error::Refused`] if one is not acceptable.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a VerifyingKey>) -> Result<Self, Error> {
        Self::new_with_policy(keys, Policy::stable())
    }

    /// A keyring with a policy of its own, which may accept experimental suites.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn new_with_policy<'a>(
        keys: impl IntoIterator<Item = &'a VerifyingKey>,
        policy: Policy,
    ) -> Result<Self, Error> {
        let mut ring = Self { keys: Distinct::new(), policy };
        keys.into_iter().try_for_each(|key| ring.add(key))?;
        if ring.keys.len() == 0 {
            let reason = "it must have at least one key";
            return Err(Error::Invalid { what: "keyring", reason });
        }
        Ok(ring)
    }

    /// The same keys under another policy.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it does not accept one of the keys.
    pub fn with_policy(self, policy: Policy) -> Result<Self, Error> {
        self.keys().try_for_each(|key| policy.check_signature(key.suite()))?;
        Ok(Self { policy, ..self })
    }

    /// All keys, in the order in which they were added.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// Accepts another signer. A key that is there already keeps its place, and the new handle
    /// replaces the old one: a key that was moved [`on`](VerifyingKey::on) another provider.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept the key's suite.
    pub fn add(&mut self, key: &VerifyingKey) -> Result<(), Error> {
        self.policy.check_signature(key.suite())?;
        self.keys.put(key.clone());
        Ok(())
    }

    /// Accepts a signer no longer.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the ring does not have the key, or it is the last one.
    pub fn remove(&mut self, key_id: &KeyId) -> Result<(), Error> {
        let invalid = |reason| Err(Error::Misuse { what: "key to remove", reason });
        match self.keys.with_id(key_id).count() {
            0 => invalid("the keyring does not have it"),
            found if found == self.keys.len() => invalid("it is the last one"),
            _ => {
                self.keys.remove_id(key_id);
                Ok(())
            }
        }
    }

    /// The signer of this id.
    #[must_use]
    pub fn find(&self, key_id: &KeyId) -> Option<&VerifyingKey> {
        self.keys.with_id(key_id).next()
    }

    /// Verifies a signature of any of the signers, and returns the signer's key; see
    /// [`VerifyingKey::verify`].
    ///
    /// # Errors
    ///
    /// [`Error::Verify`] if it is nobody's; [`Error::Context`]; [`Error::Refused`] if the policy
    /// does not accept the signature's suite.
    pub fn verify(
        &self,
        context: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<&VerifyingKey, Error> {
        crate::context::check(context)?;
        self.verify_prehashed(context, &crate::sign::prehash(message), signature)
    }

    /// [`verify`](Self::verify) for a message of any length, read to its end in constant memory.
    ///
    /// # Errors
    ///
    /// The reader's errors, and those of [`verify`](Self::verify) inside an
    /// [`io::Error`](std::io::Error).
    pub fn verify_reader(
        &self,
        context: &[u8],
        message: impl std::io::Read,
        signature: &Signature,
    ) -> std::io::Result<&VerifyingKey> {
        crate::context::check(context)?;
        let sha512 = crate::sign::hash_reader(message)?;
        Ok(self.verify_prehashed(context, &sha512, signature)?)
    }

    fn verify_prehashed(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
        signature: &Signature,
    ) -> Result<&VerifyingKey, Error> {
        self.policy.check_signature(signature.suite())?;
        self.keys()
            .filter(|key| key.suite() == signature.suite())
            .find(|key| key.verify_prehashed(context, sha512, signature).is_ok())
            .ok_or(Error::Verify)
    }
}
