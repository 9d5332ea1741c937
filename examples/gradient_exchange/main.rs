//! Federated training in which no gradient travels in the clear: an aggregator and its workers, each a
//! process, with sealed and signed sessions between them, and an attacker in the middle.
//!
//! ```text
//! cargo run --release --example gradient_exchange -- --help
//! ```
//!
//! A worker starts a signed session with the aggregator, seals each gradient in it, and receives
//! the average in the session's reply. The aggregator's key is rotated in the middle of the
//! training.

use std::{error::Error, io, process::ExitCode};

use clap::{Parser, Subcommand};

mod aggregator;
mod attacker;
mod children;
mod mean;
mod message;
mod peer;
mod report;
mod secure;
mod settings;
mod timed;
mod worker;

use common::Target;
use report::Report;
use settings::Settings;

/// Any error. The example only prints it.
type Failure = Box<dyn Error + Send + Sync>;

/// Federated training with sealed gradients: one aggregator, several workers, an attacker.
#[derive(Debug, Parser)]
#[command(name = "gradient_exchange", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    role: Option<Role>,
}

/// The other processes. The aggregator starts them, and writes its key to their standard input.
#[derive(Debug, Subcommand)]
enum Role {
    /// Learn for an aggregator, whose public key is on standard input
    Worker(worker::Settings),
    /// Stand between a worker and its aggregator, whose public key is on standard input
    Attacker(attacker::Settings),
}

fn main() -> ExitCode {
    let Arguments { settings, role } = common::arguments();
    let (who, result) = match &role {
        None => ("gradient_exchange".into(), aggregate(&settings)),
        Some(Role::Worker(settings)) => {
            (format!("worker {}", settings.number), worker::run(settings))
        }
        // At the end of the training its connections are cut at any point.
        Some(Role::Attacker(settings)) => {
            ("attacker".into(), attacker::run(settings).or_else(ignore_io))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // gradient_exchange | head
        Err(error) if role.is_none() && is(&error, io::ErrorKind::BrokenPipe) => ExitCode::SUCCESS,
        Err(error) => {
            common::complain(who, error);
            ExitCode::FAILURE
        }
    }
}

fn aggregate(settings: &Settings) -> Result<(), Failure> {
    if settings.rotate_after() > settings.rounds {
        return Err("--rotate-after is beyond the last round".into());
    }
    // Fail before the training, whose result would be lost.
    let target = settings.save.as_deref().map(Target::new).transpose()?;
    let mut report = Report::new(io::stdout().lock());
    let model = aggregator::run(settings, &mut report)?;
    if let Some(target) = target {
        target.write(&model.to_safetensors()?)?;
    }
    Ok(())
}

fn is(error: &Failure, kind: io::ErrorKind) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == kind)
}

fn ignore_io(error: Failure) -> Result<(), Failure> {
    if error.is::<io::Error>() { Ok(()) } else { Err(error) }
}
