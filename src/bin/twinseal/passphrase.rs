//! Passphrases of private keys: typed on the terminal, or in the first line of a file.

use std::{path::Path, str};

use subtle::ConstantTimeEq;
use twinseal::{passphrase::Scrypt, secret::SecretBuffer};

use crate::{console::Console, failure::Failure, name::Name};

mod file;
mod terminal;

#[cfg(unix)]
pub(crate) use terminal::{restore, resume};

/// The longest passphrase in bytes. A longer line is of another file.
const LONGEST: usize = 1024;

/// A passphrase, which is wiped when dropped.
pub(crate) struct Passphrase(SecretBuffer);

impl Passphrase {
    /// The passphrase under which the file called `key` is encrypted.
    pub(crate) fn of(key: &Name, file: Option<&Path>, console: &Console) -> Result<Self, Failure> {
        match file {
            Some(path) => file::first_line(path, console).map(|(line, _)| Self(line)),
            None => {
                let prompt = format!("Passphrase of {key}: ");
                terminal::ask(&prompt, "its passphrase", key, "--passphrase-file").map(Self)
            }
        }
    }

    /// A new passphrase for `key`. `option` names a file of it.
    pub(crate) fn new(
        key: &Name,
        file: Option<&Path>,
        option: &str,
        console: &Console,
    ) -> Result<Self, Failure> {
        if let Some(path) = file {
            let (line, name) = file::first_line(path, console)?;
            return match fault(&line) {
                Some((fault, advice)) => {
                    Err(Failure::of(&name, format_args!("its first line {fault}; {advice}")))
                }
                None => Ok(Self(line)),
            };
        }
        let what = "a new passphrase";
        let typed = terminal::ask(&format!("New passphrase for {key}: "), what, key, option)?;
        if let Some((fault, _)) = fault(&typed) {
            let advice = "run the command again, without Tab and arrow keys";
            return Err(Failure::of(key, format_args!("the passphrase {fault}; {advice}")));
        }
        let again = terminal::ask("The same again: ", what, key, option)?;
        if !bool::from(typed.ct_eq(&again)) {
            let reason = "the two passphrases differ; run the command again";
            return Err(Failure::of(key, reason));
        }
        Ok(Self(typed))
    }
}

impl AsRef<[u8]> for Passphrase {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Why a new passphrase is refused, and what to do about a file that holds it. It is what nobody could type, or
/// meant: binary data, UTF-16, or the file of a key instead of that of its passphrase.
fn fault(passphrase: &[u8]) -> Option<(&'static str, &'static str)> {
    let Ok(text) = str::from_utf8(passphrase) else {
        return Some(("is not text in UTF-8", "write the passphrase in it"));
    };
    if text.starts_with('\u{feff}') {
        return Some(("starts with a byte order mark", "save it without one"));
    }
    if text.chars().any(char::is_control) {
        return Some(("contains a control character", "write the passphrase in it"));
    }
    let is_pem = text.starts_with("-----BEGIN ");
    is_pem.then_some(("is that of a PEM file", "name a file with the passphrase"))
}

/// The three numbers of `--scrypt`.
pub(crate) fn parse_scrypt(text: &str) -> Result<Scrypt, String> {
    let mut numbers = text.split(',').map(|number| number.trim().parse::<u64>().ok());
    let (Some(Some(n)), Some(Some(r)), Some(Some(p)), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return Err("three numbers are needed, as in 131072,8,1".into());
    };
    let [r, p] = [r, p].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    Scrypt::new(n, r, p).map_err(|error| error.to_string())
}
