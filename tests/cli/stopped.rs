//! Runs that are stopped: by signals that ask, and by the one that does not.

use std::{
    fs,
    io::Write,
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStdin, Output, Stdio},
};

use crate::{
    desk::{Desk, data},
    process::{end_of, signal, wait_until, within_deadline},
};

const SIGNALS: [(&str, i32); 4] = [("HUP", 1), ("INT", 2), ("KILL", 9), ("TERM", 15)];

/// More than all buffers between the pipe and the output hold.
const FED: usize = 8_000_000;

/// Feeds it some but not all, and sends it a signal in the middle.
fn stop(mut child: Child, fed: &[u8], name: &str, look: impl FnOnce()) -> Output {
    let pipe = feed(child.stdin.take().unwrap(), fed);
    look();
    signal(name, child.id());
    let output = end_of(child);
    drop(pipe);
    output
}

fn feed(mut pipe: ChildStdin, bytes: &[u8]) -> ChildStdin {
    let bytes = bytes.to_vec();
    within_deadline("a run that takes its input", move || {
        pipe.write_all(&bytes).unwrap();
        pipe
    })
}

fn check(output: &Output, (name, number): (&str, i32)) {
    assert_eq!(output.status.signal(), Some(number));
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    if name == "KILL" {
        assert_eq!(error, "");
    } else {
        assert!(error.starts_with(&format!("twinseal: stopped by SIG{name}; ")), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}

/// A long file, its sealed form, and what may replace it.
fn desk() -> (Desk, Vec<u8>, Vec<u8>) {
    let desk = Desk::new();
    let content = data(2 * FED);
    let sealed = desk.prints_given("seal -r bob.pub -c x", &content);
    desk.write("old", "what was there before");
    (desk, content, sealed)
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_a_stopped_run() {
    let (desk, content, sealed) = desk();
    let before = desk.files();
    for signal in SIGNALS {
        for out in ["out", "old"] {
            let runs = [
                (format!("seal -r bob.pub -c x -o {out}"), &content),
                (format!("open -k bob.pem -c x -o {out}"), &sealed),
                (format!("rewrap -k bob.pem -r carol.pub -o {out} -"), &sealed),
                (format!("sign -k alice.pem -c x -o {out}"), &content),
            ];
            for (line, input) in runs {
                let output = stop(desk.spawn(&line), &input[..FED], signal.0, || {
                    assert!(desk.files() == before, "{line}");
                });
                check(&output, signal);
                assert!(desk.files() == before, "{line}");
            }
        }
    }
}

/// As on file systems whose files all have names: without /proc a file cannot be named later.
#[cfg(target_os = "linux")]
#[test]
fn where_files_have_names_only_a_killed_run_leaves_one() {
    use std::os::unix::fs::PermissionsExt;

    use crate::desk::{cannot_unshare, namespace};

    if cannot_unshare() {
        eprintln!("skipped: no namespace to mount in");
        return;
    }
    let (desk, content, sealed) = desk();
    let partial = || {
        let names = desk.names();
        names.into_iter().filter(|name| name.ends_with(".partial")).collect::<Vec<_>>()
    };
    let hidden = |line: &str| {
        let mut command =
            namespace(&desk, &format!("mount -t tmpfs none /proc && exec twinseal {line}"));
        command.stdin(Stdio::piped()).spawn().unwrap()
    };
    let before = desk.files();
    for signal in SIGNALS {
        for (line, input, private) in [
            ("seal -r bob.pub -c x -o out", &content, false),
            ("open -k bob.pem -c x -o old", &sealed, true),
        ] {
            let output = stop(hidden(line), &input[..FED], signal.0, || {
                wait_until("an unfinished file", || !partial().is_empty());
                let names = partial();
                assert_eq!(names.len(), 1, "{names:?}");
                assert!(names[0].starts_with(".twinseal-"), "{names:?}");
                let mode = fs::metadata(desk.path(&names[0])).unwrap().permissions().mode();
                assert!(!private || mode & 0o077 == 0, "{mode:o}");
            });
            check(&output, signal);
            for name in partial() {
                assert_eq!(signal.0, "KILL", "{name} was left");
                fs::remove_file(desk.path(&name)).unwrap();
            }
            assert!(desk.files() == before, "{line}");
        }
    }

    // And it ends well, or fails without a trace.
    let output = crate::desk::given(hidden("open -k bob.pem -c x -o old"), &sealed);
    assert!(output.status.success());
    assert!(desk.read("old") == content);
    let output = crate::desk::given(hidden("open -k bob.pem -c x -o old"), &sealed[..FED]);
    assert_eq!(output.status.code(), Some(1));
    assert!(desk.read("old") == content);
    assert_eq!(partial(), [""; 0]);
}

/// `nohup`, and shells for what they run in the background, set signals to be ignored.
#[cfg(target_os = "linux")]
#[test]
fn an_ignored_signal_stays_ignored() {
    let (desk, content, _) = desk();
    let line = "trap '' HUP INT; exec twinseal seal -r bob.pub -c x -o out";
    let mut command = desk.shell(&["sh", "-c", line]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let pipe = feed(child.stdin.take().unwrap(), &content[..FED]);
    for name in ["HUP", "INT"] {
        signal(name, child.id());
    }
    drop(feed(pipe, &content[FED..]));
    let output = end_of(child);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success());
    assert!(desk.prints("open -k bob.pem -c x out") == content);
}
