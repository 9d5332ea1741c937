//! BENCHMARKS.md: the tables, and which of their figures are measured and which quoted.

use std::fmt::Write as _;

use twinseal::{KemSuite, SignatureSuite, provider::AWS_LC};

use super::{
    article::{self, Growth},
    measure::{Effort, Mean},
    overhead,
    providers::PROVIDERS,
    results::Results,
    sizes::Sizes,
};

/// For a cell of the article whose figure is not known.
const NOT_AVAILABLE: &str = "not available here";
/// For a cell that has no meaning.
pub(crate) const NONE: &str = "–";

/// A Markdown table; every column but the first `left` is aligned to the right.
pub(crate) fn table(left: usize, header: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<_> = (0..header.len())
        .map(|column| if column < left { "---" } else { "--:" }.to_owned())
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
fn ms(mean: Mean) -> String {
    let shown = figures(mean.ms());
    if mean.is_vague() { format!("{shown} ± {}", figures(mean.error * 1e3)) } else { shown }
}

fn headings(first: &[&str]) -> Vec<String> {
    let providers = PROVIDERS.iter().map(|provider| provider.name);
    first.iter().copied().chain(providers).map(str::to_owned).collect()
}

fn operation(group: &str) -> &str {
    group.rsplit('/').next().unwrap_or(group)
}

/// (a) The article's rows, then ours.
fn latencies(results: &Results) -> String {
    let mut rows = Vec::new();
    for row in &article::LATENCIES {
        let cell = |(_, mean): (_, Option<Mean>)| match (mean, row.ms) {
            (None, _) => NONE.to_owned(),
            (Some(mean), None) => ms(mean),
            (Some(mean), Some(quoted)) => {
                format!("{} (÷ {})", ms(mean), figures(quoted / mean.ms()))
            }
        };
        let name = if row.algorithm == row.measured {
            row.algorithm.to_owned()
        } else {
            format!("{} ({})", row.algorithm, row.measured)
        };
        let quoted = row.ms.map_or(NOT_AVAILABLE.to_owned(), figures);
        let mut cells = vec![name, operation(row.group).to_owned(), quoted];
        cells.extend(results.ms(row.group, row.measured).into_iter().map(cell));
        rows.push(cells);
    }
    let kems = ["X25519", "ECDH P-384"].into_iter().chain(KemSuite::ALL.map(KemSuite::name));
    let kems =
        kems.map(|name| (name, &["key generation", "encapsulate", "decapsulate"][..], "kem"));
    let schemes =
        ["ECDSA P-384"].into_iter().chain(SignatureSuite::ALL.iter().map(|suite| suite.name()));
    let schemes = schemes.map(|name| (name, &["key generation", "sign", "verify"][..], "sign"));
    for (name, operations, group) in kems.chain(schemes) {
        for operation in operations {
            let times = results.ms(&format!("{group}/{operation}"), name);
            let mut cells = strings([name, operation, NONE]);
            cells.extend(times.into_iter().map(|(_, mean)| mean.map_or(NONE.to_owned(), ms)));
            rows.push(cells);
        }
    }
    table(2, &headings(&["algorithm", "operation", "article (quoted)"]), &rows)
}

/// (b) What is stored and sent.
fn sizes(results: &Results) -> String {
    let bytes = |size: Option<usize>| size.map_or(NONE.to_owned(), |size| size.to_string());
    let mut notes = String::new();
    let rows: Vec<_> = results
        .sizes
        .iter()
        .map(|&Sizes { name, public_key, private_key, expanded, ciphertext, signature }| {
            let article = article::SIZES.iter().find(|size| size.measured == name);
            let quoted = match article {
                None => NONE.to_owned(),
                Some(size) => {
                    let known = [size.public_key, size.private_key, size.ciphertext_or_signature];
                    let known: Vec<_> = known.into_iter().flatten().collect();
                    if known.is_empty() {
                        NOT_AVAILABLE.to_owned()
                    } else {
                        known.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
                    }
                }
            };
            if let Some(size) = article {
                let _ = writeln!(notes, "- {name}: {}.", size.note);
            }
            let mut cells = vec![name.to_owned(), public_key.to_string(), private_key.to_string()];
            cells.extend([bytes(expanded), bytes(ciphertext), bytes(signature), quoted]);
            cells
        })
        .collect();
    let header = strings([
        "algorithm",
        "public key",
        "private key, stored",
        "expanded",
        "ciphertext",
        "signature",
        "article (quoted)",
    ]);
    format!("{}\n{notes}", table(1, &header, &rows))
}

/// (c) Our own part of a hybrid's cost.
fn hybrids(results: &Results) -> String {
    let kems = KemSuite::ALL
        .map(|suite| (suite.name(), ["kem/key generation", "kem/encapsulate", "kem/decapsulate"]));
    let composite = SignatureSuite::ML_DSA_87_ECDSA_P384.name();
    let composite = (composite, ["sign/key generation", "sign/sign", "sign/verify"]);
    let mut rows = Vec::new();
    for (name, groups) in kems.into_iter().chain([composite]) {
        for group in groups {
            let mut cells = strings([name, operation(group)]);
            for provider in PROVIDERS {
                let time = |name: &str| results.time(group, name, provider.name);
                cells.push(match (time(name), time(&format!("halves of {name}"))) {
                    (Some(hybrid), Some(halves)) => format!(
                        "{} / {} = {:.2}",
                        figures(hybrid.ms()),
                        figures(halves.ms()),
                        hybrid.seconds / halves.seconds
                    ),
                    _ => NONE.to_owned(),
                });
            }
            rows.push(cells);
        }
    }
    table(2, &headings(&["hybrid", "operation"]), &rows)
}

fn range(Growth { what, from, to }: &Growth) -> String {
    format!("{from:.0}–{to:.0} % ({what})")
}

/// What the head of the page says about the article's figures that are missing.
fn missing() -> &'static str {
    let latencies = article::LATENCIES.iter().all(|row| row.ms.is_none());
    let sizes = article::SIZES.iter().all(|row| row.public_key.is_none());
    if latencies || sizes {
        "\nThe article itself was not at hand when these tables were made, only its rows and its claims \
         about growth.\nIts latencies and sizes are therefore marked \"not available here\" and not \
         guessed. They are data in\n`benches/tables/article.rs`: whoever has the article fills them in, and \
         ratios appear beside our figures\nwith the next run.\n"
    } else {
        "\nA figure in brackets behind ÷ is the article's time divided by ours.\n"
    }
}

