//! BENCHMARKS.md: its tables and their text, with measured figures and quoted ones.

use twinseal::{KemSuite, SignatureSuite, provider::AWS_LC};

use super::{
    article::{self, Growth, Part},
    markdown::{NONE, figures, ms, prose, rough, strings, table, table_with},
    overhead,
    providers::PROVIDERS,
    results::{Results, sealing},
    sizes::Sizes,
};

fn headings(first: &[&str]) -> Vec<String> {
    let providers = PROVIDERS.iter().map(|provider| provider.name);
    first.iter().copied().chain(providers).map(str::to_owned).collect()
}

pub(crate) fn operation(group: &str) -> &str {
    group.rsplit('/').next().unwrap_or(group)
}

/// How many times as long as here something takes in the article.
fn ratio(quoted: f64, measured: f64) -> String {
    figures(quoted / measured)
}

/// (a) The article's rows: its figure, and for each provider ours and the ratio.
fn article_latencies(results: &Results) -> String {
    let rows: Vec<_> = article::LATENCIES
        .iter()
        .map(|row| {
            let name = article::both_names(row.algorithm, row.measured);
            let mut cells = vec![name, operation(row.group).to_owned(), row.ms.to_string()];
            for (_, mean) in results.ms(row.group, row.measured) {
                cells.push(mean.map_or(NONE.to_owned(), ms));
                cells.push(mean.map_or(NONE.to_owned(), |mean| ratio(row.ms, mean.ms())));
            }
            cells
        })
        .collect();
    let mut header = strings(["algorithm", "operation", "article (quoted)"]);
    for provider in *PROVIDERS {
        header.extend([provider.name.to_owned(), "ratio".to_owned()]);
    }
    table(2, &header, &rows)
}

/// Algorithms for which the article has no rows.
fn latencies(results: &Results) -> String {
    let mut rows = Vec::new();
    let kems =
        ["X25519", "ECDH P-384"].into_iter().chain(KemSuite::ALL.iter().map(|suite| suite.name()));
    let kems =
        kems.map(|name| (name, &["key generation", "encapsulate", "decapsulate"][..], "kem"));
    let schemes =
        ["ECDSA P-384"].into_iter().chain(SignatureSuite::ALL.iter().map(|suite| suite.name()));
    let schemes =
        schemes.map(|name| (name, &["key generation", "load", "sign", "verify"][..], "sign"));
    for (name, operations, group) in kems.chain(schemes) {
        for operation in operations {
            let times = results.ms(&format!("{group}/{operation}"), name);
            let mut cells = strings([name, operation]);
            cells.extend(times.into_iter().map(|(_, mean)| mean.map_or(NONE.to_owned(), ms)));
            rows.push(cells);
        }
    }
    table(2, &headings(&["algorithm", "operation"]), &rows)
}

pub(crate) fn part(part: Part) -> &'static str {
    match part {
        Part::PublicKey => "public key",
        Part::PrivateKey => "private key",
        Part::Signature => "signature",
    }
}

/// (b) The article's sizes beside the real ones, with their mistakes.
fn article_sizes(results: &Results) -> String {
    let rows: Vec<_> = article::SIZES
        .iter()
        .filter_map(|size| {
            let sizes = results.sizes.iter().find(|sizes| sizes.name == size.measured)?;
            let measured = match size.part {
                Part::PublicKey => sizes.public_key,
                // The article's are expanded.
                Part::PrivateKey => sizes.expanded.unwrap_or(sizes.private_key),
                Part::Signature => sizes.signature?,
            };
            let mut cells = vec![article::both_names(size.algorithm, size.measured)];
            cells.push(part(size.part).to_owned());
            cells.extend([size.bytes, measured].map(|bytes| bytes.to_string()));
            cells.push(format!("{:.2}", size.bytes as f64 / measured as f64));
            cells.push(size.note.to_owned());
            Some(cells)
        })
        .collect();
    let header =
        strings(["algorithm", "", "article (quoted)", "measured", "ratio", "the article is"]);
    table_with(2..5, &header, &rows)
}

