//! Does the crate hold the sessions, and rewrap the envelope, that SPEC.md's steps give?

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha384, Sha512};
use twinseal::{
    Error, KemSuite, Recipients, Sign, Signature, SigningKey, VerifyingKey,
    envelope::Header,
    hazmat::{self, KeySchedule},
    provider::PORTABLE,
    session::{ReplyNonce, SessionReceiver, SessionSender},
};

use super::{
    blocks::Block,
    compute::{Computed, DEFAULT, P384, spec_kem_key, spec_signing_key},
    envelopes::seal,
};

const SESSION: &[u8] = b"twinseal/session/v1";

/// A signer without randomness.
pub(crate) struct Deterministic(pub(crate) SigningKey);

impl Sign for Deterministic {
    fn verifying_key(&self) -> &VerifyingKey {
        self.0.verifying_key()
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        hazmat::sign_prehashed(&self.0, context, sha512)
    }
}

fn hmac_sha384(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mac = Hmac::<Sha384>::new_from_slice(key).unwrap();
    mac.chain_update(parts.concat()).finalize().into_bytes().to_vec()
}

/// The labelled derivations of a suite.
struct Labelled {
    suite_id: Vec<u8>,
}

impl Labelled {
    fn new(suite: KemSuite) -> Self {
        let protocol: &[u8] = if suite == P384 { b"HPKE" } else { b"twinseal" };
        Self { suite_id: [protocol, &suite.id().to_be_bytes(), &[0, 2], &[0, 2]].concat() }
    }

    fn extract(&self, salt: &[u8], label: &[u8], ikm: &[u8]) -> Vec<u8> {
        hmac_sha384(salt, &[b"HPKE-v1", &self.suite_id, label, ikm])
    }

    fn expand(&self, prk: &[u8], label: &[u8], info: &[u8], length: u8) -> Vec<u8> {
        let parts = [&[0, length], &b"HPKE-v1"[..], &self.suite_id, label, info, &[0x01]];
        let mut output = hmac_sha384(prk, &parts);
        output.truncate(length.into());
        output
    }
}

/// `type || ciphertext || tag`.
pub(crate) fn message(
    key: &[u8],
    base_nonce: &[u8],
    number: u8,
    kind: u8,
    aad: &[u8],
    text: &[u8],
) -> Vec<u8> {
    let mut nonce: [u8; 12] = base_nonce.try_into().unwrap();
    nonce[11] ^= number;
    let mut sealed = text.to_vec();
    let aead = PORTABLE.aes_256_gcm.key(key.try_into().unwrap()).unwrap();
    let tag = aead.seal_in_place(&nonce, &[&[kind], aad].concat(), &mut sealed).unwrap();
    [&[kind], &sealed[..], &tag].concat()
}

pub(crate) fn compute_session_0001(block: &mut Computed<'_>) {
    compute_session(DEFAULT, None, block);
}

pub(crate) fn compute_session_0051(block: &mut Computed<'_>) {
    compute_session(P384, None, block);
}

pub(crate) fn compute_session_signed(block: &mut Computed<'_>) {
    compute_session(DEFAULT, Some(&Deterministic(spec_signing_key())), block);
}

