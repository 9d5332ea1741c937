//! Describes a PEM document by its content, not only by its label.

use pkcs8::der::{Decode, Header, SliceReader};
use twinseal::{Error, key_files::PemDocument, passphrase::PrivateKey, secret::SecretBuffer};

use super::role::{PRIVATE_KEY, PUBLIC_KEY, Role};
use crate::kind::der::{Form, Object};

/// A PEM document, as messages name it (with its article).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// A key of a suite of twinseal, perhaps in a form that only `import` reads.
    Key(Role),
    /// A private key under a passphrase, as twinseal writes it; whose, it does not say.
    Encrypted,
    /// A certificate, or a request for one, whose key is of a suite of twinseal.
    Certificate(Object),
    /// From other software, and undamaged as far as it was checked.
    Foreign(String),
    Damaged {
        line: usize,
        reason: String,
    },
}

impl Document {
    /// Looks at the label and the content, but does not load a key.
    pub(crate) fn of(document: &PemDocument<'_>) -> Self {
        let label = document.label();
        if let Some(name) = by_label(label) {
            return Self::Foreign(match ssh_algorithm(document) {
                Some(algorithm) if label == "OPENSSH PRIVATE KEY" => {
                    format!("{name} ({algorithm})")
                }
                _ => name.into(),
            });
        }
        // The passphrase is looked at last, and an empty one is refused.
        if matches!(PrivateKey::from_encrypted(*document, ""), Err(Error::Misuse { .. })) {
            return Self::Encrypted;
        }
        let content = match document.decode() {
            Ok(content) => content,
            Err(Error::Pem { .. }) if is_encrypted(label, document) => {
                return Self::Foreign(format!("an encrypted private key ({})", shortened(label)));
            }
            Err(Error::Pem { line, reason }) => {
                return Self::Damaged { line, reason: reason.into() };
            }
            Err(error) => {
                return Self::Damaged { line: document.line(), reason: error.to_string() };
            }
        };
        match Role::of_own_label(label) {
            Some(role) => Self::Key(role),
            None => Self::of_der(label, document.line(), &content),
        }
    }

    /// The public key of other software in a document.
    pub(super) fn foreign_public_key(document: &PemDocument<'_>) -> Option<Object> {
        let object = Object::of(&document.decode().ok()?)?;
        let is_public = document.label() == PUBLIC_KEY && object.form == Form::Spki;
        (is_public && object.suite().is_none()).then_some(object)
    }

    /// Whether it is a public key that only verifies the signatures of models.
    pub(super) fn is_p384_public_key(document: &PemDocument<'_>) -> bool {
        Self::foreign_public_key(document).is_some_and(|object| object.is_p384_public_key())
    }

    /// Where it is damaged, and how.
    pub(crate) fn damage(&self) -> Option<(usize, &str)> {
        match self {
            Self::Damaged { line, reason } => Some((*line, reason)),
            _ => None,
        }
    }

    fn of_der(label: &str, line: usize, content: &SecretBuffer) -> Self {
        let Some(object) = Object::of(content) else {
            return match expected(label) {
                Some(_) => Self::Damaged { line, reason: fault(label, content) },
                None => Self::Foreign(format!("something else ({})", shortened(label))),
            };
        };
        match expected(label) {
            Some(forms) if !forms.contains(&object.form) => {
                Self::Foreign(format!("{object} under the label {label}"))
            }
            _ => match Role::of_object(&object) {
                Some(role) if [PUBLIC_KEY, PRIVATE_KEY].contains(&label) => Self::Key(role),
                None if object.suite().is_some() => Self::Certificate(object),
                _ => Self::Foreign(object.to_string()),
            },
        }
    }
}

/// Counts the documents of a text: "a public key to seal to", or "2 private keys to open with and a
/// certificate".
pub(crate) fn summary(documents: &[Document]) -> String {
    let mut counted: Vec<(&Document, usize)> = Vec::new();
    for document in documents {
        match counted.iter_mut().find(|(known, _)| *known == document) {
            Some((_, count)) => *count += 1,
            None => counted.push((document, 1)),
        }
    }
    // A message is one line: ten kinds are enough.
    let more = counted.len().saturating_sub(10);
    let mut parts: Vec<String> = counted
        .iter()
        .take(10)
        .map(|(document, count)| match (document, count) {
            (Document::Key(role), 1) => role.to_string(),
            (Document::Key(role), _) => format!("{count} {}", role.plural()),
            (Document::Encrypted, 1) => "an encrypted private key".into(),
            (Document::Encrypted, _) => format!("{count} encrypted private keys"),
            (Document::Certificate(object), 1) => object.to_string(),
            (Document::Certificate(object), _) => format!("{count} times {object}"),
            (Document::Foreign(what), 1) => what.clone(),
            (Document::Foreign(what), _) => format!("{count} times {what}"),
            (Document::Damaged { line, .. }, _) => format!("a damaged document in line {line}"),
        })
        .collect();
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, parts)) => format!("{} and {last}", parts.join(", ")),
        None => "nothing".into(),
    }
}

