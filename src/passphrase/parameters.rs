//! How is a private key encrypted? PBES2 (RFC 8018 §6.2) with numbers that are within bounds.

use pkcs5::{
    AlgorithmIdentifierRef,
    der::{
        self, Decode, SliceReader,
        asn1::{AnyRef, OctetStringRef, UintRef},
    },
    pbes2::{self, EncryptionScheme, Kdf, Parameters, Pbkdf2Params, Pbkdf2Prf, Salt},
};

use super::Scrypt;
use crate::error::Error;

const WHAT: &str = "encrypted private key";

pub(super) const fn invalid(reason: &'static str) -> Error {
    Error::Invalid { what: WHAT, reason }
}

/// The parser's own errors say where, and nothing that helps.
pub(super) fn malformed(_: der::Error) -> Error {
    invalid("it is not DER of this type")
}

/// Less than a second. Others write up to 600 000.
const MAX_ITERATIONS: u32 = 1_000_000;

/// PBES2 with scrypt or with PBKDF2 (HMAC-SHA-256, -384 or -512), and AES-128, -192 or -256 in CBC. If
/// there is a key length, it is that of the cipher. Everything is checked before pkcs5 sees it, which
/// panics for N = 0 and would try any size.
pub(super) fn read(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Parameters, Error> {
    if algorithm.oid != pbes2::PBES2_OID {
        return Err(unknown(algorithm));
    }
    let (kdf, cipher) = fields(algorithm, |reader| {
        Ok((AlgorithmIdentifierRef::decode(reader)?, AlgorithmIdentifierRef::decode(reader)?))
    })?;
    let encryption = match cipher.oid {
        pbes2::AES_128_CBC_OID | pbes2::AES_192_CBC_OID | pbes2::AES_256_CBC_OID => {
            EncryptionScheme::try_from(cipher).map_err(malformed)?
        }
        _ => return Err(unknown(&cipher)),
    };
    let (kdf, key_length) = match kdf.oid {
        pbes2::SCRYPT_OID => scrypt(&kdf)?,
        pbes2::PBKDF2_OID => pbkdf2(&kdf)?,
        _ => return Err(unknown(&kdf)),
    };
    match key_length {
        Some(length) if length != encryption.key_size() as u64 => {
            Err(invalid("its key length is not that of its cipher"))
        }
        _ => Ok(Parameters { kdf, encryption }),
    }
}

/// RFC 7914 §7.1.
fn scrypt(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(Kdf, Option<u64>), Error> {
    let (salt, n, r, p, key_length) = fields(algorithm, |reader| {
        let salt = <&OctetStringRef>::decode(reader)?;
        Ok((salt, number(reader)?, number(reader)?, number(reader)?, optional(reader)?))
    })?;
    let scrypt = Scrypt::within_bounds(n, r, p)
        .map_err(|reason| Error::Invalid { what: "scrypt parameters", reason })?;
    Ok((scrypt.with_salt(read_salt(salt)?).into(), key_length))
}

/// RFC 8018 §A.2.
fn pbkdf2(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(Kdf, Option<u64>), Error> {
    let (salt, iterations, key_length, prf): (_, _, _, Option<_>) = fields(algorithm, |reader| {
        let salt = <&OctetStringRef>::decode(reader)?;
        Ok((salt, number(reader)?, optional(reader)?, Option::decode(reader)?))
    })?;
    let iteration_count = u32::try_from(iterations).ok();
    let iteration_count = iteration_count
        .filter(|count| (1..=MAX_ITERATIONS).contains(count))
        .ok_or(invalid("PBKDF2 has no iterations, or more than 1 000 000"))?;
    let prf = match prf {
        Some(prf) => match Pbkdf2Prf::try_from(prf) {
            Ok(
                allowed @ (Pbkdf2Prf::HmacWithSha256
                | Pbkdf2Prf::HmacWithSha384
                | Pbkdf2Prf::HmacWithSha512),
            ) => allowed,
            _ => return Err(unknown(&prf)),
        },
        None => return Err(unknown(&Pbkdf2Prf::HmacWithSha1.into())),
    };
    let salt = read_salt(salt)?;
    Ok((Pbkdf2Params { salt, iteration_count, key_length: None, prf }.into(), key_length))
}

/// The fields of an algorithm's parameters, which are a SEQUENCE of exactly these.
fn fields<'a, Fields>(
    algorithm: &AlgorithmIdentifierRef<'a>,
    read: impl FnOnce(&mut SliceReader<'a>) -> der::Result<Fields>,
) -> Result<Fields, Error> {
    sequence(algorithm.parameters.ok_or(invalid("its algorithm has no parameters"))?, read)
}

pub(super) fn sequence<'a, Fields>(
    any: AnyRef<'a>,
    read: impl FnOnce(&mut SliceReader<'a>) -> der::Result<Fields>,
) -> Result<Fields, Error> {
    any.sequence(read).map_err(malformed)
}

fn number<'a>(reader: &mut SliceReader<'a>) -> der::Result<u64> {
    Ok(value(&UintRef::decode(reader)?))
}

fn optional<'a>(reader: &mut SliceReader<'a>) -> der::Result<Option<u64>> {
    Ok(Option::<UintRef<'_>>::decode(reader)?.as_ref().map(value))
}

/// Whatever is too large for a u64 is too large for every bound.
fn value(number: &UintRef<'_>) -> u64 {
    let mut value = [0; 8];
    let bytes = number.as_bytes(); // without leading zeros
    match value.len().checked_sub(bytes.len()) {
        Some(zeros) => {
            value.iter_mut().skip(zeros).zip(bytes).for_each(|(digit, byte)| *digit = *byte);
            u64::from_be_bytes(value)
        }
        None => u64::MAX,
    }
}

fn read_salt(salt: &OctetStringRef) -> Result<Salt, Error> {
    let bytes = salt.as_bytes();
    if bytes.len() > Salt::MAX_LEN {
        return Err(invalid("its salt is longer than 32 bytes")); // `Salt::new` would panic
    }
    Salt::new(bytes).map_err(malformed)
}

fn unknown(algorithm: &AlgorithmIdentifierRef<'_>) -> Error {
    Error::Algorithm { what: "encryption of the private key", oid: algorithm.oid.to_string() }
}
