//! What a file is, from its first bytes.

use std::{fmt, str};

use twinseal::{Signature, SignatureSuite};

pub(crate) mod der;

/// What the first bytes of a file say. Only a signature must be there whole: it starts like any other data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Empty,
    /// A sealed file of any version, perhaps a damaged one.
    Sealed,
    /// The first message of a session of any version, perhaps a damaged one.
    Session,
    /// Text with PEM documents: keys of twinseal or of other software.
    Pem,
    Signature(SignatureSuite),
    /// Something else that can be named, with its article.
    Other(String),
    Unknown,
}

/// As messages call it, with its article.
impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Sealed => "a sealed file",
            Self::Session => "the first message of a session",
            Self::Pem => "a PEM file",
            Self::Signature(_) => "a signature",
            Self::Other(what) => what,
            Self::Unknown => "something else",
        })
    }
}

/// So many bytes are enough to recognise a file, except a PEM document that stands further below.
pub(crate) const ENOUGH: usize = 8 * 1024;

/// What a file is that starts with these bytes.
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
    // Before anything that two or four bytes decide: a signature may start with them.
    if let Some(suite) = signature(bytes) {
        return FileKind::Signature(suite);
    }
    if let Some(encoding) = wide_text(bytes) {
        return FileKind::Other(format!("text in {encoding}; twinseal reads UTF-8"));
    }
    let text = bytes.strip_prefix(BOM).unwrap_or(bytes);
    // Of a damaged one, one of the two lines may be left.
    if has_line(text, b"-----BEGIN ") || has_line(text, b"-----END ") {
        return FileKind::Pem;
    }
    let other = of_text(text).or_else(|| of_prefix(bytes));
    match other.map(str::to_string).or_else(|| web_key(text)).or_else(|| of_der(bytes)) {
        Some(other) => FileKind::Other(other),
        None if is_a_damaged_signature(bytes) => {
            FileKind::Other("a signature with a line end behind it".into())
        }
        None => FileKind::Unknown,
    }
}

const BOM: &[u8] = "\u{feff}".as_bytes();

fn signature(bytes: &[u8]) -> Option<SignatureSuite> {
    SignatureSuite::ALL.iter().find(|suite| Signature::from_bytes(**suite, bytes).is_ok()).copied()
}

/// With a line end behind it, as an editor or a shell adds it.
pub(crate) fn is_a_damaged_signature(bytes: &[u8]) -> bool {
    let without = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let without = without.strip_suffix(b"\r").unwrap_or(without);
    without.len() < bytes.len() && signature(without).is_some()
}

/// Text of two or four bytes a character, which editors and PowerShell write, with or without a mark.
pub(crate) fn wide_text(bytes: &[u8]) -> Option<&'static str> {
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

/// Text formats: how they start, or for those that comments may precede, how a line of them starts.
fn of_text(text: &[u8]) -> Option<&'static str> {
    const STARTS: &[(&[u8], &str)] = &[
        (b"age-encryption.org/", "a file that age encrypted"),
        (b"PuTTY-User-Key-File-", "a private key of PuTTY"),
        (b"---- BEGIN SSH2 ", "a public key of SSH (RFC 4716)"),
        (b"untrusted comment:", "a key or signature of minisign or signify"),
        (b"ssh-", SSH),
        (b"ecdsa-sha2-", SSH),
        (b"sk-ssh-", SSH),
        (b"sk-ecdsa-", SSH),
        (b"dHdpbnNlYWw", "a sealed file in base64, which `base64 -d` decodes"),
        (b"dHdpbnNlc3", "a session's first message in base64, which `base64 -d` decodes"),
    ];
    const SSH: &str = "a public key of OpenSSH";
    const LINES: &[(&[u8], &str)] = &[
        (b"AGE-SECRET-KEY-", "a private key of age"),
        (b"AGE-PLUGIN-", "a key of a plugin of age"),
        (b"age1", "a public key of age"),
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
        (b"openssh-key-v1\0", "a private key of OpenSSH without its PEM"),
        (b"Salted__", "a file that `openssl enc` encrypted"),
        (b"\x1f\x8b\x08", "compressed by gzip; unpack it first"),
        (b"\xfd7zXZ\0", "compressed by xz; unpack it first"),
        (b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first"),
        (b"PK\x03\x04", "a ZIP archive; unpack it first"),
    ];
    PREFIXES.iter().find(|(prefix, _)| bytes.starts_with(prefix)).map(|(_, name)| *name)
}

/// A JSON Web Key (RFC 7517), or a set of them. It is searched, not parsed: a parser would copy what is private.
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
    Some(format!("{found} in DER, without PEM around it"))
}
