//! Walks a tree by paths, for systems without directory descriptors.

use std::{
    fs::{self, File, ReadDir},
    io, mem,
    path::{Path, PathBuf},
};

use super::Entry;

/// How many levels of directories are read. Each directory stays open while those in it are read.
const DEEPEST: usize = 1000;

pub(super) struct Walk {
    path: PathBuf,
    first: Option<Entry>,
    levels: Vec<(PathBuf, ReadDir)>,
}

impl Walk {
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        let mut walk = Self { path: root.into(), first: None, levels: Vec::new() };
        walk.first = Some(walk.open(fs::metadata(root)?)?);
        Ok(walk)
    }

    pub(super) fn next(&mut self) -> Option<(&Path, Entry)> {
        if let Some(entry) = self.first.take() {
            return Some((&self.path, entry));
        }
        let entry = loop {
            let (directory, entries) = self.levels.last_mut()?;
            match entries.next() {
                Some(Ok(entry)) => {
                    self.path = entry.path();
                    break match fs::symlink_metadata(&self.path).and_then(|found| self.open(found))
                    {
                        Ok(entry) => entry,
                        Err(error) if error.kind() == io::ErrorKind::NotFound => Entry::Vanished,
                        Err(error) => Entry::Unreadable(error),
                    };
                }
                Some(Err(error)) => {
                    self.path = mem::take(directory);
                    self.levels.pop();
                    break Entry::Unreadable(error);
                }
                None => drop(self.levels.pop()),
            }
        };
        Some((&self.path, entry))
    }

    fn open(&mut self, metadata: fs::Metadata) -> io::Result<Entry> {
        if metadata.is_symlink() {
            return Ok(Entry::Link);
        }
        if metadata.is_file() {
            return Ok(Entry::File(File::open(&self.path)?, metadata));
        }
        if !metadata.is_dir() {
            return Ok(Entry::Special);
        }
        if self.levels.len() >= DEEPEST {
            return Err(io::Error::other(format!("it is more than {DEEPEST} directories deep")));
        }
        self.levels.push((self.path.clone(), fs::read_dir(&self.path)?));
        Ok(Entry::Directory)
    }
}
