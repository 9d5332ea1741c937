//! A hybrid KEM: a KEM made of two KEMs and a combiner. A suite is a struct literal.

use sha2::{Digest, Sha384};
use sha3::Sha3_256;
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use zeroize::Zeroizing;

use crate::{
    check::{self, CheckedKem, KemChecks},
    constants,
    error::Error,
    half::Halves,
    kdf,
    provider::{Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Provider, Random},
    wire,
};

/// A hybrid KEM as data: two halves, how a seed becomes their seeds, and how their shared secrets
/// become one. The post-quantum half comes first in every encoding.
#[derive(Debug)]
pub(crate) struct HybridSuite {
    pub(crate) id: u16,
    pub(crate) name: &'static str,
    /// Only registered suites have one, and with it PKCS#8 and SPKI.
    pub(crate) oid: Option<&'static str>,
    pub(crate) lengths: KemLengths,
    post_quantum: HalfKem,
    traditional: HalfKem,
    expand: fn(seed: &[u8], halves: &mut [u8]),
    pub(super) combine:
        fn(&Transcript, secrets: &[u8], ciphertext: &[u8], shared_secret: &mut [u8]),
}

/// One half: which primitive of a provider, behind which checks.
#[derive(Debug)]
struct HalfKem {
    primitive: fn(&Provider) -> &'static dyn Kem,
    checks: &'static KemChecks,
}

impl HalfKem {
    fn lengths(&self) -> &'static KemLengths {
        &self.checks.lengths
    }
}

const ML_KEM_1024: HalfKem =
    HalfKem { primitive: |provider| provider.ml_kem_1024, checks: &check::ML_KEM_1024 };

const X25519: HalfKem = HalfKem { primitive: |provider| provider.x25519, checks: &check::X25519 };

const P384: HalfKem = HalfKem { primitive: |provider| provider.p384, checks: &check::P384 };

/// Suite 0x0001: the "universal combiner" of draft-irtf-cfrg-hybrid-kems, over HKDF-SHA384 and a
/// hash of the whole transcript (SPEC.md says why it is hashed).
pub(crate) static X25519_ML_KEM_1024: HybridSuite = HybridSuite {
    id: constants::X25519_ML_KEM_1024_ID,
    name: constants::X25519_ML_KEM_1024_NAME,
    oid: None,
    lengths: constants::hybrid_lengths(
        constants::ML_KEM_1024_LENGTHS,
        constants::X25519_LENGTHS,
        constants::X25519_ML_KEM_1024_SECRET,
    ),
    post_quantum: ML_KEM_1024,
    traditional: X25519,
    expand: expand_hkdf_sha384,
    combine: combine_hkdf_sha384,
};

/// Suite 0x0051: MLKEM1024-P384 of draft-irtf-cfrg-concrete-hybrid-kems, which is
/// id-MLKEM1024-ECDH-P384-SHA3-256 of draft-ietf-lamps-pq-composite-kem.
pub(crate) static ML_KEM_1024_P384: HybridSuite = HybridSuite {
    id: constants::ML_KEM_1024_P384_ID,
    name: constants::ML_KEM_1024_P384_NAME,
    oid: Some(constants::ML_KEM_1024_P384_OID),
    lengths: constants::hybrid_lengths(
        constants::ML_KEM_1024_LENGTHS,
        constants::P384_LENGTHS,
        constants::ML_KEM_1024_P384_SECRET,
    ),
    post_quantum: ML_KEM_1024,
    traditional: P384,
    expand: expand_shake256,
    combine: combine_sha3_256,
};

fn expand_hkdf_sha384(seed: &[u8], halves: &mut [u8]) {
    const {
        assert!(kdf::separated(constants::KEM_SEED, constants::X25519_ML_KEM_1024_KEYGEN.len()));
    };
    kdf::hkdf_sha384(seed, &[constants::X25519_ML_KEM_1024_KEYGEN], halves);
}

