//! Key files of experimental signature suites, which have no object identifier: PEM labels of their
//! own around `suite (2) || key`.

use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    sign::{SignatureSuite, SigningKey, VerifyingKey},
    wire,
};

pub(super) fn public_to_pem(key: &VerifyingKey) -> Zeroizing<String> {
    to_pem(constants::PEM_EXPERIMENTAL_PUBLIC, key.suite(), key.as_bytes())
}

pub(super) fn private_to_pem(key: &SigningKey) -> Zeroizing<String> {
    to_pem(constants::PEM_EXPERIMENTAL_PRIVATE, key.suite(), key.secret_bytes())
}

pub(super) fn public_from_bytes(bytes: &[u8]) -> Result<VerifyingKey, Error> {
    let (suite, key) = split(bytes)?;
    VerifyingKey::from_bytes(suite, key)
}

pub(super) fn private_from_bytes(bytes: &[u8]) -> Result<SigningKey, Error> {
    let (suite, key) = split(bytes)?;
    SigningKey::from_bytes(suite, key)
}

fn to_pem(label: &'static str, suite: SignatureSuite, key: &[u8]) -> Zeroizing<String> {
    let bytes = Zeroizing::new([&suite.id().to_be_bytes(), key].concat());
    super::pem::encode(label, &bytes)
}

/// A key of a suite that has a standard form is refused in this one.
fn split(bytes: &[u8]) -> Result<(SignatureSuite, &[u8]), Error> {
    let mut reader = wire::Reader::new("signature key file", bytes);
    let suite = SignatureSuite::from_id(reader.u16()?)?;
    if suite.oid().is_some() {
        let reason = "keys of its suite are PKCS#8 and SPKI";
        return Err(Error::Invalid { what: "signature key file", reason });
    }
    Ok((suite, reader.rest()))
}
