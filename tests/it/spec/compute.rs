//! Which values follow from a block's inputs? They are computed with the crate's ordinary functions, and
//! step by step as SPEC.md describes them.

use sha2::{Digest, Sha384, Sha512};
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, Keyring, Signature, SignatureSuite,
    SigningKey, VerifyingKey, hazmat,
    kem::{Ciphertext, SharedSecret},
    provider::{Kem, PORTABLE, SignatureScheme},
};

use super::{
    accumulated::compute_accumulated,
    blocks::Block,
    envelopes::{
        compute_envelope_lengths, compute_envelope_limits, compute_envelope_one,
        compute_envelope_two,
    },
    requests::{
        compute_request_0001, compute_request_0051, compute_request_signed,
        compute_request_signed_0051,
    },
    sessions::{
        compute_rewrap, compute_session_0001, compute_session_0051, compute_session_signed,
    },
    stores::{compute_store_keys, compute_store_objects},
};
use crate::common::{
    der::{ec_private_key, kem_oid, pkcs8},
    vectors::Entry,
};

pub(crate) const DEFAULT: KemSuite = KemSuite::X25519_ML_KEM_1024;
pub(crate) const P384: KemSuite = KemSuite::ML_KEM_1024_P384;
pub(crate) const COMPOSITE: SignatureSuite = SignatureSuite::ML_DSA_87_ECDSA_P384;

const ML_DSA_SIGNATURE: usize = 4627;
const ML_DSA_KEY: usize = 2592;

impl Block {
    pub(crate) fn recompute(&self) -> Self {
        let mut computed = Computed { given: self, entries: Vec::new() };
        let compute = match self.name {
            "kem-0001" => compute_kem_0001,
            "kem-0051" => compute_kem_0051,
            "x25519-refused" => compute_x25519_refused,
            "sign-0001" => compute_sign_0001,
            "key-files" => compute_key_files,
            #[cfg(feature = "passphrase")]
            "encrypted-keys" => super::encrypted_keys::compute_encrypted_keys,
            "envelope-one" => compute_envelope_one,
            "envelope-two" => compute_envelope_two,
            "envelope-lengths" => compute_envelope_lengths,
            "envelope-limits" => compute_envelope_limits,
            "rewrap" => compute_rewrap,
            "session-0001" => compute_session_0001,
            "session-0051" => compute_session_0051,
            "session-signed" => compute_session_signed,
            "request-0001" => compute_request_0001,
            "request-0051" => compute_request_0051,
            "request-signed" => compute_request_signed,
            "request-signed-0051" => compute_request_signed_0051,
            "store-keys" => compute_store_keys,
            "store-objects" => compute_store_objects,
            _ => compute_accumulated,
        };
        compute(&mut computed);
        Self { name: self.name, entries: computed.entries }
    }
}

/// A block in the making: inputs are taken over, all else is computed.
pub(crate) struct Computed<'a> {
    given: &'a Block,
    entries: Vec<Entry>,
}

impl Computed<'_> {
    pub(crate) fn input(&mut self, name: &str) -> Vec<u8> {
        let value = self.given.get(name).to_vec();
        self.output(name, &value);
        value
    }

    pub(crate) fn output(&mut self, name: &str, value: &[u8]) {
        let given = self.given.entries.iter().find(|entry| entry.name == name);
        self.entries.push(Entry {
            comment: given.map_or(String::new(), |entry| entry.comment.clone()),
            name: name.into(),
            value: value.to_vec(),
        });
    }
}

pub(crate) fn hkdf<const N: usize>(ikm: &[u8], info: &[&[u8]]) -> [u8; N] {
    let mut output = [0; N];
    hazmat::hkdf_sha384(ikm, &info.concat(), &mut output);
    output
}

pub(crate) fn key_id(domain: &[u8], suite: u16, key: &[u8]) -> [u8; 16] {
    let hash = Sha384::digest([domain, &suite.to_be_bytes(), key].concat());
    *hash.first_chunk().unwrap()
}

/// Both shared secrets, from the seeds of the halves and a ciphertext.
pub(crate) fn half_secrets(
    traditional: &impl Kem,
    seed_pq: &[u8],
    seed_t: &[u8],
    ciphertext: &[u8],
) -> ([u8; 32], Vec<u8>) {
    let (ct_pq, ct_t) = ciphertext.split_at(1568);
    let mut ss_pq = [0; 32];
    let key = hazmat::ml_kem_1024(&PORTABLE).key_pair(seed_pq).unwrap();
    key.decapsulator.decapsulate(ct_pq, &mut ss_pq).unwrap();
    let mut ss_t = vec![0; traditional.lengths().shared_secret];
    let key = traditional.key_pair(seed_t).unwrap();
    key.decapsulator.decapsulate(ct_t, &mut ss_t).unwrap();
    (ss_pq, ss_t)
}

pub(crate) fn decapsulation_key(suite: KemSuite, seed: &[u8]) -> DecapsulationKey {
    DecapsulationKey::from_seed(suite, seed).unwrap()
}

