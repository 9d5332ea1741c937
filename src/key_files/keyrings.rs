//! Keyrings as files: several PEM documents in one file, or a directory with a file for each key.

use std::{collections::HashMap, io, path::Path};

use zeroize::Zeroizing;

use super::{PemDocument, PrivatePem, directory, files};
#[cfg(doc)]
use crate::keyring::Shared;
use crate::{
    envelope::Recipients,
    error::Error,
    kem::{DecapsulationKey, EncapsulationKey},
    keyring::{Keyring, ReadFrom, Reload, Ring, VerifyingKeyring},
    sign::VerifyingKey,
};

/// How many keys a file or directory may have: as many as an envelope has recipients. Expanding a
/// key takes a hundred thousand times as long as reading it.
pub(super) const MAX_KEYS: usize = 1000;

const TOO_MANY: &str = "a file may have at most 1000 keys";

impl Keyring {
    /// All keys as PEM documents one after the other, the primary one first. They are not
    /// encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if a key is external; [`Error::Misuse`] if there are more than 1000,
    /// which [`from_pem`](Self::from_pem) would refuse.
    pub fn to_pem(&self) -> Result<PrivatePem, Error> {
        let documents = self
            .ring_keys()
            .map(|key| key.in_memory().map(DecapsulationKey::to_pem))
            .collect::<Result<Vec<_>, _>>()?;
        if documents.len() > MAX_KEYS {
            return Err(Error::Misuse { what: "keyring", reason: TOO_MANY });
        }
        let len = documents.iter().map(|pem| pem.as_str().len()).sum();
        let mut bundle = Zeroizing::new(String::with_capacity(len));
        documents.iter().for_each(|pem| bundle.push_str(pem.as_str()));
        Ok(PrivatePem::new(bundle))
    }

