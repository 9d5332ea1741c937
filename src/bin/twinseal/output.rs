//! Where results go: a file that appears whole or not at all, or a stream.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    input::Input,
    name::{self, Identity, Name},
    streams::{self, Direction},
};

#[cfg(unix)]
mod acl;
mod closing;
#[cfg(unix)]
mod descriptor;
#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod metadata;
#[cfg(unix)]
mod named;
#[cfg(unix)]
mod place;
#[cfg(unix)]
mod replaced;
#[cfg(unix)]
mod staged;
#[cfg(unix)]
mod status;
#[cfg(unix)]
mod target;

#[cfg(not(unix))]
pub(crate) use elsewhere::placed;
#[cfg(not(unix))]
use elsewhere::{Staged, Target};
#[cfg(unix)]
pub(crate) use named::{abandon, placed};
#[cfg(unix)]
use {staged::Staged, target::Target};

/// What a result is, which decides who may read it and whether it may replace a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Sealed data and signatures: for anybody, but not for terminals.
    Binary,
    /// Public keys and pages.
    Text,
    /// Opened data: only for the owner, unless it replaces what others could read.
    Plaintext,
    /// Opened data that was asked for on a terminal.
    Shown,
    /// For the owner alone, and only in a new file.
    PrivateKey,
}

/// The files that a command reads: a result must not replace them.
#[derive(Default)]
pub(crate) struct Sources(Vec<(Identity, Name)>);

impl Sources {
    pub(crate) fn and_input(mut self, input: &Input) -> Self {
        let identity = input.identity().cloned();
        self.0.extend(identity.map(|identity| (identity, input.name().clone())));
        self
    }

    /// Of a directory, the files in it.
    pub(crate) fn and_keys<'a>(mut self, paths: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        for path in paths {
            self.add(path);
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.for_each(|entry| self.add(&entry.path()));
        }
        self
    }

    /// A file that cannot be inspected cannot be read either; the reader reports that.
    fn add(&mut self, path: &Path) {
        let identity = Identity::of(path).ok().flatten();
        self.0.extend(identity.map(|identity| (identity, Name::of(path))));
    }

    fn check(&self, output: Option<&Identity>) -> Result<(), Failure> {
        match self.0.iter().find(|(source, _)| Some(source) == output) {
            Some((_, name)) => Err(Failure::of(
                name,
                "it is both read and to be written; name another file with -o",
            )),
            None => Ok(()),
        }
    }
}

/// A file or stream that is being written.
pub(crate) struct Output {
    file: File,
    name: Name,
    /// A stream has no end to be put in place.
    staged: Option<Staged>,
    written: u64,
}

impl Output {
    /// A file, or standard output if there is no path or it is `-`.
    pub(crate) fn create(
        path: Option<&Path>,
        content: Content,
        sources: &Sources,
    ) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| !name::is_standard(path)) else {
            return Self::standard(content, sources);
        };
        let name = Name::of(path);
        match Target::open(path, content, sources, &name)? {
            Target::Staged(file, staged) => {
                Ok(Self { file, name, staged: Some(staged), written: 0 })
            }
            Target::Stream(file) => Self::stream(file, name, content, sources),
        }
    }

    fn standard(content: Content, sources: &Sources) -> Result<Self, Failure> {
        let name = Name::standard_output();
        let failed = |error| Failure::writing(&name, &error);
        let file = streams::standard(Direction::Write).map_err(failed)?.ok_or_else(|| {
            let advice =
                "it is closed, or not open for writing; redirect it to a file, or to a pipe";
            Failure::of(&name, advice)
        })?;
        Self::stream(file, name, content, sources)
    }

    /// What is open already, or no regular file.
    fn stream(
        file: File,
        name: Name,
        content: Content,
        sources: &Sources,
    ) -> Result<Self, Failure> {
        match content {
            Content::PrivateKey => {
                let advice = "private keys are not written there; name a file with -o";
                return Err(Failure::of(&name, advice));
            }
            _ => off_terminals(&file, content, &name)?,
        }
        let metadata = file.metadata().map_err(|error| Failure::writing(&name, &error))?;
        sources.check(Identity::from_metadata(&metadata).as_ref())?;
        Ok(Self { file, name, staged: None, written: 0 })
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// The whole result at once.
    pub(crate) fn write_whole(mut self, bytes: &[u8]) -> Result<(), Failure> {
        let name = self.name.clone();
        self.write_all(bytes).map_err(|error| Failure::from_io(error, &name))?;
        self.commit()
    }

    /// Whether what is written is given out at once, and not only when all of it is there.
    pub(crate) fn is_stream(&self) -> bool {
        self.staged.is_none()
    }

    /// A failure of what was being written: a stream has given out data that nobody should use.
    pub(crate) fn disown(self, failure: Failure) -> Failure {
        if self.is_stream() && self.written > 0 {
            failure.and(format_args!("do not use what {} was given, its end is missing", self.name))
        } else {
            failure
        }
    }

    /// Puts the file in place, once the system has reported that it kept all of it. Without this call
    /// nothing is left of a file.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let Self { file, name, staged, .. } = self;
        match staged {
            Some(staged) => staged.commit(file, &name),
            None => closing::close(file).map_err(|error| Failure::writing(&name, &error)),
        }
    }
}

/// A terminal obeys escape sequences, and whoever sealed a file chose what is in it.
fn off_terminals(file: &File, content: Content, name: &Name) -> Result<(), Failure> {
    let advice = match content {
        Content::Binary => "it is a terminal, and the result is not text; name a file with -o",
        Content::Plaintext => {
            "it is a terminal, which obeys escape sequences in what is opened; name a file with -o, or \
             give --to-terminal"
        }
        _ => return Ok(()),
    };
    if file.is_terminal() { Err(Failure::of(name, advice)) } else { Ok(()) }
}

/// How much is handed to the system at once, each time to the next multiple of this in the file. Linux
/// keeps longer writes in larger blocks of memory, which can be slow to come by: files of 4 GiB took up to
/// three times as long in pieces of 128 KiB or more.
const PIECE: u64 = 32 * 1024;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (PIECE - self.written % PIECE) as usize;
        let piece = bytes.get(..room).unwrap_or(bytes);
        let written =
            streams::patiently(&self.file, Direction::Write, |mut file| file.write(piece));
        let written = written.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => Failure::writing(&self.name, &error).into_io(kind),
        })?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
