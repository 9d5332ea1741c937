//! What the half of a key can be: five algorithms, how their keys are made and what they are called.

use std::fmt;

use twinseal::{
    Error,
    provider::{Decapsulator, Kem, KemLengths, PORTABLE, Random, SchemeSigner, SignatureScheme},
    split::Half,
};
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    MlKem1024,
    X25519,
    P384,
    MlDsa87,
    EcdsaP384,
}

enum Primitive {
    Kem(&'static dyn Kem),
    Signature(&'static dyn SignatureScheme),
}

/// A private half, ready for use; it is wiped when dropped.
pub(crate) struct HalfKey {
    pub(crate) public: Vec<u8>,
    pub(crate) operation: Operation,
}

pub(crate) enum Operation {
    Decapsulate(Box<dyn Decapsulator>, KemLengths),
    Sign(Box<dyn SchemeSigner>),
}

impl Algorithm {
    /// A number on the wire is a place in this list.
    pub(crate) const ALL: [Self; 5] =
        [Self::MlKem1024, Self::X25519, Self::P384, Self::MlDsa87, Self::EcdsaP384];

    /// As the library calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MlKem1024 => "ML-KEM-1024",
            Self::X25519 => "X25519",
            Self::P384 => "P-384",
            Self::MlDsa87 => "ML-DSA-87",
            Self::EcdsaP384 => "ECDSA-P384",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    pub(crate) fn half(self) -> Half {
        match self {
            Self::MlKem1024 | Self::MlDsa87 => Half::PostQuantum,
            Self::X25519 | Self::P384 | Self::EcdsaP384 => Half::Traditional,
        }
    }

    fn primitive(self) -> Primitive {
        match self {
            Self::MlKem1024 => Primitive::Kem(PORTABLE.ml_kem_1024),
            Self::X25519 => Primitive::Kem(PORTABLE.x25519),
            Self::P384 => Primitive::Kem(PORTABLE.p384),
            Self::MlDsa87 => Primitive::Signature(PORTABLE.ml_dsa_87),
            Self::EcdsaP384 => Primitive::Signature(PORTABLE.ecdsa_p384),
        }
    }

    /// The length of the private bytes.
    pub(crate) fn private_length(self) -> usize {
        match self.primitive() {
            Primitive::Kem(kem) => kem.lengths().seed,
            Primitive::Signature(scheme) => scheme.lengths().signing_key,
        }
    }

    /// The private bytes of a new key.
    pub(crate) fn generate(self) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self.primitive() {
            // Any bytes are one; for P-384 all but one in 2^189.
            Primitive::Kem(kem) => {
                let mut private = Zeroizing::new(vec![0; kem.lengths().seed]);
                Random::System.fill(&mut private)?;
                Ok(private)
            }
            Primitive::Signature(scheme) => scheme.generate(&mut Random::System),
        }
    }

    pub(crate) fn load(self, private: &[u8]) -> Result<HalfKey, Error> {
        let (expected, actual) = (self.private_length(), private.len());
        if actual != expected {
            return Err(Error::Length { what: "private half", expected, actual });
        }
        Ok(match self.primitive() {
            Primitive::Kem(kem) => {
                let pair = kem.key_pair(private)?;
                let operation = Operation::Decapsulate(pair.decapsulator, kem.lengths());
                HalfKey { public: pair.encapsulation_key, operation }
            }
            Primitive::Signature(scheme) => {
                let pair = scheme.key_pair(private)?;
                HalfKey { public: pair.verifying_key, operation: Operation::Sign(pair.signer) }
            }
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names of keys are in logs, and are names of files.
pub(crate) const NAMES: &str = "1 to 32 of a-z, 0-9 and -";

pub(crate) fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}