pub(crate) fn encapsulate(key: &DecapsulationKey, randomness: &[u8]) -> (Ciphertext, SharedSecret) {
    let (ciphertext, secret) = hazmat::encapsulate(key.encapsulation_key(), randomness).unwrap();
    let same = key.decapsulate(&ciphertext).unwrap();
    assert_eq!(secret.as_bytes(), same.as_bytes());
    (ciphertext, secret)
}

fn compute_kem_0001(block: &mut Computed<'_>) {
    let seed = block.input("seed");
    let randomness = block.input("randomness");
    let expanded: [u8; 96] = hkdf(&seed, &[b"twinseal/keygen/X25519-ML-KEM-1024/v1"]);
    let (seed_m, x) = expanded.split_at(64);
    block.output("d", &seed_m[..32]);
    block.output("z", &seed_m[32..]);
    block.output("x", x);

    let key = decapsulation_key(DEFAULT, &seed);
    let ek = key.encapsulation_key().as_bytes();
    let id = key_id(b"twinseal/key-id/kem/v1", 0x0001, ek);
    assert_eq!(&id, key.encapsulation_key().key_id().as_bytes());
    block.output("ek", ek);
    block.output("key_id", &id);

    let (ciphertext, secret) = encapsulate(&key, &randomness);
    let ct = ciphertext.as_bytes();
    let (ss_m, ss_x) = half_secrets(&hazmat::x25519(&PORTABLE), seed_m, x, ct);
    let transcript = Sha384::digest([ek, ct].concat());
    let ss: [u8; 64] =
        hkdf(&[&ss_m[..], &ss_x].concat(), &[&transcript, b"twinseal/X25519-ML-KEM-1024/v1"]);
    assert_eq!(&ss, secret.as_bytes());
    block.output("ct", ct);
    block.output("ss_M", &ss_m);
    block.output("ss_X", &ss_x);
    block.output("transcript_hash", &transcript);
    block.output("ss", &ss);
}

fn compute_kem_0051(block: &mut Computed<'_>) {
    let seed = block.input("seed");
    let randomness = block.input("randomness");
    let mut expanded = [0; 112];
    let mut xof = Shake256::default().chain(&seed).finalize_xof();
    xof.read(&mut expanded);
    let (seed_m, scalar) = expanded.split_at(64);
    block.output("d", &seed_m[..32]);
    block.output("z", &seed_m[32..]);
    block.output("scalar", scalar);

    let key = decapsulation_key(P384, &seed);
    let ek = key.encapsulation_key().as_bytes();
    let id = key_id(b"twinseal/key-id/kem/v1", 0x0051, ek);
    assert_eq!(&id, key.encapsulation_key().key_id().as_bytes());
    block.output("ek", ek);
    block.output("key_id", &id);

    let (ciphertext, secret) = encapsulate(&key, &randomness);
    let ct = ciphertext.as_bytes();
    let (ss_m, ss_t) = half_secrets(&hazmat::p384(&PORTABLE), seed_m, scalar, ct);
    let (_, ct_t) = ct.split_at(1568);
    let (_, ek_t) = ek.split_at(1568);
    let ss = sha3::Sha3_256::digest([&ss_m[..], &ss_t, ct_t, ek_t, b"MLKEM1024-P384"].concat());
    assert_eq!(&ss[..], secret.as_bytes());
    block.output("ct", ct);
    block.output("ss_M", &ss_m);
    block.output("ss_T", &ss_t);
    block.output("ss", &ss);
}

fn compute_x25519_refused(block: &mut Computed<'_>) {
    let kem = Block::read("kem-0001").recompute();
    let (ek, ct) = (kem.get("ek"), kem.get("ct"));
    let names = block.given.entries.iter().map(|entry| &entry.name);
    for name in names.cloned().collect::<Vec<_>>() {
        let u = block.input(&name);
        let ek = [&ek[..1568], &u].concat();
        let ct = [&ct[..1568], &u].concat();
        let key = EncapsulationKey::from_bytes(DEFAULT, &ek);
        assert!(matches!(key, Err(Error::Invalid { .. })), "{name}");
        let ciphertext = Ciphertext::from_bytes(DEFAULT, &ct);
        assert!(matches!(ciphertext, Err(Error::Invalid { .. })), "{name}");
    }
}

pub(crate) fn signing_key(ml_dsa_seed: &[u8], scalar: &[u8]) -> SigningKey {
    let start = b"\x30\x3e\x02\x01\x01\x04\x30";
    let end = b"\xa0\x07\x06\x05\x2b\x81\x04\x00\x22";
    let bytes = [ml_dsa_seed, start, scalar, end].concat();
    SigningKey::from_bytes(COMPOSITE, &bytes).unwrap()
}

