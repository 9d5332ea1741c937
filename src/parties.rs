//! Who is on both sides of a session or a request: the recipient's keys, and the signers.

use std::fmt;

use sha2::{Digest, Sha512};

use crate::{
    addressee::{Addressed, Addressee},
    error::Error,
    kem::{DecapsulationKey, EncapsulationKey},
    key_id::KeyId,
    keyring::{Keyring, VerifyingKeyring, decoy},
    sign::{Sign, Signature, SignatureSuite, VerifyingKey},
};

impl EncapsulationKey {
    /// Names the signer of a session or a request: its first bytes are signed with this key, and prove
    /// who sends.
    #[must_use]
    pub fn signed_by<'a>(&'a self, signer: &'a dyn Sign) -> SignedBy<'a> {
        SignedBy { to: self, signer }
    }
}

/// The recipient and the signer of a session or a request; see [`EncapsulationKey::signed_by`].
///
/// ```
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let alice = twinseal::SigningKey::generate()?;
/// let to_bob = bob.encapsulation_key();
/// let (hello, mut tx) = to_bob.signed_by(&alice).sender(b"example.com/logs")?;
/// let mut rx = bob.accepting(alice.verifying_key()).receiver(b"example.com/logs", &hello)?;
/// assert_eq!(rx.signer(), Some(alice.verifying_key().key_id()));
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct SignedBy<'a> {
    pub(crate) to: &'a EncapsulationKey,
    pub(crate) signer: &'a dyn Sign,
}

impl fmt::Debug for SignedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedBy({:?} to {:?})", self.signer.verifying_key(), self.to)
    }
}

impl DecapsulationKey {
    /// Accepts only sessions and requests of this signer. Unsigned ones are refused.
    #[must_use]
    pub fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts only sessions and requests of these signers, and reports whose each is.
    #[must_use]
    pub fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

impl Keyring {
    /// Accepts only sessions and requests of this signer; see [`DecapsulationKey::accepting`].
    #[must_use]
    pub fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts only sessions and requests of these signers, and reports whose each is.
    #[must_use]
    pub fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

/// The keys that a session or a request may be addressed to, and the signers that it may come from;
/// see [`DecapsulationKey::accepting`].
///
/// ```
/// use twinseal::{DecapsulationKey, Error, SigningKey, VerifyingKeyring};
///
/// # let bob = DecapsulationKey::generate()?;
/// # let alice = SigningKey::generate()?;
/// # let mallory = SigningKey::generate()?;
/// let mut signers = VerifyingKeyring::new([])?;
/// signers.add_named("alice", alice.verifying_key())?;
/// let accepting = bob.accepting_any(&signers);
///
/// let to_bob = bob.encapsulation_key();
/// let (hello, _) = to_bob.signed_by(&alice).sender(b"example.com/orders")?;
/// let rx = accepting.receiver(b"example.com/orders", &hello)?;
/// assert_eq!(rx.signer().and_then(|signer| signers.name_of(signer)), Some("alice"));
///
/// let (hello, _) = to_bob.signed_by(&mallory).sender(b"example.com/orders")?;
/// let refused = accepting.receiver(b"example.com/orders", &hello);
/// assert_eq!(refused.unwrap_err(), Error::UnknownSigner);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Accepting<'a> {
    pub(crate) keys: Addressee<'a>,
    pub(crate) signers: Signers<'a>,
}

impl<'a> Accepting<'a> {
    pub(crate) fn one(keys: Addressee<'a>, signer: &'a VerifyingKey) -> Self {
        Self { keys, signers: Signers::One(signer) }
    }

    pub(crate) fn any(keys: Addressee<'a>, signers: &'a VerifyingKeyring) -> Self {
        Self { keys, signers: Signers::AnyOf(signers) }
    }
}

/// The signers that a session or a request may come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signers<'a> {
    One(&'a VerifyingKey),
    AnyOf(&'a VerifyingKeyring),
}

impl<'a> Signers<'a> {
    pub(crate) fn find(self, suite: SignatureSuite, key_id: KeyId) -> Option<&'a VerifyingKey> {
        let found = match self {
            Self::One(signer) => Some(signer),
            Self::AnyOf(signers) => signers.find(key_id),
        };
        found.filter(|signer| (signer.suite(), signer.key_id()) == (suite, key_id))
    }
}

impl<'a> Signers<'a> {
    /// The key to verify with what claims to be signed by this one. If there is no such signer, it is
    /// another key of the suite, with which nothing verifies: an unknown signer and a wrong signature
    /// take one verification each, and end in one error.
    ///
    /// A suite that the policy of a ring of signers does not accept is refused: no stranger decides which
    /// suites are used.
    pub(crate) fn claimed(
        self,
        suite: SignatureSuite,
        key_id: KeyId,
    ) -> Result<Claimed<'a>, Error> {
        if let Some(key) = self.find(suite, key_id) {
            return Ok(Claimed { key, is_decoy: false });
        }
        let key = match self {
            Self::One(signer) if signer.suite() == suite => signer,
            Self::One(_) => decoy::decoy(suite)?,
            Self::AnyOf(signers) => {
                signers.policy().check_signature(suite)?;
                decoy::decoy(suite)?
            }
        };
        Ok(Claimed { key, is_decoy: true })
    }
}

