//! The private keys that open a store's keys.

use std::{fmt, sync::Arc};

use crate::{
    addressee::{Addressed, Addressee},
    envelope::Header,
    error::Error,
    kem::{Decapsulate, DecapsulationKey, EncapsulationKey},
    keyring::{Keyring, Shared},
    plaintext::Plaintext,
};

/// The private key, or the ring of keys, with which a program opens a [`SealedStore`](super::SealedStore). Made from
/// a key in memory or elsewhere, a ring, or a ring that is updated while it is used.
///
/// ```
/// use std::sync::Arc;
/// use twinseal::{DecapsulationKey, Keyring, keyring::Shared, store::Reader};
///
/// let reader = Reader::from(DecapsulationKey::generate()?);
/// let ring = Arc::new(Shared::new(Keyring::new(DecapsulationKey::generate()?)));
/// let reader = Reader::from(Arc::clone(&ring)); // keys that are added to the ring later count, too
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone)]
pub struct Reader(Keys);

#[derive(Clone)]
enum Keys {
    Key(Arc<dyn Decapsulate>),
    Ring(Arc<Shared<Keyring>>),
}

impl Reader {
    /// Opens an envelope, and says to whom it is sealed.
    pub(super) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<(Header, Plaintext), Error> {
        match &self.0 {
            Keys::Key(key) => open(key.addressee(), context, sealed),
            Keys::Ring(ring) => open(ring.load().addressee(), context, sealed),
        }
    }
}

impl Reader {
    /// Whether it has the private key of one of these.
    pub(super) fn is_one_of(&self, keys: &[EncapsulationKey]) -> bool {
        match &self.0 {
            Keys::Key(key) => keys.contains(key.encapsulation_key()),
            Keys::Ring(ring) => ring.load().keys().any(|key| keys.contains(key)),
        }
    }
}

/// In a reserved context, which the public methods refuse.
fn open(keys: Addressee<'_>, context: &[u8], sealed: &[u8]) -> Result<(Header, Plaintext), Error> {
    let header = Header::parse(sealed)?;
    let body = sealed.get(header.len()..).unwrap_or_default();
    let plaintext = header.unlock_by(keys)?.open_reserved(context, body)?;
    Ok((header, plaintext))
}

impl From<DecapsulationKey> for Reader {
    fn from(key: DecapsulationKey) -> Self {
        Self(Keys::Key(Arc::new(key)))
    }
}

impl From<Arc<DecapsulationKey>> for Reader {
    fn from(key: Arc<DecapsulationKey>) -> Self {
        Self(Keys::Key(key))
    }
}

impl From<Arc<dyn Decapsulate>> for Reader {
    fn from(key: Arc<dyn Decapsulate>) -> Self {
        Self(Keys::Key(key))
    }
}

impl From<Keyring> for Reader {
    fn from(ring: Keyring) -> Self {
        Self(Keys::Ring(Arc::new(Shared::new(ring))))
    }
}

impl From<Arc<Shared<Keyring>>> for Reader {
    fn from(ring: Arc<Shared<Keyring>>) -> Self {
        Self(Keys::Ring(ring))
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Keys::Key(key) => write!(f, "Reader({:?})", key.encapsulation_key()),
            Keys::Ring(ring) => write!(f, "Reader({ring:?})"),
        }
    }
}
