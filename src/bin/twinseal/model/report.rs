//! What a model has that is not as signed, as text and as JSON.

use std::path::Path;

use serde_json::json;
use twinseal::model::{Finding, Manifest, Method, Report};

use super::left_out::LeftOut;
use crate::{escape, failure::Failure, inspect::add_path, name::Name};

/// A line for each entry, and one about the whole model.
pub(super) fn to_text(
    report: &Report,
    manifest: &Manifest,
    left_out: &LeftOut,
    name: &Name,
) -> String {
    let line = |(path, finding)| {
        let path_name = Name::quoted(path);
        match finding {
            Finding::Ignored(by) => {
                let verb = if left_out.is_refused(by) { "refused, but ignored" } else { "ignored" };
                format!("{path_name}: {verb} ({})\n", left_out.text(path, by))
            }
            finding => format!("{path_name}: {finding}\n"),
        }
    };
    let mut text: String = report.entries().map(line).collect();
    if let Some(signed_as) = report.signed_as() {
        text += &format!("{name}: was signed as {}\n", Name::quoted(Path::new(signed_as)));
    }
    let (signer, total) = (manifest.signer(), manifest.files().len());
    text += &match problems(report, left_out) {
        0 => format!("{name}: matches what {signer} signed ({})\n", files(total)),
        problems => format!(
            "{name}: does not match what {signer} signed (problems: {problems}, files that match: {} of {total})\n",
            report.files()
        ),
    };
    text
}

fn problems(report: &Report, left_out: &LeftOut) -> usize {
    report.failures().count() + left_out.refused(report)
}

pub(super) fn to_json(
    report: &Report,
    manifest: &Manifest,
    left_out: &LeftOut,
    model: &Path,
) -> String {
    let findings: Vec<_> = report
        .entries()
        .map(|(path, finding)| {
            let mut value = json!({ "finding": identifier(finding) });
            match finding {
                Finding::Refused(_) | Finding::Unreadable(_) => {
                    value["reason"] = finding.to_string().into();
                }
                Finding::Ignored(by) => {
                    value["ignored_by"] = left_out.identifier(path, by).into();
                }
                _ => {}
            }
            add_path(&mut value, path);
            value
        })
        .collect();
    let mut value = json!({
        "kind": "model",
        "as_signed": problems(report, left_out) == 0,
        "name": manifest.name(),
        "signer": manifest.signer().to_string(),
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
        Method::Shards(size) => Some(size.get()),
        _ => None,
    }
}

/// Fails unless the model is as signed.
pub(super) fn outcome(report: &Report, left_out: &LeftOut, name: &Name) -> Result<(), Failure> {
    if problems(report, left_out) == 0 {
        return Ok(());
    }
    let only_more = left_out.refused(report) == 0
        && report.failures().all(|(_, finding)| finding == Finding::Additional);
    let advice = if only_more {
        "do not use it: remove what nobody signed, or fetch it again"
    } else {
        "do not use it, fetch it again"
    };
    Err(Failure::of(name, format_args!("it does not match what was signed; {advice}")))
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
        Finding::Ignored(_) => "ignored",
        _ => "other",
    }
}