/// The key of a signer that something claims to be from, or one that stands in for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimed<'a> {
    key: &'a VerifyingKey,
    is_decoy: bool,
}

impl<'a> Claimed<'a> {
    /// The key whose bytes are under the signature. Nothing is known of it before
    /// [`verify`](Self::verify).
    pub(crate) fn key(self) -> &'a VerifyingKey {
        self.key
    }

    /// Verifies, and returns the signer's key.
    pub(crate) fn verify(
        self,
        context: &[u8],
        sha512: &[u8; 64],
        signature: &Signature,
    ) -> Result<&'a VerifyingKey, Error> {
        self.key.verify_prehashed(context, sha512, signature)?;
        if self.is_decoy { Err(Error::Verify) } else { Ok(self.key) }
    }
}

/// The digest that the signature of a session's or a request's first bytes is over:
/// `SHA-512(core || ek || vk || context)`.
///
/// The signer's whole key is in it, because a composite signature may verify under other keys too,
/// and the 16 bytes of the key id in the core are too few to rule those out.
pub(crate) fn signed_digest(
    core: &[u8],
    to: &EncapsulationKey,
    signer: &VerifyingKey,
    context: &[u8],
) -> [u8; 64] {
    Sha512::new()
        .chain_update(core)
        .chain_update(to.as_bytes())
        .chain_update(signer.as_bytes())
        .chain_update(context)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::SigningKey;

    const SUITE: SignatureSuite = SignatureSuite::ML_DSA_87_ECDSA_P384;
    const CTX: &[u8] = b"test";

    #[test]
    fn a_claimed_signer_is_one_only_when_the_signature_verifies() -> Result<(), Error> {
        let (alice, mallory) = (SigningKey::generate()?, SigningKey::generate()?);
        let (known, stranger) = (alice.verifying_key(), mallory.verifying_key());
        let by_alice = alice.sign_prehashed(CTX, &[7; 64])?;
        let by_mallory = mallory.sign_prehashed(CTX, &[7; 64])?;

        let ring = VerifyingKeyring::new([known])?;
        for signers in [Signers::One(known), Signers::AnyOf(&ring)] {
            let claimed = signers.claimed(SUITE, known.key_id())?;
            assert_eq!(claimed.key(), known);
            assert_eq!(claimed.verify(CTX, &[7; 64], &by_alice)?, known);
            assert_eq!(claimed.verify(CTX, &[8; 64], &by_alice), Err(Error::Verify));
            assert_eq!(claimed.verify(CTX, &[7; 64], &by_mallory), Err(Error::Verify));

            let claimed = signers.claimed(SUITE, stranger.key_id())?;
            assert_ne!(claimed.key(), stranger);
            assert_eq!(claimed.verify(CTX, &[7; 64], &by_mallory), Err(Error::Verify));
            // The only named signer's key is the decoy: his own signature is refused as well.
            assert_eq!(claimed.verify(CTX, &[7; 64], &by_alice), Err(Error::Verify));
        }
        Ok(())
    }

    #[test]
    fn nobody_owns_the_decoy_of_a_ring() -> Result<(), Error> {
        let alice = SigningKey::generate()?;
        let known = alice.verifying_key();
        for ring in [VerifyingKeyring::new([])?, VerifyingKeyring::new([known])?] {
            let claimed = Signers::AnyOf(&ring).claimed(SUITE, KeyId::from_bytes([0; 16]))?;
            assert_ne!(claimed.key(), known);
            assert_eq!(claimed.key(), decoy::decoy(SUITE)?);
        }
        Ok(())
    }

    #[cfg(feature = "experimental-falcon")]
    #[test]
    fn another_suite_is_verified_too_unless_refused() -> Result<(), Error> {
        let suite = SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;
        let (alice, other) = (SigningKey::generate()?, SigningKey::generate_for(suite)?);
        let signature = other.sign_prehashed(CTX, &[7; 64])?;
        let claimed =
            Signers::One(alice.verifying_key()).claimed(suite, other.verifying_key().key_id())?;
        assert_eq!(claimed.key().suite(), suite);
        assert_eq!(claimed.verify(CTX, &[7; 64], &signature), Err(Error::Verify));

        let ring = VerifyingKeyring::new([alice.verifying_key()])?;
        let refused = Signers::AnyOf(&ring).claimed(suite, other.verifying_key().key_id());
        assert!(matches!(refused, Err(Error::Refused { .. })));
        Ok(())
    }
}
