//! Does `key_management` use its keys for clients, and does its demonstration work?

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdin, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tempfile::TempDir;
use twinseal::{EncapsulationKey, Signature, SignatureSuite, VerifyingKey};

use support::{
    example::{Example, example, names},
    process::{wait_until, within_deadline},
    running::end_of,
};

/// The process that holds the keys, in a directory with a socket.
pub(crate) struct Keys {
    pub(crate) directory: TempDir,
    pub(crate) child: Child,
    _stdin: ChildStdin,
}

impl Keys {
    pub(crate) fn serve(options: &[&str]) -> Self {
        Self::serve_in(tempfile::tempdir().unwrap(), options)
    }

    pub(crate) fn serve_in(directory: TempDir, options: &[&str]) -> Self {
        let path = directory.path();
        let mut command = example("key_management", ["serve", "--until-stdin-ends"]).command;
        command.args(options).arg("--keys").arg(path).arg("--socket").arg(path.join("socket"));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let line = within_deadline("the process that holds the keys starts", move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| line).unwrap()
        });
        assert!(line.starts_with("listening on "), "{line}");
        Self { _stdin: child.stdin.take().unwrap(), directory, child }
    }

    pub(crate) fn socket(&self) -> String {
        self.directory.path().join("socket").to_str().unwrap().to_owned()
    }

    /// A file with this content.
    pub(crate) fn file(&self, content: &[u8]) -> String {
        let file = self.directory.path().join("file");
        fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    }

    pub(crate) fn ask(&self, command: &str, rest: &[&str]) -> Example {
        ask(&self.socket(), command, rest)
    }

    pub(crate) fn public(&self) -> (EncapsulationKey, VerifyingKey) {
        let printed = self.ask("public", &[]).prints();
        let middle = printed.find("-----BEGIN PUBLIC KEY-----").unwrap();
        let (kem, sign) = printed.split_at(middle);
        (EncapsulationKey::from_pem(kem).unwrap(), VerifyingKey::from_pem(sign).unwrap())
    }

    pub(crate) fn kill(mut self) -> TempDir {
        self.end();
        std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap())
    }
}

impl Keys {
    fn end(&mut self) {
        self.child.kill().unwrap();
        #[expect(clippy::disallowed_methods, reason = "it was killed")]
        self.child.wait().unwrap();
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.end();
    }
}

/// With more time than an answer takes on any machine, unless the test sets its own.
pub(crate) fn ask(socket: &str, command: &str, rest: &[&str]) -> Example {
    let patience: &[&str] =
        if rest.contains(&"--timeout") { &[] } else { &["--timeout", "300000"] };
    example("key_management", [&[command, "--socket", socket], patience, rest].concat())
}

fn signature(printed: &str) -> Signature {
    let bytes = BASE64_STANDARD.decode(printed.trim()).unwrap();
    Signature::from_bytes(SignatureSuite::ML_DSA_87_ECDSA_P384, &bytes).unwrap()
}

#[test]
fn the_demonstration() {
    let printed = example("key_management", [""; 0]).prints();
    for expected in [
        "another purpose\n    the external key failed: it refuses: this key does not sign for",
        "it was killed\n    the external key failed: nobody answers at ",
        "it hangs\n    the external key failed: no answer within 500 ms\n",
        "garbage\n    the external key failed: its answer is invalid\n",
        "in the middle of an answer\n    the external key failed: it disconnected before",
        "killed while it works\n    the external key failed: it disconnected before",
        "a file is damaged\n    primary.pem of the mount: invalid PEM in line 1: ",
        "there is no primary.pem\n    the mount: invalid keyring: a directory needs a primary.pem\n",
        "does not list\n    the mount: the policy does not accept the KEM suite MLKEM1024-P384\n",
        " times, and failed 0 times\n",
        "data sealed to it: not addressed to this key\n",
    ] {
        assert!(printed.contains(expected), "{expected:?} is not in {printed}");
    }
    let restarts = printed.matches("it is started again\n    opens and signs, after ").count();
    assert_eq!(restarts, 2);
}

