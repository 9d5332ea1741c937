//! What the signature of a model says about itself, as text and as JSON: nothing of it is verified.

use serde_json::{Value, json};
use twinseal::{SignatureSuite, model::Claim};

use super::report::shard_size;
use crate::escape;

pub(crate) fn claim_to_json(claim: &Claim<'_>) -> Value {
    json!({
        "kind": "model_signature",
        "name": claim.model(),
        "root_sha256": hex(claim.root_sha256()),
        "files": claim.files(),
        "resources": claim.resources(),
        "shard_size": shard_size(claim.method()),
        "suite": claim.suite().map(SignatureSuite::name),
        "claimed_key": claimed_key(claim),
        "has_log": claim.has_log(),
    })
}

pub(crate) fn claim_to_text(claim: &Claim<'_>) -> String {
    let shards = match shard_size(claim.method()) {
        Some(size) => format!("shards: {}, of at most {size} bytes\n", claim.resources()),
        None => String::new(),
    };
    let key = claimed_key(claim).unwrap_or_else(|| "it does not say".into());
    format!(
        "name: {}\n{shards}root digest: {}\nsigner, not verified:\n  {}  {}\n",
        escape::line(claim.model()),
        hex(claim.root_sha256()),
        escape::line(&key),
        claim.suite().map_or("ECDSA P-384", SignatureSuite::name),
    )
}

/// SHA-256 of a key's PEM, or the text that takes its place.
fn claimed_key(claim: &Claim<'_>) -> Option<String> {
    claim.hint().map(Into::into).or_else(|| Some(claim.key()?.hint()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
