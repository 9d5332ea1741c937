//! The command-line tool: keys, files and checkpoints without writing Rust.
//!
//! Each module answers one question; a command reads its keys, opens its input and its output, lets
//! the library work, and puts the output in place at the end.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod console;
mod copy;
mod envelope;
mod failure;
mod input;
mod inspect;
mod keygen;
mod keys;
mod kind;
mod name;
mod output;
mod pages;
mod seal;
mod sign;
#[cfg(unix)]
mod signals;

use args::{Arguments, Command};
use console::Console;
use failure::Failure;

fn main() -> ExitCode {
    let Arguments { quiet, command } = Arguments::parse();
    let console = Console::new(quiet);
    match run(command, &console) {
        Ok(()) => {
            console.finish();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            console.error(&failure);
            failure.code()
        }
    }
}

fn run(command: Command, console: &Console) -> Result<(), Failure> {
    #[cfg(unix)]
    signals::watch(console);
    match command {
        Command::Keygen(args) => keygen::keygen(&args, console),
        Command::Public(args) => keygen::public(&args, console),
        Command::Seal(args) => seal::seal(&args, console),
        Command::Open(args) => seal::open(&args, console),
        Command::Rewrap(args) => seal::rewrap(&args, console),
        Command::Sign(args) => sign::sign(&args, console),
        Command::Verify(args) => sign::verify(&args, console),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Completions(args) => pages::completions(&args),
        Command::Man(args) => pages::man(&args),
    }
}
