//! docs/peers.md: a table for each task, and what they say.

use twinseal::provider::{AWS_LC, PORTABLE};

use super::{
    case::Case,
    machine::{self, Machine},
    markdown::{NONE, figures, prose, rough, strings, table},
    measure::{self, Effort, Mean, Progress},
};

/// The crates that twinseal is measured beside, and those that its providers are made of.
const CRATES: [(&str, &str); 10] = [
    ("age", "files for X25519 recipients"),
    ("hpke", "HPKE (RFC 9180) with hybrid KEMs, on RustCrypto"),
    ("quantum-shield", "hybrid sealing, streams and signatures, on RustCrypto"),
    ("x-wing", "the KEM X-Wing, of RustCrypto"),
    ("ml-kem", "RustCrypto: `portable`, and all peers but age"),
    ("ml-dsa", "RustCrypto: `portable`, and quantum-shield"),
    ("aws-lc-rs", "`aws-lc`"),
    ("graviola", "`graviola`, `graviola-libcrux`"),
    ("libcrux-ml-kem", "`libcrux`, `graviola-libcrux`"),
    ("pqcrypto-mlkem", "`pqclean`"),
];

const HPKE_P384: &str = "hpke MLKEM1024-P384";
const TWINSEAL_P384: &str = "twinseal MLKEM1024-P384";
const QUANTUM_SHIELD_SIGNS: &str = "quantum-shield (Ed25519, ML-DSA-87)";
const TWINSEAL_SIGNS: &str = "twinseal (ECDSA P-384, ML-DSA-87)";
const QUANTUM_SHIELD_SEALS: &str = "quantum-shield (X25519, ML-KEM-1024, AES-256-GCM)";
const TWINSEAL_SEALS: &str = "twinseal (X25519, ML-KEM-1024, AES-256-GCM)";
const AGE_SEALS: &str = "age (X25519 only, ChaCha20-Poly1305)";
const LONG: &str = "seal/16 MiB";

struct Timed {
    case: Case,
    mean: Mean,
}

pub(crate) struct Results {
    effort: Effort,
    machine: Machine,
    timed: Vec<Timed>,
    minutes: f64,
}

impl Results {
    pub(crate) fn measure(effort: Effort, cases: Vec<Case>) -> Self {
        let machine = machine::here();
        let mut progress = Progress::new(effort, cases.len());
        let timed = cases.into_iter().map(|case| {
            progress.step(&format!("{}: {}, {}", case.group, case.name, case.provider));
            let mean = measure::mean(&mut case.prepare(), effort);
            Timed { case, mean }
        });
        let timed = timed.collect();
        let minutes = progress.finish().as_secs_f64() / 60.0;
        Self { effort, machine, timed, minutes }
    }

    fn find(&self, group: &str, name: &str, provider: &str) -> Option<&Timed> {
        let wanted = (group, name, provider);
        self.timed
            .iter()
            .find(|Timed { case, .. }| (&*case.group, &*case.name, case.provider) == wanted)
    }

    /// How many times as long as a peer twinseal takes for an operation.
    fn ratio(&self, group: &str, name: &str, provider: &str, peer: &str) -> String {
        let seconds =
            |name, provider| self.find(group, name, provider).map(|timed| timed.mean.seconds);
        match (seconds(name, provider), seconds(peer, NONE)) {
            (Some(ours), Some(theirs)) => format!("{:.2}", ours / theirs),
            _ => NONE.to_owned(),
        }
    }

    /// GiB a second.
    fn speed(&self, group: &str, name: &str, provider: &str) -> String {
        self.find(group, name, provider).and_then(speed).unwrap_or(NONE.to_owned())
    }

    /// A row for each crate and provider that has one of the operations.
    fn table(&self, groups: &[(&str, &str)], cell: fn(&Timed) -> String) -> String {
        let mut rows: Vec<(&str, &str)> = Vec::new();
        for Timed { case, .. } in &self.timed {
            let row = (&*case.name, case.provider);
            if groups.iter().any(|(group, _)| *group == case.group) && !rows.contains(&row) {
                rows.push(row);
            }
        }
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(name, provider)| {
                let found = groups.iter().map(|(group, _)| self.find(group, name, provider));
                let cells = found.map(|timed| timed.map_or(NONE.to_owned(), cell));
                strings([name, provider]).into_iter().chain(cells).collect()
            })
            .collect();
        let headings = groups.iter().map(|(_, heading)| (*heading).to_owned());
        let header: Vec<_> = strings(["", "provider"]).into_iter().chain(headings).collect();
        table(2, &header, &rows)
    }
}

fn microseconds(timed: &Timed) -> String {
    let Mean { seconds, error } = timed.mean;
    let shown = figures(seconds * 1e6);
    if timed.mean.is_vague() { format!("{shown} ± {}", figures(error * 1e6)) } else { shown }
}

fn speed(timed: &Timed) -> Option<String> {
    Some(figures(timed.case.bytes? as f64 / timed.mean.seconds / f64::from(1 << 30)))
}

fn gib_a_second(timed: &Timed) -> String {
    speed(timed).unwrap_or(NONE.to_owned())
}

/// Every version of a crate in the lock file.
fn versions(name: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let start = format!("name = \"{name}\"\nversion = \"");
    let found = lock.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
    found.collect::<Vec<_>>().join(", ")
}

