//! The keys that a command reads, and what is wrong with a key file that does not do.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, Keyring, Policy, Recipients, SignatureSuite,
    SigningKey, VerifyingKey, VerifyingKeyring, key_files::PemDocument, keyring::Ring,
};

use crate::{
    console::Console,
    failure::{self, Failure},
    kind::{self, FileKind},
    name::{self, Name},
};

mod document;
mod file;
mod modes;

pub(crate) use document::{Document, describe};
use document::{Role, summary};
use file::KeyFile;
pub(crate) use file::{MAX_LENGTH, TOO_LONG, too_long};
use modes::Secrecy;

/// What a command needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Recipient,
    Opening,
    Signing,
    Verifying,
    /// To get the public half of it.
    Private,
}

impl Wanted {
    fn article_and_noun(self) -> &'static str {
        match self {
            Self::Recipient => "a recipient's public key",
            Self::Opening => "a private key to open with",
            Self::Signing => "a private key to sign with",
            Self::Verifying => "a signer's public key",
            Self::Private => "a private key of twinseal",
        }
    }

    fn how_to_get_one(self) -> &'static str {
        match self {
            Self::Recipient => {
                "`twinseal public` prints it from the key of `twinseal keygen --kem`"
            }
            Self::Opening => "`twinseal keygen --kem` makes one",
            Self::Signing => "`twinseal keygen --sign` makes one",
            Self::Verifying => {
                "`twinseal public` prints it from the key of `twinseal keygen --sign`"
            }
            Self::Private => "`twinseal keygen` makes one",
        }
    }

    fn secrecy(self) -> Secrecy {
        match self {
            Self::Recipient | Self::Verifying => Secrecy::Public,
            Self::Opening | Self::Signing | Self::Private => Secrecy::Private,
        }
    }
}

/// A private key of either kind, for what serves both.
pub(crate) enum Private {
    Kem(DecapsulationKey),
    Sign(SigningKey),
}

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

/// The keys of a file, or of a directory.
pub(crate) fn keyring(path: &Path, console: &Console) -> Result<Keyring, Failure> {
    if is_directory(path) {
        let keys = Keyring::read_dir(path);
        let keys = keys.map_err(|error| unfit_directory(path, &error, Wanted::Opening))?;
        modes::warn_in(path, Secrecy::Private, console);
        return Ok(keys);
    }
    read(path, Wanted::Opening, console, Keyring::from_pem)
}

pub(crate) fn signing(path: &Path, console: &Console) -> Result<SigningKey, Failure> {
    read(path, Wanted::Signing, console, SigningKey::from_pem)
}

/// A key of either kind.
pub(crate) fn private(path: &Path, console: &Console) -> Result<Private, Failure> {
    read(path, Wanted::Private, console, |text| {
        match DecapsulationKey::from_pem(text).map(Private::Kem) {
            Err(Error::PemLabel { .. }) => SigningKey::from_pem(text).map(Private::Sign),
            other => other,
        }
    })
}

/// The keys of all files and directories.
pub(crate) fn verifying(paths: &[PathBuf], console: &Console) -> Result<VerifyingKeyring, Failure> {
    let mut keys = Vec::new();
    for path in paths {
        if is_directory(path) {
            let ring = VerifyingKeyring::read_dir(path)
                .map_err(|error| unfit_directory(path, &error, Wanted::Verifying))?;
            modes::warn_in(path, Secrecy::Public, console);
            keys.extend(ring.keys().cloned());
            continue;
        }
        keys.extend(read(path, Wanted::Verifying, console, |text| {
            let documents = PemDocument::split(text)?;
            documents.into_iter().map(VerifyingKey::try_from).collect::<Result<Vec<_>, _>>()
        })?);
    }
    // The user who names a key of an experimental suite accepts it.
    let policy = Policy::stable().with_signature_suites(SignatureSuite::ALL.iter().copied());
    VerifyingKeyring::new_with_policy(&keys, policy)
        .map_err(|error| Failure::usage(format!("-p: {error}")))
}

fn is_directory(path: &Path) -> bool {
    !name::is_standard(path) && path.is_dir()
}

/// Reads a file once, and what it is said to be is decided on what was read.
fn read<Key>(
    path: &Path,
    wanted: Wanted,
    console: &Console,
    parse: impl FnOnce(&str) -> Result<Key, Error>,
) -> Result<Key, Failure> {
    let file = KeyFile::read(path)?;
    let Some(text) = file.text() else { return Err(not_pem(&file, wanted)) };
    let key = parse(text).map_err(|error| unfit(&file, text, &error, wanted))?;
    file.warn(wanted.secrecy(), console);
    Ok(key)
}

/// No PEM at all, or not text.
fn not_pem(file: &KeyFile, wanted: Wanted) -> Failure {
    let what = match kind::of(file.bytes()) {
        FileKind::Pem if file.text().is_none() => {
            "a damaged key file, not in UTF-8; save it as UTF-8, or fetch it again".into()
        }
        FileKind::Pem if file.bytes().contains(&0) => {
            "a damaged key file, with NUL bytes; save it as UTF-8, or fetch it again".into()
        }
        FileKind::Pem | FileKind::Unknown => "no key file, or a damaged one".into(),
        kind => kind.to_string(),
    };
    needed(file.name(), &what, wanted)
}

