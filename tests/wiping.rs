//! Is every secret wiped before its memory is given back? An allocator looks into each freed block.
//!
//! Shown for Rust's heap, for the keys of every provider that is compiled in. What C code allocates
//! itself is not seen: AWS-LC's keys are there, PQClean's are in boxes of ours. Copies that a primitive
//! leaves on its stack are best effort.

#![allow(unsafe_code, reason = "an allocator is unsafe to implement, and src/ stays without")]

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    collections::BTreeSet,
    convert::Infallible,
    fs,
    hint::black_box,
    io::{Read, Seek, SeekFrom, Write, sink},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use ml_dsa::{ExpandedSigningKey, MlDsa87};
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha512};
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, Recipients, SigningKey,
    envelope::Header,
    hazmat,
    kem::{Ciphertext, SharedSecret},
    provider::{Aead, AeadKey, Kem, PORTABLE, Provider},
    secret::SecretBuffer,
};
use zeroize::Zeroize;

use common::{COMPOSITE, CTX, P384, X25519, ec_private_key, outcome, pem, providers::PROVIDERS};

// The allocator.

#[global_allocator]
static ALLOCATOR: Watching = Watching;

struct Watching;

thread_local! {
    /// What is looked for in the blocks that this thread frees; nothing most of the time.
    static NEEDLES: Cell<&'static [Needle]> = const { Cell::new(&[]) };

    /// A bit for each needle that was found.
    static FOUND: [Cell<u64>; 16] = const { [const { Cell::new(0) }; 16] };
}

#[derive(Clone)]
struct Needle {
    name: String,
    bytes: Vec<u8>,
}

/// Long enough never to be found by chance, short enough to find a part of a secret.
const NEEDLE: usize = 12;

// SAFETY: all requests go to the system's allocator; `realloc` is the trait's own, which allocates,
// copies and frees through these two, so that a block that moves is seen.
unsafe impl GlobalAlloc for Watching {
    /// Zeroed, so that every byte of a block may be read, and what is found in it was put there by
    /// its last owner.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // A thread that ends frees its own last blocks without them.
        let needles = NEEDLES.try_with(Cell::get).unwrap_or_default();
        if !needles.is_empty() {
            // SAFETY: the block is still allocated, of this size, initialised since `alloc`, and
            // nobody else may use it any more.
            look_into(unsafe { std::slice::from_raw_parts(block, layout.size()) }, needles);
        }
        // SAFETY: the block came from `alloc` above, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Does not allocate.
fn look_into(block: &[u8], needles: &[Needle]) {
    let mut first_bytes = [false; 256];
    for needle in needles {
        first_bytes[usize::from(needle.bytes[0])] = true;
    }
    for start in 0..block.len() {
        if !first_bytes[usize::from(block[start])] {
            continue;
        }
        for (index, needle) in needles.iter().enumerate() {
            if block[start..].starts_with(&needle.bytes) {
                FOUND.with(|found| found[index / 64].update(|bits| bits | 1 << (index % 64)));
            }
        }
    }
}

// What is looked for.

/// The secrets of one test.
#[derive(Default)]
struct Secrets(Vec<Needle>);

impl Secrets {
    /// All of a secret, in pieces; a rest at the end is in a piece that overlaps.
    fn add(&mut self, name: &str, secret: &[u8]) {
        let last = secret.len() - NEEDLE;
        for start in (0..last).step_by(NEEDLE).chain([last]) {
            self.add_whole(name, &secret[start..start + NEEDLE]);
        }
    }

    fn add_whole(&mut self, name: &str, secret: &[u8]) {
        self.0.push(Needle { name: name.into(), bytes: secret.to_vec() });
    }

