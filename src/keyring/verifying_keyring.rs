//! The signers that a program accepts.

use std::{io, sync::Arc};

use super::{decoy, distinct::Distinct, signer::Signer};
use crate::{
    context,
    error::Error,
    key_id::KeyId,
    policy::Policy,
    sign::{self, Signature, VerifyingKey},
};

/// The verifying keys of several signers: it accepts a signature by any of them and returns the
/// signer's key. An empty one accepts nobody.
///
/// A signer may have a name, for logs: in a ring that was [read from a directory](Self::read_dir) it
/// is the name of the key's file.
///
/// ```
/// use twinseal::{SigningKey, VerifyingKeyring};
///
/// let (alice, bob) = (SigningKey::generate()?, SigningKey::generate()?);
/// let mut ring = VerifyingKeyring::new([alice.verifying_key()])?;
/// ring.add_named("bob", bob.verifying_key())?;
///
/// let signature = bob.sign(b"example.com/releases", b"hello")?;
/// let signer = ring.verify(b"example.com/releases", b"hello", &signature)?;
/// assert_eq!(signer, bob.verifying_key());
/// assert_eq!(ring.name_of(signer.key_id()), Some("bob"));
/// # Ok::<(), twinseal::Error>(())
/// ```
///
/// # Shared halves
///
/// A ring refuses two different keys that have a half in common, [`Error::Keyring`]: the same ML-DSA-87 or
/// ECDSA-P384 key, in whichever suites. With such keys one signer can be taken for another, because the two
/// halves of a signature sign the same bytes, which name the context and the message but not the key:
///
/// - Mallory makes a key of Alice's public ML-DSA half and an ECDSA half of his own. He takes the ML-DSA half
///   of any signature by Alice, signs the same message with his ECDSA half, and has a signature of his own over
///   her message. Nothing had to be broken.
/// - Two keys of Alice share their ML-DSA half, and one day somebody can break ECDSA, with a quantum computer.
///   What she signs with one of them becomes a signature of the other. Of two halves, only one was broken.
///
/// Hellos and requests name the key in what is signed, but shared halves still weaken them: they fall together.
///
/// This is seen only within one ring. If one service knows one of the keys and another service the other,
/// neither can see it.
///
/// If a key with a copied half reaches the directory of a ring, [`read_dir`](Self::read_dir) and
/// [`Shared::reload`](crate::keyring::Shared::reload) fail and name both files, until one of them is removed.
/// A running service keeps the ring that it has, so it misses all other changes, too. Whoever runs a ring
/// therefore accepts a key from somebody else only with proof that they have its private key: the signature of
/// a PKCS#10 request, for example. Nobody can make it for a half that they copied.
#[derive(Clone, Debug)]
pub struct VerifyingKeyring {
    pub(super) signers: Distinct<Signer>,
    pub(super) policy: Policy,
}

