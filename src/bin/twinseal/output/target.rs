//! Opens the path of an output: as a stream, or as a file to be put in place at the end.

use std::{fs::File, io, path::Path};

use rustix::io::Errno;

use super::{
    Content, Sources,
    place::{self, Found},
    replaced,
    staged::Staged,
};
use crate::{failure::Failure, identity::Identity, name::Name};

pub(super) enum Target {
    Stream(File),
    Staged(File, Staged),
}

impl Target {
    pub(super) fn open(
        path: &Path,
        content: Content,
        sources: &Sources,
        name: &Name,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::writing(name, &error);
        let (place, old) = match place::find(path, name)? {
            Found::Descriptor(descriptor) => {
                return descriptor.open().map(Self::Stream).map_err(|error| {
                    if Errno::from_io_error(&error) != Some(Errno::BADF) {
                        return failed(error);
                    }
                    Failure::of(name, "it is closed, or not open for writing; name a file with -o")
                });
            }
            Found::File(..) if content == Content::PrivateKey => {
                return Err(failed(io::ErrorKind::AlreadyExists.into()));
            }
            Found::Special(..) if content == Content::PrivateKey => {
                return Err(super::not_for_new_keys(name));
            }
            Found::Nothing(_) if content == Content::ChangedKey => {
                return Err(Failure::reading(name, &io::ErrorKind::NotFound.into()));
            }
            Found::Special(..) if content == Content::ChangedKey => {
                return Err(super::not_a_file(name));
            }
            // The file that replaces it would be the user's, and the owner could not read it.
            Found::File(_, old) if content == Content::ChangedKey && !old.is_mine() => {
                let reason = "it belongs to another user; run the command as that user, or name a new file \
                              with -o";
                return Err(Failure::of(name, reason));
            }
            Found::Special(place, found) => {
                return replaced::open_special(&place, &found, name).map(Self::Stream);
            }
            Found::Nothing(place) => (place, None),
            Found::File(place, old) => {
                let (device, inode) = old.identity;
                sources.check(Some(&Identity::Inode { device, inode }))?;
                replaced::check_file(&place, &old, name)?;
                (place, Some(old))
            }
        };
        replaced::check_directory(&place, name)?;
        let (staged, file) = Staged::new(place, old, content).map_err(failed)?;
        Ok(Self::Staged(file, staged))
    }
}
