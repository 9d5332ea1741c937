//! Whether others can read a private key, or change a key.

use std::{
    fs::{self, Metadata},
    path::Path,
};

use crate::{console::Console, name::Name};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Private,
    Public,
}

/// Warns of a key file by what its mode lets others do.
#[cfg(unix)]
pub(super) fn warn(name: &Name, metadata: &Metadata, secrecy: Secrecy, console: &Console) {
    use std::os::unix::fs::MetadataExt;

    if !metadata.is_file() {
        return;
    }
    let user = rustix::process::geteuid().as_raw();
    let is_owner = metadata.uid() == user;
    // A group of the user's own, as many systems make for each user: the mode 0664 is usual there.
    let is_own_group = is_owner && metadata.gid() == user;
    let others = |bits: u32| metadata.mode() & bits != 0;
    let can_write = others(0o002) || others(0o020) && !is_own_group;
    let warning = match secrecy {
        // Who is not the owner reads by the group, as from a volume of Kubernetes with an fsGroup.
        Secrecy::Private => {
            let can_read = others(0o004) || others(0o040) && is_owner;
            let can_write = others(0o022);
            match (can_read, can_write) {
                (true, true) => {
                    "others can read and change this private key; run `chmod 600` on it"
                }
                (true, false) => "others can read this private key; run `chmod 600` on it",
                (false, true) => "others can change this private key; run `chmod go-w` on it",
                (false, false) => return,
            }
        }
        Secrecy::Public if can_write => {
            "others can change this public key, and put theirs in its place; run `chmod go-w` on it"
        }
        Secrecy::Public => return,
    };
    console.note(format_args!("warning: {name}: {warning}"));
}

#[cfg(not(unix))]
pub(super) fn warn(_: &Name, _: &Metadata, _: Secrecy, _: &Console) {}

/// The same for the keys in a directory.
pub(super) fn warn_in(directory: &Path, secrecy: Secrecy, console: &Console) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            // Behind links, where Kubernetes keeps the files.
            if let Ok(metadata) = fs::metadata(&path) {
                warn(&Name::of(&path), &metadata, secrecy, console);
            }
        }
    }
}
