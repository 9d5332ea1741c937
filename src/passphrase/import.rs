//! Encrypted private keys of other software, which may not say whose they are.
//!
//! CBC authenticates nothing, so whoever changes the file chooses which bytes of the key are read as what. A
//! reason why they do not fit reveals bytes of the key: an unknown algorithm sixteen at once, and two errors that
//! can be told apart all of them, as a padding oracle. That includes "does not say whose key it is" and "not the
//! expected key": both say that padding and structure were right, and a file can be made whose structure depends
//! on one byte of the key. So nothing that was decrypted has a reason: it is a key, or it is not.

use super::{PrivateKey, encrypted_info::EncryptedInfo};
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
///
/// Every import also answers the question whether the changed file is still a key. That can reveal a little of
/// your key, and after some ten thousand answers all of it. The one error has no reason, so that few changes get
/// another answer; with [`Unauthenticated`](Self::Unauthenticated) many do. So do not import versions of a file
/// again and again if somebody else makes them and learns the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Whose {
    /// The file says it: it holds, encrypted, the public key (PKCS#8 version 2), or the attribute
    /// localKeyId with a [`KeyId`]. Files of this crate do.
    Stated,
    /// It is the key with this id, known from its public key or certificate.
    Key(KeyId),
    /// It is not known. Compare the imported key with its public key before using it, and import only a file
    /// that nobody else could change.
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
    /// [`Error::Passphrase`], without a reason, for everything that depends on what is encrypted: the
    /// passphrase is wrong, the file was changed, the key has another algorithm or form than `import_der`
    /// reads, it does not say whose key it is and `whose` does not either, or it is not the key that it or
    /// `whose` names. A reason would reveal the key to somebody who changes the file and sees the error. Before
    /// anything is computed, the errors of [`from_encrypted`](Self::from_encrypted) for the bounds above.
    ///
    /// Whether there is an error is an answer, too. See [`Whose`].
    pub fn import_encrypted(
        document: PemDocument<'_>,
        passphrase: impl AsRef<[u8]>,
        whose: Whose,
    ) -> Result<Self, Error> {
        if document.label() == constants::PEM_ENCRYPTED_KEM {
            let key = Self::from_encrypted(document, passphrase)?;
            if whose.accepts(&key, true) { Ok(key) } else { Err(Error::Passphrase) }
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
        Self::of_content(&content, whose).ok_or(Error::Passphrase)
    }

    /// The key in what was decrypted. Why there is none is not even a value: see the top of this file.
    fn of_content(content: &[u8], whose: Whose) -> Option<Self> {
        let info = PrivateInfo::read(content).ok()?;
        let key = match DecapsulationKey::of_private_info(&info) {
            Ok(key) => Self::Decapsulation(key),
            Err(_) => Self::Signing(SigningKey::of_private_info(&info).ok()?),
        };
        // Other software has other ids there, of other lengths.
        let stated = info.local_key_id.and_then(|id| id.try_into().ok()).map(KeyId::from_bytes);
        let is_right = stated.is_none_or(|id| id == key.key_id());
        let is_stated = stated.is_some() || info.public_key.is_some();
        (is_right && whose.accepts(&key, is_stated)).then_some(key)
    }
}

impl Whose {
    /// `is_stated`: the file said whose key it is, and it was right.
    fn accepts(self, key: &PrivateKey, is_stated: bool) -> bool {
        match self {
            Self::Stated => is_stated,
            Self::Key(id) => id == key.key_id(),
            Self::Unauthenticated => true,
        }
    }
}

impl DecapsulationKey {
    /// Decrypts a key of other software, as [`PrivateKey::import_encrypted`] does. Whatever its form was,
    /// [`to_encrypted_pem`](Self::to_encrypted_pem) writes the canonical one.
    ///
    /// # Errors
    ///
    /// Same as [`PrivateKey::import_encrypted`], with [`Error::Passphrase`] also for a key to sign with; and
    /// [`Error::NotPem`] and [`Error::PemCount`] if the text is not one document.
    pub fn import_encrypted_pem(
        text: &str,
        passphrase: impl AsRef<[u8]>,
        whose: Whose,
    ) -> Result<Self, Error> {
        match PrivateKey::import_encrypted(PemDocument::only(text)?, passphrase, whose)? {
            PrivateKey::Decapsulation(key) => Ok(key),
            PrivateKey::Signing(_) => Err(Error::Passphrase),
        }
    }
}

impl SigningKey {
    /// Decrypts a key of other software, as [`PrivateKey::import_encrypted`] does. Whatever its form was,
    /// [`to_encrypted_pem`](Self::to_encrypted_pem) writes the canonical one.
    ///
    /// # Errors
    ///
    /// Same as [`PrivateKey::import_encrypted`], with [`Error::Passphrase`] also for a key to open with; and
    /// [`Error::NotPem`] and [`Error::PemCount`] if the text is not one document.
    pub fn import_encrypted_pem(
        text: &str,
        passphrase: impl AsRef<[u8]>,
        whose: Whose,
    ) -> Result<Self, Error> {
        let der = PemDocument::only(text)?.content(constants::PEM_ENCRYPTED_PKCS8)?;
        match PrivateKey::import_encrypted_der(&der, passphrase, whose)? {
            PrivateKey::Signing(key) => Ok(key),
            PrivateKey::Decapsulation(_) => Err(Error::Passphrase),
        }
    }
}
