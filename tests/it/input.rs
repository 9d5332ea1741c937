//! Does each public constructor refuse invalid input, and with which error?

mod anything;
mod contexts;
#[cfg(feature = "hazmat")]
mod credulous_provider;
mod der;
mod ecdsa;
mod envelopes;
mod identifiers;
mod kem_der;
mod lengths;
mod ml_kem;
mod p384;
mod pem;
mod requests;
mod texts;
mod x25519;

const NOT_CANONICAL: &str =
    "it has attributes, extra fields or another encoding; import it to get the canonical one";
const PARAMETERS: &str = "its algorithm has parameters";
const NOT_DER: &str = "it is not DER of this type";
const NOT_BELOW_PRIME: &str = "it is not below 2^255 - 19";
const LOW_ORDER: &str = "it is a point of low order";
const NOT_REDUCED: &str = "a coefficient is not below 3329";
const NOT_UNCOMPRESSED: &str = "it is not in uncompressed form";
const NOT_ON_CURVE: &str = "it is not on the curve";
const NOT_RFC_5915: &str = "it is not the RFC 5915 form with the curve secp384r1 and no public key";
