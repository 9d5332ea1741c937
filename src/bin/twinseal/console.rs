//! Writes errors, notes, and the progress of long runs to standard error.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    escape,
    failure::Failure,
    name::Name,
    streams::{self, Direction},
};

/// The length in bytes from which an input gets a progress bar.
const LONG: u64 = 128 * 1024 * 1024;

/// The number of bytes after which a pipe gets one.
const LONG_PIPE: u64 = 16 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct Console {
    quiet: bool,
    bar: ProgressBar,
    /// After how many bytes the bar is shown.
    bar_from: Option<u64>,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { quiet, bar, bar_from: None }
    }

    pub(crate) fn error(&self, failure: &Failure) {
        self.bar.finish_and_clear();
        if !failure.is_silent() {
            print(failure);
        }
    }

    /// The message printed when a signal stops the process. `placed` are the files that are complete and
    /// stay. `is_unfinished` says whether there was another one.
    #[cfg(unix)]
    pub(crate) fn stopped(&self, signal: &str, placed: &[Name], is_unfinished: bool) {
        self.bar.finish_and_clear();
        if !placed.is_empty() {
            let names: Vec<_> = placed.iter().map(ToString::to_string).collect();
            print(format_args!("stopped by {signal}; complete and kept: {}", names.join(", ")));
            return;
        }
        let removed = if is_unfinished { "unfinished output was removed, " } else { "" };
        print(format_args!("stopped by {signal}; {removed}run the command again"));
    }

    /// The message of the argument parser, which has lines of its own.
    pub(crate) fn usage(&self, text: &str) {
        write(&escape::lines(text));
    }

    pub(crate) fn note(&self, text: impl fmt::Display) {
        if !self.quiet {
            self.bar.suspend(|| print(text));
        }
    }

    /// Prepares a bar for an input of this length, or of unknown length.
    pub(crate) fn start(&mut self, length: Option<u64>) {
        let (template, from) = match length {
            Some(length) if length >= LONG => {
                self.bar.set_length(length);
                ("{bar:30} {percent}% of {total_bytes}, {binary_bytes_per_sec}, {eta} left", 0)
            }
            Some(_) => return,
            None => ("{bytes}, {binary_bytes_per_sec}", LONG_PIPE),
        };
        if !self.quiet && io::stderr().is_terminal() {
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            self.bar.set_style(style.progress_chars("=> "));
            self.bar.reset();
            self.bar_from = Some(from);
        }
    }

    pub(crate) fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
        self.show_if_due();
    }

    fn show_if_due(&self) {
        let due = self.bar_from.is_some_and(|from| self.bar.position() >= from);
        if due && self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(4));
        }
    }

    /// As many bytes as this are done.
    pub(crate) fn reach(&self, bytes: u64) {
        self.bar.set_position(bytes);
        self.show_if_due();
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Prints one line, in which text from files is escaped.
fn print(text: impl fmt::Display) {
    write(&format!("twinseal: {}\n", escape::line(&text.to_string())));
}

/// Writes to standard error, in one piece if possible. `eprint!` would panic on an error; here it is
/// ignored, because there is nowhere left to report it.
fn write(text: &str) {
    let error = io::stderr();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match streams::patiently(&error, Direction::Write, |mut error| error.write(rest)) {
            Ok(0) => return,
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
