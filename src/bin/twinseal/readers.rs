//! Refuses to read one stream twice: the second reader would get only the bytes that the first left.

use std::path::Path;

use crate::{failure::Failure, name, streams};

/// Refuses a command line that reads one stream twice, before anything is read. `None` is an input that was
/// not given.
pub(crate) fn check<'a>(paths: impl IntoIterator<Item = Option<&'a Path>>) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for path in paths {
        let Some(stream) = Stream::of(path) else { continue };
        if seen.contains(&stream) {
            let name = match path.filter(|_| stream != Stream::Standard) {
                Some(path) => name::Name::of(path),
                None => name::Name::standard_input(),
            };
            return Err(Failure::usage(format!(
                "{name} would be read twice, but can be read only once; name a file instead"
            )));
        }
        seen.push(stream);
    }
    Ok(())
}

/// A file that gives each byte to only one reader.
#[derive(PartialEq, Eq)]
enum Stream {
    Standard,
    #[cfg(unix)]
    Node {
        device: u64,
        inode: u64,
    },
}

impl Stream {
    fn of(path: Option<&Path>) -> Option<Self> {
        let Some(path) = path.filter(|path| streams::named(path) != Some(0)) else {
            return Some(Self::Standard);
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::{FileTypeExt, MetadataExt};
            let node = |metadata: &std::fs::Metadata| Self::Node {
                device: metadata.dev(),
                inode: metadata.ino(),
            };
            let metadata = std::fs::metadata(path).ok()?;
            let kind = metadata.file_type();
            let is_stream = kind.is_fifo() || kind.is_socket() || kind.is_char_device();
            // It may be standard input under another name, such as `/dev/fd/3` after `3<&0`.
            let standard = std::os::fd::AsFd::as_fd(&std::io::stdin()).try_clone_to_owned();
            let standard = standard.and_then(|stream| std::fs::File::from(stream).metadata());
            let is_standard = standard.is_ok_and(|standard| node(&standard) == node(&metadata));
            match (is_stream, is_standard) {
                (true, true) => Some(Self::Standard),
                (true, false) => Some(node(&metadata)),
                (false, _) => None,
            }
        }
        #[cfg(not(unix))]
        {
            None
        }
    }
}
