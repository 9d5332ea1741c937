//! Changing an envelope's recipients: a new header, the same body.

use std::io::{self, Read, Write};

use super::{Header, Recipients, header};
use crate::{
    addressee::{Addressed, Addressee},
    error::Error,
    kem::{DecapsulationKey, EncapsulationKey},
    keyring::Keyring,
    retry,
};

impl DecapsulationKey {
    /// Copies an envelope from `reader` to `writer` with new recipients. The body is copied as it
    /// is, neither opened nor checked. Returns how many bytes were written.
    ///
    /// This moves data to new keys; it revokes nothing. Anyone who could open the old header may have
    /// kept the key that was in it. So delete old copies, and seal the data again if a key was
    /// stolen.
    ///
    /// # Errors
    ///
    /// Same as [`rewrap_header`](Self::rewrap_header), wrapped in [`io::Error`], before anything was
    /// written; and the errors of the reader and the writer.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, Recipients};
    /// # let (old, new) = (DecapsulationKey::generate()?, DecapsulationKey::generate()?);
    /// # let sealed = old.encapsulation_key().seal(b"example.com/models", b"weights")?;
    /// let mut moved = Vec::new();
    /// old.rewrap(&Recipients::new([new.encapsulation_key()])?, &sealed[..], &mut moved)?;
    /// assert_eq!(&new.open(b"example.com/models", &moved)?[..], b"weights");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rewrap(
        &self,
        to: &Recipients,
        reader: impl Read,
        writer: impl Write,
    ) -> io::Result<u64> {
        rewrap(self.addressee(), to, reader, writer)
    }

    /// Makes a header for new recipients in place of an old one; see [`rewrap`](Self::rewrap). The
    /// body does not change: put the new header before it, in a new file.
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if the old header is not addressed to this key; [`Error::Open`] if
    /// it was changed; [`Error::Randomness`] if the system has none.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, Recipients, envelope::Header};
    /// # let (old, new) = (DecapsulationKey::generate()?, DecapsulationKey::generate()?);
    /// # let sealed = old.encapsulation_key().seal(b"example.com/models", b"weights")?;
    /// let header = Header::parse(&sealed)?;
    /// let to = Recipients::new([new.encapsulation_key()])?;
    /// let mut moved = old.rewrap_header(&to, &header)?;
    /// moved.extend_from_slice(&sealed[header.len()..]);
    /// assert_eq!(&new.open(b"example.com/models", &moved)?[..], b"weights");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn rewrap_header(&self, to: &Recipients, header: &Header) -> Result<Vec<u8>, Error> {
        rewrap_header(self.addressee(), to, header)
    }
}

impl Keyring {
    /// Copies an envelope with new recipients; see [`DecapsulationKey::rewrap`]. After a rotation,
    /// rewrap to the primary key, then retire the old one.
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::rewrap`] and [`unlock`](Self::unlock).
    pub fn rewrap(
        &self,
        to: &Recipients,
        reader: impl Read,
        writer: impl Write,
    ) -> io::Result<u64> {
        rewrap(self.addressee(), to, reader, writer)
    }

    /// Makes a header for new recipients in place of an old one; see
    /// [`DecapsulationKey::rewrap_header`].
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::rewrap_header`] and [`unlock`](Self::unlock).
    pub fn rewrap_header(&self, to: &Recipients, header: &Header) -> Result<Vec<u8>, Error> {
        rewrap_header(self.addressee(), to, header)
    }
}

pub(crate) fn rewrap(
    keys: Addressee<'_>,
    to: &Recipients,
    mut reader: impl Read,
    mut writer: impl Write,
) -> io::Result<u64> {
    let header = Header::read(&mut reader)?;
    let moved = rewrap_header(keys, to, &header)?;
    writer.write_all(&moved)?;
    let body = io::copy(&mut reader, &mut writer)?;
    retry::flush(&mut writer)?;
    Ok(moved.len() as u64 + body)
}

pub(crate) fn rewrap_header(
    keys: Addressee<'_>,
    to: &Recipients,
    header: &Header,
) -> Result<Vec<u8>, Error> {
    let (provider, content_key) = header.content_key_by(keys)?;
    let mut output = Vec::with_capacity(header::len(to.keys.iter().map(EncapsulationKey::suite)));
    let recipients = to.keys.iter().map(|key| {
        let (ciphertext, secret) = key.encapsulate()?;
        Ok((key, ciphertext, secret))
    });
    header::write(provider, recipients, &content_key, &mut output)?;
    Ok(output)
}
