//! Decrypts the keys of a file or directory, and asks once for their passphrase.

use std::io;

use twinseal::{
    DecapsulationKey, Error, SigningKey, key_files::PemDocument, passphrase::PrivateKey,
};

use super::{
    document::{self, Document},
    private::Private,
    role::Role,
    wanted::Wanted,
};
use crate::{args, console::Console, failure::Failure, name::Name, passphrase::Passphrase};

/// Reads documents of private keys, which may be encrypted. The passphrase is asked for when the first
/// encrypted one is met; all others must have the same.
pub(super) struct Unlock<'a> {
    /// Of the file or directory.
    name: &'a Name,
    given: &'a args::Passphrase,
    console: &'a Console,
    passphrase: Option<Passphrase>,
    /// The line of the first document that it does not decrypt.
    wrong: Option<usize>,
    /// Why there is no passphrase.
    failure: Option<Failure>,
    /// The purpose of an encrypted key that is of the wrong kind.
    other: Option<Role>,
    /// A document that is encrypted in a way that is not read here.
    foreign: Option<Document>,
}

/// Where the other keys are that must have the same passphrase.
#[derive(Clone, Copy)]
pub(super) enum Company {
    None,
    File,
    Directory,
}

impl Company {
    /// Of a key in this file.
    pub(super) fn in_file(text: &str) -> Self {
        match PemDocument::split(text) {
            Ok(documents) if documents.len() > 1 => Self::File,
            _ => Self::None,
        }
    }
}

impl<'a> Unlock<'a> {
    pub(super) fn new(name: &'a Name, given: &'a args::Passphrase, console: &'a Console) -> Self {
        Self {
            name,
            given,
            console,
            passphrase: None,
            wrong: None,
            failure: None,
            other: None,
            foreign: None,
        }
    }

    pub(super) fn kem(&mut self, document: PemDocument<'_>) -> Result<DecapsulationKey, Error> {
        if !document.is_encrypted() {
            return DecapsulationKey::try_from(document);
        }
        match self.decrypt(document)? {
            Private::Kem(key) => Ok(key),
            Private::Sign(key) => Err(self.mismatch(Role::Sign, key.suite().oid())),
        }
    }

    pub(super) fn sign(&mut self, document: PemDocument<'_>) -> Result<SigningKey, Error> {
        if !document.is_encrypted() {
            return SigningKey::try_from(document);
        }
        match self.decrypt(document)? {
            Private::Sign(key) => Ok(key),
            Private::Kem(key) => Err(self.mismatch(Role::Open, key.suite().oid())),
        }
    }

    pub(super) fn either(&mut self, document: PemDocument<'_>) -> Result<Private, Error> {
        if document.is_encrypted() {
            return self.decrypt(document);
        }
        match DecapsulationKey::try_from(document).map(Private::Kem) {
            Err(Error::PemLabel { .. } | Error::Algorithm { .. }) => {
                SigningKey::try_from(document).map(Private::Sign)
            }
            other => other,
        }
    }

    fn decrypt(&mut self, document: PemDocument<'_>) -> Result<Private, Error> {
        let key =
            self.passphrase(document).and_then(|passphrase| {
                match PrivateKey::from_encrypted(document, passphrase)? {
                    PrivateKey::Decapsulation(key) => Ok(Private::Kem(key)),
                    PrivateKey::Signing(key) => Ok(Private::Sign(key)),
                    _ => Err(Error::Unsupported("keys of this kind")),
                }
            });
        match key {
            Err(Error::Passphrase) => self.wrong = Some(document.line()),
            Err(Error::Invalid { .. } | Error::Algorithm { .. }) => {
                self.foreign = Some(Document::of(&document));
            }
            _ => {}
        }
        key
    }

    /// Asks for the passphrase, unless it is known. A document that cannot be decrypted whatever the
    /// passphrase is refused before.
    fn passphrase(&mut self, document: PemDocument<'_>) -> Result<&Passphrase, Error> {
        match &mut self.passphrase {
            Some(passphrase) => Ok(passphrase),
            unknown => {
                // An empty passphrase is refused last.
                match PrivateKey::from_encrypted(document, "") {
                    Err(Error::Misuse { .. }) | Ok(_) => {}
                    Err(error) => return Err(error),
                }
                let file = self.given.file.as_deref();
                match Passphrase::of(self.name, file, self.console) {
                    Ok(passphrase) => Ok(unknown.insert(passphrase)),
                    Err(failure) => {
                        self.failure = Some(failure);
                        Err(Error::Passphrase)
                    }
                }
            }
        }
    }

    fn mismatch(&mut self, role: Role, oid: Option<&str>) -> Error {
        self.other = Some(role);
        Error::Algorithm { what: "private key", oid: oid.unwrap_or_default().into() }
    }

    /// Explains an error about a file, if it is about an encrypted key in it, which has company or is alone.
    pub(super) fn explain(
        self,
        error: &Error,
        wanted: Wanted,
        company: Company,
    ) -> Option<Failure> {
        if let Some(role) = self.other {
            let (needed, advice) = (wanted.article_and_noun(), wanted.how_to_get_one());
            let text = format_args!("it holds {role}, but {needed} is needed; {advice}");
            return Some(Failure::of(self.name, text));
        }
        if let Some(foreign) = self.foreign {
            let why = match error {
                Error::Invalid { reason, .. } if reason.contains("import") => {
                    "not encrypted as by twinseal".into()
                }
                error => format!("cannot be decrypted: {error}"),
            };
            let advice = "`twinseal import` reads keys that other software encrypted";
            let what = document::summary(&[foreign]);
            return Some(Failure::of(self.name, format_args!("it is {what}, and {why}; {advice}")));
        }
        self.failure.or_else(|| {
            let advice = match &self.given.file {
                Some(_) => "check --passphrase-file, or fetch the key file again",
                None => "run the command again, or fetch the key file again",
            };
            let import = "if other software encrypted it, use `twinseal import`";
            let (line, one) = match (company, self.wrong) {
                (Company::File, Some(line)) => {
                    let one = "; all encrypted keys in a file must have the same passphrase";
                    (format!("the key in line {line}: "), one)
                }
                (Company::Directory, _) => {
                    let one = "; all encrypted keys in a directory must have the same passphrase";
                    (String::new(), one)
                }
                _ => (String::new(), ""),
            };
            // The error's own text also has what only `import` finds.
            let what = "wrong passphrase, or a changed file";
            let text = format_args!("{line}{what}; {advice}{one}; {import}");
            (*error == Error::Passphrase).then(|| Failure::of(self.name, text))
        })
    }

    /// As [`explain`](Self::explain), for an error that names a file in a directory.
    pub(super) fn explain_in(mut self, error: &io::Error, wanted: Wanted) -> Option<Failure> {
        if self.failure.is_some() {
            return self.failure.take();
        }
        let (name, text) = (self.name, error.to_string());
        let error = Error::inside(error)?;
        let file = text.strip_suffix(&error.to_string())?;
        let failure = self.explain(error, wanted, Company::Directory)?;
        Some(Failure::of(name, format_args!("{file}{}", failure.reason(name))))
    }

    /// Notes that no key needed the passphrase of `--passphrase-file`: whoever names it may think that
    /// the key is encrypted.
    pub(super) fn finish(self) {
        if self.given.file.is_some() && self.passphrase.is_none() {
            let name = self.name;
            let note = "not encrypted, so --passphrase-file was not read";
            self.console.note(format_args!("{name}: {note}"));
        }
    }
}
