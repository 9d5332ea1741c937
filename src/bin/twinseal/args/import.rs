//! The options of `import`.

use std::path::PathBuf;

use clap::{Args, ValueHint, builder::PossibleValuesParser};
use twinseal::passphrase::Scrypt;

use super::{Passphrase, texts};
use crate::{inspect::suite_names, passphrase::parse_scrypt};

/// Convert a key of other software to the form that twinseal reads and writes
///
/// Takes a private or public key of a suite of twinseal, in PEM or DER, in any form that its standard allows:
/// PKCS#8 with or without attributes and public key, SPKI, and the bare octets with --suite. What is in the file
/// twice is compared. It also takes old key files of twinseal.
///
/// A private key is written to a new file that only you can read, and its key id is printed. If it is encrypted,
/// it is encrypted again, under the same passphrase; `twinseal passwd` encrypts one that was not. A public key is printed, or written to OUT.
///
/// The encryption does not protect a key from being changed. So an encrypted key must say whose key it is, or you
/// say so with --expect.
#[derive(Args)]
#[command(after_help = texts::IMPORT)]
pub(crate) struct Import {
    /// The suite of a file that holds only the octets of a key, without PEM or DER around them
    #[arg(long, value_name = "NAME", ignore_case = true, value_parser = PossibleValuesParser::new(suite_names()))]
    pub(crate) suite: Option<String>,

    /// Refuse every key but that with this key id, or in this file: a public key or a certificate, whose validity
    /// does not matter
    #[arg(long, value_name = "KEY_ID_OR_FILE", value_hint = ValueHint::FilePath)]
    pub(crate) expect: Option<PathBuf>,

    /// Take an encrypted key that does not say whose key it is, although somebody may have changed it
    #[arg(long, conflicts_with = "expect")]
    pub(crate) unauthenticated: bool,

    #[command(flatten)]
    pub(crate) passphrase: Passphrase,

    #[arg(long, help = texts::SCRYPT, value_name = "N,R,P", value_parser = parse_scrypt, value_hint = ValueHint::Other)]
    pub(crate) scrypt: Option<Scrypt>,

    /// Where to write the key [default for a public key: standard output]
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The key file of other software; standard input if it is `-`
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,
}
