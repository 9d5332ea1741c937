//! How long a call takes, and how sure that is.

use std::{
    fmt,
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// How much work a figure is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Each measurement once, nothing is written: a test.
    Once,
    /// Minutes.
    Quick,
    /// For publication.
    Full,
}

impl Effort {
    /// Time to warm up, time to measure, and the least number of samples.
    fn budget(self) -> (Duration, Duration, usize) {
        match self {
            Self::Once => (Duration::ZERO, Duration::ZERO, 1),
            Self::Quick => (Duration::from_millis(40), Duration::from_millis(160), 8),
            Self::Full => (Duration::from_millis(300), Duration::from_secs(2), 30),
        }
    }

    /// How often a transfer or a file is repeated; the median counts.
    pub(crate) fn repetitions(self) -> usize {
        match self {
            Self::Once => 1,
            Self::Quick => 3,
            Self::Full => 9,
        }
    }

    /// One of three, for what depends on the effort.
    pub(crate) fn pick<T>(self, once: T, quick: T, full: T) -> T {
        match self {
            Self::Once => once,
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.pick("once", "quick", "full"))
    }
}

/// A mean, and its standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mean {
    pub(crate) seconds: f64,
    pub(crate) error: f64,
}

impl Mean {
    pub(crate) fn ms(self) -> f64 {
        self.seconds * 1e3
    }

    /// Whether the error is worth showing beside the mean.
    pub(crate) fn is_vague(self) -> bool {
        self.error > 0.05 * self.seconds
    }
}

/// The least time that a sample takes, so that the clock does not matter.
const SAMPLE: f64 = 1e-3;

/// Calls until the budget is used up.
pub(crate) fn mean(run: &mut dyn FnMut(), effort: Effort) -> Mean {
    let (warm_up, measure, least) = effort.budget();
    let started = Instant::now();
    let mut calls = 0_u32;
    while calls == 0 || started.elapsed() < warm_up {
        run();
        calls += 1;
    }
    let once = started.elapsed().as_secs_f64() / f64::from(calls);
    let batch = if effort == Effort::Once { 1 } else { (SAMPLE / once).ceil().max(1.0) as u32 };

    let mut samples = Vec::new();
    let started = Instant::now();
    while samples.len() < least || started.elapsed() < measure {
        let sample = Instant::now();
        for _ in 0..batch {
            run();
        }
        samples.push(sample.elapsed().as_secs_f64() / f64::from(batch));
    }
    let count = samples.len() as f64;
    let seconds = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|sample| (sample - seconds).powi(2)).sum::<f64>();
    Mean { seconds, error: (variance / (count * (count - 1.0).max(1.0))).sqrt() }
}

/// The median, in seconds, of what is timed by itself.
pub(crate) fn median(effort: Effort, mut run: impl FnMut() -> Duration) -> f64 {
    let mut times: Vec<_> = (0..effort.repetitions()).map(|_| run()).collect();
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// Which measurement runs, of how many, since when.
pub(crate) struct Progress {
    done: usize,
    total: usize,
    started: Instant,
    /// In a test, nobody waits.
    quiet: bool,
}

impl Progress {
    pub(crate) fn new(effort: Effort, total: usize) -> Self {
        Self { done: 0, total, started: Instant::now(), quiet: effort == Effort::Once }
    }

    /// Says what comes now: over the line before in a terminal, in a line of its own elsewhere.
    pub(crate) fn step(&mut self, what: &str) {
        self.done += 1;
        if self.quiet {
            return;
        }
        let seconds = self.started.elapsed().as_secs();
        let (before, after) = if stderr().is_terminal() { ("\r\x1b[2K", "") } else { ("", "\n") };
        let (done, total) = (self.done, self.total);
        let clock = format!("{:02}:{:02}", seconds / 60, seconds % 60);
        // A terminal that went away does not end the measurement.
        let _ = write!(stderr(), "{before}[{done:>3} of {total}, {clock}] {what}{after}");
        let _ = stderr().flush();
    }

    /// Ends the line with the time that it took.
    pub(crate) fn finish(self) -> Duration {
        assert_eq!(self.done, self.total, "the plan names every measurement");
        if !self.quiet && stderr().is_terminal() {
            let _ = writeln!(stderr());
        }
        self.started.elapsed()
    }
}
