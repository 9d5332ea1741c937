//! Recognises a file by its first bytes.

use std::{fmt, str};

use twinseal::{Signature, SignatureSuite};

pub(crate) mod der;

/// The kind of a file. Only a signature has to be complete, because it starts like any other data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Empty,
    /// A sealed file of any version, perhaps a damaged one.
    Sealed,
    /// The first message of a session of any version, perhaps a damaged one.
    Session,
    /// Text with PEM documents: keys of twinseal or other software.
    Pem,
    Signature(SignatureSuite),
    /// A signature followed by a line end, which an editor or a shell may have added.
    SignatureAndLineEnd,
    /// Text in this encoding, in which nothing is recognised.
    WideText(&'static str),
    /// By this program.
    Compressed(&'static str),
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
            Self::Pem => "a PEM file",
            Self::Signature(_) => "a signature",
            Self::SignatureAndLineEnd => "a signature followed by a line end",
            Self::WideText(encoding) => return write!(f, "text in {encoding}"),
            Self::Compressed(program) => return write!(f, "compressed by {program}"),
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
            _ => None,
        }
    }
}

/// The number of bytes that is enough to recognise a file, unless a PEM document starts later.
pub(crate) const ENOUGH: usize = 8 * 1024;

/// The kind of a file that starts with these bytes.
pub(crate) fn of(bytes: &[u8]) -> FileKind {
    if bytes.is_empty() {
        return FileKind::Empty;
    }
    if bytes.starts_with(b"twinseal") {
        return FileKind::Sealed;
    }
    if bytes.starts_with(b"twinsess") {
        return FileKind::Session;
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
    let other = of_text(text).or_else(|| of_prefix(bytes));
    match other.map(str::to_string).or_else(|| web_key(text)).or_else(|| of_der(bytes)) {
        Some(other) => FileKind::Other(other),
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

/// Text formats, by how they start or, if comments may come first, by how a line starts.
fn of_text(text: &[u8]) -> Option<&'static str> {
    const STARTS: &[(&[u8], &str)] = &[
        (b"age-encryption.org/", "a file encrypted by age"),
        (b"PuTTY-User-Key-File-", "a PuTTY private key"),
        (b"---- BEGIN SSH2 ", "an SSH public key (RFC 4716)"),
        (b"untrusted comment:", "a minisign or signify key or signature"),
        (b"ssh-", SSH),
        (b"ecdsa-sha2-", SSH),
        (b"sk-ssh-", SSH),
        (b"sk-ecdsa-", SSH),
        (b"dHdpbnNlYWw", "a sealed file in base64 (`base64 -d` decodes it)"),
        (b"dHdpbnNlc3", "a session's first message in base64 (`base64 -d` decodes it)"),
    ];
    const SSH: &str = "an OpenSSH public key";
    const LINES: &[(&[u8], &str)] = &[
        (b"AGE-SECRET-KEY-", "an age private key"),
        (b"AGE-PLUGIN-", "an age plugin key"),
        (b"age1", "an age public key"),
    ];
    let text = text.trim_ascii_start();
    let named = |(_, name): &(&[u8], &'static str)| *name;
    STARTS
        .iter()
        .find(|(start, _)| text.starts_with(start))
        .or_else(|| LINES.iter().find(|(start, _)| has_line(text, start)))
        .map(named)
}

fn of_prefix(bytes: &[u8]) -> Option<&'static str> {
    const PREFIXES: &[(&[u8], &str)] = &[
        (b"openssh-key-v1\0", "an OpenSSH private key without its PEM armour"),
        (b"Salted__", "a file encrypted by `openssl enc`"),
    ];
    by_prefix(PREFIXES, bytes)
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

fn by_prefix(prefixes: &[(&[u8], &'static str)], bytes: &[u8]) -> Option<&'static str> {
    prefixes.iter().find(|(prefix, _)| bytes.starts_with(prefix)).map(|(_, name)| *name)
}

/// A JSON Web Key (RFC 7517), or a set of them. It is searched, not parsed: a parser would copy secrets.
fn web_key(text: &[u8]) -> Option<String> {
    let text = str::from_utf8(text).ok()?.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let member = |name: &str| {
        let (_, rest) = text.split_once(name)?;
        let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        let (value, _) = value.split_once('"')?;
        (value.len() <= 40).then(|| value.to_string())
    };
    let kind = member("\"kty\"")?;
    let name = member("\"crv\"").or_else(|| member("\"alg\"")).unwrap_or(kind);
    let is_private = ["\"d\"", "\"priv\"", "\"k\""].iter().any(|private| text.contains(private));
    let key = if is_private { "private" } else { "public" };
    Some(format!("a {key} JSON Web Key ({name})"))
}

fn of_der(bytes: &[u8]) -> Option<String> {
    let found = der::Object::of(bytes)?;
    Some(format!("{found} in DER, not in PEM"))
}
