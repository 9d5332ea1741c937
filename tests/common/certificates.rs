//! Which certificates do tests of chains need, where the chains are not what they test?

use std::time::{Duration, SystemTime};

use twinseal::{Sign, Signature, VerifyingKey, sign::WithoutContext, x509::Certificate};
use x509_cert::{
    TbsCertificate,
    builder::{Builder, CertificateBuilder, Result, profile::BuilderProfile},
    der::{Decode, Encode, asn1::Ia5String},
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
    let name: Name = "CN=Authority".parse().unwrap();
    made(
        Profile { issuer: name.clone(), subject: name, is_authority: true },
        key,
        key.verifying_key(),
    )
}

/// The certificate of a signer, issued by this authority with its key.
pub(crate) fn issued(
    authority: &Certificate,
    key: &dyn Sign,
    signer: &VerifyingKey,
) -> Certificate {
    let issuer = Name::from_der(authority.subject_der()).unwrap();
    made(
        Profile { issuer, subject: "CN=Signer".parse().unwrap(), is_authority: false },
        key,
        signer,
    )
}

fn made(profile: Profile, key: &dyn Sign, subject: &VerifyingKey) -> Certificate {
    let end = now() + Duration::from_secs(24 * 60 * 60);
    let validity = Validity::new(now().try_into().unwrap(), end.try_into().unwrap());
    let spki = SubjectPublicKeyInfoOwned::from_key(&subject.without_context()).unwrap();
    let serial = SerialNumber::from(1_u8);
    let builder = CertificateBuilder::new(profile, serial, validity, spki).unwrap();
    let certificate = builder.build::<_, Signature>(&WithoutContext::of(key)).unwrap();
    Certificate::from_der(&certificate.to_der().unwrap()).unwrap()
}

struct Profile {
    issuer: Name,
    subject: Name,
    is_authority: bool,
}

impl BuilderProfile for Profile {
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
        let usage =
            if self.is_authority { KeyUsages::KeyCertSign } else { KeyUsages::DigitalSignature };
        let usage = KeyUsage(usage.into());
        let second = if self.is_authority {
            let ca = BasicConstraints { ca: true, path_len_constraint: None };
            ca.to_extension(&self.subject, &[])?
        } else {
            let names = SubjectAltName(vec![GeneralName::DnsName(Ia5String::new(NAME)?)]);
            names.to_extension(&self.subject, &[])?
        };
        Ok(vec![usage.to_extension(&self.subject, &[])?, second])
    }
}
