//! What is in the directory of a model? Links are never followed, and nothing is opened but directories.

use std::{
    fs::{self, FileType, Metadata},
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use walkdir::WalkDir;

use super::{
    ignored::{Ignored, name_of},
    names,
};
use crate::error::{Error, ModelRefusal};

/// A directory or a single file that is signed or checked.
pub(super) struct Model<'a> {
    /// As the caller calls it: so errors do.
    given: &'a Path,
    /// The directory that names are relative to, without links. For a single file, the one that it is in.
    directory: PathBuf,
    /// The base name of the canonical path; none if that is the root of a file system.
    base_name: Option<PathBuf>,
    is_file: bool,
}

/// What was found under a path.
pub(super) enum Found {
    File(Arc<File>),
    /// It cannot be signed.
    Refused(ModelRefusal),
    /// It is left out with all that is under it.
    Ignored,
    Unreadable(io::Error),
}

/// A regular file, as it was when the directory was read.
pub(super) struct File {
    /// Relative to the model, with `/`.
    pub(super) name: String,
    pub(super) state: State,
    /// The SHA-256 of all of it, if it was hashed while the rest of the directory was still being read.
    pub(super) early: OnceLock<[u8; 32]>,
}

/// Which file it is, and in which state: if one of this changes while the file is read, so may its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) length: u64,
    /// Some file systems have no times.
    modified: Option<SystemTime>,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl State {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            inode: {
                use std::os::unix::fs::MetadataExt;
                (metadata.dev(), metadata.ino())
            },
        }
    }
}

impl<'a> Model<'a> {
    pub(super) fn at(given: &'a Path) -> io::Result<Self> {
        let find = || {
            // A link to a model is a name of it. Only in a model are links refused.
            let path = fs::canonicalize(given)?;
            let metadata = fs::symlink_metadata(&path)?;
            let base_name = path.file_name().map(PathBuf::from);
            let is_file = !metadata.is_dir();
            match path.parent() {
                Some(parent) if is_file => {
                    Ok(Self { given, directory: parent.to_owned(), base_name, is_file })
                }
                _ => Ok(Self { given, directory: path, base_name, is_file }),
            }
        };
        find().map_err(|error| Error::at(given, error))
    }

    pub(super) fn is_file(&self) -> bool {
        self.is_file
    }

    /// The directory that names are relative to.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The base name of the canonical path.
    pub(super) fn base_name(&self) -> io::Result<&str> {
        let Some(name) = &self.base_name else {
            let reason = "the root of a file system has no name";
            let error = Error::Misuse { what: "model", reason };
            return Err(Error::at(self.given, error.into()));
        };
        name.to_str().ok_or_else(|| self.error(name, ModelRefusal::NameOfFile))
    }

    /// Where the file of this name is.
    pub(super) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.join(name)
    }

    /// An error about a path in the model.
    pub(super) fn error_at(&self, path: impl AsRef<Path>, error: io::Error) -> io::Error {
        let path = path.as_ref();
        match self.is_file || path.as_os_str().is_empty() {
            true => Error::at(self.given, error),
            false => Error::at(&self.given.join(path), error),
        }
    }

    /// An error about a path in the model, for a reason of the format.
    pub(super) fn error(&self, path: impl AsRef<Path>, refusal: ModelRefusal) -> io::Error {
        self.error_at(path, Error::Model(refusal).into())
    }

    /// Finds everything but directories, sorted by the bytes of the paths, which are relative to the model. Of what is
    /// under an ignored path, only that is found which `is_wanted` says of itself or of what is under it. Calls `each`
    /// with each file as soon as it is found.
    pub(super) fn walk(
        &self,
        ignored: &Ignored,
        is_wanted: impl Fn(&Path) -> bool,
        each: impl FnMut(&Arc<File>),
    ) -> io::Result<Vec<(PathBuf, Found)>> {
        let mut found = match (&self.base_name, self.is_file) {
            (Some(name), true) => vec![(name.clone(), self.single_file(name)?)],
            _ => self.walk_directory(ignored, is_wanted, each)?,
        };
        found.sort_unstable_by(|(a, _), (b, _)| bytes(a).cmp(bytes(b)));
        Ok(found)
    }

    fn single_file(&self, name: &Path) -> io::Result<Found> {
        let metadata = fs::symlink_metadata(self.path(name));
        let metadata = metadata.map_err(|error| self.error_at(name, error))?;
        Ok(classify(name, metadata.file_type(), || Ok(metadata)))
    }

    fn walk_directory(
        &self,
        ignored: &Ignored,
        is_wanted: impl Fn(&Path) -> bool,
        mut each: impl FnMut(&Arc<File>),
    ) -> io::Result<Vec<(PathBuf, Found)>> {
        let mut found = Vec::new();
        // The depth of the ignored directory that the walk is in for what is wanted of it.
        let mut inside: Option<usize> = None;
        let mut entries = WalkDir::new(&self.directory).min_depth(1).into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    found.push(self.unreadable(error)?);
                    continue;
                }
            };
            let path = self.relative(entry.path());
            let is_directory = entry.file_type().is_dir();
            inside = inside.filter(|depth| entry.depth() > *depth);
            if inside.is_some() || ignored.contains(path) {
                let is_wanted = is_wanted(path);
                if inside.is_none() && (is_directory || !is_wanted) {
                    found.push((path.to_owned(), Found::Ignored));
                }
                if !is_wanted {
                    if is_directory {
                        entries.skip_current_dir();
                    }
                    continue;
                }
                inside = inside.or(is_directory.then_some(entry.depth()));
            }
            if !is_directory {
                let metadata = || entry.metadata().map_err(io::Error::from);
                let here = classify(path, entry.file_type(), metadata);
                if let Found::File(file) = &here {
                    each(file);
                }
                found.push((path.to_owned(), here));
            } else if entry.file_name().to_str().is_none() {
                found.push((path.to_owned(), Found::Refused(ModelRefusal::NameOfFile)));
                entries.skip_current_dir();
            }
        }
        Ok(found)
    }

    fn relative<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.directory).unwrap_or(path)
    }

    /// A directory that cannot be read, or what was in it and has gone meanwhile. Without the model's own directory
    /// there is nothing to say of it.
    fn unreadable(&self, error: walkdir::Error) -> io::Result<(PathBuf, Found)> {
        let path = error.path().map(|path| self.relative(path).to_owned());
        let is_below = error.depth() > 0;
        let error = io::Error::from(error);
        match path {
            Some(path) if is_below => Ok((path, Found::Unreadable(error))),
            _ => Err(Error::at(self.given, error)),
        }
    }
}

fn classify(
    path: &Path,
    file_type: FileType,
    metadata: impl FnOnce() -> io::Result<Metadata>,
) -> Found {
    if file_type.is_symlink() {
        return Found::Refused(ModelRefusal::Link);
    }
    if !file_type.is_file() {
        return Found::Refused(ModelRefusal::SpecialFile);
    }
    let name = name_of(path).filter(|name| names::check(name).is_ok());
    let Some(name) = name else { return Found::Refused(ModelRefusal::NameOfFile) };
    match metadata() {
        Ok(metadata) if metadata.is_file() => {
            let state = State::of(&metadata);
            Found::File(Arc::new(File { name, state, early: OnceLock::new() }))
        }
        Ok(_) => Found::Refused(ModelRefusal::ChangedWhileRead),
        Err(error) => Found::Unreadable(error),
    }
}

pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}
