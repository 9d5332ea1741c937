//! An envelope's header: who can open it.

use subtle::ConstantTimeEq;

use super::{
    BodyKey,
    content_key::{ContentKey, HEADER_TAG, WRAPPED},
    parsing::{STANZA_START, START, Stanza, WHAT},
};
use crate::{
    addressee::{Addressee, decapsulate},
    constants,
    error::Error,
    kem::{Ciphertext, EncapsulationKey, KemSuite, SharedSecret},
    key_id::KeyId,
    provider::{self, Provider},
    stream,
};

/// A parsed header. Unlock it with a key, or with a [`SharedSecret`] from elsewhere, such as a KMS that
/// is awaited: send a recipient's ciphertext there, and unlock the header with the answer.
///
/// Nothing in it is authenticated until [`unlock`](Header::unlock) has succeeded.
///
/// # When the key is awaited
///
/// ```
/// use twinseal::{DecapsulationKey, Error, envelope::Header};
///
/// let key = DecapsulationKey::generate()?;
/// let sealed = key.encapsulation_key().seal(b"example.com/notes", b"hello")?;
///
/// let header = Header::parse(&sealed)?;
/// let recipient = header.find(key.encapsulation_key()).ok_or(Error::NotARecipient)?;
/// let secret = key.decapsulate(&recipient.ciphertext()?)?; // awaited, elsewhere
/// let body_key = header.unlock(&recipient, &secret)?;
/// let body = &sealed[header.len()..];
/// assert_eq!(&body_key.open(b"example.com/notes", body)?[..], b"hello");
/// # Ok::<(), Error>(())
/// ```
///
/// One of several keys, whose halves are in two places. If it cannot be reached, try the next one of those that
/// the envelope is for:
///
/// ```
/// # use twinseal::{DecapsulationKey, provider::{Kem, PORTABLE}};
/// use twinseal::{Error, Keyring, envelope::Header, kem::{AwaitedKey, SharedSecret}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// # let inside = DecapsulationKey::generate()?;
/// # let old_key = inside.encapsulation_key().clone();
/// # let new_key = DecapsulationKey::generate()?.encapsulation_key().clone();
/// # let sealed = old_key.seal(b"example.com/notes", b"hello")?;
/// # let halves = inside.into_halves()?;
/// # let ml_kem = PORTABLE.ml_kem_1024.key_pair(halves.post_quantum.secret_bytes())?.decapsulator;
/// # let x25519 = PORTABLE.x25519.key_pair(halves.traditional.secret_bytes())?.decapsulator;
/// # let ask_one = async |_, ciphertext: &[u8]| { let mut s = [0; 32]; ml_kem.decapsulate(ciphertext, &mut s).map(|()| s) };
/// # let ask_other = async |_, ciphertext: &[u8]| { let mut s = [0; 32]; x25519.decapsulate(ciphertext, &mut s).map(|()| s) };
/// let mut ring = Keyring::new(AwaitedKey::new(new_key));
/// ring.add_older(AwaitedKey::new(old_key))?;
///
/// let header = Header::parse(&sealed)?;
/// let mut addressed = ring.keys().filter_map(|key| Some((key, header.find(key)?)));
/// let (key, recipient) = addressed.next().ok_or(Error::NotARecipient)?;
/// let (id, ciphertext) = (key.key_id(), recipient.ciphertext()?);
/// let sent = ciphertext.halves();
/// let (post_quantum, traditional) =
///     tokio::join!(ask_one(id, sent.post_quantum), ask_other(id, sent.traditional));
/// let secret = SharedSecret::combine(key, &ciphertext, post_quantum, traditional)?;
/// let body_key = header.unlock(&recipient, &secret)?;
/// # assert_eq!(&body_key.open(b"example.com/notes", &sealed[header.len()..])?[..], b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Header {
    pub(super) bytes: Vec<u8>,
    pub(super) stanzas: Vec<Stanza>,
}

/// One recipient of an envelope: a suite, a key id, and a ciphertext.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    header: &'a Header,
    stanza: &'a Stanza,
}

impl Header {
    /// Length of the header in bytes: the body starts here.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Length of the plaintext in an envelope of this length, header included: for a progress bar,
    /// or to notice a download that was cut off. `None` if no envelope with this header has this
    /// length. The result is not authentic until the envelope was opened.
    ///
    /// ```
    /// # let key = twinseal::DecapsulationKey::generate()?;
    /// let sealed = key.encapsulation_key().seal(b"example.com/notes", b"hello")?;
    /// let header = twinseal::envelope::Header::parse(&sealed)?;
    /// assert_eq!(header.plaintext_len(sealed.len() as u64), Some(5));
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    #[must_use]
    pub fn plaintext_len(&self, envelope_len: u64) -> Option<u64> {
        stream::plaintext_len(envelope_len.checked_sub(self.len() as u64)?)
    }