fn head(results: &Results) -> String {
    let machine = &results.machine;
    let disclaimer = match results.effort {
        Effort::Full => "",
        _ => {
            "\n**This is a run in quick mode, to check that everything works. Its figures are rough and will \
              be\nreplaced by a full run on a quiet machine.**\n"
        }
    };
    let (title, address) = (article::TITLE, article::ADDRESS);
    let rows = [
        ["processor", &machine.processor],
        ["cores", &machine.cores.to_string()],
        ["crate", machine.system],
        ["compiler", &machine.compiler],
        ["features", "all: aws-lc-rs, experimental-falcon, hazmat, pqclean, rayon"],
        ["commit", &machine.commit],
        ["date", &machine.date],
        ["mode", &format!("{}, {:.0} minutes", results.effort, results.minutes.ceil())],
    ]
    .map(strings);
    format!(
        "# Benchmarks\n\n\
         <!-- Written by `cargo bench --all-features --bench tables`. Changes made by hand are lost. -->\n\n\
         The tables of the article [\"{title}\"][article],\n\
         made again with figures that were measured. **Measured** is everything in a column without the \
         word\n\"quoted\", in one run on one machine. **Quoted** from the article are the columns that say so, \
         and its claims\nabout growth.\n{}{disclaimer}\n[article]: {address}\n\n{}\n\
         To repeat it, in minutes or as it was published:\n\n```sh\n\
         cargo bench --all-features --bench tables -- --quick\n\
         cargo bench --all-features --bench tables\n```\n\n\
         Times are means; where the standard error of a mean is above 5 %, it is shown behind ±. Transfers \
         and\nfiles are medians of {} runs. Close everything else: a busy machine shows in these figures.\n",
        missing(),
        table(2, &strings(["", ""]), &rows),
        results.effort.repetitions(),
    )
}

