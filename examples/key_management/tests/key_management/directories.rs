//! Can only their user come near custodians' sockets and halves?

use std::{
    fs,
    io::ErrorKind,
    os::unix::{
        fs::{PermissionsExt, chown, symlink},
        net::UnixListener,
    },
    path::Path,
    sync::mpsc,
    thread,
};

use support::{
    example::{example, names},
    process::within_deadline,
    running::{refused, run},
};
use twinseal::split::Halves;

use crate::pair::{Pair, ask, custodian, private_directory, serve};

fn refuses(directory: &Path, half: &str, expected: &str) {
    let error = refused(&mut serve(directory, half));
    assert!(error.contains(expected), "{error}");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Whatever the umask, nobody else can enter the directory, and the halves are for their user.
#[test]
fn it_makes_its_directory() {
    let pair = Pair::start();
    let directory = pair.directories().post_quantum;
    assert_eq!(mode(&directory), 0o700);
    for half in ["main.ML-KEM-1024", "main.ML-DSA-87"] {
        assert_eq!(mode(&directory.join(half)), 0o600);
    }

    let open = pair.parent.path().join("open");
    let mut command = support::process::command("sh");
    let serve = serve(&open, "traditional");
    command.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(serve.get_program());
    // Its standard input is at its end, so it makes its directory and ends.
    assert_eq!(run(command.args(serve.get_args())).code, Some(0));
    assert_eq!(mode(&open), 0o700);
}

#[test]
fn a_directory_that_others_can_enter() {
    let directory = private_directory();
    for mode in [0o701, 0o710, 0o755, 0o770, 0o777, 0o500] {
        set_mode(directory.path(), mode);
        refuses(directory.path(), "traditional", "its mode must be 0700");
    }
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn something_else_in_place_of_the_directory() {
    let parent = private_directory();
    let path = |name: &str| parent.path().join(name);
    fs::write(path("file"), "keep me").unwrap();
    fs::create_dir(path("private")).unwrap();
    set_mode(&path("private"), 0o700);
    symlink("private", path("link")).unwrap();
    symlink("nowhere", path("broken")).unwrap();
    for name in ["file", "link", "broken"] {
        refuses(&path(name), "traditional", "not a directory");
    }
    refuses(&path("none/none"), "traditional", "No such file");
    assert_eq!(names(parent.path()), ["broken", "file", "link", "private"]);
    assert_eq!(names(&path("private")), [""; 0]);
}

/// Only who may give files away can test it.
#[test]
fn a_directory_of_another_user() {
    let directory = private_directory();
    match chown(directory.path(), Some(65534), None) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            println!("skipped: only root can give a directory away");
        }
        given => {
            given.unwrap();
            refuses(directory.path(), "traditional", "belongs to another user");
        }
    }
}

/// A client does not send secrets to whoever has put a socket there, or whoever can write above the
/// directory and puts another one in its place again and again: it finds no socket in its own
/// directory, and does not connect to the other one's.
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux has paths to open directories")]
#[test]
fn a_directory_that_is_swapped() {
    let parent = private_directory();
    let path = |name: &str| parent.path().join(name);
    for (name, its_mode) in [("own", 0o700), ("other", 0o755)] {
        fs::create_dir_all(path(name).join("a")).unwrap();
        set_mode(&path(name).join("a"), its_mode);
    }
    let other = UnixListener::bind(path("other/a/socket")).unwrap();
    other.set_nonblocking(true).unwrap();
    symlink("own", path("current")).unwrap();

    let (stop, stopped) = mpsc::channel::<()>();
    let (next, current) = (path("next"), path("current"));
    let swapping = thread::spawn(move || {
        for name in ["other", "own"].into_iter().cycle() {
            if stopped.try_recv().is_ok() {
                break;
            }
            symlink(name, &next).unwrap();
            fs::rename(&next, &current).unwrap();
        }
    });
    let [post_quantum, traditional] = [path("current/a"), path("none")];
    let directories = Halves { post_quantum, traditional };
    let mut found = [0; 2];
    for _ in 0..100 {
        let error = ask(&directories, "public", &["--timeout", "300"]).refuses();
        let expected = ["nobody answers at ", "others can enter the directory"];
        let which = expected.iter().position(|expected| error.contains(expected));
        found[which.expect(&error)] += 1;
    }
    stop.send(()).unwrap();
    within_deadline("the swapping ends", move || swapping.join().unwrap());
    assert!(!found.contains(&0), "{found:?}");
    assert_eq!(other.accept().map(drop).map_err(|e| e.kind()), Err(ErrorKind::WouldBlock));
}

