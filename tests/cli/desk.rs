//! In which directory does the tool run in these tests, and what must hold after each run?

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fs,
    io::Write,
    iter,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::common::{
    keys::{X25519, kem_key, signing_key},
    process::{self, end_of, ended, ended_if_present, within_deadline},
};

pub(crate) const TOOL: &str = env!("CARGO_BIN_EXE_twinseal");

/// With the keys of `bob`, `carol` (to open with) and `alice` (to sign with): `NAME.pem` is private,
/// `NAME.pub` public.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for (name, number) in [("bob", 1), ("carol", 2)] {
            let key = kem_key(X25519, number);
            key.write_pem_file(desk.path(&format!("{name}.pem"))).unwrap();
            desk.write(&format!("{name}.pub"), key.encapsulation_key().to_pem());
        }
        let key = signing_key(3);
        key.write_pem_file(desk.path("alice.pem")).unwrap();
        desk.write("alice.pub", key.verifying_key().to_pem());
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Writes a file that only its owner can read, so that nobody is warned.
    pub(crate) fn write_secret(&self, name: &str, content: impl AsRef<[u8]>) {
        self.write(name, content);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The tool in this directory, with the words of `line` as arguments. See [`process::command`].
    pub(crate) fn command(&self, line: &str) -> Command {
        self.command_with(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn command_with<Argument: AsRef<OsStr>>(&self, arguments: &[Argument]) -> Command {
        let mut command = process::command(TOOL);
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    /// Starts the tool with pipes for its standard streams.
    pub(crate) fn spawn(&self, line: &str) -> Child {
        self.command(line).stdin(Stdio::piped()).spawn().unwrap()
    }

    /// Another program in this directory, which finds the tool by its name.
    pub(crate) fn shell(&self, line: &[&str]) -> Command {
        let (program, arguments) = line.split_first().unwrap();
        let directory = Path::new(TOOL).parent().unwrap();
        let path = env::var_os("PATH").unwrap_or_default();
        let path = iter::once(directory.to_path_buf()).chain(env::split_paths(&path));
        let mut command = process::command(program);
        command.args(arguments).current_dir(self.0.path());
        command.env("PATH", env::join_paths(path).unwrap());
        command
    }

    /// A copy of the tool, as `tool`. Another program makes it: if this process had it open for writing, so would
    /// a child that another test starts at that moment, and then it could not be run.
    pub(crate) fn copy_tool(&self) {
        assert!(ended(self.shell(&["cp", TOOL, "tool"])).status.success());
    }

    /// The output of a run that must succeed without a message.
    pub(crate) fn prints(&self, line: &str) -> Vec<u8> {
        succeeded(ended(self.command(line)))
    }

    pub(crate) fn prints_given(&self, line: &str, input: &[u8]) -> Vec<u8> {
        succeeded(given(self.spawn(line), input))
    }

    /// The message of a run that must fail, prints nothing and leaves every file as it was.
    pub(crate) fn fails(&self, line: &str) -> String {
        self.fails_with(1, line)
    }

    pub(crate) fn fails_with(&self, code: i32, line: &str) -> String {
        self.refused(code, self.command(line))
    }

    pub(crate) fn refused(&self, code: i32, mut command: Command) -> String {
        let before = self.files();
        let output = ended(&mut command);
        assert!(self.files() == before, "{command:?} changed files");
        assert_eq!(output.stdout, b"", "{command:?}");
        message(code, &output)
    }

    /// As [`Desk::fails`], where not every file can be read.
    pub(crate) fn refused_quietly(&self, line: &str) -> String {
        let before = self.names();
        let output = ended(self.command(line));
        assert_eq!(self.names(), before, "{line}");
        assert_eq!(output.stdout, b"", "{line}");
        message(1, &output)
    }

    /// Every file, including hidden ones, with its content.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn add(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    add(&path, files);
                } else if path.is_file() {
                    files.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        add(self.0.path(), &mut files);
        files
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(self.0.path()).unwrap().map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }
}

/// Writes to a program that continues afterwards, and returns its standard input for more.
pub(crate) fn feed(mut pipe: ChildStdin, bytes: &[u8]) -> ChildStdin {
    let bytes = bytes.to_vec();
    within_deadline("a run that takes its input", move || {
        pipe.write_all(&bytes).unwrap();
        pipe
    })
}

pub(crate) fn given(mut child: Child, input: &[u8]) -> Output {
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The program may not read all of it. Writing ends when the program has ended.
    std::thread::spawn(move || pipe.write_all(&input));
    end_of(child)
}

fn succeeded(output: Output) -> Vec<u8> {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    output.stdout
}

/// The one line on standard error. It names a file or option, says what is wrong, and what to do.
pub(crate) fn message(code: i32, output: &Output) -> String {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("twinseal: "), "{error}");
    assert!(!error.contains("os error") && !error.contains("Error"), "{error}");
    if code == 1 {
        assert!(error.contains("; "), "what to do? {error}");
    }
    error
}

/// Bytes without short repetitions.
pub(crate) fn data(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251) as u8).collect()
}

/// A shell in a namespace of its own, where it may mount. `None` (with a message) if the system does not
/// allow that.
#[cfg(target_os = "linux")]
pub(crate) fn in_a_namespace(desk: &Desk, script: &str) -> Option<Output> {
    let output = ended(namespace(desk, script));
    if output.status.code() == Some(77) || cannot_unshare() {
        eprintln!("skipped: no namespace to mount in");
        return None;
    }
    Some(output)
}

#[cfg(target_os = "linux")]
pub(crate) fn namespace(desk: &Desk, script: &str) -> Command {
    desk.shell(&["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script])
}

#[cfg(target_os = "linux")]
pub(crate) fn cannot_unshare() -> bool {
    let mount = "mount -t tmpfs none /proc";
    let mut unshare = process::command("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", mount]);
    !ended_if_present(&mut unshare).is_some_and(|output| output.status.success())
}
