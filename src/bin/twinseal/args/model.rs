//! The commands that sign and verify models.

use std::{num::NonZeroU64, path::PathBuf};

use clap::{Args, Subcommand, ValueHint};

use super::{Passphrase, Trust, texts};

/// Sign a model, a directory of files, or verify one
///
/// The signature is a bundle of OpenSSF Model Signing 1.0: one file with the names and SHA-256 digests of all files.
/// It says who signed which bytes under which names. It does not say that there is no newer model, or what the model
/// does.
#[derive(Subcommand)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true,
    after_help = texts::MODEL)]
pub(crate) enum ModelCommand {
    Sign(ModelSign),
    Verify(ModelVerify),
}

/// Sign all files of a directory, or one file
///
/// Directories are signed with all that is in them, but without the .git, .gitignore, .gitattributes and .github at
/// their root, without what --ignore names, and without the bundle itself. Symbolic links and special files
/// cannot be signed.
///
/// The key of --key and the file of its passphrase are refused if they are in MODEL, unless --ignore names them. Copies
/// of the key and other private keys are not looked for: they are signed like any other file.
#[derive(Args)]
#[command(after_help = texts::MODEL_SIGN)]
pub(crate) struct ModelSign {
    /// Your private signing key
    #[arg(short, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: Passphrase,

    /// Leave out this path, relative to MODEL, with all that is under it; may be repeated
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) ignore: Vec<PathBuf>,

    /// Hash files in parts of this many bytes, so that a large file is hashed on all cores, and a part can be verified
    /// without the rest. No file can be empty [default: 1000000000 if a file is larger, and none is empty]
    #[arg(long, value_name = "BYTES", value_hint = ValueHint::Other)]
    pub(crate) shard_size: Option<NonZeroU64>,

    /// Hash each file as a whole
    #[arg(long, conflicts_with = "shard_size")]
    pub(crate) whole_files: bool,

    /// Where to write the bundle, also in MODEL; replaces no file of MODEL but a bundle [default: standard output]
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The directory or file to sign
    #[arg(value_name = "MODEL", value_hint = ValueHint::AnyPath)]
    pub(crate) model: PathBuf,
}

/// Verify a model, and print the signer and what is not as signed
///
/// Prints a line for each file that is missing, changed, additional or refused, and for each path that was left out.
/// The exit code is 0 only if the model is as signed. Bundles of other tools are accepted if a P-384 key signed
/// them, with SHA-256 and without certificates.
#[derive(Args)]
#[command(after_help = texts::MODEL_VERIFY)]
pub(crate) struct ModelVerify {
    /// The signer's public key or certificate, or a file or directory of several public keys, also P-384 keys in PEM; may be
    /// repeated: a bundle that any of them signed is accepted
    #[arg(short = 'p', long = "public", value_name = "PUBLIC_KEY", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) keys: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: Trust,

    /// The bundle
    #[arg(short, long, value_name = "SIG", value_hint = ValueHint::FilePath)]
    pub(crate) signature: PathBuf,

    /// Leave out this path, relative to MODEL, with all that is under it; may be repeated. It must not be signed
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) ignore: Vec<PathBuf>,

    /// Refuse what the signer left out, and .git, .gitignore, .gitattributes and .github: leave out only the bundle and what
    /// --ignore names
    #[arg(long)]
    pub(crate) refuse_ignored: bool,

    /// Print files that nobody signed, but accept the model
    #[arg(long)]
    pub(crate) ignore_unsigned: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The directory or file to verify
    #[arg(value_name = "MODEL", value_hint = ValueHint::AnyPath)]
    pub(crate) model: PathBuf,
}
