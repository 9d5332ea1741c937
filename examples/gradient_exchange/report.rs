//! The printed report: a line for each round and event, and at the end the overhead of sealing.

use std::{
    fmt::Display,
    io::{self, Write},
    time::Duration,
};

use crate::{message::Spent, peer};
use common::printable;

/// The overhead of sealing in a round, or in all of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Added {
    /// Bytes of the messages without sealing, both directions of all workers.
    plain: u64,
    /// Bytes added to them.
    messages: u64,
    /// Bytes that start sessions: hellos, and the nonces of replies.
    sessions: u64,
    /// Sealing and opening at both ends, all workers together.
    sealing: Duration,
    /// Starting sessions at both ends, all workers together.
    starting: Duration,
}

impl Added {
    pub(crate) fn add_connection(&mut self, report: &peer::Report) {
        self.plain += report.cost.plain;
        self.messages += report.cost.added;
        self.sessions += report.session_bytes;
        self.sealing += report.cost.time;
        self.add_spent(report.spent);
    }

    pub(crate) fn add_spent(&mut self, spent: Spent) {
        self.sealing += spent.sealing;
        self.starting += spent.starting;
    }

    fn add(&mut self, other: &Self) {
        self.plain += other.plain;
        self.messages += other.messages;
        self.sessions += other.sessions;
        self.sealing += other.sealing;
        self.starting += other.starting;
    }
}

/// A finished round. The workers report the cost of sealing in their next messages.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) number: u32,
    pub(crate) loss: f32,
    pub(crate) accuracy: f32,
    pub(crate) workers: usize,
    pub(crate) time: Duration,
    pub(crate) added: Added,
}

/// Prints rounds and events, and adds up the overhead.
#[derive(Debug)]
pub(crate) struct Report<W> {
    out: W,
    total: Added,
    /// The number of steps of all workers.
    steps: u32,
    /// For each round, its duration and how much of that was sealing.
    times: Vec<(Duration, Duration)>,
}

impl<W: Write> Report<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, total: Added::default(), steps: 0, times: Vec::new() }
    }

    pub(crate) fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush() // somebody may be watching through a pipe
    }

    /// Prints an event of a round when it happens.
    pub(crate) fn event(&mut self, round: u32, what: &str, text: impl Display) -> io::Result<()> {
        // A reason may repeat what a peer has sent.
        self.line(format_args!("  in round {round}, {what}: {}", printable(text)))
    }

    pub(crate) fn head(&mut self) -> io::Result<()> {
        self.line("                       plain  added by sealing       one      added by")?;
        self.line("round   loss   right   bytes  bytes               step, ms  sealing, ms")
    }

    pub(crate) fn round(&mut self, round: &Round) -> io::Result<()> {
        let Round { number, loss, accuracy, workers, time, added } = round;
        let workers = (*workers).max(1) as u32;
        let bytes = added.messages + added.sessions;
        let sealing = (added.sealing + added.starting) / workers;
        self.line(format_args!(
            "{number:>5} {loss:>6.3} {:>6.1}% {:>8} {bytes:>6} {:>9.4} % {:>9.2} {:>7.3} {:>6.2} %",
            100.0 * accuracy,
            added.plain,
            percent(bytes as f64, added.plain as f64),
            milliseconds(*time),
            milliseconds(sealing),
            time_percent(sealing, *time),
        ))?;
        self.total.add(added);
        self.steps += workers;
        self.times.push((*time, added.sealing / workers));
        Ok(())
    }

    /// Prints the overhead of all rounds beside the article's figures. `gradient` is the length of
    /// a gradient as plain safetensors.
    pub(crate) fn summary(&mut self, gradient: u64) -> io::Result<()> {
        let Added { plain, messages, sessions, starting, .. } = self.total;
        let step = median(self.times.iter().map(|(step, _)| *step));
        let per_step = median(self.times.iter().map(|(_, sealing)| *sealing));
        self.line(format_args!("\nOverhead of sealing{:>47}  the article", ""))?;
        let mut row = |what: &str, of: String, percent: f64, article: &str| {
            self.out.write_fmt(format_args!("  {what:<34} {of:<23} {percent:>7.4} %  {article}\n"))
        };
        let tag = twinseal::session::MessageTag::LEN as u64;
        row(
            "bytes to a gradient",
            format!("{tag} to {gradient}"),
            percent(tag as f64, gradient as f64),
            "15-25 %",
        )?;
        row(
            "time to a worker's step",
            format!(
                "{:.3} ms to {:.2} ms",
                milliseconds(per_step),
                milliseconds(step.saturating_sub(per_step))
            ),
            time_percent(per_step, step),
            "15-25 %",
        )?;
        row(
            "bytes to all synchronisation",
            format!("{} to {plain}", messages + sessions),
            percent((messages + sessions) as f64, plain as f64),
            "18-30 %",
        )?;
        let synchronising = per_step + starting / self.steps.max(1);
        row(
            "time to it, with all sessions",
            format!(
                "{:.3} ms to {:.2} ms",
                milliseconds(synchronising),
                milliseconds(step.saturating_sub(synchronising))
            ),
            time_percent(synchronising, step),
            "18-30 %",
        )?;
        self.line(
            "\
Bytes are those of the safetensors files on the wire. Times are medians of all rounds.
The added time is that of sealing and opening at both ends of a worker's connection.
A step lasts from one average to the next, and is measured without the added time.
All synchronisation is every message of every worker, and the start of the sessions:
one key exchange and one signature each, spread over all steps.",
        )
    }
}

/// A median, because the attacks delay some rounds, and other processes sometimes use a core.
fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    1e3 * duration.as_secs_f64()
}

fn percent(added: f64, of: f64) -> f64 {
    if of > 0.0 { 100.0 * added / of } else { 0.0 }
}

/// The added time in percent of the time without it.
fn time_percent(added: Duration, with: Duration) -> f64 {
    percent(added.as_secs_f64(), with.saturating_sub(added).as_secs_f64())
}
