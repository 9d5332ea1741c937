//! Writes results: to a file that appears complete or not at all, or to a stream.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    identity::Identity,
    input::Input,
    name::{self, Name},
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
mod unfinished;

#[cfg(not(unix))]
pub(crate) use elsewhere::placed;
#[cfg(not(unix))]
use elsewhere::{Staged, Target};
#[cfg(unix)]
pub(crate) use named::{abandon, placed};
#[cfg(unix)]
use {staged::Staged, target::Target};

use unfinished::Unfinished;
#[cfg(unix)]
pub(crate) use unfinished::is_unfinished;

/// The content of a result. It decides who may read the result, and whether it may replace a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Sealed data and signatures: for anybody, but not for terminals.
    Binary,
    /// Public keys and pages.
    Text,
    /// Opened data: only for the owner, unless it replaces a file that others could read.
    Plaintext,
    /// Opened data that may go to a terminal.
    Shown,
    /// Only for the owner, and only in a new file.
    PrivateKey,
    /// A private key in place of the file that it was read from, whose owner must be the user.
    ChangedKey,
}

impl Content {
    /// Whether it must be on the disk at the end, because nothing else has it.
    fn is_key(self) -> bool {
        matches!(self, Self::PrivateKey | Self::ChangedKey)
    }
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

    /// Adds key files; for a directory, the files in it.
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
                "it would be both read and written; name another file with -o",
            )),
            None => Ok(()),
        }
    }
}

/// A file or stream that is being written.
pub(crate) struct Output {
    file: File,
    name: Name,
    /// `None` for a stream, which is not put in place at the end.
    staged: Option<(Staged, Unfinished)>,
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
                let staged = Some((staged, Unfinished::begin()));
                Ok(Self { file, name, staged, written: 0 })
            }
            Target::Stream(file) => Self::of_stream(file, name, content, sources),
        }
    }

    /// Refuses standard output as [`create`](Self::create) would, before a passphrase is typed in vain.
    pub(crate) fn check_standard(path: Option<&Path>, content: Content) -> Result<(), Failure> {
        match path.filter(|path| !name::is_standard(path)) {
            Some(_) => Ok(()),
            None => Self::standard(content, &Sources::default()).map(drop),
        }
    }

    fn standard(content: Content, sources: &Sources) -> Result<Self, Failure> {
        let name = Name::standard_output();
        let failed = |error| Failure::writing(&name, &error);
        let file = streams::standard(Direction::Write).map_err(failed)?.ok_or_else(|| {
            let advice = "it is closed, or not open for writing; redirect it to a file or a pipe";
            Failure::of(&name, advice)
        })?;
        Self::of_stream(file, name, content, sources)
    }

    /// An open stream, or a special file.
    fn of_stream(
        file: File,
        name: Name,
        content: Content,
        sources: &Sources,
    ) -> Result<Self, Failure> {
        match content {
            Content::PrivateKey => return Err(not_for_new_keys(&name)),
            Content::ChangedKey => return Err(not_a_file(&name)),
            _ => off_terminals(&file, content, &name)?,
        }
        let metadata = file.metadata().map_err(|error| Failure::writing(&name, &error))?;
        sources.check(Identity::from_metadata(&metadata).as_ref())?;
        Ok(Self { file, name, staged: None, written: 0 })
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// The open file of a stream.
    pub(crate) fn stream(&self) -> Option<&File> {
        self.is_stream().then_some(&self.file)
    }

    /// Writes the whole result, and commits it.
    pub(crate) fn write_whole(mut self, bytes: &[u8]) -> Result<(), Failure> {
        let name = self.name.clone();
        self.write_all(bytes).map_err(|error| Failure::from_io(error, &name))?;
        self.commit()
    }

    /// Whether others see data as soon as it is written, and not only at the end.
    pub(crate) fn is_stream(&self) -> bool {
        self.staged.is_none()
    }

    /// Adds to a failure that a stream already has data that nobody should use.
    pub(crate) fn disown(self, failure: Failure) -> Failure {
        if self.is_stream() && self.written > 0 {
            failure
                .and(format_args!("do not use the data written to {}, it is incomplete", self.name))
        } else {
            failure
        }
    }

    /// Puts the file in place, after the system has confirmed that it kept all data. Without this call
    /// the file is discarded.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let Self { file, name, staged, .. } = self;
        match staged {
            Some((staged, _unfinished)) => staged.commit(file, &name),
            None => closing::close(file).map_err(|error| Failure::writing(&name, &error)),
        }
    }
}

/// A private key is kept in a file of its own: a stream or a device may show it, and does not keep it.
fn not_for_new_keys(name: &Name) -> Failure {
    let advice = "private keys are not written to streams and devices; name a file with -o";
    Failure::of(name, advice)
}

/// A key is changed in its place only where it can be replaced.
fn not_a_file(name: &Name) -> Failure {
    Failure::of(name, "it is not a file that can be replaced; name a new file with -o")
}

/// Keeps data off terminals: a terminal obeys escape sequences, and the sealer of a file chose its content.
fn off_terminals(file: &File, content: Content, name: &Name) -> Result<(), Failure> {
    let advice = match content {
        Content::Binary => "it is a terminal, but the result is not text; name a file with -o",
        Content::Plaintext => {
            "it is a terminal, which obeys escape sequences in the data; name a file with -o, or use \
             --to-terminal"
        }
        _ => return Ok(()),
    };
    if file.is_terminal() { Err(Failure::of(name, advice)) } else { Ok(()) }
}

/// The longest single write in bytes; writes end at multiples of it. Linux keeps each in one block of memory. On AMD Zen 4
/// in Firecracker (Linux 6.18, ext4, 24 GiB), a file of 2 GiB is opened in 0.5 s by writes of 128 KiB. By writes of 256
/// KiB it takes as long, or 1.4 to 3.6 s: it seems that blocks of that size run out. `cat` writes 128 KiB, too.
const LONGEST: u64 = 128 * 1024;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (LONGEST - self.written % LONGEST) as usize;
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
