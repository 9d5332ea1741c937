//! The settings on the command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::worker::{Learning, Rogue};

/// The most steps of a training.
const MAX_ROUNDS: i64 = 100_000;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// How many workers to start
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// How many steps to train
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=MAX_ROUNDS))]
    pub(crate) rounds: u32,
    /// Hidden units of the model, 300 bytes of gradient each; more units need a smaller --rate
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    hidden: u32,
    #[command(flatten)]
    pub(crate) learning: Learning,
    /// Rotate the aggregator's key after this round, 0 for never [default: in the middle]
    #[arg(long, value_name = "ROUND")]
    rotate_after: Option<u32>,
    /// Seconds that a worker has for a message before it is dropped
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Where the aggregator listens
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Write the trained model to this file, which inference_service reads
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Compromise the last worker, so that it does this; it signs like the others
    #[arg(long, value_name = "WHAT")]
    pub(crate) rogue: Option<Rogue>,
    /// Start no attacker between worker 1 and the aggregator
    #[arg(long)]
    pub(crate) no_attacker: bool,
}

impl Settings {
    pub(crate) fn workers(&self) -> usize {
        self.workers.into()
    }

    pub(crate) fn hidden(&self) -> usize {
        self.hidden as usize
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    pub(crate) fn rotate_after(&self) -> u32 {
        self.rotate_after.unwrap_or(self.rounds / 2)
    }
}