fn combine_hkdf_sha384(
    transcript: &Transcript,
    secrets: &[u8],
    ciphertext: &[u8],
    shared_secret: &mut [u8],
) {
    const {
        assert!(kdf::separated(64, 48 + constants::X25519_ML_KEM_1024_LABEL.len()));
    };
    let hash = transcript.keyed.clone().chain_update(ciphertext).finalize();
    kdf::hkdf_sha384(secrets, &[&hash, constants::X25519_ML_KEM_1024_LABEL], shared_secret);
}

fn expand_shake256(seed: &[u8], halves: &mut [u8]) {
    Shake256::default().chain(seed).finalize_xof().read(halves);
}

/// The C2PRI combiner: ML-KEM binds its own ciphertext and key, so only the traditional half's
/// are hashed.
fn combine_sha3_256(
    transcript: &Transcript,
    secrets: &[u8],
    ciphertext: &[u8],
    shared_secret: &mut [u8],
) {
    let traditional = &ciphertext[ciphertext.len() - constants::P384_LENGTHS.ciphertext..];
    let output = shared_secret.try_into().expect("the suite's secret is as long as the hash");
    Sha3_256::new()
        .chain_update(secrets)
        .chain_update(traditional)
        .chain_update(&transcript.traditional_key)
        .chain_update(constants::ML_KEM_1024_P384_LABEL)
        .finalize_into(output); // where it is wiped, and not on the stack
}

/// A suite with a provider's primitives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hybrid {
    suite: &'static HybridSuite,
    post_quantum: CheckedKem,
    traditional: CheckedKem,
}

/// The part of the combiner's input that a key knows beforehand.
#[derive(Clone)]
pub(super) struct Transcript {
    /// The hash state after both encapsulation keys.
    keyed: Sha384,
    traditional_key: Vec<u8>,
}

struct HybridEncapsulator {
    suite: &'static HybridSuite,
    transcript: Transcript,
    post_quantum: Box<dyn Encapsulator>,
    traditional: Box<dyn Encapsulator>,
}

struct HybridDecapsulator {
    suite: &'static HybridSuite,
    transcript: Transcript,
    post_quantum: Box<dyn Decapsulator>,
    traditional: Box<dyn Decapsulator>,
}

impl Transcript {
    pub(super) fn new(post_quantum_key: &[u8], traditional_key: &[u8]) -> Self {
        Self {
            keyed: Sha384::new_with_prefix(post_quantum_key).chain_update(traditional_key),
            traditional_key: traditional_key.to_vec(),
        }
    }
}

impl HybridSuite {
    pub(crate) fn on(&'static self, provider: &Provider) -> Hybrid {
        let checked = |half: &HalfKem| CheckedKem::new((half.primitive)(provider), half.checks);
        Hybrid {
            suite: self,
            post_quantum: checked(&self.post_quantum),
            traditional: checked(&self.traditional),
        }
    }

    /// What a seed expands to: the seed of the post-quantum half, then that of the other.
    pub(crate) fn expand(&self, seed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let seed = wire::exact("decapsulation key seed", seed, self.lengths.seed)?;
        let mut halves = Zeroizing::new(vec![0; self.halves_len()]);
        (self.expand)(seed, &mut halves);
        Ok(halves)
    }

    fn halves_len(&self) -> usize {
        self.post_quantum.lengths().seed + self.traditional.lengths().seed
    }

    /// Both shared secrets, one after the other: the combiners' input keying material.
    pub(super) fn secrets(&self) -> Zeroizing<Vec<u8>> {
        let length =
            self.post_quantum.lengths().shared_secret + self.traditional.lengths().shared_secret;
        Zeroizing::new(vec![0; length])
    }

    pub(super) fn split_ciphertext<'a>(
        &self,
        ciphertext: &'a [u8],
    ) -> Result<(&'a [u8], &'a [u8]), Error> {
        let ciphertext = wire::exact("ciphertext", ciphertext, self.lengths.ciphertext)?;
        Ok(ciphertext.split_at(self.post_quantum.lengths().ciphertext))
    }

    pub(super) fn split_key<'a>(&self, key: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Error> {
        let key = wire::exact("encapsulation key", key, self.lengths.encapsulation_key)?;
        Ok(key.split_at(self.post_quantum.lengths().encapsulation_key))
    }
}

