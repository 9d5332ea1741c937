//! What the article says: every quoted figure of BENCHMARKS.md, and no measured one.

/// The article's title, and where it is.
pub(crate) const TITLE: &str =
    "Quantum-Resistant Security for Cloud-Native AI: Hybrid Encryption Strategies";
pub(crate) const ADDRESS: &str = "https://quantumencoding.io/blog/\
     quantum-resistant-security-cloud-native-ai-hybrid-encryption-strategies";

/// A cell of the article's table of computational overhead.
pub(crate) struct Latency {
    /// As the article calls it.
    pub(crate) algorithm: &'static str,
    /// As it is standardised, and measured here.
    pub(crate) measured: &'static str,
    /// The operation's group here.
    pub(crate) group: &'static str,
    /// The article's figure.
    pub(crate) ms: f64,
}

/// An algorithm by the article's name and by its standard's, if they differ.
pub(crate) fn both_names(algorithm: &str, measured: &str) -> String {
    if algorithm == measured { algorithm.to_owned() } else { format!("{algorithm} ({measured})") }
}

const fn latency(
    algorithm: &'static str,
    measured: &'static str,
    group: &'static str,
    ms: f64,
) -> Latency {
    Latency { algorithm, measured, group, ms }
}

/// All of them; where the article has a dash, there is no row.
pub(crate) const LATENCIES: [Latency; 17] = [
    latency("RSA-2048", "RSA-2048", "sign/key generation", 45.2),
    latency("RSA-2048", "RSA-2048", "encryption/encrypt", 0.8),
    latency("RSA-2048", "RSA-2048", "encryption/decrypt", 23.1),
    latency("RSA-2048", "RSA-2048", "sign/sign", 25.3),
    latency("RSA-2048", "RSA-2048", "sign/verify", 0.9),
    latency("ECDSA P-256", "ECDSA P-256", "sign/key generation", 2.1),
    latency("ECDSA P-256", "ECDSA P-256", "sign/sign", 1.8),
    latency("ECDSA P-256", "ECDSA P-256", "sign/verify", 3.2),
    latency("Kyber-1024", "ML-KEM-1024", "kem/key generation", 12.3),
    latency("Kyber-1024", "ML-KEM-1024", "kem/encapsulate", 15.6),
    latency("Kyber-1024", "ML-KEM-1024", "kem/decapsulate", 5.8),
    latency("Dilithium-5", "ML-DSA-87", "sign/key generation", 28.9),
    latency("Dilithium-5", "ML-DSA-87", "sign/sign", 45.2),
    latency("Dilithium-5", "ML-DSA-87", "sign/verify", 12.7),
    latency("Falcon-1024", "Falcon-1024", "sign/key generation", 15.7),
    latency("Falcon-1024", "Falcon-1024", "sign/sign", 8.9),
    latency("Falcon-1024", "Falcon-1024", "sign/verify", 5.3),
];

/// What a size is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    PublicKey,
    PrivateKey,
    Signature,
}

/// A cell of the article's table of sizes.
pub(crate) struct Size {
    /// As the article calls it.
    pub(crate) algorithm: &'static str,
    /// As it is measured here.
    pub(crate) measured: &'static str,
    pub(crate) part: Part,
    /// The article's figure.
    pub(crate) bytes: usize,
    /// Whether it is right, and for what.
    pub(crate) note: &'static str,
}

const fn size(
    algorithm: &'static str,
    measured: &'static str,
    part: Part,
    bytes: usize,
    note: &'static str,
) -> Size {
    Size { algorithm, measured, part, bytes, note }
}

const RIGHT: &str = "right";

/// All of them; the article has no sizes of ciphertexts.
pub(crate) const SIZES: [Size; 14] = [
    size(
        "RSA-2048",
        "RSA-2048",
        Part::PublicKey,
        256,
        "only the modulus; measured as SubjectPublicKeyInfo",
    ),
    size(
        "RSA-2048",
        "RSA-2048",
        Part::PrivateKey,
        256,
        "wrong: a private key has more than the modulus; measured as PKCS#8, which varies by a few bytes",
    ),
    size("RSA-2048", "RSA-2048", Part::Signature, 256, RIGHT),
    size(
        "ECDSA P-256",
        "ECDSA P-256",
        Part::PublicKey,
        32,
        "wrong: a point has 64 bytes of coordinates, 65 with SEC 1's prefix, 33 compressed",
    ),
    size("ECDSA P-256", "ECDSA P-256", Part::PrivateKey, 32, RIGHT),
    size("ECDSA P-256", "ECDSA P-256", Part::Signature, 64, RIGHT),
    size("Kyber-1024", "ML-KEM-1024", Part::PublicKey, 1568, RIGHT),
    size("Kyber-1024", "ML-KEM-1024", Part::PrivateKey, 3168, "right for the expanded form"),
    size("Dilithium-5", "ML-DSA-87", Part::PublicKey, 2592, RIGHT),
    size(
        "Dilithium-5",
        "ML-DSA-87",
        Part::PrivateKey,
        4860,
        "wrong: the expanded form had 4864 bytes in round 3, and has 4896 in FIPS 204",
    ),
    size(
        "Dilithium-5",
        "ML-DSA-87",
        Part::Signature,
        4595,
        "outdated: right for round 3, 4627 in FIPS 204",
    ),
    size("Falcon-1024", "Falcon-1024", Part::PublicKey, 1793, RIGHT),
    size(
        "Falcon-1024",
        "Falcon-1024",
        Part::PrivateKey,
        1281,
        "wrong: 2305; 1281 is the length of Falcon-512's",
    ),
    size(
        "Falcon-1024",
        "Falcon-1024",
        Part::Signature,
        1330,
        "wrong: lengths vary, padded ones have 1280 bytes in round 3, and the longest is measured",
    ),
];

/// A claim about how much sealing adds, in per cent.
pub(crate) struct Growth {
    pub(crate) what: &'static str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// What grows.
    pub(crate) claim: &'static str,
}

const fn growth(what: &'static str, from: f64, to: f64, claim: &'static str) -> Growth {
    Growth { what, from, to, claim }
}

pub(crate) const GRADIENTS: Growth = growth("gradient exchange", 15.0, 25.0, "more bandwidth");
pub(crate) const CHECKPOINTS: Growth =
    growth("model checkpointing", 20.0, 35.0, "larger encrypted checkpoints");
pub(crate) const FEDERATED: Growth =
    growth("federated learning", 18.0, 30.0, "longer synchronisation");

pub(crate) const GROWTHS: [Growth; 3] = [GRADIENTS, CHECKPOINTS, FEDERATED];
