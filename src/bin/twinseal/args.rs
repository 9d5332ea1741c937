//! The command line: commands, options and their help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint, builder::PossibleValuesParser, value_parser};
use clap_complete::Shell;

use crate::{
    certificate::SubjectName,
    distinguished_name::DistinguishedName,
    inspect::{Retired, suite_names},
};

mod import;
mod model;
mod passphrase;
mod texts;
mod trust;

pub(crate) use import::Import;
pub(crate) use model::{ModelCommand, ModelSign, ModelVerify};
pub(crate) use passphrase::{NewPassphrase, Passphrase, Passwd};
pub(crate) use texts::EXIT_CODES;
pub(crate) use trust::Trust;

/// Seals and signs files with hybrid post-quantum cryptography.
///
/// Files are sealed for public keys of X25519 + ML-KEM-1024 with AES-256-GCM, and signed with
/// ECDSA-P384 + ML-DSA-87: an attacker must break both halves.
///
/// The context (-c) says what the data is for, such as "example.com/checkpoints/v1". It is not
/// secret. Opening and verifying need the same context as sealing and signing.
#[derive(Parser)]
#[command(
    name = "twinseal",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = texts::short(),
    after_long_help = texts::long(),
)]
pub(crate) struct Arguments {
    /// Print nothing but results and errors: no progress, notes or warnings
    #[arg(short, long, global = true, display_order = 100)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Keygen(Keygen),
    Public(Public),
    Import(Import),
    Passwd(Passwd),
    Seal(Seal),
    Open(Open),
    Sign(Sign),
    Verify(Verify),
    Rewrap(Rewrap),
    #[command(subcommand)]
    Model(ModelCommand),
    Certificate(Certificate),
    Inspect(Inspect),
    Completions(Completions),
    Man(Man),
}

/// Make a private key and print its key id
///
/// The key is written to a new file that only you can read. An existing file is never overwritten.
///
/// Without --passphrase or --passphrase-file the file is not encrypted: protect it as you protect other
/// private keys.
#[derive(Args)]
#[command(after_help = texts::KEYGEN)]
pub(crate) struct Keygen {
    #[command(flatten)]
    pub(crate) purpose: Purpose,

    #[arg(long, help = texts::suite(), value_name = "NAME", ignore_case = true,
        value_parser = PossibleValuesParser::new(suite_names()))]
    pub(crate) suite: Option<String>,

    #[command(flatten)]
    pub(crate) passphrase: NewPassphrase,

    /// Where to write the private key
    #[arg(short, long, value_name = "FILE", default_value = "key.pem", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Purpose {
    /// Make a key that others seal to and you open with
    #[arg(long)]
    pub(crate) kem: bool,

    /// Make a key that you sign with
    #[arg(long)]
    pub(crate) sign: bool,
}

/// Print the public key that belongs to a private key
#[derive(Args)]
#[command(after_help = texts::PUBLIC)]
pub(crate) struct Public {
    /// The private key
    #[arg(value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: Passphrase,

    /// Where to write the public key [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Context {
    /// What the data is for, such as example.com/notes; must be the same on both sides
    #[arg(short = 'c', long = "context", value_name = "CONTEXT", value_hint = ValueHint::Other)]
    pub(crate) value: String,
}

#[derive(Args)]
pub(crate) struct Recipients {
    /// The public key or certificate of a recipient; may be repeated, up to 1000 times
    #[arg(short = 'r', long = "recipient", value_name = "PUBLIC_KEY", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

impl Recipients {
    /// The files that say who the recipients are.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.iter().chain(&self.trust.ca)
    }
}

#[derive(Args)]
pub(crate) struct Files {
    /// Where to write the result [default: standard output]
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The file to read [default: standard input]
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    pub(crate) input: Option<PathBuf>,
}

/// Seal a file for the owners of public keys
///
/// Each recipient can open the result without the others. It does not prove who sealed it: sign the
/// file before you seal it if that matters. An existing OUT is replaced when the result is complete.
#[derive(Args)]
#[command(after_help = texts::SEAL)]
pub(crate) struct Seal {
    #[command(flatten)]
    pub(crate) recipients: Recipients,
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// Open a sealed file
///
/// With -o, OUT appears only if the whole file was sealed for you and for this context, and is
/// unchanged. Only you can read OUT, unless it already existed and others could read it.
///
/// Without -o, data goes to standard output as it is opened. Every byte is authentic, but only exit
/// code 0 means that you have all of them: do not act on the data before. A terminal obeys escape
/// sequences in the data, so data goes to a terminal only with --to-terminal.
#[derive(Args)]
#[command(after_help = texts::OPEN)]
pub(crate) struct Open {
    /// Your private key, a file of several, or a directory of *.pem files with a primary.pem
    #[arg(short, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: Passphrase,