impl Hybrid {
    /// The two primitives, behind their checks.
    pub(crate) fn kems(&self) -> Halves<CheckedKem> {
        Halves { post_quantum: self.post_quantum, traditional: self.traditional }
    }

    /// Checks what anyone can check of a ciphertext.
    pub(crate) fn check_ciphertext(&self, ciphertext: &[u8]) -> Result<(), Error> {
        let (ct_pq, ct_t) = self.suite.split_ciphertext(ciphertext)?;
        self.post_quantum.check_ciphertext(ct_pq)?;
        self.traditional.check_ciphertext(ct_t)
    }

    /// The key pair of what [`expand`](HybridSuite::expand) returns.
    pub(crate) fn key_pair_of_halves(&self, halves: &[u8]) -> Result<KemKeyPair, Error> {
        let halves = wire::exact("decapsulation key", halves, self.suite.halves_len())?;
        let (seed_pq, seed_t) = halves.split_at(self.suite.post_quantum.lengths().seed);
        let post_quantum = self.post_quantum.key_pair(seed_pq)?;
        let traditional = self.traditional.key_pair(seed_t)?;
        let (ek_pq, ek_t) = (post_quantum.encapsulation_key, traditional.encapsulation_key);
        let transcript = Transcript::new(&ek_pq, &ek_t);
        Ok(KemKeyPair {
            encapsulator: Box::new(HybridEncapsulator {
                suite: self.suite,
                transcript: transcript.clone(),
                post_quantum: post_quantum.encapsulator,
                traditional: traditional.encapsulator,
            }),
            decapsulator: Box::new(HybridDecapsulator {
                suite: self.suite,
                transcript,
                post_quantum: post_quantum.decapsulator,
                traditional: traditional.decapsulator,
            }),
            encapsulation_key: [ek_pq, ek_t].concat(),
        })
    }
}

impl Kem for Hybrid {
    fn lengths(&self) -> KemLengths {
        self.suite.lengths
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        self.key_pair_of_halves(&self.suite.expand(seed)?)
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        let (ek_pq, ek_t) = self.suite.split_key(encapsulation_key)?;
        Ok(Box::new(HybridEncapsulator {
            suite: self.suite,
            transcript: Transcript::new(ek_pq, ek_t),
            post_quantum: self.post_quantum.encapsulator(ek_pq)?,
            traditional: self.traditional.encapsulator(ek_t)?,
        }))
    }
}

impl Encapsulator for HybridEncapsulator {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let lengths = &self.suite.lengths;
        let first = self.suite.post_quantum.lengths();
        wire::exact("ciphertext", ciphertext, lengths.ciphertext)?;
        wire::exact("shared secret", shared_secret, lengths.shared_secret)?;
        let mut secrets = self.suite.secrets();
        let (ss_pq, ss_t) = secrets.split_at_mut(first.shared_secret);
        let (ct_pq, ct_t) = ciphertext.split_at_mut(first.ciphertext);
        self.post_quantum.encapsulate(random, ct_pq, ss_pq)?;
        self.traditional.encapsulate(random, ct_t, ss_t)?;
        (self.suite.combine)(&self.transcript, &secrets, ciphertext, shared_secret);
        Ok(())
    }
}

impl Decapsulator for HybridDecapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let (ct_pq, ct_t) = self.suite.split_ciphertext(ciphertext)?;
        wire::exact("shared secret", shared_secret, self.suite.lengths.shared_secret)?;
        let mut secrets = self.suite.secrets();
        let (ss_pq, ss_t) = secrets.split_at_mut(self.suite.post_quantum.lengths().shared_secret);
        self.post_quantum.decapsulate(ct_pq, ss_pq)?;
        self.traditional.decapsulate(ct_t, ss_t)?;
        (self.suite.combine)(&self.transcript, &secrets, ciphertext, shared_secret);
        Ok(())
    }
}
