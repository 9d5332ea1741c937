//! Do the commands in the documents work, and do the documents name what they must?

use std::{fs, path::Path};

use crate::{common::process::ended, desk::Desk};

/// An advisory against a dependency is named in every document where a user would look for it.
#[test]
fn every_advisory_is_named() {
    // A published package has no such file.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(deny) = fs::read_to_string(root.join("deny.toml")) else { return };
    let ignored: Vec<_> = deny
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ id = \"RUSTSEC-")?.split('"').next())
        .collect();
    assert!(ignored.len() > 5, "{ignored:?}");
    let documents = [include_str!("../../src/provider.rs"), include_str!("../../SECURITY.md")];
    // `paste` is named as long as a dependency has it.
    let locked = include_str!("../../Cargo.lock").contains("name = \"paste\"");
    assert_eq!(ignored.contains(&"2024-0436"), locked);
    for id in ignored {
        if id == "2023-0071" {
            // It affects a development dependency, which reaches no user.
            assert!(include_str!("../../CONTRIBUTING.md").contains(id));
            continue;
        }
        // `RUSTSEC-2026-0161, -0162`
        let (_, number) = id.split_once('-').unwrap();
        for document in documents {
            assert!(document.contains(id) || document.contains(&format!("-{number}")), "{id}");
        }
    }
}

/// The session in docs/cli.md works as it is written there, and then what it says of signed models.
#[test]
fn the_session_of_the_page() {
    let page = include_str!("../../docs/cli.md");
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let (install, rest) = rest.split_once("```\n").unwrap();
    assert!(install.starts_with("cargo install twinseal --features cli,aws-lc-rs\n"));
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    let (session, rest) = rest.split_once("```\n").unwrap();
    let (_, models) = rest.split_once("\n## Signed models\n").unwrap();
    let (models, _) = models.split_once("\n## ").unwrap();
    let models = models.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let script = session.to_owned() + &models.collect::<String>();

    let desk = Desk::new();
    fs::create_dir(desk.path("session")).unwrap();
    let mut shell = desk.shell(&["sh", "-eux", "-c", &script]);
    let output = ended(shell.current_dir(desk.path("session")));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("opened.txt: signed by "), "{printed}");
    assert!(printed.contains("2 recipients"), "{printed}");
    assert!(printed.contains("\nMeet me at the usual place.\n"), "{printed}");
    assert!(printed.contains("\nllama: matches what "), "{printed}");
    assert!(printed.contains("\nreceived/llama: matches what "), "{printed}");
}
