//! A private key of either kind: an encrypted file does not say which kind it holds.

use super::{content, encrypted_info::EncryptedInfo};
use crate::{
    constants, error::Error, kem::DecapsulationKey, key_files::PemDocument, key_id::KeyId,
    sign::SigningKey,
};

/// A private key to open with or to sign with. Only what is encrypted says which of them a file holds.
///
/// ```
/// use twinseal::{DecapsulationKey, key_files::PemDocument, passphrase::{PrivateKey, Scrypt}};
///
/// let key = DecapsulationKey::generate()?;
/// # let little = Scrypt::new(1 << 4, 8, 1)?;
/// let file = key.to_encrypted_pem_with("correct horse battery staple", little)?;
/// for document in PemDocument::split(&file)? {
///     assert!(document.is_encrypted());
///     match PrivateKey::from_encrypted(document, "correct horse battery staple")? {
///         PrivateKey::Decapsulation(key) => println!("opens: {key:?}"),
///         PrivateKey::Signing(key) => println!("signs: {key:?}"),
///         _ => println!("something newer"),
///     }
/// }
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum PrivateKey {
    /// To open with.
    Decapsulation(DecapsulationKey),
    /// To sign with.
    Signing(SigningKey),
}

impl PrivateKey {
    /// Decrypts the key in a document that `to_encrypted_pem` wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Passphrase`] if the passphrase is wrong, the file was changed, or what is encrypted does
    /// not say whose key it is. Before anything is computed: [`Error::PemLabel`] if the document is
    /// something else, [`Error::Pem`] if it is damaged, [`Error::Invalid`] or [`Error::Algorithm`] if it
    /// was not encrypted by this crate or is outside the bounds of [`Scrypt::new`](super::Scrypt::new),
    /// [`Error::Misuse`] if the passphrase is empty.
    pub fn from_encrypted(
        document: PemDocument<'_>,
        passphrase: impl AsRef<[u8]>,
    ) -> Result<Self, Error> {
        if document.label() == constants::PEM_ENCRYPTED_KEM {
            Self::of_seed(&document.decode()?, passphrase.as_ref())
        } else {
            let der = document.content(constants::PEM_ENCRYPTED_PKCS8)?;
            Self::of_pkcs8(&der, passphrase.as_ref())
        }
    }

    fn of_seed(der: &[u8], passphrase: &[u8]) -> Result<Self, Error> {
        let content = EncryptedInfo::canonical(der)?.decrypt(passphrase)?;
        // Whatever is wrong with it, the passphrase may be the reason.
        let key = content::seed_key(&content).map_err(|_| Error::Passphrase)?;
        Ok(Self::Decapsulation(key))
    }

    pub(super) fn of_pkcs8(der: &[u8], passphrase: &[u8]) -> Result<Self, Error> {
        let content = EncryptedInfo::canonical(der)?.decrypt(passphrase)?;
        let (pkcs8, id) = content::pkcs8(&content).ok_or(Error::Passphrase)?;
        let key = match DecapsulationKey::from_pkcs8_der(&pkcs8) {
            Err(Error::Algorithm { .. }) => SigningKey::from_pkcs8_der(&pkcs8).map(Self::Signing),
            kem => kem.map(Self::Decapsulation),
        };
        let key = key.map_err(|_| Error::Passphrase)?;
        if key.key_id() == id { Ok(key) } else { Err(Error::Passphrase) }
    }

    /// The id of its public key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        match self {
            Self::Decapsulation(key) => key.encapsulation_key().key_id(),
            Self::Signing(key) => key.verifying_key().key_id(),
        }
    }

    /// The key to open with, if it is one.
    pub(super) fn decapsulation(self) -> Result<DecapsulationKey, Error> {
        match self {
            Self::Decapsulation(key) => Ok(key),
            Self::Signing(key) => Err(other_kind(key.suite().oid())),
        }
    }

    /// The key to sign with, if it is one.
    pub(super) fn signing(self) -> Result<SigningKey, Error> {
        match self {
            Self::Signing(key) => Ok(key),
            Self::Decapsulation(key) => Err(other_kind(key.suite().oid())),
        }
    }
}

/// The key is of the other kind. It was compared with its id, so a changed file does not get here, and this
/// reveals nothing to whoever changed it.
fn other_kind(oid: Option<&str>) -> Error {
    Error::Algorithm { what: "private key", oid: oid.unwrap_or_default().into() }
}
