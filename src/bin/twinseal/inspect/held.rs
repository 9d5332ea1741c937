//! What a document of a key file holds: a key, one under a passphrase, or one in a certificate or request.

use std::time::{Duration, SystemTime};

use pkcs8::der::DateTime;
use serde_json::{Value, json};
use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, SignatureSuite, SigningKey, VerifyingKey,
    key_files::PemDocument, model::TrustedKey, x509::Certificate,
};
use x509_cert::{
    der::{Decode, Encode},
    request::CertReq,
};

use super::found::Entry;
use crate::{
    escape,
    keys::{Document, IMPORT, OtherForm, Role},
    kind::der::{Form, Object},
};

/// One document.
pub(super) struct Held {
    pub(super) what: What,
    /// `None` if it is encrypted.
    pub(super) entry: Option<Entry>,
    /// Lines of text below it, each with the name that JSON has for its value.
    details: Vec<(&'static str, Value)>,
    /// Whether it is a certificate whose validity is over.
    is_expired: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Key(Role),
    /// Of either kind.
    EncryptedKey,
    /// Of the public key for this role.
    Certificate(Role),
    CertificateRequest(Role),
}

impl What {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Key(role) => role.noun(),
            Self::EncryptedKey => "private key under a passphrase",
            Self::Certificate(Role::Seal | Role::Open) => "certificate of a public key to seal to",
            Self::Certificate(_) => "certificate of a public key to verify with",
            Self::CertificateRequest(_) => "request for a certificate",
        }
    }

    /// As JSON calls it.
    pub(super) fn identifier(self) -> &'static str {
        match self {
            Self::Key(Role::Seal) => "public_kem_key",
            Self::Key(Role::Open) => "private_kem_key",
            Self::Key(Role::Verify) => "public_signing_key",
            Self::Key(Role::Sign) => "private_signing_key",
            Self::EncryptedKey => "encrypted_private_key",
            Self::Certificate(Role::Seal | Role::Open) => "kem_certificate",
            Self::Certificate(_) => "signing_certificate",
            Self::CertificateRequest(_) => "certificate_request",
        }
    }

    pub(super) fn is_key(self) -> bool {
        matches!(self, Self::Key(_) | Self::EncryptedKey)
    }
}

impl Held {
    /// Loads what is in a PEM document. No passphrase is needed, and no signature is verified.
    pub(super) fn of(document: PemDocument<'_>) -> Result<Self, Error> {
        match Document::of(&document) {
            Document::Key(role) => Self::key(document, role),
            Document::Encrypted => {
                let (what, details) = (What::EncryptedKey, Vec::new());
                Ok(Self { what, entry: None, details, is_expired: false })
            }
            Document::Certificate(object) => Self::certificate(&object, &document.decode()?),
            // It fails with the reason.
            Document::Foreign(_) | Document::Damaged { .. } => Self::key(document, Role::Sign),
        }
    }

    fn key(document: PemDocument<'_>, role: Role) -> Result<Self, Error> {
        let kem = |key: &EncapsulationKey| (Entry::kem(key.suite(), key.key_id()), Vec::new());
        let signing = |key: &VerifyingKey| {
            (Entry::signing(key.suite(), key.key_id()), model_hint(key).into_iter().collect())
        };
        let entry = match role {
            Role::Seal => EncapsulationKey::try_from(document).map(|key| kem(&key)),
            Role::Open => {
                DecapsulationKey::try_from(document).map(|key| kem(key.encapsulation_key()))
            }
            Role::Verify => VerifyingKey::try_from(document).map(|key| signing(&key)),
            Role::Sign => SigningKey::try_from(document).map(|key| signing(key.verifying_key())),
        };
        let (entry, details) = match entry {
            Ok(known) => known,
            Err(error) => {
                let other = OtherForm::of(document, role)?.ok_or(error)?;
                let (suite, suite_id) = other.suite;
                let entry = Entry { suite: Some(suite), suite_id, key_id: other.key_id };
                (entry, vec![("form", other.form.into()), ("advice", other.advice().into())])
            }
        };
        Ok(Self { what: What::Key(role), entry: Some(entry), details, is_expired: false })
    }

