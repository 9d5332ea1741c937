//! Identifiers, labels and lengths of suites, keys, envelopes, sessions, requests and sealed stores; SPEC.md explains
//! them. The labels of HPKE and of Cobblestone are in the modules that implement these.

/// Lengths of a KEM's values, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KemLengths {
    /// The seed of a decapsulation key.
    pub seed: usize,
    /// An encapsulation key.
    pub encapsulation_key: usize,
    /// A ciphertext.
    pub ciphertext: usize,
    /// A shared secret.
    pub shared_secret: usize,
}

/// Lengths of a signature scheme's values, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureLengths {
    /// A signing key.
    pub signing_key: usize,
    /// A verifying key.
    pub verifying_key: usize,
    /// The longest signature.
    pub signature: usize,
}

// KEM suites (SPEC.md, "KEM suites"). The registry is our own; 0x0051 equals IANA's HPKE KEM
// identifier by choice.

pub(crate) const X25519_ML_KEM_1024_ID: u16 = 0x0001;
pub(crate) const X25519_ML_KEM_1024_NAME: &str = "X25519-ML-KEM-1024";
pub(crate) const X25519_ML_KEM_1024_LABEL: &[u8] = b"twinseal/X25519-ML-KEM-1024/v1";
pub(crate) const X25519_ML_KEM_1024_SECRET: usize = 64;
pub(crate) const X25519_ML_KEM_1024_KEYGEN: &[u8] = b"twinseal/keygen/X25519-ML-KEM-1024/v1";

pub(crate) const ML_KEM_1024_P384_ID: u16 = 0x0051;
pub(crate) const ML_KEM_1024_P384_NAME: &str = "MLKEM1024-P384";
pub(crate) const ML_KEM_1024_P384_SECRET: usize = 32;
pub(crate) const ML_KEM_1024_P384_LABEL: &[u8] = b"MLKEM1024-P384";
pub(crate) const ML_KEM_1024_P384_OID: &str = "1.3.6.1.5.5.7.6.63";

/// The seed of every hybrid decapsulation key.
pub(crate) const KEM_SEED: usize = 32;

pub(crate) const X25519_LENGTHS: KemLengths =
    KemLengths { seed: 32, encapsulation_key: 32, ciphertext: 32, shared_secret: 32 };

pub(crate) const P384_LENGTHS: KemLengths =
    KemLengths { seed: 48, encapsulation_key: 97, ciphertext: 97, shared_secret: 48 };

pub(crate) const ML_KEM_1024_LENGTHS: KemLengths =
    KemLengths { seed: 64, encapsulation_key: 1568, ciphertext: 1568, shared_secret: 32 };

/// The lengths of a hybrid follow from its halves; only its shared secret is its combiner's.
pub(crate) const fn hybrid_lengths(
    post_quantum: KemLengths,
    traditional: KemLengths,
    shared_secret: usize,
) -> KemLengths {
    KemLengths {
        seed: KEM_SEED,
        encapsulation_key: post_quantum.encapsulation_key + traditional.encapsulation_key,
        ciphertext: post_quantum.ciphertext + traditional.ciphertext,
        shared_secret,
    }
}

// Signature suites (SPEC.md, "Signature suites").

pub(crate) const ML_DSA_87_ECDSA_P384_ID: u16 = 0x0001;
pub(crate) const ML_DSA_87_ECDSA_P384_NAME: &str = "id-MLDSA87-ECDSA-P384-SHA512";
pub(crate) const ML_DSA_87_ECDSA_P384_LABEL: &[u8] = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512";
pub(crate) const ML_DSA_87_ECDSA_P384_OID: &str = "1.3.6.1.5.5.7.6.49";

/// In which the signing halves of a split key are tried.
pub(crate) const CHECK_SIGNATURE_CONTEXT: &[u8] = b"twinseal/check/v1";

/// The first bytes of every message representative (draft-ietf-lamps-pq-composite-sigs §2.2).
pub(crate) const COMPOSITE_PREFIX: &[u8] = b"CompositeAlgorithmSignatures2025";

pub(crate) const ML_DSA_87_LENGTHS: SignatureLengths =
    SignatureLengths { signing_key: 32, verifying_key: 2592, signature: 4627 };

/// With the signing key as an RFC 5915 structure, and the signature in DER.
pub(crate) const ECDSA_P384_DER_LENGTHS: SignatureLengths = SignatureLengths {
    signing_key: crate::ec_private_key::LENGTH,
    verifying_key: 97,
    signature: 104,
};

/// As providers see it: scalar, point, `r || s`.
pub(crate) const ECDSA_P384_LENGTHS: SignatureLengths =
    SignatureLengths { signing_key: 48, verifying_key: 97, signature: 96 };

#[cfg(feature = "experimental-falcon")]
pub(crate) const FALCON_1024_ECDSA_P384_ID: u16 = 0xf001;
#[cfg(feature = "experimental-falcon")]
pub(crate) const FALCON_1024_ECDSA_P384_NAME: &str = "experimental-ECDSA-P384-Falcon-1024";
#[cfg(feature = "experimental-falcon")]
pub(crate) const FALCON_1024_ECDSA_P384_LABEL: &[u8] = b"twinseal/ECDSA-P384-Falcon-1024/v1";

/// With the verifying key behind the secret key; signatures are shorter, of varying length.
#[cfg(feature = "experimental-falcon")]
pub(crate) const FALCON_1024_LENGTHS: SignatureLengths =
    SignatureLengths { signing_key: 2305 + 1793, verifying_key: 1793, signature: 1462 };

