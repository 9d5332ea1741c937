//! Where in the model is the file that a command writes?
//!
//! A bundle that is in the model cannot be signed, so it is left out. Only a bundle is replaced there: whatever else
//! is in the place of the output is a file of the model.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use twinseal::model::{Bundle, Manifest};

use super::{
    ignored::{Ignored, unlistable},
    inside,
};
use crate::{
    failure::Failure,
    input::Input,
    name::{self, Name},
    output::Output,
};

/// The path of `-o` relative to the model, if the bundle will be in it.
pub(super) fn of_file(output: Option<&Path>, model: &Path) -> Result<Option<PathBuf>, Failure> {
    let Some(output) = output.filter(|path| !name::is_standard(path)) else { return Ok(None) };
    let Some(path) = inside::within(output, model) else { return Ok(None) };
    let name = Name::of(output);
    if output.is_file() {
        let bundle = read(output)?;
        let is_model = path.as_os_str().is_empty();
        let is_bundle = Bundle::from_bytes(bundle).is_ok_and(|bundle| bundle.claim().is_ok());
        if is_model || !is_bundle {
            return Err(Failure::of(
                &name,
                "it is a file of the model and would be overwritten; name another file with -o (only the signature of a \
                 model is replaced)",
            ));
        }
    }
    listable(path, &name).map(Some)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut input = Input::open(Some(path))?;
    let mut bytes = Vec::new();
    let read = input.by_ref().take(Bundle::MAX_LEN as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::from_io(error, input.name()))?;
    Ok(bytes)
}

/// The path of the file that a shell has opened for the bundle, as in `> model/model.sig`.
pub(super) fn of_stream(
    file: &File,
    name: &Name,
    model: &Path,
    ignored: &Ignored,
) -> Result<Option<PathBuf>, Failure> {
    let mut paths = inside::paths_of_open(file, model);
    paths.retain(|path| !ignored.cover(path));
    let is_empty = file.metadata().is_ok_and(|metadata| metadata.len() == 0);
    match (paths.pop(), paths.is_empty()) {
        (None, _) => Ok(None),
        (Some(path), true) if is_empty && !path.as_os_str().is_empty() => {
            listable(path, name).map(Some)
        }
        (Some(path), _) => Err(overwritten(name, &path)),
    }
}

/// The paths of the file that a shell has opened for the report.
pub(super) fn of_report(
    output: &Output,
    model: &Path,
    manifest: &Manifest,
) -> Result<Vec<PathBuf>, Failure> {
    let Some(file) = output.stream() else { return Ok(Vec::new()) };
    let paths = inside::paths_of_open(file, model);
    let is_signed = |path: &&PathBuf| {
        path.as_os_str().is_empty()
            || path.to_str().is_some_and(|name| manifest.file(name).is_some())
    };
    match paths.iter().find(is_signed) {
        Some(path) => Err(overwritten(output.name(), path)),
        None => Ok(paths),
    }
}

fn overwritten(output: &Name, path: &Path) -> Failure {
    let what = match path.as_os_str().is_empty() {
        true => "it is the model itself".into(),
        false => format!("it is a file of the model ({})", Name::quoted(path)),
    };
    Failure::of(output, format_args!("{what} and would be overwritten; write to another file"))
}

/// The bundle lists its own path, so that verifiers leave it out.
fn listable(path: PathBuf, name: &Name) -> Result<PathBuf, Failure> {
    match unlistable(&path) {
        Some(reason) => Err(Failure::of(name, format_args!("{reason}; name another file with -o"))),
        None => Ok(path),
    }
}
