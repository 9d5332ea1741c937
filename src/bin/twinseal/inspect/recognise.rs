//! Recognises a file of twinseal, and reads what it says about itself.

use std::io::{self, Read};

use pem_rfc7468::LineEnding;
use twinseal::{
    Error, envelope::Header, key_files::PemDocument, request::RequestHead, secret::SecretBuffer,
    session::Hello,
};

use super::{
    found::{AnswerForm, Found},
    held::Held,
};
use crate::{
    failure::{Failure, sealed},
    keys,
    kind::{
        self, FileKind,
        der::{Form, Object},
    },
    model,
    name::Name,
};

pub(super) fn recognise(
    input: &mut impl Read,
    length: Option<u64>,
    name: &Name,
) -> Result<Found, Failure> {
    let reading = |error: io::Error| sealed::failed(error, name);
    // It may be a private key: this buffer does not grow, and is wiped.
    let limit = length.unwrap_or(keys::MAX_LENGTH).clamp(kind::ENOUGH as u64, keys::MAX_LENGTH);
    let mut bytes = SecretBuffer::with_capacity(limit as usize + 1);
    input.by_ref().take(kind::ENOUGH as u64).read_to_end(bytes.as_mut_vec()).map_err(reading)?;
    match kind::of(&bytes) {
        FileKind::Sealed => {
            let header = Header::read(bytes.chain(input)).map_err(reading)?;
            return Ok(Found::Envelope { header, length });
        }
        FileKind::ModelBundle => {
            let claim = model::read_claim(&mut bytes.chain(input), name)?;
            return Ok(Found::Model(Box::new(claim)));
        }
        _ => {}
    }
    let rest = limit - bytes.len() as u64;
    input.by_ref().take(rest).read_to_end(bytes.as_mut_vec()).map_err(reading)?;
    let is_longer = limit == keys::MAX_LENGTH
        && io::copy(&mut input.take(1), &mut io::sink()).map_err(reading)? > 0;
    match kind::of(&bytes) {
        FileKind::Empty => Err(Failure::of(name, "it is empty; fetch or make it again")),
        FileKind::Session => match Hello::parse(&bytes) {
            Ok(hello) => Ok(Found::of_hello(&hello)),
            Err(error) => Err(unfit(&error, "the first message of a session", name)),
        },
        FileKind::Request => match RequestHead::parse(&bytes) {
            Ok(head) => Ok(Found::of_request(&head)),
            Err(error) => Err(unfit(&error, "a request", name)),
        },
        FileKind::Answer => match AnswerForm::of(&bytes) {
            Some(form) => Ok(Found::Answer { form }),
            None => Err(Failure::of(
                name,
                "an answer to a request, but truncated or of an unknown form; fetch it again, or use a newer \
                 twinseal",
            )),
        },
        FileKind::Signature(suite) => Ok(Found::Signature { suite, length: bytes.len() }),
        FileKind::Pem if is_longer => Err(keys::too_long(name, keys::TOO_LONG)),
        FileKind::Pem => key_file(&bytes, name),
        FileKind::Der(object) if object.suite().is_some() => in_der(&object, &bytes, name),
        FileKind::Sealed | FileKind::Unknown => Err(Failure::of(
            name,
            "not a sealed file, key, signature, session, request or answer of twinseal, or a damaged one; \
             check its name, or fetch it again",
        )),
        kind => {
            let advice = kind.advice().unwrap_or("check its name");
            Err(Failure::of(name, format_args!("it is {kind}; {advice}")))
        }
    }
}

fn unfit(error: &Error, what: &str, name: &Name) -> Failure {
    match error {
        Error::Truncated { .. } => {
            Failure::of(name, format_args!("{what}, but truncated; fetch it again"))
        }
        Error::Unknown { .. } => Failure::of(
            name,
            format_args!("{what}, with an {error}; a newer twinseal may support it"),
        ),
        error => Failure::of(name, format_args!("{what}, but damaged: {error}; fetch it again")),
    }
}

/// All keys of a file, which may be of several kinds.
fn key_file(bytes: &[u8], name: &Name) -> Result<Found, Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::of(name, "damaged key file: it is not UTF-8; fetch it again"))?;
    let documents = PemDocument::split(text).map_err(|error| keys::not_keys(text, &error, name))?;
    // Loading more would take minutes.
    if documents.len() > MAX_KEYS {
        let count = documents.len();
        return Err(Failure::of(
            name,
            format_args!("it holds {count} PEM documents, more than {MAX_KEYS}; split it"),
        ));
    }
    let held: Result<Vec<_>, _> = documents.into_iter().map(Held::of).collect();
    held.map(Found::Held).map_err(|error| keys::not_keys(text, &error, name))
}

/// As many as an envelope can have recipients.
pub(super) const MAX_KEYS: usize = 1000;

/// A key, certificate or request of one of twinseal's suites.
fn in_der(object: &Object, der: &[u8], name: &Name) -> Result<Found, Failure> {
    let label = match object.form {
        Form::Spki => "PUBLIC KEY",
        Form::Certificate => "CERTIFICATE",
        Form::CertificateRequest => "CERTIFICATE REQUEST",
        _ => "PRIVATE KEY",
    };
    // It may be secret: this buffer does not grow.
    let invariant = "what was read is short enough for PEM";
    let length = pem_rfc7468::encoded_len(label, LineEnding::LF, der).expect(invariant);
    let mut text = SecretBuffer::zeroed(length);
    pem_rfc7468::encode(label, LineEnding::LF, der, &mut text).expect(invariant);
    match key_file(&text, name)? {
        Found::Held(held) => Ok(Found::Held(held.into_iter().map(Held::in_der).collect())),
        other => Ok(other),
    }
}
