//! Paths that name an open descriptor, such as `/dev/stdout`: the result goes to that open stream.
//!
//! Opening such a path again would give another stream, which starts at the beginning of a file and does not
//! append after `>>`.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{OFlags, fcntl_getfl},
    io::Errno,
};

use crate::streams;

/// A descriptor of this process, or of another one.
pub(super) struct Descriptor {
    process: Option<i32>,
    number: i32,
}

impl Descriptor {
    /// By a name that needs no procfs.
    pub(super) fn named(path: &Path) -> Option<Self> {
        let own = |number| Some(Self { process: None, number });
        match path.to_str()? {
            "/dev/stdout" => own(1),
            "/dev/stderr" => own(2),
            path => own(number(path.strip_prefix("/dev/fd/")?)?),
        }
    }

    /// By a directory of procfs, `/proc/PID/fd` or `/proc/PID/task/TID/fd`, and a name in it.
    pub(super) fn in_procfs(directory: &Path, name: &OsStr) -> Option<Self> {
        let number = number(name.to_str()?)?;
        let mut parts = directory.to_str()?.strip_prefix("/proc/")?.split('/');
        let process = self::number(parts.next()?)?;
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("fd"), None, None, None) | (Some("task"), Some(_), Some("fd"), None) => {}
            _ => return None,
        }
        let own = i64::from(process) == i64::from(std::process::id());
        Some(Self { process: (!own).then_some(process), number })
    }

    /// The open stream, for writing.
    pub(super) fn open(&self) -> io::Result<File> {
        if self.process.is_none()
            && u8::try_from(self.number)
                .is_ok_and(|number| number < 3 && streams::was_closed(number))
        {
            return Err(Errno::BADF.into());
        }
        #[cfg(target_os = "linux")]
        if self.process.is_none() && !is_the_callers(self.number) {
            return Err(Errno::BADF.into());
        }
        let stream = match (self.process, self.number) {
            (None, 0) => io::stdin().as_fd().try_clone_to_owned()?,
            (None, 1) => io::stdout().as_fd().try_clone_to_owned()?,
            (None, 2) => io::stderr().as_fd().try_clone_to_owned()?,
            _ => self.duplicate()?,
        };
        if fcntl_getfl(&stream)? & OFlags::ACCMODE == OFlags::RDONLY {
            return Err(Errno::BADF.into());
        }
        Ok(stream.into())
    }

    #[cfg(target_os = "linux")]
    fn duplicate(&self) -> io::Result<OwnedFd> {
        use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

        let process =
            self.process.map_or_else(|| Some(getpid()), Pid::from_raw).ok_or(Errno::SRCH)?;
        let duplicate = pidfd_open(process, PidfdFlags::empty())
            .and_then(|process| pidfd_getfd(process, self.number, PidfdGetfdFlags::empty()));
        match duplicate {
            // Old systems cannot, and some containers may not.
            Err(Errno::NOSYS | Errno::PERM) => self.open_again(),
            result => Ok(result?),
        }
    }

    /// Opens the stream a second time instead, if it has no position.
    #[cfg(target_os = "linux")]
    fn open_again(&self) -> io::Result<OwnedFd> {
        use rustix::fs::{FileType, Mode, fstat};

        let process = self.process.map_or_else(|| "self".into(), |process| process.to_string());
        let path = format!("/proc/{process}/fd/{}", self.number);
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
        let stream = rustix::fs::open(path, flags, Mode::empty())?;
        match FileType::from_raw_mode(fstat(&stream)?.st_mode) {
            FileType::RegularFile => Err(Errno::PERM.into()),
            _ => Ok(stream),
        }
    }

    /// Opening a name in `/dev/fd` gives a duplicate on these systems.
    #[cfg(not(target_os = "linux"))]
    fn duplicate(&self) -> io::Result<OwnedFd> {
        let path = format!("/dev/fd/{}", self.number);
        Ok(std::fs::OpenOptions::new().write(true).open(path)?.into())
    }
}

/// Whether the caller left it open. The tool's own files are marked to be closed by `exec`, and may have got
/// the number of a descriptor that the caller named but did not open. Without procfs, the caller is believed.
#[cfg(target_os = "linux")]
fn is_the_callers(number: i32) -> bool {
    let directory = Path::new("/proc/self/fdinfo");
    match std::fs::read_to_string(directory.join(number.to_string())) {
        Ok(info) => {
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
            flags.is_none_or(|flags| !OFlags::from_bits_retain(flags).contains(OFlags::CLOEXEC))
        }
        Err(error) => error.kind() != io::ErrorKind::NotFound || !directory.exists(),
    }
}

/// Parses a number as the system writes it: without a sign or a leading zero.
fn number(text: &str) -> Option<i32> {
    let number: i32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
