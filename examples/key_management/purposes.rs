//! What a custodian signs: composite messages (draft-ietf-lamps-pq-composite-sigs §2.2) for the
//! contexts that it was started for. Half a signature over anything else could be joined with the
//! other half of somebody else's protocol.

use crate::algorithm::Algorithm;
use common::printable;

const PREFIX: &[u8] = b"CompositeAlgorithmSignatures2025";
const LABEL: &[u8] = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512";

/// Reads the context of a message M', which is
/// `Prefix || Label || len(context) || context || SHA-512(message)`, and refuses it unless it is
/// allowed. Contexts of the library itself (`twinseal/..`: hellos, requests, ..) are like others.
pub(crate) fn check(
    allowed: &[String],
    algorithm: Algorithm,
    ml_dsa_context: &[u8],
    message: &[u8],
) -> Result<(), String> {
    let expected = if algorithm == Algorithm::MlDsa87 { LABEL } else { b"" };
    let context = context(message).filter(|_| ml_dsa_context == expected);
    let context = context.ok_or("it signs only what composite signatures are made of")?;
    if allowed.iter().any(|allowed| allowed.as_bytes() == context) {
        return Ok(());
    }
    Err(format!("this key does not sign for {}", shown(message)))
}

/// The context of a message, for a log.
pub(crate) fn shown(message: &[u8]) -> String {
    let context = context(message).unwrap_or_default();
    format!("\"{}\"", printable(String::from_utf8_lossy(context)))
}

fn context(message: &[u8]) -> Option<&[u8]> {
    let rest = message.strip_prefix(PREFIX)?.strip_prefix(LABEL)?;
    let (length, rest) = rest.split_first()?;
    let (context, sha512) = rest.split_at_checked(usize::from(*length))?;
    Some(context).filter(|_| sha512.len() == 64)
}
