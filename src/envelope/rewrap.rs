//! Changing an envelope's recipients: a new header, the same body.

use std::io::{self, Read, Write};

use super::{Header, Recipients, content_key::ContentKey, header};
use crate::{
    error::Error,
    kem::{Decapsulate, DecapsulationKey, EncapsulationKey},
    keyring::Keyring,
    provider::Provider,
    stream,
};

impl Header {
    /// A header for new recipients in place of this one, made with the key of an old one. The body
    /// stays what it is: put the new header before it, in a new file.
    ///
    /// This moves data to new keys; it revokes nothing. Who could open the old header keeps what
    /// it gave, so delete old copies, and seal anew if a key was stolen.
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if the key is none of the old recipients; [`Error::Open`] if the
    /// old header was changed; [`Error::Randomness`] if the system has none.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, Recipients, envelope::Header};
    /// # let (old, new) = (DecapsulationKey::generate()?, DecapsulationKey::generate()?);
    /// # let sealed = old.encapsulation_key().seal(b"example.com/models", b"weights")?;
    /// let header = Header::parse(&sealed)?;
    /// let mut moved = header.rewrap(&old, &Recipients::new([new.encapsulation_key()])?)?;
    /// moved.extend_from_slice(&sealed[header.len()..]);
    /// assert_eq!(&new.open(b"example.com/models", &moved)?[..], b"weights");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn rewrap(&self, key: &dyn Decapsulate, to: &Recipients) -> Result<Vec<u8>, Error> {
        self.unwrap_with(key)?.write_header(to)
    }

    fn unwrap_with(&self, key: &dyn Decapsulate) -> Result<Unwrapped, Error> {
        let provider = key.encapsulation_key().provider();
        Ok(Unwrapped { content_key: self.content_key_with(key)?, provider })
    }
}

/// What an old header gave, and which provider writes the new one.
struct Unwrapped {
    content_key: ContentKey,
    provider: &'static Provider,
}

impl Unwrapped {
    fn write_header(&self, to: &Recipients) -> Result<Vec<u8>, Error> {
        let mut output =
            Vec::with_capacity(header::length(to.keys.iter().map(EncapsulationKey::suite)));
        let recipients = to.keys.iter().map(|key| {
            let (ciphertext, secret) = key.encapsulate()?;
            Ok((key, ciphertext, secret))
        });
        header::write(self.provider, recipients, &self.content_key, &mut output)?;
        Ok(output)
    }
}

impl DecapsulationKey {
    /// Copies an envelope from `reader` to `writer` with new recipients; see [`Header::rewrap`].
    /// The body is copied as it is, neither opened nor checked. Returns how many bytes were written.
    ///
    /// # Errors
    ///
    /// Those of [`Header::rewrap`] inside an [`io::Error`], before anything was written; and those
    /// of the reader and the writer.
    pub fn rewrap(
        &self,
        to: &Recipients,
        reader: impl Read,
        writer: impl Write,
    ) -> io::Result<u64> {
        self.as_dyn().rewrap(to, reader, writer)
    }
}

impl dyn Decapsulate + '_ {
    /// Copies an envelope with new recipients; see [`DecapsulationKey::rewrap`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::rewrap`], and whatever the key reports.
    pub fn rewrap(
        &self,
        to: &Recipients,
        reader: impl Read,
        writer: impl Write,
    ) -> io::Result<u64> {
        rewrap(to, reader, writer, |header| header.unwrap_with(self))
    }
}

impl Keyring {
    /// Copies an envelope with new recipients; see [`DecapsulationKey::rewrap`]. After a rotation:
    /// rewrap to the primary key, then retire the old one.
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::rewrap`] and [`open`](Self::open).
    pub fn rewrap(
        &self,
        to: &Recipients,
        reader: impl Read,
        writer: impl Write,
    ) -> io::Result<u64> {
        rewrap(to, reader, writer, |header| {
            self.use_first(|key| header.find(key).is_some(), |key| header.unwrap_with(key))
        })
    }
}

fn rewrap(
    to: &Recipients,
    mut reader: impl Read,
    mut writer: impl Write,
    unwrap: impl FnOnce(&Header) -> Result<Unwrapped, Error>,
) -> io::Result<u64> {
    let header = Header::read(&mut reader)?;
    let moved = unwrap(&header)?.write_header(to)?;
    writer.write_all(&moved)?;
    let body = io::copy(&mut reader, &mut writer)?;
    stream::flush(&mut writer)?;
    Ok(moved.len() as u64 + body)
}
