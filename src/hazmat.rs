//! Sharp tools, for known-answer tests only (feature `hazmat`).
//!
//! What the rest of the crate draws at random is chosen by the caller here, and what it checks
//! beforehand is bare. A value of randomness that serves twice, or is known, gives secrets away.

use std::fmt;

use crate::{
    Ciphertext, EncapsulationKey, Error, Plaintext, Recipients, SharedSecret, Signature,
    SigningKey,
    check::{self, CheckedKem},
    envelope, kdf,
    provider::{Kem, Provider, SignatureScheme},
    sign::DerEcdsa,
    stream::Chunks,
};

/// Encapsulation from given randomness: that of the post-quantum half, then that of the other (64
/// bytes for suite 0x0001, 80 for 0x0051).
///
/// # Errors
///
/// [`Error::Length`]; [`Error::Unsupported`] unless the key is on
/// [`PORTABLE`](crate::provider::PORTABLE).
pub fn encapsulate(
    key: &EncapsulationKey,
    randomness: &[u8],
) -> Result<(Ciphertext, SharedSecret), Error> {
    key.encapsulate_from(Some(randomness))
}

/// Signing without randomness (FIPS 204's deterministic variant, RFC 6979), for any context of at
/// most 255 bytes, the empty one included.
///
/// # Errors
///
/// [`Error::Context`]; [`Error::Unsupported`] unless the key is on
/// [`PORTABLE`](crate::provider::PORTABLE).
pub fn sign(key: &SigningKey, context: &[u8], message: &[u8]) -> Result<Signature, Error> {
    key.sign_deterministic(context, message)
}

/// All the randomness of an envelope.
#[derive(Clone, Copy)]
pub struct SealRandomness<'a> {
    /// The key that the recipients share.
    pub content_key: [u8; 32],
    /// The salt of the body.
    pub salt: [u8; 24],
    /// What [`encapsulate`] takes, for each recipient in the order of suites and key ids.
    pub encapsulations: &'a [&'a [u8]],
}

impl fmt::Debug for SealRandomness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealRandomness(..)")
    }
}

/// Sealing from given randomness.
///
/// # Errors
///
/// Those of [`EncapsulationKey::seal`]; [`Error::Randomness`] if there are fewer encapsulations
/// than recipients; [`Error::Unsupported`] unless the keys are on
/// [`PORTABLE`](crate::provider::PORTABLE).
pub fn seal(
    recipients: &Recipients,
    context: &[u8],
    plaintext: &[u8],
    randomness: &SealRandomness<'_>,
) -> Result<Vec<u8>, Error> {
    let SealRandomness {
        content_key,
        salt,
        encapsulations,
    } = *randomness;
    let randomness = envelope::Randomness {
        content_key,
        salt,
        encapsulations,
    };
    recipients.seal_deterministic(context, plaintext, &randomness)
}

/// Cobblestone-256 alone, with any context.
///
/// # Errors
///
/// [`Error::Invalid`] beyond 4 PiB.
pub fn cobblestone_seal(
    provider: &Provider,
    key: &[u8; 32],
    salt: &[u8; 24],
    context: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Error> {
    let (chunks, prefix) = Chunks::seal(provider, key, salt, context)?;
    let mut sealed = prefix.to_vec();
    chunks.seal_all(plaintext, &mut sealed)?;
    Ok(sealed)
}

/// Cobblestone-256 alone, with any context.
///
/// # Errors
///
/// [`Error::Open`].
pub fn cobblestone_open(
    provider: &Provider,
    key: &[u8; 32],
    context: &[u8],
    sealed: &[u8],
) -> Result<Plaintext, Error> {
    let (prefix, chunks) = sealed.split_first_chunk().ok_or(Error::Open)?;
    Chunks::open(provider, key, prefix, context)?
        .open_all(chunks)
        .map(Plaintext::new)
}

/// HKDF-SHA384 with an empty salt, as every derivation of the crate uses it.
pub fn hkdf_sha384(ikm: &[u8], info: &[u8], output: &mut [u8]) {
    kdf::hkdf_sha384(ikm, &[info], output);
}

/// A provider's X25519 behind the crate's checks.
pub fn x25519(provider: &Provider) -> impl Kem + use<> {
    CheckedKem::new(provider.x25519, &check::X25519)
}

/// A provider's ECDH over P-384 behind the crate's checks.
pub fn p384(provider: &Provider) -> impl Kem + use<> {
    CheckedKem::new(provider.p384, &check::P384)
}

/// A provider's ML-KEM-1024 behind the crate's checks.
pub fn ml_kem_1024(provider: &Provider) -> impl Kem + use<> {
    CheckedKem::new(provider.ml_kem_1024, &check::ML_KEM_1024)
}

/// A provider's ECDSA over P-384 with signatures in DER, behind the crate's checks.
pub fn ecdsa_p384(provider: &Provider) -> impl SignatureScheme + use<> {
    DerEcdsa(provider.ecdsa_p384)
}
