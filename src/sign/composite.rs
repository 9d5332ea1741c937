//! A composite signature: a signature scheme made of two, of which both must verify
//! (draft-ietf-lamps-pq-composite-sigs). A suite is a struct literal.

use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::ecdsa::DerEcdsa;
use crate::{
    check, constants, context, ec_private_key,
    error::Error,
    half::Halves,
    provider::{
        self, Provider, Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths,
        SignatureScheme,
    },
    wire,
};

/// A composite as data: two halves and the label that ties them together. The post-quantum half
/// comes first in every encoding.
#[derive(Debug)]
pub(crate) struct CompositeSuite {
    pub(crate) id: u16,
    pub(crate) name: &'static str,
    /// Only registered suites have one, and with it PKCS#8 and SPKI.
    pub(crate) oid: Option<&'static str>,
    pub(crate) lengths: SignatureLengths,
    pub(super) label: &'static [u8],
    pub(crate) post_quantum_name: &'static str,
    post_quantum: fn(&Provider) -> &'static dyn SignatureScheme,
    post_quantum_lengths: SignatureLengths,
    /// Loads the expanded form of a signing key, if the scheme has one beside the seed.
    post_quantum_of_expanded: Option<Load>,
    /// The label, if the scheme has contexts; the message representative carries it anyway.
    pub(super) post_quantum_context: &'static [u8],
    joined: Joined,
}

type Load = fn(&[u8]) -> Result<SignatureKeyPair, Error>;

/// Where the first half of a signature ends.
#[derive(Clone, Copy, Debug)]
enum Joined {
    /// The first half has one length.
    ByLength,
    /// The length of the first half (2) precedes it.
    #[cfg(feature = "experimental-falcon")]
    ByPrefix,
}

/// Suite 0x0001: id-MLDSA87-ECDSA-P384-SHA512.
pub(crate) static ML_DSA_87_ECDSA_P384: CompositeSuite = CompositeSuite {
    id: constants::ML_DSA_87_ECDSA_P384_ID,
    name: constants::ML_DSA_87_ECDSA_P384_NAME,
    oid: Some(constants::ML_DSA_87_ECDSA_P384_OID),
    lengths: constants::composite_lengths(
        constants::ML_DSA_87_LENGTHS,
        constants::ECDSA_P384_DER_LENGTHS,
        0,
    ),
    label: constants::ML_DSA_87_ECDSA_P384_LABEL,
    post_quantum_name: "ML-DSA-87",
    post_quantum: |provider| provider.ml_dsa_87,
    post_quantum_lengths: constants::ML_DSA_87_LENGTHS,
    post_quantum_of_expanded: Some(provider::ml_dsa_87_of_expanded),
    post_quantum_context: constants::ML_DSA_87_ECDSA_P384_LABEL,
    joined: Joined::ByLength,
};

/// Suite 0xF001, experimental: Falcon-1024 of round 3 and ECDSA-P384.
#[cfg(feature = "experimental-falcon")]
pub(crate) static FALCON_1024_ECDSA_P384: CompositeSuite = CompositeSuite {
    id: constants::FALCON_1024_ECDSA_P384_ID,
    name: constants::FALCON_1024_ECDSA_P384_NAME,
    oid: None,
    lengths: constants::composite_lengths(
        constants::FALCON_1024_LENGTHS,
        constants::ECDSA_P384_DER_LENGTHS,
        2,
    ),
    label: constants::FALCON_1024_ECDSA_P384_LABEL,
    post_quantum_name: "Falcon-1024",
    post_quantum: |_| &provider::Falcon1024,
    post_quantum_lengths: constants::FALCON_1024_LENGTHS,
    post_quantum_of_expanded: None,
    post_quantum_context: b"",
    joined: Joined::ByPrefix,
};

/// A suite with a provider's primitives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Composite {
    suite: &'static CompositeSuite,
    post_quantum: &'static dyn SignatureScheme,
    traditional: DerEcdsa,
}

pub(crate) struct CompositeSigner {
    suite: &'static CompositeSuite,
    post_quantum: Box<dyn SchemeSigner>,
    traditional: Box<dyn SchemeSigner>,
}

