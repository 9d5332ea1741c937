//! Messages about key files, and directories of keys, that a command cannot use.

use std::{io, path::Path};

use twinseal::{Error, key_files::PemDocument};

use super::{
    document::{Document, summary},
    file::KeyFile,
    other_form::{IMPORT, OtherForm},
    role::Role,
    wanted::Wanted,
};
use crate::{
    failure::{self, Failure},
    inspect::suite_names,
    kind::{self, FileKind, der::Form},
    name::Name,
};

/// A file that is not PEM, or not text.
pub(super) fn not_pem(file: &KeyFile, wanted: Wanted) -> Failure {
    let as_text = Some("save it as UTF-8, or fetch it again");
    let (what, advice) = match kind::of(file.bytes()) {
        FileKind::Pem if file.text().is_none() => ("a damaged key file, not UTF-8".into(), as_text),
        FileKind::Pem if file.bytes().contains(&0) => {
            ("a damaged key file with NUL bytes".into(), as_text)
        }
        FileKind::Pem | FileKind::Unknown => ("not a key file, or a damaged one".into(), None),
        kind @ (FileKind::SignatureAndLineEnd | FileKind::Base64(_)) => (kind.to_string(), None),
        FileKind::Der(object) => {
            let is_wanted = match object.form {
                Form::EncryptedPkcs8 => !wanted.is_public(),
                _ => Role::of_object(&object).is_some_and(|role| wanted.is_met_by(role)),
            };
            let is_p384 = wanted == Wanted::VerifyingModels && object.is_p384_public_key();
            let kind = FileKind::Der(object);
            let advice = if is_p384 { kind.advice() } else { is_wanted.then_some(IMPORT) };
            (kind.to_string(), advice)
        }
        kind => (kind.to_string(), kind.advice()),
    };
    needed(file.name(), &what, advice, wanted)
}

fn needed(name: &Name, what: &str, advice: Option<&str>, wanted: Wanted) -> Failure {
    let needed = wanted.article_and_noun();
    let advice = advice.unwrap_or(wanted.how_to_get_one());
    Failure::of(name, format_args!("it is {what}, but {needed} is needed; {advice}"))
}

fn damaged(name: &Name, line: usize, reason: &str) -> Failure {
    Failure::of(
        name,
        format_args!("damaged key file, line {line}: {reason}; fetch it again, or make a new key"),
    )
}

/// A PEM file that does not hold twinseal keys.
pub(crate) fn not_keys(text: &str, error: &Error, name: &Name) -> Failure {
    let documents = match PemDocument::split(text) {
        Ok(documents) => documents,
        Err(Error::Pem { line, reason }) => return damaged(name, line, reason),
        Err(error) => return Failure::of(name, format_args!("{error}; fetch it again")),
    };
    let found: Vec<_> = documents.iter().map(Document::of).collect();
    if let Some((line, reason)) = found.iter().find_map(Document::damage) {
        return damaged(name, line, reason);
    }
    match (error, found.as_slice()) {
        (_, found) if found.iter().any(|document| matches!(document, Document::Foreign(_))) => {
            let verb = if found.len() == 1 { "is" } else { "holds" };
            let what = summary(found);
            let is_key = |document: &PemDocument<'_>| document.label().contains("KEY");
            // Whose key it is, is encrypted.
            let advice = if documents.iter().any(PemDocument::is_encrypted) {
                "if it is a key of a suite of twinseal, `twinseal import` reads it".into()
            } else if documents.iter().all(Document::is_p384_public_key) {
                ONLY_MODELS.into()
            } else {
                own_suites(documents.iter().all(is_key))
            };
            Failure::of(name, format_args!("it {verb} {what}; {advice}"))
        }
        (Error::Unknown { .. }, _) => {
            Failure::of(name, format_args!("{error}; a newer twinseal may support it"))
        }
        (_, found) if found.iter().all(|document| matches!(document, Document::Key(_))) => {
            let advice = "fetch it again, or make a new key";
            Failure::of(name, format_args!("damaged key file: {error}; {advice}"))
        }
        _ => Failure::of(name, format_args!("damaged: {error}; fetch it again")),
    }
}

/// What a P-384 public key is for.
pub(super) const ONLY_MODELS: &str =
    "only `twinseal model verify -p` takes such a key, for models that other tools signed";

/// What twinseal takes, for whoever has something else.
fn own_suites(is_key: bool) -> String {
    let names: Vec<_> = suite_names().filter(|name| !name.starts_with("experimental")).collect();
    let names = names.join(", ");
    match is_key {
        true => format!("twinseal has only keys of its own suites ({names}): `twinseal keygen`"),
        false => format!("twinseal takes only keys and certificates of its own suites ({names})"),
    }
}

