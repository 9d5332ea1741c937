//! Do help, completions and manual pages name every command?

use std::fs;

use crate::{
    common::process::{ended, ended_if_present},
    desk::Desk,
};

const COMMANDS: [&str; 14] = [
    "keygen",
    "public",
    "import",
    "passwd",
    "seal",
    "open",
    "sign",
    "verify",
    "rewrap",
    "model",
    "certificate",
    "inspect",
    "completions",
    "man",
];

/// Commands of commands.
const WITHIN: [&str; 2] = ["model sign", "model verify"];

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
    for command in COMMANDS.into_iter().chain(WITHIN) {
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
        // If the shell is installed, it reads its script.
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
    for command in COMMANDS.into_iter().chain(WITHIN) {
        let name = format!("twinseal-{}", command.replace(' ', "-"));
        let page = String::from_utf8(desk.read(&format!("man1/{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{command}");
        for part in
            ["quiet", ".SH EXAMPLES\n", &format!("twinseal {command} "), ".SH \"EXIT STATUS\"\n"]
        {
            assert!(page.contains(part), "{command}: {part}");
        }
    }
    assert_eq!(fs::read_dir(desk.path("man1")).unwrap().count(), 1 + COMMANDS.len() + WITHIN.len());
    let error = desk.fails("man missing");
    assert!(error.contains("missing: not a directory; create it first"), "{error}");
}

/// The suggestions of bash for the last word of each line.
fn offered(desk: &Desk, lines: &[&str]) -> Option<Vec<String>> {
    let mut script = String::from(
        "source <(twinseal completions bash)
        offer() {
            COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))
            _twinseal twinseal \"${COMP_WORDS[-1]}\" \"${COMP_WORDS[-2]}\" 2>/dev/null
            printf '[%s]' \"${COMPREPLY[@]}\"; echo
        }\n",
    );
    lines.iter().for_each(|line| script += &format!("offer {line}\n"));
    let Some(output) = ended_if_present(desk.shell(&["bash", "-c", &script])) else {
        eprintln!("skipped: bash is not installed");
        return None;
    };
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().count(), lines.len(), "{printed}");
    Some(printed.lines().map(Into::into).collect())
}

#[test]
fn completions_of_paths_are_whole_and_a_context_is_no_path() {
    let desk = Desk::new();
    for name in ["a file.pem", "an*", "an other", "ab\\c"] {
        desk.write(name, "");
    }
    fs::create_dir(desk.path("a dir")).unwrap();
    let Some(offered) = offered(
        &desk,
        &[
            "twinseal open -k 'a f'",
            "twinseal open --key 'a f'",
            "twinseal seal -r a.pem -r 'an'",
            "twinseal rewrap -k ab",
            "twinseal verify -s 'a d'",
            "twinseal keygen --kem -o 'a d'",
            "twinseal open -c a",
            "twinseal seal --context ''",
            // No suggestions: bash itself completes paths.
            "twinseal inspect 'a'",
            "twinseal inspect ''",
            "twinseal open -k bob.pem -c x ''",
            "twinseal keygen --kem --suite 'MLKEM'",
            "twinseal completions b",
            "twinseal inspe",
            "twinseal model ver",
            "twinseal model verify -s 'a d'",
            "twinseal model sign -k alice.pem 'a'",
            "twinseal seal --rec",
        ],
    ) else {
        return;
    };
    let expected = [
        "[a file.pem]",
        "[a file.pem]",
        "[an*][an other]",
        "[ab\\c]",
        "[a dir]",
        "[a dir]",
        "[]",
        "[]",
        "[]",
        "[]",
        "[]",
        "[MLKEM1024-P384]",
        "[bash]",
        "[inspect]",
        "[verify]",
        "[a dir]",
        "[]",
        "[--recipient]",
    ];
    let sorted = |line: &str| {
        let mut words: Vec<_> = line.split_inclusive(']').map(String::from).collect();
        words.sort();
        words
    };
    for (offered, expected) in offered.iter().zip(expected) {
        assert_eq!(sorted(offered), sorted(expected));
    }
}

#[test]
fn other_shells_are_offered_paths_but_not_for_a_context() {
    let desk = Desk::new();
    let zsh = prints(&desk, "completions zsh");
    for (option, values) in
        [("-k+[", ":KEY:_files'"), ("-s+[", ":SIG:_files'"), ("-c+[", ":CONTEXT:'")]
    {
        let mut lines = zsh.lines().filter(|line| {
            line.trim_start().trim_start_matches('*').starts_with(&format!("'{option}"))
        });
        assert!(lines.clone().count() > 0, "{option}");
        assert!(lines.all(|line| line.contains(values)), "{option}: {zsh}");
    }
    let fish = prints(&desk, "completions fish");
    for (option, values) in
        [(" -s k ", " -r -F"), (" -s r ", " -r -F"), (" -s c ", " -r -f"), (" -s o ", " -r -F")]
    {
        let mut lines = fish.lines().filter(|line| line.contains(option));
        assert!(lines.clone().count() > 0, "{option}");
        assert!(lines.all(|line| line.ends_with(values)), "{option}: {fish}");
    }
}
