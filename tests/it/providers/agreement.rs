//! Do all providers answer the same to changed keys, ciphertexts and signatures, down to the value and
//! the text of the error?

use std::ops::Range;

use shake::{ExtendableOutput, Shake128, Update, XofReader};
use twinseal::{
    Error, KemSuite, hazmat,
    provider::{Kem, PORTABLE, Provider, Random, SignatureScheme},
};

use super::PROVIDERS;
use crate::common::{
    der::ec_private_key,
    keys::{COMPOSITE, CTX, P384, X25519, signing_key_bytes},
};

#[test]
fn some_changes() {
    judge_changes(100);
}

#[test]
#[ignore = "takes a minute: ten thousand changes of each value"]
fn ten_thousand_changes() {
    judge_changes(10_000);
}

/// A value, and what one provider makes of any change of it.
type Judge = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, Error>>;

/// A value that arrives from outside.
struct Subject {
    name: &'static str,
    /// Two valid values of the same kind.
    valid: [Vec<u8>; 2],
    /// Whether anything but the value itself may be accepted.
    others_accepted: bool,
    /// One for each provider.
    judges: Vec<Judge>,
}

impl Subject {
    fn new(
        name: &'static str,
        valid: [Vec<u8>; 2],
        others_accepted: bool,
        judge: impl Fn(&'static Provider) -> Judge,
    ) -> Self {
        let judges = PROVIDERS.into_iter().map(judge).collect();
        Self { name, valid, others_accepted, judges }
    }

    /// The one answer of all providers.
    fn judge(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let answers: Vec<_> = self
            .judges
            .iter()
            .map(|judge| judge(bytes).map_err(|error| format!("{error:?}")))
            .collect();
        for (provider, answer) in PROVIDERS.iter().zip(&answers) {
            let bytes = hex::encode(bytes);
            assert_eq!(*answer, answers[0], "{} on {}: {bytes}", self.name, provider.name);
        }
        answers.into_iter().next().expect("there is a provider")
    }
}

fn judge_changes(count: usize) {
    for subject in subjects() {
        let Subject { name, valid, others_accepted, .. } = &subject;
        let mut changes = Changes::new(name);
        subject.judge(&valid[0]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (mut accepted, mut refused) = (0, 0);
        for _ in 0..count {
            let changed = changes.next(valid);
            match subject.judge(&changed) {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
        assert_eq!(accepted > 0, *others_accepted, "{name}: {accepted} accepted");
        assert!(refused > 0, "{name}: of wrong length, at least");
    }
}

/// Changes that are the same in every run.
struct Changes(Box<dyn XofReader>);

impl Changes {
    fn new(name: &str) -> Self {
        Self(Box::new(Shake128::default().chain(name).finalize_xof()))
    }

    fn below(&mut self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.read(&mut bytes);
        (u64::from_le_bytes(bytes) % end as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    /// All of a value, or its end, where the traditional half is.
    fn part(&mut self, length: usize) -> Range<usize> {
        if self.below(2) == 0 { 0..length } else { length.saturating_sub(100)..length }
    }

    /// A change of the first value, never one of the two.
    fn next(&mut self, valid: &[Vec<u8>; 2]) -> Vec<u8> {
        loop {
            let changed = self.change(&valid[0], &valid[1]);
            if !valid.contains(&changed) {
                return changed;
            }
        }
    }

    fn change(&mut self, valid: &[u8], other: &[u8]) -> Vec<u8> {
        let mut changed = valid.to_vec();
        let part = self.part(valid.len());
        let position = part.start + self.below(part.len());
        match self.below(10) {
            0..=2 => changed[position] ^= 1 << self.below(8),
            3 | 4 => changed[position] = self.byte(),
            5 => {
                for _ in 0..2 + self.below(20) {
                    let position = part.start + self.below(part.len());
                    changed[position] = self.byte();
                }
            }
            // The beginning of the one and the end of the other.
            6 => changed[position..].copy_from_slice(&tail(other, valid.len())[position..]),
            7 => changed.rotate_left(position),
            8 => changed.truncate(position),
            _ => {
                for _ in 0..1 + self.below(40) {
                    let byte = self.byte();
                    changed.push(byte);
                }
            }
        }
        changed
    }
}

/// Another value in the same length: signatures differ by a few bytes.
fn tail(other: &[u8], length: usize) -> Vec<u8> {
    let mut other = other.to_vec();
    other.resize(length, 0);
    other
}

fn subjects() -> Vec<Subject> {
    let mut subjects = vec![
        kem_key("0x0001 encapsulation key", |provider| X25519.kem(provider)),
        kem_key("0x0051 encapsulation key", |provider| P384.kem(provider)),
        kem_key("X25519 encapsulation key", hazmat::x25519),
        kem_key("P-384 encapsulation key", hazmat::p384),
        kem_key("ML-KEM-1024 encapsulation key", hazmat::ml_kem_1024),
        kem_ciphertext("0x0001 ciphertext", |provider| X25519.kem(provider)),
        kem_ciphertext("0x0051 ciphertext", |provider| P384.kem(provider)),
        kem_ciphertext("X25519 ciphertext", hazmat::x25519),
        kem_ciphertext("P-384 ciphertext", hazmat::p384),
        kem_ciphertext("ML-KEM-1024 ciphertext", hazmat::ml_kem_1024),
        kem_seed("0x0001 seed", |provider| X25519.kem(provider)),
        kem_seed("P-384 scalar", hazmat::p384),
        sealed(),
    ];
    let composite = signing_key_bytes(1);
    subjects.extend(scheme(
        ["composite signature", "composite verifying key"],
        &composite,
        CTX,
        |provider| COMPOSITE.scheme(provider),
    ));
    let ecdsa = ec_private_key(&[7; 48]);
    let names = ["ECDSA signature", "ECDSA verifying key"];
    subjects.extend(scheme(names, &ecdsa, b"", hazmat::ecdsa_p384));
    subjects.push(ml_dsa_signature());
    subjects
}

/// A seed of the length that a KEM wants.
fn seed(kem: &impl Kem, number: u8) -> Vec<u8> {
    vec![number; kem.lengths().seed]
}

fn kem_key<K: Kem + 'static>(name: &'static str, kem: fn(&Provider) -> K) -> Subject {
    let portable = kem(&PORTABLE);
    let valid =
        [1, 2].map(|number| portable.key_pair(&seed(&portable, number)).unwrap().encapsulation_key);
    let others_accepted = !name.starts_with("P-384");
    Subject::new(name, valid, others_accepted, |provider| {
        let kem = kem(provider);
        let lengths = kem.lengths();
        Box::new(move |bytes| {
            let key = kem.encapsulator(bytes)?;
            let (mut ciphertext, mut secret) =
                (vec![0; lengths.ciphertext], vec![0; lengths.shared_secret]);
            key.encapsulate(&mut Random::System, &mut ciphertext, &mut secret)?;
            Ok(Vec::new())
        })
    })
}

fn kem_ciphertext<K: Kem + 'static>(name: &'static str, kem: fn(&Provider) -> K) -> Subject {
    let portable = kem(&PORTABLE);
    let lengths = portable.lengths();
    let pair = portable.key_pair(&seed(&portable, 1)).unwrap();
    let valid = [1, 2].map(|number| {
        let mut ciphertext = vec![0; lengths.ciphertext];
        let mut secret = vec![0; lengths.shared_secret];
        let mut generator = |buffer: &mut [u8]| {
            buffer.fill(number);
            Ok(())
        };
        let random = &mut Random::Given(&mut generator);
        pair.encapsulator.encapsulate(random, &mut ciphertext, &mut secret).unwrap();
        ciphertext
    });
    let others_accepted = !name.starts_with("P-384");
    Subject::new(name, valid, others_accepted, |provider| {
        let kem = kem(provider);
        let pair = kem.key_pair(&seed(&kem, 1)).unwrap();
        Box::new(move |bytes| {
            let mut secret = vec![0; lengths.shared_secret];
            pair.decapsulator.decapsulate(bytes, &mut secret)?;
            Ok(secret)
        })
    })
}

fn kem_seed<K: Kem + 'static>(name: &'static str, kem: fn(&Provider) -> K) -> Subject {
    let valid = [1, 2].map(|number| seed(&kem(&PORTABLE), number));
    Subject::new(name, valid, true, |provider| {
        let kem = kem(provider);
        Box::new(move |bytes| Ok(kem.key_pair(bytes)?.encapsulation_key))
    })
}

/// Its signature and its verifying key.
fn scheme<S: SignatureScheme + 'static>(
    [signature_name, key_name]: [&'static str; 2],
    signing_key: &[u8],
    context: &'static [u8],
    scheme: fn(&Provider) -> S,
) -> [Subject; 2] {
    let pair = scheme(&PORTABLE).key_pair(signing_key).unwrap();
    let sign = |message: &[u8]| pair.signer.sign_deterministic(context, message).unwrap();
    let signatures = [sign(b"message"), sign(b"another")];
    let signature = signatures[0].clone();
    let key = pair.verifying_key;
    let mut other = key.clone();
    other.rotate_left(7);
    [
        Subject::new(signature_name, signatures, false, |provider| {
            let verifier = scheme(provider).verifier(&key).unwrap();
            Box::new(move |bytes| verifier.verify(context, b"message", bytes).map(|()| Vec::new()))
        }),
        Subject::new(key_name, [key.clone(), other], false, |provider| {
            let scheme = scheme(provider);
            let signature = signature.clone();
            Box::new(move |bytes| {
                let verifier = scheme.verifier(bytes)?;
                verifier.verify(context, b"message", &signature).map(|()| Vec::new())
            })
        }),
    ]
}

fn ml_dsa_signature() -> Subject {
    let pair = PORTABLE.ml_dsa_87.key_pair(&[1; 32]).unwrap();
    let valid = [&b"message"[..], b"another"]
        .map(|message| pair.signer.sign_deterministic(CTX, message).unwrap());
    Subject::new("ML-DSA-87 signature", valid, false, |provider| {
        let verifier = provider.ml_dsa_87.verifier(&pair.verifying_key).unwrap();
        Box::new(move |bytes| verifier.verify(CTX, b"message", bytes).map(|()| Vec::new()))
    })
}

/// AES-256-GCM: `nonce (12) || ciphertext || tag (16)`.
fn sealed() -> Subject {
    let valid = [1, 2].map(|number| {
        let (nonce, mut buffer) = ([number; 12], vec![number; 200]);
        let key = PORTABLE.aes_256_gcm.key(&[7; 32]).unwrap();
        let tag = key.seal_in_place(&nonce, CTX, &mut buffer).unwrap();
        [&nonce[..], &buffer, &tag].concat()
    });
    Subject::new("AES-256-GCM", valid, false, |provider| {
        let key = provider.aes_256_gcm.key(&[7; 32]).unwrap();
        Box::new(move |bytes| {
            let (nonce, rest) = bytes.split_first_chunk().ok_or(Error::Open)?;
            let (ciphertext, tag) = rest.split_last_chunk().ok_or(Error::Open)?;
            let mut buffer = ciphertext.to_vec();
            key.open_in_place(nonce, CTX, &mut buffer, tag)?;
            Ok(buffer)
        })
    })
}

/// Every suite is among the subjects.
#[test]
fn all_suites() {
    let names: Vec<_> = subjects().iter().map(|subject| subject.name).collect();
    for &suite in KemSuite::ALL {
        let id = format!("{:#06x}", suite.id());
        for what in ["encapsulation key", "ciphertext"] {
            assert!(names.contains(&format!("{id} {what}").as_str()));
        }
    }
}
