//! Does a result appear complete or not at all, and are places that take none refused?

use std::{
    fs,
    io::{self, Read},
};

use crate::{
    common::process::ended,
    desk::{Desk, data, message},
};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("in", data(100_000));
    desk.prints("seal -r bob.pub -c x -o sealed in");
    desk
}

#[cfg(unix)]
fn mode(desk: &Desk, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
fn shell(desk: &Desk, script: &str) -> std::process::Output {
    ended(desk.shell(&["sh", "-c", script]))
}

#[cfg(unix)]
#[test]
fn who_may_read_a_result() {
    use std::os::unix::fs::PermissionsExt;

    let desk = desk();
    for (umask, sealed) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        for name in ["new", "opened", "sig"] {
            let _ = fs::remove_file(desk.path(name));
        }
        let output = shell(
            &desk,
            &format!(
                "umask {umask}; twinseal seal -r bob.pub -c x -o new in; \
                 twinseal open -k bob.pem -c x -o opened sealed; \
                 twinseal sign -k alice.pem -c x -o sig in"
            ),
        );
        assert_eq!(output.stderr, b"");
        assert_eq!(mode(&desk, "new"), sealed);
        assert_eq!(mode(&desk, "sig"), sealed);
        assert_eq!(mode(&desk, "opened"), 0o600);
    }
    fs::set_permissions(desk.path("opened"), fs::Permissions::from_mode(0o640)).unwrap();
    desk.prints("open -k bob.pem -c x -o opened sealed");
    assert_eq!(mode(&desk, "opened"), 0o640);
}

#[test]
fn an_existing_result_is_replaced_whole() {
    let desk = desk();
    desk.write("out", data(500_000));
    let mut open = fs::File::open(desk.path("out")).unwrap();
    desk.prints("open -k bob.pem -c x -o out sealed");
    assert_eq!(desk.read("out"), data(100_000));
    // A process that had it open still has the old content.
    let mut old = Vec::new();
    open.read_to_end(&mut old).unwrap();
    assert_eq!(old, data(500_000));
}

#[cfg(unix)]
#[test]
fn a_link_stays_one() {
    let desk = desk();
    desk.write("target", "old");
    std::os::unix::fs::symlink("target", desk.path("link")).unwrap();
    desk.prints("open -k bob.pem -c x -o link sealed");
    assert!(fs::symlink_metadata(desk.path("link")).unwrap().is_symlink());
    assert_eq!(desk.read("target"), data(100_000));

    std::os::unix::fs::symlink("nowhere", desk.path("dangling")).unwrap();
    let error = desk.fails("open -k bob.pem -c x -o dangling sealed");
    assert!(error.contains("dangling: it is a link"), "{error}");
}

