//! Bundles that a test writes by hand and signs, right or wrong.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use twinseal::{
    Error, SigningKey,
    model::{Bundle, Manifest, TrustedKey},
    signature::Signer,
};

use crate::common::keys::signing_key;

pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A statement of two files; `ROOT` is filled in.
pub(crate) const FILES: &str = concat!(
    r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"model","digest":{"sha256":"ROOT"}}],"#,
    r#""predicateType":"https://model_signing/signature/v1.0","predicate":{"resources":["#,
    r#"{"name":"a","digest":"0101010101010101010101010101010101010101010101010101010101010101","algorithm":"sha256"},"#,
    r#"{"name":"d/b","digest":"0202020202020202020202020202020202020202020202020202020202020202","algorithm":"sha256"}],"#,
    r#""serialization":{"method":"files","hash_type":"sha256","allow_symlinks":false,"ignore_paths":[".git"]}}}"#,
);

/// A statement of two files in shards: 25 bytes, and 10.
pub(crate) const SHARDS: &str = concat!(
    r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"model","digest":{"sha256":"ROOT"}}],"#,
    r#""predicateType":"https://model_signing/signature/v1.0","predicate":{"resources":["#,
    r#"{"name":"a:0:10","digest":"0101010101010101010101010101010101010101010101010101010101010101","algorithm":"sha256"},"#,
    r#"{"name":"a:10:20","digest":"0202020202020202020202020202020202020202020202020202020202020202","algorithm":"sha256"},"#,
    r#"{"name":"a:20:25","digest":"0303030303030303030303030303030303030303030303030303030303030303","algorithm":"sha256"},"#,
    r#"{"name":"b:0:10","digest":"0404040404040404040404040404040404040404040404040404040404040404","algorithm":"sha256"}],"#,
    r#""serialization":{"method":"shards","hash_type":"sha256","shard_size":10,"allow_symlinks":false,"#,
    r#""ignore_paths":[".git"]}}}"#,
);

/// The text with each part replaced, which must be there once.
pub(crate) fn replaced(text: &str, changes: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (old, new) in changes {
        assert_eq!(text.matches(old).count(), 1, "{old:.200} in {text:.800}");
        text = text.replace(old, new);
    }
    text
}

/// The statement with the digest of its resources in place of `ROOT`.
pub(crate) fn with_root(statement: &str) -> String {
    let mut root = Sha256::new();
    for text in statement.split(r#""digest":""#).skip(1) {
        if let Some(digest) = text.get(..64).and_then(|digits| hex::decode(digits).ok()) {
            root.update(digest);
        }
    }
    statement.replace("ROOT", &hex::encode(root.finalize()))
}

/// DSSE's pre-authentication encoding.
pub(crate) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let lengths = (payload_type.len(), payload.len());
    [format!("DSSEv1 {} {payload_type} {} ", lengths.0, lengths.1).as_bytes(), payload].concat()
}

pub(crate) fn alice() -> SigningKey {
    signing_key(1)
}

pub(crate) fn alices_key() -> TrustedKey {
    alice().verifying_key().into()
}

/// A bundle of any payload, with Alice's good signature.
pub(crate) fn signed_as(payload_type: &str, payload: &[u8]) -> String {
    let signature = alice().without_context().sign(&pae(payload_type, payload));
    unsigned(&alices_key().hint(), payload_type, payload, signature.as_bytes())
}

pub(crate) fn signed(payload: &[u8]) -> String {
    signed_as(PAYLOAD_TYPE, payload)
}

/// A bundle with any signature.
pub(crate) fn unsigned(hint: &str, payload_type: &str, payload: &[u8], signature: &[u8]) -> String {
    let (payload, signature) = (BASE64_STANDARD.encode(payload), BASE64_STANDARD.encode(signature));
    let start = r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":""#;
    format!(
        r#"{start}{hint}"}},"tlogEntries":[]}},"dsseEnvelope":{{"payload":"{payload}","payloadType":"{payload_type}","signatures":[{{"sig":"{signature}","keyid":""}}]}}}}"#
    ) + "\n"
}

/// What is refused about a resource, without its name.
pub(super) fn without_name(error: Error) -> Error {
    match error {
        Error::Resource { error, .. } => *error,
        error => error,
    }
}

/// Parses and verifies, with Alice's key.
pub(crate) fn verified(bundle: impl Into<Vec<u8>>) -> Result<Manifest, Error> {
    Bundle::from_bytes(bundle)?.verify(&[alices_key()])
}