fn compute_sign_0001(block: &mut Computed<'_>) {
    let ml_dsa_seed = block.input("ml_dsa_seed");
    let scalar = block.input("scalar");
    let context = block.input("context");
    let message = block.input("message");

    let key = signing_key(&ml_dsa_seed, &scalar);
    let public = key.verifying_key().as_bytes();
    let id = key_id(b"twinseal/key-id/sign/v1", 0x0001, public);
    assert_eq!(&id, key.verifying_key().key_id().as_bytes());
    block.output("signing_key", key.secret_bytes());
    block.output("verifying_key", public);
    block.output("key_id", &id);

    let label = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512";
    let representative = [
        &b"CompositeAlgorithmSignatures2025"[..],
        label,
        &[u8::try_from(context.len()).unwrap()],
        &context,
        &Sha512::digest(&message),
    ]
    .concat();
    block.output("message_representative", &representative);

    // What the halves of a split key have to sign, in the other forms.
    let to_be_signed =
        key.verifying_key().to_be_signed(&context, &Sha512::digest(&message).into()).unwrap();
    assert_eq!(to_be_signed.message(), representative);
    assert_eq!(to_be_signed.ml_dsa_context(), label);
    assert_eq!(usize::from(to_be_signed.message()[65]), context.len());
    block.output("representative_sha384", &to_be_signed.sha384());
    block.output("external_mu", &to_be_signed.external_mu());

    let signature = hazmat::sign(&key, &context, &message).unwrap();
    let (sig_pq, sig_t) = signature.as_bytes().split_at(ML_DSA_SIGNATURE);
    let (pk_pq, pk_t) = public.split_at(ML_DSA_KEY);
    let ml_dsa = PORTABLE.ml_dsa_87.verifier(pk_pq).unwrap();
    ml_dsa.verify(label, &representative, sig_pq).unwrap();
    let ecdsa = hazmat::ecdsa_p384(&PORTABLE).verifier(pk_t).unwrap();
    ecdsa.verify(b"", &representative, sig_t).unwrap();
    block.output("signature", signature.as_bytes());

    let read = Signature::from_bytes(COMPOSITE, signature.as_bytes()).unwrap();
    let verifying_key = VerifyingKey::from_bytes(COMPOSITE, public).unwrap();
    verifying_key.verify(&context, &message, &read).unwrap();
}

/// The keys that all other blocks use.
pub(crate) fn spec_kem_key(suite: KemSuite) -> DecapsulationKey {
    let block = if suite == DEFAULT { "kem-0001" } else { "kem-0051" };
    decapsulation_key(suite, Block::read(block).get("seed"))
}

pub(crate) fn spec_signing_key() -> SigningKey {
    let block = Block::read("sign-0001");
    signing_key(block.get("ml_dsa_seed"), block.get("scalar"))
}

pub(crate) fn pem(name: &str) -> String {
    match name {
        "kem-0001-private" => spec_kem_key(DEFAULT).to_pem().as_str().into(),
        "kem-0001-public" => spec_kem_key(DEFAULT).encapsulation_key().to_pem(),
        "kem-0051-private" => spec_kem_key(P384).to_pem().as_str().into(),
        "sign-0001-private" => spec_signing_key().to_pem().as_str().into(),
        #[cfg(feature = "passphrase")]
        "kem-0001-encrypted" | "sign-0001-encrypted" => super::encrypted_keys::encrypted_pem(name),
        _ => spec_keyring().to_pem().unwrap().as_str().into(),
    }
}

/// The primary key is not the first by its suite.
pub(crate) fn spec_keyring() -> Keyring {
    let mut ring = Keyring::new(spec_kem_key(DEFAULT));
    ring.rotate(spec_kem_key(P384)).unwrap();
    ring
}

/// PKCS#8 of the seed of ML-KEM and of the scalar.
fn kem_0051_pkcs8(seed_m: &[u8], scalar: &[u8]) -> Vec<u8> {
    pkcs8(&kem_oid(), &[seed_m, &ec_private_key(scalar)].concat())
}

fn compute_key_files(block: &mut Computed<'_>) {
    let kem = Block::read("kem-0051").recompute();
    let seed_m = [kem.get("d"), kem.get("z")].concat();
    let pkcs8 = kem_0051_pkcs8(&seed_m, kem.get("scalar"));
    let key = spec_kem_key(P384);
    assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), pkcs8);
    block.output("kem_0051_pkcs8", &pkcs8);
    let spki = key.encapsulation_key().to_spki_der().unwrap();
    block.output("kem_0051_spki_prefix", spki.strip_suffix(kem.get("ek")).unwrap());
    let public = key.encapsulation_key().to_pem();
    block.output("kem_0051_public_pem_sha384", &Sha384::digest(public));

    let key = spec_signing_key();
    block.output("pkcs8", key.to_pkcs8_der().unwrap().as_bytes());
    let spki = key.verifying_key().to_spki_der().unwrap();
    let prefix = spki.strip_suffix(key.verifying_key().as_bytes()).unwrap();
    block.output("spki_prefix", prefix);
    let public = key.verifying_key().to_pem();
    block.output("sign_0001_public_pem_sha384", &Sha384::digest(public));
}
