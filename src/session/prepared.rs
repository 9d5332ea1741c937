//! A session whose hello awaits its signature.

use std::fmt;

use super::{SessionSender, start};
use crate::{
    constants,
    error::Error,
    kem::EncapsulationKey,
    parties::signed_digest,
    provider::Random,
    sign::{Signature, ToBeSigned, VerifyingKey},
};

impl EncapsulationKey {
    /// Starts a session up to the signature of its hello, for a signing key that has to be awaited.
    /// [`SignedBy::sender`](crate::SignedBy::sender) does it in one step, with a key that is called.
    ///
    /// # Errors
    ///
    /// [`Error::Context`]; [`Error::Randomness`] if the system has none; [`Error::Unsupported`] for the
    /// experimental suite.
    pub fn prepare_sender(
        &self,
        signer: &VerifyingKey,
        context: &[u8],
    ) -> Result<PreparedSender, Error> {
        prepare(self, signer, context, &mut Random::System)
    }
}

/// A session whose hello lacks only its signature. From [`EncapsulationKey::prepare_sender`].
///
/// [`finish`](Self::finish) consumes it: one hello has one sender. Dropping it wipes the session's keys.
///
/// The signing key is somewhere else, and has to be awaited. As a whole it receives
/// [`signature_context`](Self::signature_context) and [`sha512`](Self::sha512), as
/// [`Sign::sign_prehashed`](crate::Sign::sign_prehashed) does:
///
/// ```
/// use twinseal::{DecapsulationKey, Error, Sign, Signature, SigningKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// # let bob = DecapsulationKey::generate()?;
/// # let inside = SigningKey::generate()?;
/// # let alice = inside.verifying_key();
/// # let ask_kms = async |context: &[u8], sha512: &[u8; 64]| -> Result<Signature, Error> { Sign::sign_prehashed(&inside, context, sha512) };
/// let prepared = bob.encapsulation_key().prepare_sender(alice, b"example.com/logs")?;
/// let signature = ask_kms(prepared.signature_context(), prepared.sha512()).await?;
/// let (hello, mut tx) = prepared.finish(signature)?;
///
/// let mut rx = bob.accepting(alice).receiver(b"example.com/logs", &hello)?;
/// assert_eq!(&rx.open(&tx.seal(b"a line")?)?[..], b"a line");
/// # Ok(())
/// # }
/// ```
///
/// Its halves receive what [`to_be_signed`](Self::to_be_signed) says, and
/// [`ToBeSigned::join`] makes one signature of theirs:
///
/// ```
/// # use twinseal::{DecapsulationKey, Error, SigningKey, sign::ToBeSigned, provider::{PORTABLE, SignatureScheme}};
/// use twinseal::sign::EcdsaSignature;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// # let bob = DecapsulationKey::generate()?;
/// # let inside = SigningKey::generate()?;
/// # let alice = &inside.verifying_key().clone();
/// # let halves = inside.into_halves()?;
/// # let one = PORTABLE.ml_dsa_87.key_pair(halves.post_quantum.secret_bytes())?.signer;
/// # let other = PORTABLE.ecdsa_p384.key_pair(halves.traditional.secret_bytes())?.signer;
/// # let ask_one = async |tbs: &ToBeSigned| one.sign(tbs.ml_dsa_context(), tbs.message());
/// # let ask_other = async |tbs: &ToBeSigned| other.sign(b"", tbs.message());
/// let prepared = bob.encapsulation_key().prepare_sender(alice, b"example.com/logs")?;
/// let (ml_dsa, ecdsa) = tokio::join!(ask_one(prepared.to_be_signed()), ask_other(prepared.to_be_signed()));
/// let signature = prepared.to_be_signed().join(ml_dsa, ecdsa.map(EcdsaSignature::Fixed))?;
/// let (hello, tx) = prepared.finish(signature)?;
/// # bob.accepting(alice).receiver(b"example.com/logs", &hello)?;
/// # drop(tx);
/// # Ok(())
/// # }
/// ```
#[must_use = "without finish() there is no session"]
pub struct PreparedSender {
    /// All of the hello except its signature.
    core: Vec<u8>,
    sender: SessionSender,
    sha512: [u8; 64],
    to_be_signed: ToBeSigned,
}

impl PreparedSender {
    /// What the halves of the signing key have to sign.
    #[must_use]
    pub fn to_be_signed(&self) -> &ToBeSigned {
        &self.to_be_signed
    }

    /// The context of the signature: `twinseal/session/v1`. A key in a KMS signs it only if its policy
    /// allows it to start sessions.
    #[must_use]
    pub fn signature_context(&self) -> &'static [u8] {
        constants::SESSION_SIGNATURE_CONTEXT
    }

    /// The SHA-512 of what is signed: of the rest of the hello, the recipient's and the signer's whole keys,
    /// and the context of the session.
    #[must_use]
    pub fn sha512(&self) -> &[u8; 64] {
        &self.sha512
    }

    /// Verifies the signature, and returns the hello, to be sent first, and the sender. The hello has at most
    /// 6381 bytes with [`KemSuite::X25519_ML_KEM_1024`](crate::KemSuite), 6446 with
    /// [`KemSuite::ML_KEM_1024_P384`](crate::KemSuite).
    ///
    /// # Errors
    ///
    /// [`Error::External`], naming the first half that does not verify, or if the signature is of another
    /// suite. The session is lost then.
    #[expect(clippy::needless_pass_by_value, reason = "as with a request, which keeps it")]
    pub fn finish(self, signature: Signature) -> Result<(Vec<u8>, SessionSender), Error> {
        self.to_be_signed.check(&signature)?;
        let mut hello = self.core;
        hello.extend_from_slice(signature.as_bytes());
        Ok((hello, self.sender))
    }
}

pub(crate) fn prepare(
    to: &EncapsulationKey,
    signer: &VerifyingKey,
    context: &[u8],
    random: &mut Random<'_>,
) -> Result<PreparedSender, Error> {
    let (core, sender) = start::begin(to, Some(signer), context, random)?;
    let sha512 = signed_digest(&core, to, signer, context);
    let to_be_signed = signer.to_be_signed(constants::SESSION_SIGNATURE_CONTEXT, &sha512)?;
    Ok(PreparedSender { core, sender, sha512, to_be_signed })
}

impl fmt::Debug for PreparedSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreparedSender(by {:?})", self.to_be_signed.verifying_key())
    }
}