    /// All recipients, in the order of their suites and key ids.
    pub fn recipients(&self) -> impl Iterator<Item = Recipient<'_>> {
        self.stanzas.iter().map(|stanza| Recipient { header: self, stanza })
    }

    /// The recipient with this key.
    #[must_use]
    pub fn find(&self, key: &EncapsulationKey) -> Option<Recipient<'_>> {
        let order = (key.suite().id(), key.key_id());
        let index = self.stanzas.binary_search_by_key(&order, Stanza::order).ok()?;
        self.stanzas.get(index).map(|stanza| Recipient { header: self, stanza })
    }

    /// Unwraps the content key with a recipient's shared secret and authenticates the header.
    ///
    /// # Errors
    ///
    /// [`Error::SuiteMismatch`] if the secret is of another suite; [`Error::Open`] if it belongs to
    /// another ciphertext, or the header was changed.
    pub fn unlock(
        &self,
        recipient: &Recipient<'_>,
        secret: &SharedSecret,
    ) -> Result<BodyKey, Error> {
        let provider = provider::default();
        let content_key = self.content_key(provider, recipient, secret)?;
        Ok(BodyKey { key: content_key.body_key, provider })
    }

    /// Unlocks the header with a key that it is addressed to.
    pub(crate) fn unlock_by(&self, keys: Addressee<'_>) -> Result<BodyKey, Error> {
        let (provider, content_key) = self.content_key_by(keys)?;
        Ok(BodyKey { key: content_key.body_key, provider })
    }

    /// The content key, and the provider of the key that unwrapped it. Each key that is used
    /// decapsulates once.
    pub(super) fn content_key_by(
        &self,
        keys: Addressee<'_>,
    ) -> Result<(&'static Provider, ContentKey), Error> {
        keys.use_first(
            |public| self.find(public).is_some(),
            |public, key| {
                let recipient = self.find(public).ok_or(Error::NotARecipient)?;
                let secret = decapsulate(key, public, &recipient.ciphertext()?)?;
                let provider = public.provider();
                Ok((provider, self.content_key(provider, &recipient, &secret)?))
            },
        )
    }

    fn content_key(
        &self,
        provider: &Provider,
        recipient: &Recipient<'_>,
        secret: &SharedSecret,
    ) -> Result<ContentKey, Error> {
        let Stanza { suite, key_id, wrapped, .. } = recipient.stanza;
        if secret.suite().id() != *suite {
            return Err(Error::SuiteMismatch {
                what: "shared secret",
                expected: recipient.suite().map_or("unknown", KemSuite::name),
                actual: secret.suite().name(),
            });
        }
        let content_key = ContentKey::unwrap(provider, secret, *suite, *key_id, wrapped)?;
        let (tagged, tag) = self.bytes.split_last_chunk::<HEADER_TAG>().ok_or(Error::Open)?;
        if bool::from(content_key.tag(tagged).ct_eq(tag)) {
            Ok(content_key)
        } else {
            Err(Error::Open)
        }
    }
}

impl<'a> Recipient<'a> {
    /// The suite's identifier, known or not.
    #[must_use]
    pub fn suite_id(&self) -> u16 {
        self.stanza.suite
    }

    /// The suite, if this crate knows it.
    #[must_use]
    pub fn suite(&self) -> Option<KemSuite> {
        KemSuite::from_id(self.stanza.suite).ok()
    }

    /// The id of the recipient's key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.stanza.key_id
    }

    /// The ciphertext to be decapsulated.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] if the suite is not known; [`Error::Invalid`] if the ciphertext breaks a
    /// rule.
    pub fn ciphertext(&self) -> Result<Ciphertext, Error> {
        let bytes: &'a [u8] = &self.header.bytes[self.stanza.ciphertext.clone()];
        Ciphertext::from_bytes(KemSuite::from_id(self.stanza.suite)?, bytes)
    }
}

/// Length of the header for these suites, in bytes.
pub(super) fn len(suites: impl Iterator<Item = KemSuite>) -> usize {
    let stanzas: usize = suites.map(|suite| STANZA_START + suite.ciphertext_len() + WRAPPED).sum();
    START + stanzas + HEADER_TAG
}

/// Appends a header to `output`. `recipients` are in order, each with its encapsulation.
pub(super) fn write<'a>(
    provider: &Provider,
    recipients: impl ExactSizeIterator<
        Item = Result<(&'a EncapsulationKey, Ciphertext, SharedSecret), Error>,
    >,
    content_key: &ContentKey,
    output: &mut Vec<u8>,
) -> Result<(), Error> {
    let start = output.len();
    let count = u16::try_from(recipients.len())
        .map_err(|_| Error::Invalid { what: WHAT, reason: "it must have 1 to 1000 recipients" })?;
    output.extend_from_slice(constants::ENVELOPE_MAGIC);
    output.extend_from_slice(&[constants::ENVELOPE_VERSION, constants::BODY_COBBLESTONE_256]);
    output.extend_from_slice(&count.to_be_bytes());
    for recipient in recipients {
        let (key, ciphertext, secret) = recipient?;
        let ct = ciphertext.as_bytes();
        let length = u16::try_from(ct.len()).expect("no suite's ciphertext exceeds 65535 bytes");
        output.extend_from_slice(&key.suite().id().to_be_bytes());
        output.extend_from_slice(key.key_id().as_bytes());
        output.extend_from_slice(&length.to_be_bytes());
        output.extend_from_slice(ct);
        output.extend_from_slice(&content_key.wrap(provider, &secret, key)?);
    }
    let tag = content_key.tag(&output[start..]);
    output.extend_from_slice(&tag);
    Ok(())
}
