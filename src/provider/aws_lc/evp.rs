//! The EVP interface of AWS-LC, called directly for what aws-lc-rs does not offer: ML-DSA-87 with a context
//! string, and ML-KEM-1024 from a seed, into the caller's buffers. The only unsafe code of the crate.

#![allow(unsafe_code)]

use std::ptr::{self, NonNull};

use aws_lc_sys::{
    CBS, ERR_clear_error, EVP_DigestSign, EVP_DigestSignInit, EVP_DigestVerify,
    EVP_DigestVerifyInit, EVP_MD_CTX, EVP_MD_CTX_free, EVP_MD_CTX_new, EVP_PKEY, EVP_PKEY_CTX,
    EVP_PKEY_CTX_free, EVP_PKEY_CTX_new, EVP_PKEY_CTX_set1_signature_context_string,
    EVP_PKEY_decapsulate, EVP_PKEY_encapsulate, EVP_PKEY_free, EVP_PKEY_get_raw_public_key,
    EVP_PKEY_kem_new_raw_public_key, EVP_PKEY_pqdsa_new_raw_private_key,
    EVP_PKEY_pqdsa_new_raw_public_key, EVP_parse_private_key, NID_MLDSA87, NID_MLKEM1024,
};
use zeroize::Zeroizing;

use super::FAILED;
use crate::{constants, error::Error};

const VERIFYING_KEY: usize = constants::ML_DSA_87_LENGTHS.verifying_key;
const SIGNATURE: usize = constants::ML_DSA_87_LENGTHS.signature;
const ENCAPSULATION_KEY: usize = constants::ML_KEM_1024_LENGTHS.encapsulation_key;
const KEM_SEED: usize = constants::ML_KEM_1024_LENGTHS.seed;

/// PKCS#8 with a seed of ML-KEM-1024 (RFC 9935 §6), up to the seed: a SEQUENCE of version 0, a SEQUENCE of
/// id-alg-ml-kem-1024, and an OCTET STRING of the choice `[0]`.
const KEM_SEED_PREFIX: [u8; 22] = [
    0x30, 0x54, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x04, 0x03, 0x04, 0x42, 0x80, 0x40,
];

/// An `EVP_PKEY` with a private or a public key of ML-DSA-87 or ML-KEM-1024. AWS-LC wipes all that it frees
/// (unless the program gave it an allocator of its own): the seed and the expanded key here. It refuses what a
/// key is not for.
pub(super) struct Key(NonNull<EVP_PKEY>);

// SAFETY: AWS-LC documents that an EVP_PKEY may be used by several threads at once as long as none
// mutates it (openssl/evp.h, "Public/private key objects"). After its construction, which hands out
// the only pointer, a `Key` is used by `EVP_PKEY_get_raw_public_key`, which takes it as const, by
// `EVP_Digest{Sign,Verify}Init`, which take it as non-const, but are documented as not mutating it,
// and by `EVP_PKEY_CTX_new`, which does no more than they: they increment its reference count, which is
// atomic or behind a lock. What the contexts then do reads the key. It is freed only by `drop`, when no
// operation borrows it, on whichever thread: nothing in it belongs to a thread.
unsafe impl Send for Key {}

// SAFETY: as above.
unsafe impl Sync for Key {}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a constructor of AWS-LC that gave us the one reference
        // that is released here.
        unsafe { EVP_PKEY_free(self.0.as_ptr()) }
    }
}

