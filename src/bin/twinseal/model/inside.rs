//! Which files of a command are files of the model, too?

use std::{
    fs::{self, File, Metadata},
    path::{Path, PathBuf},
};

use crate::streams::{self, Direction};

/// The paths, relative to the model, that lead to a file which is named on the command line. The path is empty if the
/// file is the model.
pub(super) fn paths_of(file: &Path, model: &Path) -> Vec<PathBuf> {
    match streams::named(file) {
        Some(0) => {
            let stream = streams::standard(Direction::Read).ok().flatten();
            stream.map(|stream| paths_of_open(&stream, model)).unwrap_or_default()
        }
        _ => match fs::metadata(file) {
            Ok(metadata) => paths_by(&metadata, Some(file), model),
            Err(_) => within(file, model).into_iter().collect(),
        },
    }
}

/// The same for an open file.
pub(super) fn paths_of_open(file: &File, model: &Path) -> Vec<PathBuf> {
    match file.metadata() {
        Ok(metadata) => paths_by(&metadata, path_of(file, &metadata).as_deref(), model),
        Err(_) => Vec::new(),
    }
}

/// The path of a file relative to a directory that it is in, or will be in; empty if both are the same.
pub(super) fn within(file: &Path, directory: &Path) -> Option<PathBuf> {
    let directory = directory.canonicalize().ok()?;
    let file = file.canonicalize().ok().or_else(|| {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        Some(parent.unwrap_or(Path::new(".")).canonicalize().ok()?.join(file.file_name()?))
    })?;
    Some(file.strip_prefix(directory).ok()?.into())
}

/// Looks through the model only if the file may have another name than the known one.
#[cfg(unix)]
fn paths_by(metadata: &Metadata, known: Option<&Path>, model: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::MetadataExt;

    match known {
        _ if !metadata.is_file() || metadata.nlink() == 0 => Vec::new(),
        Some(path) if metadata.nlink() == 1 => within(path, model).into_iter().collect(),
        _ => search(metadata, model),
    }
}

#[cfg(not(unix))]
fn paths_by(metadata: &Metadata, known: Option<&Path>, model: &Path) -> Vec<PathBuf> {
    let known = known.filter(|_| metadata.is_file());
    known.and_then(|path| within(path, model)).into_iter().collect()
}

/// All names of a file in the model. What cannot be read is not looked into: signing and verifying report it.
#[cfg(unix)]
fn search(wanted: &Metadata, model: &Path) -> Vec<PathBuf> {
    let is_wanted = |found: &Metadata| is_same(wanted, found);
    if fs::metadata(model).is_ok_and(|metadata| is_wanted(&metadata)) {
        return vec![PathBuf::new()];
    }
    let mut found = Vec::new();
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(model.join(&directory)).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let path = directory.join(entry.file_name());
            if metadata.is_dir() {
                directories.push(path);
            } else if is_wanted(&metadata) {
                found.push(path);
            }
        }
    }
    found
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    one.dev() == other.dev() && one.ino() == other.ino()
}

/// The name of an open file, if it still has it.
#[cfg(target_os = "linux")]
fn path_of(file: &File, metadata: &Metadata) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;

    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    fs::metadata(&path).is_ok_and(|named| is_same(&named, metadata)).then_some(path)
}

#[cfg(not(target_os = "linux"))]
fn path_of(_: &File, _: &Metadata) -> Option<PathBuf> {
    None
}
