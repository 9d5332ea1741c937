//! The command-line arguments.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// What the data is for. Data that was sealed for one purpose does not open for another.
pub(crate) const CONTEXT: &str = "example.com/checkpoints/v1";

/// Keeps model checkpoints sealed in an object store: seals one on its way there, reads one tensor
/// without fetching the rest, and rotates the keys without moving the data.
///
/// Without a subcommand it demonstrates all of that with a checkpoint and keys of its own.
///
/// A place is a local directory or a URL: s3://bucket/path, gs://bucket/path, az://container/path.
/// For URLs, build with `--features object_store/aws` (gcp, azure); credentials come from the
/// variables AWS_*, GOOGLE_* and AZURE_*.
#[derive(Debug, Parser)]
#[command(name = "checkpoint", args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Where the demonstration keeps its checkpoint [default: a temporary directory]
    #[arg(long, value_name = "PLACE")]
    pub(crate) store: Option<String>,

    /// How large a checkpoint the demonstration makes, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(9..=1 << 20))]
    pub(crate) size: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Seal a file into the store, without a sealed copy on this machine
    Seal {
        /// The checkpoint; any file works
        file: PathBuf,
        /// Where to store it; there must be no checkpoint yet
        place: String,
        /// The public key of a recipient; repeat the option, for example once per cloud
        #[arg(short, long = "recipient", value_name = "PUBLIC_PEM", required = true)]
        recipients: Vec<PathBuf>,
        #[arg(short, long, default_value = CONTEXT, help = CONTEXT_HELP)]
        context: String,
    },
    /// List the tensors of a sealed safetensors checkpoint, or read one of them
    Read {
        /// Where the checkpoint is
        place: String,
        /// A private key; with several, the one that fits is used
        #[arg(short, long = "key", value_name = "PRIVATE_PEM", required = true)]
        keys: Vec<PathBuf>,
        /// The tensor to read
        #[arg(short, long, value_name = "NAME")]
        tensor: Option<String>,
        /// A safetensors file to write the tensor to
        #[arg(short, long, value_name = "FILE", requires = "tensor")]
        output: Option<PathBuf>,
        #[arg(short, long, default_value = CONTEXT, help = CONTEXT_HELP)]
        context: String,
    },
    /// Replace the recipients of a sealed checkpoint; its body stays as it is
    Rewrap {
        /// Where the checkpoint is
        place: String,
        /// A private key that opens it now
        #[arg(short, long = "key", value_name = "PRIVATE_PEM", required = true)]
        keys: Vec<PathBuf>,
        /// The public key of a recipient from now on; name all of them
        #[arg(short, long = "recipient", value_name = "PUBLIC_PEM", required = true)]
        recipients: Vec<PathBuf>,
    },
}

const CONTEXT_HELP: &str = "What the data is for; reading needs the same context as sealing";
