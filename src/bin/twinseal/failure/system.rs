//! Errors of the operating system, in plain words.

use std::{fmt, io};

/// The error's text without its number, which is for programmers.
pub(crate) fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    // Only at the end: a path in the text may have such words in it.
    let is_number = |number: &str| {
        let digits = number.strip_suffix(')').unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    match text.rsplit_once(" (os error ") {
        Some((before, number)) if is_number(number) => before.into(),
        _ => text,
    }
}

/// An error of the system in plain words, with advice.
pub(super) struct Explained<'a> {
    pub(super) error: &'a io::Error,
    pub(super) writing: bool,
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use io::ErrorKind::*;
        let text = match (self.error.kind(), self.writing) {
            (NotFound, false) => "no such file; check its name",
            (NotFound, true) => "its directory does not exist; create it first",
            (NotADirectory, _) => "a part of its path is a file, not a directory; check the path",
            (IsADirectory, false) => {
                "it is a directory; pack it into a file first, for example with `tar c`"
            }
            (IsADirectory, true) => "it is a directory; name a file in it",
            (PermissionDenied, false) => {
                "you do not have permission to read it; check it with `ls -l`"
            }
            (PermissionDenied, true) => {
                "you do not have permission to write there; choose another directory with -o"
            }
            (ReadOnlyFilesystem, _) => "the file system is read-only; choose another place with -o",
            (StorageFull | QuotaExceeded, _) => {
                "no space is left; free some, or choose another place"
            }
            (FileTooLarge, _) => {
                "it would be longer than the file system or `ulimit -f` allows; choose another place"
            }
            (InvalidFilename, _) => "the file system does not allow this name; choose another",
            (AlreadyExists, _) => "it already exists; choose another name, or move it away first",
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
        Errno::NXIO => Some("it is a socket, or a device that does not exist; name another file"),
        Errno::LOOP => Some("its symbolic links form a loop; name the file itself"),
        _ => None,
    }
}

#[cfg(not(unix))]
fn rarer(_: &io::Error) -> Option<&'static str> {
    None
}
