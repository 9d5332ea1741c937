//! Passphrases of private keys: typed on the terminal, or in the first line of a file.

use std::path::Path;

use subtle::ConstantTimeEq;
use twinseal::{passphrase::Scrypt, secret::SecretBuffer};

use crate::{console::Console, failure::Failure, name::Name};

mod file;
mod terminal;

#[cfg(unix)]
pub(crate) use terminal::restore;

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
                terminal::ask(&format!("Passphrase of {key}: "), key, "--passphrase-file").map(Self)
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
            // Others could not type it: it is binary data, or a file in UTF-16.
            let is_text = |text: &str| !text.chars().any(char::is_control);
            if !std::str::from_utf8(&line).is_ok_and(is_text) {
                let reason = "its first line is not text in UTF-8; write the passphrase in it";
                return Err(Failure::of(&name, reason));
            }
            return Ok(Self(line));
        }
        let typed = terminal::ask(&format!("New passphrase for {key}: "), key, option)?;
        let again = terminal::ask("The same again: ", key, option)?;
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
