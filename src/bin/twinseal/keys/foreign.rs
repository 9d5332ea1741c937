//! Keys as other software writes them, for `import`.

use std::path::Path;

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, KeyId, SignatureSuite, SigningKey,
    VerifyingKey, key_files::PemDocument, x509::Certificate,
};

use super::{
    Private, certificates, contents::contents, document::Document, file::KeyFile, modes::Secrecy,
    role::Role, unfit::ONLY_MODELS,
};
use crate::{
    args,
    console::Console,
    failure::Failure,
    kind::{
        self, FileKind,
        der::{self, Object, Suite},
    },
    name::Name,
    passphrase::Passphrase,
};

mod encrypted;

use encrypted::Encrypted;

/// A key of any kind.
pub(crate) enum Foreign {
    /// If it is encrypted, with its passphrase.
    Private(Private, Option<Passphrase>),
    Public(Public),
}

/// A public key of either kind.
#[derive(PartialEq, Eq)]
pub(crate) enum Public {
    Seal(EncapsulationKey),
    Verify(VerifyingKey),
}

impl Public {
    pub(crate) fn key_id(&self) -> KeyId {
        match self {
            Self::Seal(key) => key.key_id(),
            Self::Verify(key) => key.key_id(),
        }
    }

    pub(crate) fn to_pem(&self) -> String {
        match self {
            Self::Seal(key) => key.to_pem(),
            Self::Verify(key) => key.to_pem(),
        }
    }

    /// The key of a certificate, of which nothing is checked.
    fn of_certificate(spki: &[u8]) -> Result<Self, Error> {
        match VerifyingKey::import_der(spki).map(Self::Verify) {
            Err(Error::Algorithm { .. }) => EncapsulationKey::import_der(spki).map(Self::Seal),
            key => key,
        }
    }
}

impl Foreign {
    pub(crate) fn public(&self) -> Public {
        match self {
            Self::Private(Private::Kem(key), _) => Public::Seal(key.encapsulation_key().clone()),
            Self::Private(Private::Sign(key), _) => Public::Verify(key.verifying_key().clone()),
            Self::Public(Public::Seal(key)) => Public::Seal(key.clone()),
            Self::Public(Public::Verify(key)) => Public::Verify(key.clone()),
        }
    }

    fn warn(&self, file: &KeyFile, console: &Console) {
        let secrecy = match self {
            Self::Private(..) => Secrecy::Private,
            Self::Public(_) => Secrecy::Public,
        };
        file.warn(secrecy, console);
    }
}

/// The key in a file: in PEM or DER, or the bare octets of a key. If it is encrypted, it must be the expected one.
pub(crate) fn foreign(
    args: &args::Import,
    expected: Option<KeyId>,
    console: &Console,
) -> Result<Foreign, Failure> {
    let file = KeyFile::read(&args.input)?;
    let key = match (&args.suite, Encrypted::of(&file)) {
        (Some(suite), _) => of_octets(&file, suite)?,
        (None, Some(encrypted)) => encrypted.decrypt(&file, args, expected, console)?,
        (None, None) => of_structure(&file)?,
    };
    key.warn(&file, console);
    if args.passphrase.file.is_some() && !matches!(key, Foreign::Private(_, Some(_))) {
        let note = "not encrypted, so --passphrase-file was not read";
        console.note(format_args!("{}: {note}", file.name()));
    }
    Ok(key)
}

/// The public key in a file, which may be a certificate of which nothing is checked.
pub(crate) fn expected(path: &Path) -> Result<Public, Failure> {
    let file = KeyFile::read(path)?;
    if let Some(chain) = certificates::read(&file) {
        let key = chain.and_then(|chain| match chain.first() {
            Some(certificate) => Public::of_certificate(certificate.spki_der()),
            None => Err(Error::NotPem { reason: "it has no certificate" }),
        });
        return key.map_err(|error| certificates::damaged(&file, &error));
    }
    let is_text = file.text().is_some_and(|text| PemDocument::split(text).is_ok());
    if !is_text && Object::of(file.bytes()).is_none() {
        let what = contents(&file);
        let advice = "--expect takes the key id, or the file of a public key or a certificate";
        return Err(Failure::of(file.name(), format_args!("it is {what}; {advice}")));
    }
    of_structure(&file).map(|key| key.public())
}

