//! A small certification authority: it takes only the key of a request, and decides everything else itself.

use std::{
    env,
    error::Error,
    fs,
    process::ExitCode,
    str::FromStr,
    time::{Duration, SystemTime},
};

use twinseal::{
    DecapsulationKey, EncapsulationKey, KemSuite, Signature, SigningKey, VerifyingKey,
    key_files::PemDocument,
    signature::Verifier,
    x509::{self, TrustAnchors},
};
use x509_cert::{
    TbsCertificate,
    builder::{self, Builder, CertificateBuilder, profile::BuilderProfile},
    der::{Decode, Encode, asn1::Ia5String},
    ext::{
        Extension, ToExtension,
        pkix::{
            AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectAltName,
            SubjectKeyIdentifier, name::GeneralName,
        },
    },
    name::Name,
    request::{CertReq, RequestBuilder},
    serial_number::SerialNumber,
    spki::{DynSignatureAlgorithmIdentifier, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef},
    time::Validity,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What a certificate says. All of it is the operator's decision.
struct Terms {
    issuer: Name,
    subject: Name,
    host: Option<String>,
    usage: KeyUsages,
    /// The number of authorities that may follow this one in a chain; `None` if it is not an authority.
    path_length: Option<u8>,
    days: u64,
}

impl BuilderProfile for Terms {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        issuer_key: SubjectPublicKeyInfoRef<'_>,
        _tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let constraints = BasicConstraints {
            ca: self.path_length.is_some(),
            path_len_constraint: self.path_length,
        };
        let mut extensions = vec![
            constraints.to_extension(&self.subject, &[])?,
            KeyUsage(self.usage.into()).to_extension(&self.subject, &[])?,
            SubjectKeyIdentifier::try_from(key)?.to_extension(&self.subject, &[])?,
            AuthorityKeyIdentifier::try_from(issuer_key)?.to_extension(&self.subject, &[])?,
        ];
        if let Some(host) = &self.host {
            let name = SubjectAltName(vec![GeneralName::DnsName(Ia5String::new(host)?)]);
            extensions.push(name.to_extension(&self.subject, &[])?);
        }
        Ok(extensions)
    }
}

/// A key that signs certificates, and the certificate by which others trust it.
struct Authority {
    key: SigningKey,
    root: x509::Certificate,
}

impl Authority {
    /// No other authority may follow this one in a chain.
    fn new(key: SigningKey, subject: &str) -> Result<Self> {
        let subject = Name::from_str(subject)?;
        let (issuer, usage, path_length) = (subject.clone(), KeyUsages::KeyCertSign, Some(0));
        let terms = Terms { issuer, subject, host: None, usage, path_length, days: 3650 };
        let root = issue(&key, &key.verifying_key().to_spki_der()?, terms)?;
        Ok(Self { key, root })
    }

    fn read(key: &str, root: &str) -> Result<Self> {
        let key = SigningKey::read_pem_file(key)?;
        let root = x509::Certificate::from_pem(&fs::read_to_string(root)?)?;
        let signed = root.verify_signature(key.verifying_key());
        signed.map_err(|error| format!("ROOT was not made with KEY: {error}"))?;
        Ok(Self { key, root })
    }

    /// A certificate for a key (as SubjectPublicKeyInfo) of this subject and host.
    fn certify(
        &self,
        (key, usage): (&[u8], KeyUsages),
        subject: &str,
        host: &str,
    ) -> Result<x509::Certificate> {
        let (issuer, subject) =
            (Name::from_der(self.root.subject_der())?, Name::from_str(subject)?);
        let host = Some(host.to_owned());
        let terms = Terms { issuer, subject, host, usage, path_length: None, days: 90 };
        issue(&self.key, key, terms)
    }
}

fn issue(authority: &SigningKey, key: &[u8], terms: Terms) -> Result<x509::Certificate> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial)?;
    let validity = Validity::from_now(Duration::from_secs(terms.days * 24 * 60 * 60))?;
    let key = SubjectPublicKeyInfo::from_der(key)?;
    let builder = CertificateBuilder::new(terms, SerialNumber::new(&serial)?, validity, key)?;
    let certificate = builder.build::<_, Signature>(&authority.without_context())?;
    Ok(x509::Certificate::from_der(&certificate.to_der()?)?)
}

