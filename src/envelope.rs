//! Sealing for recipients: data at rest, in one envelope that each of them can open.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, Keyring, Plaintext, context,
    provider::{self},
    random,
    stream::{self, ChunkKey, OpenReader, RandomAccess, ReadAt, SealWriter, Sealer},
    suite,
};

mod body_key;
mod content_key;
mod header;
mod rewrap;

pub use body_key::BodyKey;
use content_key::ContentKey;
pub use header::{Header, Recipient};

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
    /// [`Error::Randomness`] if the system has none; [`Error::Invalid`] from 4 PiB on.
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
    /// assert_eq!(&bob.open(b"example.com/notes", &sealed)?[..], b"hello");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        seal(self.as_slice(), context, plaintext, None)
    }

    /// Seals everything that is written, to `inner`, in constant memory. The bytes are those of
    /// [`seal`](Self::seal).
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal) inside an [`io::Error`], and those of the inner writer, which
    /// gets the header here.
    pub fn seal_writer<W: Write>(&self, context: &[u8], inner: W) -> io::Result<SealWriter<W>> {
        seal_writer(self.as_slice(), context, inner)
    }

    /// Sealing without I/O, for asynchronous code: the bytes to be sent first, and what makes the
    /// rest.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn sealer(&self, context: &[u8]) -> Result<(Vec<u8>, Sealer), Error> {
        sealer(self.as_slice(), context, 0, None)
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
        sealed_len(self.as_slice(), plaintext)
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
    /// [`Error::Invalid`] if there are none, too many, or one twice.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a EncapsulationKey>) -> Result<Self, Error> {
        let invalid = |reason| Err(Error::Invalid { what: "recipients", reason });
        let order = |key: &EncapsulationKey| (key.suite().id(), key.key_id());
        let mut keys: Vec<_> = keys.into_iter().cloned().collect();
        keys.sort_by_key(order);
        if !(1..=suite::MAX_RECIPIENTS).contains(&keys.len()) {
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
        seal(&self.keys, context, plaintext, None)
    }

    /// Seals everything that is written; see [`EncapsulationKey::seal_writer`].
    ///
    /// # Errors
    ///
    /// Those of [`EncapsulationKey::seal_writer`].
    pub fn seal_writer<W: Write>(&self, context: &[u8], inner: W) -> io::Result<SealWriter<W>> {
        seal_writer(&self.keys, context, inner)
    }

    /// Sealing without I/O; see [`EncapsulationKey::sealer`].
    ///
    /// # Errors
    ///
    /// Those of [`EncapsulationKey::seal`].
    pub fn sealer(&self, context: &[u8]) -> Result<(Vec<u8>, Sealer), Error> {
        sealer(&self.keys, context, 0, None)
    }

    /// Length of what [`seal`](Self::seal) makes of `plaintext` bytes; see
    /// [`EncapsulationKey::sealed_len`].
    #[must_use]
    pub fn sealed_len(&self, plaintext: u64) -> Option<u64> {
        sealed_len(&self.keys, plaintext)
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn sealer_deterministic(
        &self,
        context: &[u8],
        randomness: &Randomness<'_>,
    ) -> Result<(Vec<u8>, Sealer), Error> {
        sealer(&self.keys, context, 0, Some(randomness))
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
    /// # Errors
    ///
    /// Those of [`open`](Self::open) inside an [`io::Error`], and those of the inner reader. No
    /// plaintext is given before the header, the context and the chunk it is in were authenticated.
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
        open(context, sealed, |header| header.unlock_with(self))
    }

    /// Opens an envelope while it is read; see [`DecapsulationKey::open_reader`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open_reader`], and whatever the key reports.
    pub fn open_reader<R: Read>(&self, context: &[u8], inner: R) -> io::Result<OpenReader<R>> {
        open_reader(context, inner, |header| header.unlock_with(self))
    }

    /// Opens an envelope for reading at any position; see [`DecapsulationKey::open_at`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open_at`], and whatever the key reports.
    pub fn open_at<S: ReadAt>(&self, context: &[u8], source: S) -> io::Result<RandomAccess<S>> {
        open_at(context, source, |header| header.unlock_with(self))
    }
}

