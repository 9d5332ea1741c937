//! Does the crate make the requests and answers that SPEC.md's steps give?

use sha2::{Digest, Sha384, Sha512};
use twinseal::{
    KemSuite, Sign,
    hazmat::{self, RequestRandomness},
    provider::PORTABLE,
    request::{AllowReplays, RequestHead, RequestTime, attach, detach},
};

use super::{
    blocks::Block,
    compute::{Computed, DEFAULT, P384, hkdf, spec_kem_key, spec_signing_key},
    sessions::{Deterministic, message},
};

pub(crate) const REQUEST: &[u8] = b"twinseal/request/v1";

pub(crate) fn compute_request_0001(block: &mut Computed<'_>) {
    compute_request(DEFAULT, None, block);
}

pub(crate) fn compute_request_0051(block: &mut Computed<'_>) {
    compute_request(P384, None, block);
}

pub(crate) fn compute_request_signed(block: &mut Computed<'_>) {
    compute_request(DEFAULT, Some(&Deterministic(spec_signing_key())), block);
}

pub(crate) fn compute_request_signed_0051(block: &mut Computed<'_>) {
    compute_request(P384, Some(&Deterministic(spec_signing_key())), block);
}

fn compute_request(suite: KemSuite, signer: Option<&Deterministic>, block: &mut Computed<'_>) {
    let context = block.input("context");
    let time = block.input("time");
    let plaintext = block.input("plaintext");
    let salt = block.input("salt");
    let answer_plaintext = block.input("answer_plaintext");
    let answer_salt = block.input("answer_salt");
    let pieces = ["piece_0", "piece_1", "piece_2"].map(|name| block.input(name));
    let r = block.input("r");

    let kem = Block::read(if suite == DEFAULT { "kem-0001" } else { "kem-0051" }).recompute();
    let signer = signer.map(|signer| signer as &dyn Sign);
    let core = core(suite, kem.get("key_id"), signer, &time, kem.get("ct"));
    let vk = signer.map_or(&[][..], |signer| signer.verifying_key().as_bytes());
    let bound = [&core, kem.get("ek"), vk, &context].concat();
    let (mut head, mut detached) = (core.clone(), core.clone());
    if let Some(signer) = signer {
        let digest = Sha512::digest(&bound);
        block.output("signed_sha512", &digest);
        let signature = signer.sign_prehashed(REQUEST, &digest.into()).unwrap();
        let length = u16::try_from(signature.as_bytes().len()).unwrap();
        head.extend([&length.to_be_bytes()[..], signature.as_bytes()].concat());
        detached.extend([0, 0]);
    }
    let id = &Sha384::digest([b"twinseal/request-id/v1", &core[..]].concat())[..32];
    let transcript = Sha384::digest(&bound);
    let derived: [u8; 80] = hkdf(kem.get("ss"), &[REQUEST, &transcript]);
    let (body_key, answer_secret) = derived.split_at(32);
    block.output("request_id", id);
    block.output("transcript", &transcript);
    block.output("body_key", body_key);
    block.output("answer_secret", answer_secret);

    let body = body(body_key, &salt, &context, &plaintext);
    let request = [&head[..], &body].concat();
    let without = [&detached[..], &body].concat();
    block.output("request", &request);
    if signer.is_some() {
        block.output("detached_sha384", &Sha384::digest(&without));
    }

    let recipient = spec_kem_key(suite);
    let randomness = RequestRandomness {
        time: RequestTime::from_millis(u64::from_be_bytes(time.try_into().unwrap())).unwrap(),
        encapsulation: kem.get("randomness"),
        salt: salt.try_into().unwrap(),
    };
    let to = recipient.encapsulation_key();
    let (made, pending) = hazmat::request(to, signer, &context, &plaintext, &randomness).unwrap();
    assert_eq!(made, request);
    assert_eq!(pending.id().as_bytes(), id);
    let asked = || {
        let (opened, asked) = match signer {
            None => recipient.accept(&context, &request, &AllowReplays),
            Some(signer) => recipient.accepting(signer.verifying_key()).accept(
                &context,
                &request,
                &AllowReplays,
            ),
        }
        .unwrap();
        assert_eq!(opened[..], plaintext);
        assert_eq!(asked.id(), pending.id());
        asked
    };
    let head = RequestHead::parse(&request).unwrap();
    assert_eq!(head.len(), request.len() - body.len());
    if signer.is_some() {
        let mut detached = request.clone();
        let signature = detach(&mut detached).unwrap();
        assert_eq!(detached, without);
        attach(&mut detached, &signature).unwrap();
        assert_eq!(detached, request);
    }

    let answer_key: [u8; 32] = hkdf(answer_secret, &[b"twinseal/answer/v1"]);
    block.output("answer_key", &answer_key);
    let sealed = self::body(&answer_key, &answer_salt, &context, &answer_plaintext);
    let answer = [b"twinansw\x01\x01", &sealed[..]].concat();
    let made = hazmat::answer(asked(), &answer_salt[..].try_into().unwrap(), &answer_plaintext);
    assert_eq!(made.unwrap(), answer);
    block.output("answer", &answer);

    let keys: [u8; 44] = hkdf(answer_secret, &[b"twinseal/answer-pieces/v1", &r]);
    let (key, base_nonce) = keys.split_at(32);
    block.output("pieces_key", key);
    block.output("pieces_base_nonce", base_nonce);
    let mut in_pieces = [b"twinansw\x01\x02", &r[..]].concat();
    for (number, piece) in (0..).zip(&pieces) {
        let kind = u8::from(number == 2);
        let sealed = message(key, base_nonce, number, kind, b"", piece);
        let length = u32::try_from(sealed.len()).unwrap();
        in_pieces.extend([&length.to_be_bytes()[..], &sealed].concat());
    }
    let (mut made, mut sealer) = hazmat::piece_sealer(asked(), &r[..].try_into().unwrap()).unwrap();
    let [first, second, last] = &pieces;
    made.extend([sealer.piece(first).unwrap(), sealer.piece(second).unwrap()].concat());
    made.extend(sealer.finish(last).unwrap());
    assert_eq!(made, in_pieces);
    block.output("pieces", &in_pieces);

    let failed = pending.open(&in_pieces).unwrap_err();
    assert_eq!(failed.pending.open(&answer).unwrap()[..], answer_plaintext);
    let (_, pending) = hazmat::request(to, signer, &context, &plaintext, &randomness).unwrap();
    let opened = pending.open_pieces(&in_pieces).unwrap();
    assert!(opened.iter().map(|piece| &piece[..]).eq(&pieces));
}

pub(crate) fn core(
    suite: KemSuite,
    recipient: &[u8],
    signer: Option<&dyn Sign>,
    time: &[u8],
    ct: &[u8],
) -> Vec<u8> {
    let flags = u8::from(signer.is_some());
    let start = [b"twinrqst\x01", &[flags][..], &suite.id().to_be_bytes(), recipient].concat();
    let signer = signer.map_or(Vec::new(), |signer| {
        [&[0, 1][..], signer.verifying_key().key_id().as_bytes()].concat()
    });
    [&start, &signer, time, ct].concat()
}

pub(crate) fn body(key: &[u8], salt: &[u8], context: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let (key, salt) = (key.try_into().unwrap(), salt.try_into().unwrap());
    hazmat::cobblestone_seal(&PORTABLE, key, salt, context, plaintext).unwrap()
}
