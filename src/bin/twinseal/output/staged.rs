//! A file that is written beside its target and takes its place at the end.
//!
//! On Linux it has no name until then, so that a killed process leaves nothing behind. Where the file
//! system does not support that, it is named `.twinseal-*.partial`, and removed when the process fails
//! or is stopped by a signal.

use std::{fs::File, io};

use rustix::{
    fs::{AtFlags, Mode, OFlags, fchmod, linkat, openat, renameat, unlinkat},
    io::Errno,
};

use super::{
    Content, acl::Acl, closing, metadata::Carried, named::Named, place::Place, replaced,
    status::Status,
};
use crate::{failure::Failure, name::Name};

pub(super) struct Staged {
    place: Place,
    /// `None` while the file has no name.
    named: Option<Named>,
    /// The file that it replaces.
    old: Option<Status>,
    /// The same file, held open so that no other file can get its inode.
    held: Option<File>,
    carried: Option<Carried>,
    is_key: bool,
}

impl Staged {
    pub(super) fn new(
        place: Place,
        old: Option<Status>,
        content: Content,
    ) -> io::Result<(Self, File)> {
        let held = old.as_ref().and_then(|old| hold(&place, old));
        let carried = old.and_then(|old| {
            let acl = held.as_ref().map_or(Acl::Unknown, Acl::of);
            Carried::from(old, acl, content)
        });
        let mode = match content {
            Content::Binary | Content::Text if carried.is_none() => 0o666, // less the umask
            _ => 0o600,
        };
        let (named, file) = match create_unnamed(&place, mode) {
            Ok(file) => (None, file),
            Err(_) => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
                let (named, file) = Named::make(&place.directory, |name| {
                    openat(&*place.directory, name, flags | OFlags::CLOEXEC, as_mode(mode))
                })?;
                (Some(named), file.into())
            }
        };
        if mode == 0o600 {
            // Whatever the umask is, the owner can read it.
            let _ = fchmod(&file, as_mode(mode));
        }
        Ok((Self { place, named, old, held, carried, is_key: content.is_key() }, file))
    }

    pub(super) fn commit(self, file: File, name: &Name) -> Result<(), Failure> {
        let Self { place, named, old, held, carried, is_key } = self;
        // The permissions of now: during the run the owner may have taken some back.
        let mut carried = match &held {
            Some(held) => carried.and_then(|carried| carried.renewed(held)),
            None => carried,
        };
        let failed = |error: io::Error| Failure::writing(name, &error);
        if is_key {
            file.sync_all().map_err(failed)?;
        }
        let named = match named {
            Some(named) => named,
            None => link(&file, &place).map_err(failed)?,
        };
        let made = Status::of(&file).map_err(failed)?;
        let is_made = |status: Status| status.identity == made.identity;
        // Opened again, to set permissions after the written file is closed, and so that no other file can get
        // its inode. If there are no permissions to set, the umask may forbid it.
        let reopened = match reopen(&named) {
            Ok(again) if Status::of(&again).is_ok_and(is_made) => Some(again),
            Ok(_) => return Err(replaced::changed(name)),
            Err(error) if is_key || carried.is_some() => return Err(failed(error)),
            Err(_) => None,
        };
        if let (Some(file), Some(carried)) = (&reopened, &mut carried) {
            carried.prepare(file);
        }
        // Until this succeeds, written data may still be lost.
        closing::close(file).map_err(failed)?;
        // Others who can write to the directory may have put a file of theirs there.
        if !Status::at(named.directory(), named.name()).is_ok_and(is_made) {
            return Err(replaced::changed(name));
        }
        put_in_place(named, &place, old.as_ref(), name)?;
        if let (Some(file), Some(carried)) = (&reopened, carried) {
            carried.widen(file);
        }
        match reopened {
            Some(file) if is_key => {
                closing::sync_directory(&place.directory, &file).map_err(failed)
            }
            _ => Ok(()),
        }
    }
}

/// Opens the file that is to be replaced, if it is still the one that was checked.
fn hold(place: &Place, old: &Status) -> Option<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let open = |access| openat(&*place.directory, &place.name, access | flags, Mode::empty());
    let file = File::from(open(OFlags::RDONLY).or_else(|_| open(OFlags::WRONLY)).ok()?);
    (Status::of(&file).ok()?.identity == old.identity).then_some(file)
}

fn reopen(named: &Named) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(named.directory(), named.name(), flags, Mode::empty())?.into())
}

fn put_in_place(
    named: Named,
    place: &Place,
    old: Option<&Status>,
    name: &Name,
) -> Result<(), Failure> {
    let standing = match Status::at(&*place.directory, &place.name) {
        Ok(standing) => Some(standing),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::writing(name, &error)),
    };
    let moved = match (&standing, old) {
        (None, _) => named.place(name, |directory, from| rename_new(directory, from, place)),
        (Some(standing), Some(old)) if standing.identity == old.identity => {
            // It may be protected by now.
            replaced::check_file(place, standing, name)?;
            named.place(name, |directory, from| {
                renameat(directory, from, &*place.directory, &place.name)
            })
        }
        (Some(_), None) => Err(Errno::EXIST.into()),
        (Some(_), Some(_)) => return Err(replaced::changed(name)),
    };
    moved.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::BUSY) => Failure::of(
            name,
            "the system is using it, for example as a mount point, so it cannot be replaced; name another \
             file with -o",
        ),
        _ => Failure::writing(name, &error),
    })
}

/// Renames without replacing anything.
fn rename_new(
    directory: &rustix::fd::OwnedFd,
    from: &std::ffi::OsStr,
    place: &Place,
) -> rustix::io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        let renamed =
            rustix::fs::renameat_with(directory, from, &*place.directory, &place.name, flags);
        if !matches!(renamed, Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)) {
            return renamed;
        }
    }
    linkat(directory, from, &*place.directory, &place.name, AtFlags::empty())?;
    unlinkat(directory, from, AtFlags::empty())
}

#[cfg(target_os = "linux")]
fn create_unnamed(place: &Place, mode: u32) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let create = || openat(&*place.directory, ".", flags, as_mode(mode)).map(File::from);
    // Tries on an empty file whether it can be given a name, since it would be too late to find out
    // after hours of work.
    drop(link(&create()?, place)?);
    Ok(create()?)
}

/// Gives an unnamed file a temporary name, as open(2) shows it under `O_TMPFILE`.
#[cfg(target_os = "linux")]
fn link(file: &File, place: &Place) -> io::Result<Named> {
    use std::os::fd::AsRawFd;

    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let (named, ()) = Named::make(&place.directory, |name| {
        linkat(rustix::fs::CWD, &open, &*place.directory, name, AtFlags::SYMLINK_FOLLOW)
    })?;
    Ok(named)
}

#[cfg(not(target_os = "linux"))]
fn create_unnamed(_: &Place, _: u32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Place) -> io::Result<Named> {
    Err(io::ErrorKind::Unsupported.into())
}

fn as_mode(mode: u32) -> Mode {
    Mode::from_raw_mode(mode as _)
}
