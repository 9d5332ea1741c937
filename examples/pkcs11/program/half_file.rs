//! A post-quantum half in a file: PKCS#8 of an ML-KEM seed (RFC 9935) or an ML-DSA seed (RFC 9881), as PEM. Other
//! software reads it, too; without the other half it opens and signs nothing.

use std::{io::Read, path::Path};

use pem_rfc7468::LineEnding;
use pkcs11::Algorithm;
use zeroize::Zeroizing;

use crate::{Result, at, files};

const LABEL: &str = "PRIVATE KEY";

/// What is in front of the seed: version 0, the algorithm, and the seed's tag \[0\] in an OCTET STRING.
const ML_KEM_1024: &[u8] =
    b"\x30\x54\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x03\x04\x42\x80\x40";
const ML_DSA_87: &[u8] =
    b"\x30\x34\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13\x04\x22\x80\x20";

/// Larger than the file of any seed.
const LIMIT: u64 = 4096;

/// Writes a new file that only its owner can read.
pub(crate) fn create(path: &Path, algorithm: Algorithm, seed: &[u8]) -> Result<()> {
    let prefix = prefix(algorithm)?;
    let mut der = Zeroizing::new(Vec::with_capacity(prefix.len() + seed.len()));
    der.extend_from_slice(prefix);
    der.extend_from_slice(seed);
    let pem = Zeroizing::new(pem_rfc7468::encode_string(LABEL, LineEnding::LF, &der)?);
    files::create(path, pem.as_bytes(), files::Readers::Owner)
}

/// The seed of an algorithm.
pub(crate) fn read(path: &Path, algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>> {
    let file = common::open_regular(path).map_err(|error| at(path, &error))?;
    let mut pem = Zeroizing::new(Vec::with_capacity(LIMIT as usize + 1));
    file.take(LIMIT).read_to_end(&mut pem).map_err(|error| at(path, &error))?;
    seed(&pem, algorithm).ok_or_else(|| {
        format!("{}: not the seed of an {algorithm} key in PKCS#8", path.display()).into()
    })
}

fn seed(pem: &[u8], algorithm: Algorithm) -> Option<Zeroizing<Vec<u8>>> {
    let (label, der) = pem_rfc7468::decode_vec(pem).ok()?;
    let der = Zeroizing::new(der);
    let seed = der.strip_prefix(prefix(algorithm).ok()?)?;
    (label == LABEL && seed.len() == algorithm.private_len()).then(|| Zeroizing::new(seed.to_vec()))
}

fn prefix(algorithm: Algorithm) -> Result<&'static [u8]> {
    match algorithm {
        Algorithm::MlKem1024 => Ok(ML_KEM_1024),
        Algorithm::MlDsa87 => Ok(ML_DSA_87),
        Algorithm::EcdhP384 | Algorithm::EcdsaP384 => Err(crate::place::not_in_a_file()),
    }
}