#[test]
fn two_custodians_in_one_directory() {
    let pair = Pair::start();
    refuses(
        &pair.directories().traditional,
        "traditional",
        "another custodian uses this directory",
    );
    pair.opens();
}

/// Only a socket is removed.
#[test]
fn a_file_in_place_of_the_socket() {
    let directory = private_directory();
    let socket = directory.path().join("socket");
    fs::write(&socket, "keep me").unwrap();
    refuses(directory.path(), "traditional", "Address already in use");
    assert_eq!(fs::read(&socket).unwrap(), b"keep me");
}

#[test]
fn halves_that_cannot_be_used() {
    for (file, content, expected) in [
        ("main.X25519", &[7; 31][..], "private half must be 32 bytes long, not 31"),
        ("main.X25519", &[7; 1000], "private half must be 32 bytes long, not 33"),
        ("main.P-384", &[0; 48], "main.P-384: invalid "),
        ("main.ECDSA-P384", &[0xff; 48], "main.ECDSA-P384: invalid "),
        ("main.ML-KEM-1024", &[7; 64], "keeps only the traditional half"),
    ] {
        let directory = private_directory();
        fs::write(directory.path().join(file), content).unwrap();
        refuses(directory.path(), "traditional", expected);
        assert_eq!(names(directory.path()), ["lock", file]);
    }
}

/// A custodian that was killed while it wrote a half leaves a part of it, which nobody knows.
#[test]
fn what_a_killed_custodian_leaves() {
    let directory = private_directory();
    fs::write(directory.path().join(".tmpQ8x2Fz"), [7; 20]).unwrap();
    assert_eq!(run(&mut serve(directory.path(), "traditional")).code, Some(0));
    assert_eq!(names(directory.path()), ["lock", "socket"]);
}

/// Half a key that was made stays. The message says what to do, and so does the help.
#[test]
fn a_key_that_is_made_half_way() {
    let parent = private_directory();
    let [post_quantum, traditional] = ["a", "b"].map(|name| parent.path().join(name));
    let _running = custodian(&post_quantum, "post-quantum");
    let directories = Halves { post_quantum, traditional };
    let generate = || ask(&directories, "generate", &[]);
    let error = generate().refuses();
    assert!(error.contains("nobody answers at "), "{error}");
    assert!(error.ends_with("may be taken in a custodian now: choose another one\n"), "{error}");

    let _other = custodian(&directories.traditional, "traditional");
    let error = generate().refuses();
    assert!(error.contains("it has a key main for ML-KEM-1024 already"), "{error}");
    let help = example("key_management", ["generate", "--help"]).prints();
    assert!(help.contains("choose another name"), "{help}");
}

/// A name that is in use is not used again: a half is never replaced.
#[test]
fn a_half_is_not_replaced() {
    let pair = Pair::start();
    let file = pair.directories().post_quantum.join("main.ML-KEM-1024");
    let before = fs::read(&file).unwrap();
    let error = pair.ask("generate", &[]).refuses();
    assert!(error.contains("it refuses: it has a key main for ML-KEM-1024 already"), "{error}");
    assert!(fs::read(&file).unwrap() == before);
    pair.opens();
}
