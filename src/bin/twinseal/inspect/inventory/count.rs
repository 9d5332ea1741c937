//! The counts of an inventory, and its outcome.

use std::{fmt, path::Path};

use serde_json::{Value, json};

use super::record::{Record, Report, add_path};
use crate::{failure::Failure, inspect::found::Found, name::Name};

#[derive(Default)]
pub(super) struct Count {
    pub(super) files: u64,
    pub(super) directories: u64,
    pub(super) links: u64,
    pub(super) special_files: u64,
    pub(super) vanished: u64,
    sealed_files: u64,
    key_files: u64,
    /// Files with keys under a passphrase, whose ids are not readable.
    encrypted_key_files: u64,
    /// Files with certificates or requests for them, and no keys.
    certificates: u64,
    signatures: u64,
    model_signatures: u64,
    session_hellos: u64,
    requests: u64,
    answers: u64,
    others: u64,
    damaged: u64,
    unreadable: u64,
    /// Files that use a retired key or suite.
    in_use: u64,
}

impl Count {
    pub(super) fn add(&mut self, record: &Record, is_used: bool) {
        let counter = match &record.report {
            Report::Found(Found::Envelope { .. }) => &mut self.sealed_files,
            Report::Found(Found::Held(held)) if held.iter().any(|held| held.what.is_key()) => {
                &mut self.key_files
            }
            Report::Found(Found::Held(_)) => &mut self.certificates,
            Report::Found(Found::Signature { .. }) => &mut self.signatures,
            Report::Found(Found::Model(_)) => &mut self.model_signatures,
            Report::Found(Found::Hello { .. }) => &mut self.session_hellos,
            Report::Found(Found::Request { .. }) => &mut self.requests,
            Report::Found(Found::Answer { .. }) => &mut self.answers,
            Report::Other(_) => &mut self.others,
            Report::Damaged(_) => &mut self.damaged,
            Report::Unreadable(_) => &mut self.unreadable,
        };
        *counter += 1;
        self.in_use += u64::from(is_used);
        let hides_a_key = matches!(&record.report, Report::Found(found) if found.hides_a_key());
        self.encrypted_key_files += u64::from(hides_a_key);
    }

    fn is_complete(&self) -> bool {
        self.damaged == 0 && self.unreadable == 0
    }

    /// `is_asked` says whether `--in-use` was given.
    pub(super) fn to_json(&self, root: &Path, is_asked: bool) -> Value {
        let mut value = json!({
            "kind": "summary",
            "complete": self.is_complete(),
            "files": self.files,
            "directories": self.directories,
            "links": self.links,
            "special_files": self.special_files,
            "vanished": self.vanished,
            "sealed_files": self.sealed_files,
            "key_files": self.key_files,
            "encrypted_key_files": self.encrypted_key_files,
            "certificates": self.certificates,
            "signatures": self.signatures,
            "model_signatures": self.model_signatures,
            "session_hellos": self.session_hellos,
            "requests": self.requests,
            "answers": self.answers,
            "others": self.others,
            "damaged": self.damaged,
            "unreadable": self.unreadable,
        });
        add_path(&mut value, root);
        if is_asked {
            value["in_use"] = self.in_use.into();
        }
        value
    }

    /// Fails if a retired key or suite is in use, or if that cannot be ruled out.
    pub(super) fn outcome(&self, name: &Name, is_asked: bool) -> Result<(), Failure> {
        if self.in_use > 0 {
            let what = format_args!(
                "{} a key or suite named with --in-use; rewrap, sign again or remove the files marked \
                 in the list",
                number(self.in_use, "file uses", "files use")
            );
            return Err(Failure::in_use(name, what));
        }
        if !self.is_complete() {
            let what = format_args!(
                "the list is not complete: {} unreadable, {} damaged; see their lines",
                self.unreadable, self.damaged
            );
            return Err(Failure::of(name, what));
        }
        if is_asked && self.encrypted_key_files > 0 {
            let what = format_args!(
                "{} under a passphrase, with its id; `twinseal public` shows whether it is one named with \
                 --in-use",
                number(self.encrypted_key_files, "file has a key", "files have a key")
            );
            return Err(Failure::of(name, what));
        }
        Ok(())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.sealed_files, "sealed file", "sealed files"),
            (self.key_files, "key file", "key files"),
            (self.certificates, "certificate", "certificates"),
            (self.signatures, "signature", "signatures"),
            (self.model_signatures, "signature of a model", "signatures of models"),
            (self.session_hellos, "first message of a session", "first messages of sessions"),
            (self.requests, "request", "requests"),
            (self.answers, "answer to a request", "answers to requests"),
            (self.others, "file from other software", "files from other software"),
            (self.damaged, "damaged file", "damaged files"),
            (self.unreadable, "unreadable entry", "unreadable entries"),
            (self.links, "link not followed", "links not followed"),
            (self.special_files, "special file not opened", "special files not opened"),
            (self.vanished, "entry that vanished", "entries that vanished"),
        ];
        let files = number(self.files, "file", "files");
        write!(f, "{files} in {}", number(self.directories, "directory", "directories"))?;
        let found = counts.into_iter().filter(|(count, ..)| *count > 0);
        for (index, (count, one, many)) in found.enumerate() {
            let separator = if index == 0 { ": " } else { ", " };
            write!(f, "{separator}{}", number(count, one, many))?;
        }
        Ok(())
    }
}

fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
