//! What a custodian signs: composite messages (draft-ietf-lamps-pq-composite-sigs §2.2) for the
//! contexts that it was started for. Half a signature over anything else could be joined with the
//! other half of somebody else's protocol.

use common::printable;
use twinseal::SignatureSuite;

use crate::algorithm::Algorithm;

const SUITE: SignatureSuite = SignatureSuite::ML_DSA_87_ECDSA_P384;

/// Reads the context of a message M', and refuses it unless it is allowed. Contexts of the library itself (`twinseal/..`: hellos, requests, ..) are like others.
pub(crate) fn check(
    allowed: &[String],
    algorithm: Algorithm,
    ml_dsa_context: &[u8],
    message: &[u8],
) -> Result<(), String> {
    let expected = if algorithm == Algorithm::MlDsa87 { SUITE.label() } else { b"" };
    let context = SUITE.context_of(message).ok().filter(|_| ml_dsa_context == expected);
    let context = context.ok_or("it signs only what composite signatures are made of")?;
    if allowed.iter().any(|allowed| allowed.as_bytes() == context) {
        return Ok(());
    }
    Err(format!("this key does not sign for {}", shown(message)))
}

/// The context of a message, for a log.
pub(crate) fn shown(message: &[u8]) -> String {
    let context = SUITE.context_of(message).unwrap_or_default();
    format!("\"{}\"", printable(String::from_utf8_lossy(context)))
}
