//! A hybrid KEM: a KEM made of two KEMs and a combiner. A suite is a struct literal.

use sha2::{Digest, Sha384};
use sha3::Sha3_256;
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use zeroize::Zeroizing;

use crate::{
    check::{self, CheckedKem, KemChecks},
    constants,
    error::Error,
    kdf,
    provider::{Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Provider},
    wire,
};

/// What makes a hybrid KEM: two halves, how a seed is split between them, and how their shared
/// secrets become one. The post-quantum half comes first in every encoding.
#[derive(Debug)]
pub(crate) struct HybridSuite {
    pub(crate) id: u16,
    pub(crate) name: &'static str,
    pub(crate) lengths: KemLengths,
    post_quantum: Half,
    traditional: Half,
    expand: fn(seed: &[u8], halves: &mut [u8]),
    combine: fn(&Transcript, secrets: &[u8], ciphertext: &[u8], shared_secret: &mut [u8]),
}

/// One half: which primitive of a provider, of which lengths, behind which checks.
#[derive(Debug)]
struct Half {
    primitive: fn(&Provider) -> &'static dyn Kem,
    checks: &'static KemChecks,
    lengths: KemLengths,
}

const ML_KEM_1024: Half = Half {
    primitive: |provider| provider.ml_kem_1024,
    checks: &check::ML_KEM_1024,
    lengths: constants::ML_KEM_1024_LENGTHS,
};

const X25519: Half = Half {
    primitive: |provider| provider.x25519,
    checks: &check::X25519,
    lengths: constants::X25519_LENGTHS,
};

const P384: Half = Half {
    primitive: |provider| provider.p384,
    checks: &check::P384,
    lengths: constants::P384_LENGTHS,
};

