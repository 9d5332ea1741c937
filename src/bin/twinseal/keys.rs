//! Reads the keys that a command needs.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use twinseal::{
    EncapsulationKey, Error, Policy, Recipients, SignatureSuite, VerifyingKey, VerifyingKeyring,
    key_files::PemDocument,
};

use crate::{
    console::Console,
    failure::Failure,
    name::{self, Name},
};

mod document;
mod file;
pub(crate) mod modes;
mod private;
mod rewritten;
mod role;
mod unfit;
mod unlock;
mod wanted;

pub(crate) use document::{Document, describe};
use file::KeyFile;
pub(crate) use file::{MAX_LENGTH, TOO_LONG, too_long};
use modes::Secrecy;
pub(crate) use private::{Private, keyring, private, signing};
pub(crate) use rewritten::PrivateFile;
use wanted::Wanted;
pub(crate) use {role::Role, unfit::not_keys};

pub(crate) fn recipients(paths: &[PathBuf], console: &Console) -> Result<Recipients, Failure> {
    let mut keys = Vec::with_capacity(paths.len());
    for path in paths {
        keys.push(read(path, Wanted::Recipient, console, EncapsulationKey::from_pem)?);
    }
    Recipients::new(&keys).map_err(|error| {
        let mut seen = HashMap::new();
        let twice = keys.iter().zip(paths).find_map(|(key, path)| {
            let first = seen.insert(key, path)?;
            Some((first, path))
        });
        match twice {
            Some((first, second)) => {
                let (first, second) = (Name::of(first), Name::of(second));
                Failure::usage(format!(
                    "{first} and {second} are the same recipient; name each once"
                ))
            }
            None => Failure::usage(format!("-r: {error}")),
        }
    })
}

/// The keys of all files and directories.
pub(crate) fn verifying(paths: &[PathBuf], console: &Console) -> Result<VerifyingKeyring, Failure> {
    let mut keys = Vec::new();
    for path in paths {
        if is_directory(path) {
            let ring = VerifyingKeyring::read_dir(path)
                .map_err(|error| unfit::directory(path, &error, Wanted::Verifying))?;
            if ring.is_empty() {
                return Err(unfit::empty_directory(path));
            }
            modes::warn_in(path, Secrecy::Public, console);
            keys.extend(ring.keys().cloned());
            continue;
        }
        keys.extend(read(path, Wanted::Verifying, console, |text| {
            let documents = PemDocument::split(text)?;
            documents.into_iter().map(VerifyingKey::try_from).collect::<Result<Vec<_>, _>>()
        })?);
    }
    // Naming a key of an experimental suite accepts that suite.
    let policy = Policy::stable().with_signature_suites(SignatureSuite::ALL.iter().copied());
    let ring = || {
        let mut ring = VerifyingKeyring::new([])?.with_policy(policy)?;
        keys.iter().try_for_each(|key| ring.add(key))?;
        Ok(ring)
    };
    ring().map_err(|error: Error| Failure::usage(format!("-p: {error}")))
}

fn is_directory(path: &Path) -> bool {
    !name::is_standard(path) && path.is_dir()
}

/// Reads a file once. Messages about it describe the bytes that were read.
fn read<Key>(
    path: &Path,
    wanted: Wanted,
    console: &Console,
    parse: impl FnOnce(&str) -> Result<Key, Error>,
) -> Result<Key, Failure> {
    let file = KeyFile::read(path)?;
    let Some(text) = file.text() else { return Err(unfit::not_pem(&file, wanted)) };
    let key = parse(text).map_err(|error| unfit::file(&file, text, &error, wanted))?;
    file.warn(wanted.secrecy(), console);
    Ok(key)
}
