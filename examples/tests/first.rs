//! The examples to read first: do they run, and does the quickstart print what a newcomer should see?

use std::{fs, path::Path};

use twinseal::Error;

mod programs;

use programs::{printed, run};

/// Every failure is printed with the library's error message.
fn assert_failures(printed: &str) {
    let (_, failures) = printed.split_once("\nAttempts that must fail:\n").unwrap();
    let errors: Vec<_> = failures.lines().skip(1).step_by(2).map(str::trim).collect();
    let (open, verify) = (Error::Open.to_string(), Error::Verify.to_string());
    assert_eq!(errors, [&Error::NotARecipient.to_string(), &open, &open, &verify]);
}

#[test]
fn the_quickstart_succeeds_where_it_must_and_fails_where_it_must() {
    let printed = printed("quickstart", &[]);
    assert!(
        printed.starts_with("The checkpoint has 8388608 bytes.\nSealed for two, it has 8400"),
        "{printed}"
    );
    for name in ["Bob", "Carol"] {
        assert!(printed.contains(&format!("{name} has opened it")), "{printed}");
    }
    assert_failures(&printed);
}

#[test]
fn the_quickstart_takes_a_file_and_does_not_change_it() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("model-{}", std::process::id()));
    let argument = path.to_str().unwrap();
    for content in [&b""[..], b"1", &[7; 40_000]] {
        fs::write(&path, content).unwrap();
        let printed = printed("quickstart", &[argument]);
        assert!(printed.starts_with(&format!("The checkpoint has {} bytes", content.len())));
        assert_failures(&printed);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(run("quickstart", &[argument]).status.code(), Some(1), "there is no such file");
}

#[test]
fn the_small_examples_run() {
    assert_eq!(printed("seal", &[]).lines().count(), 1);
    assert_eq!(printed("session", &[]), "layer 1\nlayer 2\nlayer 3\n");
    let request = printed("request", &[]);
    assert!(request.starts_with("alice asks about 9 bytes.\nThe answer: a cat.\n"), "{request}");
    assert!(request.contains("it was let in before") && request.ends_with("\nRoses are red.\n"));
    assert_eq!(printed("external_key", &[]).lines().count(), 1);
    #[cfg(feature = "tokio")]
    assert_eq!(printed("awaited_key", &[]).lines().count(), 1);
}

/// The package on crates.io has no examples, so the documentation has a copy of each small one.
#[test]
fn the_documentation_has_the_small_examples() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, module) in [
        ("seal", "stream.rs"),
        ("session", "session.rs"),
        ("request", "request.rs"),
        ("external_key", "split.rs"),
        ("awaited_key", "split.rs"),
    ] {
        let example = fs::read_to_string(examples.join(format!("{name}.rs"))).unwrap();
        let (_, code) = example.split_once("\n\n").unwrap();
        let code = code.split("\n#[cfg(test)]").next().unwrap();
        let source = fs::read_to_string(examples.join("../src").join(module)).unwrap();
        // Lines that rustdoc hides.
        let source = source.replace("//! # ", "//! ").replace("//! #\n", "//!\n");
        let is_there = ["//!", "///"].into_iter().any(|prefix| {
            let lines = code.lines().map(|line| format!("{prefix} {line}").trim_end().to_owned());
            source.contains(&lines.collect::<Vec<_>>().join("\n"))
        });
        assert!(is_there, "src/{module} does not have the code of examples/{name}.rs");
    }
}
