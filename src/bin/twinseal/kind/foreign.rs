//! Describes files of other software that are neither PEM nor DER.

use std::str;

use super::{by_prefix, has_line};

/// With an article. `text` is `bytes` without a byte order mark.
pub(super) fn describe(bytes: &[u8], text: &[u8]) -> Option<String> {
    let other = of_text(text).or_else(|| of_prefix(bytes));
    other.map(str::to_string).or_else(|| web_key(text))
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
