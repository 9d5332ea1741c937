//! A file of private keys that is written again with the same keys, encrypted or not.

use std::{ops::Range, path::Path};

use subtle::ConstantTimeEq;
use twinseal::{Error, key_files::PemDocument, secret::SecretBuffer};

use super::{
    file::KeyFile,
    private::{self, Private},
    unlock::Unlock,
    wanted::Wanted,
};
use crate::{args, console::Console, failure::Failure, name::Name};

/// A file that holds private keys only, with any text around them.
pub(crate) struct PrivateFile {
    file: KeyFile,
    keys: Vec<Private>,
    is_encrypted: bool,
}

/// As many as a keyring may have.
const MAX_KEYS: usize = 1000;

impl PrivateFile {
    pub(crate) fn read(
        path: &Path,
        passphrase: &args::Passphrase,
        console: &Console,
    ) -> Result<Self, Failure> {
        let keys = |text: &str, unlock: &mut Unlock<'_>| {
            let documents = PemDocument::split(text)?;
            if documents.len() > MAX_KEYS {
                return Err(Error::Keyring { reason: "a file may have at most 1000 keys" });
            }
            let is_encrypted = documents.iter().any(PemDocument::is_encrypted);
            let keys = documents.into_iter().map(|document| unlock.either(document));
            Ok((keys.collect::<Result<Vec<_>, _>>()?, is_encrypted))
        };
        let ((keys, is_encrypted), file) =
            private::read(path, Wanted::Private, passphrase, console, keys)?;
        Ok(Self { file, keys, is_encrypted })
    }

    pub(crate) fn name(&self) -> &Name {
        self.file.name()
    }

    pub(crate) fn keys(&self) -> &[Private] {
        &self.keys
    }

    /// Whether any of its keys is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether it has another name, which still leads to the old file when this one is replaced.
    pub(crate) fn has_other_names(&self) -> bool {
        self.file.has_other_names()
    }

    /// The text of the file with other documents for its keys, in the same order.
    pub(crate) fn with<Text: AsRef<str>>(&self, documents: &[Text]) -> SecretBuffer {
        let text = self.file.text().unwrap_or_default();
        let old = PemDocument::split(text).unwrap_or_default();
        let length = documents.iter().map(|document| document.as_ref().len()).sum::<usize>();
        let mut changed = SecretBuffer::with_capacity(text.len() + length);
        let mut copied = 0;
        for (old, new) in old.iter().zip(documents) {
            let place = place(text, old);
            let between = text.get(copied..place.start).unwrap_or_default();
            changed.extend_from_slice(between.as_bytes());
            changed.extend_from_slice(new.as_ref().as_bytes());
            copied = place.end;
        }
        changed.extend_from_slice(text.get(copied..).unwrap_or_default().as_bytes());
        changed
    }

    /// Refuses a file that changed since it was read: a passphrase can take minutes to type.
    pub(crate) fn check_unchanged(&self, path: &Path) -> Result<(), Failure> {
        let now = KeyFile::read(path)?;
        if bool::from(now.bytes().ct_eq(self.file.bytes())) {
            return Ok(());
        }
        let reason = "it changed after it was read, and was left as it is; run the command again";
        Err(Failure::of(self.name(), reason))
    }
}

/// Where a document is in its text, from its first line to the end of its last one.
fn place(text: &str, document: &PemDocument<'_>) -> Range<usize> {
    let body = document.body();
    let start = body.as_ptr().addr() - text.as_ptr().addr();
    let line_end = ['\n', '\r'];
    let before = text.get(..start).unwrap_or_default();
    let before = before.strip_suffix("\r\n").or_else(|| before.strip_suffix(line_end));
    let begin = before.and_then(|before| before.rfind(line_end)).map_or(0, |end| end + 1);
    let behind = text.get(start + body.len()..).unwrap_or_default();
    let (_, rest) = behind.split_at(behind.find(line_end).unwrap_or(behind.len()));
    let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(line_end)).unwrap_or(rest);
    begin..text.len() - rest.len()
}
