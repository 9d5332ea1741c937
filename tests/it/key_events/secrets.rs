//! Is nothing that is secret, and nothing that a key was used for, in any event?

use base64::{Engine, prelude::BASE64_STANDARD};
use tracing_subscriber::filter::LevelFilter;
use twinseal::{Decapsulate, Sign, kem::SharedSecret};

use super::{Log, MESSAGE, split, split_signer};
use crate::common::keys::{CTX, X25519, kem_key, signing_key};

#[test]
fn no_event_has_a_secret() {
    let (whole, signer) = (kem_key(X25519, 1), signing_key(1));
    let public = whole.encapsulation_key().clone();
    let halves = kem_key(X25519, 1).into_halves().unwrap();
    let signing_halves = signing_key(1).into_halves().unwrap();
    let (ciphertext, secret) = public.encapsulate().unwrap();
    let mut hidden = [
        MESSAGE,
        CTX,
        whole.seed().unwrap(),
        halves.post_quantum.secret_bytes(),
        halves.traditional.secret_bytes(),
        signing_halves.post_quantum.secret_bytes(),
        signing_halves.traditional.secret_bytes(),
        signer.secret_bytes(),
        secret.as_bytes(),
        ciphertext.as_bytes(),
    ]
    .map(Vec::from)
    .to_vec();
    let in_two = split(kem_key(X25519, 1));
    let signer_in_two = split_signer(signing_key(1));

    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    whole.decapsulate(&ciphertext).unwrap();
    in_two.decapsulate(&ciphertext).unwrap();
    in_two.check().unwrap();
    let (hello, mut tx) = public.signed_by(&signer).sender(CTX).unwrap();
    let mut rx = whole.accepting(signer.verifying_key()).receiver(CTX, &hello).unwrap();
    rx.open(&tx.seal(MESSAGE).unwrap()).unwrap();
    for key in [&signer as &dyn Sign, &signer_in_two] {
        hidden.push(key.sign(CTX, MESSAGE).unwrap().as_bytes().to_vec());
    }
    // A half that answers with a secret of a wrong length.
    let long = secret.as_bytes();
    SharedSecret::combine(&public, &ciphertext, Ok(long), Ok(long)).unwrap_err();

    let seen = log.take();
    assert_eq!(seen.len(), 8, "{seen:#?}");
    let text = format!("{seen:?}");
    for bytes in hidden {
        let part = &bytes[..16];
        let numbers = format!("{part:?}");
        for form in [
            hex::encode(part),
            hex::encode_upper(part),
            BASE64_STANDARD.encode(&part[..15]),
            numbers.trim_matches(['[', ']']).to_owned(),
            String::from_utf8_lossy(part).into_owned(),
        ] {
            assert!(!text.contains(&form), "{form} in {text}");
        }
    }
}
