//! Are the secrets of requests and answers wiped, those that were opened, refused, given up or not admitted?

use std::io::{Read, Write, sink};

use sha2::{Digest, Sha384};
use twinseal::{
    DecapsulationKey, Error, ReplayRefusal, Sign, Signature, SigningKey,
    hazmat::{self, RequestRandomness},
    request::{AllowReplays, Asked, Pending, PreparedRequest, RequestHead, RequestTime},
    secret::SecretBuffer,
};

use crate::{
    allocator::Secrets,
    cases::{KemCase, PLAINTEXT, kem_cases},
    common::{
        errors::outcome,
        keys::{CTX, signing_key},
    },
};

/// A signed request with the plaintext of a case, and all that is secret in it and in its answer.
struct RequestCase {
    kem: KemCase,
    alice: SigningKey,
    request: Vec<u8>,
    secrets: Secrets,
}

impl RequestCase {
    fn new(kem: KemCase) -> Self {
        let alice = signing_key(7);
        let key = kem.key();
        let to = key.encapsulation_key();
        let randomness = RequestRandomness {
            time: RequestTime::from_millis(7).unwrap(),
            encapsulation: kem.randomness,
            salt: [7; 24],
        };
        let (request, _) =
            hazmat::request(to, Some(&alice), CTX, kem.plaintext, &randomness).unwrap();
        let head = RequestHead::parse(&request).unwrap();
        let core = &request[..54 + kem.suite.ciphertext_len()];
        let transcript = Sha384::new()
            .chain_update(core)
            .chain_update(to.as_bytes())
            .chain_update(alice.verifying_key().as_bytes())
            .chain_update(CTX)
            .finalize();
        let secret = key.decapsulate(head.ciphertext()).unwrap();
        let mut derived = [0; 80];
        let info = [&b"twinseal/request/v1"[..], &transcript].concat();
        hazmat::hkdf_sha384(secret.as_bytes(), &info, &mut derived);
        let mut secrets = Secrets(kem.secrets.0.clone());
        secrets.add("body key of a request", &derived[..32]);
        secrets.add("answer secret", &derived[32..]);
        let mut whole = [0; 32];
        hazmat::hkdf_sha384(&derived[32..], b"twinseal/answer/v1", &mut whole);
        secrets.add("key of a whole answer", &whole);
        let mut pieces = [0; 44];
        let info = [&b"twinseal/answer-pieces/v1"[..], &R].concat();
        hazmat::hkdf_sha384(&derived[32..], &info, &mut pieces);
        secrets.add("key of an answer in pieces", &pieces[..32]);
        Self { kem, alice, request, secrets }
    }

    fn make(&self, key: &DecapsulationKey) -> Pending {
        let randomness = RequestRandomness {
            time: RequestTime::from_millis(7).unwrap(),
            encapsulation: self.kem.randomness,
            salt: [7; 24],
        };
        let to = key.encapsulation_key();
        let made = hazmat::request(to, Some(&self.alice), CTX, self.kem.plaintext, &randomness);
        let (_, pending) = made.unwrap();
        // Their signatures may differ.
        assert_eq!(pending.id(), RequestHead::parse(&self.request).unwrap().id());
        pending
    }

    fn prepare(&self, key: &DecapsulationKey) -> PreparedRequest {
        let randomness = RequestRandomness {
            time: RequestTime::from_millis(7).unwrap(),
            encapsulation: self.kem.randomness,
            salt: [7; 24],
        };
        let (to, alice) = (key.encapsulation_key(), self.alice.verifying_key());
        let prepared = hazmat::prepare_request(to, alice, CTX, &randomness).unwrap();
        assert_eq!(prepared.id(), RequestHead::parse(&self.request).unwrap().id());
        prepared
    }

    fn sign(&self, context: &[u8], sha512: &[u8; 64]) -> Signature {
        Sign::sign_prehashed(&self.alice, context, sha512).unwrap()
    }

    fn accept(&self, key: &DecapsulationKey) -> Asked {
        let from_alice = key.accepting(self.alice.verifying_key());
        let (plaintext, asked) = from_alice.accept(CTX, &self.request, &AllowReplays).unwrap();
        assert!(plaintext[..] == self.kem.plaintext[..]);
        asked
    }
}

const R: [u8; 32] = [9; 32];

fn cases() -> impl Iterator<Item = (RequestCase, &'static twinseal::provider::Provider)> {
    kem_cases().map(|(kem, provider)| (RequestCase::new(kem), provider))
}

#[test]
fn asking_and_answering() {
    for (case, provider) in cases() {
        case.secrets.assert_not_leaked_by(|| {
            let key = case.kem.key().on(provider).unwrap();
            let plaintext = case.kem.plaintext;
            let pending = case.make(&key);
            let answer = case.accept(&key).answer(plaintext).unwrap();
            drop(format!("{pending:?}"));
            // One that is forged, then the true one.
            let mut forged = answer.clone();
            *forged.last_mut().unwrap() ^= 1;
            let failed = pending.open(&forged).unwrap_err();
            drop(failed.pending.open(&answer).unwrap());

            let answer = case.accept(&key).answer(plaintext).unwrap();
            let mut buffer = SecretBuffer::zeroed(PLAINTEXT);
            let mut reader = case.make(&key).open_reader(&answer[..]).unwrap();
            reader.read_exact(&mut buffer).unwrap();
            drop(reader);

            // Given up, by both.
            drop((case.make(&key), case.accept(&key)));
            let (_, _, mut sealer) = case.accept(&key).answer_sealer().unwrap();
            sealer.update(plaintext, &mut Vec::new()).unwrap();
        });
    }
}