    /// Parses the keys that [`to_pem`](Self::to_pem) writes: the first one is the primary key.
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::from_pem`] for each key; [`Error::Keyring`] if a key is listed
    /// twice, if two [have an equal half](Self#shared-halves), or if there are more than 1000.
    pub fn from_pem(bundle: &str) -> Result<Self, Error> {
        let mut keys = keys::<DecapsulationKey>(bundle)?.into_iter();
        let mut ring = Self::new(keys.next().expect("a text without a document is refused"));
        for key in keys {
            if ring.contains(key.encapsulation_key()) {
                return Err(Error::Keyring { reason: "a key is listed twice" });
            }
            ring.add_older(key)?;
        }
        Ok(ring)
    }

    /// Writes the keys to a new file; see [`DecapsulationKey::write_pem_file`].
    ///
    /// # Errors
    ///
    /// Same as [`to_pem`](Self::to_pem), wrapped in [`io::Error`]; and those of the file system.
    pub fn write_pem_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let pem = self.to_pem().map_err(|error| Error::at(path.as_ref(), error.into()))?;
        files::write_private(path.as_ref(), &pem)
    }

    /// Reads the keys from a file; see [`from_pem`](Self::from_pem) and
    /// [`DecapsulationKey::read_pem_file`].
    ///
    /// # Errors
    ///
    /// Same as [`from_pem`](Self::from_pem), wrapped in [`io::Error`]; and those of the file system.
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), Self::from_pem)
    }

    /// Reads the keys from a directory. For one that changes while a service runs, see
    /// [`Shared::read_dir`].
    ///
    /// Every file whose name ends in `.pem` and does not start with a dot is one key. `primary.pem`
    /// is the primary key, and the others follow in the order of their names. Files may be links. At
    /// most 1000 are read, with at most 4 MiB each and 16 MiB together. A key that is there under
    /// several names counts once, so `primary.pem` may be a link to `2026-01.pem`. A FIFO, socket or
    /// device with such a name is an error, at once.
    ///
    /// The directory is read as Kubernetes mounts a secret: if there is a `..data` link, the files
    /// are those behind it. If anything changes while the directory is read, it is read again, so a
    /// reader sees either the old files or the new ones, never a mixture.
    ///
    /// # Rotation
    ///
    /// In a plain directory, these steps leave no moment in which the directory is wrong, or lacks a
    /// key that it had. Each is one atomic call of the file system:
    ///
    /// ```sh
    /// ln keys/primary.pem keys/2026-01.pem    # the old key gets a name of its own
    /// mv new.pem keys/primary.pem             # from the same file system
    /// rm keys/2026-01.pem                     # later, when nothing is sealed to it
    /// ```
    ///
    /// With `primary.pem` as a link: `mv 2026-02.pem keys/`, then `ln -s 2026-02.pem keys/new` and
    /// `mv keys/new keys/primary.pem`. `cp` onto a file that is being read is not such a step: copy
    /// to a name that does not end in `.pem`, then `mv`.
    ///
    /// # Errors
    ///
    /// Those of the file system; [`io::ErrorKind::InvalidData`] for a file that is not such a key,
    /// if there is no `primary.pem`, or if two keys [have an equal half](Self#shared-halves), with the names
    /// of both files; [`io::ErrorKind::ResourceBusy`] if the directory changes
    /// each time that it is read. The text starts with the path of the file, or else of the
    /// directory.
    pub fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::read_from(path.as_ref())
    }

    /// Reads the keys from a directory as [`read_dir`](Self::read_dir) does, but each by `read`: for
    /// encrypted keys, for example. A file that is there under several names is read once.
    ///
    /// # Errors
    ///
    /// Same as [`read_dir`](Self::read_dir); those of `read` are wrapped in [`io::Error`] with the path of
    /// the file.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, Keyring};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let key = DecapsulationKey::generate()?;
    /// key.write_pem_file(directory.path().join("primary.pem"))?;
    /// let mut files = 0;
    /// let ring = Keyring::read_dir_with(directory.path(), |text| {
    ///     files += 1;
    ///     DecapsulationKey::from_pem(text)
    /// })?;
    /// assert_eq!((files, ring.primary()), (1, key.encapsulation_key()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_dir_with(
        path: impl AsRef<Path>,
        mut read: impl FnMut(&str) -> Result<DecapsulationKey, Error>,
    ) -> io::Result<Self> {
        let path = path.as_ref();
        let files = directory::read(path)?;
        let primary = files.iter().find(|file| file.is_primary()).ok_or_else(|| {
            Error::at(path, Error::Keyring { reason: "a directory needs a primary.pem" }.into())
        })?;
        let mut ring = Self::new(primary.parse(&mut read)?);
        let mut names = HashMap::from([(ring.primary().clone(), primary.name())]);
        for (index, file) in files.iter().enumerate().filter(|(_, file)| !file.is_primary()) {
            // To decrypt it again would take as long as the first time.
            let mut known = files.iter().take(index).chain([primary]);
            if known.any(|known| known.is_same(file)) {
                continue;
            }
            let key = file.parse(&mut read)?;
            let public = key.encapsulation_key().clone();
            if ring.contains(&public) {
                continue;
            }
            let sibling = ring.half_sibling(&public).and_then(|other| names.get(other));
            ring.add_older(key)
                .map_err(|error| file.error_with(sibling.map(|name| &**name), error))?;
            names.insert(public, file.name());
        }
        Ok(ring)
    }
}

impl Ring for Keyring {}

impl Reload for Keyring {}

impl ReadFrom for Keyring {
    fn read_from(path: &Path) -> io::Result<Self> {
        Self::read_dir_with(path, DecapsulationKey::from_pem)
    }
}

