//! Requests and answers from given randomness.

use std::fmt;

use zeroize::Zeroizing;

use super::with_given;
use crate::{
    error::Error,
    kem::EncapsulationKey,
    provider::Random,
    request::{
        Asked, Pending, PieceSealer, PreparedRequest, RequestSealer, RequestTime, make, prepared,
    },
    sign::{Sign, VerifyingKey},
};

/// All that is drawn for a request, and its time.
#[derive(Clone, Copy)]
pub struct RequestRandomness<'a> {
    /// When the request was made.
    pub time: RequestTime,
    /// The randomness of [`encapsulate`](super::encapsulate).
    pub encapsulation: &'a [u8],
    /// The salt of the body.
    pub salt: [u8; 24],
}

impl RequestRandomness<'_> {
    fn give<T>(
        &self,
        operation: impl FnOnce(RequestTime, &mut Random<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Self { time, encapsulation, salt } = self;
        let mut bytes = Zeroizing::new(Vec::with_capacity(encapsulation.len() + salt.len()));
        bytes.extend_from_slice(encapsulation);
        bytes.extend_from_slice(salt);
        with_given(&bytes, |random| operation(*time, random))
    }
}

impl fmt::Debug for RequestRandomness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestRandomness(..)")
    }
}

/// Makes a request from given randomness. Its signature is as random as the signer makes it.
///
/// # Errors
///
/// Same as [`request_sealer`].
pub fn request(
    to: &EncapsulationKey,
    signer: Option<&dyn Sign>,
    context: &[u8],
    plaintext: &[u8],
    randomness: &RequestRandomness<'_>,
) -> Result<(Vec<u8>, Pending), Error> {
    request_sealer(to, signer, context, randomness)?.seal(plaintext)
}

/// [`EncapsulationKey::request_sealer`] from given randomness.
///
/// # Errors
///
/// Same as [`EncapsulationKey::request_sealer`] and [`encapsulate`](super::encapsulate), and the
/// errors of the signer.
pub fn request_sealer(
    to: &EncapsulationKey,
    signer: Option<&dyn Sign>,
    context: &[u8],
    randomness: &RequestRandomness<'_>,
) -> Result<RequestSealer, Error> {
    randomness.give(|time, random| make::sealer(to, signer, context, time, random))
}

/// [`EncapsulationKey::prepare_request`] from given randomness.
///
/// # Errors
///
/// Same as [`EncapsulationKey::prepare_request`] and [`encapsulate`](super::encapsulate).
pub fn prepare_request(
    to: &EncapsulationKey,
    signer: &VerifyingKey,
    context: &[u8],
    randomness: &RequestRandomness<'_>,
) -> Result<PreparedRequest, Error> {
    randomness.give(|time, random| prepared::prepare(to, signer, context, time, random))
}

/// A whole answer whose body has this salt.
///
/// # Errors
///
/// Same as [`Asked::answer`].
pub fn answer(asked: Asked, salt: &[u8; 24], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    let (start, prefix, mut sealer) = with_given(salt, |random| asked.answer_sealer_with(random))?;
    let mut answer = [&start[..], &prefix].concat();
    sealer.update(plaintext, &mut answer)?;
    sealer.finish(&mut answer)?;
    Ok(answer)
}

/// [`Asked::piece_sealer`] from a given `r`.
///
/// # Errors
///
/// Same as [`Asked::piece_sealer`].
pub fn piece_sealer(asked: Asked, r: &[u8; 32]) -> Result<(Vec<u8>, PieceSealer), Error> {
    with_given(r, |random| asked.piece_sealer_with(random))
}
