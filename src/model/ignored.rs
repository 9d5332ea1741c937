//! Which paths of a model are left out, with all that is under them?

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    path::{Component, Path, PathBuf},
};

use super::{names, report::IgnoredBy};
use crate::error::{Error, ModelRefusal};

/// What is left out at the root of a model, as in the reference implementation.
const GIT: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// Paths that are left out with all that is under them. They are relative to the model and have only normal
/// components, so they are compared as bytes, which is faster than as paths.
pub(super) struct Ignored(BTreeMap<OsString, IgnoredBy>);

impl Ignored {
    /// The four names of git, at the root only.
    pub(super) fn git() -> Self {
        Self(GIT.into_iter().map(|name| (name.into(), IgnoredBy::Git)).collect())
    }

    /// Adds a path, and returns it in its plain form. If it is there already, the first in the order of [`IgnoredBy`]
    /// is the one that ignores it.
    ///
    /// # Errors
    ///
    /// [`ModelRefusal::IgnoredPaths`] if it is absolute, leaves the model, or is the model itself.
    pub(super) fn add(&mut self, path: &Path, by: IgnoredBy) -> Result<PathBuf, Error> {
        let mut plain = PathBuf::new();
        for component in path.components() {
            match component {
                Component::Normal(name) => plain.push(name),
                Component::CurDir => {}
                _ => return Err(Error::Model(ModelRefusal::IgnoredPaths)),
            }
        }
        if plain.as_os_str().is_empty() {
            return Err(Error::Model(ModelRefusal::IgnoredPaths));
        }
        let entry = self.0.entry(plain.clone().into()).or_insert(by);
        *entry = by.min(*entry);
        Ok(plain)
    }

    /// Adds the bundle's own path, unless it is absolute and outside of this directory. The file need not be there.
    pub(super) fn add_signature(&mut self, path: &Path, directory: &Path) -> Result<(), Error> {
        if path.is_relative() {
            return self.add(path, IgnoredBy::Signature).map(drop);
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
        // Where there is no directory, there is no file to leave out.
        let Ok(parent) = fs::canonicalize(parent) else { return Ok(()) };
        match parent.strip_prefix(directory) {
            Ok(inside) => self.add(&inside.join(name), IgnoredBy::Signature).map(drop),
            Err(_) => Ok(()),
        }
    }

    /// Takes a name of git out again: a single file may have it.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(OsStr::new(name));
    }

    /// Who ignores this path, if it is one of those.
    pub(super) fn by(&self, path: &Path) -> Option<IgnoredBy> {
        self.0.get(path.as_os_str()).copied()
    }

    /// Whether this is one of the paths, or under one of them.
    pub(super) fn cover(&self, path: impl AsRef<Path>) -> bool {
        path.as_ref().ancestors().any(|path| self.by(path).is_some())
    }

    /// The paths as a statement has them: with `/`, sorted by their bytes.
    ///
    /// # Errors
    ///
    /// [`ModelRefusal::IgnoredPaths`] if one is not UTF-8 or has a character that other tools could take for a
    /// pattern.
    pub(super) fn into_names(self) -> Result<Vec<String>, Error> {
        let name = |path: OsString| {
            let name = name_of(Path::new(&path)).ok_or(Error::Model(ModelRefusal::IgnoredPaths))?;
            names::check_ignored_to_sign(&name).map(|()| name)
        };
        let mut names = self.0.into_keys().map(name).collect::<Result<Vec<_>, _>>()?;
        names.sort_unstable();
        Ok(names)
    }
}

/// The name of a relative path: with `/`, whatever separates paths here. `None` if it is not UTF-8.
pub(super) fn name_of(path: &Path) -> Option<String> {
    let name = path.to_str()?;
    Some(if cfg!(windows) { name.replace('\\', "/") } else { name.to_owned() })
}
