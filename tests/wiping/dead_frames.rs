//! Does this crate leave secrets in the frames of calls that have returned?

use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use twinseal::{DecapsulationKey, hazmat};

use crate::{allocator::NEEDLE, cases::secret, common::keys::P384};

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

/// The secrets in arrays of this crate: the combined secret, and the key in the middle of HKDF. Wiping inside
/// the primitives is best effort.
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
