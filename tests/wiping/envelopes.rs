//! Are plaintexts and keys wiped after sealing and opening, whole, as a stream and in a session?

use std::io::{Read, Seek, SeekFrom, Write, sink};

use twinseal::{
    Error, Recipients,
    envelope::Header,
    hazmat,
    provider::{Aead, AeadKey, PORTABLE, Provider},
    secret::SecretBuffer,
};

use crate::{
    cases::{KemCase, PLAINTEXT, kem_cases},
    common::{
        errors::outcome,
        keys::{CTX, X25519},
    },
};

#[test]
fn sealing_and_opening() {
    for (case, provider) in kem_cases() {
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key().on(provider).unwrap();
            let recipients = Recipients::new([key.encapsulation_key()]).unwrap();
            let encapsulations = [case.randomness];
            let given = hazmat::SealRandomness {
                content_key: *case.content_key,
                salt: [7; 24],
                encapsulations: &encapsulations,
            };
            let sealed = hazmat::seal(&recipients, CTX, case.plaintext, &given).unwrap();
            assert_eq!(sealed, case.sealed);
            drop(key.encapsulation_key().seal(CTX, case.plaintext).unwrap());

            let opened = key.open(CTX, &case.sealed).unwrap();
            assert!(opened[..] == case.plaintext[..]);
            drop(format!("{opened:?}"));
            drop(opened);

            let header = Header::parse(&case.sealed).unwrap();
            let recipient = header.find(key.encapsulation_key()).unwrap();
            let secret = key.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
            let body_key = header.unlock(&recipient, &secret).unwrap();
            drop(body_key.open(CTX, &case.sealed[header.len()..]).unwrap());
        });
    }
}

/// The first chunks of a body are decrypted before the last turns out to be forged.
#[test]
fn opening_what_was_changed() {
    for (case, provider) in kem_cases() {
        let changed = |position: usize| {
            let mut sealed = case.sealed.clone();
            sealed[position] ^= 1;
            sealed
        };
        let end = case.sealed.len();
        let header = Header::parse(&case.sealed).unwrap().len();
        let all = [
            changed(end - 1),
            changed(end - 100),
            case.sealed[..end - 1].to_vec(),
            changed(header - 1),
            changed(header - 33),
            changed(header + 24),
        ];
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key().on(provider).unwrap();
            for sealed in all {
                assert_eq!(outcome(key.open(CTX, &sealed)), "Open");
            }
            let other_context = key.open(b"example.com/other", &case.sealed);
            assert_eq!(outcome(other_context), "Open");
        });
    }
}

/// Read and written to the end, given up half-way, and damaged.
#[test]
fn streams_and_sessions() {
    for (case, provider) in kem_cases() {
        let mut damaged = case.sealed.clone();
        damaged[case.sealed.len() - 20_000] ^= 1; // in the second of three chunks
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key().on(provider).unwrap();
            let to = key.encapsulation_key();
            let mut given_up = to.seal_writer(CTX, sink()).unwrap();
            let mut writer = to.seal_writer(CTX, Vec::new()).unwrap();
            for part in case.plaintext.chunks(7777) {
                writer.write_all(part).unwrap();
                given_up.write_all(part).unwrap();
            }
            drop(given_up);
            let sealed = writer.finish().unwrap();

            let mut buffer = SecretBuffer::zeroed(PLAINTEXT);
            key.open_reader(CTX, &sealed[..]).unwrap().read_exact(&mut buffer).unwrap();
            assert!(buffer[..] == case.plaintext[..]);
            let mut given_up = key.open_reader(CTX, &sealed[..]).unwrap();
            given_up.read_exact(&mut buffer[..100]).unwrap();
            drop(given_up);
            assert!(key.open_reader(CTX, &damaged[..]).unwrap().read_exact(&mut buffer).is_err());

            let mut opened = key.open_at(CTX, &sealed).unwrap();
            opened.read_exact_at(&mut buffer, 0).unwrap();
            opened.read_exact(&mut buffer[..100]).unwrap();
            opened.seek(SeekFrom::Start(20_000)).unwrap();
            opened.read_exact(&mut buffer[..100]).unwrap();
            assert!(key.open_at(CTX, &damaged).unwrap().read_exact(&mut buffer).is_err());

            let (hello, mut tx) = to.sender(CTX).unwrap();
            let mut rx = key.receiver(CTX, &hello).unwrap();
            let mut message = tx.seal(case.plaintext).unwrap();
            drop(rx.open(&message).unwrap());
            message[0] ^= 1;
            assert!(rx.open(&message).is_err());
        });
    }
}

static FAILING: Provider = Provider { name: "failing", aes_256_gcm: &Failing, ..PORTABLE };

/// Encrypts keys and no messages.
#[derive(Debug)]
struct Failing;

struct FailingKey(Box<dyn AeadKey>);

impl Aead for Failing {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        Ok(Box::new(FailingKey(PORTABLE.aes_256_gcm.key(key)?)))
    }
}

impl AeadKey for FailingKey {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        match buffer.len() {
            32 => self.0.seal_in_place(nonce, aad, buffer),
            _ => Err(Error::Unsupported("messages")),
        }
    }

    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        self.0.open_in_place(nonce, aad, buffer, tag)
    }
}

/// The plaintext is then in buffers for ciphertext, and is returned in none of them.
#[test]
fn sealing_that_fails() {
    let case = KemCase::new(X25519);
    case.secrets.assert_not_leaked_by(|| {
        let key = case.key().on(&FAILING).unwrap();
        let to = key.encapsulation_key();
        assert!(matches!(to.seal(CTX, case.plaintext), Err(Error::Unsupported(_))));
        let (header, prefix, mut sealer) = to.sealer(CTX).unwrap();
        let mut sealed = [&header[..], &prefix].concat();
        let length = sealed.len();
        let mut update = || sealer.update(case.plaintext, &mut sealed);
        assert!(matches!(update(), Err(Error::Unsupported(_))));
        assert!(matches!(update(), Err(Error::Misuse { .. })), "a chunk is lost");
        assert!(matches!(sealer.finish(&mut sealed), Err(Error::Misuse { .. })));
        assert_eq!(sealed.len(), length);
        drop(sealed);
        assert!(to.seal_writer(CTX, sink()).unwrap().write_all(case.plaintext).is_err());
        let (_, mut tx) = to.sender(CTX).unwrap();
        assert!(matches!(tx.seal(case.plaintext), Err(Error::Unsupported(_))));
    });
}