    /// Write data to a terminal, although a terminal obeys escape sequences
    #[arg(long)]
    pub(crate) to_terminal: bool,
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// Sign a file
///
/// The signature is a separate file of at most 4731 bytes. Two signatures of the same file differ.
#[derive(Args)]
#[command(after_help = texts::SIGN)]
pub(crate) struct Sign {
    /// Your private signing key
    #[arg(short, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// Verify a file's signature and print the key id of the signer
#[derive(Args)]
#[command(after_help = texts::VERIFY)]
pub(crate) struct Verify {
    /// The signer's public key or certificate, or a file or directory of several public keys; may be repeated: a
    /// signature by any of them is accepted
    #[arg(short = 'p', long = "public", value_name = "PUBLIC_KEY", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) keys: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: Trust,
    #[command(flatten)]
    pub(crate) context: Context,

    /// The signature
    #[arg(short, long, value_name = "SIG", value_hint = ValueHint::FilePath)]
    pub(crate) signature: PathBuf,

    /// The signed file [default: standard input]
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    pub(crate) input: Option<PathBuf>,
}

/// Give a sealed file other recipients without opening it
///
/// The result holds the same sealed data, for the new recipients only: name yourself if you want to
/// keep access. Old copies still open with the old keys, so delete them. The data is copied as it is:
/// damage to it is found only when the result is opened.
#[derive(Args)]
#[command(after_help = texts::REWRAP)]
pub(crate) struct Rewrap {
    /// The private key of a recipient of FILE, a file of several, or a directory with a primary.pem
    #[arg(short, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
    #[command(flatten)]
    pub(crate) recipients: Recipients,

    /// Where to write the result [default: standard output]
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The sealed file; standard input if it is `-`
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,
}

/// Make a self-signed certificate of a signing key, or a request for one
///
/// The certificate has your public key, your names, and a time for which it is valid. It is trusted as it is,
/// like a public key: whoever gets it must know that it is yours. It cannot issue other certificates.
///
/// With --request, the result is a request (PKCS #10) for a certification authority. It proves that you have
/// the private key. The authority decides what its certificate says.
///
/// A KEM key cannot sign: an authority issues a certificate for the public key that `twinseal public`
/// prints.
#[derive(Args)]
#[command(after_help = texts::CERTIFICATE)]
pub(crate) struct Certificate {
    /// Your private signing key
    #[arg(short, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: Passphrase,

    /// Whose key it is, such as CN=Alice,O=Example,C=DE (RFC 4514)
    #[arg(long, value_name = "DN", value_parser = DistinguishedName::parse, value_hint = ValueHint::Other)]
    pub(crate) subject: DistinguishedName,

    /// Another name of the subject: dns:HOST, ip:ADDRESS, uri:URI or email:ADDRESS; may be repeated
    #[arg(long = "name", value_name = "TYPE:VALUE", value_parser = SubjectName::parse, value_hint = ValueHint::Other)]
    pub(crate) names: Vec<SubjectName>,

    /// For how many days from now it is valid
    #[arg(long, value_name = "NUMBER", default_value_t = 365, conflicts_with = "request",
        value_parser = value_parser!(u32).range(1..=36500), value_hint = ValueHint::Other)]
    pub(crate) days: u32,

    /// Make a request instead
    #[arg(long)]
    pub(crate) request: bool,

    /// Where to write the result [default: standard output]
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

/// Print what a file is, or what is in a directory: recipients, suites, sizes, key ids
///
/// Recognises sealed files, key files, certificates, signatures, signatures of models, the first messages of
/// sessions, requests and answers. It needs no key, prints nothing private, and reads only the header of a sealed
/// file. The header is not authentic until the file is opened, and no signature is verified.
///
/// With --recursive, it lists every such file in a directory and in all directories below it, with
/// age and mode. Symbolic links are not followed, and FIFOs and devices are not opened. The last line
/// is a summary. With --json, each line is a JSON object.
///
/// With --in-use, the exit code is 3 if a file is sealed for a named key, contains it, or is of a
/// named suite. It is 0 if nothing uses them, so that a rotation is complete. It is 1 if no use was
/// found but something was unreadable, damaged or a key under a passphrase. A signature shows its suite,
/// but not its key.
#[derive(Args)]
#[command(after_help = texts::INSPECT)]
pub(crate) struct Inspect {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// List a directory and all directories below it
    #[arg(long)]
    pub(crate) recursive: bool,

    /// Exit with code 3 if the key with this id, or the suite with this name, is in use; may be repeated
    #[arg(long, value_name = "KEY_ID_OR_SUITE", value_parser = Retired::parse, value_hint = ValueHint::Other)]
    pub(crate) in_use: Vec<Retired>,

    /// The file or directory; standard input if it is `-`
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,
}

/// Print the completion script for a shell
#[derive(Args)]
#[command(after_help = texts::COMPLETIONS)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

/// Print the manual page, or write all manual pages to a directory
#[derive(Args)]
#[command(after_help = texts::MAN)]
pub(crate) struct Man {
    /// An existing directory for twinseal.1 and one page for each command
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,
}
