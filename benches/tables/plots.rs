//! The plots: what is drawn, from which figures.

use plotters::style::RGBColor;
use twinseal::{DecapsulationKey, KemSuite, SignatureSuite, SigningKey};

use super::{
    article,
    canvas::{self, Area, Axis, Bars, COLOURS, GREY, INK, Line},
    markdown::figures,
    overhead::{SHAPES, length},
    providers::PROVIDERS,
    report::operation,
    results::{Results, sealing},
    seal,
};

/// Every plot by its path within the repository.
pub(crate) fn all(results: &Results) -> [(&'static str, String); 5] {
    [
        ("docs/article.svg", article(results)),
        ("docs/latency.svg", latency(results)),
        ("docs/sizes.svg", sizes(results)),
        ("docs/overhead.svg", overhead()),
        ("docs/throughput.svg", throughput(results)),
    ]
}

/// A suite by its halves: shorter than its name.
fn display(name: &str) -> String {
    let kems = [
        (KemSuite::X25519_ML_KEM_1024.name(), "X25519 + ML-KEM-1024"),
        (KemSuite::ML_KEM_1024_P384.name(), "P-384 + ML-KEM-1024"),
    ];
    let composites = [
        (SignatureSuite::ML_DSA_87_ECDSA_P384.name(), "P-384 + ML-DSA-87"),
        (SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384.name(), "P-384 + Falcon-1024"),
    ];
    let known = kems.into_iter().chain(composites).find(|(long, _)| *long == name);
    known.map_or(name, |(_, short)| short).to_owned()
}

/// A panel: its heading, and which measurements are its rows.
struct Panel {
    heading: &'static str,
    rows: Vec<(&'static str, &'static str)>,
}

fn panels() -> [Panel; 4] {
    let kem = |heading, rsa, group| {
        let names = ["X25519", "ECDH P-384", "ML-KEM-1024"].into_iter();
        let names = names.chain(KemSuite::ALL.iter().map(|suite| suite.name()));
        let rows = [("RSA-2048", rsa)].into_iter().chain(names.map(|name| (name, group)));
        Panel { heading, rows: rows.collect() }
    };
    let sign = |heading, group| {
        let names = ["RSA-2048", "ECDSA P-256", "ECDSA P-384", "ML-DSA-87", "Falcon-1024"];
        let suites = SignatureSuite::ALL.iter().map(|suite| suite.name());
        let names = names.into_iter().chain(suites);
        Panel { heading, rows: names.map(|name| (name, group)).collect() }
    };
    [
        kem("encapsulate (RSA: encrypt)", "encryption/encrypt", "kem/encapsulate"),
        kem("decapsulate (RSA: decrypt)", "encryption/decrypt", "kem/decapsulate"),
        sign("sign", "sign/sign"),
        sign("verify", "sign/verify"),
    ]
}

/// The article's times as marks, ours as dots, and between them by how much they differ.
fn article(results: &Results) -> String {
    let rows = article::LATENCIES.iter().map(|row| {
        let times = results.ms(row.group, row.measured).into_iter().zip(COLOURS);
        let measured = times.filter_map(|((_, time), colour)| Some((colour, time?.ms())));
        canvas::Dots {
            heading: row.algorithm,
            name: operation(row.group),
            reference: row.ms,
            values: measured.collect(),
        }
    });
    let rows: Vec<_> = rows.collect();
    let values = rows
        .iter()
        .flat_map(|row| row.values.iter().map(|(_, ms)| *ms).chain(std::iter::once(row.reference)));
    let axis = Axis::decades("milliseconds, logarithmic", values);
    canvas::page((900, 640), |area| {
        canvas::title(area, "Time for one operation: what the article says, and what was measured");
        let providers = PROVIDERS.iter().map(|provider| provider.name).zip(COLOURS);
        let entries: Vec<_> = std::iter::once(("the article", INK)).chain(providers).collect();
        canvas::legend(area, (14, 46), &entries);
        let (_, body) = area.split_vertically(58);
        canvas::dots(&body, &axis, &rows);
    })
}

fn latency(results: &Results) -> String {
    let rows = panels().map(|panel| {
        let bars = |&(name, group): &(&str, &str)| {
            let times = results.ms(group, name).into_iter().zip(COLOURS);
            let bars = times.filter_map(|((_, time), colour)| {
                let ms = time?.ms();
                Some((colour, ms, figures(ms)))
            });
            (display(name), bars.collect())
        };
        (panel.heading, panel.rows.iter().map(bars).collect::<Vec<Bars>>())
    });
    let values = rows.iter().flat_map(|(_, rows)| rows).flat_map(|(_, bars)| bars).map(|bar| bar.1);
    let axis = Axis::decades("milliseconds, logarithmic", values);
    // A row has a bar for each provider.
    let heights = [1, 2].map(|panel| 44 + rows[panel].1.len() * (10 + 12 * PROVIDERS.len()));
    let height = (62 + heights[0] + heights[1]) as u32;
    canvas::page((960, height), |area| {
        canvas::title(area, "Time for one operation on one core, by provider");
        let names = PROVIDERS.map(|provider| provider.name);
        let entries: Vec<_> = names.into_iter().zip(COLOURS).collect();
        canvas::legend(area, (14, 46), &entries);
        let (_, body) = area.split_vertically(62);
        let (upper, lower) = body.split_vertically(heights[0] as u32);
        let halves = [upper, lower].map(|half| half.split_evenly((1, 2)));
        for (half, (heading, rows)) in halves.iter().flatten().zip(&rows) {
            canvas::bars(half, heading, &axis, rows);
        }
    })
}

fn sizes(results: &Results) -> String {
    let rows: Vec<Bars> = results
        .sizes
        .iter()
        .map(|sizes| {
            let third = sizes.signature.or(sizes.ciphertext);
            let values = [Some(sizes.public_key), Some(sizes.private_key), third];
            let bars = values.into_iter().zip(COLOURS).filter_map(|(value, colour)| {
                let value = value?;
                Some((colour, value as f64, value.to_string()))
            });
            (display(sizes.name), bars.collect())
        })
        .collect();
    let ticks =
        (0..=5).map(|thousands| (f64::from(thousands * 1000), (thousands * 1000).to_string()));
    let axis =
        Axis { label: "bytes", from: 0.0, to: 5000.0, logarithmic: false, ticks: ticks.collect() };
    canvas::page((820, 700), |area| {
        canvas::title(area, "Sizes of keys, ciphertexts and signatures");
        let names = ["public key", "private key, as stored", "ciphertext or longest signature"];
        let entries: Vec<_> = names.into_iter().zip(COLOURS).collect();
        canvas::legend(area, (14, 46), &entries);
        let (_, body) = area.split_vertically(56);
        canvas::bars(&body, "", &axis, &rows);
    })
}

/// Powers of four from `from` on, with their names.
fn lengths(label: &'static str, from: u64, to: u64, every: u32) -> Axis {
    let powers = (0..).map(|power| from << (every * power)).take_while(|&length| length <= to);
    let ticks = powers.map(|bytes| (bytes as f64, length(bytes))).collect();
    Axis { label, from: from as f64, to: to as f64, logarithmic: true, ticks }
}

/// Bytes added to so many.
type Added<'a> = &'a dyn Fn(u64) -> u64;

/// What sealing adds: computed from the lengths of real objects, exact for every message.
fn overhead() -> String {
    const CONTEXT: &[u8] = b"example.com/plot";
    let bob = DecapsulationKey::generate().expect("the system has randomness");
    let alice = SigningKey::generate().expect("the system has randomness");
    let to_bob = bob.encapsulation_key();
    let (hello, mut sender) =
        to_bob.signed_by(&alice).sender(CONTEXT).expect("the context is a good one");
    let message = sender.seal(b"").expect("the session has just begun").len() as u64;
    let start = hello.len() as u64 + message;
    let envelope = |length: u64| to_bob.sealed_len(length).map_or(0, |sealed| sealed - length);
    let added: [(&str, RGBColor, Added<'_>); 3] = [
        ("a signed session for one message", COLOURS[1], &|_| start),
        ("an envelope or file", COLOURS[2], &envelope),
        ("a message of a running session", COLOURS[0], &|_| message),
    ];
    let across = lengths("length of the message or file, logarithmic", 256, 1 << 30, 2);
    let (from, to) = (1e-4, 1e4);
    let points = (8..=30).map(|power| 1_u64 << power);
    let lines = added.map(|(_, colour, added)| {
        let points =
            points.clone().map(|length| (length, 100.0 * added(length) as f64 / length as f64));
        let visible = points.filter(|(_, per_cent)| (from..to).contains(per_cent));
        Line { colour, points: visible.map(|(length, value)| (length as f64, value)).collect() }
    });
    let up = Axis::decades("per cent added, logarithmic", [from, to].into_iter());
    let least = article::GROWTHS.iter().map(|growth| growth.from).fold(f64::MAX, f64::min);
    let most = article::GROWTHS.iter().map(|growth| growth.to).fold(f64::MIN, f64::max);
    let band = (least, most, "the article's claims for gradients, checkpoints and rounds: 15–35 %");
    canvas::page((900, 520), |area| {
        canvas::title(area, "Bytes that sealing adds");
        let entries = added.map(|(name, colour, _)| (name, colour));
        canvas::legend(area, (14, 46), &entries);
        let (_, body) = area.split_vertically(56);
        canvas::lines(&body, "", (&across, &up), Some(band), &lines);
    })
}

fn throughput(results: &Results) -> String {
    let line = |shape: &str, provider: &str, colour| {
        let speed = |&(name, length): &(&str, usize)| {
            let speed = results.speed(&format!("seal/{name}"), shape, provider)?;
            Some((length as f64, speed / f64::from(1 << 30)))
        };
        Line { colour, points: seal::lengths().iter().filter_map(speed).collect() }
    };
    let panels = sealing().map(|provider| {
        let mut lines = vec![line("memcpy", "none", GREY)];
        lines.extend(
            SHAPES.iter().zip(COLOURS).map(|(shape, colour)| line(shape, provider.name, colour)),
        );
        (provider.name, lines)
    });
    let panels: Vec<_> = panels.collect();
    let speeds = panels.iter().flat_map(|(_, lines)| lines).flat_map(|line| &line.points);
    let up = Axis::decades("GiB a second, logarithmic", speeds.map(|point| point.1));
    let across = lengths("length of the message, logarithmic", 1 << 10, 64 << 20, 4);
    let halves = panels.len().div_ceil(2);
    canvas::page((960, 62 + 418 * halves as u32), |area| {
        canvas::title(area, "Throughput of sealing on one core, memory to memory");
        let shapes = SHAPES.into_iter().zip(COLOURS);
        let entries: Vec<_> = [("memcpy", GREY)].into_iter().chain(shapes).collect();
        canvas::legend(area, (14, 46), &entries);
        let (_, body) = area.split_vertically(62);
        let halves: Vec<Area<'_>> = body.split_evenly((halves, 2));
        for (half, (name, lines)) in halves.iter().zip(&panels) {
            canvas::lines(half, name, (&across, &up), None, lines);
        }
    })
}
