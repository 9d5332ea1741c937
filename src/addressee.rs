//! The keys that an envelope, a session or a request may be addressed to: one key, or a ring of keys.

use std::fmt;

use crate::{
    error::Error,
    kem::{Ciphertext, Decapsulate, EncapsulationKey, KemSuite, SharedSecret},
    key_id::KeyId,
    keyring::Keyring,
    sign::SignatureSuite,
    tracing::KeyUse,
};

/// Seals [`Unlock`](crate::Unlock): its methods are written once, for an [`Addressee`].
pub trait Addressed {
    #[doc(hidden)]
    fn addressee(&self) -> Addressee<'_>;
}

/// One key, in memory or external, or a ring of keys with its policy.
#[derive(Clone, Copy)]
pub enum Addressee<'a> {
    Key(&'a dyn Decapsulate),
    Ring(&'a Keyring),
}

impl<T: Decapsulate> Addressed for T {
    fn addressee(&self) -> Addressee<'_> {
        Addressee::Key(self)
    }
}

impl Addressed for dyn Decapsulate + '_ {
    fn addressee(&self) -> Addressee<'_> {
        Addressee::Key(self)
    }
}

impl Addressed for Keyring {
    fn addressee(&self) -> Addressee<'_> {
        Addressee::Ring(self)
    }
}

impl<'a> Addressee<'a> {
    /// The key of this suite and id, with its public half, which is asked of the key only once.
    pub(crate) fn find(
        self,
        suite: KemSuite,
        key_id: KeyId,
    ) -> Result<(&'a EncapsulationKey, &'a dyn Decapsulate), Error> {
        match self {
            Self::Key(key) => {
                let public = key.encapsulation_key();
                let is_wanted = (public.suite(), public.key_id()) == (suite, key_id);
                if is_wanted { Ok((public, key)) } else { Err(Error::NotARecipient) }
            }
            Self::Ring(ring) => ring.find(suite, key_id),
        }
    }

    /// Uses the first of the wanted keys that can be used; see [`Keyring::use_first`].
    pub(crate) fn use_first<T>(
        self,
        is_wanted: impl Fn(&EncapsulationKey) -> bool,
        mut use_key: impl FnMut(&EncapsulationKey, &dyn Decapsulate) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self {
            Self::Key(key) => {
                let public = key.encapsulation_key();
                if is_wanted(public) { use_key(public, key) } else { Err(Error::NotARecipient) }
            }
            Self::Ring(ring) => ring.use_first(is_wanted, use_key),
        }
    }

    /// Whether signers of this suite are accepted. A ring has a policy; with a single key, every
    /// signer that is named is accepted.
    pub(crate) fn check_signer(self, suite: SignatureSuite) -> Result<(), Error> {
        match self {
            Self::Key(_) => Ok(()),
            Self::Ring(ring) => ring.policy().check_signature(suite),
        }
    }
}

impl fmt::Debug for Addressee<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.encapsulation_key().fmt(f),
            Self::Ring(ring) => ring.fmt(f),
        }
    }
}

/// Decapsulates, without trust in an external key: its secret must at least be of the right suite.
pub(crate) fn decapsulate(
    key: &dyn Decapsulate,
    public: &EncapsulationKey,
    ciphertext: &Ciphertext,
) -> Result<SharedSecret, Error> {
    let decapsulated = || {
        let secret = key.decapsulate(ciphertext).map_err(Error::into_external)?;
        if secret.suite() != ciphertext.suite() {
            return Err(Error::external("the shared secret is not of the key's suite"));
        }
        Ok(secret)
    };
    KeyUse::decapsulate(public).report(decapsulated)
}