pub(crate) struct CompositeVerifier {
    suite: &'static CompositeSuite,
    post_quantum: Box<dyn SchemeVerifier>,
    traditional: Box<dyn SchemeVerifier>,
}

/// A composite's key pair, of concrete types: the keys above also sign what was hashed elsewhere.
pub(crate) struct CompositeKeyPair {
    pub(crate) verifying_key: Vec<u8>,
    pub(crate) verifier: CompositeVerifier,
    pub(crate) signer: CompositeSigner,
}

impl CompositeSuite {
    pub(crate) fn on(&'static self, provider: &Provider) -> Composite {
        Composite {
            suite: self,
            post_quantum: (self.post_quantum)(provider),
            traditional: DerEcdsa(provider.ecdsa_p384),
        }
    }

    /// Checks what anyone can check of a signature: that it has two halves, and that the second
    /// is the DER form of an ECDSA signature.
    pub(crate) fn check_signature(&self, signature: &[u8]) -> Result<(), Error> {
        if signature.len() > self.lengths.signature {
            return Err(Error::Invalid {
                what: "signature",
                reason: "it is longer than any of its suite",
            });
        }
        let (_, traditional) = self.split_signature(signature)?;
        check::ecdsa_signature_from_der(traditional).map(drop)
    }

    pub(super) fn split_key<'a>(&self, key: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Error> {
        let key = wire::exact("verifying key", key, self.lengths.verifying_key)?;
        Ok(key.split_at(self.post_quantum_lengths.verifying_key))
    }

    pub(super) fn post_quantum_lengths(&self) -> SignatureLengths {
        self.post_quantum_lengths
    }

    pub(super) fn split_signature<'a>(
        &self,
        signature: &'a [u8],
    ) -> Result<(&'a [u8], &'a [u8]), Error> {
        let mut reader = wire::Reader::new("signature", signature);
        let first = match self.joined {
            Joined::ByLength => self.post_quantum_lengths.signature,
            #[cfg(feature = "experimental-falcon")]
            Joined::ByPrefix => reader.u16()?.into(),
        };
        Ok((reader.take(first)?, reader.rest()))
    }

    pub(super) fn join_signature(&self, post_quantum: &[u8], traditional: &[u8]) -> Vec<u8> {
        match self.joined {
            Joined::ByLength => [post_quantum, traditional].concat(),
            #[cfg(feature = "experimental-falcon")]
            Joined::ByPrefix => {
                let length = u16::try_from(post_quantum.len()).expect("it is at most 1462 bytes");
                [&length.to_be_bytes(), post_quantum, traditional].concat()
            }
        }
    }

    /// The message representative M' (draft §2.2): `Prefix || Label || len(ctx) || ctx || PH(M)`.
    pub(super) fn representative(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
    ) -> Result<Vec<u8>, Error> {
        let length = context::length(context)?;
        Ok([constants::COMPOSITE_PREFIX, self.label, &[length], context, sha512].concat())
    }

    /// The context of a message representative; `None` if it is none.
    pub(super) fn context_of<'a>(&self, representative: &'a [u8]) -> Option<&'a [u8]> {
        let rest = representative.strip_prefix(constants::COMPOSITE_PREFIX)?;
        let (length, rest) = rest.strip_prefix(self.label)?.split_first()?;
        let (context, sha512) = rest.split_at_checked(usize::from(*length))?;
        (sha512.len() == 64).then_some(context)
    }
}

impl Composite {
    pub(crate) fn load(&self, signing_key: &[u8]) -> Result<CompositeKeyPair, Error> {
        let (sk_pq, sk_t) =
            wire::exact("signing key", signing_key, self.suite.lengths.signing_key)?
                .split_at(self.suite.post_quantum_lengths.signing_key);
        let post_quantum = self.post_quantum.key_pair(sk_pq)?;
        Ok(self.pair(post_quantum, self.traditional.key_pair(sk_t)?))
    }

    /// A key whose first half is expanded, and whose second is a scalar. The first half does not use the
    /// provider.
    pub(crate) fn load_expanded(
        &self,
        expanded: &[u8],
        scalar: &[u8],
    ) -> Result<CompositeKeyPair, Error> {
        let Some(of_expanded) = self.suite.post_quantum_of_expanded else {
            return Err(Error::Unsupported("expanded keys of this suite"));
        };
        let ec_private_key = Zeroizing::new(ec_private_key::encode(scalar));
        Ok(self.pair(of_expanded(expanded)?, self.traditional.key_pair(&ec_private_key)?))
    }