pub(crate) const fn composite_lengths(
    post_quantum: SignatureLengths,
    traditional: SignatureLengths,
    prefix: usize,
) -> SignatureLengths {
    SignatureLengths {
        signing_key: post_quantum.signing_key + traditional.signing_key,
        verifying_key: post_quantum.verifying_key + traditional.verifying_key,
        signature: prefix + post_quantum.signature + traditional.signature,
    }
}

// Key identifiers.

pub(crate) const KEY_ID_KEM: &[u8] = b"twinseal/key-id/kem/v1";
pub(crate) const KEY_ID_SIGN: &[u8] = b"twinseal/key-id/sign/v1";

// Envelope v1.

pub(crate) const ENVELOPE_MAGIC: &[u8; 8] = b"twinseal";
pub(crate) const ENVELOPE_VERSION: u8 = 0x01;
pub(crate) const BODY_COBBLESTONE_256: u8 = 0x01;
pub(crate) const ENVELOPE_INFO: &[u8] = b"twinseal/envelope/v1";
pub(crate) const WRAP_INFO: &[u8] = b"twinseal/wrap/v1";
pub(crate) const MAX_RECIPIENTS: usize = 1000;
pub(crate) const MAX_HEADER: usize = 4 * 1024 * 1024;
/// The longest ciphertext of a suite that is not known.
pub(crate) const MAX_UNKNOWN_CIPHERTEXT: usize = 8192;

// PEM labels (RFC 7468).

pub(crate) const PEM_KEM_PUBLIC: &str = "TWINSEAL KEM PUBLIC KEY";
pub(crate) const PEM_KEM_PRIVATE: &str = "TWINSEAL KEM PRIVATE KEY";
pub(crate) const PEM_SPKI: &str = "PUBLIC KEY";
pub(crate) const PEM_PKCS8: &str = "PRIVATE KEY";
pub(crate) const PEM_ENCRYPTED_PKCS8: &str = "ENCRYPTED PRIVATE KEY";
pub(crate) const PEM_ENCRYPTED_KEM: &str = "TWINSEAL ENCRYPTED KEM PRIVATE KEY";
pub(crate) const PEM_EXPERIMENTAL_PUBLIC: &str = "TWINSEAL EXPERIMENTAL PUBLIC KEY";
pub(crate) const PEM_EXPERIMENTAL_PRIVATE: &str = "TWINSEAL EXPERIMENTAL PRIVATE KEY";

// Sessions.

pub(crate) const SESSION_MAGIC: &[u8; 8] = b"twinsess";
pub(crate) const SESSION_VERSION: u8 = 0x01;
pub(crate) const SESSION_SUITE_ID: &[u8] = b"twinseal";
pub(crate) const SESSION_INFO: &[u8] = b"twinseal/session/v1";
pub(crate) const SESSION_SIGNATURE_CONTEXT: &[u8] = b"twinseal/session/v1";
pub(crate) const SESSION_REPLY: &[u8] = b"twinseal/reply/v1";
pub(crate) const SESSION_ID: &[u8] = b"twinseal/session-id/v1";

// Requests and answers.

pub(crate) const REQUEST_MAGIC: &[u8; 8] = b"twinrqst";
pub(crate) const REQUEST_VERSION: u8 = 0x01;
pub(crate) const REQUEST_INFO: &[u8] = b"twinseal/request/v1";
pub(crate) const REQUEST_SIGNATURE_CONTEXT: &[u8] = b"twinseal/request/v1";
pub(crate) const REQUEST_ID: &[u8] = b"twinseal/request-id/v1";
pub(crate) const ANSWER_MAGIC: &[u8; 8] = b"twinansw";
pub(crate) const ANSWER_VERSION: u8 = 0x01;
pub(crate) const ANSWER_WHOLE: u8 = 0x01;
pub(crate) const ANSWER_IN_PIECES: u8 = 0x02;
pub(crate) const ANSWER_INFO: &[u8] = b"twinseal/answer/v1";
pub(crate) const ANSWER_PIECES_INFO: &[u8] = b"twinseal/answer-pieces/v1";

// Sealed stores.

#[cfg(feature = "object_store")]
pub(crate) const STORE_KEYS_MAGIC: &[u8; 8] = b"twinstor";
#[cfg(feature = "object_store")]
pub(crate) const STORE_KEYS_VERSION: u8 = 0x01;
/// In which keys objects are sealed.
#[cfg(feature = "object_store")]
pub(crate) const STORE_KEYS_CONTEXT: &[u8] = b"twinseal/store-keys/v1";
/// In which their owner signs them.
#[cfg(feature = "object_store")]
pub(crate) const STORE_SIGNATURE_CONTEXT: &[u8] = b"twinseal/store/v1";
/// The longest keys object that is fetched.
#[cfg(feature = "object_store")]
pub(crate) const STORE_KEYS_MAX: usize = 12 * 1024 * 1024;
#[cfg(feature = "object_store")]
pub(crate) const OBJECT_MAGIC: &[u8; 8] = b"twinobjt";
#[cfg(feature = "object_store")]
pub(crate) const OBJECT_VERSION: u8 = 0x01;
#[cfg(feature = "object_store")]
pub(crate) const OBJECT_INFO: &[u8] = b"twinseal/object/v1";
