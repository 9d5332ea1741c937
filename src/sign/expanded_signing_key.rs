//! A signing key whose post-quantum half has only its expanded form.

use std::fmt;

use super::{
    Sign, Signature, SignatureSuite, VerifyingKey, WithoutContext,
    composite::{CompositeKeyPair, CompositeSigner},
};
use crate::{error::Error, provider, tracing::KeyUse};

/// A private key of other software that was exported without its ML-DSA seed. It signs as
/// [`SigningKey`](crate::SigningKey) does, but there is no key file that could hold it. It is wiped when
/// dropped.
///
/// [`SigningKey::import_expanded_der`](crate::SigningKey::import_expanded_der) and its neighbours load it.
/// ML-DSA is then computed by the portable provider.
///
/// ```
/// use twinseal::{Sign, SignatureSuite, SigningKey};
///
/// # let ml_dsa = ml_dsa::ExpandedSigningKey::<ml_dsa::MlDsa87>::from_seed(&[7; 32].into());
/// # #[expect(deprecated)]
/// # let expanded = ml_dsa.to_expanded();
/// # let exported = [&expanded[..], &[7; 48]].concat();
/// let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
/// assert!(SigningKey::import_bytes(suite, &exported).is_err());
/// let key = SigningKey::import_expanded_bytes(suite, &exported)?;
///
/// let signature = key.sign(b"example.com/releases", b"hello")?;
/// key.verifying_key().verify(b"example.com/releases", b"hello", &signature)?;
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct ExpandedSigningKey {
    signer: CompositeSigner,
    verifying_key: VerifyingKey,
}

impl ExpandedSigningKey {
    /// From the expanded ML-DSA key (FIPS 204 Algorithm 24) and the P-384 scalar (48 bytes).
    pub(crate) fn load(
        suite: SignatureSuite,
        expanded: &[u8],
        scalar: &[u8],
    ) -> Result<Self, Error> {
        let provider = provider::default();
        let CompositeKeyPair { verifying_key, signer, .. } =
            suite.0.on(provider).load_expanded(expanded, scalar)?;
        // Both of its halves are on the provider.
        let verifying_key = VerifyingKey::from_bytes(suite, &verifying_key)?;
        let key = Self { signer, verifying_key };
        key.try_out()?;
        Ok(key)
    }

    /// Signs, verifies, and drops the signature.
    fn try_out(&self) -> Result<(), Error> {
        let (context, sha512) = (b"", [0; 64]);
        let bytes = self.signer.sign_prehashed(context, &sha512)?;
        let signature = Signature { suite: self.verifying_key.suite(), bytes };
        self.verifying_key.verify_prehashed(context, &sha512, &signature).map_err(|_| {
            Error::Invalid { what: "signing key", reason: "its signatures do not verify" }
        })
    }

    /// The public half, to be published.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    /// The key as a [`signature::Signer`] with the empty context, for X.509 and other software.
    #[must_use]
    pub fn without_context(&self) -> WithoutContext<'_, Self> {
        WithoutContext(self)
    }
}

impl Sign for ExpandedSigningKey {
    fn verifying_key(&self) -> &VerifyingKey {
        self.verifying_key()
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        let signed = || self.signer.sign_prehashed(context, sha512);
        let bytes = KeyUse::sign(&self.verifying_key).report(signed)?;
        Ok(Signature { suite: self.verifying_key.suite(), bytes })
    }
}

impl fmt::Debug for ExpandedSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = &self.verifying_key;
        write!(f, "ExpandedSigningKey({}, {})", public.suite(), public.key_id())
    }
}
