//! Fixed keys, and the secrets derived from them, which the tests look for.

use std::convert::Infallible;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use ml_dsa::{ExpandedSigningKey, MlDsa87};
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha512};
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use twinseal::{
    DecapsulationKey, KemSuite, Recipients, SigningKey, hazmat,
    kem::Ciphertext,
    provider::{Kem, PORTABLE, Provider},
};

use crate::{
    allocator::{NEEDLE, Secrets},
    common::{
        der::ec_private_key,
        keys::{COMPOSITE, CTX, X25519},
        providers::PROVIDERS,
    },
};

impl Secrets {
    /// All of a secret, in pieces; a rest at the end is in a piece that overlaps.
    pub(crate) fn add(&mut self, name: &str, secret: &[u8]) {
        let last = secret.len() - NEEDLE;
        for start in (0..last).step_by(NEEDLE).chain([last]) {
            self.add_whole(name, &secret[start..start + NEEDLE]);
        }
    }

    /// Pieces of a secret that would be too many.
    pub(crate) fn add_some(&mut self, name: &str, secret: &[u8]) {
        for piece in secret.chunks(97).filter(|piece| piece.len() >= NEEDLE) {
            self.add_whole(name, &piece[..NEEDLE]);
        }
    }

    /// The characters of a PEM document that stand only for bytes of `secret`.
    pub(crate) fn add_pem(&mut self, name: &str, document: &str, secret: &[u8]) {
        let before = self.0.len();
        for line in document.lines().filter(|line| !line.starts_with('-')) {
            for start in (0..line.len().saturating_sub(15)).step_by(4) {
                let text = &line.as_bytes()[start..start + 16];
                let bytes = BASE64_STANDARD.decode(text).unwrap_or_default();
                if bytes.len() == 12 && secret.windows(12).any(|window| window == bytes) {
                    self.add(name, text);
                }
            }
        }
        assert!(self.0.len() > before, "{name} is in the document");
    }
}

/// Bytes that look random, never freed.
pub(crate) fn secret<const N: usize>(label: &str) -> &'static [u8; N] {
    let mut bytes = [0; N];
    for (index, block) in bytes.chunks_mut(64).enumerate() {
        let hash = Sha512::digest(format!("{label} {index}"));
        block.copy_from_slice(&hash[..block.len()]);
    }
    Box::leak(Box::new(bytes))
}

/// A fixed decapsulation key, an encapsulation to it, and every secret of both.
pub(crate) struct KemCase {
    pub(crate) suite: KemSuite,
    pub(crate) seed: &'static [u8; 32],
    pub(crate) randomness: &'static [u8],
    pub(crate) ciphertext: Ciphertext,
    /// An envelope with `content_key`, and what is in it.
    pub(crate) sealed: Vec<u8>,
    pub(crate) content_key: &'static [u8; 32],
    pub(crate) plaintext: &'static [u8; PLAINTEXT],
    pub(crate) secrets: Secrets,
}

pub(crate) const PLAINTEXT: usize = 40_000;

