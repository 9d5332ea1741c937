//! What are the certificates of these tests made of? A root, an authority below it, and a signer or recipient.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use twinseal::{
    CertificateRefusal, Error, Signature, VerifyingKey,
    x509::{Certificate, Name, TrustAnchors},
};
use x509_cert::{
    TbsCertificate,
    builder::{self, Builder, CertificateBuilder, profile::BuilderProfile},
    der::{Decode, Encode, asn1::Ia5String, asn1::OctetString},
    ext::{
        Extension, ToExtension,
        pkix::{
            BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
            name::GeneralName,
        },
    },
    name,
    serial_number::SerialNumber,
    spki::{ObjectIdentifier, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef},
    time::{Time, Validity},
};

use crate::common::keys::{P384, kem_key, signing_key};

pub(super) const DAY: u64 = 24 * 60 * 60;

/// 2026-08-01T00:00:00Z, in seconds since 1970.
pub(super) const NOW: u64 = 1_785_542_400;

pub(super) const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
pub(super) const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";

pub(super) const ROOT: &str = "CN=Root";
pub(super) const AUTHORITY: &str = "CN=Authority";
pub(super) const ALICE: &str = "CN=Alice,O=Example";
pub(super) const ALICES_DNS: &str = "alice.example.com";

/// The numbers of their keys.
pub(super) const ROOTS_KEY: u8 = 1;
pub(super) const AUTHORITYS_KEY: u8 = 2;
pub(super) const ALICES_KEY: u8 = 3;

pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(super) fn now() -> SystemTime {
    at(NOW)
}

pub(super) fn alice() -> Name {
    Name::Dns(ALICES_DNS.into())
}

/// Who signs a certificate: a fixed composite key, or a fixed key for ECDSA over P-384.
#[derive(Clone, Copy)]
pub(super) enum Issuer {
    Composite(u8),
    Classical,
}

/// A certificate that is not signed yet.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) issuer: &'static str,
    pub(super) subject: &'static str,
    pub(super) not_before: u64,
    pub(super) not_after: u64,
    pub(super) spki: Vec<u8>,
    /// Without any, the certificate is of version 1.
    pub(super) extensions: Vec<Extension>,
    pub(super) signed_by: Issuer,
}

impl Draft {
    pub(super) fn of(
        subject: &'static str,
        spki: Vec<u8>,
        issuer: &'static str,
        key: u8,
        extensions: Vec<Extension>,
    ) -> Self {
        let signed_by = Issuer::Composite(key);
        let (not_before, not_after) = (NOW - DAY, NOW + DAY);
        Self { issuer, subject, not_before, not_after, spki, extensions, signed_by }
    }

    /// An authority below another, or below itself.
    pub(super) fn authority(
        subject: &'static str,
        key: u8,
        issuer: &'static str,
        issuers_key: u8,
    ) -> Self {
        let extensions = vec![ca(true, None), key_usage(&[KeyUsages::KeyCertSign])];
        Self::of(subject, verifying_spki(key), issuer, issuers_key, extensions)
    }

    /// Adds an extension, or replaces the one of this type.
    pub(super) fn set(&mut self, extension: Extension) {
        self.remove(extension.extn_id);
        self.extensions.push(extension);
    }

    pub(super) fn remove(&mut self, id: ObjectIdentifier) {
        self.extensions.retain(|extension| extension.extn_id != id);
    }

    pub(super) fn der(&self) -> Vec<u8> {
        let time = |seconds| Time::try_from(at(seconds)).expect("it is before the year 10000");
        let validity = Validity::new(time(self.not_before), time(self.not_after));
        let spki = SubjectPublicKeyInfoOwned::from_der(&self.spki).expect("it is one");
        let serial = SerialNumber::new(&[1]).expect("it is short");
        let builder = CertificateBuilder::new(self, serial, validity, spki).expect("it is whole");
        let built = match self.signed_by {
            Issuer::Composite(number) => {
                builder.build::<_, Signature>(&signing_key(number).without_context())
            }
            Issuer::Classical => {
                let key = p384::ecdsa::SigningKey::from_slice(&[7; 48]).expect("it is below n");
                builder.build::<_, p384::ecdsa::DerSignature>(&key)
            }
        };
        built.and_then(|certificate| Ok(certificate.to_der()?)).expect("it is whole")
    }

    pub(super) fn sign(&self) -> Certificate {
        Certificate::from_der(&self.der()).expect("it is a certificate")
    }
}

