//! PEM text (RFC 7468): the documents in it, and the text that may be around them.

use std::fmt;

use pem_rfc7468::{Base64Decoder, LineEnding};
use zeroize::Zeroizing;

use crate::{constants, error::Error, secret::SecretBuffer};

/// A PEM document in a text that may hold several: a key, or something else.
///
/// Every constructor of this crate that reads PEM splits the text with [`split`](Self::split), so
/// they agree on what a file holds. Use it for files that hold keys of several kinds:
///
/// ```
/// use twinseal::{DecapsulationKey, SigningKey, key_files::PemDocument};
///
/// # let (kem, sign) = (DecapsulationKey::generate()?, SigningKey::generate()?);
/// let file = format!("For opening:\n{}For signing:\n{}", kem.to_pem().as_str(), sign.to_pem().as_str());
/// let documents = PemDocument::split(&file)?;
/// assert_eq!(documents[1].label(), "PRIVATE KEY");
/// let opens = DecapsulationKey::try_from(documents[0])?;
/// let signs = SigningKey::try_from(documents[1])?;
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct PemDocument<'a> {
    label: &'a str,
    line: usize,
    /// Between the first line and the last, their line ends included.
    body: &'a str,
}

impl<'a> PemDocument<'a> {
    /// The documents of a text, at least one. A byte order mark at its start is skipped.
    ///
    /// Before, between and after the documents there may be any text, except lines that could be
    /// part of a damaged document: lines with five hyphens in a row, and lines of 40 or more base64
    /// characters and nothing else. Lines may end in LF, CR LF or CR, and white space around a line
    /// has no meaning.
    ///
    /// # Errors
    ///
    /// [`Error::NotPem`] if there is no document; [`Error::Pem`] with the number of the line that
    /// breaks a rule.
    pub fn split(text: &'a str) -> Result<Vec<Self>, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.contains('\0') {
            return Err(Error::NotPem { reason: NUL });
        }
        let mut documents = Vec::new();
        let mut open: Option<(&str, usize)> = None;
        // Where the body of the open document starts.
        let mut start = 0;
        let lines = Lines { number: 0, position: 0, rest: text };
        for Line { number, text: line, begin, end } in lines {
            let wrong = |reason| Error::Pem { line: number, reason };
            match (boundary(line), open) {
                (Some(Boundary::Begin(label)), None) => {
                    open = Some((label, number));
                    start = end;
                }
                (Some(Boundary::End(label)), Some((expected, line))) => {
                    if label != expected {
                        return Err(wrong("its label differs from that of the BEGIN line"));
                    }
                    let body =
                        text.get(start..begin).expect("a document is at least its two lines");
                    documents.push(Self { label, line, body });
                    open = None;
                }
                (Some(Boundary::Begin(_)), Some(_)) => {
                    return Err(wrong("the document before it has no END line"));
                }
                (Some(Boundary::End(_)), None) => {
                    return Err(wrong("an END line without a BEGIN line"));
                }
                (None, _) if line.contains(HYPHENS) => {
                    return Err(wrong(
                        "it has five hyphens, and is neither a BEGIN nor an END line",
                    ));
                }
                (None, None) if looks_like_base64(line) => {
                    return Err(wrong("base64 without a BEGIN line before it"));
                }
                (None, _) => {}
            }
        }
        match (open, documents.is_empty()) {
            (Some((_, line)), _) => {
                Err(Error::Pem { line, reason: "its document is cut off, it has no END line" })
            }
            (None, true) if text.trim().is_empty() => Err(Error::NotPem { reason: "it is empty" }),
            (None, true) => Err(Error::NotPem { reason: "it has no BEGIN line (RFC 7468)" }),
            (None, false) => Ok(documents),
        }
    }

    /// The only document of a text.
    pub(crate) fn only(text: &'a str) -> Result<Self, Error> {
        match Self::split(text)?.as_slice() {
            [document] => Ok(*document),
            several => Err(Error::PemCount { found: several.len() }),
        }
    }

    /// The content of a document that must have this label.
    pub(crate) fn content(&self, label: &'static str) -> Result<SecretBuffer, Error> {
        if self.is_encrypted() && PRIVATE.contains(&label) {
            return Err(Error::Encrypted);
        }
        if self.label != label {
            let found = self.label.get(..MOST_OF_A_LABEL).unwrap_or(self.label); // it is ASCII
            return Err(Error::PemLabel { expected: label, found: found.into() });
        }
        self.decode()
    }

    /// The words after BEGIN, which say what the content should be.
    #[must_use]
    pub fn label(&self) -> &'a str {
        self.label
    }

    /// Whether it is labelled as a private key that is encrypted under a passphrase: `ENCRYPTED PRIVATE
    /// KEY` or `TWINSEAL ENCRYPTED KEM PRIVATE KEY`.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        [constants::PEM_ENCRYPTED_PKCS8, constants::PEM_ENCRYPTED_KEM].contains(&self.label)
    }

    /// The number of its BEGIN line in the text, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The lines between BEGIN and END, unchanged: base64, and header fields in some files of other
    /// software.
    #[must_use]
    pub fn body(&self) -> &'a str {
        self.body
    }

    /// The content, decoded from base64.
    ///
    /// Lines may have any length, and white space may stand anywhere between the characters.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] with the number of the line that is not base64 with padding and with zeros as
    /// spare bits.
    pub fn decode(&self) -> Result<SecretBuffer, Error> {
        // Both buffers have their final size: growing ones would leave copies behind.
        let mut base64 = SecretBuffer::with_capacity(self.body.len());
        base64.as_mut_vec().extend(self.body.bytes().filter(|byte| !is_white(*byte)));
        let Ok(mut decoder) = Base64Decoder::new(&base64) else {
            return Err(self.damage());
        };
        let mut content = SecretBuffer::zeroed(decoder.remaining_len());
        match decoder.decode(&mut content) {
            Ok(_) if decoder.is_finished() => Ok(content),
            _ => Err(self.damage()),
        }
    }

    /// Finds the error in the base64. Branches depend on the content only here, because nobody uses a
    /// damaged key.
    fn damage(&self) -> Error {
        let mut padded = false;
        let mut last = None;
        let first = Lines { number: self.line, position: 0, rest: self.body };
        for Line { number, text, .. } in first {
            let wrong = |reason| Error::Pem { line: number, reason };
            if text.contains(':') {
                return wrong("a header, which only old or encrypted files have");
            }
            for byte in text.bytes().filter(|byte| !is_white(*byte)) {
                match byte {
                    b'=' => padded = true,
                    byte if !is_base64(byte) => return wrong("a character that is not base64"),
                    _ if padded => return wrong("base64 that continues after its padding"),
                    _ => {}
                }
                last = Some(number);
            }
        }
        match last {
            Some(line) => Error::Pem { line, reason: "its base64 is incomplete, or ends wrongly" },
            None => Error::Pem { line: self.line, reason: "its document has no content" },
        }
    }
}

