//! Where a half is: in a token, or in a file.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use pkcs11::{Algorithm, EcdhP384, EcdsaP384, MlDsa87, MlKem1024, NewKey, Uri, UriError};
use twinseal::{
    DecapsulationKey, KemSuite, SigningKey,
    provider::{Decapsulator, PORTABLE, SchemeSigner},
};

use crate::{Result, half_file};

/// A place of one half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Token(Box<Uri>),
    File(PathBuf),
}

impl FromStr for Place {
    type Err = UriError;

    fn from_str(text: &str) -> std::result::Result<Self, UriError> {
        // PKCS11: is no file, either, and the URI says why it is refused.
        let start = text.get(..Uri::SCHEME.len()).unwrap_or_default();
        if start.eq_ignore_ascii_case(Uri::SCHEME) {
            Ok(Self::Token(Box::new(text.parse()?)))
        } else {
            Ok(Self::File(text.into()))
        }
    }
}

impl Place {
    /// As a line of a `.halves` file. There, nothing must depend on the current directory.
    pub(crate) fn line(&self) -> Result<String> {
        match self {
            Self::Token(uri) => Ok(uri.absolute()?.to_string()),
            Self::File(path) => {
                let path = std::path::absolute(path)?;
                let text = path.to_str().filter(|text| one_line(text));
                let error =
                    "the path of the half must be text of one line, without a space at its end";
                Ok(text.ok_or(error)?.to_owned())
            }
        }
    }

    /// A place in a `.halves` file. The path of a half is relative to the directory of that file. That of a module is
    /// not: whatever the file and its directory are, it must be clear which library is loaded.
    pub(crate) fn of_line(text: &str, directory: &Path) -> Result<Self> {
        match text.parse()? {
            Self::Token(uri) if !uri.is_absolute() => {
                Err("module-path= and the file of pin-source= must be absolute here".into())
            }
            Self::File(path) => Ok(Self::File(directory.join(path))),
            token @ Self::Token(_) => Ok(token),
        }
    }

    /// Makes a half, and returns its public half, too.
    pub(crate) fn generate(&self, algorithm: Algorithm) -> Result<(Vec<u8>, NewHalf)> {
        let path = match self {
            Self::Token(uri) => {
                let key = uri.open()?.generate(algorithm, &uri.key)?;
                return Ok((key.public_half().to_vec(), NewHalf::Token(key)));
            }
            Self::File(path) => path,
        };
        // Half of a whole key, of which the other half is never used.
        match algorithm {
            Algorithm::MlKem1024 => {
                let key = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384)?;
                let public = key.encapsulation_key().halves().post_quantum.to_vec();
                half_file::create(path, algorithm, key.into_halves()?.post_quantum.secret_bytes())?;
                Ok((public, NewHalf::File(path.clone())))
            }
            Algorithm::MlDsa87 => {
                let key = SigningKey::generate()?;
                let public = key.verifying_key().halves().post_quantum.to_vec();
                half_file::create(path, algorithm, key.into_halves()?.post_quantum.secret_bytes())?;
                Ok((public, NewHalf::File(path.clone())))
            }
            Algorithm::EcdhP384 | Algorithm::EcdsaP384 => Err(not_in_a_file()),
        }
    }

    /// Puts a half of a whole key there.
    pub(crate) fn import(
        &self,
        algorithm: Algorithm,
        private: &[u8],
        public: &[u8],
    ) -> Result<NewHalf> {
        match self {
            Self::Token(uri) => {
                Ok(NewHalf::Token(uri.open()?.import(algorithm, &uri.key, private, public)?))
            }
            Self::File(path) => {
                half_file::create(path, algorithm, private)?;
                Ok(NewHalf::File(path.clone()))
            }
        }
    }

    /// The half of a key that opens.
    pub(crate) fn decapsulator(&self, algorithm: Algorithm) -> Result<Box<dyn Decapsulator>> {
        let uri = match self {
            Self::Token(uri) => uri,
            Self::File(path) if algorithm == Algorithm::MlKem1024 => {
                let seed = half_file::read(path, algorithm)?;
                return Ok(PORTABLE.ml_kem_1024.key_pair(&seed)?.decapsulator);
            }
            Self::File(_) => return Err(not_in_a_file()),
        };
        let (token, key) = (uri.open()?, uri.key.clone());
        Ok(match algorithm {
            Algorithm::MlKem1024 => Box::new(MlKem1024::find(token, key)?),
            _ => Box::new(EcdhP384::find(token, key)?),
        })
    }

    /// The half of a key that signs.
    pub(crate) fn signer(&self, algorithm: Algorithm) -> Result<Box<dyn SchemeSigner>> {
        let uri = match self {
            Self::Token(uri) => uri,
            Self::File(path) if algorithm == Algorithm::MlDsa87 => {
                let seed = half_file::read(path, algorithm)?;
                return Ok(PORTABLE.ml_dsa_87.key_pair(&seed)?.signer);
            }
            Self::File(_) => return Err(not_in_a_file()),
        };
        let (token, key) = (uri.open()?, uri.key.clone());
        Ok(match algorithm {
            Algorithm::MlDsa87 => Box::new(MlDsa87::find(token, key)?),
            _ => Box::new(EcdsaP384::find(token, key)?),
        })
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

/// A half that was made just now.
#[derive(Debug)]
pub(crate) enum NewHalf {
    Token(NewKey),
    File(PathBuf),
}

impl NewHalf {
    /// Takes it back, and nothing else.
    pub(crate) fn undo(self) -> Result<()> {
        match self {
            Self::Token(key) => Ok(key.destroy()?),
            Self::File(path) => Ok(fs::remove_file(path)?),
        }
    }
}

/// Who has the one token has both halves, so a person should know. Two modules may lead to the same token.
pub(crate) fn warn_of_one_token(post_quantum: &Place, traditional: &Place) -> Result<()> {
    let (Place::Token(post_quantum), Place::Token(traditional)) = (post_quantum, traditional)
    else {
        return Ok(());
    };
    let token = post_quantum.open()?.full_name()?;
    if token == traditional.open()?.full_name()? {
        let warning =
            format!("both halves are in one token: {token}; whoever breaks it has the key");
        common::complain("pkcs11", format!("warning: {warning}"));
    }
    Ok(())
}

/// What is read from a line as it was written.
pub(crate) fn one_line(text: &str) -> bool {
    text.trim() == text && !text.contains(char::is_control)
}

pub(crate) fn not_in_a_file() -> Box<dyn std::error::Error + Send + Sync> {
    "the P-384 half must be in a token, since all of them offer it: name it by a URI that starts with pkcs11:".into()
}
