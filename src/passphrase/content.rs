//! What is encrypted: a private key, and the id of the key that it must be.
//!
//! CBC does not authenticate: a changed bit of an encrypted seed would give another key and no error.

use zeroize::Zeroizing;

use super::der;
use crate::{
    error::Error,
    kem::{DecapsulationKey, KemSuite},
    key_files::PrivateDer,
    key_id::KeyId,
    wire,
};

/// The attribute localKeyId (RFC 2985 §5.5.2) of a PKCS#8 key, up to the key id.
const LOCAL_KEY_ID: &[u8; 19] =
    b"\xa0\x21\x30\x1f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15\x31\x12\x04\x10";

/// PKCS#8 with the attribute behind it.
pub(super) fn of_pkcs8(key: &PrivateDer, id: KeyId) -> Zeroizing<Vec<u8>> {
    let elements = der::elements(key.as_bytes()).expect("PKCS#8 is a SEQUENCE");
    Zeroizing::new(der::sequence(&[elements, LOCAL_KEY_ID, id.as_bytes()]))
}

/// The inverse of [`of_pkcs8`]: PKCS#8 without the attribute, and the id.
pub(super) fn pkcs8(content: &[u8]) -> Option<(Zeroizing<Vec<u8>>, KeyId)> {
    let (elements, id) = der::elements(content)?.split_last_chunk()?;
    let elements = elements.strip_suffix(LOCAL_KEY_ID)?;
    Some((Zeroizing::new(der::sequence(&[elements])), KeyId::from_bytes(*id)))
}

/// Suite, seed and key id, for a key that PKCS#8 has no algorithm for.
pub(super) fn of_seed(suite: KemSuite, seed: &[u8], id: KeyId) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&suite.id().to_be_bytes(), seed, id.as_bytes()].concat())
}

/// The key in a content that [`of_seed`] made.
pub(super) fn seed_key(content: &[u8]) -> Result<DecapsulationKey, Error> {
    let mut reader = wire::Reader::new("encrypted KEM key", content);
    let suite = KemSuite::from_id(reader.u16()?)?;
    let seed = reader.take(KemSuite::SEED_LEN)?;
    let id = KeyId::from_bytes(reader.array()?);
    let key = DecapsulationKey::from_seed(suite, seed)?;
    let is_whole = reader.rest().is_empty() && suite.oid().is_none();
    if is_whole && key.encapsulation_key().key_id() == id {
        Ok(key)
    } else {
        Err(Error::Passphrase)
    }
}
