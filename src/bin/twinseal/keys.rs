//! Reading key files, and saying what is wrong with one that does not serve.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use twinseal::{
    DecapsulationKey, Directory, EncapsulationKey, Error, Keyring, Policy, Recipients,
    SignatureSuite, SigningKey, VerifyingKey, VerifyingKeyring,
};

use crate::{
    console::Console,
    failure::{self, Failure},
    name::Name,
};

/// What a command needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Recipient,
    Opening,
    Signing,
    Verifying,
}

impl Wanted {
    fn article_and_noun(self) -> &'static str {
        match self {
            Self::Recipient => "a recipient's public key",
            Self::Opening => "a private key to open with",
            Self::Signing => "a private key to sign with",
            Self::Verifying => "a signer's public key",
        }
    }

    fn how_to_get_one(self) -> &'static str {
        match self {
            Self::Recipient => "`twinseal public` gives it from the key of `twinseal keygen --kem`",
            Self::Opening => "`twinseal keygen --kem` makes one",
            Self::Signing => "`twinseal keygen --sign` makes one",
            Self::Verifying => {
                "`twinseal public` gives it from the key of `twinseal keygen --sign`"
            }
        }
    }
}

/// A private key of either kind, for what serves both.
pub(crate) enum Private {
    Kem(DecapsulationKey),
    Sign(SigningKey),
}

