//! Which KEM suites are there?

use std::{fmt, hash};

use super::hybrid::{self, HybridSuite};
use crate::{
    constants,
    error::Error,
    provider::{Kem, KemLengths, Provider},
};

/// A hybrid KEM: two KEMs, and how they are combined.
///
/// | suite | id | halves | combiner | shared secret |
/// |---|---|---|---|---|
/// | [`X25519_ML_KEM_1024`](Self::X25519_ML_KEM_1024), the default | 0x0001 | X25519 (RFC 7748), ML-KEM-1024 (FIPS 203) | HKDF-SHA384 over the transcript | 64 bytes |
/// | [`ML_KEM_1024_P384`](Self::ML_KEM_1024_P384) | 0x0051 | ECDH P-384, ML-KEM-1024 | SHA3-256 (draft-irtf-cfrg-concrete-hybrid-kems) | 32 bytes |
///
/// ```
/// use twinseal::KemSuite;
///
/// let suite = KemSuite::X25519_ML_KEM_1024;
/// assert_eq!(suite.encapsulation_key_len(), 1600);
/// assert_eq!(suite.ciphertext_len(), 1600);
/// assert_eq!(KemSuite::from_id(0x0001)?, suite);
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct KemSuite(pub(super) &'static HybridSuite);

impl KemSuite {
    /// X25519 and ML-KEM-1024, combined by HKDF-SHA384. The default.
    pub const X25519_ML_KEM_1024: Self = Self(&hybrid::X25519_ML_KEM_1024);

    /// ECDH over P-384 and ML-KEM-1024: HPKE's MLKEM1024-P384, for interoperation.
    pub const ML_KEM_1024_P384: Self = Self(&hybrid::ML_KEM_1024_P384);

    /// Every suite, the default first.
    pub const ALL: &'static [Self] = &[Self::X25519_ML_KEM_1024, Self::ML_KEM_1024_P384];

    /// Length of a decapsulation key's seed, in bytes, in every suite.
    pub const SEED_LEN: usize = constants::KEM_SEED;

    /// The suite with this identifier.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] if there is none.
    pub fn from_id(id: u16) -> Result<Self, Error> {
        Self::ALL
            .iter()
            .copied()
            .find(|suite| suite.id() == id)
            .ok_or(Error::Unknown { what: "KEM suite", id })
    }

    /// The identifier that envelopes and key files carry.
    #[must_use]
    pub const fn id(self) -> u16 {
        self.0.id
    }

    /// The name, as its specification spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The object identifier that PKCS#8, SPKI and certificates carry, in dotted form; the default suite
    /// has none.
    #[must_use]
    pub const fn oid(self) -> Option<&'static str> {
        self.0.oid
    }

    /// Length of an encapsulation key, in bytes.
    #[must_use]
    pub const fn encapsulation_key_len(self) -> usize {
        self.0.lengths.encapsulation_key
    }

    /// Length of a ciphertext, in bytes.
    #[must_use]
    pub const fn ciphertext_len(self) -> usize {
        self.0.lengths.ciphertext
    }

    /// Length of a shared secret, in bytes.
    #[must_use]
    pub const fn shared_secret_len(self) -> usize {
        self.0.lengths.shared_secret
    }

    /// The hybrid on a provider, as a [`Kem`] like any primitive; [`Kem`] has an example.
    #[must_use]
    pub fn kem(self, provider: &Provider) -> impl Kem + use<> {
        self.0.on(provider)
    }

    pub(super) fn lengths(self) -> KemLengths {
        self.0.lengths
    }
}

impl PartialEq for KemSuite {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for KemSuite {}

impl hash::Hash for KemSuite {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Display for KemSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for KemSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KemSuite({})", self.name())
    }
}
