//! What can another user of the machine do to a result, and what not?
//!
//! Only root can set these up; the tool then runs as root, or as another user.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    process::{Command, Output},
};

use crate::{
    common::process::{self, end_of, ended, ended_if_present},
    desk::{Desk, data, message},
};

const MALLORY: u32 = 4001;
const ALICE: u32 = 4002;
const PROJECT: u32 = 4009;

/// A desk at which all may read. `None` (with a message) without root.
fn desk() -> Option<Desk> {
    let setpriv = ended_if_present(process::command("setpriv").arg("--version"));
    if !rustix::process::geteuid().is_root() || setpriv.is_none() {
        eprintln!("skipped: only root has the files of several users, and it needs setpriv");
        return None;
    }
    let desk = Desk::new();
    desk.write("in", data(1000));
    desk.prints("seal -r bob.pub -c x -o sealed in");
    for name in [".", "in", "sealed", "bob.pem", "bob.pub"] {
        fs::set_permissions(desk.path(name), Permissions::from_mode(0o755)).unwrap();
    }
    // Other users may not have access to the directory where it was built.
    desk.copy_tool();
    Some(desk)
}

fn as_user(desk: &Desk, user: u32) -> Command {
    let user = user.to_string();
    let mut command = process::command("setpriv");
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
    command.arg(desk.path("tool")).arg("-q");
    command
}

fn run_as(desk: &Desk, user: u32, arguments: &str) -> Output {
    let mut command = as_user(desk, user);
    ended(command.args(arguments.split_whitespace()).current_dir(desk.path(".")))
}

/// As Kubernetes mounts a secret with an fsGroup: the tool reads it through the group.
#[test]
fn a_key_that_is_read_by_its_group_is_not_warned_of() {
    let Some(desk) = desk() else { return };
    chown(desk.path("bob.pem"), Some(0), Some(4001)).unwrap();
    for (mode, is_fine) in [(0o440, true), (0o640, true), (0o444, false), (0o460, false)] {
        fs::set_permissions(desk.path("bob.pem"), Permissions::from_mode(mode)).unwrap();
        let mut command = process::command("setpriv");
        command.args(["--reuid", "4002", "--regid", "4002", "--groups", "4001"]);
        command.arg(desk.path("tool")).args(["public", "bob.pem"]).current_dir(desk.path("."));
        let output = ended(command);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{error}");
        assert_eq!(!error.contains("warning"), is_fine, "{mode:o}: {error}");
    }
}

/// The new file would be root's, and Alice could not read it.
#[test]
fn the_passphrase_of_another_users_key_is_not_changed() {
    let Some(desk) = desk() else { return };
    desk.write_secret("pass", "one");
    chown(desk.path("bob.pem"), Some(ALICE), Some(ALICE)).unwrap();
    fs::set_permissions(desk.path("bob.pem"), Permissions::from_mode(0o600)).unwrap();
    let error = desk.fails("passwd bob.pem --new-passphrase-file pass");
    assert!(error.contains("bob.pem: it belongs to another user; run the command as"), "{error}");
    desk.prints("passwd -q bob.pem --new-passphrase-file pass --scrypt 16,8,1 -o mine.pem");
}

fn opened_as(desk: &Desk, user: u32, out: &str) -> Output {
    run_as(desk, user, &format!("open -k bob.pem -c x -o {out} sealed"))
}

fn make_dir(desk: &Desk, name: &str, owner: u32, mode: u32) {
    fs::create_dir(desk.path(name)).unwrap();
    chown(desk.path(name), Some(owner), Some(owner)).unwrap();
    fs::set_permissions(desk.path(name), Permissions::from_mode(mode)).unwrap();
}

fn make_file(desk: &Desk, name: &str, owner: u32, group: u32, mode: u32) {
    let _ = fs::remove_file(desk.path(name));
    desk.write(name, "old");
    chown(desk.path(name), Some(owner), Some(group)).unwrap();
    fs::set_permissions(desk.path(name), Permissions::from_mode(mode)).unwrap();
}

fn link_of(desk: &Desk, owner: u32, target: impl AsRef<Path>, name: &str) {
    let _ = fs::remove_file(desk.path(name));
    symlink(target, desk.path(name)).unwrap();
    std::os::unix::fs::lchown(desk.path(name), Some(owner), Some(owner)).unwrap();
}

