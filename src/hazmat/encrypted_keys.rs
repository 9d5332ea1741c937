//! Encrypted private keys from given randomness, and around any content.

use super::with_given;
use crate::{
    error::Error,
    passphrase::{Scrypt, encrypted_info},
};

/// The DER EncryptedPrivateKeyInfo around these bytes, which need not be a key. The randomness is
/// `salt (16) || IV (16)`.
///
/// # Errors
///
/// [`Error::Misuse`] if the passphrase is empty.
pub fn encrypted_private_key_info(
    content: &[u8],
    passphrase: impl AsRef<[u8]>,
    scrypt: Scrypt,
    randomness: &[u8; 32],
) -> Result<Vec<u8>, Error> {
    with_given(randomness, |random| {
        encrypted_info::encrypt_with(content, passphrase.as_ref(), scrypt, random)
    })
}
