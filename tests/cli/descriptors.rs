//! Outputs that are open already, by the names that the system has for them.

use std::fs;

use crate::{
    desk::{Desk, data, message},
    process::ended,
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
        ("twinseal -q keygen --kem -o /dev/stderr 2>log", "private keys are not written there"),
        ("twinseal -q keygen --kem -o /dev/fd/5 5>log", "private keys are not written there"),
        ("twinseal seal -r bob.pub -c x -o /dev/stdout in >>in", "it is both read and"),
        ("twinseal seal -r bob.pub -c x -o /dev/fd/5 in 5>>in", "it is both read and"),
        ("twinseal open -k bob.pem -c x -o /proc/self/exe sealed", "a link of the system's own"),
    ] {
        let mut output = run(script);
        if script.contains("2>log") {
            output.stderr = desk.read("log");
        }
        let error = message(1, &output);
        assert!(error.contains(cause), "{script}: {error}");
    }
    assert_eq!(desk.read("in"), b"new\n");

    // Without procfs the names still mean the same.
    desk.write("log", data(10));
    let script = "mount -t tmpfs none /proc || exit 77; \
                  exec twinseal open -k bob.pem -c x -o /dev/stdout sealed >> log";
    if let Some(output) = crate::desk::in_a_namespace(&desk, script) {
        assert!(output.status.success());
        assert_eq!(fs::metadata(desk.path("log")).unwrap().len(), 14);
    }
}
