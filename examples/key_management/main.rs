//! Keys whose halves two custodians keep, and keys that change: each custodian is a process that keeps
//! one half of every key and answers over a Unix socket, in place of an HSM or a KMS. A directory of
//! keys, mounted as a Kubernetes secret, is read again when it changes.
//!
//! ```text
//! cargo run --release --example key_management
//! cargo run --release --example key_management -- --help
//! ```
//!
//! Without a subcommand it tells the story of a key: it moves from memory into two custodians, is used,
//! loses one of them, then the secrets of each, and is replaced.

#[cfg(unix)]
mod algorithm;
#[cfg(unix)]
mod arguments;
#[cfg(unix)]
mod attack;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod custodian;
#[cfg(unix)]
mod directory;
#[cfg(unix)]
mod keys;
#[cfg(unix)]
mod mounted;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod protocol;
#[cfg(unix)]
mod purposes;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod story;
#[cfg(unix)]
mod usage;

use std::{error::Error, io, process::ExitCode};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS, // key_management | head -1
        Err(error) => {
            common::complain("key_management", common::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
fn run() -> Result<()> {
    match common::arguments::<arguments::Arguments>().command {
        None => {
            let out = &mut io::stdout().lock();
            story::run(out)?;
            mounted::run(out)
        }
        Some(command) => client::ask(&command, &mut io::stdout()), // threads of a custodian lock it
    }
}

#[cfg(not(unix))]
fn run() -> Result<()> {
    Err("this example needs Unix sockets; the traits Decapsulate and Sign do not".into())
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
