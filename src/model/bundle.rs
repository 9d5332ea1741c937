//! A bundle: a Sigstore bundle v0.3 with a DSSE envelope around an in-toto statement.

use std::fmt;

use super::{
    claim::Claim,
    claimed_key::ClaimedKey,
    contents::Contents,
    envelope::{self, Envelope},
    json,
    manifest::Manifest,
    statement,
    trusted_key::TrustedKey,
};
use crate::{
    error::{Error, ModelRefusal},
    sign::{Sign, Signature, SignatureSuite, VerifyingKey, prehash, sign_checked},
};

/// The signature of a model, as the file beside it has it: at most 256 MiB of JSON, with at most 2^20 resources (files,
/// or shards of them).
///
/// ```
/// use twinseal::{Error, ModelRefusal, SigningKey, model::{Bundle, Signing, TrustedKey}};
///
/// # let directory = tempfile::tempdir()?;
/// # let model = directory.path().join("model");
/// # std::fs::create_dir(&model)?;
/// # std::fs::write(model.join("weights"), [7; 1000])?;
/// let (alice, carol) = (SigningKey::generate()?, SigningKey::generate()?);
/// let bundle = Signing::new().sign(&alice, &model)?;
///
/// let received = Bundle::from_bytes(bundle.as_bytes())?;
/// let manifest = received.verify(&[carol.verifying_key().into(), alice.verifying_key().into()])?;
/// assert_eq!(manifest.signer(), &TrustedKey::from(alice.verifying_key()));
///
/// let stranger = received.verify(&[carol.verifying_key().into()]);
/// assert_eq!(stranger.unwrap_err(), Error::Model(ModelRefusal::AnotherKey));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Bundle {
    bytes: Vec<u8>,
    key: ClaimedKey,
    /// What the signature is over, and where in it the payload begins.
    signed: Vec<u8>,
    payload: usize,
    signature: Vec<u8>,
    has_log: bool,
}

/// The longest statement that is called one of a release before 0.3 although its signature does not verify: they signed
/// another text, so no signature of theirs does.
const MAX_OLD: usize = 16 * 1024 * 1024;

impl Bundle {
    /// The longest bundle, in bytes: 256 MiB. With the most files, 2^20, their names may have 75 bytes each. Read no more
    /// of a file than one byte beyond it.
    pub const MAX_LEN: usize = json::MAX_LEN;

    /// Parses what is around the statement: who is said to have signed, and with which signature. The statement itself
    /// is parsed when its signature was verified, so a bundle that no trusted key signed costs three times its length of
    /// memory at most.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with the reason if this crate does not read such bundles; [`Error::Invalid`] if it is damaged;
    /// those of [`TrustedKey::from_pem`] if it has the key itself.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let Envelope { key, payload, signature, has_log } = Envelope::parse(&bytes)?;
        let signed = envelope::signed(&payload);
        Ok(Self { bytes, key, payload: signed.len() - payload.len(), signed, signature, has_log })
    }

    /// The file's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Verifies the signature with the key that the bundle names, which must be one of these, and then parses and checks
    /// all that it says. No other key is tried.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`AnotherKey`](ModelRefusal::AnotherKey) or
    /// [`AnotherAlgorithm`](ModelRefusal::AnotherAlgorithm) if it names none of them; [`Error::Verify`] if it names one,
    /// but the signature is not valid. With another reason if this crate does not read such statements, or the statement
    /// contradicts itself; [`Error::Invalid`] if it is damaged. Either is in an [`Error::Resource`] if one resource is the
    /// reason.
    pub fn verify(&self, trusted: &[TrustedKey]) -> Result<Manifest, Error> {
        let signer = self.key.among(trusted)?;
        if let Err(error) = signer.verify(&self.signed, &self.signature) {
            let is_old = self.payload().len() <= MAX_OLD && statement::is_old(self.payload());
            return Err(if is_old { Error::Model(ModelRefusal::OldRelease) } else { error });
        }
        let contents = statement::parse(self.payload())?.contents;
        Ok(Manifest { contents, signer: signer.clone() })
    }

    /// What it claims, for people to look at: none of it is verified.
    ///
    /// # Errors
    ///
    /// The errors of [`verify`](Self::verify) about the statement. A long one takes seconds, and memory of several times its
    /// length, whoever wrote it.
    pub fn claim(&self) -> Result<Claim, Error> {
        let statement = statement::parse(self.payload())?;
        let has_form =
            |suite: &&SignatureSuite| Signature::from_bytes(**suite, &self.signature).is_ok();
        let suite = SignatureSuite::ALL.iter().find(has_form).copied();
        Ok(Claim { key: self.key.clone(), suite, has_log: self.has_log, statement })
    }

    fn payload(&self) -> &[u8] {
        &self.signed[self.payload..]
    }

    /// Signs contents, with the empty context: DSSE's prefix separates what is signed from other texts.
    pub(super) fn sign(key: &(impl Sign + ?Sized), contents: &Contents) -> Result<Self, Error> {
        let public = key.verifying_key();
        Self::check_key(public)?;
        let payload = statement::write(contents)?;
        let signed = envelope::signed(&payload);
        let signature = sign_checked(key, public, b"", &prehash(&signed))?;
        let hint = TrustedKey::from(public).hint();
        let bundle = Self::from_bytes(envelope::write(&hint, &payload, signature.as_bytes()))?;
        debug_assert_eq!(statement::parse(&payload)?.contents, *contents);
        Ok(bundle)
    }

    /// Whether this key signs models: whoever reads many files for a signature asks before.
    pub(super) fn check_key(public: &VerifyingKey) -> Result<(), Error> {
        if public.suite() == SignatureSuite::ML_DSA_87_ECDSA_P384 {
            return Ok(());
        }
        let reason = "models are signed with ML-DSA-87 and ECDSA-P384 only";
        Err(Error::Misuse { what: "signing key", reason })
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bundle({} bytes)", self.bytes.len())
    }
}
