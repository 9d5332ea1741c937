//! Text with PEM documents: twinseal keys, keys and certificates from other software, or damaged ones.

use std::str;

use twinseal::key_files::PemDocument;
use zeroize::Zeroizing;

use super::record::Report;
use crate::{
    inspect::{
        found::Found,
        held::Held,
        recognise::{self, MAX_KEYS},
    },
    keys::{Document, Role, describe},
    name::Name,
};

const BEGIN: &str = "-----BEGIN ";

/// `None` if it only looks like PEM, as a manual may.
pub(super) fn report(bytes: &[u8], name: &Name) -> Option<Report> {
    let failure = match recognise::recognise(&mut &*bytes, Some(bytes.len() as u64), name) {
        Ok(found) => return Some(Report::Found(found)),
        Err(failure) => failure,
    };
    let damaged = || Report::Damaged(failure.reason(name));
    // Looks again to distinguish damaged keys from those of other software.
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    match PemDocument::split(&text) {
        Ok(documents) => of_documents(documents).unwrap_or_else(damaged).into(),
        Err(_) => of_labels(&text).map(|other| other.unwrap_or_else(damaged)),
    }
}

/// For text in UTF-16 or UTF-32, which is not decoded; `what` says so.
pub(super) fn wide(bytes: &[u8], what: String) -> Option<Report> {
    // Only ASCII is searched for.
    let mut narrow = Zeroizing::new(bytes.to_vec());
    narrow.retain(u8::is_ascii);
    narrow.retain(|byte| *byte != 0);
    let other = of_labels(str::from_utf8(&narrow).unwrap_or_default())?;
    Some(other.unwrap_or(Report::Damaged(what)))
}

/// The keys and certificates of twinseal's suites if there are any, otherwise a description of the first document. `None` if a
/// document may be a twinseal key but cannot be read.
fn of_documents(documents: Vec<PemDocument<'_>>) -> Option<Report> {
    let mut held = Vec::new();
    let mut other = None;
    for document in documents {
        let label = document.label();
        match Document::of(&document) {
            Document::Key(_) | Document::Encrypted | Document::Certificate(_)
                if held.len() < MAX_KEYS =>
            {
                held.push(Held::of(document).ok()?);
            }
            Document::Foreign(what) => other = other.or(Some(what)),
            Document::Damaged { .. } if !Role::may_have_label(label) => {
                other = other.or_else(|| Some(describe(label)));
            }
            _ => return None,
        }
    }
    if held.is_empty() { other.map(Report::Other) } else { Some(Report::Found(Found::Held(held))) }
}

/// Describes a text with broken documents by its BEGIN lines: `None` if there are none, and `Some(None)`
/// if one may be that of a twinseal key.
fn of_labels(text: &str) -> Option<Option<Report>> {
    let lines = text.split(['\n', '\r']).map(|line| line.trim_matches('\u{feff}').trim());
    let mut first = None;
    for label in lines.filter_map(|line| line.strip_prefix(BEGIN)) {
        if Role::may_have_label(label.trim_end_matches('-')) {
            return Some(None);
        }
        let label = label.strip_suffix("-----");
        first = first.or(label.map(|label| Report::Other(describe(label))));
    }
    first.map(Some)
}
