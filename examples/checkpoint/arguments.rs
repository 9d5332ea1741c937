//! The command-line arguments, and the store that they name.

use std::{path::PathBuf, sync::Arc};

use clap::{Args, Parser, Subcommand};
use twinseal::{
    DecapsulationKey, EncapsulationKey, Recipients, SigningKey, VerifyingKey,
    store::{Options, Owner, Pin, SealedStore},
};

use crate::{Result, count::Counted, place};
use common::Target;

/// What the store is for. A store that was made for one purpose does not open for another.
const CONTEXT: &str = "example.com/checkpoints/v1";

/// Keeps model checkpoints in a sealed store: seals and signs one on its way there, reads and verifies one tensor
/// without fetching the rest, and changes who can read them.
///
/// Without a subcommand it demonstrates all of that with a checkpoint and keys of its own.
///
/// A store is in a local directory or at a URL: s3://bucket/path, gs://bucket/path,
/// az://container/path. For URLs, build with `--features object_store/aws` (gcp, azure);
/// credentials come from the variables AWS_*, GOOGLE_* and AZURE_*.
#[derive(Debug, Parser)]
#[command(name = "checkpoint", args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// How large a checkpoint the demonstration makes, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(9..=4096))]
    pub(crate) size: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a store, as its owner; your key and those of the readers open it
    Create {
        #[command(flatten)]
        owner: Owning,
        /// The public key of a reader, who can write, too; repeat the option
        #[arg(short, long = "reader", value_name = "PUBLIC_PEM")]
        readers: Vec<PathBuf>,
    },
    /// Seal and sign a checkpoint on its way into the store; there must be none of this name
    Seal {
        #[command(flatten)]
        reader: Reading,
        /// Your private signing key
        #[arg(short, long, value_name = "PRIVATE_PEM")]
        signer: PathBuf,
        /// Its name in the store, such as run-7/step-1000
        name: String,
        /// The checkpoint; any file that is not empty works
        file: PathBuf,
    },
    /// List the tensors of a checkpoint, read one of them, or get all of it back; all that is read is verified
    Read {
        #[command(flatten)]
        reader: Reading,
        /// The verifying key of who sealed it
        #[arg(long, value_name = "PUBLIC_PEM")]
        signed_by: PathBuf,
        /// Its name in the store
        name: String,
        /// The tensor to read
        #[arg(short, long, value_name = "NAME")]
        tensor: Option<String>,
        /// The file to write: a safetensors file with the tensor, or without --tensor the whole checkpoint
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Let somebody read everything
    Grant {
        #[command(flatten)]
        owner: Owning,
        /// Their public key
        #[arg(value_name = "PUBLIC_PEM")]
        reader: PathBuf,
    },
    /// Take that back, and seal everything again; first take their access to the bucket away. Repeat
    /// it if it was interrupted
    Revoke {
        #[command(flatten)]
        owner: Owning,
        /// Their public key
        #[arg(value_name = "PUBLIC_PEM")]
        reader: PathBuf,
        /// Promise it; needed in a local directory, which cannot replace just one version of a file
        #[arg(long)]
        nobody_else_writes: bool,
    },
    /// Delete the key of an old epoch, under which nothing is left
    Retire {
        #[command(flatten)]
        owner: Owning,
        /// Its number, which `revoke` lists
        epoch: u32,
        /// Nobody can read what is left under it then
        #[arg(long)]
        abandon: bool,
    },
}

/// A store, and what opens it.
#[derive(Debug, Args)]
struct Access {
    /// Where the store is
    store: String,
    /// Your private key
    #[arg(short, long, value_name = "PRIVATE_PEM")]
    key: PathBuf,
    /// The newest state of the store that you have seen, or got from its owner: a file outside the
    /// bucket, for this program only
    #[arg(short, long, value_name = "FILE")]
    pin: PathBuf,
    /// What the store is for
    #[arg(short, long, default_value = CONTEXT)]
    context: String,
}

/// What a reader names.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    #[command(flatten)]
    access: Access,
    /// The owner's verifying key
    #[arg(long, value_name = "PUBLIC_PEM")]
    owner: PathBuf,
    /// Do not write a newer pin, as in a file that others keep up to date
    #[arg(long)]
    keep_pin: bool,
    /// There is no pin, or it was lost: trust the bucket this once, and make one
    #[arg(long)]
    first_use: bool,
}

/// What the owner names.
#[derive(Debug, Args)]
pub(crate) struct Owning {
    #[command(flatten)]
    access: Access,
    /// The owner's private signing key
    #[arg(short, long, value_name = "PRIVATE_PEM")]
    signer: PathBuf,
}

impl Access {
    async fn open(&self, owner: &VerifyingKey, pin: Pin) -> Result<(SealedStore, Arc<Counted>)> {
        let key = DecapsulationKey::read_pem_file(&self.key)?;
        let (bucket, prefix) = place::parse(&self.store)?;
        let (bucket, context) = (Counted::new(bucket), self.context.as_bytes());
        let options = Options::default().prefix(prefix);
        let store = options.open(bucket.clone(), context, key, owner, pin).await?;
        Ok((store, bucket))
    }
}

impl Reading {
    /// Opens the store, and saves what it has seen of it.
    pub(crate) async fn open(&self) -> Result<(SealedStore, Arc<Counted>)> {
        let pin = if self.first_use { Pin::first_use() } else { Pin::read_file(&self.access.pin)? };
        let opened = self.access.open(&VerifyingKey::read_pem_file(&self.owner)?, pin).await?;
        self.remember(&opened.0)?;
        Ok(opened)
    }

    /// Saves the pin, if the store has changed.
    pub(crate) fn remember(&self, store: &SealedStore) -> Result<()> {
        let path = &self.access.pin;
        let seen = if path.exists() { Pin::read_file(path)? } else { Pin::first_use() };
        if self.keep_pin || store.pin() == seen {
            return Ok(());
        }
        Ok(store.pin().write_file(path)?)
    }
}

impl Owning {
    /// The store with its owner's key, and the file in which the next pin must be saved.
    pub(crate) async fn open(&self) -> Result<(Owner, Target)> {
        let signer = Arc::new(SigningKey::read_pem_file(&self.signer)?);
        let pin = Pin::read_file(&self.access.pin)?;
        let (store, _) = self.access.open(signer.verifying_key(), pin).await?;
        Ok((store.owned_by(signer)?, Target::new(&self.access.pin)?))
    }

    pub(crate) async fn create(&self, readers: &[PathBuf]) -> Result<Pin> {
        let Access { store, key, pin, context } = &self.access;
        if pin.exists() {
            return Err(format!("{}: there is a pin already", pin.display()).into());
        }
        let target = Target::new(pin)?;
        let signer = Arc::new(SigningKey::read_pem_file(&self.signer)?);
        let key = Arc::new(DecapsulationKey::read_pem_file(key)?);
        let mut all = vec![key.encapsulation_key().clone()];
        for path in readers {
            all.push(EncapsulationKey::read_pem_file(path)?);
        }
        let (bucket, prefix) = place::parse(store)?;
        let options = Options::default().prefix(prefix);
        let readers = Recipients::new(&all)?;
        let made = options.create(bucket, context.as_bytes(), key, signer, &readers).await?;
        save(target, made.1)?;
        Ok(made.1)
    }
}

pub(crate) fn save(target: Target, pin: Pin) -> Result<()> {
    target.write(format!("{pin}\n").as_bytes())
}
