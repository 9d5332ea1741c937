//! Sealing for recipients: data at rest, in one envelope that each of them can open.

use std::io::{self, Read, Write};

use crate::{
    constants,
    error::Error,
    kem::{Decapsulate, DecapsulationKey, EncapsulationKey},
    keyring::Keyring,
    plaintext::Plaintext,
    stream::{OpenReader, RandomAccess, ReadAt, SealWriter},
};

mod body_key;
mod content_key;
mod header;
mod opening;
mod parsing;
mod rewrap;
mod sealing;

pub use crate::stream::{Body, Opener, Plan, PlannedChunk, Sealer, UnverifiedBody};
pub use body_key::BodyKey;
pub use header::{Header, Recipient};
#[cfg(feature = "hazmat")]
pub(crate) use sealing::Randomness;

impl EncapsulationKey {
    /// Seals a message so that only the key's owner can open it, with the same context.
    ///
    /// The context says what the data is for ("example.com/checkpoints/v1"): data sealed for one
    /// purpose does not open for another. An envelope does not say who made it; sign the plaintext
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
        sealing::seal(self.as_slice(), context, plaintext, None)
    }

    /// Seals everything that is written, to `inner`, in constant memory. The bytes are those of
    /// [`seal`](Self::seal).
    ///
    /// If the inner writer asks to be tried again
    /// ([`WouldBlock`](io::ErrorKind::WouldBlock), [`TimedOut`](io::ErrorKind::TimedOut)), the
    /// header waits for the next call; see [`SealWriter`] for what errors do.
    ///
    /// A file that somebody writes to, or cuts, while it is read is sealed as it was read: compare the length
    /// and modification time of the open file before and after, and discard the result if they differ.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal) inside an [`io::Error`], and those of the inner writer, which
    /// gets the header here.
    pub fn seal_writer<W: Write>(&self, context: &[u8], inner: W) -> io::Result<SealWriter<W>> {
        sealing::seal_writer(self.as_slice(), context, inner)
    }

    /// Sealing without I/O, for asynchronous code: the bytes to be sent first, and what makes the
    /// rest.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn sealer(&self, context: &[u8]) -> Result<(Vec<u8>, Sealer), Error> {
        sealing::sealer(self.as_slice(), context, 0, None)
    }

    /// Length of what [`seal`](Self::seal) makes of `plaintext` bytes, for a `Content-Length`.
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
        sealing::sealed_len(self.as_slice(), plaintext)
    }

    fn as_slice(&self) -> &[Self] {
        std::slice::from_ref(self)
    }
}

/// Several keys to seal to; each of their owners can open the envelope.
///
/// ```
/// use twinseal::{DecapsulationKey, Recipients};
///
/// let (alice, bob) = (DecapsulationKey::generate()?, DecapsulationKey::generate()?);
/// let both = Recipients::new([alice.encapsulation_key(), bob.encapsulation_key()])?;
/// let sealed = both.seal(b"example.com/notes", b"hello")?;
/// assert_eq!(&alice.open(b"example.com/notes", &sealed)?[..], b"hello");
/// assert_eq!(&bob.open(b"example.com/notes", &sealed)?[..], b"hello");
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recipients {
    /// In strictly ascending order of suite and key id, as in the header.
    keys: Vec<EncapsulationKey>,
}

impl Recipients {
    /// 1 to 1000 different keys, in any order, of any suites.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if there are none, too many, or one twice.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a EncapsulationKey>) -> Result<Self, Error> {
        let invalid = |reason| Err(Error::Misuse { what: "recipients", reason });
        let order = |key: &EncapsulationKey| (key.suite().id(), key.key_id());
        let keys = keys.into_iter().take(constants::MAX_RECIPIENTS + 1);
        let mut keys: Vec<_> = keys.cloned().collect();
        keys.sort_by_key(order);
        if !(1..=constants::MAX_RECIPIENTS).contains(&keys.len()) {
            return invalid("there must be 1 to 1000");
        }
        if !keys.is_sorted_by(|a, b| order(a) < order(b)) {
            return invalid("a key is listed twice");
        }
        Ok(Self { keys })
    }

    /// Seals a message for all of them; see [`EncapsulationKey::seal`].
    ///
    /// # Errors
    ///
    /// Those of [`EncapsulationKey::seal`].
    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        sealing::seal(&self.keys, context, plaintext, None)
    }

    /// Seals everything that is written; see [`EncapsulationKey::seal_writer`].
    ///
    /// # Errors
    ///
    /// Those of [`EncapsulationKey::seal_writer`].
    pub fn seal_writer<W: Write>(&self, context: &[u8], inner: W) -> io::Result<SealWriter<W>> {
        sealing::seal_writer(&self.keys, context, inner)
    }

    /// Sealing without I/O; see [`EncapsulationKey::sealer`].
    ///
    /// # Errors
    ///
    /// Those of [`EncapsulationKey::seal`].
    pub fn sealer(&self, context: &[u8]) -> Result<(Vec<u8>, Sealer), Error> {
        sealing::sealer(&self.keys, context, 0, None)
    }

    /// Length of what [`seal`](Self::seal) makes of `plaintext` bytes; see
    /// [`EncapsulationKey::sealed_len`].
    #[must_use]
    pub fn sealed_len(&self, plaintext: u64) -> Option<u64> {
        sealing::sealed_len(&self.keys, plaintext)
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn sealer_deterministic(
        &self,
        context: &[u8],
        randomness: &Randomness<'_>,
    ) -> Result<(Vec<u8>, Sealer), Error> {
        sealing::sealer(&self.keys, context, 0, Some(randomness))
    }
}