/// Suite 0x0001: the "universal combiner" of draft-irtf-cfrg-hybrid-kems, over HKDF-SHA384 and a
/// hash of the whole transcript (SPEC.md says why it is hashed).
pub(crate) static X25519_ML_KEM_1024: HybridSuite = HybridSuite {
    id: constants::X25519_ML_KEM_1024_ID,
    name: constants::X25519_ML_KEM_1024_NAME,
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

/// Suite 0x0051: MLKEM1024-P384 of draft-irtf-cfrg-concrete-hybrid-kems.
pub(crate) static ML_KEM_1024_P384: HybridSuite = HybridSuite {
    id: constants::ML_KEM_1024_P384_ID,
    name: constants::ML_KEM_1024_P384_NAME,
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
    let traditional = ciphertext.len().saturating_sub(constants::P384_LENGTHS.ciphertext);
    let output = shared_secret.try_into().expect("the suite's secret is as long as the hash");
    Sha3_256::new()
        .chain_update(secrets)
        .chain_update(ciphertext.get(traditional..).unwrap_or_default())
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
struct Transcript {
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

impl HybridSuite {
    pub(crate) fn on(&'static self, provider: &Provider) -> Hybrid {
        let checked = |half: &Half| CheckedKem::new((half.primitive)(provider), half.checks);
        Hybrid {
            suite: self,
            post_quantum: checked(&self.post_quantum),
            traditional: checked(&self.traditional),
        }
    }

    /// Both shared secrets, one after the other: the combiners' input keying material.
    fn secrets(&self) -> Zeroizing<Vec<u8>> {
        let length =
            self.post_quantum.lengths.shared_secret + self.traditional.lengths.shared_secret;
        Zeroizing::new(vec![0; length])
    }

    fn split_ciphertext<'a>(&self, ciphertext: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Error> {
        wire::halves("ciphertext", ciphertext, self.post_quantum.lengths.ciphertext)
    }
}

impl Hybrid {
    /// Checks what anyone can check of a ciphertext.
    pub(crate) fn check_ciphertext(&self, ciphertext: &[u8]) -> Result<(), Error> {
        wire::exact("ciphertext", ciphertext, self.suite.lengths.ciphertext)?;
        let (ct_pq, ct_t) = self.suite.split_ciphertext(ciphertext)?;
        self.post_quantum.check_ciphertext(ct_pq)?;
        self.traditional.check_ciphertext(ct_t)
    }

    fn transcript(&self, encapsulation_key: &[u8]) -> Result<Transcript, Error> {
        let (_, traditional) = self.split_key(encapsulation_key)?;
        Ok(Transcript {
            keyed: Sha384::new_with_prefix(encapsulation_key),
            traditional_key: traditional.to_vec(),
        })
    }

    fn split_key<'a>(&self, key: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Error> {
        let first = self.suite.post_quantum.lengths.encapsulation_key;
        wire::halves("encapsulation key", key, first)
    }
}

impl Kem for Hybrid {
    fn lengths(&self) -> KemLengths {
        self.suite.lengths
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let seed = wire::exact("decapsulation key seed", seed, self.suite.lengths.seed)?;
        let first = self.suite.post_quantum.lengths.seed;
        let mut expanded = Zeroizing::new(vec![0; first + self.suite.traditional.lengths.seed]);
        (self.suite.expand)(seed, &mut expanded);
        let (seed_pq, seed_t) = wire::halves("decapsulation key seed", &expanded, first)?;

        let post_quantum = self.post_quantum.key_pair(seed_pq)?;
        let traditional = self.traditional.key_pair(seed_t)?;
        let mut encapsulation_key = post_quantum.encapsulation_key;
        encapsulation_key.extend_from_slice(&traditional.encapsulation_key);
        Ok(KemKeyPair {
            encapsulator: Box::new(HybridEncapsulator {
                suite: self.suite,
                transcript: self.transcript(&encapsulation_key)?,
                post_quantum: post_quantum.encapsulator,
                traditional: traditional.encapsulator,
            }),
            decapsulator: Box::new(HybridDecapsulator {
                suite: self.suite,
                transcript: self.transcript(&encapsulation_key)?,
                post_quantum: post_quantum.decapsulator,
                traditional: traditional.decapsulator,
            }),
            encapsulation_key,
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        let expected = self.suite.lengths.encapsulation_key;
        wire::exact("encapsulation key", encapsulation_key, expected)?;
        let (ek_pq, ek_t) = self.split_key(encapsulation_key)?;
        Ok(Box::new(HybridEncapsulator {
            suite: self.suite,
            transcript: self.transcript(encapsulation_key)?,
            post_quantum: self.post_quantum.encapsulator(ek_pq)?,
            traditional: self.traditional.encapsulator(ek_t)?,
        }))
    }
}

impl HybridEncapsulator {
    /// Encapsulates with both halves, from the given randomness or from fresh one, and combines.
    fn encapsulate_from(
        &self,
        randomness: Option<&[u8]>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let first = &self.suite.post_quantum.lengths;
        let mut secrets = self.suite.secrets();
        let (ss_pq, ss_t) = wire::halves_mut("shared secrets", &mut secrets, first.shared_secret)?;
        let (ct_pq, ct_t) = wire::halves_mut("ciphertext", ciphertext, first.ciphertext)?;
        if let Some(randomness) = randomness {
            let what = "encapsulation randomness";
            wire::exact(what, randomness, self.suite.lengths.randomness)?;
            let (r_pq, r_t) = wire::halves(what, randomness, first.randomness)?;
            self.post_quantum.encapsulate_deterministic(r_pq, ct_pq, ss_pq)?;
            self.traditional.encapsulate_deterministic(r_t, ct_t, ss_t)?;
        } else {
            self.post_quantum.encapsulate(ct_pq, ss_pq)?;
            self.traditional.encapsulate(ct_t, ss_t)?;
        }
        (self.suite.combine)(&self.transcript, &secrets, ciphertext, shared_secret);
        Ok(())
    }
}

impl Encapsulator for HybridEncapsulator {
    fn encapsulate(&self, ciphertext: &mut [u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        self.encapsulate_from(None, ciphertext, shared_secret)
    }

    fn encapsulate_deterministic(
        &self,
        randomness: &[u8],
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        self.encapsulate_from(Some(randomness), ciphertext, shared_secret)
    }
}

impl Decapsulator for HybridDecapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        wire::exact("ciphertext", ciphertext, self.suite.lengths.ciphertext)?;
        let (ct_pq, ct_t) = self.suite.split_ciphertext(ciphertext)?;
        let mut secrets = self.suite.secrets();
        let (ss_pq, ss_t) = wire::halves_mut(
            "shared secrets",
            &mut secrets,
            self.suite.post_quantum.lengths.shared_secret,
        )?;
        self.post_quantum.decapsulate(ct_pq, ss_pq)?;
        self.traditional.decapsulate(ct_t, ss_t)?;
        (self.suite.combine)(&self.transcript, &secrets, ciphertext, shared_secret);
        Ok(())
    }
}
