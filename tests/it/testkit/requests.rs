//! Requests and their answers.

use std::{
    io::Read,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use sha2::{Digest, Sha384};
use twinseal::{
    Sign, SigningKey,
    hazmat::{self, RequestRandomness},
    provider::Provider,
    request::{AllowReplays, Pending, ReplayGuard, RequestTime, WindowGuard, attach, detach},
};

use super::{
    case::{Case, KIT, kem_key},
    outcome::{Outcome, Wrong, agree, all_expected, expected, name, plaintext_expected},
};

fn time(millis: u64) -> RequestTime {
    RequestTime::from_millis(millis).unwrap()
}

/// The guard of a case. Its clock shows when it began, and then only `now`.
fn guard(case: &Case) -> Box<dyn ReplayGuard> {
    let Some(now) = case.number("now") else { return Box::new(AllowReplays) };
    let begun = case.number("begun");
    let clock = AtomicU64::new(begun.unwrap_or(now));
    let guard = if begun.is_some() { WindowGuard::new() } else { WindowGuard::for_new_keys() };
    Box::new(guard.with_clock(move || time(clock.swap(now, Ordering::Relaxed))))
}

pub(super) fn request(case: &Case, provider: &'static Provider) -> Outcome {
    let (ring, signers) = (case.ring(provider), case.signers(provider));
    let (context, input) = (case.bytes("context"), case.bytes("input"));
    let accept = |guard: &dyn ReplayGuard| match &signers {
        None => ring.accept(context, input, guard),
        Some(signers) => ring.accepting_any(signers).accept(context, input, guard),
    };
    let guards = guard(case);
    let whole: Outcome<_> = accept(&*guards).map_err(Wrong::from);
    let streamed = || -> Outcome<Vec<u8>> {
        let guard = guard(case);
        let mut reader = match &signers {
            None => ring.accept_reader(context, input, &*guard)?,
            Some(signers) => ring.accepting_any(signers).accept_reader(context, input, &*guard)?,
        };
        let mut plaintext = Vec::new();
        reader.read_to_end(&mut plaintext)?;
        reader.finish()?;
        Ok(plaintext)
    };
    let (whole, asked) = match whole {
        Ok((plaintext, asked)) => (Ok(plaintext.to_vec()), Some(asked)),
        Err(wrong) => (Err(wrong), None),
    };
    let plaintext = agree("whole and streamed", whole, streamed())?;
    let asked = asked.unwrap();
    expected(case, "request-id", &hex::encode(asked.id().as_bytes()))?;
    expected(case, "time", &asked.time().as_millis().to_string())?;
    if case.get("again").is_some() {
        expected(case, "again", name(&accept(&*guards).map_err(Wrong::from)))?;
    }
    plaintext_expected(case, &plaintext)
}

pub(super) fn detached_signature(case: &Case, _: &'static Provider) -> Outcome {
    let mut request = case.bytes("input").to_vec();
    match case.text("verb") {
        "detach" => {
            detach(&mut request)?;
        }
        _ => attach(&mut request, case.bytes("signature"))?,
    }
    expected(case, "result-sha384", &hex::encode(Sha384::digest(&request)))
}

static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| {
    let text = std::fs::read_to_string(KIT.join("keys/sign.pem")).unwrap();
    SigningKey::from_pem(&text).unwrap()
});

/// What waits for the answer: the request is made here, from the same randomness.
fn pending(case: &Case, provider: &'static Provider) -> Outcome<Pending> {
    let randomness = RequestRandomness {
        time: time(case.number("time").unwrap()),
        encapsulation: case.bytes("randomness"),
        salt: [0; 24],
    };
    let signer = case.get("signer").map(|_| &*SIGNER as &dyn Sign);
    let to = kem_key(case.text("key"), provider);
    Ok(hazmat::request(to.encapsulation_key(), signer, case.bytes("context"), b"", &randomness)?.1)
}

pub(super) fn answer(case: &Case, provider: &'static Provider) -> Outcome {
    let input = case.bytes("input");
    let whole = pending(case, provider)?.open(input);
    let whole = whole.map(|plaintext| plaintext.to_vec()).map_err(|failed| failed.error.into());
    let streamed = || -> Outcome<Vec<u8>> {
        let mut plaintext = Vec::new();
        pending(case, provider)?.open_reader(input)?.read_to_end(&mut plaintext)?;
        Ok(plaintext)
    };
    plaintext_expected(case, &agree("whole and streamed", whole, streamed())?)
}

pub(super) fn answer_in_pieces(case: &Case, provider: &'static Provider) -> Outcome {
    let mut opener = pending(case, provider)?.piece_opener();
    if let Some(bound) = case.number("bound") {
        opener = opener.with_bound(bound.try_into().unwrap());
    }
    opener.update(case.bytes("input"));
    let mut found = Vec::new();
    while let Some(piece) = opener.next()? {
        found.push(String::from_utf8(piece.to_vec()).unwrap());
    }
    opener.finish()?;
    all_expected(case, "plaintext", &found)
}