impl Key {
    /// The argument is an array because AWS-LC would take 4896 bytes as an expanded key.
    pub(super) fn ml_dsa_of_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        // SAFETY: `seed` is readable for its length; AWS-LC copies it.
        let key =
            unsafe { EVP_PKEY_pqdsa_new_raw_private_key(NID_MLDSA87, seed.as_ptr(), seed.len()) };
        Self::own(key)
    }

    pub(super) fn ml_dsa_of_verifying_key(bytes: &[u8; VERIFYING_KEY]) -> Result<Self, Error> {
        // SAFETY: `bytes` is readable for its length; AWS-LC copies it.
        let key =
            unsafe { EVP_PKEY_pqdsa_new_raw_public_key(NID_MLDSA87, bytes.as_ptr(), bytes.len()) };
        Self::own(key)
    }

    /// FIPS 203 Algorithm 16. As PKCS#8, because AWS-LC takes a seed in no other form that aws-lc-sys has on
    /// every platform.
    pub(super) fn ml_kem_of_seed(seed: &[u8; KEM_SEED]) -> Result<Self, Error> {
        let mut document = Zeroizing::new([0; KEM_SEED_PREFIX.len() + KEM_SEED]);
        let (prefix, rest) = document.split_at_mut(KEM_SEED_PREFIX.len());
        prefix.copy_from_slice(&KEM_SEED_PREFIX);
        rest.copy_from_slice(seed);
        let mut reader = CBS { data: document.as_ptr(), len: document.len() };
        // SAFETY: `reader` is over `document`, which outlives the call. AWS-LC copies the seed.
        Self::own(unsafe { EVP_parse_private_key(&raw mut reader) })
    }

    pub(super) fn ml_kem_of_encapsulation_key(
        bytes: &[u8; ENCAPSULATION_KEY],
    ) -> Result<Self, Error> {
        // SAFETY: `bytes` is readable for its length; AWS-LC copies it.
        let key =
            unsafe { EVP_PKEY_kem_new_raw_public_key(NID_MLKEM1024, bytes.as_ptr(), bytes.len()) };
        Self::own(key)
    }

    fn own(key: *mut EVP_PKEY) -> Result<Self, Error> {
        NonNull::new(key).map(Self).ok_or_else(failed)
    }

    /// The verifying key or the encapsulation key.
    pub(super) fn public_key<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        let mut length = N;
        // SAFETY: the key is alive, `bytes` is writable for `length`, and AWS-LC writes at most
        // that.
        let done = unsafe {
            EVP_PKEY_get_raw_public_key(self.0.as_ptr(), bytes.as_mut_ptr(), &raw mut length)
        };
        succeeded(done, FAILED)?;
        if length == N { Ok(bytes) } else { Err(FAILED) }
    }

    /// Pure ML-DSA, hedged with AWS-LC's own randomness (FIPS 204 Algorithm 2).
    pub(super) fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        let operation = Operation::new()?;
        let mut parameters = ptr::null_mut();
        // SAFETY: the operation and the key are alive. ML-DSA hashes itself, so the digest must be
        // null, and there is no engine. `parameters` belongs to the operation afterwards.
        let started = unsafe {
            EVP_DigestSignInit(
                operation.0.as_ptr(),
                &raw mut parameters,
                ptr::null(),
                ptr::null_mut(),
                self.0.as_ptr(),
            )
        };
        succeeded(started, FAILED)?;
        set_context(&operation, parameters, context)?;

        let mut signature = vec![0; SIGNATURE];
        let mut length = signature.len();
        // SAFETY: the operation was started, `signature` is writable for `length`, which is enough
        // or AWS-LC refuses it, and `message` is readable for its length. An empty slice has a
        // dangling pointer, of which AWS-LC reads nothing.
        let signed = unsafe {
            EVP_DigestSign(
                operation.0.as_ptr(),
                signature.as_mut_ptr(),
                &raw mut length,
                message.as_ptr(),
                message.len(),
            )
        };
        // Not for lack of randomness: AWS-LC ends the process then.
        succeeded(signed, FAILED)?;
        if length == SIGNATURE { Ok(signature) } else { Err(FAILED) }
    }

    /// FIPS 204 Algorithm 3.
    pub(super) fn verify(
        &self,
        context: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let operation = Operation::new()?;
        let mut parameters = ptr::null_mut();
        // SAFETY: as in `sign`.
        let started = unsafe {
            EVP_DigestVerifyInit(
                operation.0.as_ptr(),
                &raw mut parameters,
                ptr::null(),
                ptr::null_mut(),
                self.0.as_ptr(),
            )
        };
        succeeded(started, FAILED)?;
        set_context(&operation, parameters, context).map_err(|_| Error::Verify)?;
        // SAFETY: the operation was started; both slices are readable for their lengths, and their
        // pointers are never null. AWS-LC refuses a signature of another length unread.
        let verified = unsafe {
            EVP_DigestVerify(
                operation.0.as_ptr(),
                signature.as_ptr(),
                signature.len(),
                message.as_ptr(),
                message.len(),
            )
        };
        succeeded(verified, Error::Verify)
    }

    /// FIPS 203 Algorithm 20, with AWS-LC's own randomness; it ends the process if there is none.
    pub(super) fn encapsulate(
        &self,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let operation = KemOperation::new(self)?;
        let (mut ciphertext_len, mut secret_len) = (ciphertext.len(), shared_secret.len());
        // SAFETY: the operation is alive, and both slices are writable for the lengths beside them. If one is
        // too short, AWS-LC refuses it unwritten.
        let done = unsafe {
            EVP_PKEY_encapsulate(
                operation.0.as_ptr(),
                ciphertext.as_mut_ptr(),
                &raw mut ciphertext_len,
                shared_secret.as_mut_ptr(),
                &raw mut secret_len,
            )
        };
        succeeded(done, FAILED)?;
        filled(ciphertext, ciphertext_len)?;
        filled(shared_secret, secret_len)
    }

    /// FIPS 203 Algorithm 21.
    pub(super) fn decapsulate(
        &self,
        ciphertext: &[u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let operation = KemOperation::new(self)?;
        let mut secret_len = shared_secret.len();
        // SAFETY: the operation is alive, `ciphertext` is readable and `shared_secret` writable for the length
        // beside it. AWS-LC refuses a ciphertext of another length unread, and too short a buffer unwritten.
        let done = unsafe {
            EVP_PKEY_decapsulate(
                operation.0.as_ptr(),
                shared_secret.as_mut_ptr(),
                &raw mut secret_len,
                ciphertext.as_ptr(),
                ciphertext.len(),
            )
        };
        succeeded(done, FAILED)?;
        filled(shared_secret, secret_len)
    }
}

