//! ML-DSA-87 with a context string, which aws-lc-rs does not offer: the EVP interface of AWS-LC,
//! called directly. The only unsafe code of the crate.

#![allow(unsafe_code)]

use std::ptr::{self, NonNull};

use aws_lc_sys::{
    ERR_clear_error, EVP_DigestSign, EVP_DigestSignInit, EVP_DigestVerify, EVP_DigestVerifyInit,
    EVP_MD_CTX, EVP_MD_CTX_free, EVP_MD_CTX_new, EVP_PKEY, EVP_PKEY_CTX,
    EVP_PKEY_CTX_set1_signature_context_string, EVP_PKEY_free, EVP_PKEY_get_raw_public_key,
    EVP_PKEY_pqdsa_new_raw_private_key, EVP_PKEY_pqdsa_new_raw_public_key, NID_MLDSA87,
};
use zeroize::Zeroizing;

use super::{
    FAILED, PORTABLE, Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths,
    SignatureScheme,
};
use crate::{constants, error::Error, wire};

const VERIFYING_KEY: usize = constants::ML_DSA_87_LENGTHS.verifying_key;
const SIGNATURE: usize = constants::ML_DSA_87_LENGTHS.signature;

#[derive(Debug)]
pub(super) struct MlDsa87;

impl SignatureScheme for MlDsa87 {
    fn lengths(&self) -> SignatureLengths {
        constants::ML_DSA_87_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        PORTABLE.ml_dsa_87.generate(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let key = Key::from_seed(wire::array_ref("ML-DSA seed", signing_key)?)?;
        let verifying_key = key.verifying_key()?.to_vec();
        Ok(SignatureKeyPair {
            verifier: self.verifier(&verifying_key)?,
            signer: Box::new(key),
            verifying_key,
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        let bytes = wire::array_ref("ML-DSA-87 verifying key", verifying_key)?;
        Ok(Box::new(Key::from_verifying_key(bytes)?))
    }
}

impl SchemeSigner for Key {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_hedged(context, message).inspect_err(|_| clear_errors())
    }
}

impl SchemeVerifier for Key {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.verify_pure(context, message, signature).inspect_err(|_| clear_errors())
    }
}

/// An `EVP_PKEY` with a private or a public ML-DSA-87 key. AWS-LC wipes all that it frees (unless the
/// program gave it an allocator of its own): the seed and the expanded key here.
struct Key(NonNull<EVP_PKEY>);

// SAFETY: AWS-LC documents that an EVP_PKEY may be used by several threads at once as long as none
// mutates it (openssl/evp.h, "Public/private key objects"). After its construction, which hands out
// the only pointer, a `Key` is used by `EVP_PKEY_get_raw_public_key`, which takes it as const, and by
// `EVP_Digest{Sign,Verify}Init`, which take it as non-const, but are documented as not mutating it:
// they increment its reference count, which is atomic or behind a lock. It is freed only by `drop`,
// when no operation borrows it, on whichever thread: nothing in it belongs to a thread.
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
    fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        // SAFETY: `seed` is readable for its length; AWS-LC copies it.
        let key =
            unsafe { EVP_PKEY_pqdsa_new_raw_private_key(NID_MLDSA87, seed.as_ptr(), seed.len()) };
        Self::own(key)
    }

    fn from_verifying_key(bytes: &[u8; VERIFYING_KEY]) -> Result<Self, Error> {
        // SAFETY: `bytes` is readable for its length; AWS-LC copies it.
        let key =
            unsafe { EVP_PKEY_pqdsa_new_raw_public_key(NID_MLDSA87, bytes.as_ptr(), bytes.len()) };
        Self::own(key)
    }

    fn own(key: *mut EVP_PKEY) -> Result<Self, Error> {
        NonNull::new(key).map(Self).ok_or_else(|| {
            clear_errors();
            FAILED
        })
    }

    fn verifying_key(&self) -> Result<[u8; VERIFYING_KEY], Error> {
        let mut bytes = [0; VERIFYING_KEY];
        let mut length = bytes.len();
        // SAFETY: the key is alive, `bytes` is writable for `length`, and AWS-LC writes at most
        // that.
        let done = unsafe {
            EVP_PKEY_get_raw_public_key(self.0.as_ptr(), bytes.as_mut_ptr(), &raw mut length)
        };
        if done == 1 && length == bytes.len() {
            Ok(bytes)
        } else {
            clear_errors();
            Err(FAILED)
        }
    }

    /// Pure ML-DSA, hedged with AWS-LC's own randomness (FIPS 204 Algorithm 2).
    fn sign_hedged(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
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
    fn verify_pure(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let operation = Operation::new()?;
        let mut parameters = ptr::null_mut();
        // SAFETY: as in `sign_hedged`.
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
}

/// The `EVP_MD_CTX` of one signature or verification.
struct Operation(NonNull<EVP_MD_CTX>);

impl Operation {
    fn new() -> Result<Self, Error> {
        // SAFETY: it has no arguments, and gives a new object or null.
        NonNull::new(unsafe { EVP_MD_CTX_new() }).map(Self).ok_or(FAILED)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: the pointer is the one that `EVP_MD_CTX_new` gave us. This also frees the
        // parameters, which are therefore never freed by themselves.
        unsafe { EVP_MD_CTX_free(self.0.as_ptr()) }
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

fn succeeded(result: std::ffi::c_int, error: Error) -> Result<(), Error> {
    if result == 1 { Ok(()) } else { Err(error) }
}

/// AWS-LC keeps a queue of errors for each thread; ours are return values.
fn clear_errors() {
    // SAFETY: it has no arguments and touches only the calling thread's queue.
    unsafe { ERR_clear_error() }
}
