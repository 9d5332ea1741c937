//! Markdown: tables, paragraphs, and numbers in them.

use std::ops::Range;

use super::measure::{Effort, Mean};

/// For a cell that has no meaning.
pub(crate) const NONE: &str = "–";

/// A Markdown table; every column but the first `left` is aligned to the right.
pub(crate) fn table(left: usize, header: &[String], rows: &[Vec<String>]) -> String {
    table_with(left..header.len(), header, rows)
}

/// A Markdown table with these columns aligned to the right.
pub(crate) fn table_with(right: Range<usize>, header: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<_> = (0..header.len())
        .map(|column| if right.contains(&column) { "--:" } else { "---" }.to_owned())
        .collect();
    let mut text = line(header) + &line(&rule);
    for row in rows {
        assert_eq!(row.len(), header.len(), "a row has a cell for each column");
        text += &line(row);
    }
    text
}

pub(crate) fn strings<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

/// A paragraph in lines of at most 110 columns.
pub(crate) fn prose(text: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 110 {
            lines += &line;
            lines += "\n";
            line.clear();
        } else if !line.is_empty() {
            line += " ";
        }
        line += word;
    }
    lines + &line + "\n"
}

/// The warning at the head of a page, unless it is for publication.
pub(crate) fn rough(effort: Effort) -> String {
    if effort == Effort::Full {
        return String::new();
    }
    prose(
        "**This was a quick run, to check that everything works. Its figures are rough: replace them by \
         those of a full run on a quiet machine.**",
    ) + "\n"
}

/// Three significant figures, without an exponent.
pub(crate) fn figures(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        value if value >= 0.1 => 3,
        value if value >= 0.01 => 4,
        _ => 5,
    };
    format!("{value:.digits$}")
}

/// A time in ms; with its standard error if that is above 5 %.
pub(crate) fn ms(mean: Mean) -> String {
    let shown = figures(mean.ms());
    if mean.is_vague() { format!("{shown} ± {}", figures(mean.error * 1e3)) } else { shown }
}
