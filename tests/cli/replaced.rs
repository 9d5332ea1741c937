//! What does a new file inherit from the file that it replaces, and which files are not replaced?

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::{
    common::process::{end_of, ended_if_present, wait_until},
    desk::{Desk, cannot_unshare, data, feed, in_a_namespace, message, namespace},
};

const OPEN: &str = "open -k bob.pem -c x -o out sealed";
const SEAL: &str = "seal -r bob.pub -c x -o out in";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("in", data(100_000));
    desk.prints("seal -r bob.pub -c x -o sealed in");
    desk
}

fn mode(desk: &Desk, name: &str) -> u32 {
    fs::metadata(desk.path(name)).unwrap().mode() & 0o7777
}

fn set_mode(desk: &Desk, name: &str, mode: u32) {
    fs::set_permissions(desk.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_mode_and_no_more_than_that() {
    let desk = desk();
    for line in [OPEN, SEAL, "sign -k alice.pem -c x -o out in", "public bob.pem -o out"] {
        for (before, after) in [
            (0o6777, 0o775),
            (0o4755, 0o755),
            (0o2755, 0o755),
            (0o1666, 0o664),
            (0o644, 0o644),
            (0o640, 0o640),
            (0o600, 0o600),
            (0o200, 0o200),
        ] {
            let _ = fs::remove_file(desk.path("out"));
            desk.write("out", "old");
            set_mode(&desk, "out", before);
            desk.prints(line);
            assert_eq!(mode(&desk, "out"), after, "{line}, {before:o}");
        }
    }
}

/// A POSIX ACL as Linux stores it: version 2, then tag, permissions and user or group of each entry.
fn acl(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

const NOBODY: u32 = u32::MAX;
const ACCESS: &str = "system.posix_acl_access";

fn acl_of(desk: &Desk, name: &str) -> Option<Vec<u8>> {
    let mut list = [0; 1024];
    let length = getxattr(desk.path(name), ACCESS, &mut list[..]).ok()?;
    Some(list[..length].to_vec())
}

#[test]
fn the_acl() {
    let desk = desk();
    // The owner and user 4001 may read, the group may not: its bits in the mode are the mask.
    let list =
        acl(&[(1, 6, NOBODY), (2, 4, 4001), (4, 0, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY)]);
    for line in [OPEN, SEAL] {
        let _ = fs::remove_file(desk.path("out"));
        desk.write("out", "old");
        if setxattr(desk.path("out"), ACCESS, &list, XattrFlags::empty()).is_err() {
            eprintln!("skipped: no ACLs here");
            return;
        }
        assert_eq!(mode(&desk, "out"), 0o640);
        desk.prints(line);
        assert_eq!(acl_of(&desk, "out").as_ref(), Some(&list), "{line}");
        assert_eq!(mode(&desk, "out"), 0o640, "{line}");
    }

    // A file without an ACL does not get that of its directory.
    fs::create_dir(desk.path("dir")).unwrap();
    desk.write("dir/out", "old");
    set_mode(&desk, "dir/out", 0o640);
    let default =
        acl(&[(1, 7, NOBODY), (2, 7, 4001), (4, 7, NOBODY), (16, 7, NOBODY), (32, 0, NOBODY)]);
    setxattr(desk.path("dir"), "system.posix_acl_default", &default, XattrFlags::empty()).unwrap();
    desk.prints("open -k bob.pem -c x -o dir/out sealed");
    assert_eq!(acl_of(&desk, "dir/out"), None);
    assert_eq!(mode(&desk, "dir/out"), 0o640);
    // A new file there is only for its owner, whatever the directory's ACL is.
    desk.prints("open -k bob.pem -c x -o dir/new sealed");
    assert_eq!(mode(&desk, "dir/new"), 0o600);
}

#[test]
fn neither_links_nor_attributes_nor_holes() {
    let desk = desk();
    desk.write("out", "old");
    fs::hard_link(desk.path("out"), desk.path("twin")).unwrap();
    let _ = setxattr(desk.path("out"), "user.note", b"mine", XattrFlags::empty());
    desk.prints(OPEN);
    assert_eq!(desk.read("twin"), b"old");
    let mut value = [0; 16];
    assert!(getxattr(desk.path("out"), "user.note", &mut value[..]).is_err());

    fs::File::create(desk.path("holes")).unwrap().set_len(1_000_000).unwrap();
    desk.prints("seal -r bob.pub -c x -o holes.sealed holes");
    desk.prints("open -k bob.pem -c x -o opened holes.sealed");
    assert!(fs::metadata(desk.path("opened")).unwrap().blocks() * 512 >= 1_000_000);
}

#[test]
fn a_write_protected_file_stays() {
    let desk = desk();
    for mode in [0o444, 0o400, 0o555, 0o466, 0] {
        let _ = fs::remove_file(desk.path("out"));
        desk.write("out", "old");
        set_mode(&desk, "out", mode);
        for line in [OPEN, SEAL, "sign -k alice.pem -c x -o out in", "public bob.pem -o out"] {
            let error = desk.refused_quietly(line);
            assert!(error.contains("out: it is write-protected"), "{error}");
        }
        set_mode(&desk, "out", 0o600);
        assert_eq!(desk.read("out"), b"old");
    }
}

/// More bytes than all buffers between the pipe and the output hold.
const FED: usize = 8_000_000;

/// Exchanges the target after the tool has checked it and is at work. Returns the tool's message.
fn exchanged(desk: &Desk, exchange: impl FnOnce()) -> String {
    let mut child = desk.spawn("seal -r bob.pub -c x -o out");
    let pipe = feed(child.stdin.take().unwrap(), &data(FED));
    exchange();
    drop(pipe);
    message(1, &end_of(child))
}

#[test]
fn a_target_that_is_exchanged_stays() {
    let desk = desk();
    desk.write("precious", "precious");
    let link = || std::os::unix::fs::symlink("precious", desk.path("out")).unwrap();
    let remove = || fs::remove_file(desk.path("out")).unwrap();
    let before = desk.files();

    // It did not exist before.
    let error = exchanged(&desk, link);
    assert!(error.contains("out: it already exists"), "{error}");
    assert!(fs::symlink_metadata(desk.path("out")).unwrap().is_symlink());
    remove();
    let error = exchanged(&desk, || desk.write("out", "another"));
    assert!(error.contains("out: it already exists"), "{error}");
    assert_eq!(desk.read("out"), b"another");

    // It was another file before.
    let error = exchanged(&desk, || {
        remove();
        link();
    });
    assert!(error.contains("out: another file took its place"), "{error}");
    assert!(fs::symlink_metadata(desk.path("out")).unwrap().is_symlink());
    remove();
    desk.write("out", "old");
    let error = exchanged(&desk, || {
        desk.write("newer", "newer");
        fs::rename(desk.path("newer"), desk.path("out")).unwrap();
    });
    assert!(error.contains("out: another file took its place"), "{error}");
    assert_eq!(desk.read("out"), b"newer");
    remove();
    assert!(desk.files() == before);
}

/// The owner takes permissions back while the tool is at work.
#[test]
fn the_permissions_are_those_at_the_end() {
    let desk = desk();
    let run = |change: &dyn Fn()| {
        desk.write("out", "old");
        set_mode(&desk, "out", 0o644);
        let mut child = desk.spawn("seal -r bob.pub -c x -o out");
        let pipe = feed(child.stdin.take().unwrap(), &data(FED));
        change();
        drop(pipe);
        end_of(child)
    };
    assert!(run(&|| set_mode(&desk, "out", 0o600)).status.success());
    assert_eq!(mode(&desk, "out"), 0o600);
    let error = message(1, &run(&|| set_mode(&desk, "out", 0o444)));
    assert!(error.contains("out: it is write-protected"), "{error}");
    assert_eq!((mode(&desk, "out"), desk.read("out")), (0o444, b"old".to_vec()));
}

/// As on file systems where all files have names: without /proc a file cannot be given a name later.
#[cfg(target_os = "linux")]
#[test]
fn a_temporary_file_that_is_exchanged_gets_no_name() {
    if cannot_unshare() {
        eprintln!("skipped: no namespace to mount in");
        return;
    }
    let desk = desk();
    let script = "mount -t tmpfs none /proc && exec twinseal seal -r bob.pub -c x -o out";
    let mut child = namespace(&desk, script).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let pipe = feed(child.stdin.take().unwrap(), &data(FED));
    let is_partial = |name: &String| name.ends_with(".partial");
    wait_until("an unfinished file", || desk.names().iter().any(is_partial));
    let name = desk.names().into_iter().find(is_partial).unwrap();
    fs::rename(desk.path(&name), desk.path("moved")).unwrap();
    desk.write(&name, "another");
    drop(pipe);
    let error = message(1, &end_of(child));
    assert!(error.contains("out: another file took its place"), "{error}");
    assert!(!desk.path("out").exists());
}

#[test]
fn a_directory_that_is_exchanged_gets_nothing() {
    let desk = desk();
    for name in ["dir", "elsewhere"] {
        fs::create_dir(desk.path(name)).unwrap();
    }
    let mut child = desk.spawn("seal -r bob.pub -c x -o dir/out");
    let pipe = feed(child.stdin.take().unwrap(), &data(FED));
    fs::rename(desk.path("dir"), desk.path("moved")).unwrap();
    std::os::unix::fs::symlink("elsewhere", desk.path("dir")).unwrap();
    drop(pipe);
    assert!(end_of(child).status.success());
    assert!(desk.path("moved/out").exists());
    assert_eq!(fs::read_dir(desk.path("elsewhere")).unwrap().count(), 0);
}

/// These are refused before the input, which never comes, is read.
#[cfg(target_os = "linux")]
#[test]
fn what_the_system_protects_is_found_first() {
    let desk = desk();
    desk.write("out", "old");
    desk.write("other", "other");
    fs::create_dir(desk.path("dir")).unwrap();
    let refused = |line: &str, cause: &str| {
        let mut child = desk.spawn(line);
        let open = child.stdin.take();
        let error = message(1, &end_of(child));
        assert!(error.contains(cause), "{error}");
        drop(open);
    };
    refused("seal -r bob.pub -c x -o dir", "dir: it is a ");
    refused("seal -r bob.pub -c x -o new/", "new/: its ");
    refused("seal -r bob.pub -c x -o out/", "out/: a part of its path is a file");

    let script = "mount --bind other out || exit 77; \
                  exec twinseal seal -r bob.pub -c x -o out < /dev/zero";
    if let Some(output) = in_a_namespace(&desk, script) {
        let error = message(1, &output);
        assert!(error.contains("out: it is a mount point"), "{error}");
    }

    let attribute = |change: &str, name: &str| {
        let changed = ended_if_present(desk.shell(&["chattr", change, name]));
        changed.is_some_and(|output| output.status.success())
    };
    for (name, flag, cause) in [
        ("out", "i", "out: it is immutable or append-only"),
        ("out", "a", "out: it is immutable or append-only"),
        ("dir", "i", "dir/new: its directory is immutable or append-only"),
        ("dir", "a", "dir/new: its directory is immutable or append-only"),
    ] {
        if !attribute(&format!("+{flag}"), name) {
            eprintln!("skipped: chattr +{flag} does not work here");
            continue;
        }
        let target = if name == "dir" { "dir/new" } else { name };
        let line = format!("seal -r bob.pub -c x -o {target}");
        let mut child = desk.spawn(&line);
        let open = child.stdin.take();
        let output = end_of(child);
        drop(open);
        assert!(attribute(&format!("-{flag}"), name));
        let error = message(1, &output);
        assert!(error.contains(cause), "{error}");
        assert_eq!(fs::read_dir(desk.path("dir")).unwrap().count(), 0);
    }
    assert_eq!(desk.read("out"), b"old");
}
