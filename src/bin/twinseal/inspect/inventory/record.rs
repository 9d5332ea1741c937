//! An entry of the list, as text and as JSON.

use std::{fs::Metadata, io, path::Path, time::SystemTime};

use serde_json::{Value, json};

use super::age::Age;
use crate::{
    escape, failure,
    inspect::{found::Found, report::lines},
    name::Name,
};

pub(super) struct Record {
    pub(super) report: Report,
    /// `None` if the entry could not be opened.
    metadata: Option<Metadata>,
}

pub(super) enum Report {
    Found(Found),
    /// A key or certificate from other software.
    Other(String),
    /// It begins like a file of twinseal, but its content is unknown.
    Damaged(String),
    Unreadable(String),
}

impl Report {
    pub(super) fn unreadable(error: &io::Error) -> Self {
        Self::Unreadable(match error.kind() {
            io::ErrorKind::PermissionDenied => "you do not have permission to read it".into(),
            _ => failure::without_number(error),
        })
    }
}

impl Record {
    pub(super) fn new(report: Report, metadata: Metadata) -> Self {
        Self { report, metadata: Some(metadata) }
    }

    pub(super) fn unreadable(error: &io::Error) -> Self {
        Self { report: Report::unreadable(error), metadata: None }
    }

    /// One line, and one more for each key.
    pub(super) fn to_text(&self, name: &Name, now: SystemTime, is_used: bool) -> String {
        let what = match &self.report {
            Report::Found(found) => found.headline(),
            Report::Other(what) => format!("{what}, from other software"),
            Report::Damaged(reason) => format!("damaged: {reason}"),
            Report::Unreadable(reason) => format!("unreadable: {reason}"),
        };
        let mut text = format!("{name}: {}", escape::line(&what));
        if let Some(metadata) = &self.metadata {
            text += &format!("; {} bytes, ", metadata.len());
            if let Some(mode) = mode(metadata) {
                text += &format!("mode {mode}, ");
            }
            text += &Age::of(metadata, now).to_string();
        }
        text += if is_used { "; in use\n" } else { "\n" };
        if let Report::Found(found) = &self.report {
            text += &lines(&found.keys());
        }
        text
    }

    /// `is_used` is given only with `--in-use`.
    pub(super) fn to_json(&self, path: &Path, now: SystemTime, is_used: Option<bool>) -> Value {
        let mut value = match &self.report {
            Report::Found(found) => found.to_json(),
            Report::Other(what) => json!({ "kind": "other", "what": what }),
            Report::Damaged(reason) => json!({ "kind": "damaged", "reason": reason }),
            Report::Unreadable(reason) => json!({ "kind": "unreadable", "reason": reason }),
        };
        add_path(&mut value, path);
        if let Some(metadata) = &self.metadata {
            let age = Age::of(metadata, now);
            value["size"] = metadata.len().into();
            value["mode"] = mode(metadata).into();
            value["modified"] = age.modified().into();
            value["age_seconds"] = age.in_seconds().into();
        }
        if let Some(is_used) = is_used {
            value["in_use"] = is_used.into();
        }
        value
    }
}

/// In octal, as `chmod` takes it.
fn mode(metadata: &Metadata) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some(format!("{:04o}", metadata.mode() & 0o7777))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

/// JSON is Unicode: for a path that is not, its bytes are added in hexadecimal.
pub(crate) fn add_path(value: &mut Value, path: &Path) {
    value["path"] = path.to_string_lossy().into();
    if path.to_str().is_none() {
        let bytes = path.as_os_str().as_encoded_bytes();
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        value["path_bytes"] = digits.into();
    }
}
