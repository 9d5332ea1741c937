//! The key schedule of HPKE (RFC 9180 §5.1), from which a session gets its keys.

use zeroize::Zeroizing;

use crate::{
    constants,
    kdf::{Prk, hmac_sha384},
    numbered_key::KEY_AND_NONCE,
};

/// The output of RFC 9180's key schedule in base mode with HKDF-SHA384 and AES-256-GCM.
pub(crate) struct Schedule {
    pub(crate) key_and_nonce: Zeroizing<[u8; KEY_AND_NONCE]>,
    pub(crate) exporter: Exporter,
}

/// The exporter secret of a session (RFC 9180 §5.3).
pub(crate) struct Exporter {
    suite_id: Vec<u8>,
    /// In a box, so that a sender that is moved, with a future or out of one, leaves no copy behind.
    secret: Box<Zeroizing<[u8; 48]>>,
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
        let mut exporter = Box::new(Zeroizing::new([0; 48]));
        labeled_expand(&secret, &suite_id, b"exp", &context, &mut **exporter);
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

/// For the suite of HPKE, HPKE's own `suite_id`; for ours, one that no HPKE suite has.
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