fn compute_session(suite: KemSuite, signer: Option<&Deterministic>, block: &mut Computed<'_>) {
    let context = block.input("context");
    let aads = [block.input("aad_0"), block.input("aad_1")];
    let plaintexts = [block.input("plaintext_0"), block.input("plaintext_1")];
    let r = block.input("r");
    let reply_aad = block.input("reply_aad");
    let reply_plaintext = block.input("reply_plaintext");

    let kem = Block::read(if suite == DEFAULT { "kem-0001" } else { "kem-0051" }).recompute();
    let id = suite.id().to_be_bytes();
    let start = [b"twinsess", &[0x01][..], &id, &[0, 2], &[0, 2]].concat();
    let flags = u8::from(signer.is_some());
    let mut core = [&start, &[flags][..], kem.get("key_id")].concat();
    let mut signature = None;
    if let Some(signer) = signer {
        core.extend([0, 1]);
        core.extend(signer.verifying_key().key_id().as_bytes());
    }
    core.extend(kem.get("ct"));
    if let Some(signer) = signer {
        let vk = signer.verifying_key().as_bytes();
        let digest = Sha512::digest([&core, kem.get("ek"), vk, &context].concat());
        block.output("signed_sha512", &digest);
        signature = Some(signer.sign_prehashed(SESSION, &digest.into()).unwrap());
    }
    let signature = signature.as_ref().map_or(&[][..], Signature::as_bytes);
    let hello = [&core, signature].concat();
    block.output("hello", &hello);

    let ss = kem.get("ss");
    let info = [SESSION, &core, &context].concat();
    let labelled = Labelled::new(suite);
    let psk_id_hash = labelled.extract(b"", b"psk_id_hash", b"");
    let info_hash = labelled.extract(b"", b"info_hash", &info);
    let schedule_context = [&[0x00], &psk_id_hash[..], &info_hash].concat();
    let secret = labelled.extract(ss, b"secret", b"");
    let key = labelled.expand(&secret, b"key", &schedule_context, 32);
    let base_nonce = labelled.expand(&secret, b"base_nonce", &schedule_context, 12);
    let exporter_secret = labelled.expand(&secret, b"exp", &schedule_context, 48);
    let session_id = labelled.expand(&exporter_secret, b"sec", b"twinseal/session-id/v1", 32);
    let schedule = KeySchedule::new(&PORTABLE, suite, ss, &info).unwrap();
    assert_eq!(schedule.key_and_nonce(), [&key[..], &base_nonce].concat());
    assert_eq!(schedule.exporter_secret(), exporter_secret);
    block.output("suite_id", &labelled.suite_id);
    block.output("psk_id_hash", &psk_id_hash);
    block.output("info_hash", &info_hash);
    block.output("secret", &secret);
    block.output("key", &key);
    block.output("base_nonce", &base_nonce);
    block.output("exporter_secret", &exporter_secret);
    block.output("session_id", &session_id);

    let recipient = spec_kem_key(suite);
    let to = recipient.encapsulation_key();
    let signer = signer.map(|signer| signer as &dyn Sign);
    let sent = hazmat::sender(to, signer, &context, kem.get("randomness")).unwrap();
    let (sent, mut sender) = sent;
    assert_eq!(sent, hello);
    let mut receiver = match signer {
        None => recipient.receiver(&context, &hello),
        Some(signer) => recipient.accepting(signer.verifying_key()).receiver(&context, &hello),
    }
    .unwrap();
    assert_eq!(sender.session_id().as_bytes()[..], session_id);
    assert_eq!(receiver.session_id(), sender.session_id());

    let mut number = 0;
    for (aad, plaintext) in aads.iter().zip(&plaintexts) {
        let sealed = message(&key, &base_nonce, number, 0x00, aad, plaintext);
        assert_eq!(sender.seal_with_aad(aad, plaintext).unwrap(), sealed);
        assert_eq!(receiver.open_with_aad(aad, &sealed).unwrap()[..], plaintext[..]);
        block.output(&format!("message_{number}"), &sealed);
        number += 1;
    }
    let last = message(&key, &base_nonce, number, 0x01, b"", b"");
    assert_eq!(sender.finish(b"").unwrap(), last);
    receiver.open(&last).unwrap();
    assert!(receiver.is_finished());
    block.output("message_2", &last);

    let keys =
        labelled.expand(&exporter_secret, b"sec", &[&b"twinseal/reply/v1"[..], &r].concat(), 44);
    let (key, base_nonce) = keys.split_at(32);
    block.output("reply_key", key);
    block.output("reply_base_nonce", base_nonce);
    let sealed = message(key, base_nonce, 0, 0x01, &reply_aad, &reply_plaintext);
    let (mut replying, mut replied) = reply(&receiver, &mut sender, &r);
    assert_eq!(replying.finish_with_aad(&reply_aad, &reply_plaintext).unwrap(), sealed);
    assert_eq!(replied.open_with_aad(&reply_aad, &sealed).unwrap()[..], reply_plaintext[..]);
    block.output("reply_message", &sealed);
}

/// Both sides of a reply.
pub(crate) fn reply(
    receiver: &SessionReceiver,
    sender: &mut SessionSender,
    r: &[u8],
) -> (SessionSender, SessionReceiver) {
    let r = ReplyNonce::from_bytes(r.try_into().unwrap());
    let replying = hazmat::reply(receiver, r).unwrap();
    let replied = sender.accept_reply(r).unwrap();
    assert_eq!(replying.session_id(), sender.session_id());
    assert_eq!(replied.session_id(), sender.session_id());
    (replying, replied)
}

/// The same content key, salt and plaintext for another recipient give the same body.
pub(crate) fn compute_rewrap(block: &mut Computed<'_>) {
    let old = Block::read("envelope-one").recompute();
    let sealed = old.get("sealed");
    let (context, plaintext) = (old.get("context"), old.get("plaintext"));
    let key = spec_kem_key(P384);
    let moved = seal(
        &[&key],
        &[Block::read("kem-0051").get("randomness")],
        old.get("content_key"),
        old.get("salt"),
        context,
        plaintext,
    );
    let header = Header::parse(&moved).unwrap();
    let (header, body) = moved.split_at(header.len());
    let old_header = Header::parse(sealed).unwrap();
    assert_eq!(body, &sealed[old_header.len()..]);
    block.output("header", header);
    block.output("sealed_sha384", &Sha384::digest(&moved));

    let recipients = Recipients::new([key.encapsulation_key()]).unwrap();
    let fresh = spec_kem_key(DEFAULT).rewrap_header(&recipients, &old_header).unwrap();
    assert_eq!(fresh.len(), header.len());
    assert_ne!(fresh, header);
    assert_eq!(&key.open(context, &[&fresh, body].concat()).unwrap()[..], plaintext);
}
