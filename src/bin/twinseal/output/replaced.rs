//! Checks, before any input is read, whether an existing file may be replaced or written to.

use std::{fs::File, io};

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, accessat, openat};

use super::{place::Place, status::Status};
use crate::{failure::Failure, name::Name};

/// Refuses a file that its owner or the system protects. Renaming needs permission only from the directory, so
/// the file's own protection is checked here.
pub(super) fn check_file(place: &Place, old: &Status, name: &Name) -> Result<(), Failure> {
    let refused = |reason: &str| Err(Failure::of(name, reason));
    if old.mode & 0o200 == 0 {
        return refused(
            "it is write-protected; run `chmod u+w` on it, or name another file with -o",
        );
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::StatxAttributes;
        let attributes = attributes(place, false);
        if attributes.contains(StatxAttributes::MOUNT_ROOT) {
            return refused(
                "it is a mount point, which cannot be replaced; name another file with -o, or write into it \
                 with `-o - >`",
            );
        }
        if attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND) {
            return refused(
                "it is immutable or append-only, which `lsattr` shows; name another file with -o",
            );
        }
    }
    match accessat(&*place.directory, &place.name, Access::WRITE_OK, AtFlags::EACCESS) {
        Err(error) if error == rustix::io::Errno::ACCESS => {
            return refused("you do not have permission to write to it; name another file with -o");
        }
        Err(error) if error == rustix::io::Errno::ROFS => {
            return Err(Failure::writing(name, &error.into()));
        }
        // Any other error comes up when the file is put in place.
        _ => {}
    }
    let directory = Status::of(&place.directory).map_err(|error| Failure::writing(name, &error))?;
    let owns = old.is_mine() || directory.is_mine();
    if directory.is_sticky() && !owns && !may_ignore_owners() {
        return refused(
            "it belongs to another user, and its directory is sticky: only its owner may replace it; \
             name another file with -o",
        );
    }
    Ok(())
}

/// Refuses a directory in which no file can be made, or none removed.
pub(super) fn check_directory(place: &Place, name: &Name) -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::StatxAttributes;
        let protected = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
        if attributes(place, true).intersects(protected) {
            return Err(Failure::of(
                name,
                "its directory is immutable or append-only, which `lsattr -d` shows; choose another with -o",
            ));
        }
    }
    let _ = (place, name);
    Ok(())
}

/// Opens a FIFO, device or socket: the caller's own, or a character device of the system such as a terminal.
/// Another user's FIFO would hand the result to that user.
pub(super) fn open_special(place: &Place, found: &Status, name: &Name) -> Result<File, Failure> {
    let what = match found.kind {
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "a special file",
    };
    let is_systems = found.kind == FileType::CharacterDevice && found.owner == 0;
    if !found.is_mine() && !is_systems {
        return Err(Failure::of(
            name,
            format_args!("it is {what} of another user; name a file with -o"),
        ));
    }
    if found.kind == FileType::Socket {
        let reason = "it is a socket, which cannot be written to by name; name a file with -o";
        return Err(Failure::of(name, reason));
    }
    let failed = |error: io::Error| Failure::writing(name, &error);
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = openat(&*place.directory, &place.name, flags, Mode::empty());
    let opened = opened.map_err(|error| failed(error.into()))?;
    let status = Status::of(&opened).map_err(failed)?;
    if status.identity != found.identity || status.kind != found.kind {
        return Err(changed(name));
    }
    Ok(opened.into())
}

pub(super) fn changed(name: &Name) -> Failure {
    Failure::of(
        name,
        "another file took its place in the meantime and was left as it is; find out what writes there, then \
         run the command again",
    )
}

/// The attributes of the file or of its directory, as far as the file system has them.
#[cfg(target_os = "linux")]
fn attributes(place: &Place, of_directory: bool) -> rustix::fs::StatxAttributes {
    use rustix::fs::{StatxAttributes, StatxFlags, statx};

    let (path, flags) = if of_directory {
        (std::ffi::OsStr::new(""), AtFlags::EMPTY_PATH)
    } else {
        (place.name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW)
    };
    statx(&*place.directory, path, flags, StatxFlags::empty())
        .map_or(StatxAttributes::empty(), |found| found.stx_attributes & found.stx_attributes_mask)
}

/// Whether the process may replace other users' files in sticky directories, as root usually may.
fn may_ignore_owners() -> bool {
    #[cfg(target_os = "linux")]
    return rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(rustix::thread::CapabilitySet::FOWNER));
    #[cfg(not(target_os = "linux"))]
    return super::status::me() == 0;
}
