//! Which standard stream a path stands for: `-`, `/dev/stdin` and the like, and links to them.

use std::path::Path;

use crate::name;

/// 0 is standard input, 1 output, and 2 error. A `-` is standard input here.
pub(crate) fn named(path: &Path) -> Option<u8> {
    if name::is_standard(path) {
        return Some(0);
    }
    #[cfg(unix)]
    return unix::named(path);
    #[cfg(not(unix))]
    None
}

#[cfg(unix)]
mod unix {
    use std::{fs, path::Path};

    /// As many as Linux follows.
    const MAX_LINKS: usize = 40;

    pub(super) fn named(path: &Path) -> Option<u8> {
        let mut path = path.to_path_buf();
        for _ in 0..MAX_LINKS {
            match path.to_str() {
                Some("/dev/stdin") => return Some(0),
                Some("/dev/stdout") => return Some(1),
                Some("/dev/stderr") => return Some(2),
                _ => {}
            }
            let name = path.file_name()?;
            let number = match name.to_str() {
                Some("0") => Some(0),
                Some("1") => Some(1),
                Some("2") => Some(2),
                _ => None,
            };
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let directory = directory.unwrap_or(Path::new("."));
            if number.is_some() && is_of_descriptors(directory) {
                return number;
            }
            // A link that leads to a pipe, for example, has no name to go on with.
            path = directory.join(fs::read_link(&path).ok()?);
        }
        None
    }

    /// Whether it is `/dev/fd`, or the directory in procfs that this is a link to.
    fn is_of_descriptors(directory: &Path) -> bool {
        let Ok(directory) = fs::canonicalize(directory) else { return false };
        let Some(directory) = directory.to_str() else { return false };
        let process = format!("/proc/{}/", std::process::id());
        let in_procfs = directory.strip_prefix(&process).map(|rest| rest.split('/'));
        directory == "/dev/fd"
            || in_procfs.is_some_and(|parts| {
                matches!(parts.collect::<Vec<_>>().as_slice(), ["fd"] | ["task", _, "fd"])
            })
    }
}
