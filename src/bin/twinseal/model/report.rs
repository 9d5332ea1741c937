//! What a model has that is not as signed, as text and as JSON.

use std::path::Path;

use serde_json::json;
use twinseal::model::{Finding, Manifest, Method, Report};

use crate::{escape, failure::Failure, inspect::add_path, name::Name};

/// A line for each entry, and one about the whole model.
pub(super) fn to_text(manifest: &Manifest, report: &Report, name: &Name) -> String {
    let mut text: String = report
        .entries()
        .map(|(path, finding)| format!("{}: {finding}\n", Name::quoted(path)))
        .collect();
    if let Some(signed_as) = report.signed_as() {
        text += &format!("{name}: was signed as {}\n", Name::quoted(Path::new(signed_as)));
    }
    let (signer, total) = (manifest.signer(), files(manifest.files().len()));
    text += &match report.is_as_signed() {
        true => format!("{name}: matches what {signer} signed ({total})\n"),
        false => {
            let (problems, good) = (report.failures().count(), report.files());
            format!(
                "{name}: does not match what {signer} signed (problems: {problems}, files that match: {good} of {})\n",
                manifest.files().len()
            )
        }
    };
    text
}

pub(super) fn to_json(manifest: &Manifest, report: &Report, model: &Path) -> String {
    let findings: Vec<_> = report
        .entries()
        .map(|(path, finding)| {
            let mut value = json!({ "finding": identifier(finding) });
            if let Finding::Refused(_) | Finding::Unreadable(_) = finding {
                value["reason"] = finding.to_string().into();
            }
            add_path(&mut value, path);
            value
        })
        .collect();
    let signer = manifest.signer();
    let mut value = json!({
        "kind": "model",
        "as_signed": report.is_as_signed(),
        "name": manifest.name(),
        "signer": signer.to_string(),
        "signed_as": report.signed_as(),
        "files": manifest.files().len(),
        "files_as_signed": report.files(),
        "shard_size": shard_size(manifest.method()),
        "findings": findings,
    });
    add_path(&mut value, model);
    format!("{}\n", escape::json(&format!("{value:#}")))
}

/// `None` if files are hashed whole.
pub(super) fn shard_size(method: Method) -> Option<u64> {
    match method {
        Method::Files => None,
        Method::Shards(size) => Some(size.get()),
    }
}

/// Fails unless the model is as signed.
pub(super) fn outcome(report: &Report, name: &Name) -> Result<(), Failure> {
    if report.is_as_signed() {
        return Ok(());
    }
    Err(Failure::of(name, "it does not match what was signed; do not use it, fetch it again"))
}

pub(crate) fn files(count: usize) -> String {
    format!("{count} {}", if count == 1 { "file" } else { "files" })
}

fn identifier(finding: Finding) -> &'static str {
    match finding {
        Finding::Missing => "missing",
        Finding::Changed => "changed",
        Finding::Additional => "additional",
        Finding::Refused(_) => "refused",
        Finding::Unreadable(_) => "unreadable",
        Finding::Ignored => "ignored",
        _ => "other",
    }
}
