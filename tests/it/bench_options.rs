//! Do benches that run as tests take every option of libtest, and run the tests that the options choose?

#[path = "../../benches/common/libtest.rs"]
mod libtest;

use libtest::Options;

/// Which of three tests run with these options.
fn run(options: &str) -> Vec<&'static str> {
    let options = Options::new(options.split('|').map(str::to_owned));
    ["seal", "seal 1 KiB", "open"].into_iter().filter(|name| options.runs(name)).collect()
}

#[test]
fn options_that_choose() {
    for (options, expected) in [
        ("seal", &["seal", "seal 1 KiB"][..]),
        ("open|1 KiB", &["seal 1 KiB", "open"]),
        ("--exact|seal", &["seal"]),
        ("--exact|sea", &[]),
        ("--skip|seal", &["open"]),
        ("--skip=1 KiB", &["seal", "open"]),
        ("--skip|seal|--skip|open", &[]),
        ("--exact|--skip|seal", &["seal 1 KiB", "open"]),
        ("seal|--skip|1 KiB", &["seal"]),
        ("another", &[]),
        ("--ignored", &[]),
        ("--list", &[]),
        ("--list|seal", &[]),
    ] {
        assert_eq!(run(options), expected, "{options}");
    }
}

#[test]
fn options_that_mean_nothing_here() {
    for options in [
        "--test-threads=1",
        "--test-threads|1",
        "--nocapture",
        "--no-capture",
        "--show-output",
        "--include-ignored",
        "--quiet",
        "-q",
        "--test",
        "--format|terse",
        "--format=pretty",
        "--color|never",
        "--logfile|seal",
        "-Z|unstable-options|--report-time",
        "-Zunstable-options|--shuffle",
        "--shuffle-seed|7",
        "--skip|nothing",
        "--force-run-in-process",
    ] {
        assert_eq!(run(options), ["seal", "seal 1 KiB", "open"], "{options}");
    }
}
