//! Names the contents of a file that is not what a command needs.

use twinseal::key_files::PemDocument;

use super::{
    document::{Document, summary},
    file::KeyFile,
};
use crate::kind;

/// With its article: "a certificate", or "2 private keys to open with".
pub(super) fn contents(file: &KeyFile) -> String {
    match file.text().and_then(|text| PemDocument::split(text).ok()) {
        Some(documents) => summary(&documents.iter().map(Document::of).collect::<Vec<_>>()),
        None => kind::of(file.bytes()).to_string(),
    }
}