/// The key of a request. The request's signature proves that whoever made it has the private key.
fn requested_key(request: &[u8]) -> Result<VerifyingKey> {
    let request = CertReq::from_der(request)?;
    let key = VerifyingKey::from_spki_der(&request.info.public_key.to_der()?)?;
    if request.algorithm != key.without_context().signature_algorithm_identifier()? {
        return Err("the request is signed with another algorithm than that of its key".into());
    }
    let signature = request.signature.as_bytes().ok_or("the signature is not whole bytes")?;
    let signature = Signature::from_bytes(key.suite(), signature)?;
    key.without_context().verify(&request.info.to_der()?, &signature)?;
    Ok(key)
}

/// The key in the file of a request, or in a file that `twinseal public` wrote. A KEM key cannot sign a request:
/// find out by other means that the file comes from its owner.
fn key_in(text: &str) -> Result<(Vec<u8>, KeyUsages)> {
    let documents = PemDocument::split(text)?;
    let [document] = documents[..] else { return Err("one request or one key is needed".into()) };
    if document.label() == "CERTIFICATE REQUEST" {
        let key = requested_key(&document.decode()?)?;
        return Ok((key.to_spki_der()?, KeyUsages::DigitalSignature));
    }
    if VerifyingKey::try_from(document).is_ok() {
        return Err(
            "a signer's key needs a request, which proves that they have the private key: \
                    `twinseal certificate --request` makes it"
                .into(),
        );
    }
    Ok((EncapsulationKey::try_from(document)?.to_spki_der()?, KeyUsages::KeyEncipherment))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("certificate_authority: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => demonstration()?,
        ["root", key, subject] => {
            let authority = Authority::new(SigningKey::read_pem_file(key)?, subject)?;
            print!("{}", authority.root.to_pem());
        }
        ["issue", key, root, file, subject, host] => {
            let (public, usage) = key_in(&fs::read_to_string(file)?)?;
            let authority = Authority::read(key, root)?;
            print!("{}", authority.certify((&public, usage), subject, host)?.to_pem());
        }
        _ => return Err("use: root KEY SUBJECT, or: issue KEY ROOT FILE SUBJECT HOST".into()),
    }
    Ok(())
}

/// A signer and a recipient get certificates, and others get their keys out of them.
fn demonstration() -> Result<()> {
    let authority = Authority::new(SigningKey::generate()?, "CN=Example CA")?;

    let alice = SigningKey::generate()?;
    let request = RequestBuilder::new(Name::from_str("CN=whoever she wants to be")?)?;
    let request = request.build::<_, Signature>(&alice.without_context())?.to_der()?;
    let key = (&*requested_key(&request)?.to_spki_der()?, KeyUsages::DigitalSignature);
    let of_alice = [authority.certify(key, "CN=Alice", "alice.example")?];

    let bob = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384)?;
    let key = (&*bob.encapsulation_key().to_spki_der()?, KeyUsages::KeyEncipherment);
    let of_bob = [authority.certify(key, "CN=Bob", "bob.example")?];

    let (anchors, now) = (TrustAnchors::new([authority.root])?, SystemTime::now());
    let [at_alice, at_bob] =
        ["alice.example", "bob.example"].map(|host| x509::Name::Dns(host.into()));
    assert_eq!(anchors.verifying_key(&of_alice, &at_alice, now)?, *alice.verifying_key());
    println!("Alice signs: her key is in a certificate of the authority.");
    assert_eq!(anchors.encapsulation_key(&of_bob, &at_bob, now)?, *bob.encapsulation_key());
    println!("Bob opens: the key to seal to is in a certificate, too.");
    let refused = anchors.encapsulation_key(&of_bob, &at_alice, now).unwrap_err();
    println!("Under Alice's name {refused}.");
    Ok(())
}
