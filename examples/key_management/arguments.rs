//! The command-line arguments.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keys in another process, and keys that change.
///
/// A second process holds the private keys and answers over a Unix socket, as an HSM or a KMS would.
/// A directory of keys, mounted as a Kubernetes secret, is read again when it changes.
///
/// Without a subcommand the program starts that process, uses it, makes it fail in several ways, and
/// shows how the client carries on.
#[derive(Debug, Parser)]
#[command(name = "key_management")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Hold private keys, and use them for every process that can connect to the socket
    Serve(Serve),
    /// Print the public keys
    Public(Client),
    /// Sign a file, and print the signature in base64
    Sign {
        #[command(flatten)]
        client: Client,
        #[arg(short, long, default_value = SIGNED, help = "What the signature is for")]
        context: String,
        file: PathBuf,
    },
    /// Open a sealed file, and print its plaintext
    Open {
        #[command(flatten)]
        client: Client,
        #[arg(short, long, default_value = SEALED, help = "What the data is for")]
        context: String,
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The socket to listen on
    #[arg(long)]
    pub(crate) socket: PathBuf,
    /// The directory of kem.pem and sign.pem; a missing one is generated
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: PathBuf,
    /// Sign only for this context; can be repeated [default: all contexts]
    #[arg(long, value_name = "CONTEXT")]
    pub(crate) allow: Vec<String>,
    /// End when standard input ends, so that this process does not outlive its parent
    #[arg(long)]
    pub(crate) until_stdin_ends: bool,
    /// Fail in this way, to test clients
    #[arg(long)]
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug, Args)]
pub(crate) struct Client {
    /// The socket of the process that holds the keys
    #[arg(long)]
    pub(crate) socket: PathBuf,
    /// How long an answer may take, in milliseconds
    #[arg(long, value_name = "MS", default_value = "1000", value_parser = milliseconds)]
    pub(crate) timeout: Duration,
}

/// How the process that holds the keys fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// It accepts requests and never answers
    Hang,
    /// It answers with bytes that are not an answer
    Garbage,
    /// It ends the connection in the middle of an answer
    HangUp,
}

/// The contexts in which the demonstration signs and seals.
pub(crate) const SIGNED: &str = "example.com/releases/v1";
pub(crate) const SEALED: &str = "example.com/checkpoints/v1";

fn milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(milliseconds @ 1..=600_000) => Ok(Duration::from_millis(milliseconds)),
        _ => Err("a whole number from 1 to 600000".into()),
    }
}