/// A file in PEM or DER.
fn of_structure(file: &KeyFile) -> Result<Foreign, Failure> {
    let pem = file.text().and_then(|text| Some((text, PemDocument::split(text).ok()?)));
    let (source, role) = match &pem {
        Some((text, documents)) => match documents.as_slice() {
            [document] => match Document::of(document) {
                Document::Key(role) => (Source::Pem(text), role),
                _ => return Err(unfit(file)),
            },
            _ => return Err(unfit(file)),
        },
        None => {
            let role = Object::of(file.bytes()).and_then(|object| Role::of_object(&object));
            (Source::Der(file.bytes()), role.ok_or_else(|| unfit(file))?)
        }
    };
    source.key(role).map_err(|error| match source.is_expanded(role) {
        true => expanded(file),
        false => export_again(file.name(), &error),
    })
}

/// What a key is imported from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Pem(&'a str),
    Der(&'a [u8]),
}

impl Source<'_> {
    fn key(self, role: Role) -> Result<Foreign, Error> {
        let seal = |key| Foreign::Public(Public::Seal(key));
        let open = |key| Foreign::Private(Private::Kem(key), None);
        let verify = |key| Foreign::Public(Public::Verify(key));
        let sign = |key| Foreign::Private(Private::Sign(key), None);
        match (self, role) {
            (Self::Pem(text), Role::Seal) => EncapsulationKey::import_pem(text).map(seal),
            (Self::Pem(text), Role::Open) => DecapsulationKey::import_pem(text).map(open),
            (Self::Pem(text), Role::Verify) => VerifyingKey::import_pem(text).map(verify),
            (Self::Pem(text), Role::Sign) => SigningKey::import_pem(text).map(sign),
            (Self::Der(der), Role::Seal) => EncapsulationKey::import_der(der).map(seal),
            (Self::Der(der), Role::Open) => DecapsulationKey::import_der(der).map(open),
            (Self::Der(der), Role::Verify) => VerifyingKey::import_der(der).map(verify),
            (Self::Der(der), Role::Sign) => SigningKey::import_der(der).map(sign),
        }
    }

    /// Whether it is a private key to sign with that has no seed.
    fn is_expanded(self, role: Role) -> bool {
        match (self, role) {
            (Self::Pem(text), Role::Sign) => SigningKey::import_expanded_pem(text).is_ok(),
            (Self::Der(der), Role::Sign) => SigningKey::import_expanded_der(der).is_ok(),
            _ => false,
        }
    }
}

/// The octets of a key, of which only the suite is known. A public key is longer than a private one with its
/// seeds, and shorter than one without.
fn of_octets(file: &KeyFile, suite: &str) -> Result<Foreign, Failure> {
    let is_named = |name: &str| name.eq_ignore_ascii_case(suite);
    let kem = KemSuite::ALL.iter().copied().find(|suite| is_named(suite.name()));
    let signature = SignatureSuite::ALL.iter().copied().find(|suite| is_named(suite.name()));
    let bytes = file.bytes();
    let (suite, public, private, length) = match (kem, signature) {
        (Some(suite), _) => (
            suite.name(),
            EncapsulationKey::import_bytes(suite, bytes).map(Public::Seal),
            DecapsulationKey::import_bytes(suite, bytes).map(Private::Kem),
            suite.encapsulation_key_len(),
        ),
        (_, Some(suite)) => (
            suite.name(),
            VerifyingKey::import_bytes(suite, bytes).map(Public::Verify),
            SigningKey::import_bytes(suite, bytes).map(Private::Sign),
            suite.verifying_key_len(),
        ),
        (None, None) => return Err(Failure::usage("--suite: there is no such suite")),
    };
    match (public, private) {
        (Ok(key), _) => Ok(Foreign::Public(key)),
        (_, Ok(key)) => Ok(Foreign::Private(key, None)),
        _ if signature
            .is_some_and(|suite| SigningKey::import_expanded_bytes(suite, bytes).is_ok()) =>
        {
            Err(expanded(file))
        }
        (Err(public), Err(private)) => {
            Err(not_octets(file, suite, if bytes.len() == length { &public } else { &private }))
        }
    }
}

fn not_octets(file: &KeyFile, suite: &str, error: &Error) -> Failure {
    match kind::of(file.bytes()) {
        // Octets may look like a signature.
        FileKind::Unknown | FileKind::Signature(_) | FileKind::SignatureAndLineEnd => Failure::of(
            file.name(),
            format_args!("not the octets of a key of {suite}: {error}; export it in PEM or DER"),
        ),
        _ => Failure::of(
            file.name(),
            format_args!(
                "it is {}, not the bare octets of a key; leave out --suite",
                contents(file)
            ),
        ),
    }
}

