//! Is anything lost or released when a provider fails or panics while an answer is sealed?

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use twinseal::{
    Error,
    provider::{Aead, AeadKey, PORTABLE, Provider},
    request::{Asked, Pending},
};

use super::fixture::{ANY, CTX, QUESTION, unsigned};
use crate::common::keys::{X25519, kem_key};

static UNLUCKY: Provider = Provider { name: "unlucky", aes_256_gcm: &Unlucky, ..PORTABLE };

/// Fails at plaintext of 13 bytes, and panics at plaintext of 14.
#[derive(Debug)]
struct Unlucky;

struct UnluckyKey(Box<dyn AeadKey>);

impl Aead for Unlucky {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        Ok(Box::new(UnluckyKey(PORTABLE.aes_256_gcm.key(key)?)))
    }
}

impl AeadKey for UnluckyKey {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        assert_ne!(buffer.len(), 14, "unlucky");
        if buffer.len() == 13 {
            return Err(Error::Unsupported("13 bytes"));
        }
        self.0.seal_in_place(nonce, aad, buffer)
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

/// By a recipient whose provider is unlucky.
fn asked_of_the_unlucky() -> (Pending, Asked) {
    let bob = kem_key(X25519, 0xb0).on(&UNLUCKY).unwrap();
    let (request, pending) = unsigned();
    (pending, bob.accept(CTX, &request, ANY).unwrap().1)
}

/// A piece that its provider failed to seal is lost: nothing that follows it is accepted.
#[test]
fn a_provider_that_fails() {
    let (_, asked) = asked_of_the_unlucky();
    let (_, mut sealer) = asked.piece_sealer().unwrap();
    assert!(matches!(sealer.piece(&[7; 13]), Err(Error::Unsupported(_))));
    assert_eq!(sealer.piece(b"x").unwrap_err(), Error::Finished);
    assert_eq!(sealer.finish(b"x").unwrap_err(), Error::Finished);

    let (pending, asked) = asked_of_the_unlucky();
    let (start, mut sealer) = asked.piece_sealer().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| sealer.piece(&[7; 14]))).is_err());
    let after = sealer.finish(b"x").map(|last| [start, last].concat());
    assert_eq!(pending.open_pieces(&after.unwrap()).unwrap_err(), Error::Open);

    for length in [13, 14] {
        let (pending, asked) = asked_of_the_unlucky();
        let mut sealed = Vec::new();
        let mut writer = asked.piece_writer(&mut sealed).unwrap();
        writer.piece(QUESTION).unwrap();
        let piece = AssertUnwindSafe(|| writer.piece(&vec![7; length]).is_err());
        assert!(catch_unwind(piece).unwrap_or(true));
        writer.piece(b"x").unwrap_err();
        writer.write(b"x").unwrap_err();
        writer.flush().unwrap_err();
        writer.finish().map(drop).unwrap_err();
        pending.open_pieces(&sealed).unwrap_err();

        let (pending, asked) = asked_of_the_unlucky();
        let whole = AssertUnwindSafe(|| asked.answer(&vec![7; length]).is_err());
        assert!(catch_unwind(whole).unwrap_or(true));
        drop(pending);
    }
}
