//! Opening an envelope with a key or a ring: in memory, as a stream, or at any position.

use std::io::{self, Read};

use super::{BodyKey, Header};
#[cfg(doc)]
use crate::kem::EncapsulationKey;
use crate::{
    addressee::{Addressed, Addressee},
    context,
    error::Error,
    kem::DecapsulationKey,
    keyring::Keyring,
    plaintext::Plaintext,
    retry,
    stream::{self, OpenReader, RandomAccess, ReadAt},
};

impl DecapsulationKey {
    /// Opens an envelope: all of it, or an error and nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if it is not addressed to this key; [`Error::Truncated`],
    /// [`Error::Unknown`], [`Error::Length`] or [`Error::Invalid`] for an invalid header;
    /// [`Error::Context`] for an invalid context; [`Error::Open`] if the context differs from that of
    /// sealing, or anything was changed or cut off.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        open(self.addressee(), context, sealed)
    }

    /// Opens an envelope while it is read, in constant memory.
    ///
    /// # Where an envelope ends
    ///
    /// An envelope does not say where it ends: it ends where the inner reader does. On a connection
    /// that stays open, reading waits for more. Send the length first
    /// ([`sealed_len`](EncapsulationKey::sealed_len)), and read no further:
    ///
    /// ```
    /// use std::io::{Read, Write};
    ///
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let to_bob = bob.encapsulation_key();
    /// let request = b"hello";
    /// let length = to_bob.sealed_len(request.len() as u64).ok_or("it is too long")?;
    /// # let mut connection = Vec::new();
    /// connection.write_all(&length.to_be_bytes())?;
    /// let mut writer = to_bob.seal_writer(b"example.com/requests", connection)?;
    /// writer.write_all(request)?;
    /// let connection = writer.finish()?; // which stays open
    /// # let mut connection = std::io::Cursor::new(connection).chain(std::io::repeat(0));
    ///
    /// // On the other side:
    /// let mut length = [0; 8];
    /// connection.read_exact(&mut length)?;
    /// let envelope = connection.take(u64::from_be_bytes(length));
    /// let mut text = String::new();
    /// bob.open_reader(b"example.com/requests", envelope)?.read_to_string(&mut text)?;
    /// assert_eq!(text, "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// For requests and answers, use a [`session`](crate::session) instead, whose messages are read one by one.
    ///
    /// # Errors
    ///
    /// Same as [`open`](Self::open), wrapped in [`io::Error`]; and the errors of the inner reader. No
    /// plaintext is returned before its header, context and chunk were authenticated.
    ///
    /// Here an error of the inner reader loses the part of the header that was read, so the inner reader
    /// must wait for its data. Over one that does not block, collect the header yourself
    /// ([`Header::parse`] reports how many bytes it needs) and continue with [`BodyKey::opener`].
    pub fn open_reader<R: Read>(&self, context: &[u8], inner: R) -> io::Result<OpenReader<R>> {
        open_reader(self.addressee(), context, inner)
    }

    /// Opens an envelope for reading at any position. The source is a [`File`](std::fs::File), bytes in
    /// memory, or any other [`ReadAt`].
    ///
    /// # Errors
    ///
    /// Same as [`open`](Self::open), wrapped in [`io::Error`]; and the errors of the source. When it
    /// returns, the header, the context and the last chunk are authenticated.
    pub fn open_at<S: ReadAt>(&self, context: &[u8], source: S) -> io::Result<RandomAccess<S>> {
        open_at(self.addressee(), context, source)
    }

    /// Unlocks a header that is addressed to this key: authenticates it, and returns the key to the
    /// body. If the key has to be awaited, use [`Header::unlock`].
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if the header is not addressed to this key; [`Error::Open`] if it
    /// was changed.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, envelope::Header};
    /// # let bob = DecapsulationKey::generate()?;
    /// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
    /// let header = Header::parse(&sealed)?;
    /// let body_key = bob.unlock(&header)?;
    /// assert_eq!(&body_key.open(b"example.com/notes", &sealed[header.len()..])?[..], b"hello");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn unlock(&self, header: &Header) -> Result<BodyKey, Error> {
        header.unlock_by(self.addressee())
    }
}