#[test]
fn it_opens_and_signs() {
    let keys = Keys::serve(&[]);
    let (kem, sign) = keys.public();
    let message = vec![7; 100_000];

    let sealed = keys.file(&kem.seal(b"example.com/checkpoints/v1", &message).unwrap());
    let opened = keys.ask("open", &[&sealed]).run();
    assert!(opened.stdout.as_bytes() == message);
    let refused = keys.ask("open", &["-c", "example.com/other", &sealed]).refuses();
    assert!(refused.contains("opening failed: wrong key, wrong context"), "{refused}");

    let file = keys.file(&message);
    let printed = keys.ask("sign", &[&file]).prints();
    sign.verify(b"example.com/releases/v1", &message, &signature(&printed)).unwrap();
    let printed = keys.ask("sign", &["-c", "example.com/other", &file]).prints();
    sign.verify(b"example.com/other", &message, &signature(&printed)).unwrap();

    let mode = |name| fs::metadata(keys.directory.path().join(name)).unwrap().permissions().mode();
    for name in ["socket", "kem.pem", "sign.pem"] {
        assert_eq!(mode(name) & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_purpose_that_is_not_allowed() {
    let keys = Keys::serve(&["--allow", "example.com/a", "--allow", "example.com/b"]);
    let file = keys.file(b"message");
    for context in ["example.com/a", "example.com/b"] {
        keys.ask("sign", &["-c", context, &file]).prints();
    }
    for context in ["example.com/", "example.com/ab", "example.com/a\x1b[31m"] {
        let refused = keys.ask("sign", &["-c", context, &file]).refuses();
        let expected = format!("it refuses: this key does not sign for {context:?}\n");
        assert!(refused.ends_with(&expected), "{refused}");
        assert!(!refused.contains('\x1b'));
    }
}

/// The new process has the same keys, and replaces the socket that the killed one has left.
#[test]
fn killed_and_started_again() {
    let keys = Keys::serve(&[]);
    let before = keys.public();
    let directory = keys.kill();
    assert_eq!(names(directory.path()), ["kem.pem", "sign.pem", "socket"]);
    let socket = directory.path().join("socket").to_str().unwrap().to_owned();
    let refused = ask(&socket, "public", &[]).refuses();
    assert!(refused.contains("start the process that holds the keys"), "{refused}");

    let keys = Keys::serve_in(directory, &[]);
    assert!(keys.public() == before);
}

#[test]
fn two_processes_on_one_socket() {
    let keys = Keys::serve(&[]);
    let directory = keys.directory.path().to_str().unwrap();
    let again = ["serve", "--keys", directory, "--socket", &keys.socket()];
    let refused = example("key_management", again).refuses();
    assert!(refused.contains("in use"), "{refused}");
    keys.public();
}

/// Only a socket that nobody listens on is removed.
#[test]
fn a_file_in_place_of_the_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("file"), "keep me").unwrap();
    std::os::unix::fs::symlink("file", path("link")).unwrap();
    fs::create_dir(path("directory")).unwrap();
    for name in ["file", "link", "directory"] {
        let arguments = ["serve", "--keys", &path("."), "--socket", &path(name)];
        let refused = example("key_management", arguments).refuses();
        assert!(refused.contains(&format!("{name}: Address already in use")), "{refused}");
    }
    assert_eq!(names(directory.path()), ["directory", "file", "kem.pem", "link", "sign.pem"]);
    assert_eq!(fs::read(path("file")).unwrap(), b"keep me");
}

/// The process does not outlive its parent, however the parent ends.
#[test]
fn it_ends_with_its_parent() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut command = example("key_management", ["serve", "--until-stdin-ends"]).command;
    command.arg("--keys").arg(directory.path()).arg("--socket").arg(path("socket"));
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    wait_until("the socket", || path("socket").exists());
    drop(child.stdin.take());
    assert_eq!(end_of(child).code, Some(0));
}

#[test]
fn keys_that_cannot_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let serve = |keys: &Path| {
        let keys = keys.to_str().unwrap();
        let arguments = ["serve", "--keys", keys, "--socket", socket.to_str().unwrap()];
        let refused = example("key_management", arguments).refuses();
        assert!(!socket.exists());
        refused
    };
    assert!(serve(&directory.path().join("none")).contains("kem.pem: No such file"));
    fs::write(directory.path().join("kem.pem"), "-----BEGIN").unwrap();
    assert!(serve(directory.path()).contains("kem.pem: invalid PEM in line 1: "));
    assert_eq!(names(directory.path()), ["kem.pem"]);

    let long = directory.path().join("x".repeat(200));
    let (long, keys) = (long.to_str().unwrap(), directory.path().to_str().unwrap());
    fs::remove_file(directory.path().join("kem.pem")).unwrap();
    let refused = example("key_management", ["serve", "--keys", keys, "--socket", long]).refuses();
    assert!(refused.contains("path must be shorter"), "{refused}");
}