#[test]
fn pieces() {
    for (case, provider) in cases() {
        case.secrets.assert_not_leaked_by(|| {
            let key = case.kem.key().on(provider).unwrap();
            let plaintext = case.kem.plaintext;
            let (mut answer, mut sealer) = hazmat::piece_sealer(case.accept(&key), &R).unwrap();
            answer.extend(sealer.piece(plaintext).unwrap());
            let cut = answer.len() - 1;
            answer.extend(sealer.finish(plaintext).unwrap());
            drop(case.make(&key).open_pieces(&answer).unwrap());
            assert!(case.make(&key).open_pieces(&answer[..cut]).is_err());
            let mut damaged = answer.clone();
            *damaged.last_mut().unwrap() ^= 1;
            let mut reader = case.make(&key).piece_reader(&damaged[..]);
            let mut buffer = SecretBuffer::zeroed(PLAINTEXT);
            reader.read_exact(&mut buffer[..100]).unwrap();
            drop(reader.next().unwrap().unwrap());
            assert!(reader.next().unwrap().is_err());

            // Written in parts, and given up.
            let mut writer = case.accept(&key).piece_writer(sink()).unwrap();
            for part in plaintext.chunks(777) {
                writer.write_all(part).unwrap();
            }
            writer.flush().unwrap();
            writer.write_all(&plaintext[..5000]).unwrap();
            drop(writer);
            let long =
                case.accept(&key).piece_writer(sink()).unwrap().with_bound(100).piece(plaintext);
            assert!(long.is_err());
        });
    }
}

/// Given up while the signature or the secret is awaited, refused, and finished; each moved to and fro, as a future
/// that is in a box does.
#[test]
fn awaited() {
    for (case, provider) in cases() {
        case.secrets.assert_not_leaked_by(|| {
            let key = case.kem.key().on(provider).unwrap();
            let from_alice = key.accepting(case.alice.verifying_key());
            drop(case.prepare(&key));
            drop(Box::new(case.prepare(&key)));

            let prepared = Box::new(case.prepare(&key));
            let wrong = case.sign(prepared.signature_context(), &[7; 64]);
            assert!(prepared.finish(wrong).is_err());

            let prepared = Box::new(case.prepare(&key));
            let signature = case.sign(prepared.signature_context(), prepared.sha512());
            let sealer = Box::new(prepared.finish(signature).unwrap());
            drop(format!("{sealer:?}"));
            let (request, pending) = sealer.seal(case.kem.plaintext).unwrap();

            let head = RequestHead::parse(&request).unwrap();
            let body = &request[head.len()..];
            let verified = || Box::new(from_alice.accept_head(CTX, head.clone()).unwrap());
            drop(verified());
            let secret = Box::new(key.decapsulate(head.ciphertext()).unwrap());
            drop(Box::new(verified().unlock_with(&secret).unwrap()));
            let unadmitted = Box::new(verified().unlock_with(&secret).unwrap().open(body).unwrap());
            let (opened, asked) = unadmitted.admitted(Ok(())).unwrap();
            assert!(opened[..] == case.kem.plaintext[..]);
            drop(pending.open(&asked.answer(case.kem.plaintext).unwrap()).unwrap());
        });
    }
}

/// What a guard does not let in, or nobody asks it about.
#[test]
fn requests_that_are_not_admitted() {
    for (case, provider) in cases() {
        let changed = |position: usize| {
            let mut request = case.request.clone();
            request[position] ^= 1;
            request
        };
        let end = case.request.len();
        let all = [changed(end - 1), changed(end - 20_000), case.request[..end - 1].to_vec()];
        case.secrets.assert_not_leaked_by(|| {
            let key = case.kem.key().on(provider).unwrap();
            let from_alice = key.accepting(case.alice.verifying_key());
            let head = RequestHead::parse(&case.request).unwrap();
            let body = &case.request[head.len()..];
            let unlocked = || from_alice.accept_head(CTX, head.clone()).unwrap().unlock().unwrap();
            let refusal = || Err(Error::Replay(ReplayRefusal::Replayed));
            drop(unlocked());
            drop(unlocked().open(body).unwrap());
            assert!(unlocked().open(body).unwrap().admitted(refusal()).is_err());
            let (prefix, rest) = body.split_first_chunk().unwrap();
            let begin = || unlocked().begin(prefix, &rest[..16_400]).unwrap();
            drop(begin());
            assert!(begin().admitted(refusal()).is_err());
            let (first, mut opener) = begin().admitted(Ok(())).unwrap();
            let mut room = SecretBuffer::with_capacity(PLAINTEXT);
            opener.update(&rest[16_400..40_000], room.as_mut_vec()).unwrap();
            drop((first, opener));

            let mut reader =
                from_alice.accept_reader(CTX, &case.request[..], &AllowReplays).unwrap();
            let mut buffer = SecretBuffer::zeroed(20_000);
            reader.read_exact(&mut buffer).unwrap();
            drop(reader);
            for request in all {
                assert_eq!(outcome(from_alice.accept(CTX, &request, &AllowReplays)), "Open");
                let reader = from_alice.accept_reader(CTX, &request[..], &AllowReplays).unwrap();
                assert!(reader.finish().is_err());
            }
        });
    }
}
