//! Outputs by path, for systems without directory descriptors. Owners and modes are not checked there.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{Content, Sources, closing};
use crate::{failure::Failure, identity::Identity, name::Name};

static PLACED: Mutex<Vec<Name>> = Mutex::new(Vec::new());

/// The files that were put in place.
pub(crate) fn placed() -> Vec<Name> {
    PLACED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(super) enum Target {
    Stream(File),
    Staged(File, Staged),
}

impl Target {
    pub(super) fn open(
        path: &Path,
        content: Content,
        sources: &Sources,
        name: &Name,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::writing(name, &error);
        let target = match fs::metadata(path) {
            Ok(existing) if existing.is_dir() => {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
            Ok(_) if content == Content::PrivateKey => {
                return Err(failed(io::ErrorKind::AlreadyExists.into()));
            }
            Ok(existing) if existing.is_file() => {
                if existing.permissions().readonly() {
                    let reason = "it is write-protected; name another file with -o";
                    return Err(Failure::of(name, reason));
                }
                sources.check(Identity::of(path).map_err(failed)?.as_ref())?;
                // The file that a link leads to is replaced, and not the link.
                fs::canonicalize(path).map_err(failed)?
            }
            Ok(_) if content == Content::ChangedKey => return Err(super::not_a_file(name)),
            Err(error) if content == Content::ChangedKey => {
                return Err(Failure::reading(name, &error));
            }
            Ok(_) => {
                let opened = OpenOptions::new().write(true).open(path);
                return opened.map(Self::Stream).map_err(failed);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
            Err(error) => return Err(failed(error)),
        };
        let (file, staged) = Staged::new(target, content).map_err(failed)?;
        Ok(Self::Staged(file, staged))
    }
}

pub(super) struct Staged {
    temporary: Temporary,
    target: PathBuf,
    content: Content,
}

impl Staged {
    fn new(target: PathBuf, content: Content) -> io::Result<(File, Self)> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!(".twinseal-{:016x}.partial", u64::from_ne_bytes(random));
        let path = target.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok((file, Self { temporary: Temporary(path), target, content }))
    }

    pub(super) fn commit(self, file: File, name: &Name) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::writing(name, &error);
        if self.content.is_key() {
            file.sync_all().map_err(failed)?;
        }
        closing::close(file).map_err(failed)?;
        if self.content == Content::PrivateKey {
            // Only a hard link never replaces another file.
            fs::hard_link(&self.temporary.0, &self.target).map_err(failed)?;
        } else {
            fs::rename(&self.temporary.0, &self.target).map_err(failed)?;
        }
        PLACED.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        Ok(())
    }
}

/// A file that is removed when dropped, if it still has this name.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
