//! Public keys in certificates: trusted as they are, or verified with an authority of the user's.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use twinseal::{
    CertificateRefusal, EncapsulationKey, Error, VerifyingKey,
    key_files::PemDocument,
    model::TrustedKey,
    x509::{Certificate, Name, TrustAnchors},
};

use super::{contents::contents, file::KeyFile, modes::Secrecy, wanted::Wanted};
use crate::{
    args,
    console::Console,
    failure::Failure,
    kind::{
        self, FileKind,
        der::{self, Form, Object},
    },
    name::Name as FileName,
};

mod refused;

use refused::Refused;
pub(super) use refused::is_authority;

/// How the certificates of a command are judged, and which of them were trusted as they are.
pub(super) struct Certificates<'a> {
    args: &'a args::Trust,
    authorities: Option<Authorities>,
    now: SystemTime,
    trusted: Vec<String>,
    /// Whose certificate was verified, and for which name.
    verified: Option<String>,
}

/// The file of `--ca`.
struct Authorities {
    file: FileName,
    certificates: Vec<Certificate>,
    anchors: TrustAnchors,
}

/// A kind of key that certificates hold.
pub(super) trait Certified: Sized {
    fn trusted(certificate: &Certificate, now: SystemTime) -> Result<Self, Error>;

    fn verified(
        anchors: &TrustAnchors,
        chain: &[Certificate],
        name: &Name,
        now: SystemTime,
    ) -> Result<Self, Error>;
}

impl Certified for EncapsulationKey {
    fn trusted(certificate: &Certificate, now: SystemTime) -> Result<Self, Error> {
        certificate.claimed_encapsulation_key(now)
    }

    fn verified(
        anchors: &TrustAnchors,
        chain: &[Certificate],
        name: &Name,
        now: SystemTime,
    ) -> Result<Self, Error> {
        anchors.encapsulation_key(chain, name, now)
    }
}

impl Certified for VerifyingKey {
    fn trusted(certificate: &Certificate, now: SystemTime) -> Result<Self, Error> {
        certificate.claimed_verifying_key(now)
    }

    fn verified(
        anchors: &TrustAnchors,
        chain: &[Certificate],
        name: &Name,
        now: SystemTime,
    ) -> Result<Self, Error> {
        anchors.verifying_key(chain, name, now)
    }
}

/// A bundle's key: no certificate of another suite is taken.
impl Certified for TrustedKey {
    fn trusted(certificate: &Certificate, now: SystemTime) -> Result<Self, Error> {
        VerifyingKey::trusted(certificate, now).map(Self::from)
    }

    fn verified(
        anchors: &TrustAnchors,
        chain: &[Certificate],
        name: &Name,
        now: SystemTime,
    ) -> Result<Self, Error> {
        VerifyingKey::verified(anchors, chain, name, now).map(Self::from)
    }
}

impl<'a> Certificates<'a> {
    /// For a command that names its keys with `option`.
    pub(super) fn new(
        args: &'a args::Trust,
        paths: &[PathBuf],
        option: &str,
        console: &Console,
    ) -> Result<Self, Failure> {
        let authorities = match &args.ca {
            Some(_) if paths.len() != 1 => {
                let reason = "--ca verifies only one certificate";
                return Err(Failure::usage(format!("{reason}; name one file with {option}")));
            }
            Some(path) => Some(Authorities::read(args, &KeyFile::read(path)?, console)?),
            None => None,
        };
        Ok(Self { args, authorities, now: SystemTime::now(), trusted: Vec::new(), verified: None })
    }

