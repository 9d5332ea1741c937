//! Key derivation: HKDF-SHA384 (RFC 5869, SP 800-56C), and the Expand step that C2SP's
//! chunked encryption needs.

use std::sync::LazyLock;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac, digest::FixedOutput};
use sha2::{Sha384, Sha512};
use zeroize::Zeroizing;

/// HKDF-SHA384 with an empty salt: `output` is filled from `ikm`, bound to `info` (the
/// concatenation of its parts).
///
/// Callers keep `ikm` and `info || 0x01` of different lengths, so that Extract and Expand never
/// see the same HMAC input; each asserts it with [`separated`].
pub(crate) fn hkdf_sha384(ikm: &[u8], info: &[&[u8]], output: &mut [u8]) {
    Prk::extract(b"", &[ikm]).expand(info, output);
}

/// Whether HKDF's two steps are separated by length, for compile-time assertions: an `ikm` of
/// `ikm` bytes can never equal `info || 0x01`.
pub(crate) const fn separated(ikm: usize, info: usize) -> bool {
    ikm != info + 1
}

/// A pseudorandom key: the output of HKDF-SHA384's Extract, and the input of its Expand.
pub(crate) struct Prk(Hkdf<Sha384>);

impl Prk {
    /// HKDF-Extract; `ikm` is the concatenation of its parts.
    pub(crate) fn extract(salt: &[u8], ikm: &[&[u8]]) -> Self {
        Self::from_bytes(&hmac_sha384(salt, ikm))
    }

    /// A stored 48-byte key.
    pub(crate) fn from_bytes(bytes: &[u8; 48]) -> Self {
        Self(Hkdf::from_prk(bytes).expect("48 bytes are SHA-384's length"))
    }

    /// HKDF-Expand; `info` is the concatenation of its parts.
    pub(crate) fn expand(&self, info: &[&[u8]], output: &mut [u8]) {
        self.0.expand_multi_info(info, output).expect("every output is far below 255 hash lengths");
    }
}

/// HKDF-Expand over HMAC-SHA512 with a 32-byte key, as C2SP chunked-encryption defines it.
///
/// Written over HMAC because the `hkdf` crate refuses a key below the hash length (RFC 5869 §2.3
/// asks for that of Extract's output; here the key is uniformly random already).
pub(crate) fn expand_sha512(key: &[u8; 32], info: &[&[u8]], output: &mut [u8]) {
    let keyed = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
    let mut previous = Zeroizing::new([0; 64]);
    for (counter, block) in (1..=u8::MAX).zip(output.chunks_mut(64)) {
        let mut mac = keyed.clone();
        if counter > 1 {
            mac.update(&*previous);
        }
        for part in info {
            mac.update(part);
        }
        mac.update(&[counter]);
        mac.finalize_into((&mut *previous).into());
        block.copy_from_slice(&previous[..block.len()]);
    }
}

/// HMAC-SHA384, which is HKDF-Extract with the key as its salt (RFC 5869 §2.2); the message is the
/// concatenation of its parts.
pub(crate) fn hmac_sha384(key: &[u8], message: &[&[u8]]) -> Zeroizing<[u8; 48]> {
    let mut mac = if key.is_empty() { UNSALTED.clone() } else { keyed(key) };
    for part in message {
        mac.update(part);
    }
    let mut output = Zeroizing::new([0; 48]);
    mac.finalize_into((&mut *output).into());
    output
}

/// HMAC under the empty key: most extractions start from it, and making it costs half of one.
static UNSALTED: LazyLock<Hmac<Sha384>> = LazyLock::new(|| keyed(b""));

fn keyed(key: &[u8]) -> Hmac<Sha384> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}
