//! What the two halves of a composite signature have to sign, and the signature that they make.

use std::fmt;

use sha2::{Digest, Sha384};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

use super::{Signature, SignatureSuite, VerifyingKey};
use crate::{
    check, constants, context,
    error::Error,
    half::{Half, Halves},
    tracing::KeyUse,
    wire,
};

/// What is left to do for one composite signature, as a value: for keys whose halves are awaited, or take their
/// input in the form that an HSM or KMS wants. [`VerifyingKey::to_be_signed`] makes it.
///
/// ```
/// use twinseal::{SigningKey, provider::{PORTABLE, SignatureScheme}, sign::EcdsaSignature};
///
/// # fn sha512(message: &[u8]) -> [u8; 64] { sha2::Digest::finalize(sha2::Digest::chain_update(<sha2::Sha512 as sha2::Digest>::new(), message)).into() }
/// let whole = SigningKey::generate()?;
/// let public = whole.verifying_key().clone();
/// let halves = whole.into_halves()?;
///
/// let to_be_signed = public.to_be_signed(b"example.com/releases", &sha512(b"hello"))?;
///
/// // Each in its place, awaited if need be.
/// let ml_dsa = PORTABLE.ml_dsa_87.key_pair(halves.post_quantum.secret_bytes())?.signer;
/// let ecdsa = PORTABLE.ecdsa_p384.key_pair(halves.traditional.secret_bytes())?.signer;
/// let first = ml_dsa.sign(to_be_signed.ml_dsa_context(), to_be_signed.message());
/// let second = ecdsa.sign(b"", to_be_signed.message());
///
/// let signature = to_be_signed.join(first, second.map(EcdsaSignature::Fixed))?;
/// public.verify(b"example.com/releases", b"hello", &signature)?;
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone)]
pub struct ToBeSigned {
    verifying_key: VerifyingKey,
    message: Vec<u8>,
}

/// A signature of ECDSA over P-384, in one of its two encodings. Whoever has it knows which; it is never guessed.
#[derive(Clone, PartialEq, Eq)]
pub enum EcdsaSignature {
    /// The DER form of RFC 3279 §2.2.3, at most 104 bytes: of AWS KMS, Google KMS and OpenSSL.
    Der(Vec<u8>),
    /// `r || s`, each 48 bytes big-endian: of PKCS#11, and IEEE P1363.
    Fixed(Vec<u8>),
}

impl EcdsaSignature {
    fn into_der(self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Der(der) => check::ecdsa_signature_from_der(&der).map(|_| der),
            Self::Fixed(fixed) => check::ecdsa_signature_to_der(&fixed),
        }
    }
}

impl VerifyingKey {
    /// What the two halves of this key have to sign, for a context of 0 to 255 bytes and the SHA-512 of a message.
    /// Contexts that start with `twinseal/` are taken too, as by [`Sign::sign_prehashed`](crate::Sign::sign_prehashed).
    ///
    /// # Errors
    ///
    /// [`Error::Context`] if the context is longer; [`Error::Unsupported`] for the experimental suite.
    pub fn to_be_signed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<ToBeSigned, Error> {
        if self.suite() != SignatureSuite::ML_DSA_87_ECDSA_P384 {
            return Err(Error::Unsupported("split keys of this suite"));
        }
        let message = self.suite().0.representative(context, sha512)?;
        Ok(ToBeSigned { verifying_key: self.clone(), message })
    }
}

impl ToBeSigned {
    /// The key that the signature will be of.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    /// M', the message of both halves (draft-ietf-lamps-pq-composite-sigs §2.2), of 130 to 385 bytes:
    /// `Prefix || Label || len(context) || context || SHA-512(message)`.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The SHA-384 of M', for an ECDSA half that takes a digest.
    #[must_use]
    pub fn sha384(&self) -> [u8; 48] {
        Sha384::digest(&self.message).into()
    }