/// What is stored and sent.
fn sizes(results: &Results) -> String {
    let bytes = |size: Option<usize>| size.map_or(NONE.to_owned(), |size| size.to_string());
    let rows: Vec<_> = results
        .sizes
        .iter()
        .map(|&Sizes { name, public_key, private_key, expanded, ciphertext, signature }| {
            let mut cells = vec![name.to_owned(), public_key.to_string(), private_key.to_string()];
            cells.extend([expanded, ciphertext, signature].map(bytes));
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
    ]);
    table(1, &header, &rows)
}

/// (c) Our own part of a hybrid's cost.
fn hybrids(results: &Results) -> String {
    let kems = KemSuite::ALL
        .iter()
        .map(|suite| (suite.name(), ["kem/key generation", "kem/encapsulate", "kem/decapsulate"]));
    let composite = SignatureSuite::ML_DSA_87_ECDSA_P384.name();
    let composite = (composite, ["sign/key generation", "sign/sign", "sign/verify"]);
    let mut rows = Vec::new();
    for (name, groups) in kems.chain([composite]) {
        for group in groups {
            let mut cells = strings([name, operation(group)]);
            for provider in *PROVIDERS {
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

fn claim(Growth { what, from, to, claim }: &Growth) -> String {
    format!("{what}, {from:.0}–{to:.0} % {claim}")
}

fn head(results: &Results) -> String {
    let (title, address) = (article::TITLE, article::ADDRESS);
    let features = "all: aws-lc-rs, experimental-falcon, graviola, hazmat, libcrux, pqclean, rayon";
    let machine = results.machine.table(features, results.effort, results.minutes);
    let mut head = format!(
        "# Benchmarks\n\n<!-- Written by `cargo bench --all-features --bench tables`: a change made here is \
         lost. -->\n\n{}\n",
        prose(&format!(
            "The tables of the article [\"{title}\"][article], with measured figures. The columns that \
             say so, and the claims about growth, are **quoted** from the article. Everything else was \
             **measured**, in one run on one machine."
        )),
    );
    head += &rough(results.effort);
    head += &format!("[article]: {address}\n\n{machine}\n");
    head += "To repeat the run, in two minutes or in full:\n\n```sh\n\
             cargo bench --all-features --bench tables -- --quick\n\
             cargo bench --all-features --bench tables\n```\n\n";
    head + &prose(&format!(
        "Times are means; a standard error above 5 % is shown after ±. Transfers and files are medians \
         of {} runs. Close all other programs: a busy machine shows in these figures. `cargo bench \
         --all-features --bench kem` (or `sign`, `seal`, `stream`) measures the same operations with \
         criterion. [docs/peers.md](docs/peers.md) has the same tasks done by other crates.",
        results.effort.repetitions(),
    ))
}

/// A section: what its tables are, a plot if it has one, and the tables.
fn section(heading: &str, text: &str, plot: Option<(&str, &str)>, tables: &[String]) -> String {
    let plot = plot.map_or(String::new(), |(name, path)| format!("![{name}]({path})\n\n"));
    format!("\n## {heading}\n\n{}\n{plot}{}", prose(text), tables.join("\n"))
}

pub(crate) fn markdown(results: &Results) -> String {
    let aws_lc = AWS_LC.name;
    let overhead = section(
        "Computational overhead",
        &format!(
            "Milliseconds for one operation on one core. The first table has the article's rows: the \
             article's figure, the measured one, and their ratio (how many times as long the operation \
             takes in the article). RSA-2048 encrypts a key of 32 bytes with OAEP and signs with PSS, \
             both with SHA-256. RSA-2048 and ECDSA P-256 are RustCrypto's in the column `portable` and \
             AWS-LC's in `{aws_lc}`. Falcon-1024 is PQClean's code. ML-DSA signs by rejection, so its \
             time to sign varies."
        ),
        Some(("The article's times and those measured", "docs/article.svg")),
        &[
            article_latencies(results),
            prose(
                "The second table has the algorithms for which the article has no rows. Falcon's half of \
                 the experimental suite is PQClean's code; loading such a key signs and verifies once.",
            ),
            "![Time by provider](docs/latency.svg)\n".to_owned(),
            latencies(results),
        ],
    );
    let sizes = section(
        "Sizes",
        "Bytes, from objects that were made in the run; a test asserts them. The first table has the \
         article's figures, which include no ciphertexts. Private keys of ML-KEM-1024 and ML-DSA-87 are \
         compared in the expanded form of FIPS 203 and FIPS 204.",
        None,
        &[
            article_sizes(results),
            "The second table has all sizes. A private key is stored as a seed if it has one.\n"
                .to_owned(),
            "![Sizes](docs/sizes.svg)\n".to_owned(),
            sizes(results),
        ],
    );
    let hybrids = section(
        "Hybrids and the sum of their halves",
        "Milliseconds for the hybrid / for its two halves one after the other, and their ratio, which is \
         the cost of combining them. The combiner of X25519-ML-KEM-1024 is 23 compressions of SHA-512 with \
         every provider: 14 for the ciphertext, from a state kept after the keys, and 9 for HKDF. So the \
         faster the halves, the larger its share.",
        None,
        &[hybrids(results)],
    );
    let gradients = section(
        "Gradient exchange",
        &format!(
            "The article (quoted): {}. Measured: bytes on a loopback TCP connection, and the time from \
             the first byte to the answer to the last one, without sealing and in one signed session, \
             including its start. Loopback is faster than any network, so sealing's share of the time is \
             the largest that a deployment can see. Each message is sealed completely before it is sent. \
             Both ends share this machine. The plot is computed from the lengths of real objects.",
            claim(&article::GRADIENTS)
        ),
        Some(("Bytes added by sealing", "docs/overhead.svg")),
        &[
            overhead::exchange(&results.gradients, "messages"),
            "Milliseconds to start such a session, on one core:\n".to_owned(),
            overhead::starts(results),
        ],
    );
    let checkpoints = section(
        "Model checkpoints",
        &format!(
            "The article (quoted): {}. Measured: the size of the sealed file, and the time to write a \
             checkpoint from memory with and without sealing it, on one core, into the system's cache. \
             With a slower disk the share of sealing is smaller. The largest sizes are computed, and \
             only their sealing is timed, from memory to nowhere.",
            claim(&article::CHECKPOINTS)
        ),
        None,
        &[overhead::checkpoints(&results.checkpoints)],
    );
    let rounds = section(
        "Federated round",
        &format!(
            "The article (quoted): {}. Measured: each worker connects, sends its update, waits for the \
             others, and receives a model of the same length. When sealed, the worker starts and signs a \
             session for this round, and the reply is sealed too. All workers and the aggregator share \
             this machine's cores.",
            claim(&article::FEDERATED)
        ),
        None,
        &[overhead::exchange(&results.rounds, "workers")],
    );
    let mut speeds: Vec<_> =
        sealing().map(|provider| overhead::throughput(results, provider.name)).collect();
    speeds.push(overhead::files(&results.files));
    let throughput = section(
        "Throughput",
        "GiB a second on one core, from memory to memory. A copy is the ceiling. \"In place\" is a \
         session's `seal_in_place`. \"Session\" (`seal`) and \"envelope\" (`seal`) also allocate a new \
         buffer, which the system has to clear if it is large.",
        Some(("Throughput by message size", "docs/throughput.svg")),
        &speeds,
    );
    [head(results), overhead, sizes, hybrids, gradients, checkpoints, rounds, throughput].concat()
}
