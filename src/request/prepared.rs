//! A request whose head awaits its signature.

use std::fmt;

use super::{RequestId, RequestSealer, RequestTime, make};
use crate::{
    constants,
    error::Error,
    kem::EncapsulationKey,
    parties::signed_digest,
    provider::Random,
    sign::{Signature, ToBeSigned, VerifyingKey},
};

impl EncapsulationKey {
    /// Makes the head of a request up to its signature, for a signing key that has to be awaited.
    /// [`SignedBy::request_sealer`](crate::SignedBy::request_sealer) does it in one step, with a key that is
    /// called.
    ///
    /// The request carries the time of this call, and its recipient refuses it as too old if the signature
    /// takes longer than their window, which is a minute unless they [set](super::WindowGuard) another one.
    ///
    /// # Errors
    ///
    /// [`Error::Context`]; [`Error::Randomness`] if the system has none; [`Error::Unsupported`] for the
    /// experimental suite.
    pub fn prepare_request(
        &self,
        signer: &VerifyingKey,
        context: &[u8],
    ) -> Result<PreparedRequest, Error> {
        prepare(self, signer, context, RequestTime::now(), &mut Random::System)
    }
}

/// A request whose head lacks only its signature. From [`EncapsulationKey::prepare_request`].
///
/// [`finish`](Self::finish) consumes it: one head has one body. Dropping it wipes the request's keys.
///
/// The signing key is somewhere else, and has to be awaited. As a whole it receives
/// [`signature_context`](Self::signature_context) and [`sha512`](Self::sha512), as
/// [`Sign::sign_prehashed`](crate::Sign::sign_prehashed) does. Its halves receive what
/// [`to_be_signed`](Self::to_be_signed) says: [`PreparedSender`](crate::session::PreparedSender) has an example.
///
/// ```
/// use twinseal::{DecapsulationKey, Error, Sign, Signature, SigningKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// # let bob = DecapsulationKey::generate()?;
/// # let inside = SigningKey::generate()?;
/// # let alice = inside.verifying_key();
/// # let guard = twinseal::request::AllowReplays;
/// # let ask_kms = async |context: &[u8], sha512: &[u8; 64]| -> Result<Signature, Error> { Sign::sign_prehashed(&inside, context, sha512) };
/// let prepared = bob.encapsulation_key().prepare_request(alice, b"example.com/predict")?;
/// let signature = ask_kms(prepared.signature_context(), prepared.sha512()).await?;
/// let (request, pending) = prepared.finish(signature)?.seal(b"a picture")?;
///
/// let (picture, asked) = bob.accepting(alice).accept(b"example.com/predict", &request, &guard)?;
/// assert_eq!(&picture[..], b"a picture");
/// assert_eq!(&pending.open(&asked.answer(b"a cat")?)?[..], b"a cat");
/// # Ok(())
/// # }
/// ```
#[must_use = "without finish() there is no request"]
pub struct PreparedRequest {
    /// Its head has no signature.
    request: RequestSealer,
    sha512: [u8; 64],
    to_be_signed: ToBeSigned,
}

impl PreparedRequest {
    /// What the halves of the signing key have to sign.
    #[must_use]
    pub fn to_be_signed(&self) -> &ToBeSigned {
        &self.to_be_signed
    }

    /// The context of the signature: `twinseal/request/v1`. A key in a KMS signs it only if its policy
    /// allows it to ask.
    #[must_use]
    pub fn signature_context(&self) -> &'static [u8] {
        constants::REQUEST_SIGNATURE_CONTEXT
    }

    /// The SHA-512 of what is signed: of the rest of the head, the recipient's and the signer's whole keys,
    /// and the context of the request.
    #[must_use]
    pub fn sha512(&self) -> &[u8; 64] {
        &self.sha512
    }

    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.request.head.id()
    }

    /// When the request was prepared, which is what its recipient sees.
    #[must_use]
    pub fn time(&self) -> RequestTime {
        self.request.head.time()
    }

    /// Verifies the signature, and returns what makes the body: [`RequestSealer::seal`] in memory, or its
    /// [`sealer`](RequestSealer::sealer) in parts.
    ///
    /// # Errors
    ///
    /// [`Error::External`], naming the first half that does not verify, or if the signature is of another
    /// suite. The request is lost then.
    pub fn finish(self, signature: Signature) -> Result<RequestSealer, Error> {
        self.to_be_signed.check(&signature)?;
        let mut request = self.request;
        request.head.set_signature(Some(signature));
        Ok(request)
    }
}

pub(crate) fn prepare(
    to: &EncapsulationKey,
    signer: &VerifyingKey,
    context: &[u8],
    time: RequestTime,
    random: &mut Random<'_>,
) -> Result<PreparedRequest, Error> {
    let request = make::begin(to, Some(signer), context, time, random)?;
    let sha512 = signed_digest(request.head.core(), to, signer, context);
    let to_be_signed = signer.to_be_signed(constants::REQUEST_SIGNATURE_CONTEXT, &sha512)?;
    Ok(PreparedRequest { request, sha512, to_be_signed })
}

impl fmt::Debug for PreparedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreparedRequest({}, by {:?})", self.id(), self.to_be_signed.verifying_key())
    }
}
