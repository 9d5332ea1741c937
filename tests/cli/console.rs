//! Is everything that the tool prints harmless to a terminal, and is an error noticed when it cannot be
//! printed?

use std::{
    ffi::OsString,
    fs,
    io::{Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStringExt, unix::net::UnixStream},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use crate::{
    common::process::{DEADLINE, end_of, ended, ended_if_present},
    desk::{Desk, data},
};

/// An escape sequence, its form of one character (C1), line ends and other controls; and characters that
/// reorder a line, are invisible, or end a line for some readers.
const OBEYED: [&str; 26] = [
    "\u{1b}[31m",
    "\u{9b}31m",
    "\u{7}",
    "\u{8}",
    "\r",
    "\n",
    "\u{7f}",
    "\u{85}",
    "\u{ad}",
    "\u{61c}",
    "\u{180e}",
    "\u{200b}",
    "\u{200f}",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}",
    "\u{2066}",
    "\u{feff}",
    "\u{fff9}",
    "\u{1d173}",
    "\u{e0041}",
    "\u{34f}",
    "\u{3164}",
    "\u{2800}",
    "\u{fe0f}",
    "\u{e0100}",
];

/// Everything that a run prints.
fn prints(command: Command) -> String {
    let output = ended(command);
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    let desk = Desk::new();
    desk.write("sealed", desk.prints_given("seal -r bob.pub -c x", b"hello"));
    for raw in OBEYED {
        let name = format!("a{raw}b");
        let (missing, option) = (format!("missing{name}"), format!("--{name}"));
        let (value, within) = (format!("--suite={name}"), format!("dir{name}/file"));
        fs::copy(desk.path("bob.pem"), desk.path(&name)).unwrap();
        for arguments in [
            vec!["inspect", &name],
            vec!["inspect", &missing],
            vec!["inspect", &within],
            vec![&name],
            vec!["inspect", &option],
            vec![&option],
            vec!["keygen", "--kem", "--suite", &name],
            vec!["keygen", "--kem", &value],
            vec!["keygen", "--kem", "-o", &name],
            vec!["completions", &name],
            vec!["man", &missing],
            vec!["open", "-k", &name, "-c", "x", "bob.pub"],
            vec!["open", "-k", "bob.pem", "-c", &name, "sealed"],
            vec!["open", "-k", "bob.pem", "-c", "x", "-o", &within, "sealed"],
            vec!["open", "-k", "bob.pem", "-c", "x", "sealed", &name],
            vec!["seal", "-r", &name, "-c", "x"],
            vec!["verify", "-p", &name, "-c", "x", "-s", &name, &name],
        ] {
            let printed = prints(desk.command_with(&arguments));
            // A line end within an argument would put the rest of it on a line of its own.
            let obeyed = match raw {
                "\n" => printed.lines().any(|line| line.starts_with('b')),
                _ => printed.contains(raw),
            };
            assert!(!obeyed, "{arguments:?}: {printed:?}");
        }
        fs::remove_file(desk.path(&name)).unwrap();
    }
}

