//! Warns if others can read a private key or a passphrase, or change a key.

use std::{
    fs::{self, Metadata},
    path::Path,
};

use crate::{console::Console, name::Name};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Private,
    /// Of a private key.
    Passphrase,
    Public,
}

/// Warns about a file whose mode lets others read or change it.
#[cfg(unix)]
pub(crate) fn warn(name: &Name, metadata: &Metadata, secrecy: Secrecy, console: &Console) {
    use std::os::unix::fs::MetadataExt;

    if !metadata.is_file() {
        return;
    }
    let user = rustix::process::geteuid().as_raw();
    let is_owner = metadata.uid() == user;
    // Many systems make a group for each user, and there the mode 0664 is usual.
    let is_own_group = is_owner && metadata.gid() == user;
    let others = |bits: u32| metadata.mode() & bits != 0;
    let can_write = others(0o002) || others(0o020) && !is_own_group;
    let warning = match secrecy {
        // A user who is not the owner reads through the group, as in a Kubernetes volume with an fsGroup.
        Secrecy::Private | Secrecy::Passphrase => {
            let what = if secrecy == Secrecy::Private { "private key" } else { "passphrase" };
            let can_read = others(0o004) || others(0o040) && is_owner;
            let can_write = others(0o022);
            match (can_read, can_write) {
                (true, true) => {
                    format!("others can read and change this {what}; run `chmod 600` on it")
                }
                (true, false) => format!("others can read this {what}; run `chmod 600` on it"),
                (false, true) => format!("others can change this {what}; run `chmod go-w` on it"),
                (false, false) => return,
            }
        }
        Secrecy::Public if can_write => {
            "others can change this public key, or replace it with theirs; run `chmod go-w` on it"
                .into()
        }
        Secrecy::Public => return,
    };
    console.note(format_args!("warning: {name}: {warning}"));
}

#[cfg(not(unix))]
pub(crate) fn warn(_: &Name, _: &Metadata, _: Secrecy, _: &Console) {}

/// The same for the keys in a directory.
pub(super) fn warn_in(directory: &Path, secrecy: Secrecy, console: &Console) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            // Follows links, behind which Kubernetes keeps the files.
            if let Ok(metadata) = fs::metadata(&path) {
                warn(&Name::of(&path), &metadata, secrecy, console);
            }
        }
    }
}
