//! What the signature of a model says about itself, as text and as JSON: nothing of it is verified.

use std::path::Path;

use serde_json::{Value, json};
use twinseal::{SignatureSuite, model::Claim};

use super::report::shard_size;
use crate::{escape, name::Name};

/// How many names the text lists. All are in the JSON.
const SHOWN: usize = 20;

pub(crate) fn claim_to_json(claim: &Claim) -> Value {
    json!({
        "kind": "model_signature",
        "name": claim.name(),
        "root_sha256": hex(claim.root_sha256()),
        "files": claim.file_names().len(),
        "resources": claim.resources(),
        "shard_size": shard_size(claim.method()),
        "suite": claim.suite().map(SignatureSuite::name),
        "claimed_key": claimed_key(claim),
        "has_log": claim.has_log(),
    })
}

pub(crate) fn claim_to_text(claim: &Claim) -> String {
    let shards = match shard_size(claim.method()) {
        Some(size) => format!("shards: {}, of at most {size} bytes\n", claim.resources()),
        None => String::new(),
    };
    let suite = claim.suite().map_or("ECDSA P-384", SignatureSuite::name);
    let mut signer = match claim.key() {
        Some(key) => format!("  {key}  {suite}\n"),
        None => format!("  {suite}\n"),
    };
    if let Some(hint) = claimed_key(claim) {
        signer += &format!("    model hint: {}\n", escape::line(&hint));
    }
    format!(
        "name: {}\n{shards}root digest: {}\nsigner, not verified:\n{signer}",
        Name::quoted(Path::new(claim.name())),
        hex(claim.root_sha256()),
    )
}

/// The files and what was left out, as members of the JSON of a bundle.
pub(crate) fn files_to_json(claim: &Claim, value: &mut Value) {
    value["file_names"] = claim.file_names().collect::<Vec<_>>().into();
    value["ignored"] = claim.ignored().collect::<Vec<_>>().into();
}

pub(crate) fn files_to_text(claim: &Claim) -> String {
    let files = list("files", claim.file_names());
    let ignored = list("left out", claim.ignored());
    format!(
        "{files}{ignored}nothing of this is verified: `twinseal model verify` checks the signer and the files\n"
    )
}

fn list<'a>(title: &str, names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let mut text = format!("{title}:\n");
    for name in names.take(SHOWN) {
        text += &format!("  {}\n", Name::quoted(Path::new(name)));
    }
    if more > 0 {
        text += &format!("  and {more} more; --json lists all\n");
    }
    text
}

/// SHA-256 of a key's PEM, or the text that takes its place.
fn claimed_key(claim: &Claim) -> Option<String> {
    claim.hint().map(Into::into).or_else(|| Some(claim.key()?.hint()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
