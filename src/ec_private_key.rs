//! The P-384 scalar in the DER structure `ECPrivateKey` (RFC 5915 §3), with the named curve and without
//! the public key: the one form that composite keys are written in.

use crate::{error::Error, wire};

/// Length of the structure, in bytes.
pub(crate) const LENGTH: usize = 64;

/// Up to the scalar: a SEQUENCE of 62 bytes, version 1, an OCTET STRING of 48.
const START: &[u8; 7] = b"\x30\x3e\x02\x01\x01\x04\x30";

/// After the scalar: `[0]` with the object identifier of secp384r1, 1.3.132.0.34.
const END: &[u8; 9] = b"\xa0\x07\x06\x05\x2b\x81\x04\x00\x22";

/// The structure, in a buffer that does not grow.
pub(crate) fn encode(scalar: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(LENGTH);
    key.extend_from_slice(START);
    key.extend_from_slice(scalar);
    key.extend_from_slice(END);
    key
}

/// The 48 bytes of the scalar. Whether it is from 1 to n - 1 is not checked here.
pub(crate) fn scalar(ec_private_key: &[u8]) -> Result<&[u8], Error> {
    wire::exact("ECPrivateKey", ec_private_key, LENGTH)?
        .strip_prefix(START)
        .and_then(|rest| rest.strip_suffix(END))
        .ok_or(Error::Invalid {
            what: "ECPrivateKey",
            reason: "it is not the RFC 5915 form with the curve secp384r1 and no public key",
        })
}
