//! What are the certificates made of that are not themselves tested?

use std::{
    fmt::Debug,
    str::FromStr,
    time::{Duration, SystemTime},
};

use twinseal::{Sign, Signature, VerifyingKey, sign::WithoutContext, x509::Certificate};
use x509_cert::{
    TbsCertificate,
    builder::{Builder, CertificateBuilder, Result, profile::BuilderProfile},
    der::{Decode, Encode, asn1::Ia5String, flagset::FlagSet},
    ext::{
        Extension, ToExtension,
        pkix::{BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, name::GeneralName},
    },
    name::Name,
    serial_number::SerialNumber,
    spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef},
    time::Validity,
};

/// The DNS name in [`issued`] certificates.
pub(crate) const NAME: &str = "signer.example.com";

/// 2026-08-01, when they are all valid.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_785_542_400)
}

/// The certificate of an authority, signed by itself.
pub(crate) fn authority(key: &dyn Sign) -> Certificate {
    made(Draft::authority("CN=Authority", "CN=Authority"), key, key.verifying_key())
}

/// The certificate of a signer, issued by this authority with its key.
pub(crate) fn issued(
    authority: &Certificate,
    key: &dyn Sign,
    signer: &VerifyingKey,
) -> Certificate {
    let name = GeneralName::DnsName(Ia5String::new(NAME).unwrap());
    let draft =
        Draft::new("CN=Authority", "CN=Signer").used_for(KeyUsages::DigitalSignature).named(name);
    let issuer = Name::from_der(authority.subject_der()).unwrap();
    made(Draft { issuer, ..draft }, key, signer)
}

fn made(draft: Draft, key: &dyn Sign, subject: &VerifyingKey) -> Certificate {
    let draft = draft.valid(now(), now() + DAY);
    Certificate::from_der(&draft.signed_by(key, &subject.to_spki_der().unwrap())).unwrap()
}

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate to be, which is valid from yesterday until tomorrow.
#[derive(Clone)]
pub(crate) struct Draft {
    issuer: Name,
    subject: Name,
    extensions: Vec<Extension>,
    validity: (SystemTime, SystemTime),
}

impl Draft {
    pub(crate) fn new(issuer: &str, subject: &str) -> Self {
        let (issuer, subject) = (Name::from_str(issuer).unwrap(), Name::from_str(subject).unwrap());
        let now = SystemTime::now();
        Self { issuer, subject, extensions: Vec::new(), validity: (now - DAY, now + DAY) }
    }

    /// Of a certification authority.
    pub(crate) fn authority(issuer: &str, subject: &str) -> Self {
        let constraints = BasicConstraints { ca: true, path_len_constraint: None };
        Self::new(issuer, subject).with(&constraints).used_for(KeyUsages::KeyCertSign)
    }

    pub(crate) fn with(mut self, extension: impl ToExtension<Error: Debug>) -> Self {
        self.extensions.push(extension.to_extension(&self.subject, &[]).unwrap());
        self
    }

    pub(crate) fn used_for(self, usage: impl Into<FlagSet<KeyUsages>>) -> Self {
        self.with(&KeyUsage(usage.into()))
    }

    pub(crate) fn named(self, name: GeneralName) -> Self {
        self.with(&SubjectAltName(vec![name]))
    }

    pub(crate) fn valid(self, from: SystemTime, until: SystemTime) -> Self {
        Self { validity: (from, until), ..self }
    }

    pub(crate) fn signed_by(self, key: &dyn Sign, spki: &[u8]) -> Vec<u8> {
        let (from, until) = self.validity;
        let validity = Validity::new(from.try_into().unwrap(), until.try_into().unwrap());
        let serial = SerialNumber::new(&[1]).unwrap();
        let spki = SubjectPublicKeyInfoOwned::from_der(spki).unwrap();
        let builder = CertificateBuilder::new(self, serial, validity, spki).unwrap();
        builder.build::<_, Signature>(&WithoutContext::of(key)).unwrap().to_der().unwrap()
    }
}

impl BuilderProfile for Draft {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}
