//! Public keys out of X.509 certificates, and chains of certificates (RFC 5280).
//!
//! A certificate is the key of a signer or recipient with their name, signed by a certification authority.
//! [`TrustAnchors`] verifies that a chain of such signatures leads from it to an authority that you trust, and
//! returns the key:
//!
//! ```
//! # use std::{str::FromStr, time::Duration};
//! # use twinseal::SigningKey;
//! # use x509_cert::{builder::{self, Builder, CertificateBuilder, profile::BuilderProfile}, der::Encode, name, spki};
//! # use x509_cert::ext::{Extension, ToExtension, pkix::{BasicConstraints, SubjectAltName, name::GeneralName}};
//! # use x509_cert::{serial_number::SerialNumber, time::Validity};
//! use std::time::SystemTime;
//! use twinseal::{Signature, x509::{Certificate, Name, TrustAnchors}};
//!
//! # struct Profile { issuer: name::Name, subject: name::Name, extension: Extension }
//! # impl BuilderProfile for Profile {
//! #     fn get_issuer(&self, _: &name::Name) -> name::Name { self.issuer.clone() }
//! #     fn get_subject(&self) -> name::Name { self.subject.clone() }
//! #     fn build_extensions(
//! #         &self, _: spki::SubjectPublicKeyInfoRef<'_>, _: spki::SubjectPublicKeyInfoRef<'_>,
//! #         _: &x509_cert::certificate::TbsCertificate,
//! #     ) -> builder::Result<Vec<Extension>> { Ok(vec![self.extension.clone()]) }
//! # }
//! # let (authority, alice) = (SigningKey::generate()?, SigningKey::generate()?);
//! # let issue = |subject: &str, key: &SigningKey, extension| -> builder::Result<String> {
//! #     let (issuer, subject) = (name::Name::from_str("CN=The authority")?, name::Name::from_str(subject)?);
//! #     let spki = spki::SubjectPublicKeyInfoOwned::from_key(&key.verifying_key().without_context())?;
//! #     let validity = Validity::from_now(Duration::from_secs(3600))?;
//! #     let profile = Profile { issuer, subject, extension };
//! #     let builder = CertificateBuilder::new(profile, SerialNumber::new(&[1])?, validity, spki)?;
//! #     let certificate = builder.build::<_, Signature>(&authority.without_context())?;
//! #     Ok(Certificate::from_der(&certificate.to_der()?).expect("it is one").to_pem())
//! # };
//! # let ca = BasicConstraints { ca: true, path_len_constraint: None };
//! # let trusted = issue("CN=The authority", &authority, ca.to_extension(&name::Name::default(), &[])?)?;
//! # let uri = spki::der::asn1::Ia5String::new("https://example.com/alice")?;
//! # let names = SubjectAltName(vec![GeneralName::UniformResourceIdentifier(uri)]);
//! # let received = issue("CN=Alice", &alice, names.to_extension(&name::Name::default(), &[])?)?;
//! let anchors = TrustAnchors::new([Certificate::from_pem(&trusted)?])?;
//!
//! let chain = Certificate::chain_from_pem(&received)?; // hers, then those between it and an anchor
//! let name = Name::Uri("https://example.com/alice".into());
//! let from_alice = anchors.verifying_key(&chain, &name, SystemTime::now())?;
//! # assert_eq!(&from_alice, alice.verifying_key());
//!
//! // A signature is bytes. Its suite is that of the verified key.
//! # let signature = alice.sign(b"example.com/notes", b"hello")?;
//! # let bytes = signature.as_bytes();
//! let signature = Signature::from_bytes(from_alice.suite(), bytes)?;
//! from_alice.verify(b"example.com/notes", b"hello", &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Certificate::read_pem_chain`] reads a file of certificates, whose order matters for a chain and not for
//! authorities: `TrustAnchors::new(Certificate::read_pem_chain("authorities.pem")?)?`.
//!
//! [`Certificate::claimed_verifying_key`] and [`Certificate::claimed_encapsulation_key`] trust one certificate
//! **as it is**: they verify no signature and compare no name.
//!
//! # What is verified
//!
//! The path is looked for by `rustls-webpki`, with this crate's composite signature as its only algorithm: a
//! chain with a link of another algorithm is refused. On the certificate, on the authorities of the path and on the
//! trust anchor the following is checked (RFC 5280 §6). If a path fails, another one is tried.
//!
//! - The version is 3, the time that the caller passes lies in the validity, and no critical extension is unknown.
//! - An authority has basic constraints that call it one and allow the path below it, and `keyCertSign` if it has
//!   a key usage. Its name constraints are obeyed.
//! - A signer has `digitalSignature` or `nonRepudiation`, if it has a key usage; a recipient has `keyEncipherment`
//!   and nothing else, if it has one. Neither is an authority.
//! - An extended key usage contains the one that
//!   [`with_extended_key_usage`](TrustAnchors::with_extended_key_usage) names. If none was named, certificates with
//!   extended key usages are refused.
//! - The certificate is for the [`Name`] that the caller expects, compared whole and without wildcards.
//!
//! A certificate that is trusted as it is passes the same checks, except for those of authorities and names.
//!
//! **Nothing is fetched, and no revocation list is read.** Certificates that live briefly need none; otherwise
//! replace the trust anchor.
//!
//! # Making certificates
//!
//! The builders of the crate `x509-cert` make certificates and requests with a key's
//! [`without_context`](crate::SigningKey::without_context), or with [`WithoutContext::of`] if the key is in an HSM
//! or KMS. The command-line tool makes self-signed certificates and requests, and
//! examples/certificate_authority.rs issues certificates.
//!
//! [`WithoutContext::of`]: crate::sign::WithoutContext::of

mod certificate;
mod checks;
mod distinguished_name;
mod extensions;
mod fields;
mod name;
mod path;
mod pem;
mod refusal;
mod signature;
mod trust_anchors;

pub use certificate::Certificate;
pub use name::Name;
pub use trust_anchors::TrustAnchors;
