//! Does every case of the test kit have the outcome that it says, on every provider?
//!
//! tests/testkit/README.md describes the cases. Other implementations run them too: what is here follows only from
//! that description, and from SPEC.md.

use std::{collections::BTreeMap, thread};

use twinseal::provider::Provider;

use crate::common::providers::PROVIDERS;

mod case;
#[cfg(feature = "x509")]
mod certificates;
mod envelopes;
mod frozen;
mod keys;
#[cfg(feature = "model-signing")]
mod models;
mod outcome;
mod python;
mod requests;
mod sessions;
#[cfg(feature = "object_store")]
mod stores;
#[cfg(all(
    feature = "model-signing",
    feature = "object_store",
    feature = "passphrase",
    feature = "x509"
))]
mod write;

use case::{Case, cases, is_published};
use outcome::{Outcome, Wrong};

type Judge = fn(&Case, &'static Provider) -> Outcome;

/// What reads the cases of a format; `None` if it needs a feature that is off.
fn judge(format: &str) -> Option<Judge> {
    Some(match format {
        "decapsulation" => keys::decapsulation,
        "encapsulation-key" => keys::encapsulation_key,
        "signature" => keys::signature,
        "verifying-key" => keys::verifying_key,
        "key-file" => keys::key_file,
        "import" => keys::import,
        "keyring" => keys::keyring,
        "key-directory" => keys::key_directory,
        #[cfg(feature = "passphrase")]
        "encrypted-key" => keys::encrypted_key,
        #[cfg(feature = "passphrase")]
        "encrypted-import" => keys::encrypted_import,
        #[cfg(not(feature = "passphrase"))]
        "encrypted-key" | "encrypted-import" => return None,
        "envelope" => envelopes::envelope,
        "envelope-part" => envelopes::envelope_part,
        "rewrap" => envelopes::rewrap,
        "session" => sessions::session,
        "reply" => sessions::reply,
        "framed-session" => sessions::framed_session,
        "request" => requests::request,
        "detached-signature" => requests::detached_signature,
        "answer" => requests::answer,
        "answer-in-pieces" => requests::answer_in_pieces,
        #[cfg(feature = "model-signing")]
        "model" => models::model,
        #[cfg(not(feature = "model-signing"))]
        "model" => return None,
        #[cfg(feature = "x509")]
        "certificate" => certificates::certificate,
        #[cfg(not(feature = "x509"))]
        "certificate" => return None,
        #[cfg(feature = "object_store")]
        "store" => stores::store,
        #[cfg(not(feature = "object_store"))]
        "store" => return None,
        other => panic!("no such format: {other}"),
    })
}

/// Whether it reads with the keys' provider. The others read on the default one, once.
fn is_of_provider(format: &str) -> bool {
    !matches!(
        format,
        "key-file"
            | "import"
            | "keyring"
            | "key-directory"
            | "encrypted-key"
            | "encrypted-import"
            | "detached-signature"
            | "certificate"
    )
}

/// How the outcome of a case differs from what it says.
fn disagreement(case: &Case, judge: Judge, provider: &'static Provider) -> Option<String> {
    let found = match judge(case, provider) {
        Ok(()) => ("success".into(), String::new()),
        Err(Wrong::Refused { class, error }) => (class.to_string(), error),
        Err(Wrong::Differs(difference)) => return Some(difference),
    };
    (found.0 != case.text("expect")).then(|| format!("{}: {}", found.0, found.1))
}

/// The cases whose outcome differs on a provider.
fn disagreements(cases: &[Case], provider: &'static Provider, is_first: bool) -> Vec<String> {
    let mut found = Vec::new();
    for case in cases {
        let format = case.text("format");
        let Some(judge) = judge(format) else { continue };
        if !is_first && !is_of_provider(format) {
            continue;
        }
        if let Some(difference) = disagreement(case, judge, provider) {
            found.push(format!("{} on {}: {difference}", case.path, provider.name));
        }
    }
    found
}

#[test]
fn every_case_on_every_provider() {
    let cases = &cases();
    let wrong: Vec<String> = thread::scope(|scope| {
        let threads = PROVIDERS.iter().enumerate().map(|(index, provider)| {
            scope.spawn(move || disagreements(cases, provider, index == 0))
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// There are enough cases of every format, and most of them are refusals.
#[test]
fn what_the_kit_has() {
    if is_published() {
        return;
    }
    let mut formats = BTreeMap::<String, (usize, usize)>::new();
    for case in &cases() {
        let (all, refused) = formats.entry(case.text("format").into()).or_default();
        *all += 1;
        *refused += usize::from(case.text("expect") != "success");
        assert!(!case.text("why").is_empty(), "{}", case.path);
        assert_eq!(case.path.rsplit('/').nth(1), Some(case.text("format")), "{}", case.path);
    }
    let all: usize = formats.values().map(|(all, _)| all).sum();
    let refused: usize = formats.values().map(|(_, refused)| refused).sum();
    assert!(all >= 900 && refused * 3 > all * 2, "{refused} of {all}: {formats:?}");
}
