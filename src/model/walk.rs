//! What is in the directory of a model? Links are never followed, and nothing is opened but directories and files.

use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use rayon::prelude::*;

use super::{
    directory::{Directory, Kind, State},
    ignored::{Ignored, name_of},
    names,
    report::IgnoredBy,
};
use crate::error::{Error, ModelRefusal};

/// A directory or a single file that is signed or checked.
pub(super) struct Model<'a> {
    /// As the caller calls it: so errors do.
    given: &'a Path,
    /// The directory that names are relative to, without links. For a single file, the one that it is in.
    path: PathBuf,
    directory: Directory,
    /// The base name of the canonical path; none if that is the root of a file system.
    base_name: Option<PathBuf>,
    is_file: bool,
}

/// What was found under a path.
pub(super) enum Found {
    File(File),
    /// A regular file that nobody signed. It was not opened.
    Unsigned,
    /// It cannot be signed.
    Refused(ModelRefusal),
    /// It is left out with all that is under it.
    Ignored(IgnoredBy),
    Unreadable(io::Error),
}

/// A regular file, as it was when it was first opened.
pub(super) struct File {
    /// Relative to the model, with `/`.
    pub(super) name: String,
    pub(super) state: State,
    /// The SHA-256 of all of it, if it was hashed while the rest of the directory was still being read.
    pub(super) early: Option<[u8; 32]>,
    /// Which of the walk's directories it is in.
    directory: usize,
}

/// Files of one directory, which were found and not looked at yet.
pub(super) struct Batch {
    directory: Arc<Directory>,
    index: usize,
    paths: Vec<PathBuf>,
}

/// All that a walk found.
pub(super) struct Walked {
    /// Everything but directories, sorted by the bytes of the paths, which are relative to the model.
    pub(super) found: Vec<(PathBuf, Found)>,
    /// The directories that were listed, and the state of each before.
    directories: Vec<(PathBuf, State)>,
}

/// So many directories may be open for those in them: more would be too many for the limits of some systems.
const OPEN: usize = 32;

