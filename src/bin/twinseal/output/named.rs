//! Temporary names of files, which a stopped process removes.

use std::{
    ffi::{OsStr, OsString},
    io, mem,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::{
    fs::{AtFlags, unlinkat},
    io::Errno,
};

use crate::name::Name;

/// The files of this process. It is locked while they change.
static STATE: Mutex<State> = Mutex::new(State { unfinished: None, placed: Vec::new() });

struct State {
    /// The file that has a temporary name.
    unfinished: Option<(Arc<OwnedFd>, OsString)>,
    /// The files that are in place.
    placed: Vec<Name>,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file's temporary name in a directory. It is removed when dropped.
pub(super) struct Named {
    directory: Arc<OwnedFd>,
    name: OsString,
}

impl Named {
    /// Makes a file with a name that no other file has.
    pub(super) fn make<F>(
        directory: &Arc<OwnedFd>,
        make: impl Fn(&OsStr) -> rustix::io::Result<F>,
    ) -> io::Result<(Self, F)> {
        for _ in 0..100 {
            let name = temporary_name()?;
            let mut state = state();
            match make(&name) {
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
                Ok(file) => {
                    state.unfinished = Some((Arc::clone(directory), name.clone()));
                    return Ok((Self { directory: Arc::clone(directory), name }, file));
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub(super) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Moves the file to its place with `rename`. Messages name it `placed`.
    pub(super) fn place(
        self,
        placed: &Name,
        rename: impl FnOnce(&OwnedFd, &OsStr) -> rustix::io::Result<()>,
    ) -> io::Result<()> {
        let mut state = state();
        rename(&self.directory, &self.name)?;
        state.unfinished = None;
        state.placed.push(placed.clone());
        drop(state);
        mem::forget(self);
        Ok(())
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let mut state = state();
        // There is nobody to report an error to.
        let _ = unlinkat(&*self.directory, &self.name, AtFlags::empty());
        state.unfinished = None;
    }
}

fn temporary_name() -> io::Result<OsString> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!(".twinseal-{:016x}.partial", u64::from_ne_bytes(random)).into())
}

/// The files that were put in place.
pub(crate) fn placed() -> Vec<Name> {
    state().placed.clone()
}

/// Removes the file that has a temporary name, for a process that is about to end. The lock is never
/// released, so from here on nothing is put in place. Returns the files that are in place.
pub(crate) fn abandon() -> Vec<Name> {
    let state = state();
    if let Some((directory, name)) = &state.unfinished {
        let _ = unlinkat(&**directory, name, AtFlags::empty());
    }
    let placed = state.placed.clone();
    mem::forget(state);
    placed
}
