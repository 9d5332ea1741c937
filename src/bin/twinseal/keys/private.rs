//! Reads private keys, and asks once for the passphrase of those that are encrypted.

use std::path::Path;

use twinseal::{
    DecapsulationKey, Error, KeyId, Keyring, SigningKey,
    key_files::{PemDocument, PrivatePem},
    passphrase::Scrypt,
};

use super::{
    file::KeyFile,
    is_directory,
    modes::{self, Secrecy},
    unfit,
    unlock::{Company, Unlock},
    wanted::Wanted,
};
use crate::{args, console::Console, failure::Failure, name::Name, passphrase::Passphrase};

/// A private key of either kind, for commands that take both.
pub(crate) enum Private {
    Kem(DecapsulationKey),
    Sign(SigningKey),
}

impl Private {
    pub(crate) fn key_id(&self) -> KeyId {
        match self {
            Self::Kem(key) => key.encapsulation_key().key_id(),
            Self::Sign(key) => key.verifying_key().key_id(),
        }
    }

    pub(crate) fn suite_name(&self) -> &'static str {
        match self {
            Self::Kem(key) => key.suite().name(),
            Self::Sign(key) => key.suite().name(),
        }
    }

    pub(crate) fn to_pem(&self) -> PrivatePem {
        match self {
            Self::Kem(key) => key.to_pem(),
            Self::Sign(key) => key.to_pem(),
        }
    }

    /// Refuses, before a passphrase is asked for, a key that has no encrypted form. Messages are about
    /// `name`.
    pub(crate) fn check_encryptable(&self, name: &Name) -> Result<(), Failure> {
        match self {
            Self::Sign(key) if key.suite().oid().is_none() => {
                let suite = key.suite().name();
                let advice = "run the command without a passphrase, or use a key of another suite";
                Err(Failure::of(
                    name,
                    format_args!("there is no encrypted form of keys of {suite}; {advice}"),
                ))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn to_encrypted_pem(
        &self,
        passphrase: &Passphrase,
        scrypt: Scrypt,
        name: &Name,
    ) -> Result<String, Failure> {
        let pem = match self {
            Self::Kem(key) => key.to_encrypted_pem_with(passphrase, scrypt),
            Self::Sign(key) => key.to_encrypted_pem_with(passphrase, scrypt),
        };
        pem.map_err(|error| Failure::of(name, format_args!("not encrypted: {error}; try again")))
    }
}

/// The keys of a file, or of a directory.
pub(crate) fn keyring(
    path: &Path,
    passphrase: &args::Passphrase,
    console: &Console,
) -> Result<Keyring, Failure> {
    if !is_directory(path) {
        return Ok(read(path, Wanted::Opening, passphrase, console, ring)?.0);
    }
    let name = Name::of(path);
    let mut unlock = Unlock::new(&name, passphrase, console);
    let keys = Keyring::read_dir_with(path, |text| unlock.kem(only(text)?));
    let keys = match keys {
        Ok(keys) => keys,
        Err(error) => {
            let explained = unlock.explain_in(&error, Wanted::Opening);
            return Err(
                explained.unwrap_or_else(|| unfit::directory(path, &error, Wanted::Opening))
            );
        }
    };
    unlock.finish();
    modes::warn_in(path, Secrecy::Private, console);
    Ok(keys)
}

pub(crate) fn signing(
    path: &Path,
    passphrase: &args::Passphrase,
    console: &Console,
) -> Result<SigningKey, Failure> {
    let key = |text: &str, unlock: &mut Unlock<'_>| unlock.sign(only(text)?);
    Ok(read(path, Wanted::Signing, passphrase, console, key)?.0)
}

/// A key of either kind.
pub(crate) fn private(
    path: &Path,
    passphrase: &args::Passphrase,
    console: &Console,
) -> Result<Private, Failure> {
    let key = |text: &str, unlock: &mut Unlock<'_>| unlock.either(only(text)?);
    Ok(read(path, Wanted::Private, passphrase, console, key)?.0)
}

/// Reads a file once. Messages about it describe the bytes that were read.
pub(super) fn read<Key>(
    path: &Path,
    wanted: Wanted,
    passphrase: &args::Passphrase,
    console: &Console,
    parse: impl FnOnce(&str, &mut Unlock<'_>) -> Result<Key, Error>,
) -> Result<(Key, KeyFile), Failure> {
    let file = KeyFile::read(path)?;
    let Some(text) = file.text() else { return Err(unfit::not_pem(&file, wanted)) };
    let mut unlock = Unlock::new(file.name(), passphrase, console);
    match parse(text, &mut unlock) {
        Ok(key) => {
            unlock.finish();
            file.warn(wanted.secrecy(), console);
            Ok((key, file))
        }
        Err(error) => {
            let explained = unlock.explain(&error, wanted, Company::in_file(text));
            Err(explained.unwrap_or_else(|| unfit::file(&file, text, &error, wanted)))
        }
    }
}

fn only(text: &str) -> Result<PemDocument<'_>, Error> {
    match PemDocument::split(text)?.as_slice() {
        [document] => Ok(*document),
        several => Err(Error::PemCount { found: several.len() }),
    }
}

/// As [`Keyring::from_pem`], also of encrypted keys.
fn ring(text: &str, unlock: &mut Unlock<'_>) -> Result<Keyring, Error> {
    let documents = PemDocument::split(text)?;
    let [primary, older @ ..] = documents.as_slice() else { return Keyring::from_pem(text) };
    // It refuses too many keys before the first one is decrypted.
    if !documents.iter().any(PemDocument::is_encrypted) || documents.len() > 1000 {
        return Keyring::from_pem(text);
    }
    let mut ring = Keyring::new(unlock.kem(*primary)?);
    for document in older {
        let key = unlock.kem(*document)?;
        if ring.keys().any(|known| known == key.encapsulation_key()) {
            return Err(Error::Keyring { reason: "a key is listed twice" });
        }
        ring.add_older(key)?;
    }
    Ok(ring)
}