/// So many files are one batch at most.
const BATCH: usize = 256;

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
                    let directory = Directory::open_to_search(parent)?;
                    Ok(Self { given, path: parent.to_owned(), directory, base_name, is_file })
                }
                _ => {
                    let directory = Directory::open(&path)?;
                    Ok(Self { given, path, directory, base_name, is_file })
                }
            }
        };
        find().map_err(|error| Error::at(given, error))
    }

    pub(super) fn is_file(&self) -> bool {
        self.is_file
    }

    /// The path of the directory that names are relative to.
    pub(super) fn directory(&self) -> &Path {
        &self.path
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

    /// Opens a file that is in the state in which it was found.
    pub(super) fn open(&self, file: &File) -> io::Result<fs::File> {
        let path = Path::new(&file.name);
        let parent = path.parent().unwrap_or(Path::new(""));
        let parent = self.directory.descend(parent).map_err(|error| match error.kind() {
            // A directory was there.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Error::Model(ModelRefusal::ChangedWhileRead).into()
            }
            _ => error,
        })?;
        let directory = parent.as_ref().unwrap_or(&self.directory);
        match open(directory, path.file_name().unwrap_or_default())? {
            (opened, state) if state == file.state => Ok(opened),
            _ => Err(Error::Model(ModelRefusal::ChangedWhileRead).into()),
        }
    }

    /// Finds everything but directories. Of what is under an ignored path, only that is found which `is_wanted` says of
    /// itself or of what is under it. Regular files of which `is_signed` says so go in batches to `examine`, which has
    /// to return what they are; it may be called later, if there are not too many of them.
    pub(super) fn walk(
        &self,
        ignored: &Ignored,
        is_wanted: impl Fn(&Path) -> bool,
        is_signed: impl Fn(&str) -> bool,
        mut examine: impl FnMut(Batch),
    ) -> io::Result<Walked> {
        match (&self.base_name, self.is_file) {
            (Some(name), true) => self.single_file(name),
            _ => self.walk_directory(ignored, is_wanted, is_signed, &mut examine),
        }
    }

    fn single_file(&self, name: &Path) -> io::Result<Walked> {
        let path = name.to_owned();
        let (kind, state) =
            self.directory.look(name.as_os_str()).map_err(|error| self.error_at(name, error))?;
        let found = match (kind, checked_name(name)) {
            (Kind::File, Some(name)) => {
                Found::File(File { name, state, early: None, directory: 0 })
            }
            (Kind::File, None) => Found::Refused(ModelRefusal::NameOfFile),
            (kind, _) => Found::Refused(refusal(kind)),
        };
        // The directory is not the model's.
        let directory = self.directory.state()?;
        Ok(Walked { found: vec![(path, found)], directories: vec![(PathBuf::new(), directory)] })
    }

    fn walk_directory(
        &self,
        ignored: &Ignored,
        is_wanted: impl Fn(&Path) -> bool,
        is_signed: impl Fn(&str) -> bool,
        examine: &mut dyn FnMut(Batch),
    ) -> io::Result<Walked> {
        /// A directory that is to be listed.
        struct Pending {
            /// None if there are too many open ones.
            parent: Option<Arc<Directory>>,
            path: PathBuf,
            depth: usize,
            /// Whether it is in an ignored one, for what is wanted of it.
            is_inside: bool,
        }

        let mut found = Vec::new();
        let mut directories = Vec::new();
        let mut pending =
            vec![Pending { parent: None, path: PathBuf::new(), depth: 0, is_inside: false }];
        while let Some(Pending { parent, path, depth, is_inside }) = pending.pop() {
            let open = || {
                let directory = match (&parent, path.file_name()) {
                    (Some(parent), Some(name)) => parent.directory(name)?,
                    (None, Some(_)) => {
                        self.directory.descend(&path)?.ok_or(io::ErrorKind::NotFound)?
                    }
                    (_, None) => Directory::open(&self.path)?,
                };
                let state = directory.state()?;
                let entries = directory.list()?;
                Ok((directory, state, entries))
            };
            let (directory, state, entries) = match open() {
                Ok(opened) => opened,
                // Without the model's own directory there is nothing to say of it.
                Err(error) if depth == 0 => return Err(Error::at(self.given, error)),
                Err(error) => {
                    let parent = parent.as_deref();
                    let became = parent.and_then(|parent| parent.look(path.file_name()?).ok());
                    let here = match became {
                        Some((Kind::Directory, _)) | None => Found::Unreadable(error),
                        Some((kind, _)) => Found::Refused(refusal(kind)),
                    };
                    found.push((path, here));
                    continue;
                }
            };
            let directory = Arc::new(directory);
            let index = directories.len();
            let batch = || Batch { directory: Arc::clone(&directory), index, paths: Vec::new() };
            let mut files = batch();
            for (entry, kind) in entries {
                let is_directory = kind == Kind::Directory;
                let entry_path = path.join(&entry);
                let mut is_inside = is_inside;
                let by = ignored.by(&entry_path);
                if is_inside || by.is_some() {
                    let is_wanted = is_wanted(&entry_path);
                    if let Some(by) = by
                        && !is_inside
                        && (is_directory || !is_wanted)
                    {
                        found.push((entry_path.clone(), Found::Ignored(by)));
                    }
                    if !is_wanted {
                        continue;
                    }
                    is_inside = true;
                }
                match kind {
                    Kind::Directory if entry.to_str().is_none() => {
                        found.push((entry_path, Found::Refused(ModelRefusal::NameOfFile)));
                    }
                    Kind::Directory => {
                        let parent = (depth < OPEN).then(|| Arc::clone(&directory));
                        let depth = depth + 1;
                        pending.push(Pending { parent, path: entry_path, depth, is_inside });
                    }
                    Kind::File => match checked_name(&entry_path) {
                        None => found.push((entry_path, Found::Refused(ModelRefusal::NameOfFile))),
                        Some(name) if !is_signed(&name) => {
                            found.push((entry_path, Found::Unsigned));
                        }
                        Some(_) => {
                            files.paths.push(entry_path);
                            if files.paths.len() == BATCH {
                                examine(std::mem::replace(&mut files, batch()));
                            }
                        }
                    },
                    kind => found.push((entry_path, Found::Refused(refusal(kind)))),
                }
            }
            if !files.paths.is_empty() {
                examine(files);
            }
            directories.push((path, state));
        }
        Ok(Walked { found, directories })
    }
}

impl Batch {
    /// Opens each file, and returns what it is. `hash` gets it, and its length.
    pub(super) fn examine(
        self,
        mut hash: impl FnMut(&mut fs::File, &str, &State) -> io::Result<Option<[u8; 32]>>,
    ) -> Vec<(PathBuf, Found)> {
        let Self { directory, index, paths } = self;
        let examine = |path: PathBuf| {
            let name = name_of(&path).unwrap_or_default();
            let examined = open(&directory, path.file_name().unwrap_or_default()).and_then(
                |(mut file, state)| {
                    let early = hash(&mut file, &name, &state)?;
                    if early.is_some() {
                        unchanged(&file, &state)?;
                    }
                    Ok((state, early))
                },
            );
            let found = match examined {
                Ok((state, early)) => Found::File(File { name, state, early, directory: index }),
                Err(error) => match Error::inside(&error) {
                    Some(Error::Model(refusal)) => Found::Refused(*refusal),
                    _ => Found::Unreadable(error),
                },
            };
            (path, found)
        };
        paths.into_iter().map(examine).collect()
    }
}