    /// The key of the certificate in a file, which may also hold its issuers. `None` if the file holds something
    /// else.
    pub(super) fn key<Key: Certified>(
        &mut self,
        file: &KeyFile,
        wanted: Wanted,
    ) -> Result<Option<Key>, Failure> {
        let Some(chain) = read(file) else {
            if let Some(failure) = unreadable(file) {
                return Err(failure);
            }
            return match self.authorities {
                Some(_) => {
                    let advice = match kind::of(file.bytes()) {
                        FileKind::Unknown => "fetch it again, or name a certificate",
                        _ => "leave out --ca, or name a certificate",
                    };
                    let what = what(file);
                    let text =
                        format_args!("it is {what}, but --ca verifies a certificate; {advice}");
                    Err(Failure::of(file.name(), text))
                }
                None => Ok(None),
            };
        };
        let chain = chain.map_err(|error| damaged(file, &error))?;
        let Some(certificate) = chain.first() else { return Ok(None) };
        let Some(authorities) = &self.authorities else {
            let key = Key::trusted(certificate, self.now);
            let key = key.map_err(|error| self.refused(file, &chain, &error, wanted))?;
            let which = match chain.len() {
                1 => String::new(),
                several => format!(", the first of {several} in the file,"),
            };
            let (name, subject) = (file.name(), subject(certificate));
            self.trusted.push(format!("{name}: the certificate of {subject}{which}"));
            return Ok(Some(key));
        };
        let name = self.name(file, &chain, certificate, wanted)?;
        let key = Key::verified(&authorities.anchors, &chain, &name, self.now);
        let key = key.map_err(|error| self.refused(file, &chain, &error, wanted))?;
        if wanted.is_of_signer() {
            let (file, ca) = (file.name(), &authorities.file);
            let whose = match name {
                Name::Subject(_) => subject(certificate),
                name => format!("{} ({name})", subject(certificate)),
            };
            self.verified =
                Some(format!("{file}: the certificate of {whose} is verified with {ca}"));
        }
        Ok(Some(key))
    }

    /// A directory holds keys, and no certificates.
    pub(super) fn refuse_directory(&self, path: &Path) -> Result<(), Failure> {
        let reason =
            "it is a directory, but --ca verifies a certificate; name one, or leave out --ca";
        match self.authorities {
            Some(_) => Err(Failure::of(&FileName::of(path), reason)),
            None => Ok(()),
        }
    }

    /// The name that the certificate must have.
    fn name(
        &self,
        file: &KeyFile,
        chain: &[Certificate],
        certificate: &Certificate,
        wanted: Wanted,
    ) -> Result<Name, Failure> {
        let wanted_subject = match (&self.args.name, &self.args.subject) {
            (Some(name), _) => return Ok(name.0.clone()),
            (None, subject) => subject.as_ref(),
        };
        let der = certificate.subject_der();
        if wanted_subject.is_some_and(|subject| subject.is(der)) {
            return Ok(Name::Subject(der.to_vec()));
        }
        if is_authority(certificate) {
            let reason = Error::Certificate(CertificateRefusal::IsACa);
            return Err(self.refused(file, chain, &reason, wanted));
        }
        let named = wanted_subject.map(ToString::to_string).unwrap_or_default();
        let advice = match wanted_subject.is_some_and(|subject| subject.is_reordered(der)) {
            true => {
                "that has the same parts in another order: name the most specific first, as `openssl x509 \
                 -subject -nameopt rfc2253` prints it"
            }
            false => "check --subject",
        };
        let subject = subject(certificate);
        let text =
            format_args!("the certificate is for {subject}, not {}; {advice}", short(&named));
        Err(Failure::of(file.name(), text))
    }

    fn refused(
        &self,
        file: &KeyFile,
        chain: &[Certificate],
        error: &Error,
        wanted: Wanted,
    ) -> Failure {
        let Some(certificate) = chain.first() else { return damaged(file, error) };
        let subject = subject(certificate);
        let reason = match error {
            Error::Certificate(reason) => Some(*reason),
            Error::Algorithm { .. } if is_authority(certificate) => Some(CertificateRefusal::IsACa),
            _ => None,
        };
        match (error, reason) {
            (_, Some(reason)) => {
                let authorities = self.authorities.as_ref();
                let refused = Refused {
                    file: file.name(),
                    chain,
                    authorities: authorities.map(|it| (&it.file, it.certificates.as_slice())),
                    eku: self.args.eku.as_deref(),
                    now: self.now,
                    wanted,
                };
                let text = refused.text(reason);
                Failure::of(
                    file.name(),
                    format_args!("the certificate of {subject} is refused: {text}"),
                )
            }
            (Error::Algorithm { .. }, None) => {
                let what = match Object::of(certificate.as_der()) {
                    Some(object) => object.to_string(),
                    None => "a certificate of another algorithm".into(),
                };
                let needed = wanted.article_and_noun();
                let advice = "name the certificate of another key, or the key itself";
                Failure::of(
                    file.name(),
                    format_args!("it is {what} of {subject}, but {needed} is needed; {advice}"),
                )
            }
            (error, None) => damaged(file, error),
        }
    }

