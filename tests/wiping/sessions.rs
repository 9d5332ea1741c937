//! Are the keys of a session wiped, also while a signature or a secret is awaited?

use twinseal::{
    DecapsulationKey, Sign, Signature, SigningKey,
    hazmat::{self, KeySchedule},
    session::{PreparedSender, SessionReceiver},
};

use crate::{
    allocator::Secrets,
    cases::{KemCase, kem_cases},
    common::keys::{CTX, signing_key},
};

/// A signed session from the randomness of a case, and its keys beside those of the case.
struct SessionCase {
    kem: KemCase,
    alice: SigningKey,
    hello: Vec<u8>,
    secrets: Secrets,
}

impl SessionCase {
    fn new(kem: KemCase) -> Self {
        let alice = signing_key(7);
        let key = kem.key();
        let to = key.encapsulation_key();
        let (hello, _) = hazmat::sender(to, Some(&alice), CTX, kem.randomness).unwrap();
        let core = &hello[..50 + kem.suite.ciphertext_len()];
        let secret = key.decapsulate(&kem.ciphertext).unwrap();
        let info = [&b"twinseal/session/v1"[..], core, CTX].concat();
        let provider = to.provider();
        let schedule = KeySchedule::new(provider, kem.suite, secret.as_bytes(), &info).unwrap();
        let mut secrets = Secrets(kem.secrets.0.clone());
        secrets.add("session key", &schedule.key_and_nonce()[..32]);
        secrets.add("exporter secret", schedule.exporter_secret());
        Self { kem, alice, hello, secrets }
    }

    fn prepare(&self, key: &DecapsulationKey) -> PreparedSender {
        let (to, alice) = (key.encapsulation_key(), self.alice.verifying_key());
        hazmat::prepare_sender(to, alice, CTX, self.kem.randomness).unwrap()
    }

    fn sign(&self, context: &[u8], sha512: &[u8; 64]) -> Signature {
        Sign::sign_prehashed(&self.alice, context, sha512).unwrap()
    }
}

/// Given up while the signature or the secret is awaited, refused, and used; each moved to and fro, as a future that
/// is in a box does.
#[test]
fn awaited() {
    for (kem, provider) in kem_cases() {
        let case = SessionCase::new(kem);
        case.secrets.assert_not_leaked_by(|| {
            let key = case.kem.key().on(provider).unwrap();
            drop(case.prepare(&key));
            drop(Box::new(case.prepare(&key)));

            let prepared = Box::new(case.prepare(&key));
            let wrong = case.sign(prepared.signature_context(), &[7; 64]);
            assert!(prepared.finish(wrong).is_err());

            let prepared = Box::new(case.prepare(&key));
            drop(format!("{prepared:?}"));
            let signature = case.sign(prepared.signature_context(), prepared.sha512());
            let (hello, tx) = prepared.finish(signature).unwrap();
            let boxed = Box::new(tx);
            let mut tx = *boxed;

            let from_alice = key.accepting(case.alice.verifying_key());
            let verified = || Box::new(from_alice.accept_hello(CTX, &hello).unwrap());
            drop(verified());
            let secret = Box::new(key.decapsulate(verified().ciphertext()).unwrap());
            let boxed: Box<SessionReceiver> = Box::new(verified().receiver_with(&secret).unwrap());
            let mut rx = *boxed;
            drop(rx.open(&tx.seal(case.kem.plaintext).unwrap()).unwrap());
            let (nonce, mut answer) = rx.reply().unwrap();
            let answer = answer.finish(case.kem.plaintext).unwrap();
            drop(tx.accept_reply(nonce).unwrap().open(&answer).unwrap());
            drop(Box::new((tx, rx)));
        });
    }
}

/// The case has the keys of the session that is sent: its first message opens with them.
#[test]
fn the_secrets_are_those_of_the_session() {
    for (kem, provider) in kem_cases() {
        let case = SessionCase::new(kem);
        let key = case.kem.key().on(provider).unwrap();
        let prepared = case.prepare(&key);
        let signature = case.sign(prepared.signature_context(), prepared.sha512());
        let (hello, mut tx) = prepared.finish(signature).unwrap();
        let core = 50 + case.kem.suite.ciphertext_len();
        assert!(hello[..core] == case.hello[..core]);

        let secret = key.decapsulate(&case.kem.ciphertext).unwrap();
        let info = [&b"twinseal/session/v1"[..], &hello[..core], CTX].concat();
        let schedule =
            KeySchedule::new(provider, case.kem.suite, secret.as_bytes(), &info).unwrap();
        let sealed = schedule.seal(0, &[0], b"hello").unwrap();
        assert!(tx.seal(b"hello").unwrap()[1..] == sealed);
        let found = case.secrets.leaked_by(|| {
            drop(std::hint::black_box(schedule.exporter_secret().to_vec()));
            drop(std::hint::black_box(schedule.key_and_nonce().to_vec()));
        });
        let found: Vec<_> = found.into_iter().collect();
        assert_eq!(found, ["exporter secret", "session key"]);
    }
}
