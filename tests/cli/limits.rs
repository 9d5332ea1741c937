//! What does the tool do at the limits of the system: sizes of files, core dumps, and processes?

use std::process::Stdio;

use crate::{
    common::process::{end_of, ended_if_present, signal},
    desk::{Desk, data, feed},
};

#[test]
fn a_limit_of_file_sizes_is_an_error() {
    let desk = Desk::new();
    desk.write("in", data(100_000));
    desk.prints("seal -r bob.pub -c x -o sealed in");
    for line in [
        "seal -r bob.pub -c x -o out in",
        "open -k bob.pem -c x -o out sealed",
        "rewrap -k bob.pem -r carol.pub -o out sealed",
        "sign -k alice.pem -c x -o out in",
        "keygen --kem -o out",
        "public bob.pem -o out",
    ] {
        let script = format!("ulimit -c unlimited; ulimit -f 0; exec twinseal -q {line}");
        let error = desk.refused(1, desk.shell(&["sh", "-c", &script]));
        assert!(error.contains("out: it would be longer than the file system"), "{error}");
    }
    for line in ["--help", "--version", "man", "public bob.pem"] {
        desk.write("log", "");
        let script = format!("ulimit -c unlimited; ulimit -f 0; exec twinseal {line} >> log");
        let error = desk.refused(1, desk.shell(&["sh", "-c", &script]));
        assert!(error.contains("standard output: it would be longer"), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn memory_is_not_dumped() {
    let desk = Desk::new();
    let mut command =
        desk.shell(&["sh", "-c", "ulimit -c unlimited; exec twinseal seal -r bob.pub -c x"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Once it reads, it has set its limits.
    let _input = feed(child.stdin.take().unwrap(), &data(1_000_000));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    signal("QUIT", child.id());
    let status = end_of(child).status;
    assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&status));
    assert!(!desk.names().iter().any(|name| name.starts_with("core")));
}

/// As a user who may not start another process: without a thread for signals or for the work.
#[cfg(target_os = "linux")]
#[test]
fn without_threads() {
    use std::os::unix::fs::PermissionsExt;

    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: no other user to be");
        return;
    }
    let desk = Desk::new();
    let readable = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(desk.path("."), readable.clone()).unwrap();
    for name in ["bob.pem", "alice.pem"] {
        std::fs::set_permissions(desk.path(name), readable.clone()).unwrap();
    }
    desk.copy_tool();
    desk.prints("seal -r bob.pub -c x -o sealed bob.pub");
    std::fs::set_permissions(desk.path("sealed"), readable.clone()).unwrap();
    for limit in ["1", "2", "3"] {
        for line in [
            "keygen --kem -o new.pem",
            "public bob.pem -o new.pub",
            "inspect bob.pem",
            "sign -k alice.pem -c x -o new.sig bob.pub",
            "seal -r bob.pub -c x -o new.sealed bob.pub",
            "open -k bob.pem -c x -o new.opened new.sealed",
            "seal -r bob.pub -c x -o new.sealed bob.pub",
            "open -k bob.pem -c x -o new.opened sealed",
            "rewrap -k bob.pem -r bob.pub -o new.moved sealed",
        ] {
            let as_user = "setpriv --reuid 4017 --regid 4017 --clear-groups prlimit";
            let mut words: Vec<_> = as_user.split(' ').collect();
            let limit = format!("--nproc={limit}");
            words.extend([limit.as_str(), "./tool", "-q"]);
            words.extend(line.split(' '));
            let Some(output) = ended_if_present(desk.shell(&words)) else {
                eprintln!("skipped: no setpriv");
                return;
            };
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{line}: {error}");
        }
        for name in ["new.pem", "new.pub", "new.sig", "new.sealed", "new.opened", "new.moved"] {
            std::fs::remove_file(desk.path(name)).unwrap();
        }
    }
}
