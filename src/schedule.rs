//! Keys with their nonces: the only place where a nonce is made. And the key schedule of HPKE
//! (RFC 9180 §5.1), from which sessions get theirs.

use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    kdf::{Prk, hmac_sha384},
    provider::{AeadKey, Provider},
};

/// Length of an AES-256-GCM key and its base nonce, as key derivations give them.
pub(crate) const KEY_AND_NONCE: usize = 32 + 12;

/// Length of an AES-256-GCM tag.
pub(crate) const TAG: usize = 16;

/// An AES-256-GCM key with the base nonce that was derived beside it. Message `index` uses the base
/// nonce XOR `index`: RFC 9180 §5.2 for messages, C2SP chunked-encryption for chunks, and index 0
/// for a key that serves once.
pub(crate) struct NumberedKey {
    key: Box<dyn AeadKey>,
    base_nonce: [u8; 12],
}

impl NumberedKey {
    /// From the first 44 bytes of a key derivation: `key (32) || base nonce (12)`.
    pub(crate) fn new(
        provider: &Provider,
        key_and_nonce: &[u8; KEY_AND_NONCE],
    ) -> Result<Self, Error> {
        let (key, rest) = key_and_nonce.split_first_chunk::<32>().expect("44 bytes hold 32");
        let (base_nonce, _) = rest.split_first_chunk::<12>().expect("the other 12 are the nonce");
        Ok(Self { key: provider.aes_256_gcm.key(key)?, base_nonce: *base_nonce })
    }

    /// Encrypts in place. The caller never uses an index twice.
    pub(crate) fn seal_in_place(
        &self,
        index: u64,
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG], Error> {
        self.key.seal_in_place(&self.nonce(index), aad, buffer)
    }

    /// Decrypts in place. After a failure the buffer holds zeros.
    pub(crate) fn open_in_place(
        &self,
        index: u64,
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        self.key.open_in_place(&self.nonce(index), aad, buffer, tag).map_err(|_| {
            buffer.fill(0);
            Error::Open
        })
    }

    /// Decrypts from one buffer into another of the same length. After a failure that holds zeros.
    pub(crate) fn open_into(
        &self,
        index: u64,
        aad: &[u8],
        ciphertext: &[u8],
        plaintext: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        self.key.open_into(&self.nonce(index), aad, ciphertext, plaintext, tag).map_err(|_| {
            plaintext.fill(0);
            Error::Open
        })
    }

    fn nonce(&self, index: u64) -> [u8; 12] {
        let mut nonce = self.base_nonce;
        for (byte, number) in nonce.iter_mut().skip(4).zip(index.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }
}

/// What RFC 9180's key schedule gives, in base mode with HKDF-SHA384 and AES-256-GCM.
pub(crate) struct Schedule {
    pub(crate) key_and_nonce: Zeroizing<[u8; KEY_AND_NONCE]>,
    pub(crate) exporter: Exporter,
}

/// The exporter secret of a session (RFC 9180 §5.3).
pub(crate) struct Exporter {
    suite_id: Vec<u8>,
    secret: Zeroizing<[u8; 48]>,
}

const HPKE_VERSION: &[u8] = b"HPKE-v1";
const MODE_BASE: u8 = 0x00;

/// HPKE's identifiers of HKDF-SHA384 and AES-256-GCM (RFC 9180 §7).
pub(crate) const KDF_HKDF_SHA384: u16 = 0x0002;
pub(crate) const AEAD_AES_256_GCM: u16 = 0x0002;

impl Schedule {
    /// RFC 9180 §5.1, `KeySchedule` with an empty PSK.
    pub(crate) fn new(kem: u16, shared_secret: &[u8], info: &[&[u8]]) -> Self {
        let suite_id = suite_id(kem);
        let extract = |label: &[u8], ikm: &[&[u8]]| {
            let prefix: [&[u8]; 3] = [HPKE_VERSION, &suite_id, label];
            hmac_sha384(b"", &[&prefix, ikm].concat())
        };
        let context: [&[u8]; 3] =
            [&[MODE_BASE], &*extract(b"psk_id_hash", &[]), &*extract(b"info_hash", info)];
        let secret = Prk::extract(shared_secret, &[HPKE_VERSION, &suite_id, b"secret"]);

        let mut key_and_nonce = Zeroizing::new([0; KEY_AND_NONCE]);
        let (key, nonce) = key_and_nonce.split_at_mut(32);
        labeled_expand(&secret, &suite_id, b"key", &context, key);
        labeled_expand(&secret, &suite_id, b"base_nonce", &context, nonce);
        let mut exporter = Zeroizing::new([0; 48]);
        labeled_expand(&secret, &suite_id, b"exp", &context, &mut *exporter);
        Self { key_and_nonce, exporter: Exporter { suite_id, secret: exporter } }
    }
}

impl Exporter {
    /// RFC 9180 §5.3, `Export`; the context is the concatenation of its parts.
    pub(crate) fn export(&self, context: &[&[u8]], output: &mut [u8]) {
        let secret = Prk::from_bytes(&self.secret);
        labeled_expand(&secret, &self.suite_id, b"sec", context, output);
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn as_bytes(&self) -> &[u8; 48] {
        &self.secret
    }
}

/// HPKE's own for the suite that is HPKE's, and one that no HPKE suite has for ours.
fn suite_id(kem: u16) -> Vec<u8> {
    let protocol: &[u8] =
        if kem == constants::ML_KEM_1024_P384_ID { b"HPKE" } else { constants::SESSION_SUITE_ID };
    let ids = [kem, KDF_HKDF_SHA384, AEAD_AES_256_GCM].map(u16::to_be_bytes);
    [protocol, ids.as_flattened()].concat()
}

/// RFC 9180 §4, `LabeledExpand`.
fn labeled_expand(secret: &Prk, suite_id: &[u8], label: &[u8], info: &[&[u8]], output: &mut [u8]) {
    let length = u16::try_from(output.len()).expect("outputs are a few bytes long");
    let prefix: [&[u8]; 4] = [&length.to_be_bytes(), HPKE_VERSION, suite_id, label];
    secret.expand(&[&prefix, info].concat(), output);
}
