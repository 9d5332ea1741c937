//! The article's tables with measured figures.
//!
//! `cargo bench --all-features --bench tables` measures for publication, and writes BENCHMARKS.md and the plots under
//! docs/. With `-- --quick` it takes two minutes, and writes to target/tmp/tables instead. `cargo test` runs every
//! measurement once, renders everything, and writes nothing.

use std::{env, fs, path::Path, process::ExitCode};

mod article;
mod canvas;
#[path = "../common/case.rs"]
mod case;
#[path = "../common/classical.rs"]
mod classical;
#[path = "../common/kem.rs"]
mod kem;
#[path = "../common/libtest.rs"]
mod libtest;
mod machine;
mod markdown;
mod measure;
#[path = "../common/mode.rs"]
mod mode;
mod network;
mod overhead;
mod plots;
#[path = "../../tests/common/providers.rs"]
mod providers;
mod report;
mod results;
#[path = "../common/seal.rs"]
mod seal;
#[path = "../common/sign.rs"]
mod sign;
mod sizes;
mod storage;

use libtest::Options;
use measure::Effort;
use results::Results;

/// Files with their contents, by paths within the repository.
fn pages(results: &Results) -> Vec<(&'static str, String)> {
    let mut pages = vec![("BENCHMARKS.md", report::markdown(results))];
    pages.extend(plots::all(results));
    pages
}

/// In a test, whether what would be written has every row, note and picture that it should.
fn check(pages: &[(&str, String)], results: &Results) {
    let report = &pages[0].1;
    let has_row = |cells: &str, note: &str| {
        report.lines().any(|line| line.starts_with(cells) && line.contains(note))
    };
    for row in &article::LATENCIES {
        let known = results.ms(row.group, row.measured).iter().any(|(_, time)| time.is_some());
        assert!(known, "{}: {} was not measured", row.group, row.measured);
        let name = article::both_names(row.algorithm, row.measured);
        let cells = format!("| {name} | {} | {} |", report::operation(row.group), row.ms);
        assert!(has_row(&cells, ""), "there is no row {cells}");
    }
    for size in &article::SIZES {
        let name = article::both_names(size.algorithm, size.measured);
        let cells = format!("| {name} | {} | {} |", report::part(size.part), size.bytes);
        assert!(has_row(&cells, size.note), "there is no row {cells}");
    }
    assert!(!report.contains("n/a"), "a figure is missing");
    for (name, content) in &pages[1..] {
        assert!(content.starts_with("<svg") && content.contains("</svg>"), "{name} is no picture");
        assert!(report.contains(name), "{name} is not shown");
        assert!(!content.contains("NaN") && !content.contains("inf"), "{name} has no numbers");
    }
}

/// What the arguments ask for: nothing, if they are about other tests than this one.
fn effort() -> Result<Option<Effort>, String> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if mode::testing() {
        return Ok(Options::new(arguments).runs("tables").then_some(Effort::Once));
    }
    let mut effort = Effort::Full;
    for argument in &arguments {
        match argument.as_str() {
            "--bench" => {}
            "--quick" => effort = Effort::Quick,
            _ => {
                return Err(format!("{argument} is unknown: there is --quick, --test, or nothing"));
            }
        }
    }
    Ok(Some(effort))
}

/// The root of the repository for a full run. Rough figures do not replace those that are published.
fn destination(effort: Effort) -> &'static Path {
    Path::new(match effort {
        Effort::Full => concat!(env!("CARGO_MANIFEST_DIR"), "/../.."),
        Effort::Once | Effort::Quick => concat!(env!("CARGO_TARGET_TMPDIR"), "/tables"),
    })
}

fn main() -> ExitCode {
    let effort = match effort() {
        Ok(Some(effort)) => effort,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let results = Results::measure(effort);
    let pages = pages(&results);
    if effort == Effort::Once {
        check(&pages, &results);
        return ExitCode::SUCCESS;
    }
    let directory = destination(effort);
    for (name, content) in pages {
        let path = directory.join(name);
        let parent = path.parent().unwrap_or(directory);
        if let Err(error) = fs::create_dir_all(parent).and_then(|()| fs::write(&path, content)) {
            eprintln!("{} cannot be written: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{} is written", path.display());
    }
    ExitCode::SUCCESS
}