impl DecapsulationKey {
    /// Opens an envelope: all of it, or an error and nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if it is not addressed to this key; [`Error::Truncated`],
    /// [`Error::Unknown`], [`Error::Length`] or [`Error::Invalid`] if its header is not one;
    /// [`Error::Context`] for a context that cannot be one; [`Error::Open`] if the context is
    /// another, or anything was changed or cut off.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        self.as_dyn().open(context, sealed)
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
    /// For requests and answers, take a session instead ([`SessionSender`](crate::session::SessionSender)), whose messages
    /// are read one by one; their lengths travel with them here, too:
    ///
    /// ```
    /// use std::io::{self, Read, Write};
    ///
    /// fn write_frame(connection: &mut impl Write, message: &[u8]) -> io::Result<()> {
    ///     connection.write_all(&(message.len() as u32).to_be_bytes())?;
    ///     connection.write_all(message)
    /// }
    ///
    /// fn read_frame(connection: &mut impl Read, most: u32) -> io::Result<Vec<u8>> {
    ///     let mut length = [0; 4];
    ///     connection.read_exact(&mut length)?;
    ///     let length = u32::from_be_bytes(length);
    ///     if length > most {
    ///         return Err(io::ErrorKind::InvalidData.into());
    ///     }
    ///     let mut message = vec![0; length as usize];
    ///     connection.read_exact(&mut message)?;
    ///     Ok(message)
    /// }
    ///
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let mut connection = Vec::new();
    /// let (hello, mut tx) = bob.encapsulation_key().sender(b"example.com/requests")?;
    /// write_frame(&mut connection, &hello)?;
    /// write_frame(&mut connection, &tx.seal(b"hello")?)?; // and others, as they come
    ///
    /// # let connection = &mut &connection[..];
    /// let hello = read_frame(connection, 10_000)?;
    /// let mut rx = bob.receiver(b"example.com/requests", &hello)?;
    /// assert_eq!(&rx.open(&read_frame(connection, 1 << 20)?)?[..], b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) inside an [`io::Error`], and those of the inner reader. No
    /// plaintext is returned before its header, context and chunk were authenticated.
    ///
    /// Here an error of the inner reader loses what was read of the header, so the inner reader must
    /// wait for its data. Over one that does not block, collect the header yourself
    /// ([`Header::parse`] reports how many bytes it needs) and go on with [`BodyKey::opener`].
    pub fn open_reader<R: Read>(&self, context: &[u8], inner: R) -> io::Result<OpenReader<R>> {
        self.as_dyn().open_reader(context, inner)
    }

    /// Opens an envelope for reading at any position: a [`File`](std::fs::File), bytes in memory,
    /// or whatever implements [`ReadAt`].
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) inside an [`io::Error`], and those of the source. The header,
    /// the context and the last chunk were authenticated when it returns.
    pub fn open_at<S: ReadAt>(&self, context: &[u8], source: S) -> io::Result<RandomAccess<S>> {
        self.as_dyn().open_at(context, source)
    }

    pub(crate) fn as_dyn(&self) -> &dyn Decapsulate {
        self
    }
}

impl dyn Decapsulate + '_ {
    /// Opens an envelope; see [`DecapsulationKey::open`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open`], and whatever the key reports.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        opening::open(context, sealed, |header| header.unlock_with(self))
    }

    /// Opens an envelope while it is read; see [`DecapsulationKey::open_reader`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open_reader`], and whatever the key reports.
    pub fn open_reader<R: Read>(&self, context: &[u8], inner: R) -> io::Result<OpenReader<R>> {
        opening::open_reader(context, inner, |header| header.unlock_with(self))
    }

    /// Opens an envelope for reading at any position; see [`DecapsulationKey::open_at`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open_at`], and whatever the key reports.
    pub fn open_at<S: ReadAt>(&self, context: &[u8], source: S) -> io::Result<RandomAccess<S>> {
        opening::open_at(context, source, |header| header.unlock_with(self))
    }
}

impl Keyring {
    /// Opens an envelope with the key that it is addressed to; see [`DecapsulationKey::open`], and
    /// [`unlock`](Self::unlock) for one that is addressed to several keys of the ring.
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open`], and whatever the key reports; [`Error::Refused`] if the
    /// policy does not accept the key's suite.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        opening::open(context, sealed, |header| self.unlock(header))
    }

    /// Opens an envelope while it is read; see [`DecapsulationKey::open_reader`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open_reader`] and [`open`](Self::open).
    pub fn open_reader<R: Read>(&self, context: &[u8], inner: R) -> io::Result<OpenReader<R>> {
        opening::open_reader(context, inner, |header| self.unlock(header))
    }

    /// Opens an envelope for reading at any position; see [`DecapsulationKey::open_at`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open_at`] and [`open`](Self::open).
    pub fn open_at<S: ReadAt>(&self, context: &[u8], source: S) -> io::Result<RandomAccess<S>> {
        opening::open_at(context, source, |header| self.unlock(header))
    }

    /// Unlocks a header with the key that it is addressed to; see [`Header::unlock_with`]. If it is
    /// addressed to several, the newest is asked first, and another only if that one fails with
    /// [`Error::External`] or [`Error::Randomness`]; if none opens it, the first error is returned.
    ///
    /// # Errors
    ///
    /// Those of [`Header::unlock_with`]; [`Error::Refused`] if the policy does not accept the key's
    /// suite.
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
        self.use_first(|key| header.find(key).is_some(), |key| header.unlock_with(key))
    }
}
