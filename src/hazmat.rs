//! Sharp tools, for known-answer tests only (feature `hazmat`).
//!
//! Here the caller chooses the values that the rest of the crate draws at random, and reaches the
//! layers below its checks. Randomness that is used twice, or is known, gives secrets away.
//!
//! Not every provider takes given randomness and signs without any. [`PORTABLE`](crate::provider::PORTABLE) does, so
//! these operations run there, whatever provider the key is on. The results are the same for all.

#[cfg(feature = "passphrase")]
mod encrypted_keys;
mod requests;

#[cfg(feature = "passphrase")]
pub use encrypted_keys::encrypted_private_key_info;
pub use requests::{
    RequestRandomness, answer, piece_sealer, prepare_request, request, request_sealer,
};

use std::{
    fmt,
    io::{self, Read},
};

use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::{
    check::{self, CheckedKem},
    envelope::{BodyKey, Recipients},
    error::Error,
    kdf,
    kem::{Ciphertext, EncapsulationKey, KemSuite, SharedSecret},
    numbered_key::NumberedKey,
    plaintext::Plaintext,
    provider::{Kem, Provider, Random, SignatureScheme},
    secret::SecretBuffer,
    session::key_schedule::Schedule,
    session::{PreparedSender, ReplyNonce, SessionReceiver, SessionSender, prepared, start},
    sign::{self, DerEcdsa, Sign, Signature, SigningKey, VerifyingKey},
    stream::{
        ChunkKey, SealWriter,
        chunks::{Opener, Sealer},
    },
};

/// Encapsulates from given randomness: that of the post-quantum half, then that of the other (64
/// bytes for suite 0x0001, 80 for 0x0051).
///
/// # Errors
///
/// [`Error::Randomness`] if there are fewer bytes, [`Error::Length`] if there are more.
pub fn encapsulate(
    key: &EncapsulationKey,
    randomness: &[u8],
) -> Result<(Ciphertext, SharedSecret), Error> {
    with_given(randomness, |random| key.encapsulate_with(random))
}

/// A generator of these bytes, from the first on, for
/// [`Random::Given`]. Once they are used up, it
/// returns [`Error::Randomness`].
///
/// ```
/// use twinseal::{KemSuite, hazmat, provider::{Kem, PORTABLE, Random}};
///
/// let kem = KemSuite::X25519_ML_KEM_1024.kem(&PORTABLE);
/// let pair = kem.key_pair(&[1; 32])?;
/// let (mut ciphertext, mut secret) = ([0; 1600], [0; 64]);
/// let mut generator = hazmat::generator(&[2; 64]);
/// let random = &mut Random::Given(&mut generator);
/// pair.encapsulator.encapsulate(random, &mut ciphertext, &mut secret)?;
/// # Ok::<(), twinseal::Error>(())
/// ```
pub fn generator(mut bytes: &[u8]) -> impl FnMut(&mut [u8]) -> Result<(), Error> {
    move |buffer| bytes.read_exact(buffer).map_err(|_| Error::Randomness)
}

/// Runs an operation that draws all of the given bytes, or fails.
fn with_given<T>(
    bytes: &[u8],
    operation: impl FnOnce(&mut Random<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut rest = bytes;
    let mut draw = |buffer: &mut [u8]| rest.read_exact(buffer).map_err(|_| Error::Randomness);
    let result = operation(&mut Random::Given(&mut draw))?;
    let (expected, actual) = (bytes.len() - rest.len(), bytes.len());
    if expected == actual {
        Ok(result)
    } else {
        Err(Error::Length { what: "randomness", expected, actual })
    }
}

/// Signs without randomness (FIPS 204's deterministic variant, RFC 6979), for any context of at
/// most 255 bytes, the empty one included.
///
/// # Errors
///
/// [`Error::Context`].
pub fn sign(key: &SigningKey, context: &[u8], message: &[u8]) -> Result<Signature, Error> {
    sign_prehashed(key, context, &Sha512::digest(message).into())
}

/// [`sign()`] over the SHA-512 of the message.
///
/// # Errors
///
/// Same as [`sign()`].
pub fn sign_prehashed(
    key: &SigningKey,
    context: &[u8],
    sha512: &[u8; 64],
) -> Result<Signature, Error> {
    key.sign_prehashed_deterministic(context, sha512)
}

/// ML-DSA's message representative of [`ToBeSigned::external_mu`](crate::sign::ToBeSigned::external_mu), for any
/// key, context and message: `SHAKE256(SHAKE256(key, 64) || 0x00 || len(context) || context || message, 64)`
/// (FIPS 204 §6.2).
///
/// # Errors
///
/// [`Error::Context`] if the context is longer than 255 bytes.
pub fn external_mu(key: &[u8], context: &[u8], message: &[u8]) -> Result<[u8; 64], Error> {
    sign::external_mu(key, context, message)
}

/// All the randomness of an envelope.
#[derive(Clone, Copy)]
pub struct SealRandomness<'a> {
    /// The key that the recipients share.
    pub content_key: [u8; 32],
    /// The salt of the body.
    pub salt: [u8; 24],
    /// The randomness of [`encapsulate`], for each recipient in the order of suites and key ids.
    pub encapsulations: &'a [&'a [u8]],
}

