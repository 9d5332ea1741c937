//! The four algorithms of halves, and how PKCS#11 calls them.

use std::fmt;

use cryptoki::{
    mechanism::{Mechanism, MechanismType},
    object::{Attribute, AttributeType, KeyType, MlDsaParameterSetType, MlKemParameterSetType},
};

use crate::Fault;

/// The algorithm of a half. Lengths are those of the provider's primitives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDH on P-384, the traditional half of a KEM. Public: `04 || X || Y`, 97 bytes. Private: 48 bytes.
    EcdhP384,
    /// ECDSA on P-384, the traditional half of a signature. Lengths as for ECDH.
    EcdsaP384,
    /// ML-KEM-1024 (FIPS 203). Public: 1568 bytes. Private: the seed, 64 bytes.
    MlKem1024,
    /// ML-DSA-87 (FIPS 204). Public: 2592 bytes. Private: the seed, 32 bytes.
    MlDsa87,
}

/// secp384r1 (1.3.132.0.34) as a DER object identifier.
const P384: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// The tag and length of an OCTET STRING of 97 bytes.
const OCTET_STRING: [u8; 2] = [0x04, 97];

impl Algorithm {
    /// All four.
    pub const ALL: [Self; 4] = [Self::EcdhP384, Self::EcdsaP384, Self::MlKem1024, Self::MlDsa87];

    /// The length of the public half, in bytes.
    pub fn public_len(self) -> usize {
        match self {
            Self::EcdhP384 | Self::EcdsaP384 => 97,
            Self::MlKem1024 => 1568,
            Self::MlDsa87 => 2592,
        }
    }

    /// The length of the private half, in bytes.
    pub fn private_len(self) -> usize {
        match self {
            Self::EcdhP384 | Self::EcdsaP384 => 48,
            Self::MlKem1024 => 64,
            Self::MlDsa87 => 32,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EcdhP384 => "ECDH on P-384",
            Self::EcdsaP384 => "ECDSA on P-384",
            Self::MlKem1024 => "ML-KEM-1024",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    pub(crate) fn key_type(self) -> KeyType {
        match self {
            Self::EcdhP384 | Self::EcdsaP384 => KeyType::EC,
            Self::MlKem1024 => KeyType::ML_KEM,
            Self::MlDsa87 => KeyType::ML_DSA,
        }
    }

    /// The mechanism that a token must have to use a key.
    pub(crate) fn mechanism(self) -> MechanismType {
        match self {
            Self::EcdhP384 => MechanismType::ECDH1_DERIVE,
            Self::EcdsaP384 => MechanismType::ECDSA,
            Self::MlKem1024 => MechanismType::ML_KEM,
            Self::MlDsa87 => MechanismType::ML_DSA,
        }
    }

    pub(crate) fn generation(self) -> Mechanism<'static> {
        match self {
            Self::EcdhP384 | Self::EcdsaP384 => Mechanism::EccKeyPairGen,
            Self::MlKem1024 => Mechanism::MlKemKeyPairGen,
            Self::MlDsa87 => Mechanism::MlDsaKeyPairGen,
        }
    }

    /// The curve, or the set of parameters.
    pub(crate) fn parameters(self) -> Attribute {
        match self {
            Self::EcdhP384 | Self::EcdsaP384 => Attribute::EcParams(P384.to_vec()),
            Self::MlKem1024 => Attribute::ParameterSet(MlKemParameterSetType::ML_KEM_1024.into()),
            Self::MlDsa87 => Attribute::ParameterSet(MlDsaParameterSetType::ML_DSA_87.into()),
        }
    }

    pub(crate) fn public_use(self) -> Vec<Attribute> {
        match self {
            Self::EcdhP384 => vec![Attribute::Derive(true), Attribute::Verify(false)],
            Self::EcdsaP384 | Self::MlDsa87 => vec![Attribute::Verify(true)],
            Self::MlKem1024 => vec![Attribute::Encapsulate(true)],
        }
    }

    /// The attribute of a public key object that has the public half.
    pub(crate) fn public_attribute(self) -> AttributeType {
        match self {
            Self::EcdhP384 | Self::EcdsaP384 => AttributeType::EcPoint,
            Self::MlKem1024 | Self::MlDsa87 => AttributeType::Value,
        }
    }

    /// The public half as an attribute of a new object. A point is an OCTET STRING, as PKCS#11 has it since 2.20.
    pub(crate) fn public_value(self, public: &[u8]) -> Attribute {
        match self {
            Self::EcdhP384 | Self::EcdsaP384 => {
                Attribute::EcPoint([&OCTET_STRING[..], public].concat())
            }
            Self::MlKem1024 | Self::MlDsa87 => Attribute::Value(public.to_vec()),
        }
    }

    /// The public half from such an attribute. Some tokens return a point as an OCTET STRING and others do not. Both
    /// begin with the same byte, but only one of the two has the right length.
    pub(crate) fn read_public(self, value: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let wrapped = self.public_attribute() == AttributeType::EcPoint
            && value.len() == OCTET_STRING.len() + self.public_len();
        let public = match value.strip_prefix(&OCTET_STRING) {
            Some(point) if wrapped => point.to_vec(),
            _ => value,
        };
        length("public key", self.public_len(), &public)?;
        Ok(public)
    }

    /// The private half as an attribute of a new object: the scalar, or the seed.
    pub(crate) fn private_value(self, private: &[u8]) -> Attribute {
        match self {
            Self::EcdhP384 | Self::EcdsaP384 => Attribute::Value(private.to_vec()),
            Self::MlKem1024 | Self::MlDsa87 => Attribute::Seed(private.to_vec()),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

pub(crate) fn length(what: &'static str, expected: usize, value: &[u8]) -> Result<(), Fault> {
    let actual = value.len();
    if actual == expected { Ok(()) } else { Err(Fault::Length { what, expected, actual }) }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Fault};

    fn point(before: &[u8], len: usize) -> Vec<u8> {
        let mut point = before.to_vec();
        point.push(4);
        point.resize(before.len() + len, 97);
        point
    }

    #[test]
    fn a_point_is_taken_out_of_its_octet_string_by_its_length() {
        let read = |value| Algorithm::EcdhP384.read_public(value);
        assert_eq!(read(point(&[], 97)).unwrap(), point(&[], 97));
        assert_eq!(read(point(&[4, 97], 97)).unwrap(), point(&[], 97));
        // A point whose X begins like the length of the wrapping stays as it is.
        let mut tricky = point(&[], 97);
        tricky[1] = 97;
        assert_eq!(read(tricky.clone()).unwrap(), tricky);
        for wrong in
            [vec![], point(&[], 65), point(&[4, 65], 65), point(&[4, 97], 96), point(&[4, 98], 97)]
        {
            let error = read(wrong.clone()).unwrap_err();
            assert!(matches!(error, Fault::Length { expected: 97, .. }), "{wrong:02x?}");
        }
    }
}
