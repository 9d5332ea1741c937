//! Sealing for one recipient or several: data at rest, in one envelope that each of them can open.

use std::io::{self, Write};

use super::{BodyKey, Recipients, content_key::ContentKey, header};
use crate::{
    context,
    error::Error,
    kem::EncapsulationKey,
    provider::{self, Random},
    stream::{self, ChunkKey, SealWriter, chunks::Sealer},
};

impl EncapsulationKey {
    /// Seals a message so that only the key's owner can open it, with the same context.
    ///
    /// The context says what the data is for ("example.com/checkpoints/v1"): data sealed for one
    /// purpose does not open for another. An envelope does not prove who made it; sign the plaintext
    /// before sealing if that matters.
    ///
    /// # Errors
    ///
    /// [`Error::Context`] if the context is empty, longer than 255 bytes or reserved;
    /// [`Error::Randomness`] if the system has none; [`Error::Misuse`] from 4 PiB on.
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
    /// assert_eq!(&bob.open(b"example.com/notes", &sealed)?[..], b"hello");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        seal(self.as_slice(), context, plaintext)
    }

    /// Seals everything that is written to it, in constant memory, and writes the envelope to `inner`.
    /// The format is that of [`seal`](Self::seal).
    ///
    /// If the inner writer asks to be tried again
    /// ([`WouldBlock`](io::ErrorKind::WouldBlock), [`TimedOut`](io::ErrorKind::TimedOut)), the
    /// header waits for the next call. [`SealWriter`] describes the other errors.
    ///
    /// If a file is changed while it is read, the envelope holds the bytes as they were read. Compare the
    /// length and modification time of the open file before and after, and discard the envelope if they
    /// differ.
    ///
    /// # Errors
    ///
    /// Same as [`seal`](Self::seal), wrapped in [`io::Error`]; and the errors of the inner writer, to
    /// which the header is written here.
    pub fn seal_writer<W: Write>(&self, context: &[u8], inner: W) -> io::Result<SealWriter<W>> {
        seal_writer(self.as_slice(), context, inner)
    }

    /// Seals without I/O, for asynchronous code: returns the header, the first 56 bytes of the body,
    /// and the [`Sealer`] that makes the rest. Send them in this order, or store the header and the
    /// body separately.
    ///
    /// # Errors
    ///
    /// Same as [`seal`](Self::seal).
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// let (header, prefix, mut sealer) = bob.encapsulation_key().sealer(b"example.com/notes")?;
    /// let mut body = prefix.to_vec();
    /// sealer.update(b"hello", &mut body)?;
    /// sealer.finish(&mut body)?;
    /// assert_eq!(&bob.open(b"example.com/notes", &[header, body].concat())?[..], b"hello");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn sealer(
        &self,
        context: &[u8],
    ) -> Result<(Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer), Error> {
        sealer(self.as_slice(), context, 0, &mut Random::System)
    }

    /// Length of the envelope that [`seal`](Self::seal) makes of `plaintext` bytes, for a `Content-Length`.
    /// `None` from 4 PiB on, the format's bound.
    ///
    /// ```
    /// # let key = twinseal::DecapsulationKey::generate()?;
    /// let to_bob = key.encapsulation_key();
    /// let sealed = to_bob.seal(b"example.com/notes", b"hello")?;
    /// assert_eq!(to_bob.sealed_len(5), Some(sealed.len() as u64));
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    #[must_use]
    pub fn sealed_len(&self, plaintext: u64) -> Option<u64> {
        sealed_len(self.as_slice(), plaintext)
    }

    fn as_slice(&self) -> &[Self] {
        std::slice::from_ref(self)
    }
}

