//! Two custodians, and what the tests ask of them.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tempfile::TempDir;
use twinseal::{EncapsulationKey, Signature, SignatureSuite, VerifyingKey, split::Halves};

use support::{
    example::{Example, example},
    running::Running,
};

pub(crate) const SEALED: &[u8] = b"example.com/checkpoints/v1";
pub(crate) const SIGNED: &[u8] = b"example.com/releases/v1";
pub(crate) const MESSAGE: &[u8] = &[7; 10_000];

/// Two custodians that have the key `main`, beside each other in a directory.
pub(crate) struct Pair {
    pub(crate) parent: TempDir,
    pub(crate) post_quantum: Running,
    pub(crate) traditional: Running,
    pub(crate) kem: EncapsulationKey,
    pub(crate) sign: VerifyingKey,
}

impl Pair {
    pub(crate) fn start() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let post_quantum = custodian(&parent.path().join("a"), "post-quantum");
        let traditional = custodian(&parent.path().join("b"), "traditional");
        let directories = directories(parent.path());
        let (kem, sign) = public(&ask(&directories, "generate", &[]).prints());
        Self { parent, post_quantum, traditional, kem, sign }
    }

    pub(crate) fn directories(&self) -> Halves<PathBuf> {
        directories(self.parent.path())
    }

    /// The same, with another directory for the custodian of the post-quantum halves.
    pub(crate) fn with_post_quantum(&self, directory: &Path) -> Halves<PathBuf> {
        Halves { post_quantum: directory.to_owned(), ..self.directories() }
    }

    pub(crate) fn ask(&self, command: &str, rest: &[&str]) -> Example {
        ask(&self.directories(), command, rest)
    }

    /// A new file with this content.
    pub(crate) fn file(&self, content: &[u8]) -> String {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let file = self.parent.path().join(FILES.fetch_add(1, Relaxed).to_string());
        fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    }

    pub(crate) fn sealed(&self) -> String {
        self.file(&self.kem.seal(SEALED, MESSAGE).unwrap())
    }

    pub(crate) fn opens(&self) {
        assert!(self.ask("open", &[&self.sealed()]).run().stdout.as_bytes() == MESSAGE);
    }

    pub(crate) fn signs(&self) {
        let printed = self.ask("sign", &[&self.file(MESSAGE)]).prints();
        self.sign.verify(SIGNED, MESSAGE, &signature(&printed)).unwrap();
    }
}

fn directories(parent: &Path) -> Halves<PathBuf> {
    Halves { post_quantum: parent.join("a"), traditional: parent.join("b") }
}

/// A directory that only this user can enter.
pub(crate) fn private_directory() -> TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap()
}

/// Starts a custodian that signs for the demonstration's context, and waits until it listens.
pub(crate) fn custodian(directory: &Path, half: &str) -> Running {
    let contexts = ["--allow", "example.com/releases/v1", "--allow", "twinseal/check/v1"];
    let mut running = Running::start(serve(directory, half).args(contexts).stdin(Stdio::piped()));
    running.wait_for(&["listening in "]);
    running
}

pub(crate) fn serve(directory: &Path, half: &str) -> Command {
    let mut command =
        example("key_management", ["serve", "--until-stdin-ends", "--half", half]).command;
    command.arg("--directory").arg(directory);
    command
}

/// With more time than an answer takes on any machine, unless the test sets its own.
pub(crate) fn ask(directories: &Halves<PathBuf>, command: &str, rest: &[&str]) -> Example {
    let patience: &[&str] =
        if rest.contains(&"--timeout") { &[] } else { &["--timeout", "300000"] };
    let mut asking = example("key_management", [&[command, "--key", "main"], patience].concat());
    asking.command.arg("--post-quantum").arg(&directories.post_quantum);
    asking.command.arg("--traditional").arg(&directories.traditional).args(rest);
    asking
}

pub(crate) fn public(printed: &str) -> (EncapsulationKey, VerifyingKey) {
    let middle = printed.find("-----BEGIN PUBLIC KEY-----").unwrap();
    let (kem, sign) = printed.split_at(middle);
    (EncapsulationKey::from_pem(kem).unwrap(), VerifyingKey::from_pem(sign).unwrap())
}

fn signature(printed: &str) -> Signature {
    let bytes = BASE64_STANDARD.decode(printed.trim()).unwrap();
    Signature::from_bytes(SignatureSuite::ML_DSA_87_ECDSA_P384, &bytes).unwrap()
}