    /// The context of ML-DSA (FIPS 204 §5.2): the suite's label, 33 bytes.
    #[must_use]
    pub fn ml_dsa_context(&self) -> &'static [u8] {
        self.verifying_key.suite().0.post_quantum_context
    }

    /// ML-DSA's message representative μ (FIPS 204 §6.2), for an ML-DSA half that takes it as "external mu":
    /// `SHAKE256(SHAKE256(pk, 64) || 0x00 || len(ctx) || ctx || M', 64)` with
    /// [`ml_dsa_context`](Self::ml_dsa_context) as `ctx`. Such a half takes neither message nor context.
    #[must_use]
    pub fn external_mu(&self) -> [u8; 64] {
        let key = self.verifying_key.halves().post_quantum;
        external_mu(key, self.ml_dsa_context(), &self.message).expect("the label has 33 bytes")
    }

    /// The composite signature of what each half said: its signature, or its failure. Ask both, and pass on both,
    /// even if the first failed. The signature is verified before it is given out.
    ///
    /// # Errors
    ///
    /// [`Error::External`], naming the first half that failed, or whose signature is malformed or does not verify.
    pub fn join(
        &self,
        ml_dsa: Result<impl AsRef<[u8]>, Error>,
        ecdsa: Result<EcdsaSignature, Error>,
    ) -> Result<Signature, Error> {
        KeyUse::sign(&self.verifying_key).elsewhere().report(|| self.joined(ml_dsa, ecdsa))
    }

    /// [`join`](Self::join), of halves that were asked here.
    pub(crate) fn joined(
        &self,
        ml_dsa: Result<impl AsRef<[u8]>, Error>,
        ecdsa: Result<EcdsaSignature, Error>,
    ) -> Result<Signature, Error> {
        let suite = self.verifying_key.suite();
        let ml_dsa = ml_dsa.map_err(|error| error.of_half(Half::PostQuantum))?;
        wire::exact("ML-DSA-87 signature", ml_dsa.as_ref(), constants::ML_DSA_87_LENGTHS.signature)
            .map_err(|error| error.of_half(Half::PostQuantum))?;
        let ecdsa = ecdsa
            .and_then(EcdsaSignature::into_der)
            .map_err(|error| error.of_half(Half::Traditional))?;
        let bytes = suite.0.join_signature(ml_dsa.as_ref(), &ecdsa);
        let signature = Signature { suite, bytes };
        self.check(&signature)?;
        Ok(signature)
    }

    /// Is this the composite signature that was wanted? If it is not, that is a failure of the external key.
    pub(crate) fn check(&self, signature: &Signature) -> Result<(), Error> {
        if signature.suite != self.verifying_key.suite() {
            return Err(Error::external("the signature is not of the key's suite"));
        }
        let Halves { post_quantum, traditional } = self
            .verifying_key
            .verify_halves(&self.message, &signature.bytes)
            .map_err(Error::external)?;
        let wrong = |half| Error::external("its signature does not verify").of_half(half);
        post_quantum.map_err(|_| wrong(Half::PostQuantum))?;
        traditional.map_err(|_| wrong(Half::Traditional))
    }
}

/// μ of pure ML-DSA (FIPS 204 Algorithm 2 step 10, Algorithm 7 step 6; tr is Algorithm 6 step 9).
pub(crate) fn external_mu(key: &[u8], context: &[u8], message: &[u8]) -> Result<[u8; 64], Error> {
    let length = context::length(context)?;
    let tr = shake256(&[key]);
    Ok(shake256(&[&tr, &[0, length], context, message]))
}

fn shake256(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Shake256::default();
    parts.iter().for_each(|part| hash.update(part));
    let mut output = [0; 64];
    hash.finalize_xof().read(&mut output);
    output
}

/// Half a signature, which belongs into no log.
impl fmt::Debug for EcdsaSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Der(bytes) => write!(f, "Der({} bytes)", bytes.len()),
            Self::Fixed(bytes) => write!(f, "Fixed({} bytes)", bytes.len()),
        }
    }
}

impl fmt::Debug for ToBeSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToBeSigned({} bytes by {:?})", self.message.len(), self.verifying_key)
    }
}
