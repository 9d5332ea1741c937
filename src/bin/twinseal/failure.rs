//! Why a command fails: the message, and the exit code.

use std::{error, fmt, io, process::ExitCode};

use crate::name::Name;

/// A message that says what is wrong and what to do, and the exit code that goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    message: String,
    code: Code,
    is_silent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Refused = 1,
    Usage = 2,
    /// A key or a suite that was asked for is used.
    InUse = 3,
    /// What a shell reports of a program that SIGPIPE ended.
    ClosedPipe = 128 + 13,
}

impl Failure {
    /// A file that is not as it should be: `what` says why, and what to do.
    pub(crate) fn of(name: &Name, what: impl fmt::Display) -> Self {
        Self { message: format!("{name}: {what}"), code: Code::Refused, is_silent: false }
    }

    /// As [`Failure::of`], of a file that uses what must not be used any more.
    pub(crate) fn in_use(name: &Name, what: impl fmt::Display) -> Self {
        Self { code: Code::InUse, ..Self::of(name, what) }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: Code::Usage, is_silent: false }
    }

    pub(crate) fn reading(name: &Name, error: &io::Error) -> Self {
        Self::of(name, Explained { error, writing: false })
    }

    pub(crate) fn writing(name: &Name, error: &io::Error) -> Self {
        let failure = Self::of(name, Explained { error, writing: true });
        match error.kind() {
            io::ErrorKind::BrokenPipe => {
                Self { code: Code::ClosedPipe, is_silent: true, ..failure }
            }
            _ => failure,
        }
    }

    /// An error of the library about `name`, or a failure that travelled through it.
    pub(crate) fn from_library(
        error: io::Error,
        explain: impl FnOnce(&twinseal::Error) -> Self,
        name: &Name,
    ) -> Self {
        if let Some(error) = twinseal::Error::inside(&error) {
            return explain(error);
        }
        let kind = error.kind();
        match error.into_inner().map(<dyn error::Error + Send + Sync>::downcast::<Self>) {
            Some(Ok(failure)) => *failure,
            Some(Err(other)) => Self::of(name, other),
            None => Self::reading(name, &kind.into()),
        }
    }

    /// The message without the name that it begins with.
    pub(crate) fn reason(&self, name: &Name) -> String {
        let start = format!("{name}: ");
        self.message.strip_prefix(&start).unwrap_or(&self.message).into()
    }

    /// The same with something to add.
    pub(crate) fn and(self, more: impl fmt::Display) -> Self {
        Self { message: format!("{}; {more}", self.message), ..self }
    }

    /// The same, printed even if a closed pipe is what failed.
    pub(crate) fn aloud(self) -> Self {
        Self { is_silent: false, ..self }
    }

    /// Whether nothing is to be printed: the process that closed a pipe knows.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_silent
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.code as u8)
    }

    /// As an error that passes through readers, writers and the library.
    pub(crate) fn into_io(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Failure {}

/// The error's text without its number, which is for programmers.
pub(crate) fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().into()
}

/// An error of the system in plain words, with what to do.
struct Explained<'a> {
    error: &'a io::Error,
    writing: bool,
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use io::ErrorKind::*;
        let text = match (self.error.kind(), self.writing) {
            (NotFound, false) => "there is no such file; check its name",
            (NotFound, true) => "its directory does not exist; create it first",
            (NotADirectory, _) => "a part of its path is a file, not a directory; check the path",
            (IsADirectory, false) => {
                "it is a directory; pack it into a file first, as with `tar c`"
            }
            (IsADirectory, true) => "it is a directory; name a file in it",
            (PermissionDenied, false) => "you may not read it; check its permissions with `ls -l`",
            (PermissionDenied, true) => "you may not write there; choose another directory with -o",
            (ReadOnlyFilesystem, _) => "the file system is read-only; choose another place with -o",
            (StorageFull | QuotaExceeded, _) => {
                "no space is left; free some, or choose another place"
            }
            (FileTooLarge, _) => {
                "it would be longer than the file system or `ulimit -f` allows; choose another place"
            }
            (InvalidFilename, _) => "the file system takes no such name; choose another",
            (AlreadyExists, _) => "it exists already; choose another name, or move it away first",
            (BrokenPipe, _) => "the other end of the pipe was closed",
            _ => match rarer(self.error) {
                Some(text) => text,
                None => {
                    let verb = if self.writing { "written" } else { "read" };
                    let text = without_number(self.error);
                    let advice = "check the disk or the network";
                    return write!(f, "it could not be {verb} ({text}); {advice}");
                }
            },
        };
        f.write_str(text)
    }
}

/// Errors that the standard library has no kind for.
#[cfg(unix)]
fn rarer(error: &io::Error) -> Option<&'static str> {
    use rustix::io::Errno;

    match Errno::from_io_error(error)? {
        Errno::NXIO => Some("it is a socket, or a device that is not there; name another file"),
        Errno::LOOP => Some("its symbolic links lead in a circle; name the file itself"),
        _ => None,
    }
}

#[cfg(not(unix))]
fn rarer(_: &io::Error) -> Option<&'static str> {
    None
}
