//! Reads data from a file or from standard input.

use std::{
    fs::{File, Metadata},
    io::{self, IsTerminal, Read, Seek},
    path::Path,
};

use crate::{
    console::Console,
    failure::Failure,
    identity::Identity,
    name::{self, Name},
    streams::{self, Direction},
};

mod seen;

use seen::Seen;

pub(crate) struct Input {
    file: File,
    name: Name,
    identity: Option<Identity>,
    /// The number of bytes to read, if it is a regular file that has a length.
    length: Option<u64>,
    /// The state of a regular file when it was opened.
    seen: Option<Seen>,
    console: Option<Console>,
}

impl Input {
    /// A file, or standard input if there is no path or it is `-`.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let stream = path.map_or(Some(0), streams::named);
        // Messages name `/dev/stdin` as the user did.
        let name = match path {
            Some(path) if !name::is_standard(path) => Name::of(path),
            _ => Name::standard_input(),
        };
        let failed = |error: io::Error| Failure::reading(&name, &error);
        let is_closed = || {
            Failure::of(
                &name,
                "it is closed, or not open for reading; name a file, or redirect one with `< FILE`",
            )
        };
        match (path, stream) {
            // Rust opened something else in its place.
            (_, Some(number)) if streams::was_closed(number) => Err(is_closed()),
            (Some(path), None | Some(1..)) => {
                let opened = File::open(path).and_then(|file| Self::new(file, name.clone()));
                let identity = Identity::of(path).ok().flatten();
                opened
                    .map(|input| Self { identity: input.identity.clone().or(identity), ..input })
                    .map_err(failed)
            }
            // Reads on from its position. Opened by name, a file would be read from its start, and a socket
            // not at all.
            _ => {
                let file = streams::standard(Direction::Read).map_err(failed)?;
                Self::new(file.ok_or_else(is_closed)?, name.clone()).map_err(failed)
            }
        }
    }

    fn new(mut file: File, name: Name) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let seen = Seen::of(&metadata);
        // Some files of the system, as in /proc, report a length of 0 although they have content.
        let length = match metadata.is_file() && metadata.len() > 0 {
            true => Some(metadata.len().saturating_sub(file.stream_position()?)),
            false => None,
        };
        let identity = Identity::from_metadata(&metadata);
        Ok(Self { file, name, identity, length, seen, console: None })
    }

    /// Shows the progress of reading from here on.
    pub(crate) fn show(mut self, console: &Console) -> Self {
        if self.file.is_terminal() {
            console.note("reading from the terminal; end with Ctrl-D");
        }
        let mut console = console.clone();
        console.start(self.length);
        self.console = Some(console);
        self
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    pub(crate) fn metadata(&self) -> Option<Metadata> {
        self.file.metadata().ok()
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Called after reading. A file that was written to meanwhile was read in parts of different age, and
    /// one that was truncated meanwhile ended early.
    pub(crate) fn check_unchanged(&self) -> Result<(), Failure> {
        let metadata =
            self.file.metadata().map_err(|error| Failure::reading(&self.name, &error))?;
        match (&self.seen, Seen::of(&metadata)) {
            (Some(before), Some(after)) if !before.is_same(&after) => Err(Failure::of(
                &self.name,
                "it changed while it was being read; run the command again when nothing writes to it",
            )),
            _ => Ok(()),
        }
    }

    /// Goes back by this number of bytes in a regular file.
    pub(crate) fn rewind(&mut self, bytes: usize) -> Result<(), Failure> {
        let back = i64::try_from(bytes).unwrap_or(i64::MAX);
        let moved = self.file.seek_relative(-back);
        moved.map_err(|error| Failure::reading(&self.name, &error))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = streams::patiently(&self.file, Direction::Read, |mut file| file.read(buffer));
        let read = read.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => Failure::reading(&self.name, &error).into_io(kind),
        })?;
        if let Some(console) = &self.console {
            console.advance(read);
        }
        Ok(read)
    }
}
