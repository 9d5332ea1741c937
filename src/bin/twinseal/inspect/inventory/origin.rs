//! Whose a PEM text is that holds no sound key of twinseal: a damaged key, or something of other software.

use std::str;

use twinseal::SignatureSuite;
use zeroize::Zeroizing;

use crate::{
    keys,
    kind::der::{Algorithm, Object},
};

pub(super) enum Origin {
    /// A key of twinseal, or one that may be: it cannot be read.
    Twinseal,
    /// What it is, with its article.
    Other(String),
    /// Text that only looks like PEM, as in a manual.
    Nothing,
}

const BEGIN: &str = "-----BEGIN ";

impl Origin {
    /// Of all documents in the text: one of twinseal counts most.
    pub(super) fn of(text: &[u8]) -> Origin {
        let Ok(mut rest) = str::from_utf8(text) else {
            return Origin::Twinseal;
        };
        let mut first = Origin::Nothing;
        while let Some((before, from)) =
            rest.find(BEGIN).and_then(|start| rest.split_at_checked(start))
        {
            let line_before = before.rsplit(['\n', '\r']).next().unwrap_or_default();
            let is_line = line_before.trim_matches('\u{feff}').trim().is_empty();
            match if is_line { of_document(from) } else { Origin::Nothing } {
                Origin::Twinseal => return Origin::Twinseal,
                other if matches!(first, Origin::Nothing) => first = other,
                _ => {}
            }
            rest = from.get(BEGIN.len()..).unwrap_or_default();
        }
        first
    }
}

/// Of a text that starts with a document.
fn of_document(text: &str) -> Origin {
    let line = text.lines().next().unwrap_or_default();
    let label = line.strip_prefix(BEGIN).unwrap_or_default();
    if label.starts_with("TWINSEAL ") {
        return Origin::Twinseal;
    }
    let Some(label) = label.trim_end().strip_suffix("-----") else {
        return Origin::Nothing;
    };
    let is_ours = |object: &Object| {
        let name = object.algorithm.and_then(Algorithm::name);
        SignatureSuite::ALL.iter().any(|suite| name == Some(suite.name()))
    };
    match label {
        "PUBLIC KEY" | "PRIVATE KEY" => match object(text, label) {
            Some(object) if !is_ours(&object) => Origin::Other(object.to_string()),
            _ => Origin::Twinseal,
        },
        _ => Origin::Other(keys::describe(label)),
    }
}

fn object(text: &str, label: &str) -> Option<Object> {
    let end = format!("-----END {label}-----");
    let document = text.get(..text.find(&end)? + end.len())?;
    let (_, der) = pem_rfc7468::decode_vec(document.as_bytes()).ok()?;
    Object::of(&Zeroizing::new(der))
}
