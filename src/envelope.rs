//! Sealing for recipients: data at rest, in one envelope that each of them can open.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, Plaintext, context,
    provider::Provider,
    random,
    stream::{self, Chunks},
    suite,
};

mod header;

pub use header::{Header, Recipient};

use header::HeaderKeys;

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
    /// [`Error::Randomness`] if the system has none.
    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        seal(std::slice::from_ref(self), context, plaintext, None)
    }

    /// Length of what [`seal`](Self::seal) makes of `plaintext` bytes, for a `Content-Length`.
    /// `None` beyond the format's bound of 4 PiB.
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
        sealed_len(std::slice::from_ref(self), plaintext)
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

    /// Length of what [`seal`](Self::seal) makes of `plaintext` bytes; see
    /// [`EncapsulationKey::sealed_len`].
    #[must_use]
    pub fn sealed_len(&self, plaintext: u64) -> Option<u64> {
        sealed_len(&self.keys, plaintext)
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn seal_deterministic(
        &self,
        context: &[u8],
        plaintext: &[u8],
        randomness: &Randomness<'_>,
    ) -> Result<Vec<u8>, Error> {
        seal(&self.keys, context, plaintext, Some(randomness))
    }
}

impl DecapsulationKey {
    /// Opens an envelope: all of it, or an error and nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if it is not addressed to this key; [`Error::Truncated`],
    /// [`Error::Unknown`] or [`Error::Invalid`] if its header is not one; [`Error::Open`] if the
    /// context is another, or anything was changed or cut off.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        let key: &dyn Decapsulate = self;
        key.open(context, sealed)
    }
}

impl dyn Decapsulate + '_ {
    /// Opens an envelope; see [`DecapsulationKey::open`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::open`], and whatever the key reports.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        context::check(context)?;
        let header = Header::parse(sealed)?;
        let body = sealed.get(header.len()..).unwrap_or_default();
        header.unlock_with(self)?.open(context, body)
    }
}

/// The key to an envelope's body, after its header was authenticated. Wiped when dropped.
pub struct BodyKey {
    key: Zeroizing<[u8; 32]>,
    provider: &'static Provider,
}

impl BodyKey {
    /// Opens the body, which is everything after the header: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Context`] for a context that cannot be one; [`Error::Open`] if it is another than
    /// at sealing, or the body was changed or cut off.
    pub fn open(&self, context: &[u8], body: &[u8]) -> Result<Plaintext, Error> {
        context::check(context)?;
        let (prefix, chunks) = body.split_first_chunk::<{ stream::PREFIX }>().ok_or(Error::Open)?;
        Chunks::open(self.provider, &self.key, prefix, context)?
            .open_all(chunks)
            .map(Plaintext::new)
    }
}

impl fmt::Debug for BodyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyKey(..)")
    }
}

/// All the randomness of an envelope, for known answers.
pub(crate) struct Randomness<'a> {
    pub(crate) content_key: [u8; 32],
    pub(crate) salt: [u8; stream::SALT],
    /// One for each recipient, in the order of the header.
    pub(crate) encapsulations: &'a [&'a [u8]],
}

/// Where every way of sealing ends. `randomness` is given for known answers, else it is fresh.
fn seal(
    keys: &[EncapsulationKey],
    context: &[u8],
    plaintext: &[u8],
    randomness: Option<&Randomness<'_>>,
) -> Result<Vec<u8>, Error> {
    context::check(context)?;
    let length = sealed_len(keys, plaintext.len() as u64)
        .and_then(|length| usize::try_from(length).ok())
        .ok_or(Error::Invalid { what: "plaintext", reason: "it is too long" })?;
    let provider = keys.first().map_or_else(crate::provider::default, EncapsulationKey::provider);

    let content_key = match randomness {
        Some(given) => Zeroizing::new(given.content_key),
        None => random::array()?,
    };
    let salt = match randomness {
        Some(given) => given.salt,
        None => *random::array()?,
    };
    let recipients = keys.iter().enumerate().map(|(index, key)| {
        let given = match randomness {
            Some(given) => Some(*given.encapsulations.get(index).ok_or(Error::Randomness)?),
            None => None,
        };
        let (ciphertext, secret) = key.encapsulate_from(given)?;
        Ok((key, ciphertext, secret))
    });

    let mut output = Vec::with_capacity(length);
    let header_keys = HeaderKeys::derive(&content_key);
    header::write(provider, recipients, &content_key, &header_keys, &mut output)?;
    let (chunks, prefix) = Chunks::seal(provider, &header_keys.body_key, &salt, context)?;
    output.extend_from_slice(&prefix);
    chunks.seal_all(plaintext, &mut output)?;
    debug_assert_eq!(output.len(), length);
    Ok(output)
}

fn sealed_len(keys: &[EncapsulationKey], plaintext: u64) -> Option<u64> {
    let header = header::length(keys.iter().map(EncapsulationKey::suite));
    stream::sealed_len(plaintext)?.checked_add(header as u64)
}