fn conclusion(results: &Results) -> String {
    let (portable, aws_lc) = (PORTABLE.name, AWS_LC.name);
    let both = |operations: [&str; 2], provider, ours, theirs| {
        operations.map(|group| results.ratio(group, ours, provider, theirs)).join(" and ")
    };
    let ends = ["session/sender", "session/receiver"];
    let signatures = ["sign/sign", "sign/verify"];
    let speed = |name, provider| results.speed(LONG, name, provider);
    format!(
        "On RustCrypto, which hpke and quantum-shield use too, twinseal's session with MLKEM1024-P384 takes {} times \
         as long as hpke's for its two ends, and its ECDSA P-384 with ML-DSA-87 takes {} times as long to sign and \
         verify as quantum-shield's Ed25519 with ML-DSA-87. On AWS-LC the session takes {} times as long as hpke's, \
         and the signatures take {} times as long as quantum-shield's. For long messages only the AEAD counts: \
         16 MiB are sealed at {} GiB/s by twinseal on RustCrypto and {} on AWS-LC, at {} by quantum-shield and at \
         {} by age.",
        both(ends, portable, TWINSEAL_P384, HPKE_P384),
        both(signatures, portable, TWINSEAL_SIGNS, QUANTUM_SHIELD_SIGNS),
        both(ends, aws_lc, TWINSEAL_P384, HPKE_P384),
        both(signatures, aws_lc, TWINSEAL_SIGNS, QUANTUM_SHIELD_SIGNS),
        speed(TWINSEAL_SEALS, portable),
        speed(TWINSEAL_SEALS, aws_lc),
        speed(QUANTUM_SHIELD_SEALS, NONE),
        speed(AGE_SEALS, NONE),
    )
}

fn section(heading: &str, text: &str, table: &str) -> String {
    format!("\n## {heading}\n\n{}\n{table}", prose(text))
}

pub(crate) fn markdown(results: &Results) -> String {
    let machine = results.machine.table(
        "all: aws-lc-rs, graviola, libcrux, pqclean",
        results.effort,
        results.minutes,
    );
    let crates = CRATES.map(|(name, part)| vec![name.to_owned(), versions(name), part.to_owned()]);
    let crates = table(3, &strings(["crate", "version", "measured as"]), &crates);
    let intro = prose(
        "The same tasks done by twinseal and by other crates, **measured** in one run on one machine, one core. \
         Each row names its algorithms, which differ: X-Wing has ML-KEM-768, quantum-shield signs with Ed25519, \
         and age is measured with only X25519, because it has no post-quantum key in software.",
    );
    let kem = section(
        "Key encapsulation",
        "Microseconds. hpke has no KEM that could be called by itself.",
        &results.table(
            &[
                ("kem/key generation", "key generation"),
                ("kem/encapsulate", "encapsulate"),
                ("kem/decapsulate", "decapsulate"),
            ],
            microseconds,
        ),
    );
    let sessions = section(
        "Sessions",
        "Microseconds to start one, with no data: an encapsulation or a decapsulation, and the key schedule. \
         What is a session here is an encryption context in HPKE.",
        &results
            .table(&[("session/sender", "sender"), ("session/receiver", "receiver")], microseconds),
    );
    let signatures = section(
        "Signatures",
        "Microseconds, for 1 KiB. quantum-shield's key pair is one for signatures and encryption.",
        &results.table(
            &[
                ("sign/key generation", "key generation"),
                ("sign/sign", "sign"),
                ("sign/verify", "verify"),
            ],
            microseconds,
        ),
    );
    let short = section(
        "Short messages",
        "Microseconds to seal and open 1 KiB in memory for one recipient.",
        &results.table(&[("seal/1 KiB", "seal"), ("open/1 KiB", "open")], microseconds),
    );
    let long = section(
        "Long messages",
        "GiB a second in memory, for one recipient. twinseal and age seal in chunks, so that a message can be \
         opened while it is read; hpke and quantum-shield seal it as a whole.",
        &results.table(
            &[
                ("seal/1 MiB", "seal 1 MiB"),
                ("open/1 MiB", "open 1 MiB"),
                (LONG, "seal 16 MiB"),
                ("open/16 MiB", "open 16 MiB"),
            ],
            gib_a_second,
        ),
    );
    let files = section(
        "Files",
        "GiB a second from one file to another of 256 MiB, read in pieces of 64 KiB, through the system's cache.",
        &results.table(&[("file/seal", "seal")], gib_a_second),
    );
    let head = format!(
        "# twinseal beside other crates\n\n<!-- Written by `cargo bench --all-features` in benches/peers: a change \
         made here is lost. -->\n\n{intro}\n{}{}\n{machine}\n{crates}\nTo repeat the run, in about a minute or in \
         full:\n\n```sh\ncd benches/peers\ncargo bench --all-features -- --quick\ncargo bench --all-features\n\
         ```\n\n{}",
        rough(results.effort),
        prose(&conclusion(results)),
        prose(
            "Times are means; a standard error above 5 % is shown after ±. Close all other programs: a busy \
             machine shows in these figures."
        ),
    );
    [head, kem, sessions, signatures, short, long, files].concat()
}

/// In a test, whether a figure or a version is missing.
pub(crate) fn check(results: &Results, page: &str) {
    for Timed { case, .. } in &results.timed {
        let row = format!("| {} | {} |", case.name, case.provider);
        assert!(page.contains(&row), "there is no row {row}");
    }
    for (name, _) in CRATES {
        assert!(!versions(name).is_empty(), "{name} is not in Cargo.lock");
    }
}
