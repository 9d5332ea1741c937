//! Keeps model checkpoints in a sealed store: seals and signs one on its way there, reads and verifies one tensor
//! without fetching the rest, and changes who can read them.
//!
//! ```text
//! cargo run --release --example checkpoint --features object_store
//! cargo run --release --example checkpoint --features object_store -- --help
//! ```
//!
//! Without a subcommand it demonstrates all of that with a checkpoint and keys of its own, in a
//! temporary directory. The subcommands use your files and keys, and a directory or a bucket; for
//! `s3://`, `gs://` and `az://` build it with `--features object_store/aws` (gcp, azure).

mod arguments;
mod count;
mod demonstration;
mod envelope;
mod model;
mod place;
mod seal;
mod tensors;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use object_store::path::Path;
use twinseal::{
    EncapsulationKey, SigningKey, VerifyingKey,
    store::{Resealed, Retirement},
};

use arguments::{Arguments, Command, save};
use tensors::Checkpoint;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Arguments = common::arguments();
    match run(arguments, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS, // checkpoint | head -1
        Err(error) => {
            common::complain("checkpoint", error);
            ExitCode::FAILURE
        }
    }
}

/// One thread is enough: it waits for the store. Files and AES have threads of their own.
fn run(arguments: Arguments, out: &mut impl Write) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            None => demonstration::run(arguments.size, out).await,
            Some(command) => perform(command, out).await,
        }
    })
}

async fn perform(command: Command, out: &mut impl Write) -> Result<()> {
    match command {
        Command::Create { owner, readers } => {
            let pin = owner.create(&readers).await?;
            writeln!(out, "  give your verifying key and this pin to each reader:\n  {pin}")?;
        }
        Command::Seal { reader, signer, name, file } => {
            let signer = SigningKey::read_pem_file(signer)?;
            let (store, bucket) = reader.open().await?;
            let sealed = seal::seal(&store, &Path::parse(name)?, &file, &signer).await?;
            reader.remember(&store)?;
            writeln!(out, "  {sealed}\n  {}", bucket.traffic())?;
        }
        Command::Read { reader, signed_by, name, tensor, output } => {
            let signer = VerifyingKey::read_pem_file(signed_by)?.into();
            let (store, bucket) = reader.open().await?;
            let checkpoint = Checkpoint::open(&store, &Path::parse(name)?, &signer).await?;
            match (tensor, output) {
                (None, None) => checkpoint.tensors().await?.list(out)?,
                (None, Some(output)) => checkpoint.save(&output).await?,
                (Some(tensor), output) => {
                    checkpoint.tensors().await?.save(&tensor, output.as_deref(), out).await?;
                }
            }
            writeln!(out, "  {}; the checkpoint has {}", bucket.traffic(), checkpoint.len()?)?;
        }
        Command::Grant { owner, reader } => {
            let reader = EncapsulationKey::read_pem_file(reader)?;
            let (owner, pin) = owner.open().await?;
            save(pin, owner.grant(&reader).await?)?;
            writeln!(out, "  {} reads everything; give it the pin", reader.key_id())?;
        }
        Command::Revoke { owner, reader, nobody_else_writes } => {
            let reader = EncapsulationKey::read_pem_file(reader)?.key_id();
            let (owner, pin) = owner.open().await?;
            let reads = owner.recipients().await?.iter().any(|key| key.key_id() == reader);
            save(pin, owner.revoke(reader).await?)?;
            let now =
                if reads { "cannot read what is written from now on" } else { "is no reader" };
            writeln!(out, "  {reader} {now}; sealing what is under old epochs")?;
            let reseal = owner.reseal();
            let reseal = if nobody_else_writes { reseal.nobody_else_writes() } else { reseal };
            let Resealed { resealed, newest, left, replaced, unreadable, .. } =
                reseal.run().await?;
            writeln!(
                out,
                "  sealed again: {resealed}; new already: {newest}; written since: {left}"
            )?;
            writeln!(out, "  replaced meanwhile: {replaced}; not to be opened: {unreadable}")?;
            let epochs = owner.epochs().await?;
            writeln!(out, "  epochs {epochs:?}: in two minutes, retire all but the last")?;
        }
        Command::Retire { owner, epoch, abandon } => {
            let (owner, target) = owner.open().await?;
            let done = if abandon { owner.abandon(epoch).await } else { owner.retire(epoch).await };
            match done? {
                Retirement::Retired { pin, .. } => save(target, pin)?,
                Retirement::InUse { objects, example, .. } => {
                    let found =
                        format!("{objects} objects are under epoch {epoch}, such as {example}");
                    let then = "repeat the last `revoke`, which seals again; --abandon the rest";
                    return Err(format!("{found}; {then}").into());
                }
                other => return Err(format!("{other:?}").into()),
            }
            writeln!(out, "  epoch {epoch} is retired")?;
        }
    }
    Ok(())
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