impl BuilderProfile for &Draft {
    fn get_issuer(&self, _: &name::Name) -> name::Name {
        distinguished(self.issuer)
    }

    fn get_subject(&self) -> name::Name {
        distinguished(self.subject)
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}

/// A root, an authority below it, and Alice, who signs.
pub(super) struct Setup {
    pub(super) root: Draft,
    pub(super) authority: Draft,
    pub(super) alice: Draft,
    pub(super) extended_key_usage: Option<&'static str>,
}

impl Setup {
    pub(super) fn new() -> Self {
        let names = [
            GeneralName::DnsName(ia5(ALICES_DNS)),
            GeneralName::UniformResourceIdentifier(ia5("https://example.com/alice")),
        ];
        let extensions = vec![
            ca(false, None),
            key_usage(&[KeyUsages::DigitalSignature]),
            alternative_names(&names),
        ];
        let spki = verifying_spki(ALICES_KEY);
        Self {
            root: Draft::authority(ROOT, ROOTS_KEY, ROOT, ROOTS_KEY),
            authority: Draft::authority(AUTHORITY, AUTHORITYS_KEY, ROOT, ROOTS_KEY),
            alice: Draft::of(ALICE, spki, AUTHORITY, AUTHORITYS_KEY, extensions),
            extended_key_usage: None,
        }
    }

    pub(super) fn changed(change: impl FnOnce(&mut Self)) -> Self {
        let mut setup = Self::new();
        change(&mut setup);
        setup
    }

    pub(super) fn anchors(&self) -> TrustAnchors {
        let anchors = TrustAnchors::new([self.root.sign()]).expect("it is a certificate");
        match self.extended_key_usage {
            Some(oid) => anchors.with_extended_key_usage(oid).expect("it is one"),
            None => anchors,
        }
    }

    pub(super) fn chain(&self) -> [Certificate; 2] {
        [self.alice.sign(), self.authority.sign()]
    }

    pub(super) fn verify(&self) -> Result<VerifyingKey, Error> {
        self.anchors().verifying_key(&self.chain(), &alice(), now())
    }
}

/// The reason for which a certificate was refused.
pub(super) fn refusal<Key: std::fmt::Debug>(result: Result<Key, Error>) -> CertificateRefusal {
    match result {
        Err(Error::Certificate(refusal)) => refusal,
        other => panic!("it is not refused as a certificate: {other:?}"),
    }
}

pub(super) fn distinguished(text: &str) -> name::Name {
    match text {
        "" => name::Name::default(), // it is RFC 4514, too, but not for x509-cert
        text => name::Name::from_str(text).expect("it is RFC 4514"),
    }
}

pub(super) fn ia5(text: &str) -> Ia5String {
    Ia5String::new(text).expect("it is ASCII")
}

pub(super) fn verifying_spki(key: u8) -> Vec<u8> {
    signing_key(key).verifying_key().to_spki_der().expect("the suite has an identifier")
}

pub(super) fn encapsulation_spki(key: u8) -> Vec<u8> {
    kem_key(P384, key).encapsulation_key().to_spki_der().expect("the suite has an identifier")
}

/// An extension with the criticality that RFC 5280 wants.
fn extension<T: ToExtension<Error = x509_cert::der::Error>>(content: T) -> Extension {
    content.to_extension(&name::Name::default(), &[]).expect("it is short")
}

pub(super) fn ca(is: bool, path_len_constraint: Option<u8>) -> Extension {
    extension(&BasicConstraints { ca: is, path_len_constraint })
}

pub(super) fn key_usage(usages: &[KeyUsages]) -> Extension {
    let flags =
        usages.iter().fold(x509_cert::der::flagset::FlagSet::default(), |all, one| all | *one);
    extension(&KeyUsage(flags))
}

pub(super) fn extended_key_usage(oids: &[&str]) -> Extension {
    let oids = oids.iter().map(|oid| ObjectIdentifier::new_unwrap(oid)).collect();
    extension(&ExtendedKeyUsage(oids))
}

pub(super) fn alternative_names(names: &[GeneralName]) -> Extension {
    extension(&SubjectAltName(names.to_vec()))
}

/// An extension of any type and content.
pub(super) fn raw(oid: &str, critical: bool, content: &[u8]) -> Extension {
    let extn_value = OctetString::new(content).expect("it is short");
    Extension { extn_id: ObjectIdentifier::new_unwrap(oid), critical, extn_value }
}

pub(super) const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
pub(super) const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