/// A file that is no key to import.
fn unfit(file: &KeyFile) -> Failure {
    let documents = file.text().map(PemDocument::split);
    let damage = match &documents {
        Some(Err(Error::Pem { line, reason })) => Some((*line, (*reason).to_owned())),
        Some(Ok(documents)) => documents.iter().find_map(|document| {
            let document = Document::of(document);
            document.damage().map(|(line, reason)| (line, reason.to_owned()))
        }),
        _ => None,
    };
    if let Some((line, reason)) = damage {
        let text = format_args!("damaged in line {line}: {reason}; export the key again");
        return Failure::of(file.name(), text);
    }
    if let Some(Ok(chain)) = certificates::read(file)
        && let Some(certificate) = chain.first()
    {
        return of_certificate(file.name(), certificate);
    }
    let verb = if matches!(&documents, Some(Ok(documents)) if documents.len() > 1) {
        "holds"
    } else {
        "is"
    };
    let advice = match &documents {
        Some(Ok(documents)) if documents.iter().all(Document::is_p384_public_key) => ONLY_MODELS,
        Some(Ok(documents)) if is_one_key(documents) => OTHER_SUITE,
        Some(Ok(documents)) if is_request(documents) => "an authority makes a certificate of it",
        Some(Ok(documents)) if documents.len() > 1 => "put each key in a file of its own",
        Some(Ok(_)) => OTHER_SUITE,
        _ => match kind::of(file.bytes()) {
            FileKind::Unknown | FileKind::Signature(_) | FileKind::SignatureAndLineEnd => {
                if let Some(damage) = der::damage(file.bytes()) {
                    let text = format_args!("damaged file, {damage}; fetch or export it again");
                    return Failure::of(file.name(), text);
                }
                let advice = "if it holds the bare octets of a key, name its suite with --suite";
                return Failure::of(file.name(), format_args!("neither PEM nor DER; {advice}"));
            }
            kind @ FileKind::Der(_) => kind.advice().unwrap_or(OTHER_SUITE),
            FileKind::Other(_) => OTHER_SUITE,
            kind => kind.advice().unwrap_or("name the file of a key"),
        },
    };
    Failure::of(file.name(), format_args!("it {verb} {}; {advice}", contents(file)))
}

const OTHER_SUITE: &str = "twinseal has only keys of its own suites: `twinseal keygen` makes one";

/// Parameters of a curve may precede their key, as `openssl ecparam -genkey` writes them.
fn is_one_key(documents: &[PemDocument<'_>]) -> bool {
    documents.len() > 1
        && documents.iter().filter(|document| document.label() != "EC PARAMETERS").count() == 1
}

/// Of a key of a suite of twinseal.
fn is_request(documents: &[PemDocument<'_>]) -> bool {
    matches!(documents, [request] if matches!(Document::of(request), Document::Certificate(_)))
}

/// A certificate is no key to import, but most commands take it like one.
fn of_certificate(name: &Name, certificate: &Certificate) -> Failure {
    let object = Object::of(certificate.as_der());
    let suite = object.as_ref().and_then(Object::suite);
    let advice = match suite {
        None => "twinseal takes only certificates of keys of its own suites",
        Some(_) if certificates::is_authority(certificate) => {
            "it is that of a certification authority: `--ca` of `seal` and `verify` takes it as it is"
        }
        Some(Suite::Kem(_)) => "`seal -r` takes it as it is",
        Some(Suite::Signature(_)) => "`verify -p` takes it as it is",
    };
    let what = object.map_or_else(|| "a certificate".into(), |object| object.to_string());
    Failure::of(name, format_args!("it is {what}; {advice}"))
}

/// A key that has the form of one, but is none.
fn export_again(name: &Name, error: &Error) -> Failure {
    let text = error.to_string();
    let advice = match error {
        Error::Unknown { .. } => "a newer twinseal may support it",
        // Its reason already says what to do.
        _ if text.contains("; ") => return Failure::of(name, text),
        _ => "export the key again",
    };
    Failure::of(name, format_args!("{text}; {advice}"))
}

pub(crate) fn not_expected(name: &Name, found: KeyId, expected: KeyId) -> Failure {
    let advice = "do not use it, unless you named the wrong one with --expect";
    Failure::of(name, format_args!("its key id is {found}, not {expected}; {advice}"))
}

/// A good key that has no file here.
fn expanded(file: &KeyFile) -> Failure {
    Failure::of(
        file.name(),
        "a good private key to sign with, but in its expanded form only: a key file of twinseal holds the seed, \
         which cannot be computed from that; export the key with its seed, or sign with it through the library \
         (SigningKey::import_expanded_pem)",
    )
}
