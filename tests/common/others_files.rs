//! Files of other projects, which are no part of this one: an environment variable names the directory that holds them,
//! and CONTRIBUTING.md says where they come from. Without it, a test prints a line and is skipped.

use std::{
    env, fs,
    io::{Write, stderr},
    path::PathBuf,
};

/// The directory with the files of others.
pub(crate) struct OthersFiles(PathBuf);

impl OthersFiles {
    /// `None` if nobody said where it is.
    pub(crate) fn given(variable: &str) -> Option<Self> {
        let directory = env::var_os(variable);
        if directory.is_none() {
            // The test harness keeps to itself what `eprintln` prints. One write stays one line.
            let line = format!("skipped, since {variable} is not set (CONTRIBUTING.md)\n");
            let _ = stderr().write_all(line.as_bytes());
        }
        Some(Self(directory?.into()))
    }

    /// A file, which must be there.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let path = self.0.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}
