//! The command-line arguments.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use twinseal::split::Half;

use crate::algorithm;

/// Keys whose halves two custodians keep, and keys that change.
///
/// A custodian is a process that keeps one half of each key and answers over a Unix socket, as an
/// HSM or a KMS would. Whoever has one custodian can neither open nor sign.
///
/// Without a subcommand, the program starts two custodians, moves a key into them and uses it. One
/// custodian dies, the secrets of one are stolen, and a new key replaces the old one.
#[derive(Debug, Parser)]
#[command(name = "key_management")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keep halves of keys, and use them for every process that can connect
    Serve(Serve),
    /// Make a key to open with and one to sign with, a half of each in each custodian
    ///
    /// If it fails half-way, the halves that were made stay, and the name is taken in their
    /// custodian: choose another name.
    Generate(Client),
    /// Print the public keys
    Public(Client),
    /// Sign a file, and print the signature in base64
    Sign {
        #[command(flatten)]
        client: Client,
        #[arg(short, long, default_value = SIGNED, help = "What the signature is for")]
        context: String,
        /// The file to sign
        file: PathBuf,
    },
    /// Open a sealed file, and print its plaintext
    Open {
        #[command(flatten)]
        client: Client,
        #[arg(short, long, default_value = SEALED, help = "What the data is for")]
        context: String,
        /// The sealed file
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The directory of the halves and of the socket; only this user may enter it
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Which halves to keep: `post-quantum` or `traditional`
    #[arg(long, value_parser = half)]
    pub(crate) half: Half,
    /// Sign for this context; can be repeated [default: no context]
    #[arg(long, value_name = "CONTEXT")]
    pub(crate) allow: Vec<String>,
    /// End when standard input ends, so that this process does not outlive its parent
    #[arg(long)]
    pub(crate) until_stdin_ends: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Client {
    /// The directory of the custodian of the post-quantum halves
    #[arg(long, value_name = "DIR")]
    pub(crate) post_quantum: PathBuf,
    /// The directory of the custodian of the traditional halves
    #[arg(long, value_name = "DIR")]
    pub(crate) traditional: PathBuf,
    /// The name of the key
    #[arg(long, value_parser = name)]
    pub(crate) key: String,
    /// How long an answer may take, in milliseconds
    #[arg(long, value_name = "MS", default_value = "1000", value_parser = milliseconds)]
    pub(crate) timeout: Duration,
}

/// The contexts in which the demonstration signs and seals.
pub(crate) const SIGNED: &str = "example.com/releases/v1";
pub(crate) const SEALED: &str = "example.com/checkpoints/v1";

pub(crate) fn half_argument(half: Half) -> &'static str {
    match half {
        Half::PostQuantum => "post-quantum",
        Half::Traditional => "traditional",
    }
}

fn half(text: &str) -> Result<Half, String> {
    let named = [Half::PostQuantum, Half::Traditional]
        .into_iter()
        .find(|half| half_argument(*half) == text);
    named.ok_or_else(|| "`post-quantum` or `traditional`".into())
}

fn name(text: &str) -> Result<String, String> {
    if algorithm::is_name(text) { Ok(text.into()) } else { Err(algorithm::NAMES.into()) }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(milliseconds @ 1..=600_000) => Ok(Duration::from_millis(milliseconds)),
        _ => Err("a whole number from 1 to 600000".into()),
    }
}
