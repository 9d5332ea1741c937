//! Does a run that is stopped by a signal leave nothing behind?

use std::{
    fs,
    io::Write,
    os::unix::process::ExitStatusExt,
    process::{Child, Output, Stdio},
};

use crate::{
    common::process::{end_of, ended, signal, wait_until},
    desk::{Desk, data, feed},
};

const SIGNALS: [(&str, i32); 4] = [("HUP", 1), ("INT", 2), ("KILL", 9), ("TERM", 15)];

/// More bytes than all buffers between the pipe and the output hold.
const FED: usize = 8_000_000;

/// Writes a part of the input to the tool, and then sends it a signal.
fn stop(mut child: Child, fed: &[u8], name: &str, look: impl FnOnce()) -> Output {
    let pipe = feed(child.stdin.take().unwrap(), fed);
    look();
    signal(name, child.id());
    let output = end_of(child);
    drop(pipe);
    output
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

/// A desk with a file `old` to replace; long data, and the same data sealed.
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

/// As on file systems where all files have names: without /proc a file cannot be given a name later.
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

    // It succeeds or fails without a trace.
    let output = crate::desk::given(hidden("open -k bob.pem -c x -o old"), &sealed);
    assert!(output.status.success());
    assert!(desk.read("old") == content);
    let output = crate::desk::given(hidden("open -k bob.pem -c x -o old"), &sealed[..FED]);
    assert_eq!(output.status.code(), Some(1));
    assert!(desk.read("old") == content);
    assert_eq!(partial(), [""; 0]);
}

/// `nohup` sets signals to be ignored, and so do shells for processes in the background.
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

/// A full pipe that nobody reads.
fn full_pipe(desk: &Desk) -> fs::File {
    assert!(ended(desk.shell(&["mkfifo", "full"])).status.success());
    let pipe = fs::OpenOptions::new().read(true).write(true).open(desk.path("full")).unwrap();
    rustix::io::ioctl_fionbio(&pipe, true).unwrap();
    while (&pipe).write(&[0; 1024]).is_ok() {}
    while (&pipe).write(&[0]).is_ok() {}
    rustix::io::ioctl_fionbio(&pipe, false).unwrap();
    pipe
}

#[test]
fn a_run_stops_though_nobody_reads_what_it_says() {
    let desk = Desk::new();
    let pipe = full_pipe(&desk);
    for (name, number) in [("HUP", 1), ("INT", 2), ("TERM", 15)] {
        let mut command = desk.command("seal -r bob.pub -c x -o out");
        command.stdin(Stdio::piped()).stderr(pipe.try_clone().unwrap());
        let mut child = command.spawn().unwrap();
        let input = feed(child.stdin.take().unwrap(), &data(FED));
        signal(name, child.id());
        assert_eq!(end_of(child).status.signal(), Some(number));
        drop(input);
        assert!(!desk.path("out").exists());
    }
}

/// A run that is stopped before it has begun an output removes none.
#[test]
fn a_run_without_output_does_not_say_that_it_was_removed() {
    let desk = Desk::new();
    assert!(ended(desk.shell(&["mkfifo", "bundle"])).status.success());
    fs::create_dir(desk.path("model")).unwrap();
    let child = desk.spawn("model verify -p alice.pub -s bundle model");
    // Opening waits until the tool has opened the other end.
    let bundle = fs::OpenOptions::new().write(true).open(desk.path("bundle")).unwrap();
    signal("TERM", child.id());
    let error = String::from_utf8(end_of(child).stderr).unwrap();
    assert_eq!(error, "twinseal: stopped by SIGTERM; run the command again\n");
    drop(bundle);

    let mut child = desk.spawn("seal -r bob.pub -c x -o out");
    let input = feed(child.stdin.take().unwrap(), &data(FED));
    signal("TERM", child.id());
    let error = String::from_utf8(end_of(child).stderr).unwrap();
    assert!(error.contains("SIGTERM; unfinished output was removed, run the "), "{error}");
    drop(input);
}

#[test]
fn a_key_that_is_there_is_named_whatever_fails_after_it() {
    let desk = Desk::new();
    let pipe = full_pipe(&desk);
    // The id cannot be printed.
    let mut command = desk.command("keygen --kem -o new.pem");
    command.stdout(pipe).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_until("a new key", || desk.path("new.pem").exists());
    signal("TERM", child.id());
    let output = end_of(child);
    assert_eq!(output.status.signal(), Some(15));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("stopped by SIGTERM; complete and kept: new.pem"), "{error}");
    assert!(!error.contains("removed"), "{error}");
    desk.prints("public new.pem");

    #[cfg(target_os = "linux")]
    {
        let mut command = desk.command("-q keygen --kem -o second.pem");
        command.stdout(fs::File::create("/dev/full").unwrap());
        let error = crate::desk::message(1, &ended(command));
        assert!(error.contains("the private key second.pem is complete and was kept"), "{error}");
        desk.prints("public second.pem");
    }

    let mut command = desk.command("-q keygen --sign -o third.pem");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer);
    let error = crate::desk::message(141, &ended(command));
    assert!(error.contains("the private key third.pem is complete and was kept"), "{error}");
    desk.prints("public third.pem");
}
