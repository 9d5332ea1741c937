//! Access control lists, which grant more than the mode of a file shows.

use std::fs::File;

#[cfg(target_os = "linux")]
use rustix::{
    fs::{XattrFlags, fgetxattr, fremovexattr, fsetxattr},
    io::Errno,
};

pub(super) enum Acl {
    None,
    /// The name and value of the extended attribute that holds it.
    #[cfg(target_os = "linux")]
    Some(&'static str, Vec<u8>),
    /// It could not be read, or this system has lists of another kind.
    Unknown,
}

/// The attributes in which Linux keeps them: POSIX drafts, NFS version 4, and "richacls".
#[cfg(target_os = "linux")]
const NAMES: [&str; 3] = ["system.posix_acl_access", "system.nfs4_acl", "system.richacl"];

#[cfg(target_os = "linux")]
impl Acl {
    pub(super) fn of(file: &File) -> Self {
        for name in NAMES {
            let mut list = vec![0; 64 * 1024];
            match fgetxattr(file, name, &mut list[..]) {
                Ok(length) => {
                    list.truncate(length);
                    return Self::Some(name, list);
                }
                Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
                Err(_) => return Self::Unknown,
            }
        }
        Self::None
    }

    pub(super) fn is_some(&self) -> bool {
        matches!(self, Self::Some(..))
    }

    /// Removes the list that a file got from its directory. Returns whether [`Acl::apply`], or just a mode,
    /// can then give the file these permissions.
    pub(super) fn prepare(&self, file: &File) -> bool {
        match self {
            Self::None => NAMES.iter().all(|name| {
                let removed = fremovexattr(file, *name);
                matches!(removed, Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP))
            }),
            Self::Some(..) => true,
            Self::Unknown => false,
        }
    }

    /// Sets the list and the mode in one step.
    pub(super) fn apply(&self, file: &File) -> rustix::io::Result<()> {
        match self {
            Self::Some(name, list) => fsetxattr(file, *name, list, XattrFlags::empty()),
            Self::None | Self::Unknown => Ok(()),
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Acl {
    pub(super) fn of(_: &File) -> Self {
        Self::Unknown
    }

    pub(super) fn is_some(&self) -> bool {
        false
    }

    pub(super) fn prepare(&self, _: &File) -> bool {
        false
    }

    pub(super) fn apply(&self, _: &File) -> rustix::io::Result<()> {
        Ok(())
    }
}
