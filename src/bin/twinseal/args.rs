//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint, builder::PossibleValuesParser};
use clap_complete::Shell;

use crate::inspect::{Retired, suite_names};

mod texts;

pub(crate) use texts::EXIT_CODES;

/// Seals and signs files with hybrid post-quantum cryptography.
///
/// Files are sealed for public keys of X25519 + ML-KEM-1024 with AES-256-GCM, and signed with
/// ECDSA-P384 + ML-DSA-87: an attacker must break both halves.
///
/// A context (-c) says what data is for, as in "example.com/checkpoints/v1". It is not secret.
/// Opening and verifying need the same context as sealing and signing.
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
    Seal(Seal),
    Open(Open),
    Sign(Sign),
    Verify(Verify),
    Rewrap(Rewrap),
    Inspect(Inspect),
    Completions(Completions),
    Man(Man),
}

/// Make a private key, and print its key id
///
/// The key goes to a new file that only you can read; an existing file is never overwritten. The
/// file is not encrypted: keep it where private keys belong.
#[derive(Args)]
#[command(after_help = texts::KEYGEN)]
pub(crate) struct Keygen {
    #[command(flatten)]
    pub(crate) purpose: Purpose,

    /// Another suite than the default, by its name
    #[arg(long, value_name = "NAME", ignore_case = true,
        value_parser = PossibleValuesParser::new(suite_names()))]
    pub(crate) suite: Option<String>,

    /// Where the private key goes
    #[arg(short, long, value_name = "FILE", default_value = "key.pem", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Purpose {
    /// A key to open with, to which others seal
    #[arg(long)]
    pub(crate) kem: bool,

    /// A key to sign with
    #[arg(long)]
    pub(crate) sign: bool,
}

/// Print the public half of a private key
#[derive(Args)]
#[command(after_help = texts::PUBLIC)]
pub(crate) struct Public {
    /// The private key
    #[arg(value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    /// Where the public key goes; standard output if not given
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Context {
    /// What the data is for, as in example.com/notes; the same on both sides
    #[arg(short = 'c', long = "context", value_name = "CONTEXT", value_hint = ValueHint::Other)]
    pub(crate) value: String,
}

#[derive(Args)]
pub(crate) struct Recipients {
    /// The public key of a recipient; may be repeated, up to 1000 times
    #[arg(short = 'r', long = "recipient", value_name = "PUBLIC_KEY", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Files {
    /// Where the result goes; standard output if not given
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// What is read; standard input if not given, or `-`
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    pub(crate) input: Option<PathBuf>,
}

/// Seal a file for the owners of public keys
///
/// Each recipient can open the result without the others. It does not show who sealed it: sign the
/// file before sealing if that matters. An existing OUT is replaced once the result is whole.
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
/// With -o nothing is left behind unless the whole file was sealed for you, for this context, and
/// is unchanged. Only you can read OUT, unless it existed before and others could read it.
///
/// Standard output gets data as it is opened: every byte of it is authentic, but only exit code 0
/// means that you have all of them. Do not act on it before. A terminal obeys escape sequences in the data:
/// it gets them only with --to-terminal.
#[derive(Args)]
#[command(after_help = texts::OPEN)]
pub(crate) struct Open {
    /// Your private key; a file of several; or a directory of *.pem files with a primary.pem
    #[arg(short, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    /// Write opened data to a terminal, which obeys escape sequences in it
    #[arg(long)]
    pub(crate) to_terminal: bool,
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// Sign a file
///
/// The signature is a file of its own, at most 4731 bytes long; two signatures of one file differ.
#[derive(Args)]
#[command(after_help = texts::SIGN)]
pub(crate) struct Sign {
    /// Your private signing key
    #[arg(short, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// Verify a file's signature, and print whose it is
#[derive(Args)]
#[command(after_help = texts::VERIFY)]
pub(crate) struct Verify {
    /// The public key of the signer, or a file or directory of several; may be repeated: a signature of
    /// any of them is accepted
    #[arg(short = 'p', long = "public", value_name = "PUBLIC_KEY", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) keys: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) context: Context,

    /// The signature
    #[arg(short, long, value_name = "SIG", value_hint = ValueHint::FilePath)]
    pub(crate) signature: PathBuf,

    /// What was signed; standard input if not given, or `-`
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    pub(crate) input: Option<PathBuf>,
}

/// Give a sealed file other recipients, without opening it
///
/// The result is the same sealed data, only for the new recipients: add yourself if you want to keep
/// access. Old copies still open with the old keys, so delete them. The data itself is copied as it
/// is: whether it is whole and unchanged is checked when it is opened.
#[derive(Args)]
#[command(after_help = texts::REWRAP)]
pub(crate) struct Rewrap {
    /// The private key of a recipient of FILE; a file of several; or a directory with a primary.pem
    #[arg(short, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) recipients: Recipients,

    /// Where the result goes; standard output if not given
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The sealed file; standard input if it is `-`
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,
}

/// Print what a file is, or what is in a directory: recipients, suites, sizes, key ids
///
/// Knows sealed files, key files, signatures and the first message of a session. No key is needed,
/// nothing private is printed, and of a sealed file only the header is read. The header is not
/// authentic until the file is opened.
///
/// With --recursive, each of them in the directory and in those below it is listed, with its age and
/// mode. Symbolic links are not followed, and FIFOs and devices are not opened. The last line is a
/// summary. With --json, each line is a JSON object.
///
/// With --in-use, the exit code is 3 if a file is sealed for a named key, holds it, or is of a named
/// suite. A rotation has ended when it is 0: nothing uses the old key. It is 1 if nothing uses the key
/// but something was unreadable or damaged. A signature does not say which key made it, only its suite.
#[derive(Args)]
#[command(after_help = texts::INSPECT)]
pub(crate) struct Inspect {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// List what is in a directory, and in all directories below it
    #[arg(long)]
    pub(crate) recursive: bool,

    /// Exit with code 3 if this key, by its key id, or this suite, by its name, is used; may be repeated
    #[arg(long, value_name = "KEY_ID_OR_SUITE", value_parser = Retired::parse, value_hint = ValueHint::Other)]
    pub(crate) in_use: Vec<Retired>,

    /// The file, or the directory; standard input if it is `-`
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,
}

/// Print the completions of a shell
#[derive(Args)]
#[command(after_help = texts::COMPLETIONS)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

/// Print the manual page, or write all of them to a directory
#[derive(Args)]
#[command(after_help = texts::MAN)]
pub(crate) struct Man {
    /// An existing directory for twinseal.1 and one page for each command
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,
}
