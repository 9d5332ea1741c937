//! What a guard leaves to the one that begins where it ended.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use super::RequestTime;
#[cfg(doc)]
use crate::error::ReplayRefusal;
use crate::{error::Error, key_files::files, wire};

/// What a [`WindowGuard`](super::WindowGuard) leaves behind: no request that is later was let in.
///
/// A mark is for one restart. The guard that [resumes](super::WindowGuard::resume) from it lets in what is
/// later, so a second guard that resumed from the same mark would let the same requests in again:
/// **delete a stored mark, durably, before the first request is accepted**.
///
/// It is not secret, but whoever can change it decides which requests are refused as
/// [`Restarted`](ReplayRefusal::Restarted).
#[derive(Debug, PartialEq, Eq)]
pub struct Mark(RequestTime);

impl Mark {
    /// Length in bytes.
    pub const LEN: usize = 8;

    pub(super) const fn new(time: RequestTime) -> Self {
        Self(time)
    }

    /// Uses it up.
    pub(super) fn into_time(self) -> RequestTime {
        self.0
    }

    /// The time up to which requests will be refused.
    #[must_use]
    pub const fn time(&self) -> RequestTime {
        self.0
    }

    /// The mark as 8 bytes, to be stored.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        self.0.as_millis().to_be_bytes()
    }

    /// A mark that was stored. If there is an error, begin with a [new](super::WindowGuard::new) guard.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] unless there are 8 bytes, [`Error::Invalid`] if they are not those of a mark.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let millis = u64::from_be_bytes(wire::array("mark", bytes)?);
        let time = RequestTime::from_millis(millis);
        let reason = "its time is not below 2^53";
        time.map(Self).ok_or(Error::Invalid { what: "mark", reason })
    }

    /// Takes the mark out of a file, so that it is used once: when this returns, the file is gone for
    /// good, also after a crash. Returns `None` if there is no such file, or no mark in it: then begin
    /// with a [new](super::WindowGuard::new) guard.
    ///
    /// ```
    /// use std::{io, path::Path};
    /// use twinseal::request::{Mark, WindowGuard};
    ///
    /// fn begin(path: &Path) -> io::Result<WindowGuard> {
    ///     let guard = Mark::take_file(path)?.map_or_else(WindowGuard::new, WindowGuard::resume);
    ///     if guard.refuses_for() > guard.window().ahead() {
    ///         eprintln!("a clock is or was wrong: no request is let in for {:?}", guard.refuses_for());
    ///     }
    ///     Ok(guard)
    /// }
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("mark");
    /// let guard = begin(&path)?;
    /// // The service accepts requests, and ends:
    /// guard.close().write_file(&path)?;
    /// # begin(&path)?;
    /// # assert!(!path.exists());
    /// # Ok::<(), io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the file system, with the file's name in front. Accept no request then: the file may be
    /// there still.
    pub fn take_file(path: impl AsRef<Path>) -> io::Result<Option<Self>> {
        let path = path.as_ref();
        take(path).map_err(|error| Error::at(path, error))
    }

    /// Leaves the mark in a file for the next start, whole or not at all, in place of an older one.
    ///
    /// # Errors
    ///
    /// Those of the file system, with the file's name in front. The next guard then begins anew, and
    /// refuses requests for two seconds.
    pub fn write_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        // The older one must not be there if this one cannot be written.
        let written = remove(path).and_then(|_| files::write_whole(path, &self.to_bytes()));
        written.map_err(|error| Error::at(path, error))
    }
}

fn take(path: &Path) -> io::Result<Option<Mark>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(Mark::LEN as u64 + 1).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    remove(path)?;
    // After a crash, some file systems show zeros for what was not written.
    let mark = Mark::from_bytes(&bytes).ok();
    Ok(mark.filter(|mark| mark.time() > RequestTime::MIN))
}

/// Removes a file for good, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    #[cfg(unix)]
    {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
