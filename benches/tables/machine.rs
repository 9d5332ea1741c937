//! What a figure depends on besides the code: the machine, the compiler, the features, the commit.

use std::{
    fs,
    process::Command,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    markdown::{strings, table},
    measure::Effort,
};

pub(crate) struct Machine {
    processor: String,
    cores: usize,
    system: String,
    compiler: String,
    date: String,
    commit: String,
}

impl Machine {
    /// The table at the head of a page.
    pub(crate) fn table(&self, features: &str, effort: Effort, minutes: f64) -> String {
        let rows = [
            ["processor", &self.processor],
            ["cores", &self.cores.to_string()],
            ["crate", &self.system],
            ["compiler", &self.compiler],
            ["features", features],
            ["commit", &self.commit],
            ["date", &self.date],
            ["mode", &format!("{effort}, {:.0} minutes", minutes.ceil())],
        ]
        .map(strings);
        table(2, &strings(["", ""]), &rows)
    }
}

/// The output of a command, or nothing.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "it prints its version, and ends")]
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Linux has it in a file, macOS behind a command.
fn processor() -> Option<String> {
    let Ok(all) = fs::read_to_string("/proc/cpuinfo") else {
        return output("sysctl", &["-n", "machdep.cpu.brand_string"]);
    };
    let field = |name: &str| {
        let line = all.lines().find(|line| line.split(':').next().map(str::trim) == Some(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let model = field("model name")?;
    Some(match (field("cpu family"), field("model")) {
        (Some(family), Some(number)) => format!("{model} (family {family}, model {number})"),
        _ => model.to_owned(),
    })
}

/// The commit, and whether more than it was built. What this program writes does not count.
fn commit() -> Option<String> {
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"])?;
    let written = [":(top,exclude)BENCHMARKS.md", ":(top,exclude)docs"];
    let status = ["status", "--porcelain", "--untracked-files=no", "--", ":/"];
    let changes = output("git", &[&status[..], &written].concat())?;
    Some(if changes.is_empty() { commit } else { format!("{commit}, with uncommitted changes") })
}

/// The civil date of a count of days since 1970 (proleptic Gregorian, after H. Hinnant).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

fn today() -> String {
    assert_eq!(civil(0), (1970, 1, 1));
    assert_eq!(civil(19_782), (2024, 2, 29));
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The library's version: the tables' own package has another.
fn version() -> Option<&'static str> {
    let manifest = include_str!("../../Cargo.toml").lines();
    manifest
        .filter_map(|line| line.strip_prefix("version = \""))
        .find_map(|rest| rest.strip_suffix('"'))
}

pub(crate) fn here() -> Machine {
    let unknown = || "unknown".to_owned();
    Machine {
        processor: processor().unwrap_or_else(unknown),
        cores: thread::available_parallelism().map_or(1, Into::into),
        system: format!("twinseal {}", version().unwrap_or("unknown")),
        compiler: output("rustc", &["-V"]).unwrap_or_else(unknown),
        date: today(),
        commit: commit().unwrap_or_else(unknown),
    }
}
