//! What the service and its clients agree on: paths, contexts, and how an answer carries a signature.

use twinseal::{Error, Sign, Signature, SignatureSuite, VerifyingKey, request::RequestId};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// A batch of pictures. The answer is a batch of probabilities, as a whole.
    Predict,
    /// A batch of pictures. The answer is a line of text for each, as a piece of its own.
    Generate,
}

impl Question {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Predict => "/predict",
            Self::Generate => "/generate",
        }
    }

    /// The context of a request: one that was moved to another path does not verify.
    pub(crate) const fn context(self) -> &'static [u8] {
        match self {
            Self::Predict => b"example.com/inference/v1 POST /predict",
            Self::Generate => b"example.com/inference/v1 POST /generate",
        }
    }
}

/// The context of a signature over a result.
const RESULT: &[u8] = b"example.com/inference/v1 result";

/// Signs a result as the answer to this request, for those who must prove later what was answered.
pub(crate) fn sign_result(
    key: &dyn Sign,
    request: RequestId,
    result: &[u8],
) -> Result<Vec<u8>, Error> {
    Ok(key.sign(RESULT, &[request.as_bytes(), result].concat())?.as_bytes().to_vec())
}

pub(crate) fn verify_result(
    key: &VerifyingKey,
    request: RequestId,
    result: &[u8],
    signature: &[u8],
) -> Result<(), Error> {
    let signature = Signature::from_bytes(SignatureSuite::ML_DSA_87_ECDSA_P384, signature)?;
    key.verify(RESULT, &[request.as_bytes(), result].concat(), &signature)
}

/// The plaintext of a whole answer: the signature's length, the signature, which may be empty, and the
/// result. An answer in pieces has the signature in its last piece.
pub(crate) fn join(signature: &[u8], result: &[u8]) -> Vec<u8> {
    let length = u16::try_from(signature.len()).expect("a signature has at most 4729 bytes");
    [&length.to_be_bytes(), signature, result].concat()
}

/// The signature and the result of such a plaintext.
pub(crate) fn split(plaintext: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = plaintext.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}