impl Walked {
    /// Adds what batches were, and sorts.
    pub(super) fn complete(&mut self, found: Vec<(PathBuf, Found)>) {
        self.found.extend(found);
        self.found.par_sort_unstable_by(|(a, _), (b, _)| bytes(a).cmp(bytes(b)));
    }

    /// Looks once more at each file and each directory, when all is read: the paths of those files that are not in the
    /// state in which they were found, and of what is new.
    pub(super) fn changed(&self, model: &Model<'_>, ignored: &Ignored) -> BTreeSet<PathBuf> {
        let mut by_directory: Vec<Vec<&File>> = Vec::new();
        by_directory.resize_with(self.directories.len(), Vec::new);
        for (_, found) in &self.found {
            if let Found::File(file) = found {
                by_directory[file.directory].push(file);
            }
        }
        let directories = LazyLock::new(|| {
            self.directories.iter().map(|(path, _)| path.as_path()).collect::<HashSet<_>>()
        });
        let changed = self.directories.par_iter().zip(by_directory).flat_map_iter(
            |((path, state), files)| {
                let opened = model.directory.descend(path);
                let Ok(opened) = &opened else {
                    // Without the directory there are no files.
                    return files.into_iter().map(|file| PathBuf::from(&file.name)).collect();
                };
                let directory = opened.as_ref().unwrap_or(&model.directory);
                let is_changed = |file: &&&File| {
                    let name = Path::new(&file.name).file_name().unwrap_or_default();
                    !matches!(directory.look(name), Ok((_, state)) if state == file.state)
                };
                let changed = files.par_chunks(BATCH).flat_map_iter(|files| {
                    files.iter().filter(is_changed).map(|file| PathBuf::from(&file.name))
                });
                let mut changed: Vec<_> = changed.collect();
                let is_same = || directory.state().is_ok_and(|now| now == *state);
                if !model.is_file && !is_same() {
                    let is_known = |path: &Path| directories.contains(path) || self.has(path);
                    changed.extend(new_in(path, directory, ignored, is_known));
                }
                changed
            },
        );
        changed.collect()
    }

    fn has(&self, path: &Path) -> bool {
        self.found.binary_search_by(|(found, _)| bytes(found).cmp(bytes(path))).is_ok()
    }
}

/// What is in a directory now, and is not known.
fn new_in(
    path: &Path,
    directory: &Directory,
    ignored: &Ignored,
    is_known: impl Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let Ok(entries) = directory.list() else { return vec![path.to_owned()] };
    let paths = entries.into_iter().map(|(name, _)| path.join(name));
    let is_new = |path: &PathBuf| !is_known(path) && !ignored.cover(path);
    paths.filter(is_new).collect()
}

/// Opens a regular file.
fn open(directory: &Directory, name: &OsStr) -> io::Result<(fs::File, State)> {
    let opened = directory.file(name).map_err(|error| match directory.look(name) {
        Ok((Kind::File, _)) | Err(_) => error,
        Ok((kind, _)) => Error::Model(refusal(kind)).into(),
    })?;
    match State::of(&opened)? {
        (Kind::File, state) => Ok((opened, state)),
        (kind, _) => Err(Error::Model(refusal(kind)).into()),
    }
}

/// An error unless an open file is in this state.
pub(super) fn unchanged(file: &fs::File, state: &State) -> io::Result<()> {
    match State::of(file)? {
        (_, now) if now == *state => Ok(()),
        _ => Err(Error::Model(ModelRefusal::ChangedWhileRead).into()),
    }
}

/// Why something else than a regular file is refused.
fn refusal(kind: Kind) -> ModelRefusal {
    match kind {
        Kind::Link => ModelRefusal::Link,
        Kind::File | Kind::Directory | Kind::Special => ModelRefusal::SpecialFile,
    }
}

fn checked_name(path: &Path) -> Option<String> {
    name_of(path).filter(|name| names::check(name).is_ok())
}

pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// [`io::Error`] cannot be cloned.
pub(super) fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}