impl Keyring {
    /// Opens an envelope with the key that it is addressed to; see [`DecapsulationKey::open`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open`]; [`Error::Refused`] if the policy does not accept the
    /// key's suite.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        open(context, sealed, |header| self.unlock(header))
    }

    /// Opens an envelope while it is read; see [`DecapsulationKey::open_reader`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open_reader`] and [`open`](Self::open).
    pub fn open_reader<R: Read>(&self, context: &[u8], inner: R) -> io::Result<OpenReader<R>> {
        open_reader(context, inner, |header| self.unlock(header))
    }

    /// Opens an envelope for reading at any position; see [`DecapsulationKey::open_at`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open_at`] and [`open`](Self::open).
    pub fn open_at<S: ReadAt>(&self, context: &[u8], source: S) -> io::Result<RandomAccess<S>> {
        open_at(context, source, |header| self.unlock(header))
    }

    /// Unlocks a header with the key that it is addressed to; see [`Header::unlock_with`].
    ///
    /// # Errors
    ///
    /// Those of [`Header::unlock_with`]; [`Error::Refused`] if the policy does not accept the key's
    /// suite.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, Header, Keyring};
    /// # let ring = Keyring::new(DecapsulationKey::generate()?);
    /// let sealed = ring.primary().seal(b"example.com/notes", b"hello")?;
    /// let header = Header::parse(&sealed)?;
    /// let body_key = ring.unlock(&header)?;
    /// assert_eq!(&body_key.open(b"example.com/notes", &sealed[header.len()..])?[..], b"hello");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn unlock(&self, header: &Header) -> Result<BodyKey, Error> {
        header.unlock_with(self.recipient_of(header)?)
    }

    /// The key that a header is addressed to: the newest one, if to several.
    fn recipient_of(&self, header: &Header) -> Result<&dyn Decapsulate, Error> {
        self.find(|key| header.find(key).is_some())
    }
}

pub(crate) fn open(
    context: &[u8],
    sealed: &[u8],
    unlock: impl FnOnce(&Header) -> Result<BodyKey, Error>,
) -> Result<Plaintext, Error> {
    context::check(context)?;
    let header = Header::parse(sealed)?;
    let body = sealed.get(header.len()..).unwrap_or_default();
    unlock(&header)?.open(context, body)
}

pub(crate) fn open_reader<R: Read>(
    context: &[u8],
    mut inner: R,
    unlock: impl FnOnce(&Header) -> Result<BodyKey, Error>,
) -> io::Result<OpenReader<R>> {
    context::check(context)?;
    let body_key = unlock(&Header::read(&mut inner)?)?;
    let mut prefix = [0; BodyKey::PREFIX_LENGTH];
    if let (_, true) = stream::read_full(&mut inner, &mut prefix, 0)? {
        return Err(Error::Open.into()); // cut off, which is one of the things that it means
    }
    Ok(OpenReader::new(body_key.opener(context, &prefix)?, inner))
}

pub(crate) fn open_at<S: ReadAt>(
    context: &[u8],
    source: S,
    unlock: impl FnOnce(&Header) -> Result<BodyKey, Error>,
) -> io::Result<RandomAccess<S>> {
    context::check(context)?;
    let envelope_length = source.size()?;
    let header = Header::read(&mut Positioned { source: &source, position: 0 })?;
    let body_key = unlock(&header)?;
    let mut prefix = [0; BodyKey::PREFIX_LENGTH];
    source.read_exact_at(&mut prefix, header.len() as u64).map_err(cut_off)?;
    RandomAccess::new(source, body_key.body(context, &prefix, envelope_length)?)
}

/// An envelope that ends inside its body was cut off, which is one of the things `Open` means.
fn cut_off(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { Error::Open.into() } else { error }
}

/// All the randomness of an envelope, for known answers.
pub(crate) struct Randomness<'a> {
    pub(crate) content_key: [u8; 32],
    pub(crate) salt: [u8; stream::SALT],
    /// One for each recipient, in the order of the header.
    pub(crate) encapsulations: &'a [&'a [u8]],
}

fn seal(
    keys: &[EncapsulationKey],
    context: &[u8],
    plaintext: &[u8],
    randomness: Option<&Randomness<'_>>,
) -> Result<Vec<u8>, Error> {
    let length = sealed_len(keys, plaintext.len() as u64)
        .and_then(|length| usize::try_from(length).ok())
        .ok_or(Error::Invalid { what: "plaintext", reason: "it is too long" })?;
    let (mut output, mut sealer) = sealer(keys, context, length, randomness)?;
    sealer.update(plaintext, &mut output)?;
    sealer.finish(&mut output)?;
    debug_assert_eq!(output.len(), length);
    Ok(output)
}

fn seal_writer<W: Write>(
    keys: &[EncapsulationKey],
    context: &[u8],
    inner: W,
) -> io::Result<SealWriter<W>> {
    let (head, sealer) = sealer(keys, context, 0, None)?;
    SealWriter::new(&head, sealer, inner)
}

/// Where every way of sealing starts: the header and the prefix, in a buffer of at least
/// `capacity`, and what seals the chunks. `randomness` is given for known answers, else it is
/// fresh.
fn sealer(
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

fn sealed_len(keys: &[EncapsulationKey], plaintext: u64) -> Option<u64> {
    let header = header::length(keys.iter().map(EncapsulationKey::suite));
    stream::sealed_len(plaintext)?.checked_add(header as u64)
}

/// The front of something that is read at positions, as a reader.
struct Positioned<'a, S> {
    source: &'a S,
    position: u64,
}

impl<S: ReadAt> Read for Positioned<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.source.size()?.saturating_sub(self.position);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let part = buffer.get_mut(..length).unwrap_or_default();
        self.source.read_exact_at(part, self.position)?;
        self.position += length as u64;
        Ok(length)
    }
}