impl VerifyingKeyring {
    /// All keys as PEM documents one after the other, without the names. [`from_pem`](Self::from_pem)
    /// reads at most 1000, and at least one.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.keys().map(VerifyingKey::to_pem).collect()
    }

    /// Parses the keys that [`to_pem`](Self::to_pem) writes. A key that is listed twice counts once.
    ///
    /// # Errors
    ///
    /// Same as [`VerifyingKey::from_pem`] for each key; [`Error::Keyring`] if there are more than
    /// 1000, or if two different ones [have an equal half](Self#shared-halves); [`Error::Refused`] for a
    /// key of an experimental suite.
    pub fn from_pem(bundle: &str) -> Result<Self, Error> {
        Self::new(&keys(bundle)?)
    }

    /// Reads the keys from a file; see [`from_pem`](Self::from_pem) and
    /// [`VerifyingKey::read_pem_file`].
    ///
    /// # Errors
    ///
    /// Same as [`from_pem`](Self::from_pem), wrapped in [`io::Error`]; and those of the file system.
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), Self::from_pem)
    }

    /// Reads the keys of a directory, which may be empty. The rules are those of
    /// [`Keyring::read_dir`], but no key is the primary one, and none may be there under two names.
    ///
    /// The name of a signer is that of its file without `.pem`: the key in `alice.pem` is that of
    /// `alice`, and the one in `alice.2026.pem` is that of `alice.2026`. If a name is not UTF-8, the
    /// wrong bytes are replaced (U+FFFD).
    ///
    /// # Errors
    ///
    /// Same as [`Keyring::read_dir`]. If two files hold the same key, the text names both: a
    /// signature by one signer could be taken for one by the other.
    ///
    /// ```
    /// use twinseal::{SigningKey, VerifyingKeyring};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let clients = directory.path();
    /// let alice = SigningKey::generate()?;
    /// std::fs::write(clients.join("alice.pem"), alice.verifying_key().to_pem())?;
    ///
    /// let ring = VerifyingKeyring::read_dir(clients)?;
    /// assert_eq!(ring.name_of(alice.verifying_key().key_id()), Some("alice"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::read_from(path.as_ref())
    }
}

impl Ring for VerifyingKeyring {}

impl Reload for VerifyingKeyring {}

impl ReadFrom for VerifyingKeyring {
    fn read_from(path: &Path) -> io::Result<Self> {
        let mut ring = Self::new([])?;
        for file in directory::read(path)? {
            let key = file.parse(VerifyingKey::from_pem)?;
            let name = file.name();
            if let Some(other) = ring.name(&key) {
                let text =
                    format!("{other}.pem and {name}.pem hold the same key; remove one of them");
                return Err(Error::at(path, io::Error::new(io::ErrorKind::InvalidData, text)));
            }
            let sibling = ring.half_sibling(&key).and_then(|other| ring.name(other));
            let sibling = sibling.map(str::to_owned);
            ring.add_named(&name, &key).map_err(|error| {
                let is_about_both = matches!(error, Error::Keyring { .. });
                file.error_with(sibling.as_deref().filter(|_| is_about_both), error)
            })?;
        }
        Ok(ring)
    }
}

impl Recipients {
    /// Parses 1 to 1000 keys from a text with a PEM document for each, as
    /// [`EncapsulationKey::to_pem`] writes it. There may be other text between them, such as the
    /// owners' names.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, Recipients};
    ///
    /// let (alice, bob) = (DecapsulationKey::generate()?, DecapsulationKey::generate()?);
    /// let list = format!(
    ///     "# Alice\n{}# Bob\n{}",
    ///     alice.encapsulation_key().to_pem(),
    ///     bob.encapsulation_key().to_pem(),
    /// );
    /// let sealed = Recipients::from_pem(&list)?.seal(b"example.com/notes", b"hello")?;
    /// assert_eq!(&bob.open(b"example.com/notes", &sealed)?[..], b"hello");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`EncapsulationKey::from_pem`] for each key; [`Error::Keyring`] if there are more
    /// than 1000; [`Error::Misuse`] if one is listed twice.
    pub fn from_pem(list: &str) -> Result<Self, Error> {
        Self::new(&keys::<EncapsulationKey>(list)?)
    }

    /// Reads the keys from a file; see [`from_pem`](Self::from_pem) and
    /// [`EncapsulationKey::read_pem_file`].
    ///
    /// # Errors
    ///
    /// Same as [`from_pem`](Self::from_pem), wrapped in [`io::Error`]; and those of the file system.
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), Self::from_pem)
    }
}

/// The keys of a file, at least one. They are counted before any of them is expanded.
fn keys<'a, Key: TryFrom<PemDocument<'a>, Error = Error>>(
    bundle: &'a str,
) -> Result<Vec<Key>, Error> {
    let documents = PemDocument::split(bundle)?;
    if documents.len() > MAX_KEYS {
        return Err(Error::Keyring { reason: TOO_MANY });
    }
    documents.into_iter().map(Key::try_from).collect()
}