/// The `EVP_MD_CTX` of one signature or verification.
struct Operation(NonNull<EVP_MD_CTX>);

impl Operation {
    fn new() -> Result<Self, Error> {
        // SAFETY: it has no arguments, and gives a new object or null.
        NonNull::new(unsafe { EVP_MD_CTX_new() }).map(Self).ok_or_else(failed)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: the pointer is the one that `EVP_MD_CTX_new` gave us. This also frees the
        // parameters, which are therefore never freed by themselves.
        unsafe { EVP_MD_CTX_free(self.0.as_ptr()) }
    }
}

/// The `EVP_PKEY_CTX` of one encapsulation or decapsulation.
struct KemOperation(NonNull<EVP_PKEY_CTX>);

impl KemOperation {
    fn new(key: &Key) -> Result<Self, Error> {
        // SAFETY: the key is alive, and there is no engine. The new object, if it is not null, has a reference
        // to the key of its own.
        let operation = unsafe { EVP_PKEY_CTX_new(key.0.as_ptr(), ptr::null_mut()) };
        NonNull::new(operation).map(Self).ok_or_else(failed)
    }
}

impl Drop for KemOperation {
    fn drop(&mut self) {
        // SAFETY: the pointer is the one that `EVP_PKEY_CTX_new` gave us.
        unsafe { EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

/// `parameters` are those of the operation, which the argument keeps alive.
fn set_context(
    _operation: &Operation,
    parameters: *mut EVP_PKEY_CTX,
    context: &[u8],
) -> Result<(), Error> {
    // SAFETY: `parameters` were set by the init function of an operation that is alive; `context`
    // is readable for its length, and AWS-LC copies it.
    let set = unsafe {
        EVP_PKEY_CTX_set1_signature_context_string(parameters, context.as_ptr(), context.len())
    };
    succeeded(set, Error::Context("it is longer than 255 bytes"))
}

fn filled(buffer: &[u8], written: usize) -> Result<(), Error> {
    if written == buffer.len() { Ok(()) } else { Err(FAILED) }
}

fn succeeded(result: std::ffi::c_int, error: Error) -> Result<(), Error> {
    if result == 1 {
        return Ok(());
    }
    clear_errors();
    Err(error)
}

fn failed() -> Error {
    clear_errors();
    FAILED
}

/// AWS-LC keeps a queue of errors for each thread; ours are return values.
fn clear_errors() {
    // SAFETY: it has no arguments and touches only the calling thread's queue.
    unsafe { ERR_clear_error() }
}