pub(super) fn file(file: &KeyFile, text: &str, error: &Error, wanted: Wanted) -> Failure {
    let name = file.name();
    let documents = match PemDocument::split(text) {
        Ok(documents) => documents,
        Err(Error::Pem { line, reason }) => return damaged(name, line, reason),
        Err(_) => return not_pem(file, wanted),
    };
    let found: Vec<_> = documents.iter().map(Document::of).collect();
    let is_wanted = |document: &Document| match document {
        Document::Key(role) => wanted.is_met_by(*role),
        Document::Encrypted => !wanted.is_public(),
        _ => false,
    };
    if let Some((line, reason)) = found.iter().find_map(Document::damage) {
        return damaged(name, line, reason);
    }
    if matches!(error, Error::PemCount { .. }) {
        let advice = "put each key in a file of its own";
        let (what, needed) = (summary(&found), wanted.article_and_noun());
        return Failure::of(
            name,
            format_args!("it holds {what}, but {needed} is needed; {advice}"),
        );
    }
    if let Some(failure) = only_imported(name, &documents, &found, wanted) {
        return failure;
    }
    if wanted == Wanted::VerifyingModels
        && let Some(failure) = other_signer(name, &documents, error)
    {
        return failure;
    }
    match (error, found.as_slice()) {
        (_, [Document::Key(role)]) if wanted == Wanted::Private && role.is_public() => {
            Failure::of(name, "it is already a public key; name the private key")
        }
        (_, found) if !found.iter().all(is_wanted) => {
            if let [only] = found {
                return needed(name, &summary(std::slice::from_ref(only)), None, wanted);
            }
            let (what, needed) = (summary(found), wanted.article_and_noun());
            let is_useful = |document: &Document| match document {
                Document::Certificate(_) => wanted.is_public(),
                document => is_wanted(document),
            };
            let advice = match found.iter().any(is_useful) {
                true => "put the rest in another file",
                false => wanted.how_to_get_one(),
            };
            Failure::of(name, format_args!("it holds {what}, but {needed} is needed; {advice}"))
        }
        (Error::Unknown { .. }, _) => {
            Failure::of(name, format_args!("{error}; a newer twinseal may support it"))
        }
        (Error::Keyring { reason }, _) => {
            let advice = match is_about_two(reason) {
                true => "remove one of them",
                false => "list each key once, and at most 1000 keys",
            };
            Failure::of(name, format_args!("{reason}; {advice}"))
        }
        _ => Failure::of(name, format_args!("{error}; fetch the key again, or make a new one")),
    }
}

/// About the public key of a signer of models who does not use twinseal.
fn other_signer(name: &Name, documents: &[PemDocument<'_>], error: &Error) -> Option<Failure> {
    let keys: Vec<_> = documents.iter().filter_map(Document::foreign_public_key).collect();
    let verb = if documents.len() == 1 { "is" } else { "holds" };
    match keys.iter().find(|key| !key.is_p384_public_key()) {
        Some(key) => {
            let advice = "verify what it signed with the tool that it signed with";
            let kinds = "only keys of `twinseal keygen --sign` and P-384 keys verify models here";
            Some(Failure::of(name, format_args!("it {verb} {key}, but {kinds}; {advice}")))
        }
        // It is not a point of the curve, for example.
        None => match (keys.first(), documents.len() == keys.len()) {
            (Some(key), true) => Some(Failure::of(
                name,
                format_args!("it {verb} {key}, but {error}; fetch it again"),
            )),
            _ => None,
        },
    }
}

/// Says so if a key that the command wants has a form that only `import` reads.
fn only_imported(
    name: &Name,
    documents: &[PemDocument<'_>],
    found: &[Document],
    wanted: Wanted,
) -> Option<Failure> {
    documents.iter().zip(found).find_map(|(document, found)| {
        let (what, advice) = match found {
            Document::Key(role) if wanted.is_met_by(*role) => {
                match OtherForm::of(*document, *role) {
                    Ok(other) => {
                        let other = other?;
                        (format!("{role} ({})", other.form), other.advice())
                    }
                    Err(error) if !document.label().starts_with("TWINSEAL ") => {
                        (format!("{role}, but {error}"), "fetch or export it again")
                    }
                    Err(_) => return None,
                }
            }
            _ => return None,
        };
        Some(match documents.len() {
            1 => Failure::of(name, format_args!("it is {what}; {advice}")),
            _ => {
                let line = document.line();
                Failure::of(name, format_args!("it holds {what} in line {line}; {advice}"))
            }
        })
    })
}

/// A library's ring may be empty, but a command that verifies needs a key.
pub(super) fn empty_directory(path: &Path) -> Failure {
    let reason = "it has no key; put a public key in it, in a file named *.pem";
    Failure::of(&Name::of(path), reason)
}

/// Whether two different keys cannot be in one ring.
fn is_about_two(reason: &str) -> bool {
    reason.starts_with("two different keys")
}

pub(super) fn directory(path: &Path, error: &io::Error, wanted: Wanted) -> Failure {
    let name = Name::of(path);
    let text = failure::without_number(error);
    match Error::inside(error) {
        // The text names both files.
        Some(Error::Keyring { reason }) if is_about_two(reason) => {
            Failure::of(&name, format_args!("{text}; remove one of them"))
        }
        Some(Error::Keyring { reason }) => {
            let advice = match wanted {
                Wanted::Verifying | Wanted::VerifyingModels => {
                    "move those that you do not need to another directory"
                }
                _ => "put the newest key in primary.pem, and each older key in another *.pem file",
            };
            Failure::of(&name, format_args!("{reason}; {advice}"))
        }
        // The library names the directory, or a file in it.
        _ => match text.strip_prefix(&format!("{}: ", Name::quoted(path))) {
            // Two files with the same key: the text names both, and says what to do.
            Some(text) if error.kind() == io::ErrorKind::InvalidData => Failure::of(&name, text),
            Some(text) => Failure::reading(&name, &io::Error::new(error.kind(), text)),
            // Such a reason already says what to do.
            None if text.contains("; import it") => {
                Failure::of(&name, format_args!("{text} (`twinseal import`)"))
            }
            None => Failure::of(
                &name,
                format_args!("{text}; fix the file, or move it to another directory"),
            ),
        },
    }
}
