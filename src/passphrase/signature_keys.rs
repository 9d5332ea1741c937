//! Signing keys under a passphrase.

use std::{io, path::Path};

use super::{PrivateKey, Scrypt, content, encrypted_info::encrypt};
use crate::{
    constants,
    error::Error,
    key_files::{PemDocument, files, pem},
    sign::SigningKey,
};

impl SigningKey {
    /// The key as PEM, encrypted under a passphrase with [`Scrypt::DEFAULT`], which takes about 0.4 s and
    /// 128 MiB. The label is `ENCRYPTED PRIVATE KEY`.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the passphrase is empty; [`Error::Randomness`] if the system has none;
    /// [`Error::Unsupported`] for an experimental suite.
    pub fn to_encrypted_pem(&self, passphrase: impl AsRef<[u8]>) -> Result<String, Error> {
        self.to_encrypted_pem_with(passphrase, Scrypt::DEFAULT)
    }

    /// [`to_encrypted_pem`](Self::to_encrypted_pem) with other parameters.
    ///
    /// # Errors
    ///
    /// Same as [`to_encrypted_pem`](Self::to_encrypted_pem).
    pub fn to_encrypted_pem_with(
        &self,
        passphrase: impl AsRef<[u8]>,
        scrypt: Scrypt,
    ) -> Result<String, Error> {
        let id = self.verifying_key().key_id();
        let content = content::of_pkcs8(&self.to_pkcs8_der()?, id);
        let der = encrypt(&content, passphrase.as_ref(), scrypt)?;
        Ok(pem::encode(constants::PEM_ENCRYPTED_PKCS8, &der).to_string())
    }

    /// Decrypts a key that [`to_encrypted_pem`](Self::to_encrypted_pem) wrote.
    ///
    /// # Errors
    ///
    /// Same as [`PrivateKey::from_encrypted`]; also [`Error::NotPem`] and [`Error::PemCount`] if the text is
    /// not one document, and [`Error::Algorithm`] if the passphrase is right but the key is one to open
    /// with.
    pub fn from_encrypted_pem(text: &str, passphrase: impl AsRef<[u8]>) -> Result<Self, Error> {
        let der = PemDocument::only(text)?.content(constants::PEM_ENCRYPTED_PKCS8)?;
        PrivateKey::of_pkcs8(&der, passphrase.as_ref())?.signing()
    }

    /// Writes the PEM of [`to_encrypted_pem`](Self::to_encrypted_pem) to a new file, as
    /// [`write_pem_file`](Self::write_pem_file) does.
    ///
    /// # Errors
    ///
    /// Same as [`to_encrypted_pem`](Self::to_encrypted_pem), wrapped in [`io::Error`] (see
    /// [`Error::inside`]); and those of [`write_pem_file`](Self::write_pem_file).
    pub fn write_encrypted_pem_file(
        &self,
        path: impl AsRef<Path>,
        passphrase: impl AsRef<[u8]>,
    ) -> io::Result<()> {
        files::write_encrypted(path.as_ref(), &self.to_encrypted_pem(passphrase)?)
    }

    /// Reads a key from a file of [`to_encrypted_pem`](Self::to_encrypted_pem), as
    /// [`read_pem_file`](Self::read_pem_file) does.
    ///
    /// # Errors
    ///
    /// Same as [`from_encrypted_pem`](Self::from_encrypted_pem), wrapped in [`io::Error`] (see
    /// [`Error::inside`]); and those of the file system. The text starts with the path.
    pub fn read_encrypted_pem_file(
        path: impl AsRef<Path>,
        passphrase: impl AsRef<[u8]>,
    ) -> io::Result<Self> {
        files::read_key(path.as_ref(), |text| Self::from_encrypted_pem(text, passphrase))
    }
}
