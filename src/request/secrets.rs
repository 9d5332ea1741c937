//! The two secrets of a request: its body's key, and the one from which its answer's keys are derived.

use sha2::{Digest, Sha384};
use zeroize::Zeroizing;

use super::{RequestHead, RequestId};
use crate::{
    constants,
    envelope::BodyKey,
    error::Error,
    kdf,
    kem::{EncapsulationKey, SharedSecret},
    numbered_key::KEY_AND_NONCE,
    provider::Provider,
    session::Direction,
    sign::VerifyingKey,
    stream::{ChunkKey, PREFIX},
};

const ANSWER_SECRET: usize = 48;

/// Length of the random value from which the key of an answer in pieces is derived.
pub(super) const PIECES_NONCE: usize = 32;

/// `SHA-384(core || ek || [vk] || context)`: everything that both sides must agree on.
pub(super) fn transcript(
    head: &RequestHead,
    to: &EncapsulationKey,
    signer: Option<&VerifyingKey>,
    context: &[u8],
) -> [u8; 48] {
    Sha384::new()
        .chain_update(head.core())
        .chain_update(to.as_bytes())
        .chain_update(signer.map_or(&[][..], VerifyingKey::as_bytes))
        .chain_update(context)
        .finalize()
        .into()
}

/// `body key || answer secret = HKDF-SHA384(ss, "twinseal/request/v1" || transcript, 80)`.
pub(super) fn derive(
    provider: &'static Provider,
    secret: &SharedSecret,
    transcript: &[u8; 48],
    id: RequestId,
    context: &[u8],
) -> (BodyKey, Box<AnswerSecret>) {
    const INFO: usize = constants::REQUEST_INFO.len() + 48;
    const {
        assert!(kdf::separated(constants::X25519_ML_KEM_1024_SECRET, INFO));
        assert!(kdf::separated(constants::ML_KEM_1024_P384_SECRET, INFO));
    };
    let mut derived = Zeroizing::new([0; 32 + ANSWER_SECRET]);
    kdf::hkdf_sha384(secret.as_bytes(), &[constants::REQUEST_INFO, transcript], &mut *derived);
    let (body_key, answer_secret) = derived.split_first_chunk().expect("80 bytes hold 32");
    let body_key = BodyKey::new(Zeroizing::new(*body_key), provider);
    let mut answer = Box::new(AnswerSecret {
        secret: Zeroizing::new([0; ANSWER_SECRET]),
        provider,
        id,
        context: context.to_vec(),
    });
    answer.secret.copy_from_slice(answer_secret);
    (body_key, answer)
}

/// What the keys of a request's answer are derived from. Each side has it once.
pub(super) struct AnswerSecret {
    secret: Zeroizing<[u8; ANSWER_SECRET]>,
    provider: &'static Provider,
    pub(super) id: RequestId,
    context: Vec<u8>,
}

impl AnswerSecret {
    /// The key of a whole answer's chunks, and the prefix to be sent.
    pub(super) fn seal_whole(&self, salt: &[u8; 24]) -> Result<(ChunkKey, [u8; PREFIX]), Error> {
        ChunkKey::seal(self.provider, &self.whole_key(), salt, &self.context)
    }

    /// The key of a whole answer's chunks, if the prefix fits.
    pub(super) fn open_whole(&self, prefix: &[u8; PREFIX]) -> Result<ChunkKey, Error> {
        ChunkKey::open(self.provider, &self.whole_key(), prefix, &self.context)
    }

    /// `HKDF-SHA384(answer secret, "twinseal/answer/v1", 32)`.
    fn whole_key(&self) -> Zeroizing<[u8; 32]> {
        const { assert!(kdf::separated(ANSWER_SECRET, constants::ANSWER_INFO.len())) };
        let mut key = Zeroizing::new([0; 32]);
        kdf::hkdf_sha384(&*self.secret, &[constants::ANSWER_INFO], &mut *key);
        key
    }

    /// `key || base nonce = HKDF-SHA384(answer secret, "twinseal/answer-pieces/v1" || r, 44)`.
    pub(super) fn pieces(&self, nonce: &[u8; PIECES_NONCE]) -> Result<Direction, Error> {
        const INFO: usize = constants::ANSWER_PIECES_INFO.len() + PIECES_NONCE;
        const { assert!(kdf::separated(ANSWER_SECRET, INFO)) };
        let mut key_and_nonce = Zeroizing::new([0; KEY_AND_NONCE]);
        let info: [&[u8]; 2] = [constants::ANSWER_PIECES_INFO, nonce];
        kdf::hkdf_sha384(&*self.secret, &info, &mut *key_and_nonce);
        Direction::new(self.provider, &key_and_nonce)
    }
}