    /// A certificate or a request for one, in DER. Nothing in it is verified.
    fn certificate(object: &Object, der: &[u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: "request for a certificate", reason };
        if object.form == Form::Certificate {
            let certificate = Certificate::from_der(der)?;
            let (role, entry) = public_key(certificate.spki_der())?;
            let names: Vec<_> = certificate.names().iter().map(ToString::to_string).collect();
            let details = vec![
                ("subject", certificate.subject().into()),
                ("issuer", certificate.issuer().into()),
                ("names", names.into()),
                ("not_before", time(certificate.not_before())),
                ("not_after", time(certificate.not_after())),
            ];
            // The last second belongs to the validity.
            let end = certificate.not_after() + Duration::from_secs(1);
            let is_expired = end <= SystemTime::now();
            return Ok(Self {
                what: What::Certificate(role),
                entry: Some(entry),
                details,
                is_expired,
            });
        }
        let request = CertReq::from_der(der).map_err(|_| invalid("it is not DER of this type"))?;
        let spki = request.info.public_key.to_der();
        let (role, entry) = public_key(&spki.map_err(|_| invalid("its key is not DER"))?)?;
        let subject = escape::line(&request.info.subject.to_string());
        let details = vec![("subject", subject.into())];
        let what = What::CertificateRequest(role);
        Ok(Self { what, entry: Some(entry), details, is_expired: false })
    }

    /// It was found outside PEM.
    pub(super) fn in_der(mut self) -> Self {
        if self.what.is_key() {
            self.details.push(("encoding", "DER".into()));
            // A key in another form has its own.
            if !self.details.iter().any(|(name, _)| *name == "advice") {
                self.details.push(("advice", IMPORT.into()));
            }
        }
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let mut value = match &self.entry {
            Some(entry) => entry.to_json(),
            None => json!({ "suite": null, "suite_id": null, "key_id": null }),
        };
        for (name, detail) in &self.details {
            value[name] = detail.clone();
        }
        value
    }

    /// Its line, and one for each detail.
    pub(super) fn to_text(&self, with_noun: bool) -> String {
        let noun = self.what.noun();
        let mut text = match (&self.entry, with_noun) {
            (Some(entry), true) => format!("  {}, {noun}\n", entry.to_text()),
            (Some(entry), false) => format!("  {}\n", entry.to_text()),
            (None, true) => format!("  {noun}, which also hides its suite and id\n"),
            (None, false) => "  the passphrase also hides its suite and id\n".into(),
        };
        for (name, detail) in &self.details {
            let detail = match detail {
                Value::String(text) => text.clone(),
                Value::Array(several) if several.is_empty() => continue,
                Value::Array(several) => {
                    several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
                }
                other => other.to_string(),
            };
            let mark = if *name == "not_after" && self.is_expired { " (expired)" } else { "" };
            text += &format!("    {}: {detail}{mark}\n", name.replace('_', " "));
        }
        text
    }
}

/// By what the signatures of models name this key.
fn model_hint(key: &VerifyingKey) -> Option<(&'static str, Value)> {
    let signs_models = key.suite() == SignatureSuite::ML_DSA_87_ECDSA_P384;
    signs_models.then(|| ("model_hint", TrustedKey::from(key).hint().into()))
}

/// The key of a certificate, whose point may be compressed.
fn public_key(spki: &[u8]) -> Result<(Role, Entry), Error> {
    match VerifyingKey::import_der(spki) {
        Ok(key) => Ok((Role::Verify, Entry::signing(key.suite(), key.key_id()))),
        Err(Error::Algorithm { .. }) => {
            let key = EncapsulationKey::import_der(spki)?;
            Ok((Role::Seal, Entry::kem(key.suite(), key.key_id())))
        }
        Err(error) => Err(error),
    }
}

/// In UTC, as RFC 3339 writes it.
fn time(time: SystemTime) -> Value {
    DateTime::from_system_time(time).map_or(Value::Null, |time| time.to_string().into())
}
