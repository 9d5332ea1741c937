//! The article's tables with measured figures.
//!
//! `cargo bench --all-features --bench tables` measures for publication, and writes BENCHMARKS.md and the plots under
//! docs/. With `-- --quick` it takes two minutes, and writes to target/tmp/tables instead. `cargo test` runs every
//! measurement once, renders everything, and writes nothing.

use std::process::ExitCode;

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
mod run;
#[path = "../common/seal.rs"]
mod seal;
#[path = "../common/sign.rs"]
mod sign;
mod sizes;
mod storage;

use measure::Effort;
use results::Results;
use run::Page;

fn pages(results: &Results) -> Vec<Page> {
    let mut pages = vec![("BENCHMARKS.md", report::markdown(results))];
    pages.extend(plots::all(results));
    pages
}

/// In a test, whether what would be written has every row, note and picture that it should.
fn check(pages: &[Page], results: &Results) {
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

fn main() -> ExitCode {
    run::main("tables", |effort| {
        let results = Results::measure(effort);
        let pages = pages(&results);
        if effort == Effort::Once {
            check(&pages, &results);
        }
        pages
    })
}
