//! Options about the passphrases of private keys.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use twinseal::passphrase::Scrypt;

use super::texts;
use crate::passphrase::parse_scrypt;

/// For commands that use a private key.
#[derive(Args)]
pub(crate) struct Passphrase {
    /// A file whose first line is the passphrase of an encrypted KEY [default: ask on the terminal]
    #[arg(id = "passphrase_file", long = "passphrase-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
}

/// For commands that make a private key.
#[derive(Args)]
pub(crate) struct NewPassphrase {
    /// Encrypt the key under a passphrase, which is asked for on the terminal
    #[arg(id = "passphrase", long = "passphrase", group = "under_passphrase")]
    pub(crate) ask: bool,

    /// Encrypt the key under the passphrase in the first line of a file
    #[arg(id = "passphrase_file", long = "passphrase-file", value_name = "FILE", group = "under_passphrase",
        value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    #[arg(long, help = texts::SCRYPT, value_name = "N,R,P", value_parser = parse_scrypt,
        requires = "under_passphrase", value_hint = ValueHint::Other)]
    pub(crate) scrypt: Option<Scrypt>,
}

impl NewPassphrase {
    pub(crate) fn is_wanted(&self) -> bool {
        self.ask || self.file.is_some()
    }
}

/// Change, set or remove the passphrase of a private key
///
/// KEY may hold several keys, which then all get the same passphrase. The file is replaced when the
/// result is complete, and keeps its mode. Copies and backups of KEY are not changed: whoever has one
/// can still use it with the old passphrase, or without one if it had none.
#[derive(Args)]
#[command(after_help = texts::PASSWD)]
pub(crate) struct Passwd {
    /// The file of the private key
    #[arg(value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: Passphrase,

    /// A file whose first line is the new passphrase [default: ask on the terminal]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) new_passphrase_file: Option<PathBuf>,

    /// Remove the passphrase, so that the key is not encrypted any longer
    #[arg(long, conflicts_with_all = ["new_passphrase_file", "scrypt"])]
    pub(crate) no_passphrase: bool,

    #[arg(long, help = texts::SCRYPT, value_name = "N,R,P", value_parser = parse_scrypt, value_hint = ValueHint::Other)]
    pub(crate) scrypt: Option<Scrypt>,

    /// Write the key to a new file instead, and leave KEY as it is
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}
