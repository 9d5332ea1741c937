//! Carries metadata from a file to the file that replaces it.
//!
//! The owner is the user who runs the tool. Group, ACL and mode are carried only together, because each has a
//! meaning only with the others, and only from a file of the same owner. Until the new file is in place, only
//! its owner can open it.

use std::fs::File;

use rustix::fs::{Gid, Mode, fchmod, fchown};

use super::{Content, acl::Acl, status::Status};

/// The metadata of a file that is replaced.
pub(super) struct Carried {
    old: Status,
    acl: Acl,
    /// Whether others may read it only if they could read the file that it replaces.
    is_plaintext: bool,
    /// Whether owner, group and ACL can be those of the old file.
    is_exact: bool,
}

impl Carried {
    /// `None` if the file is another user's: then nothing is carried.
    pub(super) fn from(old: Status, acl: Acl, content: Content) -> Option<Self> {
        let is_plaintext = !matches!(content, Content::Binary | Content::Text);
        old.is_mine().then_some(Self { old, acl, is_plaintext, is_exact: false })
    }

    /// Renews it with the permissions that the old file has now.
    pub(super) fn renewed(self, old: &File) -> Option<Self> {
        let (status, acl) = (Status::of(old).ok()?, Acl::of(old));
        status.is_mine().then_some(Self { old: status, acl, ..self })
    }

    /// Gives the new file the old one's group while nobody else can open it.
    pub(super) fn prepare(&mut self, new: &File) {
        let has_group = || {
            let status = Status::of(new)?;
            if status.group != self.old.group {
                fchown(new, None, Some(Gid::from_raw(self.old.group)))?;
            }
            let status = Status::of(new)?;
            // A server may have given the file to another user.
            Ok::<_, std::io::Error>(
                (status.owner, status.group) == (self.old.owner, self.old.group),
            )
        };
        self.is_exact = has_group().unwrap_or(false) && self.acl.prepare(new);
    }

    /// Opens the new file, which is now in place, to the users who could open the old one.
    pub(super) fn widen(self, new: &File) {
        // If this fails, only the owner can open the file.
        let _ = match (self.is_exact, self.is_plaintext) {
            (true, _) if self.acl.is_some() => match self.acl.apply(new) {
                // Done, unless all could write.
                Ok(()) if self.old.mode & 0o002 == 0 => Ok(()),
                Ok(()) => fchmod(new, Mode::from_raw_mode(carried(self.old.mode) as _)),
                Err(error) => Err(error),
            },
            (true, _) => fchmod(new, Mode::from_raw_mode(carried(self.old.mode) as _)),
            (false, true) => Ok(()),
            (false, false) => {
                fchmod(new, Mode::from_raw_mode(for_any_group(carried(self.old.mode)) as _))
            }
        };
    }
}

/// Read, write and execute permissions, but never write permission for all.
fn carried(mode: u32) -> u32 {
    mode & 0o775
}

/// The mode if the group is another than that of the old file: it gets only the permissions of all.
fn for_any_group(mode: u32) -> u32 {
    let all = mode & 0o007;
    (mode & 0o707) | (mode & 0o070 & (all << 3))
}
