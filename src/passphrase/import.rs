//! Encrypted private keys of other software, which may not say whose they are.

use super::{PrivateKey, der, encrypted_info::EncryptedInfo, parameters::invalid};
use crate::{
    constants,
    error::Error,
    kem::DecapsulationKey,
    key_files::{PemDocument, import::private_info::PrivateInfo},
    key_id::KeyId,
    sign::SigningKey,
};

/// How is it known that an imported key is the one that was encrypted?
///
/// AES-CBC does not authenticate. Whoever can write to the file can change bits of the private key in it, and
/// nothing in the file need show that. The changed key works, is not yours, and may be one that its maker
/// partly knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Whose {
    /// The file says it: it holds, encrypted, the public key (PKCS#8 version 2), or the attribute
    /// localKeyId with a [`KeyId`]. Files of this crate do.
    Stated,
    /// It is the key with this id, known from its public key or certificate.
    Key(KeyId),
    /// It is not known. Compare the imported key with its public key before using it.
    Unauthenticated,
}

impl PrivateKey {
    /// Decrypts and imports the key in a document of other software: `ENCRYPTED PRIVATE KEY` around
    /// PKCS#8 as `import_pem` reads it, encrypted with PBES2 (RFC 8018 §6.2): scrypt, or PBKDF2 with
    /// HMAC-SHA-256, -384 or -512 and up to 1 000 000 iterations; AES-128, -192 or -256 in CBC. It also
    /// reads what [`from_encrypted`](Self::from_encrypted) reads.
    ///
    /// A localKeyId of 16 bytes and a public key, if there are any, must be those of the private key.
    ///
    /// # Errors
    ///
    /// Same as [`from_encrypted`](Self::from_encrypted), except that with the right passphrase errors are
    /// specific: those of `import_der`, and [`Error::Invalid`] if the file does not say whose key it is and
    /// `whose` does not either, or if it is not the key that `whose` names.
    pub fn import_encrypted(
        document: PemDocument<'_>,
        passphrase: impl AsRef<[u8]>,
        whose: Whose,
    ) -> Result<Self, Error> {
        if document.label() == constants::PEM_ENCRYPTED_KEM {
            let key = Self::from_encrypted(document, passphrase)?;
            whose.check(&key, true)?;
            Ok(key)
        } else {
            let der = document.content(constants::PEM_ENCRYPTED_PKCS8)?;
            Self::import_encrypted_der(&der, passphrase, whose)
        }
    }

    /// [`import_encrypted`](Self::import_encrypted) for DER: an EncryptedPrivateKeyInfo (RFC 5958 §3).
    ///
    /// # Errors
    ///
    /// Same as [`import_encrypted`](Self::import_encrypted).
    pub fn import_encrypted_der(
        der: &[u8],
        passphrase: impl AsRef<[u8]>,
        whose: Whose,
    ) -> Result<Self, Error> {
        let content = EncryptedInfo::foreign(der)?.decrypt(passphrase.as_ref())?;
        // One wrong passphrase in 256 gets here, with random bytes.
        der::elements(&content).ok_or(Error::Passphrase)?;
        let info = PrivateInfo::read(&content)?;
        let key = match DecapsulationKey::of_private_info(&info) {
            Err(Error::Algorithm { .. }) => SigningKey::of_private_info(&info).map(Self::Signing),
            kem => kem.map(Self::Decapsulation),
        }?;
        // Other software has other ids there, of other lengths.
        let stated = info.local_key_id.and_then(|id| id.try_into().ok()).map(KeyId::from_bytes);
        if stated.is_some_and(|id| id != key.key_id()) {
            return Err(Error::Passphrase);
        }
        whose.check(&key, stated.is_some() || info.public_key.is_some())?;
        Ok(key)
    }
}

impl Whose {
    /// `is_stated`: the file said whose key it is, and it was right.
    fn check(self, key: &PrivateKey, is_stated: bool) -> Result<(), Error> {
        match self {
            Self::Stated if !is_stated => Err(invalid(
                "it does not say whose key it is, so a change would not show; name the key that is expected",
            )),
            Self::Key(id) if id != key.key_id() => {
                Err(invalid("it is not the expected key: it is another, or it was changed"))
            }
            _ => Ok(()),
        }
    }
}

impl DecapsulationKey {
    /// Decrypts a key of other software, as [`PrivateKey::import_encrypted`] does. Whatever its form was,
    /// [`to_encrypted_pem`](Self::to_encrypted_pem) writes the canonical one.
    ///
    /// # Errors
    ///
    /// Same as [`PrivateKey::import_encrypted`]; also [`Error::NotPem`] and [`Error::PemCount`] if the text
    /// is not one document, and [`Error::Algorithm`] if the key is one to sign with.
    pub fn import_encrypted_pem(
        text: &str,
        passphrase: impl AsRef<[u8]>,
        whose: Whose,
    ) -> Result<Self, Error> {
        PrivateKey::import_encrypted(PemDocument::only(text)?, passphrase, whose)?.decapsulation()
    }
}

impl SigningKey {
    /// Decrypts a key of other software, as [`PrivateKey::import_encrypted`] does. Whatever its form was,
    /// [`to_encrypted_pem`](Self::to_encrypted_pem) writes the canonical one.
    ///
    /// # Errors
    ///
    /// Same as [`PrivateKey::import_encrypted`]; also [`Error::NotPem`] and [`Error::PemCount`] if the text
    /// is not one document, and [`Error::Algorithm`] if the key is one to open with.
    pub fn import_encrypted_pem(
        text: &str,
        passphrase: impl AsRef<[u8]>,
        whose: Whose,
    ) -> Result<Self, Error> {
        let der = PemDocument::only(text)?.content(constants::PEM_ENCRYPTED_PKCS8)?;
        PrivateKey::import_encrypted_der(&der, passphrase, whose)?.signing()
    }
}