#[test]
fn other_letters_are_printed_as_they_are() {
    let desk = Desk::new();
    for name in ["naïve", "re\u{301}sume\u{301}", "ключ", "鍵.pem", "مفتاح", "🔑", "it's \"x\"\\n"]
    {
        let error = desk.refused(1, desk.command_with(&["inspect", name]));
        assert!(error.contains(name), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn bytes_that_are_not_utf_8_are_shown_by_their_values() {
    let desk = Desk::new();
    let name = OsString::from_vec(b"a\xff\xe2\x80b".to_vec());
    let error = desk.refused(1, desk.command_with(&["inspect".into(), name]));
    assert!(error.contains(r"a\xff\xe2\x80b: no such file"), "{error}");
}

/// A run on a terminal of its own. Its output is everything that the terminal received. `None` (with a
/// message) without script(1).
#[cfg(target_os = "linux")]
fn on_a_terminal(desk: &Desk, line: &str) -> Option<Output> {
    let output =
        ended_if_present(desk.shell(&["script", "-qec", &format!("twinseal {line}"), "typed"]));
    if output.is_none() {
        eprintln!("skipped: script(1) is not installed");
    }
    output
}

#[cfg(target_os = "linux")]
#[test]
fn opened_bytes_go_to_a_terminal_only_if_asked() {
    let desk = Desk::new();
    desk.write("sealed", desk.prints_given("seal -r bob.pub -c x", b"\x1b]0;title\x07opened"));
    let open = "open -k bob.pem -c x sealed";
    for output in ["", "-o -", "-o /dev/tty", "-o /dev/stdout", "-o /proc/self/fd/1"] {
        let Some(output) = on_a_terminal(&desk, &format!("{open} {output}")) else { return };
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(!shown.contains('\x1b') && !shown.contains("opened\n"), "{shown:?}");
        assert!(shown.contains("terminal") && shown.contains("-o"), "{shown:?}");
        assert_eq!(output.status.code(), Some(1), "{shown:?}");
    }
    for line in
        ["open -k bob.pem -c x --to-terminal sealed", "seal -r bob.pub -c x -o /dev/tty sealed"]
    {
        let Some(output) = on_a_terminal(&desk, line) else { return };
        let is_shown = output.stdout.windows(9).any(|shown| shown == b"\x1b]0;title");
        assert_eq!(is_shown, line.starts_with("open"), "{line}: {:?}", output.stdout);
    }
    assert_eq!(desk.prints(open), b"\x1b]0;title\x07opened");
}

/// Two ends of a stream; the one for the run does not block.
fn streams() -> (UnixStream, Stdio) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    (ours, OwnedFd::from(theirs).into())
}

#[test]
fn streams_that_do_not_block_are_waited_for() {
    let desk = Desk::new();
    let content = data(3_000_000);
    desk.write("sealed", desk.prints_given("seal -r bob.pub -c x", &content));

    for (line, output_is_full) in [
        ("open -k bob.pem -c x sealed", true),
        ("seal -r bob.pub -c x -o out", false),
        ("inspect -", false),
    ] {
        let (mut ours, theirs) = streams();
        let mut command = desk.command(line);
        if output_is_full {
            command.stdout(theirs)
        } else {
            command.stdin(theirs)
        };
        let mut run = command.spawn().unwrap();
        drop(command);
        // A run that does not wait ends now. If the machine is too busy for that, this test passes.
        for _ in 0..50 {
            assert!(run.try_wait().unwrap().is_none(), "{line} did not wait");
            thread::sleep(Duration::from_millis(10));
        }
        if output_is_full {
            ours.set_read_timeout(Some(DEADLINE)).unwrap();
            let mut opened = Vec::new();
            ours.read_to_end(&mut opened).unwrap();
            assert!(opened == content);
        } else {
            let _ = ours.write_all(&desk.read("sealed")); // the tool may not read all of it
            drop(ours);
        }
        assert!(end_of(run).status.success(), "{line}");
    }
}

fn in_a_shell(desk: &Desk, line: &str) -> Output {
    ended(desk.shell(&["sh", "-c", &format!("exec twinseal {line}")]))
}

#[test]
fn a_closed_stream_is_an_error() {
    let desk = Desk::new();
    desk.write("in", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    desk.prints("sign -k alice.pem -c x -o sig in");
    let files = desk.files();
    let outputs = [
        "open -k bob.pem -c x sealed",
        "seal -r bob.pub -c x in",
        "sign -k alice.pem -c x in",
        "verify -p alice.pub -c x -s sig in",
        "rewrap -k bob.pem -r carol.pub sealed",
        "public bob.pem",
        "inspect sealed",
        "inspect --json sealed",
        "completions bash",
        "man",
        "--help",
        "--version",
        "seal --help",
    ];
    let inputs = [
        "seal -r bob.pub -c x",
        "seal -r bob.pub -c x -o out -",
        "open -k bob.pem -c x",
        "rewrap -k bob.pem -r carol.pub -",
        "sign -k alice.pem -c x",
        "verify -p alice.pub -c x -s sig",
        "inspect -",
    ];
    let runs = outputs.map(|line| (line, "output", ">&-"));
    for (line, stream, closed) in runs.into_iter().chain(inputs.map(|line| (line, "input", "<&-")))
    {
        let output = in_a_shell(&desk, &format!("{line} {closed}"));
        let error = crate::desk::message(1, &output);
        assert!(error.contains(&format!("standard {stream}: it is closed, ")), "{line}: {error}");
        assert!(desk.files() == files, "{line}");

        // The caller's own /dev/null is not a closed stream, in whatever mode it is open.
        for null in
            if stream == "input" { ["</dev/null"; 2] } else { [">/dev/null", "1<>/dev/null"] }
        {
            let output = in_a_shell(&desk, &format!("{line} {null}"));
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(!error.contains("closed"), "{line} {null}: {error}");
            assert!(stream == "input" || output.status.success(), "{line} {null}: {error}");
        }
        let _ = fs::remove_file(desk.path("out"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_for_what_is_printed() {
    let desk = Desk::new();
    let lines =
        ["--help", "-h", "--version", "seal --help", "man", "completions bash", "public bob.pem"];
    for line in lines {
        let error = crate::desk::message(1, &in_a_shell(&desk, &format!("{line} > /dev/full")));
        assert!(error.contains("standard output: no space is left"), "{line}: {error}");
    }
}