impl Recipients {
    /// Seals a message for all of them; see [`EncapsulationKey::seal`].
    ///
    /// # Errors
    ///
    /// Same as [`EncapsulationKey::seal`].
    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        seal(&self.keys, context, plaintext)
    }

    /// Seals everything that is written to it; see [`EncapsulationKey::seal_writer`].
    ///
    /// # Errors
    ///
    /// Same as [`EncapsulationKey::seal_writer`].
    pub fn seal_writer<W: Write>(&self, context: &[u8], inner: W) -> io::Result<SealWriter<W>> {
        seal_writer(&self.keys, context, inner)
    }

    /// Seals without I/O; see [`EncapsulationKey::sealer`].
    ///
    /// # Errors
    ///
    /// Same as [`EncapsulationKey::seal`].
    pub fn sealer(
        &self,
        context: &[u8],
    ) -> Result<(Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer), Error> {
        sealer(&self.keys, context, 0, &mut Random::System)
    }

    /// Length of the envelope that [`seal`](Self::seal) makes of `plaintext` bytes; see
    /// [`EncapsulationKey::sealed_len`].
    #[must_use]
    pub fn sealed_len(&self, plaintext: u64) -> Option<u64> {
        sealed_len(&self.keys, plaintext)
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn sealer_with(
        &self,
        context: &[u8],
        random: &mut Random<'_>,
    ) -> Result<(Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer), Error> {
        sealer(&self.keys, context, 0, random)
    }
}

pub(super) fn seal(
    keys: &[EncapsulationKey],
    context: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Error> {
    // A vector has at most `isize::MAX` bytes, and would panic where a 32-bit `usize` counts on.
    let length = sealed_len(keys, plaintext.len() as u64)
        .and_then(|length| isize::try_from(length).ok())
        .ok_or(Error::Misuse { what: "plaintext", reason: "it is too long" })?
        .unsigned_abs();
    let (mut output, prefix, sealer) = sealer(keys, context, length, &mut Random::System)?;
    output.extend_from_slice(&prefix);
    sealer.seal_all(plaintext, &mut output)?;
    debug_assert_eq!(output.len(), length);
    Ok(output)
}

/// [`Recipients::seal`] in one of the crate's own contexts, which no caller can name.
#[cfg(feature = "object_store")]
pub(crate) fn seal_reserved(
    recipients: &Recipients,
    context: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Error> {
    let (mut output, prefix, sealer) =
        sealer_in_any(&recipients.keys, context, 0, &mut Random::System)?;
    output.extend_from_slice(&prefix);
    sealer.seal_all(plaintext, &mut output)?;
    Ok(output)
}

pub(super) fn seal_writer<W: Write>(
    keys: &[EncapsulationKey],
    context: &[u8],
    inner: W,
) -> io::Result<SealWriter<W>> {
    let (header, prefix, sealer) = sealer(keys, context, 0, &mut Random::System)?;
    SealWriter::new(header, &prefix, sealer, inner)
}

/// Common to all ways of sealing: makes the header, in a vector of at least `capacity` with room for
/// the prefix, the prefix, and the sealer of the chunks. The content key is drawn first, then the
/// salt, then the encapsulations in the order of the header.
pub(super) fn sealer(
    keys: &[EncapsulationKey],
    context: &[u8],
    capacity: usize,
    random: &mut Random<'_>,
) -> Result<(Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer), Error> {
    context::check(context)?;
    sealer_in_any(keys, context, capacity, random)
}

/// The crate's own contexts are allowed too.
fn sealer_in_any(
    keys: &[EncapsulationKey],
    context: &[u8],
    capacity: usize,
    random: &mut Random<'_>,
) -> Result<(Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer), Error> {
    let provider = keys.first().map_or_else(provider::default, EncapsulationKey::provider);
    let content_key = ContentKey::new(random.array()?);
    let salt = *random.array()?;
    let recipients = keys.iter().map(|key| {
        let (ciphertext, secret) = key.encapsulate_with(random)?;
        Ok((key, ciphertext, secret))
    });
    let header_len = header::len(keys.iter().map(EncapsulationKey::suite));
    let mut header = Vec::with_capacity(capacity.max(header_len + stream::PREFIX));
    header::write(provider, recipients, &content_key, &mut header)?;
    let (key, prefix) = ChunkKey::seal(provider, &content_key.body_key, &salt, context)?;
    Ok((header, prefix, Sealer::new(key)))
}

pub(super) fn sealed_len(keys: &[EncapsulationKey], plaintext: u64) -> Option<u64> {
    let header = header::len(keys.iter().map(EncapsulationKey::suite));
    stream::sealed_len(plaintext)?.checked_add(header as u64)
}
