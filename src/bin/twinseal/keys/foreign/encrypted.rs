//! Decrypts a private key of other software.

use twinseal::{
    Error, KeyId,
    key_files::PemDocument,
    passphrase::{PrivateKey, Whose},
};

use super::{Foreign, export_again};
use crate::{
    args,
    console::Console,
    failure::Failure,
    keys::{Private, file::KeyFile},
    kind::der::{Form, Object},
    name::Name,
    passphrase::Passphrase,
};

/// An encrypted key in a file that holds nothing else.
#[derive(Clone, Copy)]
pub(super) enum Encrypted<'a> {
    Pem(PemDocument<'a>),
    Der(&'a [u8]),
}

impl<'a> Encrypted<'a> {
    pub(super) fn of(file: &'a KeyFile) -> Option<Self> {
        match file.text().and_then(|text| PemDocument::split(text).ok()).as_deref() {
            Some([document]) if document.is_encrypted() => Some(Self::Pem(*document)),
            Some(_) => None,
            None => {
                let object = Object::of(file.bytes())?;
                (object.form == Form::EncryptedPkcs8).then_some(Self::Der(file.bytes()))
            }
        }
    }

    /// The key, which must be the expected one if there is one, and its passphrase.
    pub(super) fn decrypt(
        self,
        file: &KeyFile,
        args: &args::Import,
        expected: Option<KeyId>,
        console: &Console,
    ) -> Result<Foreign, Failure> {
        let name = file.name();
        let whose = match expected {
            Some(id) => Whose::Key(id),
            None if args.unauthenticated => Whose::Unauthenticated,
            None => Whose::Stated,
        };
        // An empty passphrase is refused last, so what is wrong with the file is found before one is asked
        // for.
        match self.read(&"", whose) {
            Err(Error::Misuse { .. }) | Ok(_) => {}
            Err(error) => return Err(export_again(name, &error)),
        }
        let passphrase = Passphrase::of(name, args.passphrase.file.as_deref(), console)?;
        // One message for whatever comes after decryption: see the library.
        let key = self.read(&passphrase, whose).map_err(|_| not_decrypted(name, whose))?;
        // Of every key, also of one that says whose it is: which of them it was is not for others to see.
        if whose == Whose::Unauthenticated {
            console.note(format_args!(
                "warning: {name}: with --unauthenticated, a key that somebody changed may go unnoticed; compare its id"
            ));
        }
        match key {
            PrivateKey::Decapsulation(key) => {
                Ok(Foreign::Private(Private::Kem(key), Some(passphrase)))
            }
            PrivateKey::Signing(key) => Ok(Foreign::Private(Private::Sign(key), Some(passphrase))),
            _ => {
                Err(Failure::of(name, "a key of an unknown kind; a newer twinseal may support it"))
            }
        }
    }

    fn read(self, passphrase: &impl AsRef<[u8]>, whose: Whose) -> Result<PrivateKey, Error> {
        match self {
            Self::Pem(document) => PrivateKey::import_encrypted(document, passphrase, whose),
            Self::Der(der) => PrivateKey::import_encrypted_der(der, passphrase, whose),
        }
    }
}

/// It depends only on the command line.
fn not_decrypted(name: &Name, whose: Whose) -> Failure {
    let (unproven, advice) = match whose {
        Whose::Key(_) => (" not the key of --expect,", " and --expect"),
        Whose::Stated => (" a key that does not say whose it is,", ", name the key with --expect"),
        _ => ("", ""),
    };
    Failure::of(
        name,
        format_args!(
            "wrong passphrase, a changed file,{unproven} or a key of an algorithm or form that twinseal does not \
             have; check the passphrase{advice}, or decrypt the file with the software that made it to see which"
        ),
    )
}
