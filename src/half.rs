//! The two halves of a hybrid.

use std::fmt;

/// One half of a hybrid key. The post-quantum half comes first in every encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Half {
    /// ML-KEM or ML-DSA.
    PostQuantum,
    /// X25519, ECDH or ECDSA.
    Traditional,
}

impl fmt::Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PostQuantum => "post-quantum half",
            Self::Traditional => "traditional half",
        })
    }
}

/// What there is of each half of a hybrid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Halves<T> {
    /// Of ML-KEM or ML-DSA.
    pub post_quantum: T,
    /// Of X25519, ECDH or ECDSA.
    pub traditional: T,
}
