//! A file that was recognised, as text and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{
    found::{AnswerForm, Entry, Found, Lengths, recipients},
    held::{Held, What},
};
use crate::{model, name::Name};

impl Entry {
    pub(super) fn to_json(&self) -> Value {
        let Self { suite, suite_id, key_id } = self;
        json!({ "suite": suite, "suite_id": suite_id, "key_id": key_id.to_string() })
    }

    pub(super) fn to_text(&self) -> String {
        let Self { suite, suite_id, key_id } = self;
        match suite {
            Some(suite) => format!("{key_id}  {suite}"),
            None => format!("{key_id}  unknown suite {suite_id:#06x}"),
        }
    }
}

impl Found {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Envelope { header, length } => {
                let lengths = Lengths::of(header, *length);
                json!({
                    "kind": "sealed_file",
                    "version": 1,
                    "recipients": recipients(header).iter().map(Entry::to_json).collect::<Vec<_>>(),
                    "header_length": lengths.header,
                    "body_length": lengths.body,
                    "plaintext_length": lengths.plaintext,
                    "length_is_possible": lengths.are_possible(),
                })
            }
            Self::Held(held) => match only_kind(held) {
                Some(what) => json!({
                    "kind": what.identifier(),
                    "keys": held.iter().map(Held::to_json).collect::<Vec<_>>(),
                }),
                None => {
                    let key = |held: &Held| {
                        let mut key = held.to_json();
                        key["kind"] = held.what.identifier().into();
                        key
                    };
                    json!({ "kind": "keys", "keys": held.iter().map(key).collect::<Vec<_>>() })
                }
            },
            Self::Signature { suite, length } => json!({
                "kind": "signature",
                "suite": suite.name(),
                "suite_id": suite.id(),
                "length": length,
            }),
            Self::Model(claim) => model::claim_to_json(claim),
            Self::Hello { recipient, signer } => json!({
                "kind": "session_hello",
                "version": 1,
                "signed": signer.is_some(),
                "recipient": recipient.to_json(),
                "signer": signer.as_ref().map(Entry::to_json),
            }),
            Self::Request { id, time, recipient, signer, has_signature } => json!({
                "kind": "request",
                "version": 1,
                "id": id.to_string(),
                "time_ms": time.as_millis(),
                "signed": signer.is_some(),
                "signature_is_detached": signer.is_some() && !has_signature,
                "recipient": recipient.to_json(),
                "signer": signer.as_ref().map(Entry::to_json),
            }),
            Self::Answer { form } => json!({
                "kind": "answer",
                "version": 1,
                "form": match form {
                    AnswerForm::Whole => "whole",
                    AnswerForm::InPieces => "pieces",
                },
            }),
        }
    }

    /// With the files of a model, which are too many for the line of an inventory.
    pub(super) fn to_whole_json(&self) -> Value {
        let mut value = self.to_json();
        if let Self::Model(claim) = self {
            model::files_to_json(claim, &mut value);
        }
        value
    }

    /// What it is, in a few words.
    pub(super) fn headline(&self) -> String {
        match self {
            Self::Envelope { header, .. } => {
                let count = header.recipients().count();
                let cut =
                    if self.has_impossible_length() { ", of an impossible length" } else { "" };
                format!(
                    "sealed file for {count} recipient{}{cut}",
                    if count == 1 { "" } else { "s" }
                )
            }
            Self::Held(held) => {
                let count = held.len();
                let are_keys = held.iter().all(|held| held.what.is_key());
                let several = if are_keys { "keys" } else { "documents" };
                match only_kind(held) {
                    Some(what) if count == 1 => what.noun().into(),
                    Some(what) => format!("{count} {several}, each a {}", what.noun()),
                    None => format!("{count} {several} of several kinds"),
                }
            }
            Self::Signature { suite, .. } => format!("signature, {suite}"),
            Self::Model(claim) => {
                format!(
                    "signature of a model of {}, not verified",
                    model::files(claim.file_names().len())
                )
            }
            Self::Hello { signer: Some(_), .. } => "first message of a session, signed".into(),
            Self::Hello { signer: None, .. } => "first message of a session, unsigned".into(),
            Self::Request { signer: None, .. } => "request, unsigned".into(),
            Self::Request { has_signature: true, .. } => "request, signed".into(),
            Self::Request { .. } => "request, signed, without its signature".into(),
            Self::Answer { form: AnswerForm::Whole } => "answer to a request, whole".into(),
            Self::Answer { form: AnswerForm::InPieces } => "answer to a request, in pieces".into(),
        }
    }

    pub(super) fn to_text(&self, name: &Name) -> String {
        let mut text = format!("{name}: ");
        let written = match self {
            Self::Envelope { header, length } => {
                let Lengths { header: header_length, body, plaintext } =
                    Lengths::of(header, *length);
                let recipients = recipients(header);
                let bytes = |length: Option<u64>, why: &str| match length {
                    Some(length) => format!("{length} bytes"),
                    None => why.into(),
                };
                write!(
                    text,
                    "sealed file, version 1\n\
                     header: {header_length} bytes, {} recipient{}\n{}\
                     body: {}, AES-256-GCM in chunks of 16 KiB\n\
                     plaintext: {}\n",
                    recipients.len(),
                    if recipients.len() == 1 { "" } else { "s" },
                    lines(&recipients),
                    bytes(body, "of unknown length"),
                    bytes(
                        plaintext,
                        if body.is_some() {
                            "unknown: no sealed file has this length"
                        } else {
                            "of unknown length"
                        }
                    ),
                )
            }
            Self::Held(held) => {
                let are_mixed = only_kind(held).is_none();
                let lines: String = held.iter().map(|held| held.to_text(are_mixed)).collect();
                write!(text, "{}\n{lines}", self.headline())
            }
            Self::Signature { suite, length } => {
                writeln!(text, "signature of {length} bytes\n  {suite}")
            }
            Self::Model(claim) => {
                let (claimed, files) = (model::claim_to_text(claim), model::files_to_text(claim));
                write!(text, "{}\n{claimed}{files}", self.headline())
            }
            Self::Hello { recipient, signer } => {
                let (headline, parties) = (self.headline(), parties(recipient, signer.as_ref()));
                write!(text, "{headline}\n{parties}")
            }
            Self::Request { id, time, recipient, signer, .. } => {
                let (headline, parties) = (self.headline(), parties(recipient, signer.as_ref()));
                write!(text, "{headline}\nid: {id}\ntime: {time} s since 1970\n{parties}")
            }
            Self::Answer { .. } => writeln!(text, "{}", self.headline()),
        };
        written.expect("writing to a string cannot fail");
        text
    }
}

/// For whom it is, and from whom it claims to be.
fn parties(recipient: &Entry, signer: Option<&Entry>) -> String {
    let signer = signer.map(|signer| format!("signer, not verified:\n{}", lines([signer])));
    format!("recipient:\n{}{}", lines([recipient]), signer.unwrap_or_default())
}

/// `None` if there are several.
fn only_kind(held: &[Held]) -> Option<What> {
    let (first, rest) = held.split_first()?;
    rest.iter().all(|held| held.what == first.what).then_some(first.what)
}

pub(super) fn lines<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    entries.into_iter().map(|entry| format!("  {}\n", entry.to_text())).collect()
}