impl Keyring {
    /// Opens an envelope with the key that it is addressed to; see [`DecapsulationKey::open`], and
    /// [`unlock`](Self::unlock) for one that is addressed to several keys of the ring.
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::open`], and the errors of the key; [`Error::Refused`] if the
    /// policy does not accept the key's suite.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        open(self.addressee(), context, sealed)
    }

    /// Opens an envelope while it is read; see [`DecapsulationKey::open_reader`].
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::open_reader`] and [`open`](Self::open).
    pub fn open_reader<R: Read>(&self, context: &[u8], inner: R) -> io::Result<OpenReader<R>> {
        open_reader(self.addressee(), context, inner)
    }

    /// Opens an envelope for reading at any position; see [`DecapsulationKey::open_at`].
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::open_at`] and [`open`](Self::open).
    pub fn open_at<S: ReadAt>(&self, context: &[u8], source: S) -> io::Result<RandomAccess<S>> {
        open_at(self.addressee(), context, source)
    }

    /// Unlocks a header with the key that it is addressed to; see [`DecapsulationKey::unlock`]. If it
    /// is addressed to several, they are asked in the order of [`keys`](Self::keys), the next one only
    /// after [`Error::External`] or [`Error::Randomness`]. If none opens it, the first error is returned.
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::unlock`], and the errors of the key; [`Error::Refused`] if the
    /// policy does not accept the key's suite.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, Keyring, envelope::Header};
    /// # let ring = Keyring::new(DecapsulationKey::generate()?);
    /// let sealed = ring.primary().seal(b"example.com/notes", b"hello")?;
    /// let header = Header::parse(&sealed)?;
    /// let body_key = ring.unlock(&header)?;
    /// assert_eq!(&body_key.open(b"example.com/notes", &sealed[header.len()..])?[..], b"hello");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn unlock(&self, header: &Header) -> Result<BodyKey, Error> {
        header.unlock_by(self.addressee())
    }
}

pub(crate) fn open(keys: Addressee<'_>, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
    context::check(context)?;
    let header = Header::parse(sealed)?;
    header.unlock_by(keys)?.open(context, &sealed[header.len()..])
}

pub(crate) fn open_reader<R: Read>(
    keys: Addressee<'_>,
    context: &[u8],
    mut inner: R,
) -> io::Result<OpenReader<R>> {
    context::check(context)?;
    let body_key = Header::read(&mut inner)?.unlock_by(keys)?;
    let mut prefix = [0; BodyKey::PREFIX_LEN];
    if retry::read_full(&mut inner, &mut prefix, &mut 0)? {
        return Err(Error::Open.into()); // it was cut off
    }
    Ok(OpenReader::new(body_key.opener(context, &prefix)?, inner))
}

pub(crate) fn open_at<S: ReadAt>(
    keys: Addressee<'_>,
    context: &[u8],
    source: S,
) -> io::Result<RandomAccess<S>> {
    context::check(context)?;
    let envelope_len = stream::size(&source)?; // a request, where the source is an object in a store
    let (header, behind) = Header::read_at(&source, envelope_len)?;
    let body_start = header.len() as u64;
    let body_key = header.unlock_by(keys)?;
    let prefix = match behind.first_chunk() {
        Some(prefix) => *prefix,
        None => {
            let mut prefix = [0; BodyKey::PREFIX_LEN];
            stream::read_exact_at(&source, &mut prefix, body_start).map_err(cut_off)?;
            prefix
        }
    };
    let body_len = envelope_len.checked_sub(body_start).ok_or(Error::Open)?;
    RandomAccess::new(source, body_start, body_key.body(context, &prefix, body_len)?)
}

/// An envelope that ends inside its body was cut off: that is [`Error::Open`].
fn cut_off(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { Error::Open.into() } else { error }
}