fn needed(name: &Name, what: &str, wanted: Wanted) -> Failure {
    let needed = wanted.article_and_noun();
    // What can be done about it, if it says so.
    let (what, how) = what.split_once("; ").unwrap_or((what, wanted.how_to_get_one()));
    Failure::of(name, format_args!("it is {what}, and {needed} is needed; {how}"))
}

fn damaged(name: &Name, line: usize, reason: &str) -> Failure {
    Failure::of(
        name,
        format_args!(
            "it is a damaged key file, line {line}: {reason}; fetch it again, or make another key"
        ),
    )
}

/// A PEM file that is not one of keys of this program.
pub(crate) fn not_keys(text: &str, error: &Error, name: &Name) -> Failure {
    let found: Vec<_> = match PemDocument::split(text) {
        Ok(documents) => documents.iter().map(Document::of).collect(),
        Err(Error::Pem { line, reason }) => return damaged(name, line, reason),
        Err(error) => return Failure::of(name, format_args!("{error}; fetch it again")),
    };
    if let Some((line, reason)) = found.iter().find_map(Document::damage) {
        return damaged(name, line, reason);
    }
    match (error, found.as_slice()) {
        (_, found) if found.iter().any(|document| matches!(document, Document::Foreign(_))) => {
            let verb = if found.len() == 1 { "is" } else { "holds" };
            let (what, advice) = (summary(found), "twinseal reads keys of its own suites");
            Failure::of(name, format_args!("it {verb} {what}; {advice}"))
        }
        (Error::Unknown { .. }, _) => {
            Failure::of(name, format_args!("{error}; a newer twinseal may know it"))
        }
        _ => {
            let advice = "fetch it again, or make another key";
            Failure::of(name, format_args!("it is a damaged key file, {error}; {advice}"))
        }
    }
}

fn unfit(file: &KeyFile, text: &str, error: &Error, wanted: Wanted) -> Failure {
    let name = file.name();
    let documents = match PemDocument::split(text) {
        Ok(documents) => documents,
        Err(Error::Pem { line, reason }) => return damaged(name, line, reason),
        Err(_) => return not_pem(file, wanted),
    };
    let found: Vec<_> = documents.iter().map(Document::of).collect();
    let is_wanted = |document: &Document| match document {
        Document::Key(role) => match wanted {
            Wanted::Recipient => *role == Role::Seal,
            Wanted::Opening => *role == Role::Open,
            Wanted::Signing => *role == Role::Sign,
            Wanted::Verifying => *role == Role::Verify,
            Wanted::Private => !role.is_public(),
        },
        _ => false,
    };
    if let Some((line, reason)) = found.iter().find_map(Document::damage) {
        return damaged(name, line, reason);
    }
    match (error, found.as_slice()) {
        (Error::PemCount { .. }, _) => {
            let advice = "put each into a file of its own";
            let (what, needed) = (summary(&found), wanted.article_and_noun());
            Failure::of(
                name,
                format_args!("it holds {what}, and only {needed} is needed; {advice}"),
            )
        }
        (_, [Document::Key(role)]) if wanted == Wanted::Private && role.is_public() => {
            Failure::of(name, "it is a public key already; give the private key")
        }
        (_, found) if !found.iter().all(is_wanted) => {
            if let [only] = found {
                return needed(name, &summary(std::slice::from_ref(only)), wanted);
            }
            let (what, needed) = (summary(found), wanted.article_and_noun());
            let advice = "take out what is not";
            Failure::of(name, format_args!("it holds {what}, and {needed} is needed; {advice}"))
        }
        (Error::Unknown { .. }, _) => {
            Failure::of(name, format_args!("{error}; a newer twinseal may know it"))
        }
        (Error::Invalid { what: "keyring", reason }, _) => {
            let advice = "put each key into it once, and at most 1000 of them";
            Failure::of(name, format_args!("{reason}; {advice}"))
        }
        _ => Failure::of(name, format_args!("{error}; fetch the key again, or make another")),
    }
}

fn unfit_directory(path: &Path, error: &io::Error, wanted: Wanted) -> Failure {
    let name = Name::of(path);
    let text = failure::without_number(error);
    match Error::inside(error) {
        Some(Error::Invalid { what: "keyring", reason }) => {
            let advice = match wanted {
                Wanted::Verifying => "put a public key into it, in a file named *.pem",
                _ => "the newest key is in primary.pem, each older one in another *.pem",
            };
            Failure::of(&name, format_args!("{reason}; {advice}"))
        }
        // The library names the directory, or a file in it.
        _ => match text.strip_prefix(&format!("{}: ", path.display())) {
            Some(text) => Failure::reading(&name, &io::Error::new(error.kind(), text)),
            None => Failure::of(&name, format_args!("{text}; fix the file or remove it")),
        },
    }
}
