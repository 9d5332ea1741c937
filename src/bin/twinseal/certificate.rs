//! `certificate`: makes a self-signed certificate of a signing key, or a request for one.

use std::{
    fmt::Display,
    time::{Duration, SystemTime},
};

use pem_rfc7468::LineEnding;
use twinseal::{Signature, SigningKey};
use x509_cert::{
    TbsCertificate,
    builder::{Builder, CertificateBuilder, Error, Result as Built, profile::BuilderProfile},
    der::Encode,
    ext::{
        Extension, Extensions, ToExtension,
        pkix::{BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, name::GeneralNames},
    },
    name::Name as Subject,
    request::RequestBuilder,
    serial_number::SerialNumber,
    spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef},
    time::Validity,
};

use crate::{
    args,
    console::Console,
    failure::Failure,
    keys,
    name::Name,
    output::{Content, Output, Sources},
    readers,
};

mod names;

pub(crate) use names::SubjectName;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn certificate(args: &args::Certificate, console: &Console) -> Result<(), Failure> {
    let subject = args.subject.to_x509();
    let subject = subject.map_err(|reason| Failure::usage(format!("--subject: {reason}")))?;
    let names = args.names.iter().map(SubjectName::to_x509).collect::<Result<_, _>>();
    let names = names.map_err(|error| Failure::usage(format!("--name: {error}")))?;
    let contents = Contents { subject, names };
    let read = [&args.key].into_iter().chain(&args.passphrase.file);
    readers::check(read.map(|path| Some(path.as_path())))?;
    let key = keys::signing(&args.key, &args.passphrase, console)?;
    if key.suite().oid().is_none() {
        return Err(Failure::of(
            &Name::of(&args.key),
            format_args!(
                "keys of suite {} have no object identifier, so there are no certificates of them; \
                 `twinseal keygen --sign` makes a key that can have one",
                key.suite().name()
            ),
        ));
    }
    let (label, der) = if args.request {
        ("CERTIFICATE REQUEST", contents.request(&key))
    } else {
        ("CERTIFICATE", contents.certificate(&key, DAY * args.days))
    };
    let failed = |error: &dyn Display| {
        Failure::of(
            &Name::of(&args.key),
            format_args!("no certificate was made: {error}; try again"),
        )
    };
    let der = der.map_err(|error| failed(&error))?;
    let pem = pem_rfc7468::encode_string(label, LineEnding::LF, &der);
    let pem = pem.map_err(|error| failed(&error))?;
    let sources = Sources::default().and_keys([&args.key]).and_keys(&args.passphrase.file);
    Output::create(args.output.as_deref(), Content::Text, &sources)?.write_whole(pem.as_bytes())
}

/// What a certificate says of its key, or is to say.
struct Contents {
    subject: Subject,
    names: GeneralNames,
}

impl Contents {
    fn certificate(self, key: &SigningKey, validity: Duration) -> Built<Vec<u8>> {
        let now = SystemTime::now();
        let validity = Validity::new(now.try_into()?, (now + validity).try_into()?);
        let spki = SubjectPublicKeyInfoOwned::from_key(&key.verifying_key().without_context())?;
        let builder = CertificateBuilder::new(self, serial()?, validity, spki)?;
        Ok(builder.build::<_, Signature>(&key.without_context())?.to_der()?)
    }

    fn request(self, key: &SigningKey) -> Built<Vec<u8>> {
        let mut builder = RequestBuilder::new(self.subject.clone())?;
        for extension in self.usage_and_names()? {
            builder.add_extension(extension)?;
        }
        Ok(builder.build::<_, Signature>(&key.without_context())?.to_der()?)
    }

    fn usage_and_names(&self) -> Built<Extensions> {
        let usage = KeyUsage(KeyUsages::DigitalSignature.into());
        let mut extensions = vec![usage.to_extension(&self.subject, &[])?];
        if !self.names.is_empty() {
            let names = SubjectAltName(self.names.clone());
            extensions.push(names.to_extension(&self.subject, &extensions)?);
        }
        Ok(extensions)
    }
}

/// A self-signed certificate that cannot issue others (RFC 5280 §4.2.1.9).
impl BuilderProfile for Contents {
    fn get_issuer(&self, subject: &Subject) -> Subject {
        subject.clone()
    }

    fn get_subject(&self) -> Subject {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> Built<Vec<Extension>> {
        let not_a_ca = BasicConstraints { ca: false, path_len_constraint: None };
        let mut extensions = vec![not_a_ca.to_extension(&self.subject, &[])?];
        extensions.extend(self.usage_and_names()?);
        Ok(extensions)
    }
}

/// 126 random bits in 16 bytes, as a number that is positive and never shorter.
fn serial() -> Built<SerialNumber> {
    let mut bytes = [0; 16];
    let random = getrandom::fill(&mut bytes);
    random.map_err(|error| Error::Signature(signature::Error::from_source(error)))?;
    let [first, ..] = &mut bytes;
    *first = *first & 0x7f | 0x40;
    Ok(SerialNumber::new(&bytes)?)
}
