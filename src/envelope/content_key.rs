//! The content key: how it is wrapped for a recipient, and which keys are derived from it.

use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    kdf,
    kem::{EncapsulationKey, SharedSecret},
    key_id::KeyId,
    numbered_key::{KEY_AND_NONCE, NumberedKey, TAG},
    provider::Provider,
    wire,
};

const CONTENT_KEY: usize = 32;
pub(super) const WRAPPED: usize = CONTENT_KEY + TAG;
pub(super) const HEADER_TAG: usize = 32;

/// The key that the recipients share, and the two keys derived from it: one for the header's tag, and
/// the body's input key.
pub(super) struct ContentKey {
    bytes: Zeroizing<[u8; CONTENT_KEY]>,
    header_key: Zeroizing<[u8; 48]>,
    pub(super) body_key: Zeroizing<[u8; 32]>,
}

impl ContentKey {
    pub(super) fn new(bytes: Zeroizing<[u8; CONTENT_KEY]>) -> Self {
        const INFO: usize = constants::ENVELOPE_INFO.len() + 2;
        const { assert!(kdf::separated(CONTENT_KEY, INFO)) };
        let ids = [constants::ENVELOPE_VERSION, constants::BODY_COBBLESTONE_256];
        let mut derived = Zeroizing::new([0; 48 + 32]);
        kdf::hkdf_sha384(&*bytes, &[constants::ENVELOPE_INFO, &ids], &mut *derived);
        let (header_key, body_key) = derived.split_first_chunk().expect("80 bytes hold 48");
        let body_key = body_key.first_chunk().expect("the other 32 are the body key");
        Self { bytes, header_key: Zeroizing::new(*header_key), body_key: Zeroizing::new(*body_key) }
    }

    pub(super) fn tag(&self, header: &[u8]) -> [u8; HEADER_TAG] {
        let mac = kdf::hmac_sha384(&*self.header_key, &[header]);
        *mac.first_chunk().expect("48 bytes hold 32")
    }

    /// Wraps it for one recipient, with the secret that was encapsulated for it.
    pub(super) fn wrap(
        &self,
        provider: &Provider,
        secret: &SharedSecret,
        key: &EncapsulationKey,
    ) -> Result<[u8; WRAPPED], Error> {
        let (suite, key_id) = (key.suite().id(), key.key_id());
        let mut wrapped = Zeroizing::new([0; WRAPPED]); // the key itself, if wrapping it fails
        let (wrapped_key, wrapped_tag) =
            wrapped.split_first_chunk_mut::<CONTENT_KEY>().expect("48 bytes hold 32");
        *wrapped_key = *self.bytes;
        let tag = wrapping_key(provider, secret, suite, key_id)?.seal_in_place(
            0,
            &wrap_aad(suite, key_id),
            wrapped_key,
        )?;
        wrapped_tag.copy_from_slice(&tag);
        Ok(*wrapped)
    }

    pub(super) fn unwrap(
        provider: &Provider,
        secret: &SharedSecret,
        suite: u16,
        key_id: KeyId,
        wrapped: &[u8; WRAPPED],
    ) -> Result<Self, Error> {
        let (wrapped_key, tag) = wrapped.split_first_chunk::<CONTENT_KEY>().ok_or(Error::Open)?;
        let tag = wire::array("tag", tag)?;
        let mut bytes = Zeroizing::new(*wrapped_key);
        wrapping_key(provider, secret, suite, key_id)?.open_in_place(
            0,
            &wrap_aad(suite, key_id),
            &mut *bytes,
            &tag,
        )?;
        Ok(Self::new(bytes))
    }
}

/// The key that wraps a content key for one recipient. It is used once.
fn wrapping_key(
    provider: &Provider,
    secret: &SharedSecret,
    suite: u16,
    key_id: KeyId,
) -> Result<NumberedKey, Error> {
    const INFO: usize = constants::WRAP_INFO.len() + 2 + KeyId::LEN;
    const {
        assert!(kdf::separated(constants::X25519_ML_KEM_1024_SECRET, INFO));
        assert!(kdf::separated(constants::ML_KEM_1024_P384_SECRET, INFO));
    };
    let info: [&[u8]; 3] = [constants::WRAP_INFO, &suite.to_be_bytes(), key_id.as_bytes()];
    let mut derived = Zeroizing::new([0; KEY_AND_NONCE]);
    kdf::hkdf_sha384(secret.as_bytes(), &info, &mut *derived);
    NumberedKey::new(provider, &derived)
}

/// `magic || version || body || suite || key id`. The number of recipients is not in it, so that a
/// stanza does not depend on the others; the header tag covers that number.
fn wrap_aad(suite: u16, key_id: KeyId) -> Vec<u8> {
    let ids = [constants::ENVELOPE_VERSION, constants::BODY_COBBLESTONE_256];
    [constants::ENVELOPE_MAGIC.as_slice(), &ids, &suite.to_be_bytes(), key_id.as_bytes()].concat()
}
