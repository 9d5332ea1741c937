//! The public keys that a command needs: those of recipients and of signers, also in certificates.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use twinseal::{
    EncapsulationKey, Error, Policy, Recipients, SignatureSuite, VerifyingKeyring,
    key_files::PemDocument, model::TrustedKey,
};

use super::{
    certificates::{Certificates, Certified},
    file::KeyFile,
    is_directory,
    modes::{self, Secrecy},
    unfit,
    wanted::Wanted,
};
use crate::{args, console::Console, failure::Failure, name::Name};

/// The keys of `-r`.
pub(crate) fn recipients(
    args: &args::Recipients,
    console: &Console,
) -> Result<Recipients, Failure> {
    let paths = &args.paths;
    let mut certificates = Certificates::new(&args.trust, paths, "-r", console)?;
    let mut keys = Vec::with_capacity(paths.len());
    for path in paths {
        keys.extend(read(path, Wanted::Recipient, &mut certificates, console, |text| {
            EncapsulationKey::from_pem(text).map(|key| vec![key])
        })?);
    }
    let recipients = Recipients::new(&keys).map_err(|error| {
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
    })?;
    certificates.note(console);
    Ok(recipients)
}

/// The keys of `verify -p`.
pub(crate) fn verifying(
    args: &args::Verify,
    console: &Console,
) -> Result<VerifyingKeyring, Failure> {
    let keys = signers(&args.keys, &args.trust, Wanted::Verifying, console, |path| {
        Ok(VerifyingKeyring::read_dir(path)?.keys().cloned().collect())
    })?;
    // Naming a key of an experimental suite accepts that suite.
    let policy = Policy::stable().with_signature_suites(SignatureSuite::ALL.iter().copied());
    let ring = || {
        let mut ring = VerifyingKeyring::new([])?.with_policy(policy)?;
        keys.iter().try_for_each(|key| ring.add(key))?;
        Ok(ring)
    };
    ring().map_err(|error: Error| Failure::usage(format!("-p: {error}")))
}

/// The keys of `model verify -p`: also P-384 keys of other tools.
pub(crate) fn trusted(
    args: &args::ModelVerify,
    console: &Console,
) -> Result<Vec<TrustedKey>, Failure> {
    signers(&args.keys, &args.trust, Wanted::VerifyingModels, console, |path| {
        TrustedKey::read_dir(path)
    })
}

/// The keys of all files and directories.
fn signers<Key>(
    paths: &[PathBuf],
    trust: &args::Trust,
    wanted: Wanted,
    console: &Console,
    read_dir: impl Fn(&PathBuf) -> io::Result<Vec<Key>>,
) -> Result<Vec<Key>, Failure>
where
    Key: Certified + for<'a> TryFrom<PemDocument<'a>, Error = Error>,
{
    let mut certificates = Certificates::new(trust, paths, "-p", console)?;
    let mut keys = Vec::new();
    for path in paths {
        if is_directory(path) {
            certificates.refuse_directory(path)?;
            let found = read_dir(path).map_err(|error| unfit::directory(path, &error, wanted))?;
            if found.is_empty() {
                return Err(unfit::empty_directory(path));
            }
            modes::warn_in(path, Secrecy::Public, console);
            keys.extend(found);
            continue;
        }
        keys.extend(read(path, wanted, &mut certificates, console, |text| {
            let documents = PemDocument::split(text)?;
            documents.into_iter().map(Key::try_from).collect()
        })?);
    }
    certificates.note(console);
    Ok(keys)
}

/// The keys of a file, or the one key of its certificate.
fn read<Key: Certified>(
    path: &Path,
    wanted: Wanted,
    certificates: &mut Certificates<'_>,
    console: &Console,
    parse: impl FnOnce(&str) -> Result<Vec<Key>, Error>,
) -> Result<Vec<Key>, Failure> {
    let file = KeyFile::read(path)?;
    let keys = match certificates.key(&file, wanted)? {
        Some(key) => vec![key],
        None => {
            let Some(text) = file.text() else { return Err(unfit::not_pem(&file, wanted)) };
            parse(text).map_err(|error| unfit::file(&file, text, &error, wanted))?
        }
    };
    file.warn(wanted.secrecy(), console);
    Ok(keys)
}
