//! Which signature suites are there?

use std::{fmt, hash};

use super::composite::{self, CompositeSuite};
use crate::{
    error::Error,
    provider::{Provider, SignatureLengths, SignatureScheme},
};

/// A hybrid signature scheme: two schemes, of which both must verify.
///
/// | suite | id | halves | specification |
/// |---|---|---|---|
/// | [`ML_DSA_87_ECDSA_P384`](Self::ML_DSA_87_ECDSA_P384), the default | 0x0001 | ML-DSA-87 (FIPS 204), ECDSA P-384 with SHA-384 (FIPS 186-5) | id-MLDSA87-ECDSA-P384-SHA512 of draft-ietf-lamps-pq-composite-sigs |
///
/// ```
/// use twinseal::SignatureSuite;
///
/// let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
/// assert_eq!(suite.verifying_key_len(), 2689);
/// assert_eq!(suite.max_signature_len(), 4731);
/// assert_eq!(suite.oid(), Some("1.3.6.1.5.5.7.6.49"));
/// ```
#[derive(Clone, Copy)]
pub struct SignatureSuite(pub(crate) &'static CompositeSuite);

impl SignatureSuite {
    /// ML-DSA-87 and ECDSA over P-384. The default.
    pub const ML_DSA_87_ECDSA_P384: Self = Self(&composite::ML_DSA_87_ECDSA_P384);

    /// Experimental, and outside the stability promise: Falcon-1024 of round 3 and ECDSA over
    /// P-384. FIPS 206 is not final, and will not be compatible.
    #[cfg(feature = "experimental-falcon")]
    pub const EXPERIMENTAL_FALCON_1024_ECDSA_P384: Self = Self(&composite::FALCON_1024_ECDSA_P384);

    /// Every suite of the stability promise, the default first.
    pub const STABLE: &'static [Self] = &[Self::ML_DSA_87_ECDSA_P384];

    /// Every suite that is compiled in, the default first.
    pub const ALL: &'static [Self] = &[
        Self::ML_DSA_87_ECDSA_P384,
        #[cfg(feature = "experimental-falcon")]
        Self::EXPERIMENTAL_FALCON_1024_ECDSA_P384,
    ];

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
            .ok_or(Error::Unknown { what: "signature suite", id })
    }

    /// The identifier that the crate's own formats carry.
    #[must_use]
    pub const fn id(self) -> u16 {
        self.0.id
    }

    /// The name, as its specification spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The label that ties the halves together (draft-ietf-lamps-pq-composite-sigs §2.2). For ML-DSA it is also the
    /// context (FIPS 204 §5.2).
    #[must_use]
    pub const fn label(self) -> &'static [u8] {
        self.0.label
    }

    /// The context in M', the message that both halves of this suite sign. Whoever keeps a half decides by it what the
    /// half signs, and refuses every message that has none: half a signature over anything else may be worth
    /// something in somebody else's protocol.
    ///
    /// `M' = Prefix || Label || len(context) || context || SHA-512(message)`
    /// (draft-ietf-lamps-pq-composite-sigs §2.2).
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not an M' of this suite.
    ///
    /// ```
    /// use twinseal::{SignatureSuite, SigningKey};
    ///
    /// let alice = SigningKey::generate()?;
    /// let to_be_signed = alice.verifying_key().to_be_signed(b"example.com/releases", &[7; 64])?;
    /// let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
    /// assert_eq!(suite.context_of(to_be_signed.message())?, b"example.com/releases");
    /// assert!(suite.context_of(b"any other message").is_err());
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn context_of(self, message: &[u8]) -> Result<&[u8], Error> {
        self.0.context_of(message).ok_or(Error::Invalid {
            what: "message of a composite signature",
            reason: "it is not one of this suite",
        })
    }

    /// The object identifier that PKCS#8 and SPKI carry, in dotted form; an experimental suite has
    /// none.
    #[must_use]
    pub const fn oid(self) -> Option<&'static str> {
        self.0.oid
    }

    /// Length of a signing key, in bytes.
    #[must_use]
    pub const fn signing_key_len(self) -> usize {
        self.0.lengths.signing_key
    }

    /// Length of a verifying key, in bytes.
    #[must_use]
    pub const fn verifying_key_len(self) -> usize {
        self.0.lengths.verifying_key
    }

    /// Length of the longest signature, in bytes. Most are one to three bytes shorter, because
    /// ECDSA's half is in DER.
    #[must_use]
    pub const fn max_signature_len(self) -> usize {
        self.0.lengths.signature
    }

    /// The composite on a provider, as a [`SignatureScheme`] like any primitive;
    /// [`SignatureScheme`] has an example.
    #[must_use]
    pub fn scheme(self, provider: &Provider) -> impl SignatureScheme + use<> {
        self.0.on(provider)
    }

    pub(super) fn lengths(self) -> SignatureLengths {
        self.0.lengths
    }
}

impl PartialEq for SignatureSuite {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for SignatureSuite {}

impl hash::Hash for SignatureSuite {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Display for SignatureSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for SignatureSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignatureSuite({})", self.name())
    }
}
