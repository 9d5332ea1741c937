//! Public keys in certificates: trusted as they are, or verified with an authority of the user's.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use twinseal::{
    CertificateRefusal, EncapsulationKey, Error, VerifyingKey,
    key_files::PemDocument,
    x509::{Certificate, Name, TrustAnchors},
};

use super::{contents::contents, file::KeyFile, modes::Secrecy, wanted::Wanted};
use crate::{
    args,
    console::Console,
    failure::Failure,
    kind::der::{Form, Object},
    name::Name as FileName,
};

/// How the certificates of a command are judged, and which of them were trusted as they are.
pub(super) struct Certificates<'a> {
    args: &'a args::Trust,
    anchors: Option<TrustAnchors>,
    now: SystemTime,
    trusted: Vec<String>,
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
        certificate.encapsulation_key(now)
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
        certificate.verifying_key(now)
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

impl<'a> Certificates<'a> {
    /// For a command that names its keys with `option`.
    pub(super) fn new(
        args: &'a args::Trust,
        paths: &[PathBuf],
        option: &str,
        console: &Console,
    ) -> Result<Self, Failure> {
        let anchors = match &args.ca {
            Some(_) if paths.len() != 1 => {
                let reason = "--ca verifies only one certificate";
                return Err(Failure::usage(format!("{reason}; name one file with {option}")));
            }
            Some(path) => Some(anchors(args, &KeyFile::read(path)?, console)?),
            None => None,
        };
        Ok(Self { args, anchors, now: SystemTime::now(), trusted: Vec::new() })
    }

    /// The key of the certificate in a file, which may also hold its issuers. `None` if the file holds something
    /// else.
    pub(super) fn key<Key: Certified>(
        &mut self,
        file: &KeyFile,
        wanted: Wanted,
    ) -> Result<Option<Key>, Failure> {
        let Some(chain) = read(file) else {
            return match self.anchors {
                Some(_) => Err(Failure::of(
                    file.name(),
                    format_args!(
                        "it is {}, but --ca verifies a certificate; leave out --ca, or name a certificate",
                        contents(file)
                    ),
                )),
                None => Ok(None),
            };
        };
        let chain = chain.map_err(|error| damaged(file, &error))?;
        let Some(certificate) = chain.first() else { return Ok(None) };
        let key = match &self.anchors {
            Some(anchors) => {
                let name = self.name(certificate, file)?;
                Key::verified(anchors, &chain, &name, self.now)
            }
            None => Key::trusted(certificate, self.now),
        };
        let key = key.map_err(|error| refused(file, certificate, &error, wanted))?;
        if self.anchors.is_none() {
            let which = match chain.len() {
                1 => String::new(),
                several => format!(", the first of {several} in the file,"),
            };
            let (name, subject) = (file.name(), subject(certificate));
            self.trusted.push(format!("{name}: the certificate of {subject}{which}"));
        }
        Ok(Some(key))
    }

    /// A directory holds keys, and no certificates.
    pub(super) fn refuse_directory(&self, path: &Path) -> Result<(), Failure> {
        let reason =
            "it is a directory, but --ca verifies a certificate; name one, or leave out --ca";
        match self.anchors {
            Some(_) => Err(Failure::of(&FileName::of(path), reason)),
            None => Ok(()),
        }
    }

    /// The name that the certificate must have.
    fn name(&self, certificate: &Certificate, file: &KeyFile) -> Result<Name, Failure> {
        let subject = certificate.subject_der();
        match (&self.args.name, &self.args.subject) {
            (Some(name), _) => Ok(name.0.clone()),
            (None, Some(wanted)) if wanted.is(subject) => Ok(Name::Subject(subject.to_vec())),
            (None, _) => Err(Failure::of(
                file.name(),
                format_args!(
                    "the certificate is for {}, not the subject that was named; check --subject",
                    self::subject(certificate)
                ),
            )),
        }
    }

    /// Says that certificates were not verified.
    pub(super) fn note(&self, console: &Console) {
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

/// The authorities in the file of `--ca`.
fn anchors(args: &args::Trust, file: &KeyFile, console: &Console) -> Result<TrustAnchors, Failure> {
    let needed = "the certificate of a certification authority";
    let certificates = read(file).ok_or_else(|| {
        let what = contents(file);
        Failure::of(file.name(), format_args!("it is {what}, but {needed} is needed; name one"))
    })?;
    let certificates = certificates.map_err(|error| damaged(file, &error))?;
    file.warn(Secrecy::Public, console);
    let anchors = TrustAnchors::new(certificates);
    let anchors = anchors
        .map_err(|error| Failure::of(file.name(), format_args!("{error}; {needed} is needed")))?;
    match &args.eku {
        Some(oid) => anchors.with_extended_key_usage(oid).map_err(|error| {
            Failure::usage(format!(
                "--eku: {error}; name an object identifier, such as 1.3.6.1.5.5.7.3.4"
            ))
        }),
        None => Ok(anchors),
    }
}

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

fn refused(file: &KeyFile, certificate: &Certificate, error: &Error, wanted: Wanted) -> Failure {
    let subject = subject(certificate);
    match error {
        Error::Certificate(reason) => {
            let advice = advice(*reason, certificate);
            Failure::of(
                file.name(),
                format_args!("the certificate of {subject} is refused: {reason}; {advice}"),
            )
        }
        Error::Algorithm { .. } => {
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
        error => damaged(file, error),
    }
}

/// What to do about a certificate that is refused.
fn advice(reason: CertificateRefusal, certificate: &Certificate) -> String {
    match reason {
        CertificateRefusal::Expired => "get a new one",
        CertificateRefusal::NotYetValid => "check the clock of this machine, or wait",
        CertificateRefusal::UnknownIssuer | CertificateRefusal::Signature => {
            "check --ca; certificates of authorities between belong in the same file, after it"
        }
        CertificateRefusal::Name => {
            let names: Vec<_> = certificate.names().iter().map(ToString::to_string).collect();
            return match names.as_slice() {
                [] => "it has no name but its subject; name that with --subject".into(),
                names => format!("its names are {}", short(&names.join(", "))),
            };
        }
        CertificateRefusal::ExtendedKeyUsage => {
            "verify it with --ca, and name the usage with --eku"
        }
        CertificateRefusal::NotACa => "name the certificate of an authority with --ca",
        CertificateRefusal::Algorithm => "twinseal verifies only signatures of its own suites",
        CertificateRefusal::TooComplex => "leave only those of authorities between in the file",
        CertificateRefusal::IsACa => "name the certificate that the authority issued",
        CertificateRefusal::Malformed => "fetch it again",
        CertificateRefusal::CriticalExtension => "a newer twinseal may know it",
        _ => "ask its issuer for another one",
    }
    .into()
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
