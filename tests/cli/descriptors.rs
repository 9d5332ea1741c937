//! Does a path that names an open descriptor stand for the open stream?

use std::fs;

use crate::{
    common::process::ended,
    desk::{Desk, data, message},
};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("in", "new\n");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    desk
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_open_is_written_to_where_it_stands() {
    let desk = desk();
    std::os::unix::fs::symlink("/dev/stdout", desk.path("link")).unwrap();
    for (out, redirected) in [
        ("/dev/stdout", ">>log"),
        ("/dev/fd/1", ">>log"),
        ("/proc/self/fd/1", ">>log"),
        ("/proc/thread-self/fd/1", ">>log"),
        ("/dev/../dev/stdout", ">>log"),
        ("//dev//stdout", ">>log"),
        ("link", ">>log"),
        ("/dev/stderr", "2>>log"),
        ("/dev/fd/2", "2>>log"),
        ("/dev/fd/7", "7>>log"),
        ("/proc/self/fd/7", "7>>log"),
    ] {
        desk.write("log", "old\n");
        let script = format!("exec twinseal open -k bob.pem -c x -o {out} sealed {redirected}");
        let output = ended(desk.shell(&["sh", "-c", &script]));
        assert!(output.status.success(), "{out}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(desk.read("log"), b"old\nnew\n", "{out}");
    }
    // Without `>>`, others write before and after it.
    for (out, number) in
        [("/dev/stdout", 1), ("/proc/self/fd/1", 1), ("/dev/stderr", 2), ("/dev/fd/7", 7)]
    {
        let script = format!(
            "{{ echo old >&{number}; twinseal open -k bob.pem -c x -o {out} sealed; \
             echo end >&{number}; }} {number}>log"
        );
        assert!(ended(desk.shell(&["sh", "-c", &script])).status.success());
        assert_eq!(desk.read("log"), b"old\nnew\nend\n", "{out}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn descriptors_are_streams_for_all_else_too() {
    let desk = desk();
    let run = |script: &str| ended(desk.shell(&["sh", "-c", script]));
    // Process substitution, and another process's pipe.
    let output = run(
        "{ twinseal open -k bob.pem -c x -o /dev/fd/5 sealed 5>&1 >&2 | cat > out; } 2>&1; cat out",
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "new\n");
    let output = run("twinseal open -k bob.pem -c x -o /proc/$$/fd/1 sealed | cat");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.stdout, b"new\n");

    for (script, cause) in [
        (
            "twinseal open -k bob.pem -c x -o /dev/fd/9 sealed",
            "/dev/fd/9: it is closed, or not open",
        ),
        (
            "twinseal open -k bob.pem -c x -o /dev/fd/6 sealed 6<in",
            "/dev/fd/6: it is closed, or not open",
        ),
        (
            "twinseal open -k bob.pem -c x -o /dev/stdout sealed >&-",
            "/dev/stdout: it is closed, or not open",
        ),
        ("twinseal open -k bob.pem -c x -o /dev/fd/0 sealed <&-", "/dev/fd/0: it is closed"),
        (
            "twinseal open -k bob.pem -c x -o /proc/self/fd/99 sealed",
            "/proc/self/fd/99: it is closed",
        ),
        ("twinseal -q keygen --kem -o key 1<in", "standard output: it is closed, or not open"),
        (
            "twinseal seal -r bob.pub -c x -o new - 0>log",
            "standard input: it is closed, or not open",
        ),
        (
            "twinseal -q keygen --kem -o /dev/stderr 2>log",
            "private keys are not written to streams",
        ),
        ("twinseal -q keygen --kem -o /dev/fd/5 5>log", "private keys are not written to streams"),
        ("twinseal seal -r bob.pub -c x -o /dev/stdout in >>in", "it would be both read and"),
        ("twinseal seal -r bob.pub -c x -o /dev/fd/5 in 5>>in", "it would be both read and"),
        ("twinseal open -k bob.pem -c x -o /proc/self/exe sealed", "a link made by the system"),
    ] {
        let mut output = run(script);
        if script.contains("2>log") {
            output.stderr = desk.read("log");
        }
        let error = message(1, &output);
        assert!(error.contains(cause), "{script}: {error}");
    }
    assert_eq!(desk.read("in"), b"new\n");
    assert!(!desk.path("key").exists() && !desk.path("new").exists());

    // The tool's own descriptors are not the caller's.
    for number in 3..10 {
        for directory in ["/dev/fd", "/proc/self/fd"] {
            let out = format!("{directory}/{number}");
            let script = format!("twinseal open -k bob.pem -c x -o {out} sealed {number}>&-");
            let error = message(1, &run(&script));
            assert!(error.contains(&format!("{out}: it is closed")), "{error}");
        }
    }

    // Without procfs the names still mean the same.
    desk.write("log", data(10));
    let script = "mount -t tmpfs none /proc || exit 77; \
                  exec twinseal open -k bob.pem -c x -o /dev/stdout sealed >> log";
    if let Some(output) = crate::desk::in_a_namespace(&desk, script) {
        assert!(output.status.success());
        assert_eq!(fs::metadata(desk.path("log")).unwrap().len(), 14);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_input_is_read_where_it_stands_by_all_its_names() {
    let desk = desk();
    desk.prints("sign -k alice.pem -c x -o sig in");
    desk.write("lines", "first\nsecond\n");
    std::os::unix::fs::symlink("/dev/stdin", desk.path("link")).unwrap();
    let files = desk.files();
    let run = |script: &str| ended(desk.shell(&["sh", "-c", script]));
    for name in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/proc/thread-self/fd/0", "link"] {
        for line in [
            "seal -r bob.pub -c x -o out NAME",
            "seal -r NAME -c x -o out in",
            "sign -k alice.pem -c x -o out NAME",
            "sign -k NAME -c x -o out in",
            "open -k bob.pem -c x NAME",
            "rewrap -k bob.pem -r carol.pub NAME",
            "verify -p alice.pub -c x -s sig NAME",
            "verify -p alice.pub -c x -s NAME in",
            "public NAME",
            "inspect NAME",
        ] {
            let output = run(&format!("exec twinseal {} <&-", line.replace("NAME", name)));
            let error = message(1, &output);
            assert!(error.contains(&format!("{name}: it is closed")), "{line}: {error}");
        }
        assert!(desk.files() == files);
        let output = run(&format!(
            "{{ read -r line; twinseal seal -r bob.pub -c x {name}; }} < lines \
             | twinseal open -k bob.pem -c x"
        ));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.stdout, b"second\n");
    }
    // Another closed stream is not an empty file, either.
    let output = run("exec twinseal seal -r bob.pub -c x -o out /dev/stdout >&-");
    assert!(message(1, &output).contains("/dev/stdout: it is closed"));
    assert!(desk.files() == files);
}

/// Sockets cannot be opened by name.
#[cfg(target_os = "linux")]
#[test]
fn a_socket_is_named() {
    let desk = desk();
    let _socket = std::os::unix::net::UnixListener::bind(desk.path("socket")).unwrap();
    for line in ["seal -r bob.pub -c x socket", "public socket", "inspect socket"] {
        let error = desk.fails(line);
        assert!(error.contains("socket: it is a socket"), "{error}");
    }
}