impl KemCase {
    pub(crate) fn new(suite: KemSuite) -> Self {
        let seed = secret::<32>("seed");
        let randomness: &[u8] =
            if suite == X25519 { secret::<64>("randomness") } else { secret::<80>("randomness") };
        let mut secrets = Secrets::default();
        secrets.add("seed", seed);
        secrets.add("randomness", randomness);

        let key = DecapsulationKey::from_seed(suite, seed).unwrap();
        let public = key.encapsulation_key();
        let (ciphertext, shared) = hazmat::encapsulate(public, randomness).unwrap();
        secrets.add("shared secret", shared.as_bytes());

        // The halves of the seed, and of the shared secret.
        let mut halves = vec![0; if suite == X25519 { 96 } else { 112 }];
        if suite == X25519 {
            let info = b"twinseal/keygen/X25519-ML-KEM-1024/v1";
            hazmat::hkdf_sha384(seed, info, &mut halves);
        } else {
            let shake = Shake256::default().chain(seed);
            shake.finalize_xof().read(&mut halves);
        }
        let (ml_kem, traditional) = halves.split_at(64);
        secrets.add("ML-KEM seed", ml_kem);
        secrets.add("traditional private key", traditional);
        secrets.add("traditional private key, reversed", &reversed(traditional));
        let pem = key.to_pem();
        if suite == X25519 {
            secrets.add_pem("key in PEM", pem.as_str(), seed);
        } else {
            secrets.add_pem("key in PEM", pem.as_str(), ml_kem);
            secrets.add_pem("key in PEM", pem.as_str(), traditional);
        }
        let (ct_pq, ct_t) = ciphertext.as_bytes().split_at(1568);
        let ss_pq = decapsulate(&hazmat::ml_kem_1024(&PORTABLE), ml_kem, ct_pq);
        secrets.add("shared secret of ML-KEM", &ss_pq);
        let ss_t = if suite == X25519 {
            decapsulate(&hazmat::x25519(&PORTABLE), traditional, ct_t)
        } else {
            decapsulate(&hazmat::p384(&PORTABLE), traditional, ct_t)
        };
        secrets.add("shared secret of the traditional half", &ss_t);
        secrets.add("the same, reversed", &reversed(&ss_t));

        // The keys of an envelope.
        let content_key = secret::<32>("content key");
        let salt = [7; 24];
        secrets.add("content key", content_key);
        let mut keys = [0; 80];
        hazmat::hkdf_sha384(content_key, b"twinseal/envelope/v1\x01\x01", &mut keys);
        secrets.add("header key", &keys[..48]);
        secrets.add("body key", &keys[48..]);
        let id = public.key_id();
        let info = [b"twinseal/wrap/v1", &suite.id().to_be_bytes()[..], id.as_bytes()].concat();
        let mut wrapping_key = [0; 44];
        hazmat::hkdf_sha384(shared.as_bytes(), &info, &mut wrapping_key);
        secrets.add("wrapping key", &wrapping_key[..32]);
        let mut expand = Hmac::<Sha512>::new_from_slice(&keys[48..]).unwrap();
        for part in
            [b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0".as_slice(), &salt, CTX, &[1]]
        {
            Mac::update(&mut expand, part);
        }
        secrets.add("chunk key", &expand.finalize().into_bytes()[..32]);

        let plaintext = secret::<PLAINTEXT>("plaintext");
        for start in (0..PLAINTEXT - 100).step_by(1000) {
            secrets.add("plaintext", &plaintext[start..start + NEEDLE]);
        }
        let encapsulations = [randomness];
        let given = hazmat::SealRandomness {
            content_key: *content_key,
            salt,
            encapsulations: &encapsulations,
        };
        let recipients = Recipients::new([public]).unwrap();
        Self {
            suite,
            seed,
            randomness,
            ciphertext,
            sealed: hazmat::seal(&recipients, CTX, plaintext, &given).unwrap(),
            content_key,
            plaintext,
            secrets,
        }
    }

    pub(crate) fn key(&self) -> DecapsulationKey {
        DecapsulationKey::from_seed(self.suite, self.seed).unwrap()
    }
}

/// Each suite on each provider.
pub(crate) fn kem_cases() -> impl Iterator<Item = (KemCase, &'static Provider)> {
    let suites = KemSuite::ALL.iter().copied();
    suites.flat_map(|suite| PROVIDERS.map(|provider| (KemCase::new(suite), provider)))
}

/// As little-endian numbers are held.
pub(crate) fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

pub(crate) fn decapsulate(kem: &impl Kem, seed: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let mut secret = vec![0; kem.lengths().shared_secret];
    let pair = kem.key_pair(seed).unwrap();
    pair.decapsulator.decapsulate(ciphertext, &mut secret).unwrap();
    secret
}

/// A fixed signing key and every secret of it.
pub(crate) struct SignCase {
    /// The ML-DSA seed and the scalar, as a generator gives them.
    pub(crate) halves: &'static [u8; 80],
    pub(crate) bytes: &'static [u8],
    pub(crate) secrets: Secrets,
}

impl SignCase {
    pub(crate) fn new() -> Self {
        let halves = secret::<80>("signing key");
        let (seed, scalar) = halves.split_at(32);
        let bytes: &[u8] = [seed, &ec_private_key(scalar)].concat().leak();
        let key = SigningKey::from_bytes(COMPOSITE, bytes).unwrap();
        let mut secrets = Secrets::default();
        secrets.add("ML-DSA seed", seed);
        secrets.add("scalar", scalar);
        secrets.add("scalar, reversed", &reversed(scalar));
        secrets.add_pem("key in PEM", key.to_pem().as_str(), seed);
        secrets.add_pem("key in PEM", key.to_pem().as_str(), scalar);

        // FIPS 204 Algorithm 6: rho || rho' || K = H(seed || k || l).
        let mut expanded = [0; 128];
        let shake = Shake256::default().chain(seed).chain([8, 7]);
        shake.finalize_xof().read(&mut expanded);
        secrets.add("rho'", &expanded[32..96]);
        secrets.add("K", &expanded[96..]);
        for (name, polynomial) in first_polynomials(seed) {
            secrets.add_whole(name, &polynomial);
        }
        Self { halves, bytes, secrets }
    }

    pub(crate) fn key(&self) -> SigningKey {
        SigningKey::from_bytes(COMPOSITE, self.bytes).unwrap()
    }

    /// The ML-DSA half as other software may write it, now one of the secrets.
    pub(crate) fn add_expanded(&mut self) -> &'static [u8] {
        let expanded = expanded(&self.halves[..32]).to_vec().leak();
        // rho (32) and tr (64) are public, K is added.
        self.secrets.add_some("s1, s2 and t0, packed", &expanded[128..]);
        expanded
    }
}

/// The first 32 coefficients of s1 and of s2 as `ml-dsa` holds them: numbers modulo q, 4 bytes each.
pub(crate) fn first_polynomials(seed: &[u8]) -> [(&'static str, Vec<u8>); 2] {
    let expanded = expanded(seed);
    let unpack = |start: usize| {
        let packed = &expanded[start..start + 12];
        let coefficients = (0..32).map(|index| {
            let bit = |at: usize| u32::from(packed[at / 8] >> (at % 8) & 1);
            let three = bit(3 * index) | bit(3 * index + 1) << 1 | bit(3 * index + 2) << 2;
            // BitPack of eta - coefficient, with eta = 2.
            if three <= 2 { 2 - three } else { 8380417 + 2 - three }
        });
        coefficients.flat_map(u32::to_ne_bytes).collect()
    };
    [("s1", unpack(128)), ("s2", unpack(128 + 7 * 96))]
}

/// skEncode of FIPS 204: rho (32) || K (32) || tr (64) || s1 (7 * 96) || s2 (8 * 96) || t0.
fn expanded(seed: &[u8]) -> [u8; 4896] {
    let seed: &[u8; 32] = seed.try_into().unwrap();
    #[expect(deprecated, reason = "not for storage here")]
    ExpandedSigningKey::<MlDsa87>::from_seed(seed.into()).to_expanded().into()
}

/// A generator that gives a fixed secret.
pub(crate) struct Fixed(pub(crate) &'static [u8]);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are made from bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are made from bytes")
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        let (now, later) = self.0.split_at(buffer.len());
        buffer.copy_from_slice(now);
        self.0 = later;
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}
