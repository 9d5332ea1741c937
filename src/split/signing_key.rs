//! A signing key whose halves are in different places.

use std::fmt;

use super::{Half, HalfKey, Halves, asked::asked};
use crate::{
    constants, ec_private_key,
    error::Error,
    provider::SchemeSigner,
    sign::{EcdsaSignature, Sign, Signature, SigningKey, VerifyingKey},
    tracing::{self, KeyUse},
};

/// A signing key made of two halves, each in memory, in a token or behind a network.
///
/// Neither half alone signs anything. Both are always asked, the post-quantum half first, and the composite
/// signature is verified before it is given out.
///
/// ```
/// use twinseal::{Sign, SigningKey, split::SplitSigningKey};
///
/// let whole = SigningKey::generate()?;
/// let public = whole.verifying_key().clone();
///
/// let halves = whole.into_halves()?; // in practice, each goes into a token
/// let key = SplitSigningKey::new(public, halves.post_quantum.into(), halves.traditional.into());
/// key.check()?;
/// let signature = key.sign(b"example.com/releases", b"hello")?;
/// key.verifying_key().verify(b"example.com/releases", b"hello", &signature)?;
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct SplitSigningKey {
    verifying_key: VerifyingKey,
    post_quantum: Box<dyn SchemeSigner>,
    traditional: Box<dyn SchemeSigner>,
}

impl SplitSigningKey {
    /// The private key of a verifying key, which [`VerifyingKey::from_halves`] makes of public halves.
    ///
    /// ML-DSA-87 receives the label of the suite as its context and gives 4627 bytes. ECDSA receives the empty
    /// context, hashes the message with SHA-384, and gives `r || s` (96). The message of both is
    /// [`ToBeSigned::message`](crate::sign::ToBeSigned::message).
    ///
    /// The experimental suite has no split keys: each use is [`Error::Unsupported`].
    #[must_use]
    pub fn new(
        verifying_key: VerifyingKey,
        post_quantum: Box<dyn SchemeSigner>,
        traditional: Box<dyn SchemeSigner>,
    ) -> Self {
        Self { verifying_key, post_quantum, traditional }
    }

    /// Signs once, in the context `twinseal/check/v1`, and drops the signature. It is over a digest of zeros, to
    /// which nobody knows a message.
    ///
    /// # Errors
    ///
    /// [`Error::External`] if a half fails or is not of this key, naming the half.
    pub fn check(&self) -> Result<(), Error> {
        let checked = || check(&self.verifying_key, &*self.post_quantum, &*self.traditional);
        KeyUse::sign(&self.verifying_key).check().report(checked)
    }
}

fn sign(
    public: &VerifyingKey,
    post_quantum: &dyn SchemeSigner,
    traditional: &dyn SchemeSigner,
    context: &[u8],
    sha512: &[u8; 64],
) -> Result<Signature, Error> {
    let to_be_signed = public.to_be_signed(context, sha512)?;
    let message = to_be_signed.message();
    let ml_dsa = tracing::half(Half::PostQuantum, || {
        asked(|| post_quantum.sign(to_be_signed.ml_dsa_context(), message))
    });
    let ecdsa = tracing::half(Half::Traditional, || asked(|| traditional.sign(b"", message)));
    to_be_signed.joined(ml_dsa, ecdsa.map(EcdsaSignature::Fixed))
}

fn check(
    public: &VerifyingKey,
    post_quantum: &dyn SchemeSigner,
    traditional: &dyn SchemeSigner,
) -> Result<(), Error> {
    let context = constants::CHECK_SIGNATURE_CONTEXT;
    sign(public, post_quantum, traditional, context, &[0; 64]).map(drop)
}

impl Sign for SplitSigningKey {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        KeyUse::sign(&self.verifying_key).report(|| {
            sign(&self.verifying_key, &*self.post_quantum, &*self.traditional, context, sha512)
        })
    }
}

impl fmt::Debug for SplitSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = &self.verifying_key;
        write!(f, "SplitSigningKey({}, {})", public.suite(), public.key_id())
    }
}

impl SigningKey {
    /// Takes the key apart, so that its halves can move into two tokens; the public key stays what it is. There
    /// is no way back.
    ///
    /// The key is gone afterwards. Keep a copy of its file until both halves are in their tokens, and the split key's
    /// [`check`](SplitSigningKey::check) has passed.
    ///
    /// The private bytes are the ML-DSA seed (32; FIPS 204 §6.1) and the P-384 scalar (48, big-endian).
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for the experimental suite; [`Error::External`] if a half, tried once, is not of the
    /// key, which would be a fault of the provider.
    pub fn into_halves(self) -> Result<Halves<HalfKey<dyn SchemeSigner>>, Error> {
        let public = self.verifying_key();
        public.to_be_signed(b"", &[0; 64])?; // the suite can be split
        let provider = public.provider();
        let (ml_dsa, ecdsa) =
            self.secret_bytes().split_at(constants::ML_DSA_87_LENGTHS.signing_key);
        let halves = Halves {
            post_quantum: HalfKey::load_signer(
                Half::PostQuantum,
                "ML-DSA-87",
                provider.ml_dsa_87,
                ml_dsa,
            )?,
            traditional: HalfKey::load_signer(
                Half::Traditional,
                "ECDSA-P384",
                provider.ecdsa_p384,
                ec_private_key::scalar(ecdsa)?,
            )?,
        };
        check(public, halves.post_quantum.operation(), halves.traditional.operation())?;
        Ok(halves)
    }
}
