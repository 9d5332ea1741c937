//! A progress bar on standard error, if that is a terminal.

use indicatif::{HumanBytes, ProgressBar, ProgressState, ProgressStyle};

pub(crate) fn bar(what: &'static str, bytes: u64) -> ProgressBar {
    let per_second = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A bar that cannot be drawn does not stop the work.
        let _ = write!(out, "{}/s", HumanBytes(state.per_sec() as u64));
    };
    let style =
        ProgressStyle::with_template("  {msg} [{bar:30}] {bytes} of {total_bytes}, {speed}")
            .expect("the template is well formed")
            .with_key("speed", per_second)
            .progress_chars("=> ");
    ProgressBar::new(bytes).with_style(style).with_message(what)
}
