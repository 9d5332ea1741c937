//! Help, completions and manual pages: they come from the argument parser and name every command.

use std::fs;

use crate::{
    desk::Desk,
    process::{ended, ended_if_present},
};

const COMMANDS: [&str; 10] = [
    "keygen",
    "public",
    "seal",
    "open",
    "sign",
    "verify",
    "rewrap",
    "inspect",
    "completions",
    "man",
];

fn prints(desk: &Desk, line: &str) -> String {
    String::from_utf8(desk.prints(line)).unwrap()
}

#[test]
fn help_is_complete_and_fits_a_terminal() {
    let desk = Desk::new();
    let help = prints(&desk, "--help");
    for part in COMMANDS.iter().chain(&["Exit codes", "141", "--quiet", ".partial"]) {
        assert!(help.contains(part), "{part}");
    }
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let help = prints(&desk, &format!("{command} {flag}"));
            assert!(help.contains(&format!("Usage: twinseal {command}")), "{help}");
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{line}");
            }
        }
    }
    let version = prints(&desk, "--version");
    assert_eq!(version, format!("twinseal {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_name_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = prints(&desk, &format!("completions {shell}"));
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        // If the shell is there, it reads its script.
        if ["bash", "zsh", "fish"].contains(&shell) {
            desk.write("script", &script);
            match ended_if_present(desk.shell(&[shell, "-n", "script"])) {
                Some(output) => assert!(output.status.success(), "{shell}"),
                None => eprintln!("skipped: {shell} is not installed"),
            }
        }
    }
    let output = ended(desk.command("completions tcsh"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let desk = Desk::new();
    let page = prints(&desk, "man");
    assert!(page.contains(".TH twinseal 1"));
    for part in COMMANDS.iter().chain(&["EXAMPLES", "EXIT STATUS", "143"]) {
        assert!(page.contains(part), "{part}");
    }
    fs::create_dir(desk.path("man1")).unwrap();
    desk.prints("man man1");
    assert_eq!(desk.read("man1/twinseal.1"), page.as_bytes());
    for command in COMMANDS {
        let page = String::from_utf8(desk.read(&format!("man1/twinseal-{command}.1"))).unwrap();
        assert!(page.contains(&format!(".TH twinseal-{command} 1")), "{command}");
        for part in
            ["quiet", ".SH EXAMPLES\n", &format!("twinseal {command} "), ".SH \"EXIT STATUS\"\n"]
        {
            assert!(page.contains(part), "{command}: {part}");
        }
    }
    assert_eq!(fs::read_dir(desk.path("man1")).unwrap().count(), 1 + COMMANDS.len());
    let error = desk.fails("man missing");
    assert!(error.contains("missing: it is no folder"), "{error}");
}