    /// Says whose certificate was verified, or that certificates were not.
    pub(super) fn note(&self, console: &Console) {
        if let Some(verified) = &self.verified {
            console.note(verified);
        }
        let Some(first) = self.trusted.first() else { return };
        let (more, are) = match self.trusted.len() {
            1 => (String::new(), "is trusted as it is"),
            several => (format!(" and {} more", several - 1), "are trusted as they are"),
        };
        console.note(format_args!(
            "{first}{more} {are}: only validity and usage were checked; verify who issued it with --ca"
        ));
    }
}

impl Authorities {
    fn read(args: &args::Trust, file: &KeyFile, console: &Console) -> Result<Self, Failure> {
        let needed = "the certificate of a certification authority";
        let certificates = read(file).ok_or_else(|| {
            unreadable(file).unwrap_or_else(|| {
                let what = what(file);
                let text = format_args!("it is {what}, but {needed} is needed; name one");
                Failure::of(file.name(), text)
            })
        })?;
        let certificates = certificates.map_err(|error| damaged(file, &error))?;
        file.warn(Secrecy::Public, console);
        let anchors = TrustAnchors::new(certificates.iter().cloned()).map_err(|error| {
            Failure::of(file.name(), format_args!("{error}; {needed} is needed"))
        })?;
        let anchors = match &args.eku {
            Some(oid) => anchors.with_extended_key_usage(oid).map_err(|_| {
                let reason = "--eku: it is not an object identifier, such as 1.3.6.1.5.5.7.3.4";
                Failure::usage(reason)
            })?,
            None => anchors,
        };
        Ok(Self { file: file.name().clone(), certificates, anchors })
    }
}

/// A certificate, or something in DER, that is damaged as a whole.
fn unreadable(file: &KeyFile) -> Option<Failure> {
    let fault = match file.text().map(|text| (text, PemDocument::split(text))) {
        Some((text, Err(Error::Pem { line, reason }))) if text.contains(BEGIN) => {
            format!("line {line}: {reason}")
        }
        Some((_, Ok(_) | Err(Error::Pem { .. }))) => return None,
        _ => der::damage(file.bytes())?,
    };
    Some(Failure::of(file.name(), format_args!("damaged file, {fault}; fetch it again")))
}

/// What a file is that is not a certificate.
fn what(file: &KeyFile) -> String {
    match kind::of(file.bytes()) {
        FileKind::Unknown => "something else, or damaged".into(),
        _ => contents(file),
    }
}

/// How a certificate in PEM starts.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The certificates of a file that holds nothing else, in PEM or DER.
pub(super) fn read(file: &KeyFile) -> Option<Result<Vec<Certificate>, Error>> {
    let der = || Object::of(file.bytes()).is_some_and(|object| object.form == Form::Certificate);
    match file.text().and_then(|text| Some((text, PemDocument::split(text).ok()?))) {
        Some((text, documents)) => {
            let are_certificates = documents.iter().all(|document| document.label() == LABEL);
            are_certificates.then(|| Certificate::chain_from_pem(text))
        }
        None => der().then(|| Certificate::from_der(file.bytes()).map(|only| vec![only])),
    }
}

/// The label of RFC 7468 §5.
const LABEL: &str = "CERTIFICATE";

pub(super) fn damaged(file: &KeyFile, error: &Error) -> Failure {
    Failure::of(file.name(), format_args!("damaged certificate: {error}; fetch it again"))
}

/// The subject, as messages name it.
fn subject(certificate: &Certificate) -> String {
    match certificate.subject() {
        subject if subject.is_empty() => "an unnamed subject".into(),
        subject => short(&subject),
    }
}

/// A message is one line, but a certificate may have megabytes of names.
fn short(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}..", text.split_at(end).0),
        None => text.into(),
    }
}
