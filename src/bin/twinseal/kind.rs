//! Recognises a file by its first bytes.

use std::fmt;

use twinseal::{Signature, SignatureSuite};

pub(crate) mod der;
mod foreign;

/// The kind of a file. Only a signature has to be complete, because it starts like any other data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Empty,
    /// A sealed file of any version, perhaps a damaged one.
    Sealed,
    /// The first message of a session of any version, perhaps a damaged one.
    Session,
    /// A request of any version, perhaps a damaged one.
    Request,
    /// An answer to a request, of any version.
    Answer,
    /// Text with PEM documents: keys of twinseal or other software.
    Pem,
    Signature(SignatureSuite),
    /// The signature of a model, of any tool and perhaps a damaged one.
    ModelBundle,
    /// A signature followed by a line end, which an editor or a shell may have added.
    SignatureAndLineEnd,
    /// Text in this encoding, in which nothing is recognised.
    WideText(&'static str),
    /// By this program.
    Compressed(&'static str),
    /// This, with its article, in base64.
    Base64(&'static str),
    /// A key, a certificate or the like in DER.
    Der(der::Object),
    /// Something else that can be named, with its article.
    Other(String),
    Unknown,
}

/// As messages name it, with its article.
impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Sealed => "a sealed file",
            Self::Session => "the first message of a session",
            Self::Request => "a request",
            Self::Answer => "an answer to a request",
            Self::Pem => "a PEM file",
            Self::Signature(_) => "a signature",
            Self::ModelBundle => "the signature of a model",
            Self::SignatureAndLineEnd => "a signature followed by a line end",
            Self::WideText(encoding) => return write!(f, "text in {encoding}"),
            Self::Compressed(program) => return write!(f, "compressed by {program}"),
            Self::Base64(what) => return write!(f, "{what} in base64"),
            Self::Der(object) => return write!(f, "{object} in DER, not in PEM"),
            Self::Other(what) => what,
            Self::Unknown => "something else",
        })
    }
}

impl FileKind {
    /// How to mend the file, if that is known.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::WideText(_) => Some("save it as UTF-8"),
            Self::Compressed(_) => Some("unpack it first"),
            Self::SignatureAndLineEnd => Some("remove the line end"),
            Self::ModelBundle => Some("`twinseal model verify` reads it"),
            Self::Base64(_) => Some("decode it with `base64 -d`"),
            Self::Der(object) if object.form == der::Form::EncryptedPkcs8 => {
                Some("if it is a key of a suite of twinseal, `twinseal import` reads it")
            }
            Self::Der(object) if object.is_p384_public_key() => Some(
                "`twinseal model verify -p` takes it in PEM, which `openssl pkey -pubin -inform DER` writes",
            ),
            _ => None,
        }
    }
}

/// The number of bytes that is enough to recognise a file, unless a PEM document starts later.
pub(crate) const ENOUGH: usize = 8 * 1024;

/// The first bytes of sealed files, sessions, requests and answers.
const SEALED: &[u8] = b"twinseal";
const SESSION: &[u8] = b"twinsess";
const REQUEST: &[u8] = b"twinrqst";
const ANSWER: &[u8] = b"twinansw";

/// The kind of a file that starts with these bytes.
pub(crate) fn of(bytes: &[u8]) -> FileKind {
    if bytes.is_empty() {
        return FileKind::Empty;
    }
    for (magic, kind) in [
        (SEALED, FileKind::Sealed),
        (SESSION, FileKind::Session),
        (REQUEST, FileKind::Request),
        (ANSWER, FileKind::Answer),
    ] {
        if bytes.starts_with(magic) {
            return kind;
        }
    }
    // Checked before any prefix of two or four bytes, with which a signature may start.
    if let Some(suite) = signature(bytes) {
        return FileKind::Signature(suite);
    }
    if let Some(encoding) = wide_text(bytes) {
        return FileKind::WideText(encoding);
    }
    let text = bytes.strip_prefix(BOM).unwrap_or(bytes);
    // A damaged document may have only one of the two lines.
    if has_line(text, b"-----BEGIN ") || has_line(text, b"-----END ") {
        return FileKind::Pem;
    }
    if let Some(program) = compressed(bytes) {
        return FileKind::Compressed(program);
    }
    if let Some(what) = in_base64(text.trim_ascii_start()) {
        return FileKind::Base64(what);
    }
    if is_model_bundle(text.trim_ascii_start()) {
        return FileKind::ModelBundle;
    }
    if let Some(other) = foreign::describe(bytes, text) {
        return FileKind::Other(other);
    }
    match der::Object::of(bytes) {
        Some(object) => FileKind::Der(object),
        None if has_a_line_end(bytes) => FileKind::SignatureAndLineEnd,
        None => FileKind::Unknown,
    }
}

const BOM: &[u8] = "\u{feff}".as_bytes();

fn signature(bytes: &[u8]) -> Option<SignatureSuite> {
    SignatureSuite::ALL.iter().find(|suite| Signature::from_bytes(**suite, bytes).is_ok()).copied()
}

/// Whether it is a signature followed by a line end.
fn has_a_line_end(bytes: &[u8]) -> bool {
    let without = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let without = without.strip_suffix(b"\r").unwrap_or(without);
    without.len() < bytes.len() && signature(without).is_some()
}

/// Whether it is JSON with a member of Sigstore's bundles, in any order.
fn is_model_bundle(text: &[u8]) -> bool {
    let start = text.get(..ENOUGH).unwrap_or(text);
    let has = |member: &[u8]| start.windows(member.len()).any(|window| window == member);
    text.starts_with(b"{")
        && (has(b"\"dsseEnvelope\"")
            || has(b"\"verificationMaterial\"")
            || has(b"\"application/vnd.dev.sigstore.bundle"))
}

/// Text with two or four bytes per character, as some editors and PowerShell write it, with or without a
/// byte order mark.
fn wide_text(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [b'-', 0, b'-', 0, ..] | [0, b'-', 0, b'-', ..] => Some("UTF-16"),
        _ => None,
    }
}

fn has_line(text: &[u8], start: &[u8]) -> bool {
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .any(|line| line.trim_ascii_start().starts_with(start))
}

fn compressed(bytes: &[u8]) -> Option<&'static str> {
    const PREFIXES: &[(&[u8], &str)] = &[
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PK\x03\x04", "zip"),
    ];
    by_prefix(PREFIXES, bytes)
}

fn in_base64(text: &[u8]) -> Option<&'static str> {
    // The base64 of the magics, as far as the next byte does not change it.
    const PREFIXES: &[(&[u8], &str)] = &[
        (b"dHdpbnNlYWw", "a sealed file"),
        (b"dHdpbnNlc3", "the first message of a session"),
        (b"dHdpbnJxc3", "a request"),
        (b"dHdpbmFuc3", "an answer to a request"),
    ];
    by_prefix(PREFIXES, text)
}

fn by_prefix(prefixes: &[(&[u8], &'static str)], bytes: &[u8]) -> Option<&'static str> {
    prefixes.iter().find(|(prefix, _)| bytes.starts_with(prefix)).map(|(_, name)| *name)
}