/// Owner, group and mode.
fn whose(desk: &Desk, name: &str) -> (u32, u32, u32) {
    let file = fs::metadata(desk.path(name)).unwrap();
    (file.uid(), file.gid(), file.mode() & 0o7777)
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nothing_is_carried_from_another_users_file() {
    let Some(desk) = desk() else { return };
    make_dir(&desk, "open", 0, 0o777);
    for mode in [0o6777, 0o666, 0o644] {
        make_file(&desk, "open/out", MALLORY, MALLORY, mode);
        succeeded(&opened_as(&desk, 0, "open/out"));
        assert_eq!(whose(&desk, "open/out"), (0, 0, 0o600), "{mode:o}");
    }
    // That user lets this one write to it.
    make_file(&desk, "open/out", MALLORY, MALLORY, 0o6777);
    succeeded(&opened_as(&desk, ALICE, "open/out"));
    assert_eq!(whose(&desk, "open/out"), (ALICE, ALICE, 0o600));
    make_file(&desk, "open/out", MALLORY, MALLORY, 0o6777);
    succeeded(&run_as(&desk, ALICE, "seal -r bob.pub -c x -o open/out in"));
    assert_eq!(whose(&desk, "open/out").2 & 0o7022, 0);
    // That user does not.
    make_file(&desk, "open/out", MALLORY, MALLORY, 0o644);
    let error = message(1, &opened_as(&desk, ALICE, "open/out"));
    assert!(error.contains("open/out: you do not have permission to write to it"), "{error}");
    assert_eq!(desk.read("open/out"), b"old");
}

#[test]
fn the_mode_is_for_the_group_that_it_was_meant_for() {
    let Some(desk) = desk() else { return };
    // New files here get the group of the directory, PROJECT.
    make_dir(&desk, "dir", ALICE, 0o755);
    chown(desk.path("dir"), None, Some(PROJECT)).unwrap();
    fs::set_permissions(desk.path("dir"), Permissions::from_mode(0o2755)).unwrap();

    // She can give it back to her own group.
    make_file(&desk, "dir/out", ALICE, ALICE, 0o640);
    succeeded(&opened_as(&desk, ALICE, "dir/out"));
    assert_eq!(whose(&desk, "dir/out"), (ALICE, ALICE, 0o640));
    // Root can give it to any group.
    make_file(&desk, "dir/out", 0, MALLORY, 0o640);
    succeeded(&opened_as(&desk, 0, "dir/out"));
    assert_eq!(whose(&desk, "dir/out"), (0, MALLORY, 0o640));
    // Alice is not in this one: opened data is only for her, and data sealed for the group is not for the
    // other group.
    for (mode, sealed) in [(0o640, 0o600), (0o644, 0o644), (0o660, 0o600), (0o664, 0o644)] {
        make_file(&desk, "dir/out", ALICE, MALLORY, mode);
        succeeded(&opened_as(&desk, ALICE, "dir/out"));
        assert_eq!(whose(&desk, "dir/out"), (ALICE, PROJECT, 0o600), "{mode:o}");
        make_file(&desk, "dir/out", ALICE, MALLORY, mode);
        succeeded(&run_as(&desk, ALICE, "seal -r bob.pub -c x -o dir/out in"));
        assert_eq!(whose(&desk, "dir/out"), (ALICE, PROJECT, sealed), "{mode:o}");
    }
}

#[test]
fn links_of_others_are_not_followed() {
    let Some(desk) = desk() else { return };
    make_dir(&desk, "hers", ALICE, 0o755);
    make_file(&desk, "hers/precious", ALICE, ALICE, 0o600);
    make_file(&desk, "hers/out", ALICE, ALICE, 0o600);
    let precious = desk.path("hers/precious");
    for (dir, owner, mode) in [
        ("sticky", 0, 0o1777),
        ("open", 0, 0o777),
        ("theirs", MALLORY, 0o755),
        ("group", ALICE, 0o775),
    ] {
        make_dir(&desk, dir, owner, mode);
        let out = format!("{dir}/out");
        link_of(&desk, MALLORY, &precious, &out);
        for user in [0, ALICE] {
            let error = message(1, &opened_as(&desk, user, &out));
            assert!(error.contains("out: it is a symbolic link of another user"), "{dir}: {error}");
        }
        // Nor is a directory behind one.
        link_of(&desk, MALLORY, desk.path("hers"), &format!("{dir}/hers"));
        for user in [0, ALICE] {
            let error = message(1, &opened_as(&desk, user, &format!("{dir}/hers/out")));
            assert!(error.contains("symbolic link of another user"), "{dir}: {error}");
        }
        // Nor one of her own, to a file or to a directory, where another could exchange it.
        link_of(&desk, ALICE, &precious, &out);
        link_of(&desk, ALICE, desk.path("hers"), &format!("{dir}/hers"));
        for (path, target) in [(out.clone(), "precious"), (format!("{dir}/hers/out"), "out")] {
            let output = opened_as(&desk, ALICE, &path);
            if dir == "sticky" {
                succeeded(&output);
                make_file(&desk, &format!("hers/{target}"), ALICE, ALICE, 0o600);
            } else {
                let error = message(1, &output);
                assert!(
                    error.contains("in a directory that others can write to"),
                    "{path}: {error}"
                );
            }
        }
        // Nor a hard link of one of root's.
        link_of(&desk, 0, &precious, &out);
        message(1, &opened_as(&desk, ALICE, &out));
        // Nor a link of hers that leads to one of Mallory's.
        link_of(&desk, MALLORY, &precious, &out);
        link_of(&desk, ALICE, desk.path(&out), "hers/link");
        let error = message(1, &opened_as(&desk, ALICE, "hers/link"));
        assert!(error.contains("symbolic link of another user"), "{dir}: {error}");
    }
    assert_eq!(desk.read("hers/precious"), b"old");
    assert_eq!(desk.read("hers/out"), b"old");

    // Her own links and root's are followed where only they can write.
    for owner in [ALICE, 0] {
        make_file(&desk, "hers/out", ALICE, ALICE, 0o600);
        link_of(&desk, owner, "out", "hers/link");
        succeeded(&opened_as(&desk, ALICE, "hers/link"));
        assert_eq!(desk.read("hers/out"), data(1000));
        assert!(fs::symlink_metadata(desk.path("hers/link")).unwrap().is_symlink());
    }
}

#[test]
fn special_files_of_others_get_nothing() {
    let Some(desk) = desk() else { return };
    make_dir(&desk, "sticky", 0, 0o1777);
    let fifo = |owner: u32| {
        let _ = fs::remove_file(desk.path("sticky/out"));
        let made = ended(desk.shell(&["mkfifo", "-m", "666", "sticky/out"]));
        assert!(made.status.success());
        chown(desk.path("sticky/out"), Some(owner), Some(owner)).unwrap();
    };
    for (owner, user) in [(MALLORY, 0), (MALLORY, ALICE), (0, ALICE)] {
        fifo(owner);
        let error = message(1, &opened_as(&desk, user, "sticky/out"));
        assert!(error.contains("sticky/out: it is a FIFO of another user"), "{error}");
    }
    assert!(fs::symlink_metadata(desk.path("sticky/out")).unwrap().file_type().is_fifo());

    // Her own FIFO is written to, and so are the devices that the system has for all.
    fifo(ALICE);
    let reader = desk.shell(&["cat", "sticky/out"]).spawn().unwrap();
    succeeded(&opened_as(&desk, ALICE, "sticky/out"));
    assert_eq!(end_of(reader).stdout, data(1000));
    succeeded(&opened_as(&desk, ALICE, "/dev/null"));

    let _socket = std::os::unix::net::UnixListener::bind(desk.path("socket")).unwrap();
    let error = message(1, &opened_as(&desk, 0, "socket"));
    assert!(error.contains("socket: it is a socket"), "{error}");
    chown(desk.path("socket"), Some(MALLORY), None).unwrap();
    let error = message(1, &opened_as(&desk, 0, "socket"));
    assert!(error.contains("socket: it is a socket of another user"), "{error}");
}

#[test]
fn a_sticky_directory_protects_files_of_others() {
    let Some(desk) = desk() else { return };
    make_dir(&desk, "sticky", 0, 0o1777);
    make_file(&desk, "sticky/out", MALLORY, MALLORY, 0o666);
    let error = message(1, &opened_as(&desk, ALICE, "sticky/out"));
    assert!(error.contains("its directory is sticky"), "{error}");
    assert_eq!(desk.read("sticky/out"), b"old");
    // Root may, and owns what it writes.
    succeeded(&opened_as(&desk, 0, "sticky/out"));
    assert_eq!(whose(&desk, "sticky/out"), (0, 0, 0o600));
    make_file(&desk, "sticky/out", ALICE, ALICE, 0o640);
    succeeded(&opened_as(&desk, ALICE, "sticky/out"));
    assert_eq!(whose(&desk, "sticky/out"), (ALICE, ALICE, 0o640));
}

#[test]
fn a_working_directory_that_is_shut_does_not_matter() {
    let Some(desk) = desk() else { return };
    make_dir(&desk, "shut", 0, 0o700);
    make_dir(&desk, "hers", ALICE, 0o700);
    let path = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    let (key, sealed, out) = (path("bob.pem"), path("sealed"), path("hers/out"));
    let mut command = as_user(&desk, ALICE);
    command.args(["open", "-k", &key, "-c", "x", "-o", &out, &sealed]);
    succeeded(&ended(command.current_dir(desk.path("shut"))));
    assert_eq!(desk.read("hers/out"), data(1000));
}

/// Another user keeps exchanging the target, in a directory of their own.
#[test]
fn nothing_is_written_through_a_link_that_comes_and_goes() {
    let Some(desk) = desk() else { return };
    make_dir(&desk, "dir", MALLORY, 0o755);
    desk.write("precious", "precious");
    let swap = "cd dir; until [ -e stop ]; do echo old > f; mv -f f out; ln -sf ../precious l; \
                mv -f l out; done";
    let user = MALLORY.to_string();
    let swapping = desk
        .shell(&["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups", "sh", "-c", swap])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let through = (0..30).any(|_| {
        opened_as(&desk, 0, "dir/out");
        desk.read("precious") != b"precious"
    });
    desk.write("dir/stop", "");
    end_of(swapping);
    assert!(!through);
}
