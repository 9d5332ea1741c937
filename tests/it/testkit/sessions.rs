//! Sessions, their replies, and sessions over a connection.

use twinseal::{
    Error, Keyring, VerifyingKeyring, hazmat,
    provider::Provider,
    session::{FramedReceiver, ReplyNonce, SessionReceiver},
};

use super::{
    case::{Case, Field, kem_key},
    outcome::{Outcome, Wrong, all_expected, expected, name, refused, same},
};

fn accept(
    ring: &Keyring,
    signers: Option<&VerifyingKeyring>,
    context: &[u8],
    hello: &[u8],
) -> Result<SessionReceiver, Error> {
    match signers {
        None => ring.receiver(context, hello),
        Some(signers) => ring.accepting_any(signers).receiver(context, hello),
    }
}

pub(super) fn session(case: &Case, provider: &'static Provider) -> Outcome {
    let signers = case.signers(provider);
    let receiver =
        accept(&case.ring(provider), signers.as_ref(), case.bytes("context"), case.bytes("hello"))?;
    expected(case, "session-id", &hex::encode(receiver.session_id().as_bytes()))?;
    take_steps(case, Some(receiver), |_| unreachable!("a session has no r"))
}

/// Opens the messages one after another. `begin` makes the receiver of a reply from its r.
fn take_steps(
    case: &Case,
    mut receiver: Option<SessionReceiver>,
    mut begin: impl FnMut(&[u8]) -> Result<SessionReceiver, Error>,
) -> Outcome {
    let mut fields = case.fields.iter().peekable();
    let belongs = |field: &&Field| !["message", "r"].contains(&&*field.name);
    while let Some(field) = fields.next() {
        if belongs(&field) {
            continue;
        }
        let mut own = Vec::new();
        while let Some(next) = fields.next_if(belongs) {
            own.push(next);
        }
        let value =
            |name: &str| own.iter().find(|field| field.name == name).map(|field| &field.value[..]);
        let outcome: Outcome<Option<Vec<u8>>> = if field.name == "r" {
            begin(&field.value).map_err(Wrong::from).map(|reply| {
                receiver = Some(reply);
                None
            })
        } else {
            let opened =
                receiver.as_mut().unwrap().open_with_aad(value("aad").unwrap_or(b""), &field.value);
            opened.map(|plaintext| Some(plaintext.to_vec())).map_err(Wrong::from)
        };
        let wanted = value("refused").unwrap_or(b"success");
        same("a message", name(&outcome), str::from_utf8(wanted).unwrap())?;
        if let Ok(Some(plaintext)) = outcome {
            same("a plaintext", &plaintext[..], value("plaintext").unwrap())?;
        }
    }
    if receiver.is_some_and(|receiver| receiver.is_finished()) {
        Ok(())
    } else {
        refused("incomplete", "the last message is missing")
    }
}

pub(super) fn reply(case: &Case, provider: &'static Provider) -> Outcome {
    let key = kem_key(case.text("key"), provider);
    let (to, randomness) = (key.encapsulation_key(), case.bytes("randomness"));
    let (_, secret) = hazmat::encapsulate(to, randomness)?;
    expected(case, "secret", &hex::encode(secret.as_bytes()))?;
    let (_, mut sender) = hazmat::sender(to, None, case.bytes("context"), randomness)?;
    take_steps(case, None, |r| sender.accept_reply(ReplyNonce::from_bytes(r.try_into().unwrap())))
}

pub(super) fn framed_session(case: &Case, provider: &'static Provider) -> Outcome {
    let (ring, signers) = (case.ring(provider), case.signers(provider));
    let input = case.bytes("input");
    let accept = |hello: &[u8]| accept(&ring, signers.as_ref(), case.bytes("context"), hello);
    let mut receiver = FramedReceiver::accept(input, accept)?;
    if let Some(bound) = case.number("bound") {
        receiver = receiver.with_bound(bound.try_into().unwrap());
    }
    let mut found = Vec::new();
    while let Some(plaintext) = receiver.receive()? {
        found.push(String::from_utf8(plaintext.to_vec()).unwrap());
    }
    receiver.expect_end()?;
    all_expected(case, "plaintext", &found)
}
