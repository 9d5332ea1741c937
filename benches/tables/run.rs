//! A program that measures and writes pages: what its arguments ask for, and where the pages go.

use std::{env, fs, path::Path, process::ExitCode};

use super::{libtest::Options, measure::Effort, mode};

/// The contents of a file, behind its path within the repository.
pub(crate) type Page = (&'static str, String);

/// Measures and writes. In a test, nothing is written.
pub(crate) fn main(name: &str, measure: impl FnOnce(Effort) -> Vec<Page>) -> ExitCode {
    let effort = match effort(name) {
        Ok(Some(effort)) => effort,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let pages = measure(effort);
    if effort == Effort::Once {
        return ExitCode::SUCCESS;
    }
    let directory = destination(effort);
    for (page, content) in pages {
        let path = directory.join(page);
        let parent = path.parent().unwrap_or(directory);
        if let Err(error) = fs::create_dir_all(parent).and_then(|()| fs::write(&path, content)) {
            eprintln!("{} cannot be written: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{} is written", path.display());
    }
    ExitCode::SUCCESS
}

/// What the arguments ask for: nothing, if they are about other tests than this one.
fn effort(name: &str) -> Result<Option<Effort>, String> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if mode::testing() {
        return Ok(Options::new(arguments).runs(name).then_some(Effort::Once));
    }
    let mut effort = Effort::Full;
    for argument in &arguments {
        match argument.as_str() {
            "--bench" => {}
            "--quick" => effort = Effort::Quick,
            _ => {
                return Err(format!("{argument} is unknown: there is --quick, --test, or nothing"));
            }
        }
    }
    Ok(Some(effort))
}

/// The root of the repository for a full run. Rough figures do not replace those that are published.
fn destination(effort: Effort) -> &'static Path {
    Path::new(match effort {
        Effort::Full => concat!(env!("CARGO_MANIFEST_DIR"), "/../.."),
        Effort::Once | Effort::Quick => concat!(env!("CARGO_TARGET_TMPDIR"), "/tables"),
    })
}
