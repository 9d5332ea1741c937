//! Keeps model checkpoints sealed in an object store: seals one on its way there, reads one tensor
//! without fetching the rest, and rotates the keys without moving the data.
//!
//! ```text
//! cargo run --release --example checkpoint
//! cargo run --release --example checkpoint -- --help
//! ```
//!
//! Without a subcommand it demonstrates all of that with a checkpoint and keys of its own, in a
//! temporary directory or under `--store`. The subcommands use your files and keys.
//!
//! It supports `s3://`, `gs://` and `az://` if it is built with the features of `object_store` for
//! them:
//!
//! ```text
//! cargo run --release --example checkpoint --features object_store/aws -- --store s3://bucket/demo
//! ```

mod arguments;
mod demonstration;
mod model;
mod open;
mod output;
mod place;
mod progress;
mod rotate;
mod seal;
mod tensors;

use std::{
    error::Error,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use twinseal::{DecapsulationKey, EncapsulationKey, Recipients};

use arguments::{Arguments, Command};
use place::Place;
use tensors::Checkpoint;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Arguments = common::arguments();
    match run(&arguments, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS, // checkpoint | head -1
        Err(error) => {
            common::complain("checkpoint", error);
            ExitCode::FAILURE
        }
    }
}

/// One thread is enough: it waits for the store, while sealing has a thread of its own.
fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match &arguments.command {
            None => demonstration::run(arguments.size, arguments.store.as_deref(), out).await,
            Some(command) => perform(command, out).await,
        }
    })
}

async fn perform(command: &Command, out: &mut impl Write) -> Result<()> {
    match command {
        Command::Seal { file, place, recipients, context } => {
            let place = Place::parse(place)?;
            let to = read_public(recipients)?;
            let sealed = seal::seal(file, context.as_bytes(), &to, &place).await?;
            seal::report(&sealed, &place, out)
        }
        Command::Read { place, keys, tensor, output, context } => {
            let place = Place::parse(place)?;
            let keys = read_private(keys)?;
            let checkpoint = Checkpoint::open(&place, &keys, context.as_bytes()).await?;
            match tensor {
                None => checkpoint.list(out)?,
                Some(name) => output::read(&checkpoint, name, output.as_deref(), out).await?,
            }
            place.report_traffic(checkpoint.sealed_len(), out)
        }
        Command::Rewrap { place, keys, recipients } => {
            let place = Place::parse(place)?;
            let to = read_public(recipients)?;
            let rotated = rotate::rewrap(&place, &read_private(keys)?, &to).await?;
            rotate::report(&rotated, &place, out)
        }
    }
}

fn read_private(paths: &[PathBuf]) -> Result<Vec<DecapsulationKey>> {
    paths.iter().map(|path| Ok(DecapsulationKey::read_pem_file(path)?)).collect()
}

fn read_public(paths: &[PathBuf]) -> Result<Recipients> {
    let keys = paths.iter().map(EncapsulationKey::read_pem_file);
    Ok(Recipients::new(&keys.collect::<io::Result<Vec<_>>>()?)?)
}

fn at(path: &Path, error: &io::Error) -> Box<dyn Error + Send + Sync> {
    format!("{}: {error}", path.display()).into()
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
