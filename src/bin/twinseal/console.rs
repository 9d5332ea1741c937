//! What is said on standard error: errors, notes, and how far a long run is.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;

/// Shorter inputs are done before a bar could be read.
const LONG: u64 = 128 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct Console {
    quiet: bool,
    bar: ProgressBar,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()) }
    }

    pub(crate) fn error(&self, failure: &Failure) {
        self.bar.finish_and_clear();
        if !failure.is_silent() {
            print(failure);
        }
    }

    /// The last words of a process that was asked to stop.
    #[cfg(unix)]
    pub(crate) fn stopped(&self, signal: &str) {
        self.bar.finish_and_clear();
        print(format_args!(
            "stopped by {signal}; unfinished output was removed, run the command again"
        ));
    }

    pub(crate) fn note(&self, text: impl fmt::Display) {
        if !self.quiet {
            self.bar.suspend(|| print(text));
        }
    }

    /// A bar for an input of this length, or of one that nobody knows, as it passes by.
    pub(crate) fn start(&self, length: Option<u64>) {
        let long = length.is_none_or(|length| length >= LONG);
        if self.quiet || !long || !io::stderr().is_terminal() {
            return;
        }
        let template = match length {
            Some(_) => "{bar:30} {percent}% of {total_bytes}, {binary_bytes_per_sec}, {eta} left",
            None => "{bytes}, {binary_bytes_per_sec}",
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        self.bar.set_style(style);
        if let Some(length) = length {
            self.bar.set_length(length);
        }
        self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(4));
        self.bar.reset();
    }

    pub(crate) fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `eprintln!` would panic if standard error is closed.
fn print(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "twinseal: {text}");
}
