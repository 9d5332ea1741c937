//! What a service remembers of a store, so that nobody can lead it back.

use std::{fmt, io, path, str::FromStr};

use super::{
    id::StoreId,
    keys::{Fingerprint, LAST_SERIAL, SignedKeys},
};
use crate::{
    error::{Error, StoreRefusal},
    key_files::files,
};

/// What was last seen of a store's keys: the store's id, the serial, and their SHA-384. Keep it outside the bucket, and
/// save it again when [`SealedStore::pin`](super::SealedStore::pin) has changed: whoever controls the bucket can lead a
/// service without it back to older keys, with readers who were revoked since.
///
/// Its text is one line of 131 to 135 characters. It is not secret.
///
/// ```
/// use twinseal::store::Pin;
///
/// # let text = format!("{:032x}.7.{:096x}", 1, 2);
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("store.pin");
/// let pin: Pin = text.parse()?;
/// assert_eq!(pin.to_string(), text);
/// pin.write_file(&path)?; // replaces the file, when all of the new one is on the disk
/// assert_eq!(Pin::read_file(&path)?, pin);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # A pin that was lost
///
/// Open the store with [`first_use`](Self::first_use), which trusts the bucket once, see whether the objects are those
/// that you expect, and save [`SealedStore::pin`](super::SealedStore::pin). The owner then opens the store again with
/// that pin, and looks who [reads](super::Owner::recipients). The same helps if
/// [`create`](super::Options::create) ended before its pin was saved.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "save the pin: without it, nobody notices older keys"]
pub struct Pin(Option<Seen>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Seen {
    store_id: StoreId,
    serial: u32,
    fingerprint: Fingerprint,
}

impl Pin {
    /// For a service that has never seen the store: it trusts the bucket once.
    pub const fn first_use() -> Self {
        Self(None)
    }

    /// Whether nothing was seen yet.
    #[must_use]
    pub const fn is_first_use(&self) -> bool {
        self.0.is_none()
    }

    /// Writes it to a file, which it replaces when all of the new one is on the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] for [`first_use`](Self::first_use), of which there is nothing to save; and those of the file
    /// system. The text starts with the path.
    pub fn write_file(&self, path: impl AsRef<path::Path>) -> io::Result<()> {
        let path = path.as_ref();
        let written = if self.is_first_use() {
            Err(Error::Misuse { what: "pin", reason: "nothing was seen yet" }.into())
        } else {
            files::replace_whole(path, format!("{self}\n").as_bytes())
        };
        written.map_err(|error| Error::at(path, error))
    }

    /// Reads it from a file.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], wrapped in [`io::Error`] (see [`Error::inside`]); and those of the file system. The text
    /// starts with the path.
    pub fn read_file(path: impl AsRef<path::Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), str::parse)
    }

    pub(super) fn serial(&self) -> Option<u32> {
        self.0.map(|seen| seen.serial)
    }

    pub(super) fn of(signed: &SignedKeys) -> Self {
        Self(Some(Seen {
            store_id: signed.keys.store_id,
            serial: signed.keys.serial,
            fingerprint: signed.fingerprint,
        }))
    }

    /// Whether keys may follow the ones that were seen.
    pub(super) fn check(&self, signed: &SignedKeys) -> Result<(), Error> {
        let Some(seen) = self.0 else { return Ok(()) };
        if signed.keys.store_id != seen.store_id {
            return Err(Error::Store(StoreRefusal::AnotherStore));
        }
        if signed.keys.serial < seen.serial {
            return Err(Error::Store(StoreRefusal::Older));
        }
        if signed.fingerprint_of(seen.serial) != Some(&seen.fingerprint) {
            return Err(Error::Store(StoreRefusal::Replaced));
        }
        Ok(())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Seen { store_id, serial, fingerprint }) = self.0 else {
            return f.write_str("first use");
        };
        write!(f, "{store_id}.{serial}.")?;
        fingerprint.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Pin {
    type Err = Error;

    /// White space before and after it is ignored.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not the text of a pin. That of [`first_use`](Pin::first_use) is not one.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim_ascii();
        let reason = "it must be 32 hexadecimal digits, a serial and 96 hexadecimal digits, with dots between";
        let invalid = || Error::Invalid { what: "pin", reason };
        let mut parts = text.split('.');
        let (id, serial, fingerprint) =
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(id), Some(serial), Some(fingerprint), None) => (id, serial, fingerprint),
                _ => return Err(invalid()),
            };
        let number: u32 = serial.parse().map_err(|_| invalid())?;
        if number.to_string() != serial || !(1..=LAST_SERIAL).contains(&number) {
            return Err(invalid());
        }
        Ok(Self(Some(Seen {
            store_id: StoreId::from_bytes(hex(id).ok_or_else(invalid)?),
            serial: number,
            fingerprint: hex(fingerprint).ok_or_else(invalid)?,
        })))
    }
}

/// Lower-case digits only, so that there is one text for each value.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = [0; N];
    if pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}
