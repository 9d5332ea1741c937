//! Does every case of the test kit have the outcome that it says, on every provider?
//!
//! tests/testkit/README.md describes the cases. Other implementations run them too: what is here follows only from
//! that description, and from SPEC.md.

use std::{collections::BTreeMap, thread};

use twinseal::provider::Provider;

use crate::common::providers::PROVIDERS;

mod case;
mod envelopes;
mod frozen;
mod keys;
mod outcome;
mod python;
mod requests;
mod sessions;
#[cfg(feature = "object_store")]
mod stores;

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
        #[cfg(feature = "object_store")]
        "store" => stores::store,
        #[cfg(not(feature = "object_store"))]
        "store" => return None,
        other => panic!("no such format: {other}"),
    })
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

#[test]
fn every_case_on_every_provider() {
    let cases = cases();
    let wrong: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = PROVIDERS
            .iter()
            .map(|provider| {
                let cases = &cases;
                scope.spawn(move || {
                    let judged =
                        cases.iter().filter_map(|case| Some((case, judge(case.text("format"))?)));
                    let wrong = judged.filter_map(|(case, judge)| {
                        let difference = disagreement(case, judge, provider)?;
                        Some(format!("{} on {}: {difference}", case.path, provider.name))
                    });
                    wrong.collect::<Vec<_>>()
                })
            })
            .collect();
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
        assert_eq!(case.path.split('/').nth(1), Some(case.text("format")), "{}", case.path);
    }
    let all: usize = formats.values().map(|(all, _)| all).sum();
    let refused: usize = formats.values().map(|(_, refused)| refused).sum();
    assert!(all >= 900 && refused * 3 > all * 2, "{refused} of {all}: {formats:?}");
}
