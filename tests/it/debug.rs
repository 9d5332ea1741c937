//! Does `Debug` name the type, and the key or the object, so that a log can be read?

use std::fmt::Debug;

use twinseal::{
    Keyring, SigningKey, VerifyingKeyring,
    kem::SharedSecret,
    provider::Random,
    request::AllowReplays,
    split::{SplitDecapsulationKey, SplitSigningKey},
};

use crate::common::keys::{COMPOSITE, CTX, P384, kem_key, signing_key};

#[track_caller]
fn assert_shown(value: impl Debug, expected: &str) {
    assert_eq!(format!("{value:?}"), expected);
}

/// What every key shows: its suite and its id.
fn key_text() -> String {
    let key = kem_key(P384, 1);
    let public = key.encapsulation_key();
    format!("{}, {}", public.suite(), public.key_id())
}

fn signer_text() -> String {
    let key = signing_key(2);
    let public = key.verifying_key();
    format!("{}, {}", public.suite(), public.key_id())
}

#[test]
fn keys_show_their_suite_and_id() {
    let (key, signer) = (kem_key(P384, 1), signing_key(2));
    let (to, by) = (key_text(), signer_text());
    let public = key.encapsulation_key();
    assert_shown(public.key_id(), &format!("KeyId({})", public.key_id()));
    assert_shown(public, &format!("EncapsulationKey({to})"));
    assert_shown(&key, &format!("DecapsulationKey({to})"));
    assert_shown(signer.verifying_key(), &format!("VerifyingKey({by})"));
    assert_shown(&signer, &format!("SigningKey({by})"));
    let expanded = ml_dsa::ExpandedSigningKey::<ml_dsa::MlDsa87>::from_seed(&[2; 32].into());
    #[expect(deprecated, reason = "this form is what is imported")]
    let expanded = [&expanded.to_expanded()[..], &[2; 48]].concat();
    let expanded = SigningKey::import_expanded_bytes(COMPOSITE, &expanded).unwrap();
    assert_shown(expanded, &format!("ExpandedSigningKey({by})"));
    let secret = SharedSecret::from_bytes(P384, &[7; 32]).unwrap();
    assert_shown(secret, &format!("SharedSecret({P384}, ..)"));

    let ring = Keyring::new(kem_key(P384, 1));
    assert!(format!("{ring:?}").contains(&to));
    let ring = VerifyingKeyring::new([signer.verifying_key()]).unwrap();
    assert!(format!("{ring:?}").contains(&by));
}

#[test]
fn split_keys_show_their_suite_and_id() {
    let public = kem_key(P384, 1).encapsulation_key().clone();
    let halves = kem_key(P384, 1).into_halves().unwrap();
    let half = format!("HalfKey({}, ..)", halves.post_quantum.algorithm());
    assert_shown(&halves.post_quantum, &half);
    assert_eq!(halves.post_quantum.half().to_string(), "post-quantum half");
    assert_eq!(halves.traditional.half().to_string(), "traditional half");
    let (post_quantum, traditional) = (halves.post_quantum.into(), halves.traditional.into());
    let key = SplitDecapsulationKey::new(public, post_quantum, traditional);
    assert_shown(key, &format!("SplitDecapsulationKey({})", key_text()));

    let public = signing_key(2).verifying_key().clone();
    let halves = signing_key(2).into_halves().unwrap();
    let (post_quantum, traditional) = (halves.post_quantum.into(), halves.traditional.into());
    let key = SplitSigningKey::new(public, post_quantum, traditional);
    assert_shown(key, &format!("SplitSigningKey({})", signer_text()));
}

