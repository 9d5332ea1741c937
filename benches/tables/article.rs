//! What the article says: every figure of BENCHMARKS.md that was quoted, and none that was measured.
//!
//! `None` is a figure that was not at hand when this table was written. Fill it in here; the tables and
//! their ratios follow.

/// The article's title, and where it is.
pub(crate) const TITLE: &str =
    "Quantum-Resistant Security for Cloud-Native AI: Hybrid Encryption Strategies";
pub(crate) const ADDRESS: &str = "https://quantumencoding.io/blog/\
     quantum-resistant-security-cloud-native-ai-hybrid-encryption-strategies";

/// A latency that the article's table has a cell for.
pub(crate) struct Latency {
    /// As the article calls it.
    pub(crate) algorithm: &'static str,
    /// As it is standardised, and measured here.
    pub(crate) measured: &'static str,
    /// The operation's group here.
    pub(crate) group: &'static str,
    /// The article's figure.
    pub(crate) ms: Option<f64>,
}

const fn latency(
    algorithm: &'static str,
    measured: &'static str,
    group: &'static str,
    ms: Option<f64>,
) -> Latency {
    Latency { algorithm, measured, group, ms }
}

pub(crate) const LATENCIES: [Latency; 17] = [
    latency("RSA-2048", "RSA-2048", "sign/key generation", None),
    latency("RSA-2048", "RSA-2048", "encryption/encrypt", None),
    latency("RSA-2048", "RSA-2048", "encryption/decrypt", None),
    latency("RSA-2048", "RSA-2048", "sign/sign", None),
    latency("RSA-2048", "RSA-2048", "sign/verify", None),
    latency("ECDSA P-256", "ECDSA P-256", "sign/key generation", None),
    latency("ECDSA P-256", "ECDSA P-256", "sign/sign", None),
    latency("ECDSA P-256", "ECDSA P-256", "sign/verify", None),
    latency("Kyber-1024", "ML-KEM-1024", "kem/key generation", None),
    latency("Kyber-1024", "ML-KEM-1024", "kem/encapsulate", None),
    latency("Kyber-1024", "ML-KEM-1024", "kem/decapsulate", None),
    latency("Dilithium-5", "ML-DSA-87", "sign/key generation", None),
    latency("Dilithium-5", "ML-DSA-87", "sign/sign", None),
    latency("Dilithium-5", "ML-DSA-87", "sign/verify", None),
    latency("Falcon-1024", "Falcon-1024", "sign/key generation", None),
    latency("Falcon-1024", "Falcon-1024", "sign/sign", None),
    latency("Falcon-1024", "Falcon-1024", "sign/verify", None),
];

/// The article's sizes in bytes, and what there is to say about them.
pub(crate) struct Size {
    /// As it is measured here.
    pub(crate) measured: &'static str,
    pub(crate) public_key: Option<usize>,
    pub(crate) private_key: Option<usize>,
    pub(crate) ciphertext_or_signature: Option<usize>,
    pub(crate) note: &'static str,
}

const fn size(measured: &'static str, note: &'static str) -> Size {
    Size { measured, public_key: None, private_key: None, ciphertext_or_signature: None, note }
}

pub(crate) const SIZES: [Size; 5] = [
    size("RSA-2048", "here as SubjectPublicKeyInfo and PKCS#8; the modulus alone has 256 bytes"),
    size(
        "ECDSA P-256",
        "the article's public key is wrong: a point has 64 bytes, 65 with SEC 1's prefix, 33 compressed",
    ),
    size("ML-KEM-1024", "Kyber-1024 of round 3 had the same sizes"),
    size(
        "ML-DSA-87",
        "the article's sizes are Dilithium-5's from before the standard: round 3 had a private key of \
         4864 bytes and signatures of 4595",
    ),
    size(
        "Falcon-1024",
        "the article's private key is wrong: it has 2305 bytes; signatures vary and the longest is shown, \
         the padded variant has 1280",
    ),
];

/// By how much messages grow, the article says, in per cent.
pub(crate) struct Growth {
    pub(crate) what: &'static str,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

pub(crate) const GRADIENTS: Growth = Growth { what: "gradient exchange", from: 15.0, to: 25.0 };
pub(crate) const CHECKPOINTS: Growth = Growth { what: "model checkpoints", from: 20.0, to: 35.0 };
pub(crate) const FEDERATED: Growth =
    Growth { what: "federated synchronisation", from: 18.0, to: 30.0 };

pub(crate) const GROWTHS: [Growth; 3] = [GRADIENTS, CHECKPOINTS, FEDERATED];
