//! The paths of `--ignore`, each checked so that the message names it and says what is wrong with it.

use std::path::{Component, Path, PathBuf};

use twinseal::model::Manifest;

use crate::{console::Console, failure::Failure, name::Name};

/// Paths relative to the model, in their plain form.
pub(super) struct Ignored(Vec<PathBuf>);

impl Ignored {
    /// Refuses paths that lead out of the model or are all of it.
    pub(super) fn new(paths: &[PathBuf], model: &Path) -> Result<Self, Failure> {
        let plain: Result<Vec<_>, _> = paths.iter().map(|path| plain(path)).collect();
        let plain = plain?;
        let model = model.canonicalize().unwrap_or_else(|_| model.into());
        if !model.is_dir() {
            let own_name = model.file_name().map(Path::new);
            if let Some(path) = plain.iter().find(|path| Some(path.as_path()) == own_name) {
                return Err(refused(path, "it is the whole model; leave out this option"));
            }
        }
        Ok(Self(plain))
    }

    /// Notes paths that lead to nothing: their names are wrong, perhaps.
    pub(super) fn note_missing(&self, model: &Path, console: &Console) {
        if !model.is_dir() {
            if let Some(path) = self.0.first() {
                console.note(format_args!(
                    "--ignore {}: the model is a file, so there is nothing to leave out",
                    Name::quoted(path)
                ));
            }
            return;
        }
        for path in &self.0 {
            let found = model.join(path).symlink_metadata();
            if found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
                console.note(format_args!(
                    "--ignore {}: the model has no such file or directory",
                    Name::quoted(path)
                ));
            }
        }
    }

    /// Refuses paths that a bundle cannot list.
    pub(super) fn check_can_be_listed(&self) -> Result<(), Failure> {
        match self.0.iter().find_map(|path| Some((path, unlistable(path)?))) {
            Some((path, reason)) => {
                Err(refused(path, &format!("{reason}; name a directory above it, or rename it")))
            }
            None => Ok(()),
        }
    }

    /// Refuses paths that were signed, or that have signed files under them.
    pub(super) fn check_unsigned(&self, manifest: &Manifest) -> Result<(), Failure> {
        for path in &self.0 {
            let signed = manifest.files().find(|file| Path::new(file.name()).starts_with(path));
            if let Some(file) = signed {
                let reason = match Path::new(file.name()) == path {
                    true => "the signer signed it".into(),
                    false => format!(
                        "the signer signed a file in it ({})",
                        Name::quoted(Path::new(file.name()))
                    ),
                };
                return Err(refused(path, &format!("{reason}; what was signed is always checked")));
            }
        }
        Ok(())
    }

    /// Whether a path is left out.
    pub(super) fn cover(&self, path: &Path) -> bool {
        self.0.iter().any(|ignored| path.starts_with(ignored))
    }

    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.0
    }
}

/// Why a bundle cannot say that this path was left out.
pub(super) fn unlistable(path: &Path) -> Option<&'static str> {
    match path.to_str() {
        None => Some("its name is not UTF-8, so the signature cannot say that it is left out"),
        Some(text) if text.contains(['*', '?', '[']) => {
            Some("other tools take `*`, `?` and `[` in the name of what is left out for a pattern")
        }
        Some(_) => None,
    }
}

fn plain(path: &Path) -> Result<PathBuf, Failure> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                return Err(refused(path, "`..` may lead out of the model; name a path in it"));
            }
            Component::RootDir | Component::Prefix(_) => {
                return Err(refused(path, "it is absolute; name a path relative to the model"));
            }
        }
    }
    match plain.as_os_str().is_empty() {
        true => Err(refused(path, "it is the whole model; name a path in it")),
        false => Ok(plain),
    }
}

fn refused(path: &Path, reason: &str) -> Failure {
    Failure::usage(format!("--ignore {}: {reason}", Name::quoted(path)))
}
