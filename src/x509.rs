//! Public keys out of X.509 certificates, and chains of certificates (RFC 5280).
//!
//! A certificate is the key of a signer or recipient with their name, signed by a certification authority.
//!
//! [`Certificate::verifying_key`] and [`Certificate::encapsulation_key`] trust one certificate **as it is**:
//!
//! ```
//! # use std::{str::FromStr, time::Duration};
//! # use twinseal::{Signature, SigningKey};
//! # use x509_cert::{builder::{Builder, CertificateBuilder, profile::cabf}, der::Encode, name, spki};
//! # use x509_cert::{serial_number::SerialNumber, time::Validity};
//! use std::time::SystemTime;
//! use twinseal::x509::Certificate;
//!
//! # let alice = SigningKey::generate()?;
//! # struct Alice(name::Name);
//! # impl x509_cert::builder::profile::BuilderProfile for Alice {
//! #     fn get_issuer(&self, _: &name::Name) -> name::Name { self.0.clone() }
//! #     fn get_subject(&self) -> name::Name { self.0.clone() }
//! #     fn build_extensions(
//! #         &self, _: spki::SubjectPublicKeyInfoRef<'_>, _: spki::SubjectPublicKeyInfoRef<'_>,
//! #         _: &x509_cert::certificate::TbsCertificate,
//! #     ) -> Result<Vec<x509_cert::ext::Extension>, x509_cert::builder::Error> {
//! #         use x509_cert::ext::{ToExtension, pkix::{KeyUsage, KeyUsages}};
//! #         Ok(vec![KeyUsage(KeyUsages::DigitalSignature.into()).to_extension(&self.0, &[])?])
//! #     }
//! # }
//! # let spki = spki::SubjectPublicKeyInfoOwned::from_key(&alice.verifying_key().without_context())?;
//! # let validity = Validity::from_now(Duration::from_secs(3600))?;
//! # let profile = Alice(name::Name::from_str("CN=Alice")?);
//! # let builder = CertificateBuilder::new(profile, SerialNumber::new(&[1])?, validity, spki)?;
//! # let certificate = builder.build::<_, Signature>(&alice.without_context())?;
//! # let text = Certificate::from_der(&certificate.to_der()?)?.to_pem();
//! let certificate = Certificate::from_pem(&text)?;
//! assert_eq!(certificate.subject(), "CN=Alice");
//! let from_alice = certificate.verifying_key(SystemTime::now())?;
//! # assert_eq!(&from_alice, alice.verifying_key());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing is fetched, and nothing is looked up in revocation lists.

mod certificate;
mod checks;
mod distinguished_name;
mod extensions;
mod fields;
mod name;
mod path;
mod pem;
mod public_key;
mod signature;
mod trust_anchors;

pub use certificate::Certificate;
pub use name::Name;
pub use trust_anchors::TrustAnchors;
