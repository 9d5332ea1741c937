//! What every way of sealing does, for any recipients.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::{content_key::ContentKey, header};
use crate::{
    context,
    error::Error,
    kem::EncapsulationKey,
    provider, random,
    stream::{self, ChunkKey, SealWriter, Sealer},
};

/// All the randomness of an envelope, for known answers.
pub(crate) struct Randomness<'a> {
    pub(crate) content_key: [u8; 32],
    pub(crate) salt: [u8; stream::SALT],
    /// One for each recipient, in the order of the header.
    pub(crate) encapsulations: &'a [&'a [u8]],
}

pub(super) fn seal(
    keys: &[EncapsulationKey],
    context: &[u8],
    plaintext: &[u8],
    randomness: Option<&Randomness<'_>>,
) -> Result<Vec<u8>, Error> {
    // A vector has at most `isize::MAX` bytes, and would panic where a 32-bit `usize` counts on.
    let length = sealed_len(keys, plaintext.len() as u64)
        .and_then(|length| isize::try_from(length).ok())
        .ok_or(Error::Misuse { what: "plaintext", reason: "it is too long" })?
        .unsigned_abs();
    let (mut output, sealer) = sealer(keys, context, length, randomness)?;
    sealer.seal_all(plaintext, &mut output)?;
    debug_assert_eq!(output.len(), length);
    Ok(output)
}

pub(super) fn seal_writer<W: Write>(
    keys: &[EncapsulationKey],
    context: &[u8],
    inner: W,
) -> io::Result<SealWriter<W>> {
    let (head, sealer) = sealer(keys, context, 0, None)?;
    SealWriter::new(head, sealer, inner)
}

/// Where every way of sealing starts: the header and the prefix, in a buffer of at least
/// `capacity`, and what seals the chunks. `randomness` is given for known answers, else it is
/// fresh.
pub(super) fn sealer(
    keys: &[EncapsulationKey],
    context: &[u8],
    capacity: usize,
    randomness: Option<&Randomness<'_>>,
) -> Result<(Vec<u8>, Sealer), Error> {
    context::check(context)?;
    let provider = keys.first().map_or_else(provider::default, EncapsulationKey::provider);
    let (content_key, salt) = match randomness {
        Some(given) => (Zeroizing::new(given.content_key), given.salt),
        None => (random::array()?, *random::array()?),
    };
    let recipients = keys.iter().enumerate().map(|(index, key)| {
        let given = match randomness {
            Some(given) => Some(*given.encapsulations.get(index).ok_or(Error::Randomness)?),
            None => None,
        };
        let (ciphertext, secret) = key.encapsulate_from(given)?;
        Ok((key, ciphertext, secret))
    });
    let content_key = ContentKey::new(content_key);
    let mut output = Vec::with_capacity(capacity);
    header::write(provider, recipients, &content_key, &mut output)?;
    let (key, prefix) = ChunkKey::seal(provider, &content_key.body_key, &salt, context)?;
    output.extend_from_slice(&prefix);
    Ok((output, Sealer::new(key)))
}

pub(super) fn sealed_len(keys: &[EncapsulationKey], plaintext: u64) -> Option<u64> {
    let header = header::length(keys.iter().map(EncapsulationKey::suite));
    stream::sealed_len(plaintext)?.checked_add(header as u64)
}
