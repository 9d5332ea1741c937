//! What was found in a file.

use twinseal::{
    KemSuite, KeyId, SignatureSuite,
    envelope::{Header, Recipient},
    model::Claim,
    request::{RequestHead, RequestId, RequestTime},
    session::Hello,
};

use super::held::Held;

pub(super) enum Found {
    Envelope {
        header: Header,
        length: Option<u64>,
    },
    /// The keys and certificates of a file, at least one.
    Held(Vec<Held>),
    Signature {
        suite: SignatureSuite,
        length: usize,
    },
    /// The signature of a model. Nothing in it is verified.
    Model(Box<Claim>),
    Hello {
        recipient: Entry,
        /// As the hello claims: its signature is not verified.
        signer: Option<Entry>,
    },
    Request {
        id: RequestId,
        /// As the head claims, like all of it: the signature is not verified.
        time: RequestTime,
        recipient: Entry,
        signer: Option<Entry>,
        /// Whether it has its signature, which may travel elsewhere.
        has_signature: bool,
    },
    Answer {
        form: AnswerForm,
    },
}

/// How an answer to a request is sealed.
#[derive(Clone, Copy)]
pub(super) enum AnswerForm {
    Whole,
    InPieces,
}

impl AnswerForm {
    /// Of the first bytes of an answer: `magic || version || form`. `None` for a form or version that is
    /// not known.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes.get(8..10)? {
            [1, 1] => Some(Self::Whole),
            [1, 2] => Some(Self::InPieces),
            _ => None,
        }
    }
}

/// A key, as files and headers name it.
#[derive(Clone)]
pub(super) struct Entry {
    /// `None` if the suite is unknown.
    pub(super) suite: Option<&'static str>,
    pub(super) suite_id: u16,
    pub(super) key_id: KeyId,
}

impl Entry {
    pub(super) fn kem(suite: KemSuite, key_id: KeyId) -> Self {
        Self { suite: Some(suite.name()), suite_id: suite.id(), key_id }
    }

    pub(super) fn signing(suite: SignatureSuite, key_id: KeyId) -> Self {
        Self { suite: Some(suite.name()), suite_id: suite.id(), key_id }
    }
}

impl Found {
    pub(super) fn of_hello(hello: &Hello) -> Self {
        let signer = hello.signature_suite().zip(hello.claimed_signer());
        Self::Hello {
            recipient: Entry::kem(hello.suite(), hello.recipient()),
            signer: signer.map(|(suite, key_id)| Entry::signing(suite, key_id)),
        }
    }

    pub(super) fn of_request(head: &RequestHead) -> Self {
        let signer = head.signature_suite().zip(head.claimed_signer());
        Self::Request {
            id: head.id(),
            time: head.time(),
            recipient: Entry::kem(head.suite(), head.recipient()),
            signer: signer.map(|(suite, key_id)| Entry::signing(suite, key_id)),
            has_signature: head.signature().is_some(),
        }
    }

    /// Whether it holds a key whose id is encrypted, too.
    pub(super) fn hides_a_key(&self) -> bool {
        matches!(self, Self::Held(held) if held.iter().any(|held| held.entry.is_none()))
    }

    pub(super) fn has_impossible_length(&self) -> bool {
        match self {
            Self::Envelope { header, length } => {
                Lengths::of(header, *length).are_possible() == Some(false)
            }
            _ => false,
        }
    }

    /// The keys that it holds, that it is for, or that it says to be signed by.
    pub(super) fn keys(&self) -> Vec<Entry> {
        match self {
            Self::Envelope { header, .. } => recipients(header),
            Self::Held(held) => held.iter().filter_map(|held| held.entry.clone()).collect(),
            Self::Signature { .. } | Self::Model(_) | Self::Answer { .. } => Vec::new(),
            Self::Hello { recipient, signer } | Self::Request { recipient, signer, .. } => {
                [recipient].into_iter().chain(signer).cloned().collect()
            }
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
