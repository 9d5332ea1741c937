//! Keys in the forms of other software, made from the crate's own.

use p384::elliptic_curve::sec1::ToSec1Point;
use twinseal::{DecapsulationKey, SigningKey};

use crate::common::{
    der::{composite_oid, pkcs8_of, tlv},
    keys::{P384, kem_key, signing_key},
};

/// A form's name, and its bytes.
pub(crate) type Form = (String, Vec<u8>);

/// A private key of either kind, in pieces.
pub(crate) struct Pieces {
    /// The algorithm identifier in DER.
    pub(crate) algorithm: Vec<u8>,
    pub(crate) seed: Vec<u8>,
    pub(crate) expanded: Vec<u8>,
    pub(crate) scalar: Vec<u8>,
    /// The canonical public key.
    pub(crate) public: Vec<u8>,
}

impl Pieces {
    pub(crate) fn of_decapsulation_key(number: u8) -> (Self, DecapsulationKey) {
        use ml_kem::{DecapsulationKey1024, array::Array};

        let key = kem_key(P384, number);
        let der = key.to_pkcs8_der().unwrap();
        let (seed, ec) = der.as_bytes()[149 - 128..].split_at(64);
        let expanded = DecapsulationKey1024::from_seed(Array::try_from(seed).unwrap());
        #[expect(deprecated, reason = "other software writes it")]
        let expanded = ml_kem::ExpandedKeyEncoding::to_expanded_bytes(&expanded).to_vec();
        let oid = tlv(0x06, &[b"\x2b\x06\x01\x05\x05\x07\x06\x3f"]);
        let pieces = Self {
            algorithm: tlv(0x30, &[&oid]),
            seed: seed.to_vec(),
            expanded,
            scalar: ec[7..55].to_vec(),
            public: key.encapsulation_key().as_bytes().to_vec(),
        };
        (pieces, key)
    }

    pub(crate) fn of_signing_key(number: u8) -> (Self, SigningKey) {
        let key = signing_key(number);
        let (seed, ec) = key.secret_bytes().split_at(32);
        let expanded =
            ml_dsa::ExpandedSigningKey::<ml_dsa::MlDsa87>::from_seed(&seed.try_into().unwrap());
        #[expect(deprecated, reason = "other software writes it")]
        let expanded = expanded.to_expanded().to_vec();
        let pieces = Self {
            algorithm: tlv(0x30, &[&composite_oid()]),
            seed: seed.to_vec(),
            expanded,
            scalar: ec[7..55].to_vec(),
            public: key.verifying_key().as_bytes().to_vec(),
        };
        (pieces, key)
    }

    /// The last 97 bytes of the public key.
    pub(crate) fn point(&self) -> &[u8] {
        &self.public[self.public.len() - 97..]
    }

    /// The public key with its point compressed.
    pub(crate) fn compressed_public(&self) -> Vec<u8> {
        [&self.public[..self.public.len() - 97], &compressed(self.point())].concat()
    }

    /// The P-384 half in each form.
    pub(crate) fn traditional(&self) -> Vec<Form> {
        let mut forms = vec![("bare scalar".into(), self.scalar.clone())];
        for curve in [false, true] {
            for point in [None, Some(self.point().to_vec()), Some(compressed(self.point()))] {
                let name = format!("curve {curve}, point {:?}", point.as_ref().map(Vec::len));
                let curve: &[u8] = if curve { SECP384R1 } else { b"" };
                forms.push((name, ec_private_key(1, &self.scalar, curve, point.as_deref())));
            }
        }
        forms
    }

    /// The post-quantum half in each form that has the seed.
    pub(crate) fn post_quantum(&self) -> Vec<Form> {
        let (seed, expanded) = (tlv(0x04, &[&self.seed]), tlv(0x04, &[&self.expanded]));
        vec![
            ("seed".into(), self.seed.clone()),
            ("[0] seed".into(), tlv(0x80, &[&self.seed])),
            ("seed and expanded".into(), tlv(0x30, &[&seed, &expanded])),
        ]
    }

    /// The canonical content of PKCS#8.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        [&self.seed[..], &ec_private_key(1, &self.scalar, SECP384R1, None)].concat()
    }

    pub(crate) fn pkcs8(&self, version: u8, content: &[u8], behind: &[&[u8]]) -> Vec<u8> {
        pkcs8_of(version, &self.algorithm, content, &behind.concat())
    }
}

/// `[0]` with the object identifier of the curve.
pub(crate) const SECP384R1: &[u8] = b"\xa0\x07\x06\x05\x2b\x81\x04\x00\x22";

/// RFC 5915, with what is given.
pub(crate) fn ec_private_key(
    version: u8,
    scalar: &[u8],
    curve: &[u8],
    point: Option<&[u8]>,
) -> Vec<u8> {
    let point = point.map(|point| tlv(0xa1, &[&tlv(0x03, &[&[0], point])]));
    let fields =
        [&tlv(0x02, &[&[version]]), &tlv(0x04, &[scalar]), curve, &point.unwrap_or_default()];
    tlv(0x30, &fields)
}

/// `[1]` of version 2 of PKCS#8.
pub(crate) fn public_field(key: &[u8]) -> Vec<u8> {
    tlv(0x81, &[&[0], key])
}

/// `[0]` with a friendlyName.
pub(crate) fn attributes() -> Vec<u8> {
    let name = tlv(0x31, &[&tlv(0x1e, &[b"\0a\0b"])]);
    tlv(0xa0, &[&tlv(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14", &name])])
}

pub(crate) fn compressed(point: &[u8]) -> Vec<u8> {
    let key = p384::PublicKey::from_sec1_bytes(point).unwrap();
    key.to_sec1_point(true).as_bytes().to_vec()
}
