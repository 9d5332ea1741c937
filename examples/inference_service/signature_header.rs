//! The signed claim of a request, and the headers for it and for signatures.
//!
//! A signature covers the sealed body, with a context that names everything else: method, path,
//! time, nonce, client and service. A body that is moved to another request, another service or
//! another day does not verify.
//!
//! The body is sealed in the same context. The signature by itself would not protect the client:
//! any other registered client could take the sealed body, sign it in their own name, and get the
//! answer. With the sender's id in the context, such a body does not open.
//!
//! In base64 a signature is at most 6308 characters long. hyper accepts headers of 400 KiB in all
//! by default, this example's listener 16 KiB. A proxy in front needs the same: nginx accepts 8 KiB
//! for a line (`large_client_header_buffers`), Envoy 60 KiB for all, an AWS load balancer 16 KiB
//! for a line.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use twinseal::{KeyId, Signature, SignatureSuite};

/// The key id of the verifying key that the client is registered with, in hexadecimal.
pub(crate) const CLIENT: &str = "x-client";
/// Seconds since 1970, decimal.
pub(crate) const TIMESTAMP: &str = "x-timestamp";
/// 16 random bytes, in hexadecimal.
pub(crate) const NONCE: &str = "x-nonce";
/// The composite signature, in base64: of the request, and of the answer.
pub(crate) const SIGNATURE: &str = "x-signature";

/// What the data is for.
const PURPOSE: &str = "example.com/inference/v1";

pub(crate) type Nonce = [u8; 16];

/// The target, client, service and time of a request. Both sides make the same contexts from it.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// `POST /predict`.
    pub(crate) target: String,
    pub(crate) client: KeyId,
    pub(crate) service: KeyId,
    pub(crate) timestamp: u64,
    pub(crate) nonce: Nonce,
}

impl Claim {
    /// The context of the request: about 150 bytes of at most 255.
    pub(crate) fn request_context(&self) -> Vec<u8> {
        let Self { target, client, service, timestamp, .. } = self;
        let nonce = hex(&self.nonce);
        format!("{PURPOSE} {target} at {timestamp} nonce {nonce} from {client} to {service}").into()
    }

    /// The context of the answer. The nonce ties it to the request.
    pub(crate) fn answer_context(&self) -> Vec<u8> {
        let Self { target, client, service, .. } = self;
        let nonce = hex(&self.nonce);
        format!("{PURPOSE} answer to {target} nonce {nonce} from {service} to {client}").into()
    }

    /// Reads the headers. The error names the header that is missing or is not what it must be.
    pub(crate) fn from_headers(
        target: String,
        service: KeyId,
        headers: &HeaderMap,
    ) -> Result<Self, &'static str> {
        let client = header(headers, CLIENT).and_then(from_hex).ok_or(CLIENT)?;
        let timestamp = header(headers, TIMESTAMP);
        Ok(Self {
            target,
            client: KeyId::from_bytes(client),
            service,
            timestamp: timestamp.and_then(|text| text.parse().ok()).ok_or(TIMESTAMP)?,
            nonce: header(headers, NONCE).and_then(from_hex).ok_or(NONCE)?,
        })
    }
}

/// The text of a header that is there exactly once. Of two, a proxy might have read the other.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok()).flatten()
}

/// The signature in a header.
pub(crate) fn signature(headers: &HeaderMap) -> Result<Signature, &'static str> {
    header(headers, SIGNATURE)
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|bytes| Signature::from_bytes(SignatureSuite::ML_DSA_87_ECDSA_P384, &bytes).ok())
        .ok_or(SIGNATURE)
}

pub(crate) fn signature_to_text(signature: &Signature) -> String {
    STANDARD.encode(signature.as_bytes())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 16 bytes in lower or upper case, nothing else.
fn from_hex(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_never_too_long() {
        let claim = Claim {
            target: "POST /predict".into(),
            client: KeyId::from_bytes([255; 16]),
            service: KeyId::from_bytes([255; 16]),
            timestamp: u64::MAX,
            nonce: [255; 16],
        };
        assert!(claim.request_context().len() <= 255);
        assert!(claim.answer_context().len() <= 255);
    }
}
