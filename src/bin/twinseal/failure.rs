//! Why a command fails: the message, and the exit code.

use std::{error, fmt, io, process::ExitCode};

use crate::name::Name;

pub(crate) mod sealed;
mod system;

use system::Explained;
pub(crate) use system::without_number;

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
    /// A key or suite named with `--in-use` is in use.
    InUse = 3,
    /// As a shell reports a program that SIGPIPE ended.
    ClosedPipe = 128 + 13,
}

impl Failure {
    /// A failure about a file: `what` says what is wrong and what to do.
    pub(crate) fn of(name: &Name, what: impl fmt::Display) -> Self {
        Self { message: format!("{name}: {what}"), code: Code::Refused, is_silent: false }
    }

    /// As [`Failure::of`], for a text that starts with the name of a file.
    pub(crate) fn with_name_inside(message: String) -> Self {
        Self { message, code: Code::Refused, is_silent: false }
    }

    /// As [`Failure::of`], for a file that uses a retired key or suite.
    pub(crate) fn in_use(name: &Name, what: impl fmt::Display) -> Self {
        Self { code: Code::InUse, ..Self::of(name, what) }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: Code::Usage, is_silent: false }
    }

    /// A context that the library refuses.
    pub(crate) fn context(reason: &str) -> Self {
        Self::usage(format!("invalid context (-c): {reason}"))
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

    /// A failure that travelled through a reader or writer, or another error about `name`.
    pub(crate) fn from_io(error: io::Error, name: &Name) -> Self {
        Self::from_library(error, |error| Self::of(name, error), name)
    }

    /// The message without the name that it begins with.
    pub(crate) fn reason(&self, name: &Name) -> String {
        let start = format!("{name}: ");
        self.message.strip_prefix(&start).unwrap_or(&self.message).into()
    }

    /// Adds to the message.
    pub(crate) fn and(self, more: impl fmt::Display) -> Self {
        Self { message: format!("{}; {more}", self.message), ..self }
    }

    /// Has the message printed even if it is about a closed pipe.
    pub(crate) fn aloud(self) -> Self {
        Self { is_silent: false, ..self }
    }

    /// Whether to print nothing: the process that closed the pipe knows.
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