    /// The characters of a PEM document that stand for bytes of `secret` alone.
    fn add_pem(&mut self, name: &str, document: &str, secret: &[u8]) {
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

    /// The names of the secrets that are in blocks which are freed while `work` runs.
    fn leaked_by(&self, work: impl FnOnce()) -> BTreeSet<String> {
        let bits = 64 * FOUND.with(|found| found.len());
        assert!(self.0.len() <= bits, "{} needles", self.0.len());
        FOUND.with(|found| found.iter().for_each(|bits| bits.set(0)));
        let needles = self.0.clone().leak();
        NEEDLES.set(needles);
        work();
        NEEDLES.set(&[]);
        let found = |index: usize| FOUND.with(|found| found[index / 64].get() >> (index % 64) & 1);
        self.0
            .iter()
            .enumerate()
            .filter(|(index, _)| found(*index) == 1)
            .map(|(_, needle)| needle.name.clone())
            .collect()
    }

    fn assert_not_leaked_by(&self, work: impl FnOnce()) {
        assert_eq!(self.leaked_by(work), BTreeSet::new());
    }
}

/// Bytes that look random, never freed.
fn secret<const N: usize>(label: &str) -> &'static [u8; N] {
    let mut bytes = [0; N];
    for (index, block) in bytes.chunks_mut(64).enumerate() {
        let hash = Sha512::digest(format!("{label} {index}"));
        block.copy_from_slice(&hash[..block.len()]);
    }
    Box::leak(Box::new(bytes))
}

/// A fixed decapsulation key, an encapsulation to it, and every secret of both.
struct KemCase {
    suite: KemSuite,
    seed: &'static [u8; 32],
    randomness: &'static [u8],
    ciphertext: Ciphertext,
    /// An envelope with `content_key`, and what is in it.
    sealed: Vec<u8>,
    content_key: &'static [u8; 32],
    plaintext: &'static [u8; PLAINTEXT],
    secrets: Secrets,
}

const PLAINTEXT: usize = 40_000;

impl KemCase {
    fn new(suite: KemSuite) -> Self {
        let seed = secret::<32>("seed");
        let randomness: &[u8] =
            if suite == X25519 { secret::<64>("randomness") } else { secret::<80>("randomness") };
        let mut secrets = Secrets::default();
        secrets.add("seed", seed);
        secrets.add("randomness", randomness);

        let key = DecapsulationKey::from_seed(suite, seed).unwrap();
        secrets.add_pem("seed in PEM", key.to_pem().as_str(), seed);
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

    fn key(&self) -> DecapsulationKey {
        DecapsulationKey::from_seed(self.suite, self.seed).unwrap()
    }
}

/// Each suite on each provider.
fn kem_cases() -> impl Iterator<Item = (KemCase, &'static Provider)> {
    let suites = KemSuite::ALL.into_iter();
    suites.flat_map(|suite| PROVIDERS.map(|provider| (KemCase::new(suite), provider)))
}

/// As little-endian numbers are held.
fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

fn decapsulate(kem: &impl Kem, seed: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let mut secret = vec![0; kem.lengths().shared_secret];
    let pair = kem.key_pair(seed).unwrap();
    pair.decapsulator.decapsulate(ciphertext, &mut secret).unwrap();
    secret
}

/// A generator that gives a fixed secret.
struct Fixed(&'static [u8]);

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

// The allocator sees what it should see.

#[test]
fn a_secret_that_is_not_wiped_is_found() {
    let cases = KemSuite::ALL.map(KemCase::new);
    let sign = SignCase::new();
    for secrets in [&cases[0].secrets, &cases[1].secrets, &sign.secrets] {
        for needle in &secrets.0 {
            let alone = Secrets(vec![needle.clone()]);
            let found = BTreeSet::from([needle.name.clone()]);
            let dropped = alone.leaked_by(|| drop(black_box(needle.bytes.clone())));
            assert_eq!(dropped, found);
            // A vector that grows, and is wiped only then.
            let grown = alone.leaked_by(|| {
                let mut vector = black_box(needle.bytes.clone());
                vector.reserve_exact(4096);
                black_box(&mut vector).zeroize();
            });
            assert_eq!(grown, found);
            alone.assert_not_leaked_by(|| black_box(&mut needle.bytes.clone()).zeroize());
        }
    }
}

/// The work below does handle the secrets: where a caller takes one over, it is found.
#[test]
fn what_callers_take_over_is_found() {
    for case in KemSuite::ALL.map(KemCase::new) {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let key = case.key();
        let found = case.secrets.leaked_by(|| drop(black_box(key.seed().to_vec())));
        assert_eq!(found, names(&["seed"]));
        let found = case.secrets.leaked_by(|| drop(black_box(key.to_pem().as_str().to_string())));
        assert_eq!(found, names(&["seed in PEM"]));
        let found = case.secrets.leaked_by(|| {
            let secret = key.decapsulate(&case.ciphertext).unwrap();
            drop(black_box(secret.as_bytes().to_vec()));
        });
        assert_eq!(found, names(&["shared secret"]));
        let found = case.secrets.leaked_by(|| {
            drop(black_box(key.open(CTX, &case.sealed).unwrap().into_vec()));
        });
        assert_eq!(found, names(&["plaintext"]));
    }
}

// Nothing is found.

#[test]
fn kem_keys() {
    for (case, provider) in kem_cases() {
        let (suite, seed) = (case.suite, case.seed);
        case.secrets.assert_not_leaked_by(|| {
            drop(case.key());
            drop(DecapsulationKey::generate_from_rng(suite, &mut Fixed(seed)).unwrap());
            let key = case.key().on(provider).unwrap();
            let public = key.encapsulation_key().clone();
            drop(key);
            drop(EncapsulationKey::from_bytes(suite, public.as_bytes()).unwrap());
            drop(public.on(provider).unwrap());
            drop(format!("{:?}", case.key()));
            let _ = DecapsulationKey::from_seed(suite, &seed[1..]);
        });
    }
}

#[test]
fn encapsulation_and_decapsulation() {
    for (case, provider) in kem_cases() {
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key().on(provider).unwrap();
            let public = key.encapsulation_key();
            let (_, sent) = hazmat::encapsulate(public, case.randomness).unwrap();
            let received = key.decapsulate(&case.ciphertext).unwrap();
            assert_eq!(sent.as_bytes(), received.as_bytes());
            drop(SharedSecret::from_bytes(case.suite, sent.as_bytes()).unwrap());
            drop(format!("{received:?}"));
            let mut other = case.ciphertext.as_bytes().to_vec();
            other[0] ^= 1;
            let other = Ciphertext::from_bytes(case.suite, &other).unwrap();
            drop(key.decapsulate(&other).unwrap());
        });
    }
}

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

/// What was to be encrypted is in buffers of ciphertext then, and comes out of none.
#[test]
fn sealing_that_fails() {
    let case = KemCase::new(X25519);
    case.secrets.assert_not_leaked_by(|| {
        let key = case.key().on(&FAILING).unwrap();
        let to = key.encapsulation_key();
        assert!(matches!(to.seal(CTX, case.plaintext), Err(Error::Unsupported(_))));
        let (mut sealed, mut sealer) = to.sealer(CTX).unwrap();
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

#[test]
fn kem_key_files() {
    for case in KemSuite::ALL.map(KemCase::new) {
        let folder = tempfolder();
        let file = folder.join("key.pem");
        let missing = folder.join("missing").join("key.pem");
        let text: &'static str = case.key().to_pem().as_str().to_string().leak();
        let broken: &'static str = text.replace("-----END", "=----END").leak();
        let other_label: &'static str = text.replace("KEM", "KEY").leak();
        let long = [&[0, 1], &case.seed[..], &[0]].concat();
        let long: &'static str = pem("TWINSEAL KEM PRIVATE KEY", &long).leak();
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key();
            let pem = key.to_pem();
            drop(format!("{pem:?}"));
            drop(DecapsulationKey::from_pem(pem.as_str()).unwrap());
            key.write_pem_file(&file).unwrap();
            assert!(key.write_pem_file(&file).is_err(), "it exists");
            assert!(key.write_pem_file(&missing).is_err(), "no such folder");
            drop(DecapsulationKey::read_pem_file(&file).unwrap());
            assert!(SigningKey::read_pem_file(&file).is_err(), "another label");
            for wrong in [broken, other_label, long] {
                assert!(DecapsulationKey::from_pem(wrong).is_err());
            }
        });
        fs::remove_dir_all(folder).unwrap();
    }
}

fn tempfolder() -> std::path::PathBuf {
    tempfile::tempdir().unwrap().keep()
}

/// A fixed signing key and every secret of it.
struct SignCase {
    /// The ML-DSA seed and the scalar, as a generator gives them.
    halves: &'static [u8; 80],
    bytes: &'static [u8],
    secrets: Secrets,
}

impl SignCase {
    fn new() -> Self {
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

    fn key(&self) -> SigningKey {
        SigningKey::from_bytes(COMPOSITE, self.bytes).unwrap()
    }
}

/// The first 32 coefficients of s1 and of s2 as `ml-dsa` holds them: numbers modulo q, 4 bytes each.
fn first_polynomials(seed: &[u8]) -> [(&'static str, Vec<u8>); 2] {
    let seed: &[u8; 32] = seed.try_into().unwrap();
    #[expect(deprecated, reason = "not for storage here")]
    let expanded = ExpandedSigningKey::<MlDsa87>::from_seed(seed.into()).to_expanded();
    // skEncode: rho (32) || K (32) || tr (64) || s1 (7 * 96) || s2 (8 * 96) || ..
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

#[test]
fn signing_keys_and_signatures() {
    let case = SignCase::new();
    for provider in PROVIDERS {
        case.secrets.assert_not_leaked_by(|| {
            drop(case.key());
            drop(SigningKey::generate_from_rng(COMPOSITE, &mut Fixed(case.halves)).unwrap());
            let key = case.key().on(provider).unwrap();
            drop(format!("{key:?}"));
            let public = key.verifying_key().clone();
            let signatures = [
                key.sign(CTX, b"message").unwrap(),
                key.sign_reader(CTX, &b"message"[..]).unwrap(),
                hazmat::sign(&key, CTX, b"message").unwrap(),
            ];
            drop(key);
            for signature in signatures {
                public.verify(CTX, b"message", &signature).unwrap();
            }
            assert!(SigningKey::from_bytes(COMPOSITE, &case.bytes[1..]).is_err());
        });
    }
}

#[test]
fn signing_key_files() {
    let case = SignCase::new();
    let folder = tempfolder();
    let file = folder.join("key.pem");
    let key = case.key();
    let text: &'static str = key.to_pem().as_str().to_string().leak();
    let der: &'static [u8] = key.to_pkcs8_der().unwrap().as_bytes().to_vec().leak();
    let long: &'static [u8] = [der, &[0]].concat().leak();
    // Attributes behind the key: parsed, then refused because we would not write it so.
    let extended: &'static [u8] = {
        let mut changed = der.to_vec();
        changed[1] += 2;
        changed.extend_from_slice(&[0xa0, 0]);
        changed.leak()
    };
    let other_label: &'static str = text.replace("PRIVATE", "SECRET").leak();
    case.secrets.assert_not_leaked_by(|| {
        let key = case.key();
        let pem = key.to_pem();
        drop(format!("{pem:?}"));
        drop(SigningKey::from_pem(pem.as_str()).unwrap());
        drop(SigningKey::from_pkcs8_der(key.to_pkcs8_der().unwrap().as_bytes()).unwrap());
        key.write_pem_file(&file).unwrap();
        assert!(key.write_pem_file(&file).is_err(), "it exists");
        drop(SigningKey::read_pem_file(&file).unwrap());
        assert!(DecapsulationKey::read_pem_file(&file).is_err());
        assert!(SigningKey::from_pem(other_label).is_err());
        assert!(SigningKey::from_pkcs8_der(long).is_err());
        assert!(SigningKey::from_pkcs8_der(extended).is_err());
    });
    fs::remove_dir_all(folder).unwrap();
}

/// Files that are no text, or too long, are read, refused and wiped.
#[test]
fn key_files_that_are_refused() {
    let case = KemCase::new(P384);
    let folder = tempfolder();
    let [binary, long] = ["binary", "long"].map(|name| folder.join(name));
    fs::write(&binary, [&[0xff], &case.seed[..]].concat()).unwrap();
    let pem = case.key().to_pem();
    fs::write(&long, [pem.as_str(), &"\n".repeat(5_000_000)].concat()).unwrap();
    case.secrets.assert_not_leaked_by(|| {
        assert!(DecapsulationKey::read_pem_file(&binary).is_err());
        assert!(DecapsulationKey::read_pem_file(&long).is_err());
    });
    fs::remove_dir_all(folder).unwrap();
}

// The stack.

/// Whether a piece of a secret is in the frames of calls that have returned, which are not
/// overwritten before the next call.
#[inline(never)]
fn is_in_dead_frames(secret: &[u8]) -> bool {
    const DEPTH: usize = 64 * 1024;
    let frame = std::mem::MaybeUninit::<[u8; DEPTH]>::uninit();
    let bytes = black_box(frame.as_ptr().cast::<u8>());
    let piece = &secret[..NEEDLE];
    (0..DEPTH - NEEDLE).any(|start| {
        piece.iter().enumerate().all(|(index, byte)| {
            // SAFETY: it is within the frame. What is there was written by calls that have
            // returned, or is what the system gave; the volatile read takes it as it is.
            *byte == unsafe { bytes.add(start + index).read_volatile() }
        })
    })
}

/// What this crate has in arrays of its own: the combined secret, and the key in the middle of HKDF.
/// What the primitives leave is best effort.
#[test]
fn combined_secrets_leave_the_stack() {
    let key = DecapsulationKey::from_seed(P384, secret::<32>("seed")).unwrap();
    let (ciphertext, shared) = key.encapsulation_key().encapsulate().unwrap();
    let expected: &[u8] = shared.as_bytes().to_vec().leak();
    let received = key.decapsulate(&ciphertext).unwrap();
    assert!(!is_in_dead_frames(expected), "the combined secret");
    assert_eq!(received.as_bytes(), expected);

    let (ikm, info) = (secret::<64>("ikm"), b"example.com");
    let mut mac = Hmac::<sha2::Sha384>::new_from_slice(&[]).unwrap();
    Mac::update(&mut mac, ikm);
    let prk: &[u8] = mac.finalize().into_bytes().to_vec().leak();
    let mut output = vec![0; 100];
    hazmat::hkdf_sha384(ikm, info, &mut output);
    assert!(!is_in_dead_frames(prk), "the pseudorandom key");
}
