//! Signature suites as algorithm identifiers (RFC 5280).

use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier};

use crate::{error::Error, sign::SignatureSuite};

fn oid(suite: SignatureSuite) -> Result<ObjectIdentifier, Error> {
    let oid = suite.oid().ok_or(Error::Unsupported("a suite without object identifier"))?;
    Ok(ObjectIdentifier::new(oid).expect("the table's identifiers are well formed"))
}

/// Composite algorithms have no parameters, not even NULL.
pub(super) fn algorithm(suite: SignatureSuite) -> Result<AlgorithmIdentifierRef<'static>, Error> {
    Ok(AlgorithmIdentifierRef { oid: oid(suite)?, parameters: None })
}

pub(super) fn suite_of(
    what: &'static str,
    algorithm: &AlgorithmIdentifierRef<'_>,
) -> Result<SignatureSuite, Error> {
    let is_named = |suite: &SignatureSuite| oid(*suite).is_ok_and(|oid| oid == algorithm.oid);
    let suite = SignatureSuite::ALL.iter().copied().find(is_named);
    let suite = suite.ok_or_else(|| Error::Algorithm { what, oid: algorithm.oid.to_string() })?;
    match algorithm.parameters {
        None => Ok(suite),
        Some(_) => Err(Error::Invalid { what, reason: "its algorithm has parameters" }),
    }
}