#[test]
fn places_that_take_no_file() {
    let desk = desk();
    fs::create_dir(desk.path("directory")).unwrap();
    for (place, what) in [
        ("directory", "it is a directory"),
        ("missing/out", "its directory does not exist"),
        ("in/out", "not a directory"),
    ] {
        for command in
            ["open -k bob.pem -c x sealed", "seal -r bob.pub -c x in", "sign -k alice.pem -c x in"]
        {
            let error = desk.fails(&format!("{command} -o {place}"));
            assert!(error.contains(&format!("{place}: ")) && error.contains(what), "{error}");
        }
        desk.fails(&format!("keygen --kem -o {place}"));
        desk.fails(&format!("public bob.pem -o {place}"));
        desk.fails(&format!("rewrap -k bob.pem -r bob.pub sealed -o {place}"));
    }
    let long = "x".repeat(300);
    let error = desk.fails(&format!("seal -r bob.pub -c x in -o {long}"));
    assert!(error.contains("does not allow this name"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_nobody_may_write_to() {
    // Not even root.
    let desk = desk();
    let error = desk.fails("open -k bob.pem -c x sealed -o /sys/twinseal");
    assert!(error.contains("/sys/twinseal: ") && error.contains("choose another"), "{error}");
}

#[test]
fn what_is_read_is_not_written() {
    let desk = desk();
    let mut lines = vec![
        ("in", "seal -r bob.pub -c x -o in in".to_owned()),
        ("in", "seal -r bob.pub -c x -o ./in in".to_owned()),
        ("bob.pub", "seal -r bob.pub -c x -o bob.pub in".to_owned()),
        ("sealed", "open -k bob.pem -c x -o sealed sealed".to_owned()),
        ("bob.pem", "open -k bob.pem -c x -o bob.pem sealed".to_owned()),
        ("in", "sign -k alice.pem -c x -o in in".to_owned()),
        ("alice.pem", "sign -k alice.pem -c x -o alice.pem in".to_owned()),
        ("sealed", "rewrap -k bob.pem -r carol.pub -o sealed sealed".to_owned()),
        ("carol.pub", "rewrap -k bob.pem -r carol.pub -o carol.pub sealed".to_owned()),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("in", desk.path("link")).unwrap();
        fs::hard_link(desk.path("in"), desk.path("twin")).unwrap();
        lines.push(("in", "seal -r bob.pub -c x -o link in".to_owned()));
        lines.push(("in", "seal -r bob.pub -c x -o twin in".to_owned()));
    }
    fs::create_dir(desk.path("keys")).unwrap();
    fs::copy(desk.path("bob.pem"), desk.path("keys/primary.pem")).unwrap();
    lines.push(("keys/primary.pem", "open -k keys -c x -o keys/primary.pem sealed".to_owned()));
    for (name, line) in lines {
        let error = desk.fails(&line);
        assert!(error.contains(&format!("{name}: it would be both read and")), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn nor_through_the_shell() {
    let desk = desk();
    let content = desk.read("in");
    for script in [
        "twinseal seal -r bob.pub -c x -o in < in",
        "twinseal seal -r bob.pub -c x in >> in",
        "twinseal seal -r bob.pub -c x < in >> in",
    ] {
        let output = shell(&desk, script);
        let error = message(1, &output);
        assert!(error.contains("it would be both read and"), "{script}: {error}");
        assert!(desk.read("in") == content);
    }
    let output = shell(&desk, "twinseal seal -r bob.pub -c x < in > out; cat sealed >> out");
    assert!(output.status.success());
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_written_to() {
    let desk = desk();
    desk.prints("open -k bob.pem -c x -o /dev/null sealed");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    assert_eq!(desk.prints("open -k bob.pem -c x -o /dev/stdout sealed"), data(100_000));
    assert_eq!(desk.prints("open -k bob.pem -c x -o - sealed"), data(100_000));

    let output = shell(
        &desk,
        "mkfifo fifo; cat fifo > out & twinseal open -k bob.pem -c x -o fifo sealed; wait",
    );
    assert!(output.status.success());
    assert_eq!(desk.read("out"), data(100_000));

    // An empty device, an endless one, and keys from a pipe.
    let sealed = desk.prints("seal -r bob.pub -c x /dev/null");
    assert_eq!(sealed.len(), 1784);
    let output = shell(
        &desk,
        "head -c 1000000 /dev/zero | twinseal seal -r /dev/fd/3 -c x 3< bob.pub \
         | twinseal open -k /dev/fd/3 -c x 3< bob.pem | wc -c",
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "1000000");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported() {
    let desk = desk();
    for line in [
        "seal -r bob.pub -c x in",
        "open -k bob.pem -c x sealed",
        "rewrap -k bob.pem -r bob.pub sealed",
        "sign -k alice.pem -c x in",
        "public bob.pem",
        "inspect sealed",
        "completions bash",
        "man",
    ] {
        let mut command = desk.command(line);
        command.stdout(fs::File::create("/dev/full").unwrap());
        let error = desk.refused(1, command);
        assert!(error.contains("standard output: no space is left"), "{line}: {error}");
    }
    let error = desk.fails("seal -r bob.pub -c x in -o /dev/full");
    assert!(error.contains("/dev/full: no space is left"), "{error}");
}

/// In a small file system of the test's own, if the system lets it mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_keeps_nothing() {
    let desk = desk();
    desk.write("large", data(3_000_000));
    fs::create_dir(desk.path("disk")).unwrap();
    let script = "mount -t tmpfs -o size=1m none disk || exit 77; echo old > disk/out; \
                  twinseal seal -r bob.pub -c x -o disk/out large; code=$?; \
                  ls -A disk >&2; cat disk/out >&2; exit $code";
    let Some(output) = crate::desk::in_a_namespace(&desk, script) else { return };
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let lines: Vec<_> = error.lines().collect();
    assert!(lines[0].contains("disk/out: no space is left; "), "{error}");
    assert_eq!(lines[1..], ["out", "old"], "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_disk_is_reported() {
    let desk = desk();
    fs::create_dir(desk.path("disk")).unwrap();
    let script = "mount -t tmpfs -o ro none disk || exit 77; \
                  twinseal seal -r bob.pub -c x -o disk/out in";
    let Some(output) = crate::desk::in_a_namespace(&desk, script) else { return };
    assert!(message(1, &output).contains("disk/out: the file system is read-only"));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let desk = desk();
    desk.write("large", data(3_000_000));
    desk.prints("seal -r bob.pub -c x -o sealed large");
    for line in
        ["open -k bob.pem -c x sealed", "seal -r bob.pub -c x large", "inspect sealed", "man"]
    {
        // Closed before it starts: short output would be written by then.
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = ended(desk.command(line).stdout(writer));
        assert_eq!(output.status.code(), Some(141), "{line}");
        assert_eq!(output.stderr, b"", "{line}");
    }
}