/// Without the content, which may be secret.
impl fmt::Debug for PemDocument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PemDocument({:?}, line {})", self.label, self.line)
    }
}

/// The labels of private keys that are not encrypted.
const PRIVATE: [&str; 2] = [constants::PEM_PKCS8, constants::PEM_KEM_PRIVATE];

/// An error holds at most this much of a label, which may be as long as its file.
const MOST_OF_A_LABEL: usize = 64;

const NUL: &str = "it has NUL bytes, as binary data and UTF-16 have; PEM is UTF-8 or ASCII text";

const HYPHENS: &str = "-----";

enum Boundary<'a> {
    Begin(&'a str),
    End(&'a str),
}

fn boundary(line: &str) -> Option<Boundary<'_>> {
    let line = line.trim_matches(white).strip_prefix(HYPHENS)?.strip_suffix(HYPHENS)?;
    let (is_begin, label) = match line.strip_prefix("BEGIN ") {
        Some(label) => (true, label),
        None => (false, line.strip_prefix("END ")?),
    };
    // RFC 7468 §2: no two spaces or hyphens in a row, and none at either end.
    let words = label
        .split([' ', '-'])
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()));
    match (words, is_begin) {
        (true, true) => Some(Boundary::Begin(label)),
        (true, false) => Some(Boundary::End(label)),
        (false, _) => None,
    }
}

/// A line of a key whose BEGIN and END lines are lost: 40 characters are 30 bytes, and every key has
/// more.
fn looks_like_base64(line: &str) -> bool {
    let line = line.trim_matches(white).trim_end_matches('=');
    line.len() >= 40 && line.bytes().all(is_base64)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// `W` of RFC 7468 §3.
fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn white(character: char) -> bool {
    u8::try_from(character).is_ok_and(is_white)
}

/// The lines of a text, which end in LF, CR LF or CR.
struct Lines<'a> {
    /// The number of the previous line.
    number: usize,
    position: usize,
    rest: &'a str,
}

struct Line<'a> {
    number: usize,
    /// Without its line end.
    text: &'a str,
    /// Where the line starts, and where the next one does.
    begin: usize,
    end: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (text, rest) =
            self.rest.split_at(self.rest.find(['\n', '\r']).unwrap_or(self.rest.len()));
        let next = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']));
        let begin = self.position;
        let next = next.unwrap_or(rest);
        self.number += 1;
        self.position += self.rest.len() - next.len();
        self.rest = next;
        Some(Line { number: self.number, text, begin, end: self.position })
    }
}

/// Encodes in one buffer of the final length, because a growing one would leave copies behind.
pub(crate) fn encode(label: &'static str, bytes: &[u8]) -> Zeroizing<String> {
    let invariant = "a label of ours and a few kilobytes are PEM";
    let length = pem_rfc7468::encoded_len(label, LineEnding::LF, bytes).expect(invariant);
    let mut buffer = Zeroizing::new(vec![0; length]);
    pem_rfc7468::encode(label, LineEnding::LF, bytes, &mut buffer).expect(invariant);
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *buffer)).expect("PEM is ASCII"))
}
