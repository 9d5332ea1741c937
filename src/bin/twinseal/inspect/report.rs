//! What was found in a file, as text and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};
use twinseal::{KeyId, SignatureSuite, envelope::Header};

use crate::name::Name;

pub(super) enum Found {
    Envelope {
        header: Header,
        length: Option<u64>,
    },
    Keys {
        kind: Kind,
        keys: Vec<Entry>,
    },
    /// Keys of more than one kind.
    MixedKeys(Vec<(Kind, Entry)>),
    Signature {
        suite: SignatureSuite,
        length: usize,
    },
    Hello {
        signed: bool,
        recipient: Entry,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    PublicKem,
    PrivateKem,
    PublicSigning,
    PrivateSigning,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::PublicKem => "public key to seal to",
            Self::PrivateKem => "private key to open with",
            Self::PublicSigning => "public key to verify with",
            Self::PrivateSigning => "private key to sign with",
        }
    }

    fn identifier(self) -> &'static str {
        match self {
            Self::PublicKem => "public_kem_key",
            Self::PrivateKem => "private_kem_key",
            Self::PublicSigning => "public_signing_key",
            Self::PrivateSigning => "private_signing_key",
        }
    }
}

/// A key, as files and headers name it.
#[derive(Clone)]
pub(super) struct Entry {
    /// `None` for a suite that is not known.
    pub(super) suite: Option<&'static str>,
    pub(super) suite_id: u16,
    pub(super) key_id: KeyId,
}

impl Entry {
    fn to_json(&self) -> Value {
        let Self { suite, suite_id, key_id } = self;
        json!({ "suite": suite, "suite_id": suite_id, "key_id": key_id.to_string() })
    }

    fn to_text(&self) -> String {
        let Self { suite, suite_id, key_id } = self;
        match suite {
            Some(suite) => format!("{key_id}  {suite}"),
            None => format!("{key_id}  unknown suite {suite_id:#06x}"),
        }
    }
}

/// The lengths of a sealed file, as far as they are known.
struct Lengths {
    header: u64,
    body: Option<u64>,
    plaintext: Option<u64>,
}

impl Lengths {
    fn of(header: &Header, length: Option<u64>) -> Self {
        let header_length = header.len() as u64;
        Self {
            header: header_length,
            body: length.and_then(|length| length.checked_sub(header_length)),
            plaintext: length.and_then(|length| header.plaintext_len(length)),
        }
    }

    /// Unknown of a stream.
    fn are_possible(&self) -> Option<bool> {
        self.body.map(|_| self.plaintext.is_some())
    }
}

impl Found {
    pub(super) fn of_keys(keys: Vec<(Kind, Entry)>) -> Self {
        match keys.first() {
            Some(&(kind, _)) if keys.iter().all(|(other, _)| *other == kind) => {
                Self::Keys { kind, keys: keys.into_iter().map(|(_, entry)| entry).collect() }
            }
            _ => Self::MixedKeys(keys),
        }
    }

    pub(super) fn is_cut_off(&self) -> bool {
        match self {
            Self::Envelope { header, length } => {
                Lengths::of(header, *length).are_possible() == Some(false)
            }
            _ => false,
        }
    }

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
            Self::Keys { kind, keys } => json!({
                "kind": kind.identifier(),
                "keys": keys.iter().map(Entry::to_json).collect::<Vec<_>>(),
            }),
            Self::MixedKeys(keys) => {
                let key = |(kind, entry): &(Kind, Entry)| {
                    let mut key = entry.to_json();
                    key["kind"] = kind.identifier().into();
                    key
                };
                json!({ "kind": "keys", "keys": keys.iter().map(key).collect::<Vec<_>>() })
            }
            Self::Signature { suite, length } => json!({
                "kind": "signature",
                "suite": suite.name(),
                "suite_id": suite.id(),
                "length": length,
            }),
            Self::Hello { signed, recipient } => json!({
                "kind": "session_hello",
                "version": 1,
                "signed": signed,
                "recipient": recipient.to_json(),
            }),
        }
    }

    /// The keys that it holds, or that it is for.
    pub(super) fn keys(&self) -> Vec<Entry> {
        match self {
            Self::Envelope { header, .. } => recipients(header),
            Self::Keys { keys, .. } => keys.clone(),
            Self::MixedKeys(keys) => keys.iter().map(|(_, entry)| entry.clone()).collect(),
            Self::Signature { .. } => Vec::new(),
            Self::Hello { recipient, .. } => vec![recipient.clone()],
        }
    }

    /// What it is, in a few words.
    pub(super) fn headline(&self) -> String {
        match self {
            Self::Envelope { header, .. } => {
                let count = header.recipients().count();
                let cut = if self.is_cut_off() { ", of an impossible length" } else { "" };
                format!(
                    "sealed file for {count} recipient{}{cut}",
                    if count == 1 { "" } else { "s" }
                )
            }
            Self::Keys { kind, keys } if keys.len() == 1 => kind.words().into(),
            Self::Keys { kind, keys } => format!("{} keys, each a {}", keys.len(), kind.words()),
            Self::MixedKeys(keys) => format!("{} keys of several kinds", keys.len()),
            Self::Signature { suite, .. } => format!("signature, {suite}"),
            Self::Hello { signed, .. } => {
                let kind = if *signed { "signed" } else { "unsigned" };
                format!("first message of a session, {kind}")
            }
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
                            "unknown, no sealed file has this length"
                        } else {
                            "of unknown length"
                        }
                    ),
                )
            }
            Self::Keys { kind, keys } if keys.len() == 1 => {
                write!(text, "{}\n{}", kind.words(), lines(keys))
            }
            Self::Keys { kind, keys } => {
                write!(text, "{} keys, each a {}\n{}", keys.len(), kind.words(), lines(keys))
            }
            Self::MixedKeys(keys) => {
                let lines: String = keys
                    .iter()
                    .map(|(kind, entry)| format!("  {}, {}\n", entry.to_text(), kind.words()))
                    .collect();
                write!(text, "{} keys of several kinds\n{lines}", keys.len())
            }
            Self::Signature { suite, length } => {
                writeln!(text, "signature of {length} bytes\n  {suite}")
            }
            Self::Hello { signed, recipient } => {
                let kind = if *signed { "signed" } else { "unsigned" };
                write!(text, "first message of a session, {kind}, for\n{}", lines([recipient]))
            }
        };
        written.expect("a string takes what is written");
        text
    }
}

fn recipients(header: &Header) -> Vec<Entry> {
    let entry = |recipient: twinseal::envelope::Recipient<'_>| Entry {
        suite: recipient.suite().map(twinseal::KemSuite::name),
        suite_id: recipient.suite_id(),
        key_id: recipient.key_id(),
    };
    header.recipients().map(entry).collect()
}

pub(super) fn lines<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    entries.into_iter().map(|entry| format!("  {}\n", entry.to_text())).collect()
}
