//! The command-line tool: keys, files and checkpoints without writing Rust.
//!
//! Each module answers one question; a command reads its keys, opens its input and its output, lets
//! the library work, and puts the output in place at the end.

// Its fuzz target is this program with another `main`.
#![cfg_attr(fuzzing, no_main)]
#![cfg_attr(fuzzing, allow(dead_code, reason = "only `inspect` runs"))]

use std::process::ExitCode;

use clap::Parser;

mod args;
mod body;
mod certificate;
mod console;
mod distinguished_name;
mod escape;
mod failure;
mod identity;
mod import;
mod input;
mod inspect;
mod keygen;
mod keys;
mod kind;
#[cfg(unix)]
mod limits;
mod model;
mod name;
mod output;
mod pages;
mod passphrase;
mod passwd;
mod readers;
mod relay;
mod seal;
mod sign;
#[cfg(unix)]
mod signals;
mod streams;
mod usage;
#[path = "../../visible.rs"]
mod visible;

use args::{Arguments, Command, ModelCommand};
use console::Console;
use failure::Failure;

fn main() -> ExitCode {
    #[cfg(unix)]
    limits::set();
    let (quiet, command) = match Arguments::try_parse() {
        Ok(Arguments { quiet, command }) => (quiet, Ok(command)),
        Err(answer) => (false, Err(answer)),
    };
    let console = Console::new(quiet);
    let done = match command {
        Ok(command) => run(command, &console).map(|()| ExitCode::SUCCESS),
        Err(answer) => usage::answer(answer, &console),
    };
    match done {
        Ok(code) => {
            console.finish();
            code
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
        Command::Import(args) => import::import(&args, console),
        Command::Passwd(args) => passwd::passwd(&args, console),
        Command::Seal(args) => seal::seal(&args, console),
        Command::Open(args) => seal::open(&args, console),
        Command::Rewrap(args) => seal::rewrap(&args, console),
        Command::Sign(args) => sign::sign(&args, console),
        Command::Verify(args) => sign::verify(&args, console),
        Command::Model(ModelCommand::Sign(args)) => model::sign(&args, console),
        Command::Model(ModelCommand::Verify(args)) => model::verify(&args, console),
        Command::Certificate(args) => certificate::certificate(&args, console),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Completions(args) => pages::completions(&args),
        Command::Man(args) => pages::man(&args),
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| inspect::any_bytes(data));
