//! The command-line arguments.

use std::{env, ffi::OsStr, path::PathBuf};

use clap::{
    Arg, Args, Parser, Subcommand,
    builder::TypedValueParser,
    error::{Error, ErrorKind},
};

use pkcs11::{Uri, UriError};

use crate::place::Place;

/// Keys whose halves are in two places: both in PKCS#11 tokens, or one in a token and one in a file.
///
/// A half in a token is named by a PKCS#11 URI (RFC 7512):
///
///   pkcs11:token=TOKEN;object=LABEL?module-path=FILE&pin-source=FILE
///
/// `pin-source=env:NAME` reads the PIN from an environment variable; without pin-source, the token asks for it on
/// its own keyboard. The post-quantum half may also be a file, for tokens that have no ML-KEM and no ML-DSA: it is
/// named by its path.
///
/// A key NAME is two files: NAME.pub.pem, which the command-line tool twinseal understands, too, and
/// NAME.halves, which says where the halves are and holds no secret.
///
/// A module is a library whose code runs in this program, as you: a URI, and a NAME.halves, is like a program that you
/// start. Use none that comes from others.
#[derive(Debug, Parser)]
#[command(name = "pkcs11")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the tokens of a module, and which halves they offer
    Tokens {
        /// The module, such as /usr/lib/softhsm/libsofthsm2.so
        module: PathBuf,
    },
    /// Generate a key: each half is made where it stays
    Keygen(New),
    /// Move a whole key into two places; its public key stays the same
    Import {
        /// The private key: PEM, for ML-KEM-1024 + P-384 or ML-DSA-87 + ECDSA-P384. Delete it afterwards
        key: PathBuf,
        #[command(flatten)]
        new: New,
    },
    /// Use both halves once, and say which one is not of this key
    Check(Key),
    /// Seal a file for a public key
    Seal {
        /// The public key of a recipient; can be repeated
        #[arg(short, long = "recipient", value_name = "PUBLIC_PEM", required = true)]
        recipients: Vec<PathBuf>,
        #[command(flatten)]
        files: Files,
    },
    /// Open a sealed file
    Open {
        #[command(flatten)]
        key: Halves,
        #[command(flatten)]
        files: Files,
    },
    /// Sign a file
    Sign {
        #[command(flatten)]
        key: Halves,
        #[command(flatten)]
        files: Files,
    },
    /// Verify the signature of a file
    Verify {
        /// The public key of the signer
        #[arg(short, long, value_name = "PUBLIC_PEM")]
        key: PathBuf,
        /// The signature
        #[arg(short, long, value_name = "FILE")]
        signature: PathBuf,
        #[command(flatten)]
        context: Context,
        /// The file that was signed
        file: PathBuf,
    },
}

/// A key that is about to be made.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// A key that signs, instead of one that opens
    #[arg(long)]
    pub(crate) sign: bool,
    /// Where the ML-KEM or ML-DSA half goes: a URI, or a new file
    #[arg(long, value_name = "PLACE", value_parser = PlaceParser)]
    pub(crate) post_quantum: Place,
    /// Where the P-384 half goes: a URI
    #[arg(long, value_name = "URI", value_parser = PlaceParser)]
    pub(crate) traditional: Place,
    /// Write NAME.pub.pem and NAME.halves
    #[arg(short = 'o', long = "output", value_name = "NAME")]
    pub(crate) name: PathBuf,
}

/// A key of either kind.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// A key that signs, instead of one that opens
    #[arg(long)]
    pub(crate) sign: bool,
    #[command(flatten)]
    pub(crate) halves: Halves,
}

#[derive(Debug, Args)]
pub(crate) struct Halves {
    /// Where the halves of the private key are. The libraries that it names run: use only a file of your own
    #[arg(short = 'k', long = "key", value_name = "NAME.halves")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Context {
    /// What the data is for; a file is opened, and verified, only in the context that it was sealed or signed for
    #[arg(short = 'c', long = "context", value_name = "CONTEXT")]
    pub(crate) value: String,
}

#[derive(Debug, Args)]
pub(crate) struct Files {
    #[command(flatten)]
    pub(crate) context: Context,
    /// Where the result goes
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The file to read
    pub(crate) file: PathBuf,
}

/// Parses a place. clap would repeat a value that it refuses, and somebody could have written a PIN there.
#[derive(Clone, Debug)]
struct PlaceParser;

impl TypedValueParser for PlaceParser {
    type Value = Place;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Place, Error> {
        let place = value.to_str().ok_or_else(|| "it is not text".to_owned());
        place.and_then(|text| text.parse().map_err(|error: UriError| error.to_string())).map_err(
            |reason| {
                let name = argument.map(ToString::to_string).unwrap_or_default();
                let message = format!("invalid value for '{name}': {reason}\n");
                Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
            },
        )
    }
}

/// Is there a PIN in the arguments? clap repeats those that it does not expect.
pub(crate) fn show_a_pin() -> bool {
    env::args_os().any(|argument| {
        let text = argument.to_string_lossy().to_ascii_lowercase();
        text.contains(Uri::SCHEME) && text.contains("pin-value")
    })
}