    fn pair(
        &self,
        post_quantum: SignatureKeyPair,
        traditional: SignatureKeyPair,
    ) -> CompositeKeyPair {
        CompositeKeyPair {
            verifying_key: [post_quantum.verifying_key, traditional.verifying_key].concat(),
            verifier: CompositeVerifier {
                suite: self.suite,
                post_quantum: post_quantum.verifier,
                traditional: traditional.verifier,
            },
            signer: CompositeSigner {
                suite: self.suite,
                post_quantum: post_quantum.signer,
                traditional: traditional.signer,
            },
        }
    }

    pub(crate) fn load_public(&self, verifying_key: &[u8]) -> Result<CompositeVerifier, Error> {
        let (pk_pq, pk_t) = self.suite.split_key(verifying_key)?;
        Ok(CompositeVerifier {
            suite: self.suite,
            post_quantum: self.post_quantum.verifier(pk_pq)?,
            traditional: self.traditional.verifier(pk_t)?,
        })
    }
}

impl SignatureScheme for Composite {
    fn lengths(&self) -> SignatureLengths {
        self.suite.lengths
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut key = Zeroizing::new(Vec::with_capacity(self.suite.lengths.signing_key));
        key.extend_from_slice(&self.post_quantum.generate(random)?);
        key.extend_from_slice(&self.traditional.generate(random)?);
        Ok(key)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let pair = self.load(signing_key)?;
        Ok(SignatureKeyPair {
            verifying_key: pair.verifying_key,
            verifier: Box::new(pair.verifier),
            signer: Box::new(pair.signer),
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        Ok(Box::new(self.load_public(verifying_key)?))
    }
}

impl CompositeSigner {
    pub(crate) fn sign_prehashed(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
    ) -> Result<Vec<u8>, Error> {
        self.sign_by(context, sha512, |half, context, message| half.sign(context, message))
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn sign_prehashed_deterministic(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
    ) -> Result<Vec<u8>, Error> {
        self.sign_by(context, sha512, |half, context, message| {
            half.sign_deterministic(context, message)
        })
    }

    /// With the label as ML-DSA's context, its half is not a signature of the plain scheme.
    fn sign_by(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
        sign: impl Fn(&dyn SchemeSigner, &[u8], &[u8]) -> Result<Vec<u8>, Error>,
    ) -> Result<Vec<u8>, Error> {
        let representative = self.suite.representative(context, sha512)?;
        let post_quantum =
            sign(&*self.post_quantum, self.suite.post_quantum_context, &representative)?;
        let traditional = sign(&*self.traditional, b"", &representative)?;
        Ok(self.suite.join_signature(&post_quantum, &traditional))
    }
}

impl SchemeSigner for CompositeSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_prehashed(context, &Sha512::digest(message).into())
    }

    #[cfg(feature = "hazmat")]
    fn sign_deterministic(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_prehashed_deterministic(context, &Sha512::digest(message).into())
    }
}

impl CompositeVerifier {
    /// Both halves are always evaluated, and the error does not say which one failed.
    pub(crate) fn verify_prehashed(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
        signature: &[u8],
    ) -> Result<(), Error> {
        let representative = self.suite.representative(context, sha512)?;
        let Halves { post_quantum, traditional } =
            self.verify_halves(&representative, signature)?;
        post_quantum.and(traditional).map_err(|_| Error::Verify)
    }

    /// What each half is, for whoever made the signature.
    pub(super) fn verify_halves(
        &self,
        representative: &[u8],
        signature: &[u8],
    ) -> Result<Halves<Result<(), Error>>, Error> {
        let (sig_pq, sig_t) = self.suite.split_signature(signature).map_err(|_| Error::Verify)?;
        Ok(Halves {
            post_quantum: self.post_quantum.verify(
                self.suite.post_quantum_context,
                representative,
                sig_pq,
            ),
            traditional: self.traditional.verify(b"", representative, sig_t),
        })
    }
}

impl SchemeVerifier for CompositeVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.verify_prehashed(context, &Sha512::digest(message).into(), signature)
    }
}