#[test]
fn parties_show_both_ends() {
    let (key, signer) = (kem_key(P384, 1), signing_key(2));
    let (to, by) = (key_text(), signer_text());
    let signed_by = key.encapsulation_key().signed_by(&signer);
    assert_shown(signed_by, &format!("SignedBy(VerifyingKey({by}) to EncapsulationKey({to}))"));

    let accepting = format!("{:?}", key.accepting(signer.verifying_key()));
    assert!(accepting.contains(&format!("EncapsulationKey({to})")), "{accepting}");
    let ring = Keyring::new(kem_key(P384, 1));
    let accepting = format!("{:?}", ring.accepting(signer.verifying_key()));
    assert!(accepting.contains(&format!("{ring:?}")), "{accepting}");

    let prepared = key.encapsulation_key().prepare_sender(signer.verifying_key(), CTX).unwrap();
    assert_shown(prepared, &format!("PreparedSender(by VerifyingKey({by}))"));
    let prepared = key.encapsulation_key().prepare_request(signer.verifying_key(), CTX).unwrap();
    let expected = format!("PreparedRequest({}, by VerifyingKey({by}))", prepared.id());
    assert_shown(prepared, &expected);
}

#[test]
fn sessions_show_how_far_they_are() {
    let key = kem_key(P384, 1);
    let (hello, mut sender) = key.encapsulation_key().sender(CTX).unwrap();
    let mut receiver = key.receiver(CTX, &hello).unwrap();
    for message in [b"one", b"two"] {
        receiver.open(&sender.seal(message).unwrap()).unwrap();
    }
    assert_shown(sender.session_id(), &format!("SessionId({})", sender.session_id()));
    assert_eq!(sender.session_id().to_string().len(), 64);
    assert_shown(&sender, "SessionSender(2 messages sealed)");
    assert_shown(&receiver, "SessionReceiver(2 messages opened)");
}

#[test]
fn requests_show_their_id() {
    let key = kem_key(P384, 1);
    let (request, pending) = key.encapsulation_key().request(CTX, b"a question").unwrap();
    let id = pending.id();
    assert_shown(id, &format!("RequestId({id})"));
    assert_shown(&pending, &format!("Pending({id})"));
    let (_, asked) = key.accept(CTX, &request, &AllowReplays).unwrap();
    assert_shown(&asked, &format!("Asked({id})"));
    let time = asked.time().to_string();
    let (seconds, milliseconds) = time.split_once('.').unwrap();
    assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000, "{time}");
    assert!(milliseconds.len() == 3 && milliseconds.parse::<u16>().is_ok(), "{time}");

    let reader = pending.piece_reader(&b""[..]);
    assert_shown(reader, &format!("PieceReader(PieceOpener({id}))"));
}

#[test]
fn streams_show_how_far_they_are() {
    let key = kem_key(P384, 1);
    let sealed = key.encapsulation_key().seal(CTX, b"text").unwrap();
    let at = key.open_at(CTX, &sealed[..]).unwrap();
    assert_shown(at, "RandomAccess(Body(4 bytes))");
    let writer = key.encapsulation_key().seal_writer(CTX, Vec::new()).unwrap();
    assert_shown(&writer, "SealWriter(Sealer(0 chunks sealed))");
    #[cfg(feature = "rayon")]
    assert_shown(writer.parallel(), "ParallelSealWriter(0 chunks begun)");
    let reader = key.open_reader(CTX, &sealed[..]).unwrap();
    assert_shown(&reader, "OpenReader(Opener(0 chunks opened))");
    #[cfg(feature = "rayon")]
    assert_shown(reader.parallel(), "ParallelOpenReader(0 chunks read)");
}

#[test]
fn randomness_shows_whether_it_is_given() {
    assert_shown(Random::System, "Random::System");
    assert_shown(Random::Given(&mut |_| Ok(())), "Random::Given(..)");
}

#[cfg(feature = "tokio")]
#[test]
fn asynchronous_ends_show_what_they_hold() {
    let key = kem_key(P384, 1);
    let (_, pending) = key.encapsulation_key().request(CTX, b"a question").unwrap();
    let id = pending.id();
    let reader = twinseal::tokio::PieceReader::new(pending.piece_opener(), &b""[..]);
    assert_shown(reader, &format!("PieceReader(PieceOpener({id}))"));
}