/// Describes a document by its label only.
pub(crate) fn describe(label: &str) -> String {
    match label {
        "CERTIFICATE" => "a certificate".into(),
        "ENCRYPTED PRIVATE KEY" => "an encrypted private key".into(),
        _ => match by_label(label) {
            Some(name) => name.into(),
            None => format!("something else ({})", shortened(label)),
        },
    }
}

/// A label can be as long as a file, but a message must be short.
fn shortened(label: &str) -> String {
    match label.char_indices().nth(40) {
        Some((end, _)) => format!("{}..", label.split_at(end).0),
        None => label.into(),
    }
}

/// Documents whose content is not DER.
fn by_label(label: &str) -> Option<&'static str> {
    Some(match label {
        "OPENSSH PRIVATE KEY" => "an OpenSSH private key",
        "SSH SIGNATURE" => "an OpenSSH signature",
        "AGE ENCRYPTED FILE" => "a file encrypted by age",
        "DH PARAMETERS" => "Diffie-Hellman parameters",
        "DSA PARAMETERS" => "DSA parameters",
        "PGP PUBLIC KEY BLOCK" => "an OpenPGP public key",
        "PGP PRIVATE KEY BLOCK" => "an OpenPGP private key",
        "PGP MESSAGE" => "an OpenPGP message",
        "PGP SIGNATURE" | "PGP SIGNED MESSAGE" => "an OpenPGP signature",
        _ => return None,
    })
}

/// The forms that a label stands for (RFC 7468 §4, and older software).
fn expected(label: &str) -> Option<&'static [Form]> {
    Some(match label {
        PUBLIC_KEY => &[Form::Spki],
        PRIVATE_KEY => &[Form::Pkcs8],
        "ENCRYPTED PRIVATE KEY" | "TWINSEAL ENCRYPTED KEM PRIVATE KEY" => &[Form::EncryptedPkcs8],
        "RSA PRIVATE KEY" => &[Form::Pkcs1Private],
        "RSA PUBLIC KEY" => &[Form::Pkcs1Public],
        "EC PRIVATE KEY" => &[Form::Sec1],
        "EC PARAMETERS" => &[Form::Parameters],
        "DSA PRIVATE KEY" => &[Form::DsaPrivate],
        "CERTIFICATE" | "X509 CERTIFICATE" => &[Form::Certificate],
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => &[Form::CertificateRequest],
        "X509 CRL" => &[Form::RevocationList],
        "PKCS7" | "CMS" => &[Form::Cms],
        "PKCS12" => &[Form::Pkcs12],
        _ => return None,
    })
}

/// Older software says so in a header (RFC 1421), which the decoder refuses.
fn is_encrypted(label: &str, document: &PemDocument<'_>) -> bool {
    label.ends_with("PRIVATE KEY") && document.body().contains("Proc-Type: 4,ENCRYPTED")
}

/// The name of the algorithm in an OpenSSH key. It follows the names of ciphers and precedes all secrets.
fn ssh_algorithm(document: &PemDocument<'_>) -> Option<String> {
    let content = document.decode().ok()?;
    let mut rest = content.strip_prefix(b"openssh-key-v1\0")?;
    let mut string = || {
        let (length, behind) = rest.split_first_chunk()?;
        let (string, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = behind;
        Some(string)
    };
    for _cipher_kdf_and_options in 0..3 {
        string()?;
    }
    let (_count, behind) = rest.split_first_chunk::<4>()?;
    let (_length, behind) = behind.split_first_chunk::<4>()?;
    let (length, behind) = behind.split_first_chunk()?;
    let name = behind.get(..u32::from_be_bytes(*length) as usize)?;
    let is_name = name.len() < 64 && name.iter().all(u8::is_ascii_graphic);
    is_name.then(|| String::from_utf8_lossy(name).into_owned())
}

/// Says why content cannot be read as DER.
fn fault(label: &str, content: &[u8]) -> String {
    let mut reader = match SliceReader::new(content) {
        Ok(reader) => reader,
        Err(_) => return "its content is too long for a key".into(),
    };
    let Ok(header) = Header::decode(&mut reader) else {
        return "its content is not DER".into();
    };
    let said = u64::from(u32::from(header.length()))
        + u64::from(u32::from(pkcs8::der::Reader::position(&reader)));
    let there = content.len() as u64;
    match said.cmp(&there) {
        std::cmp::Ordering::Greater => {
            format!("its content is truncated: only {there} of {said} bytes are there")
        }
        std::cmp::Ordering::Less => {
            format!("its content is followed by {} more bytes", there - said)
        }
        std::cmp::Ordering::Equal => {
            format!("its label is {label}, but its content is something else")
        }
    }
}