impl fmt::Debug for SealRandomness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealRandomness(..)")
    }
}

/// Seals from given randomness.
///
/// # Errors
///
/// Same as [`EncapsulationKey::seal`]; [`Error::Randomness`] if there are fewer bytes for
/// encapsulations than the recipients need, [`Error::Length`] if there are more.
pub fn seal(
    recipients: &Recipients,
    context: &[u8],
    plaintext: &[u8],
    randomness: &SealRandomness<'_>,
) -> Result<Vec<u8>, Error> {
    let (mut sealed, prefix, mut sealer) = sealer(recipients, context, randomness)?;
    sealed.extend_from_slice(&prefix);
    sealer.update(plaintext, &mut sealed)?;
    sealer.finish(&mut sealed)?;
    Ok(sealed)
}

/// A writer that seals from given randomness.
///
/// # Errors
///
/// Same as [`seal`], wrapped in [`io::Error`].
pub fn seal_writer<W: io::Write>(
    recipients: &Recipients,
    context: &[u8],
    randomness: &SealRandomness<'_>,
    inner: W,
) -> io::Result<SealWriter<W>> {
    let (header, prefix, sealer) = sealer(recipients, context, randomness)?;
    SealWriter::new(header, &prefix, sealer, inner)
}

/// [`EncapsulationKey::sealer`] from given randomness: the bytes to be sent first, and the sealer
/// of the rest.
///
/// # Errors
///
/// Same as [`seal`].
pub fn sealer(
    recipients: &Recipients,
    context: &[u8],
    randomness: &SealRandomness<'_>,
) -> Result<(Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer), Error> {
    let SealRandomness { content_key, salt, encapsulations } = randomness;
    let parts = || [&content_key[..], salt].into_iter().chain(encapsulations.iter().copied());
    let mut bytes = Zeroizing::new(Vec::with_capacity(parts().map(<[u8]>::len).sum()));
    parts().for_each(|part| bytes.extend_from_slice(part));
    with_given(&bytes, |random| recipients.sealer_with(context, random))
}

/// A session from given randomness of the key exchange. Its signature is as random as the signer
/// makes it.
///
/// # Errors
///
/// Same as [`EncapsulationKey::sender`] and [`encapsulate`].
pub fn sender(
    to: &EncapsulationKey,
    signer: Option<&dyn Sign>,
    context: &[u8],
    randomness: &[u8],
) -> Result<(Vec<u8>, SessionSender), Error> {
    with_given(randomness, |random| start::sender(to, signer, context, random))
}

/// [`EncapsulationKey::prepare_sender`] from given randomness of the key exchange.
///
/// # Errors
///
/// Same as [`EncapsulationKey::prepare_sender`] and [`encapsulate`].
pub fn prepare_sender(
    to: &EncapsulationKey,
    signer: &VerifyingKey,
    context: &[u8],
    randomness: &[u8],
) -> Result<PreparedSender, Error> {
    with_given(randomness, |random| prepared::prepare(to, signer, context, random))
}

/// A reply from given randomness.
///
/// # Errors
///
/// Same as [`SessionReceiver::reply`].
pub fn reply(receiver: &SessionReceiver, nonce: ReplyNonce) -> Result<SessionSender, Error> {
    receiver.reply_from(nonce)
}

