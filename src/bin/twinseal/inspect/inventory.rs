//! `inspect --recursive`: lists the files of twinseal in a tree, as one line or JSON object each.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Write},
    path::Path,
    str,
    time::SystemTime,
};

use serde_json::Value;
use twinseal::secret::SecretBuffer;

use super::{recognise::recognise, retired::Retired};
use crate::{
    escape,
    failure::Failure,
    keys,
    kind::{self, FileKind},
    name::Name,
    output::{Content, Output, Sources},
};

mod age;
mod count;
#[cfg(not(unix))]
mod elsewhere;
mod pem;
mod record;
#[cfg(unix)]
mod walk;

use count::Count;
#[cfg(not(unix))]
use elsewhere::Walk;
pub(crate) use record::add_path;
use record::{Record, Report};
#[cfg(unix)]
use walk::Walk;

/// An entry of the tree.
enum Entry {
    File(File, Metadata),
    /// Its entries come next.
    Directory,
    Link,
    /// A FIFO, a socket or a device.
    Special,
    Unreadable(io::Error),
    /// It was listed, but no longer exists.
    Vanished,
}

/// Lists the tree. Fails if something in it uses a retired key or suite, or could not be read.
pub(super) fn list(root: &Path, json: bool, retired: &[Retired]) -> Result<(), Failure> {
    let name = Name::of(root);
    let mut walk = Walk::new(root).map_err(|error| Failure::reading(&name, &error))?;
    let mut list = List {
        output: Output::create(None, Content::Text, &Sources::default())?,
        json,
        retired,
        now: SystemTime::now(),
        first: SecretBuffer::with_capacity(kind::ENOUGH + 1),
        count: Count::default(),
    };
    while let Some((path, entry)) = walk.next() {
        list.add(path, entry)?;
    }
    let summary = if json {
        json_line(&list.count.to_json(root, !retired.is_empty()))
    } else {
        format!("{name}: {}\n", list.count)
    };
    list.write(&summary)?;
    list.output.commit()?;
    list.count.outcome(&name, !retired.is_empty())
}

struct List<'a> {
    output: Output,
    json: bool,
    retired: &'a [Retired],
    now: SystemTime,
    /// The first bytes of a file: perhaps those of a private key.
    first: SecretBuffer,
    count: Count,
}

impl List<'_> {
    fn add(&mut self, path: &Path, entry: Entry) -> Result<(), Failure> {
        let counter = match entry {
            Entry::File(..) => &mut self.count.files,
            Entry::Directory => &mut self.count.directories,
            Entry::Link => &mut self.count.links,
            Entry::Special => &mut self.count.special_files,
            Entry::Vanished => &mut self.count.vanished,
            Entry::Unreadable(_) => &mut 0,
        };
        *counter += 1;
        let record = match entry {
            Entry::File(file, metadata) => look(&file, metadata, &mut self.first, &Name::of(path)),
            Entry::Unreadable(error) => Some(Record::unreadable(&error)),
            _ => None,
        };
        let Some(record) = record else { return Ok(()) };
        let is_used = match &record.report {
            Report::Found(found) => self.retired.iter().any(|retired| retired.is_in(found)),
            _ => false,
        };
        self.count.add(&record, is_used);
        let text = if self.json {
            let is_used = (!self.retired.is_empty()).then_some(is_used);
            json_line(&record.to_json(path, self.now, is_used))
        } else {
            record.to_text(&Name::of(path), self.now, is_used)
        };
        self.write(&text)
    }

    /// Writes at once, so that a reader of the list can begin.
    fn write(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.output.write_all(text.as_bytes());
        written.map_err(|error| Failure::from_io(error, &Name::standard_output()))
    }
}

fn json_line(value: &Value) -> String {
    escape::json(&value.to_string()) + "\n"
}

/// `None` if it is neither a file of twinseal nor a key.
fn look(file: &File, metadata: Metadata, first: &mut SecretBuffer, name: &Name) -> Option<Record> {
    first.wipe();
    let read = file.take(kind::ENOUGH as u64).read_to_end(first.as_mut_vec());
    if let Err(error) = read {
        return Some(Record::unreadable(&error));
    }
    let report = match kind::of(first) {
        FileKind::Sealed | FileKind::Session | FileKind::Request | FileKind::Answer
            if is_text(first) =>
        {
            return None;
        }
        FileKind::Sealed
        | FileKind::Session
        | FileKind::Request
        | FileKind::Answer
        | FileKind::Signature(_)
        | FileKind::ModelBundle => {
            // Some file systems report 0 for files that are not empty.
            let length = Some(metadata.len()).filter(|length| *length > 0);
            recognise(&mut first.chain(file), length, name)
                .map_or_else(|failure| Report::Damaged(failure.reason(name)), Report::Found)
        }
        FileKind::Pem => keys_in(&mut first.chain(file), metadata.len(), name)?,
        // A text may hold a key further below.
        FileKind::Unknown if first.len() == kind::ENOUGH && !first.contains(&0) => {
            keys_in(&mut first.chain(file), metadata.len(), name)?
        }
        FileKind::Der(object) if object.suite().is_some() => {
            recognise(&mut first.chain(file), Some(metadata.len()), name)
                .map_or_else(|failure| Report::Damaged(failure.reason(name)), Report::Found)
        }
        kind @ FileKind::SignatureAndLineEnd => Report::Damaged(kind.to_string()),
        kind @ FileKind::WideText(_) => pem::wide(first, kind.to_string())?,
        FileKind::Empty
        | FileKind::Unknown
        | FileKind::Compressed(_)
        | FileKind::Base64(_)
        | FileKind::Der(_)
        | FileKind::Other(_) => {
            return None;
        }
    };
    Some(Record::new(report, metadata))
}

/// A text about twinseal may begin with its name, as a sealed file does.
fn is_text(bytes: &[u8]) -> bool {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        // Truncated within a character.
        Err(error) if error.error_len().is_none() => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let after_the_name = text.get(8..).unwrap_or_default();
    let is_plain = |character: char| !character.is_control() || character.is_ascii_whitespace();
    !after_the_name.is_empty() && after_the_name.chars().all(is_plain)
}

/// `None` if the text holds no keys.
fn keys_in(text: &mut impl Read, length: u64, name: &Name) -> Option<Report> {
    let limit = length.clamp(kind::ENOUGH as u64, keys::MAX_LENGTH);
    let mut bytes = SecretBuffer::with_capacity(limit as usize + 1);
    if let Err(error) = text.take(limit).read_to_end(bytes.as_mut_vec()) {
        return Some(Report::unreadable(&error));
    }
    if kind::of(&bytes) != FileKind::Pem {
        return None;
    }
    match pem::report(&bytes, name) {
        // The missing end may come later in the file.
        Some(Report::Damaged(_)) if length > limit => {
            Some(Report::Damaged(format!("it is {} and was not read to its end", keys::TOO_LONG)))
        }
        report => report,
    }
}
