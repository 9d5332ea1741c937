//! What was found in a file.

use twinseal::{
    KemSuite, KeyId, SignatureSuite,
    envelope::{Header, Recipient},
};

use crate::keys::Role;

pub(super) enum Found {
    Envelope {
        header: Header,
        length: Option<u64>,
    },
    Keys {
        role: Role,
        keys: Vec<Entry>,
    },
    /// Keys of more than one kind.
    MixedKeys(Vec<(Role, Entry)>),
    Signature {
        suite: SignatureSuite,
        length: usize,
    },
    Hello {
        signed: bool,
        recipient: Entry,
    },
}

/// A key, as files and headers name it.
#[derive(Clone)]
pub(super) struct Entry {
    /// `None` if the suite is unknown.
    pub(super) suite: Option<&'static str>,
    pub(super) suite_id: u16,
    pub(super) key_id: KeyId,
}

impl Found {
    pub(super) fn of_keys(keys: Vec<(Role, Entry)>) -> Self {
        match keys.first() {
            Some(&(role, _)) if keys.iter().all(|(other, _)| *other == role) => {
                Self::Keys { role, keys: keys.into_iter().map(|(_, entry)| entry).collect() }
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
}

/// The lengths of a sealed file, as far as they are known.
pub(super) struct Lengths {
    pub(super) header: u64,
    pub(super) body: Option<u64>,
    pub(super) plaintext: Option<u64>,
}

impl Lengths {
    pub(super) fn of(header: &Header, length: Option<u64>) -> Self {
        let header_length = header.len() as u64;
        Self {
            header: header_length,
            body: length.and_then(|length| length.checked_sub(header_length)),
            plaintext: length.and_then(|length| header.plaintext_len(length)),
        }
    }

    /// `None` for a stream.
    pub(super) fn are_possible(&self) -> Option<bool> {
        self.body.map(|_| self.plaintext.is_some())
    }
}

pub(super) fn recipients(header: &Header) -> Vec<Entry> {
    let entry = |recipient: Recipient<'_>| Entry {
        suite: recipient.suite().map(KemSuite::name),
        suite_id: recipient.suite_id(),
        key_id: recipient.key_id(),
    };
    header.recipients().map(entry).collect()
}