impl VerifyingKeyring {
    /// A keyring with [`Policy::stable`].
    ///
    /// Keys of an experimental suite are added after the policy that accepts them:
    /// `VerifyingKeyring::new([])?.with_policy(policy)?`, then [`add`](Self::add).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept one of the keys; [`Error::Keyring`] if two
    /// different ones [have an equal half](#shared-halves); [`Error::Randomness`] if the system has none. The first ring of a process makes a key to verify against when a signer is
    /// unknown: a request of a stranger must take as long as a forged one.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a VerifyingKey>) -> Result<Self, Error> {
        let policy = Policy::stable();
        decoy::prepare(&policy)?;
        let mut ring = Self { signers: Distinct::new(), policy };
        keys.into_iter().try_for_each(|key| ring.add(key))?;
        Ok(ring)
    }

    /// The same signers with another policy.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept one of the keys; [`Error::Randomness`] if the
    /// system has none.
    pub fn with_policy(self, policy: Policy) -> Result<Self, Error> {
        self.keys().try_for_each(|key| policy.check_signature(key.suite()))?;
        decoy::prepare(&policy)?;
        Ok(Self { policy, ..self })
    }

    /// All keys, in the order in which they were added.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.signers.iter().map(|signer| &signer.key)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.signers.len()
    }

    /// Whether there is no key, so that no signature is accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Accepts another signer. If the ring has the key already, it keeps its place and its name, and
    /// the new handle replaces the old one: that of a key that was moved
    /// [`on`](VerifyingKey::on) another provider.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept the key's suite; [`Error::Keyring`] if
    /// another key of the ring [has a half of it](#shared-halves). The ring stays as it was.
    pub fn add(&mut self, key: &VerifyingKey) -> Result<(), Error> {
        let name = self.signers.get(key).and_then(|signer| signer.name.clone());
        self.put(Signer { key: key.clone(), name })
    }

    /// [`add`](Self::add) for a signer with a name. Several keys may have the same name, as those of
    /// a signer who is about to change keys; no key has two.
    ///
    /// # Errors
    ///
    /// Same as [`add`](Self::add); [`Error::Misuse`] if the key has another name already, since
    /// its signatures could then be taken for those of somebody else.
    pub fn add_named(&mut self, name: &str, key: &VerifyingKey) -> Result<(), Error> {
        if self.name(key).is_some_and(|other| other != name) {
            return Err(Error::Misuse {
                what: "signer",
                reason: "its key has another name already",
            });
        }
        self.put(Signer { key: key.clone(), name: Some(Arc::from(name)) })
    }

    pub(super) fn put(&mut self, signer: Signer) -> Result<(), Error> {
        self.policy.check_signature(signer.key.suite())?;
        self.signers.check(&signer.key)?;
        self.signers.put(signer);
        Ok(())
    }

    /// Stops accepting a signer.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the ring does not have the key.
    pub fn remove(&mut self, key_id: KeyId) -> Result<(), Error> {
        match self.signers.remove_id(key_id) {
            0 => {
                Err(Error::Misuse { what: "key to remove", reason: "the keyring does not have it" })
            }
            _ => Ok(()),
        }
    }

    /// The key of this id.
    #[must_use]
    pub fn find(&self, key_id: KeyId) -> Option<&VerifyingKey> {
        self.signers.with_id(key_id).next().map(|signer| &signer.key)
    }

    /// The name of the signer whose key has this id. `None` if there is no such key, or if it has no
    /// name. It is for logs and may also decide about what a signer may do, if the id is that of a key
    /// whose signature was verified: no key has two names, and only who changes the ring names keys.
    #[must_use]
    pub fn name_of(&self, key_id: KeyId) -> Option<&str> {
        self.signers.with_id(key_id).next()?.name.as_deref()
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The other signer whose key has a half of this one.
    pub(crate) fn half_sibling(&self, key: &VerifyingKey) -> Option<&VerifyingKey> {
        self.signers.half_sibling(key).map(|signer| &signer.key)
    }

    pub(crate) fn name(&self, key: &VerifyingKey) -> Option<&str> {
        self.signers.get(key)?.name.as_deref()
    }

    /// Verifies a signature by any of the signers and returns the signer's key; see
    /// [`VerifyingKey::verify`].
    ///
    /// A signature does not say who made it, so the keys are tried until one fits. A forged signature
    /// costs one verification for each key: 50 keys take 50 to 80 ms with portable Rust. A service
    /// that anyone can reach should let its clients send their key ids and call
    /// [`verify_by`](Self::verify_by). A request and a session's hello carry the id, so they need only one
    /// verification.
    ///
    /// # Errors
    ///
    /// [`Error::Verify`] if none of the keys has made it; [`Error::Context`] for an invalid context;
    /// [`Error::Refused`] if the policy does not accept the signature's suite.
    pub fn verify(
        &self,
        context: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<&VerifyingKey, Error> {
        context::check(context)?;
        self.verify_prehashed(context, &sign::prehash(message), signature)
    }

    /// Verifies a signature by the signer whose key has this id, with one verification. The id may
    /// come from the sender: it only selects one of the accepted keys. For a message from a reader,
    /// call [`VerifyingKey::verify_reader`] on the key that [`find`](Self::find) returns.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSigner`] if the ring has no key of this id; otherwise the same as
    /// [`VerifyingKey::verify`].
    ///
    /// ```
    /// # use twinseal::{SigningKey, VerifyingKeyring};
    /// # let alice = SigningKey::generate()?;
    /// let ring = VerifyingKeyring::new([alice.verifying_key()])?;
    /// let sent = (alice.verifying_key().key_id(), alice.sign(b"example.com/releases", b"hello")?);
    ///
    /// let (key_id, signature) = sent;
    /// ring.verify_by(key_id, b"example.com/releases", b"hello", &signature)?;
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn verify_by(
        &self,
        key_id: KeyId,
        context: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<&VerifyingKey, Error> {
        let key = self.find(key_id).ok_or(Error::UnknownSigner)?;
        key.verify(context, message, signature)?;
        Ok(key)
    }

    /// [`verify`](Self::verify) for a message of any length, which is read to its end in constant
    /// memory.
    ///
    /// # Errors
    ///
    /// Same as [`verify`](Self::verify), wrapped in [`io::Error`]; and the reader's errors.
    pub fn verify_reader(
        &self,
        context: &[u8],
        message: impl io::Read,
        signature: &Signature,
    ) -> io::Result<&VerifyingKey> {
        context::check(context)?;
        let sha512 = sign::hash_reader(message)?;
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