/// Only the key schedule of sessions: RFC 9180 in base mode, HKDF-SHA384 and AES-256-GCM.
pub struct KeySchedule {
    schedule: Schedule,
    key: NumberedKey,
}

impl KeySchedule {
    /// From a shared secret of this KEM (0x0051 is HPKE's own).
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the provider has no AES-256-GCM.
    pub fn new(
        provider: &Provider,
        kem: KemSuite,
        shared_secret: &[u8],
        info: &[u8],
    ) -> Result<Self, Error> {
        let schedule = Schedule::new(kem.id(), shared_secret, &[info]);
        let key = NumberedKey::new(provider, &schedule.key_and_nonce)?;
        Ok(Self { schedule, key })
    }

    /// `key (32) || base nonce (12)`.
    #[must_use]
    pub fn key_and_nonce(&self) -> &[u8] {
        &*self.schedule.key_and_nonce
    }

    /// The exporter secret, 48 bytes.
    #[must_use]
    pub fn exporter_secret(&self) -> &[u8] {
        self.schedule.exporter.as_bytes()
    }

    /// RFC 9180 §5.3.
    ///
    /// # Panics
    ///
    /// If the output is longer than 12240 bytes, 255 times SHA-384's.
    pub fn export(&self, context: &[u8], output: &mut [u8]) {
        self.schedule.exporter.export(&[context], output);
    }

    /// Message number `index` of RFC 9180 §5.2: `ciphertext || tag`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the message is too long for AES-GCM.
    pub fn seal(&self, index: u64, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let mut sealed = plaintext.to_vec();
        let tag = self.key.seal_in_place(index, aad, &mut sealed)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }
}

impl fmt::Debug for KeySchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySchedule(..)")
    }
}

/// Seals Cobblestone-256 without an envelope, with any context.
///
/// # Errors
///
/// [`Error::Misuse`] beyond 4 PiB.
pub fn cobblestone_seal(
    provider: &Provider,
    key: &[u8; 32],
    salt: &[u8; 24],
    context: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Error> {
    let (key, prefix) = ChunkKey::seal(provider, key, salt, context)?;
    let mut sealed = prefix.to_vec();
    let mut sealer = Sealer::new(key);
    sealer.update(plaintext, &mut sealed)?;
    sealer.finish(&mut sealed)?;
    Ok(sealed)
}

/// Opens Cobblestone-256 without an envelope, with any context.
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
    let mut opener = Opener::new(ChunkKey::open(provider, key, prefix, context)?);
    let mut plaintext = SecretBuffer::with_capacity(chunks.len());
    opener.update(chunks, plaintext.as_mut_vec())?;
    opener.finish(plaintext.as_mut_vec())?;
    Ok(Plaintext::new(plaintext))
}

/// HKDF-SHA384 with an empty salt, as every derivation of the crate uses it.
///
/// # Panics
///
/// If the output is longer than 12240 bytes, 255 times SHA-384's (RFC 5869 §2.3).
pub fn hkdf_sha384(ikm: &[u8], info: &[u8], output: &mut [u8]) {
    kdf::hkdf_sha384(ikm, &[info], output);
}

/// A provider's X25519 behind the crate's checks.
#[must_use]
pub fn x25519(provider: &Provider) -> impl Kem + use<> {
    CheckedKem::new(provider.x25519, &check::X25519)
}

/// A provider's ECDH over P-384 behind the crate's checks.
#[must_use]
pub fn p384(provider: &Provider) -> impl Kem + use<> {
    CheckedKem::new(provider.p384, &check::P384)
}

/// A provider's ML-KEM-1024 behind the crate's checks.
#[must_use]
pub fn ml_kem_1024(provider: &Provider) -> impl Kem + use<> {
    CheckedKem::new(provider.ml_kem_1024, &check::ML_KEM_1024)
}

/// Falcon-1024 of round 3, as the experimental suite uses it. It is the same on all providers.
#[must_use]
#[cfg(feature = "experimental-falcon")]
pub fn falcon_1024() -> impl SignatureScheme {
    crate::provider::Falcon1024
}

/// A provider's ECDSA over P-384 with signatures in DER, behind the crate's checks.
#[must_use]
pub fn ecdsa_p384(provider: &Provider) -> impl SignatureScheme + use<> {
    DerEcdsa(provider.ecdsa_p384)
}
