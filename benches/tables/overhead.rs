//! The tables of what sealing adds to messages and files, and of how fast it is.

use super::{
    markdown::{NONE, figures, ms, prose, strings, table},
    network::{PROVIDERS, Row},
    results::{Results, sealing},
    seal,
    storage::{Checkpoint, Files, Target},
};

/// A length, in the largest unit that it is a whole number of.
pub(crate) fn length(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB"];
    let unit =
        (0..units.len()).rev().find(|unit| bytes.is_multiple_of(1 << (10 * unit))).unwrap_or(0);
    format!("{} {}", bytes >> (10 * unit), units[unit])
}

/// What was added, in per cent; what was multiplied, as a factor.
fn per_cent(added: f64, of: f64) -> String {
    match added / of {
        share if share >= 9.0 => format!("× {}", figures(1.0 + share)),
        share if share < 0.0 => format!("{} %", figures(100.0 * share)),
        share => format!("+{} %", figures(100.0 * share)),
    }
}

fn seconds(value: f64) -> String {
    format!("{} ms", figures(value * 1e3))
}

/// A time beside the one without sealing.
fn compared(sealed: f64, plain: f64) -> String {
    format!("{} ({})", seconds(sealed), per_cent(sealed - plain, plain))
}

/// Columns of times: without sealing, then for each provider.
fn header(first: &[&str]) -> Vec<String> {
    let providers = PROVIDERS.iter().map(|provider| format!("sealed, {}", provider.name));
    first.iter().map(|&cell| cell.to_owned()).chain(providers).collect()
}

/// Messages or rounds, one a row.
pub(crate) fn exchange(rows: &[Row], count: &str) -> String {
    let cells = |row: &Row| {
        // The length of a signature varies by a few bytes.
        let sealed = row.sealed.iter().map(|sealed| sealed.bytes).max().unwrap_or(row.plain.bytes);
        let added = sealed - row.plain.bytes;
        let mut cells = vec![length(row.length as u64), row.count.to_string()];
        cells.push(row.plain.bytes.to_string());
        cells.push(added.to_string());
        cells.push(per_cent(added as f64, row.plain.bytes as f64));
        cells.push(seconds(row.plain.seconds));
        let times = row.sealed.iter().map(|sealed| compared(sealed.seconds, row.plain.seconds));
        cells.extend(times);
        cells
    };
    let first = ["each", count, "bytes, plain", "bytes added", "", "plain"];
    table(0, &header(&first), &rows.iter().map(cells).collect::<Vec<_>>())
}

pub(crate) fn checkpoints(rows: &[Checkpoint]) -> String {
    let cells = |row: &Checkpoint| {
        let added = row.sealed - row.length;
        let target = match row.target {
            Target::File => "a file",
            Target::Nowhere => "nowhere",
            Target::NotTimed => "not timed",
        };
        let mut cells = vec![length(row.length), added.to_string()];
        cells.push(per_cent(added as f64, row.length as f64));
        cells.push(target.to_owned());
        let alone = |time| format!("{} ({} GiB/s)", seconds(time), gib(row.length as f64 / time));
        let timed = |time| row.plain.map_or(alone(time), |plain| compared(time, plain));
        cells.push(row.plain.map_or(NONE.to_owned(), seconds));
        match row.target {
            Target::NotTimed => cells.extend(vec![NONE.to_owned(); row.times.len()]),
            Target::File | Target::Nowhere => cells.extend(row.times.iter().copied().map(timed)),
        }
        cells
    };
    let first = ["checkpoint", "bytes added", "", "written to", "plain"];
    table(0, &header(&first), &rows.iter().map(cells).collect::<Vec<_>>())
}

fn gib(speed: f64) -> String {
    figures(speed / f64::from(1 << 30))
}

/// What a session costs before its first message.
pub(crate) fn starts(results: &Results) -> String {
    let rows = seal::STARTS.map(|end| {
        let time = |provider: &str| results.time("session/start", end, provider);
        let times = sealing().map(|provider| time(provider.name).map_or(NONE.to_owned(), ms));
        std::iter::once(end.to_owned()).chain(times).collect()
    });
    let header = std::iter::once("").chain(sealing().map(|provider| provider.name));
    table(1, &header.map(str::to_owned).collect::<Vec<_>>(), &rows)
}

/// The shapes of sealing, as the measurements call them.
pub(crate) const SHAPES: [&str; 4] =
    ["bare AES-256-GCM", "session in place", "session", "envelope"];

/// Speeds on one provider, beside a copy.
pub(crate) fn throughput(results: &Results, provider: &str) -> String {
    let mut header = strings(["message", "memcpy"]);
    header.extend(SHAPES.map(|shape| format!("{shape}, {provider}")));
    let rows = seal::lengths().iter().map(|(name, _)| {
        let speed = |shape: &str, provider: &str| {
            let speed = results.speed(&format!("seal/{name}"), shape, provider);
            speed.map_or(NONE.to_owned(), gib)
        };
        let mut cells = vec![(*name).to_owned(), speed("memcpy", "none")];
        cells.extend(SHAPES.map(|shape| speed(shape, provider)));
        cells
    });
    table(0, &header, &rows.collect::<Vec<_>>())
}

/// A file of a fixed length, from file to file.
pub(crate) fn files(files: &Files) -> String {
    let header = strings(["file to file, GiB/s", "one core", "all cores"]);
    let copied = vec!["copied".to_owned(), gib(files.copied), NONE.to_owned()];
    let mut rows = vec![copied];
    for (provider, [seal, seal_all, open, open_all]) in PROVIDERS.iter().zip(&files.sealed) {
        let name = provider.name;
        rows.push(vec![format!("sealed, {name}"), gib(*seal), gib(*seal_all)]);
        rows.push(vec![format!("opened, {name}"), gib(*open), gib(*open_all)]);
    }
    let text = format!(
        "The same for files of {}, read and written through a buffer of 1 MiB, from and into the system's \
         cache:",
        length(files.length)
    );
    format!("{}\n{}", prose(&text), table(1, &header, &rows))
}