pub(crate) fn recipients(paths: &[PathBuf]) -> Result<Recipients, Failure> {
    let mut keys = Vec::with_capacity(paths.len());
    for path in paths {
        let key = EncapsulationKey::from_pem(&read_public(path, Wanted::Recipient)?)
            .map_err(|error| unfit(path, &error, Wanted::Recipient))?;
        keys.push(key);
    }
    Recipients::new(&keys).map_err(|error| {
        let twice = keys.iter().enumerate().find_map(|(index, key)| {
            let first =
                keys.iter().position(|other| other == key).filter(|first| *first < index)?;
            Some((paths.get(first)?, paths.get(index)?))
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

/// The keys of a file, or of a folder.
pub(crate) fn keyring(path: &Path, console: &Console) -> Result<Keyring, Failure> {
    let read = if path.is_dir() { Keyring::read_dir(path) } else { Keyring::read_pem_file(path) };
    let keys = read.map_err(|error| private_unfit(path, &error, Wanted::Opening))?;
    warn_of_readers(path, console);
    Ok(keys)
}

pub(crate) fn signing(path: &Path, console: &Console) -> Result<SigningKey, Failure> {
    let key = SigningKey::read_pem_file(path)
        .map_err(|error| private_unfit(path, &error, Wanted::Signing))?;
    warn_of_readers(path, console);
    Ok(key)
}

/// A key of either kind.
pub(crate) fn private(path: &Path, console: &Console) -> Result<Private, Failure> {
    let error = match DecapsulationKey::read_pem_file(path) {
        Ok(key) => {
            warn_of_readers(path, console);
            return Ok(Private::Kem(key));
        }
        Err(error) => error,
    };
    match library_error(&error) {
        Some(Error::PemLabel { found, .. }) if is_public(found) => {
            let advice = "it is a public key already; give the private key";
            Err(Failure::of(&Name::of(path), advice))
        }
        Some(Error::PemLabel { .. }) => signing(path, console).map(Private::Sign),
        _ => Err(private_unfit(path, &error, Wanted::Opening)),
    }
}

/// The keys of all files and folders.
pub(crate) fn verifying(paths: &[PathBuf]) -> Result<VerifyingKeyring, Failure> {
    let mut keys = Vec::new();
    for path in paths {
        let wrong = |error: &Error| unfit(path, error, Wanted::Verifying);
        if path.is_dir() {
            let ring = VerifyingKeyring::read_dir(path)
                .map_err(|error| private_unfit(path, &error, Wanted::Verifying))?;
            keys.extend(ring.keys().cloned());
            continue;
        }
        let text = read_public(path, Wanted::Verifying)?;
        match VerifyingKey::from_pem(&text) {
            Ok(key) => keys.push(key),
            Err(error) if text.matches("-----BEGIN ").count() < 2 => return Err(wrong(&error)),
            Err(_) => {
                let ring = VerifyingKeyring::from_pem(&text).map_err(|error| wrong(&error))?;
                keys.extend(ring.keys().cloned());
            }
        }
    }
    // Whoever names a key of an experimental suite accepts it.
    let policy = Policy::stable().with_signature_suites(SignatureSuite::ALL.iter().copied());
    VerifyingKeyring::with_policy(&keys, policy)
        .map_err(|error| Failure::usage(format!("-p: {error}")))
}

/// What is longer is no key file.
pub(crate) const MAX_LENGTH: u64 = 4 * 1024 * 1024;

fn read_public(path: &Path, wanted: Wanted) -> Result<String, Failure> {
    let mut text = String::new();
    let read =
        File::open(path).and_then(|file| file.take(MAX_LENGTH + 1).read_to_string(&mut text));
    match read {
        Ok(_) if text.len() as u64 <= MAX_LENGTH => Ok(text),
        Err(error) if error.kind() != io::ErrorKind::InvalidData => {
            Err(unreadable(&Name::of(path), &error))
        }
        _ => Err(not_pem(path, wanted)),
    }
}

fn library_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn unreadable(name: &Name, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::IsADirectory => Failure::of(name, "it is a folder; name a key file in it"),
        _ => Failure::reading(name, error),
    }
}

fn private_unfit(path: &Path, error: &io::Error, wanted: Wanted) -> Failure {
    let name = Name::of(path);
    if let Some(error) = library_error(error) {
        return unfit(path, error, wanted);
    }
    if error.get_ref().is_some() {
        // Of a file in a folder, which it names.
        let error = failure::without_number(error);
        return Failure::of(&name, format_args!("{error}; mend the file, or take it out"));
    }
    unreadable(&name, error)
}

fn not_pem(path: &Path, wanted: Wanted) -> Failure {
    let what = if is_empty(path) { "it is empty" } else { "it is no key file, or a damaged one" };
    let needed = format_args!(
        "{what}; {} is needed: {}",
        wanted.article_and_noun(),
        wanted.how_to_get_one()
    );
    Failure::of(&Name::of(path), needed)
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

fn unfit(path: &Path, error: &Error, wanted: Wanted) -> Failure {
    let name = Name::of(path);
    match error {
        Error::PemLabel { found, .. } => {
            let what = describe(found);
            let (needed, how) = (wanted.article_and_noun(), wanted.how_to_get_one());
            Failure::of(&name, format_args!("it is {what}, and {needed} is needed; {how}"))
        }
        Error::NotPem { .. } => not_pem(path, wanted),
        Error::Invalid { what: "keyring", reason } if path.is_dir() => {
            let advice = match wanted {
                Wanted::Verifying => "put a public key into it, in a file named *.pem",
                _ => "the newest key is in primary.pem, each older one in another *.pem",
            };
            Failure::of(&name, format_args!("{reason}; {advice}"))
        }
        _ if is_empty(path) => not_pem(path, wanted),
        Error::Unknown { .. } => {
            Failure::of(&name, format_args!("{error}; a newer twinseal may know it"))
        }
        error => Failure::of(&name, format_args!("{error}; fetch the key again, or make another")),
    }
}

fn is_public(label: &str) -> bool {
    label.ends_with("PUBLIC KEY")
}

/// What a PEM label stands for.
pub(crate) fn describe(label: &str) -> String {
    match label {
        "TWINSEAL KEM PUBLIC KEY" => "a public key to seal to".into(),
        "TWINSEAL KEM PRIVATE KEY" => "a private key to open with".into(),
        "PUBLIC KEY" | "TWINSEAL EXPERIMENTAL PUBLIC KEY" => "a public key to verify with".into(),
        "PRIVATE KEY" | "TWINSEAL EXPERIMENTAL PRIVATE KEY" => "a private key to sign with".into(),
        "CERTIFICATE" => "a certificate".into(),
        "ENCRYPTED PRIVATE KEY" => "an encrypted private key, which is not supported".into(),
        other => format!("something else ({other})"),
    }
}

/// Says so if others than its owner can read a private key.
fn warn_of_readers(path: &Path, console: &Console) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let warn = |path: &Path| {
            let readable =
                fs::metadata(path).is_ok_and(|file| file.is_file() && file.mode() & 0o044 != 0);
            if readable {
                let name = Name::of(path);
                console.note(format_args!(
                    "warning: {name}: others can read this private key; run `chmod 600` on it"
                ));
            }
        };
        warn(path);
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "pem") {
                warn(&entry.path());
            }
        }
    }
    #[cfg(not(unix))]
    let _ = (path, console);
}