pub(crate) fn markdown(results: &Results) -> String {
    let aws_lc = AWS_LC.name;
    let [gradients, checkpoints, federated] =
        [&article::GRADIENTS, &article::CHECKPOINTS, &article::FEDERATED].map(range);
    format!(
        "{head}\n\
         ## Computational overhead\n\n\
         Milliseconds for one operation on one core. RSA-2048 encrypts a key of 32 bytes with OAEP and signs \
         with\nPSS, both with SHA-256; it and ECDSA P-256 come from RustCrypto in the column `portable` and \
         from AWS-LC in\n`{aws_lc}`. PQClean has neither. Falcon-1024 is PQClean's code; key generation of what \
         contains it includes\nthe check that is made when its keys are loaded.\n\n\
         ![Latency by provider](docs/latency.svg)\n\n{latencies}\n\
         ## Sizes\n\n\
         Bytes, taken from objects made in the run; tests/sizes.rs asserts them. A private key is stored as a \
         seed\nwhere there is one. \"Expanded\" is the form of FIPS 203 and FIPS 204.\n\n\
         ![Sizes](docs/sizes.svg)\n\n{sizes}\n\
         ## Hybrids and the sum of their halves\n\n\
         Milliseconds for the hybrid / for its two halves one after the other, and their ratio: what \
         combining\ncosts. ML-DSA signs by rejection, so that the time to sign varies more than the ratio \
         tells.\n\n{hybrids}\n\
         ## Gradient exchange\n\n\
         The article (quoted): {gradients}. Measured: bytes on a loopback TCP connection and\nthe time from \
         the first byte to the answer to the last, without sealing and in one signed session, whose\nstart \
         is included. Loopback is faster than any network, so that the share of time is the largest that\na \
         deployment can see. Both ends run on this machine, each on a core.\n\n\
         ![Bytes added by sealing](docs/overhead.svg)\n\n{exchange}\n\
         ## Model checkpoints\n\n\
         The article (quoted): {checkpoints}. Measured: the size of the sealed file, and the\ntime to write a \
         checkpoint from memory with and without sealing it, on one core, into the system's cache:\na disk \
         that must be waited for makes the share smaller. Long checkpoints are streamed to nowhere: there\nthe \
         first time is that of a copy in memory.\n\n{checkpoint}\n\
         ## Federated round\n\n\
         The article (quoted): {federated}. Measured: each worker connects, sends its\nupdate, waits for the \
         others, and gets a model of the same length; sealed, in a session that it starts\nand signs for this \
         round, with a sealed reply. All workers and the aggregator share this machine's cores.\n\n{round}\n\
         ## Throughput\n\n\
         GiB a second on one core, memory to memory. A copy is the ceiling. \"Session in place\" is \
         `seal_in_place`;\n\"session\" and \"envelope\" (`seal`) also make a new buffer.\n\n\
         ![Throughput by message size](docs/throughput.svg)\n\n{throughput}\n{files}",
        head = head(results),
        latencies = latencies(results),
        sizes = sizes(results),
        hybrids = hybrids(results),
        exchange = overhead::exchange(&results.gradients, "messages"),
        checkpoint = overhead::checkpoints(&results.checkpoints),
        round = overhead::exchange(&results.rounds, "workers"),
        throughput = overhead::throughput(results),
        files = overhead::files(&results.files),
    )
}
