//! Several keys to seal to.

use crate::{constants, error::Error, kem::EncapsulationKey};

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
    pub(super) keys: Vec<EncapsulationKey>,
}

impl Recipients {
    /// 1 to 1000 different keys, in any order, of any suites.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if there are none or too many, or if a key is listed twice.
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

    #[cfg(feature = "object_store")]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &EncapsulationKey> {
        self.keys.iter()
    }
}
