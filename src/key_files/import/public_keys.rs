//! Public keys in every form that other software legally writes.

use std::borrow::Cow;

use super::{form, point};
use crate::{
    constants,
    error::Error,
    kem::{EncapsulationKey, KemSuite},
    key_files::{
        PemDocument,
        algorithm::{NOT_DER, Registered, SPKI, spki_from_der},
        kem_keys,
    },
    sign::{SignatureSuite, VerifyingKey},
};

impl EncapsulationKey {
    /// The key in a PEM document as other software writes it: `PUBLIC KEY` around the form of
    /// [`import_der`](Self::import_der), or one of the labels of [`from_pem`](Self::from_pem), for suite
    /// 0x0051 too. Whatever the form was, [`to_pem`](Self::to_pem) writes the canonical one.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`import_der`](Self::import_der);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else.
    pub fn import_pem(pem: &str) -> Result<Self, Error> {
        let document = PemDocument::only(pem)?;
        match document.label() {
            constants::PEM_KEM_PUBLIC => {
                let content = document.decode()?;
                let (suite, key) = kem_keys::suite_and_key(&content)?;
                Self::from_bytes(suite, key)
            }
            _ => Self::import_der(&document.content(constants::PEM_SPKI)?),
        }
    }

    /// The key in a DER `SubjectPublicKeyInfo` (RFC 5280) with the algorithm
    /// id-MLKEM1024-ECDH-P384-SHA3-256, in one of the forms of [`import_bytes`](Self::import_bytes).
    ///
    /// # Errors
    ///
    /// Same as [`from_bytes`](Self::from_bytes); [`Error::Invalid`] if the DER is something else;
    /// [`Error::Algorithm`] if the key is for another algorithm.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, EncapsulationKey, KemSuite};
    ///
    /// let bob = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384)?;
    /// let spki = bob.encapsulation_key().to_spki_der()?;
    /// assert_eq!(&EncapsulationKey::import_der(&spki)?, bob.encapsulation_key());
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn import_der(der: &[u8]) -> Result<Self, Error> {
        let (suite, key) = spki(der)?;
        Self::import_bytes(suite, key)
    }

    /// The key in bare octets, as [`from_bytes`](Self::from_bytes) takes them, or with a compressed P-384
    /// point: 1617 bytes for suite 0x0051.
    ///
    /// # Errors
    ///
    /// Same as [`from_bytes`](Self::from_bytes).
    pub fn import_bytes(suite: KemSuite, bytes: &[u8]) -> Result<Self, Error> {
        if suite.oid().is_none() {
            return Self::from_bytes(suite, bytes);
        }
        let post_quantum = constants::ML_KEM_1024_LENGTHS.encapsulation_key;
        Self::from_bytes(suite, &with_whole_point(post_quantum, bytes)?)
    }
}

impl VerifyingKey {
    /// The key in a PEM document as other software writes it: `PUBLIC KEY` around the form of
    /// [`import_der`](Self::import_der). Whatever the form was, [`to_pem`](Self::to_pem) writes the canonical
    /// one.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`import_der`](Self::import_der);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else.
    pub fn import_pem(pem: &str) -> Result<Self, Error> {
        let document = PemDocument::only(pem)?;
        match document.label() {
            constants::PEM_EXPERIMENTAL_PUBLIC => document.try_into(),
            _ => Self::import_der(&document.content(constants::PEM_SPKI)?),
        }
    }

    /// The key in a DER `SubjectPublicKeyInfo` (RFC 5280) with the algorithm id-MLDSA87-ECDSA-P384-SHA512, in
    /// one of the forms of [`import_bytes`](Self::import_bytes).
    ///
    /// # Errors
    ///
    /// Same as [`from_bytes`](Self::from_bytes); [`Error::Invalid`] if the DER is something else;
    /// [`Error::Algorithm`] if the key is for another algorithm.
    ///
    /// ```
    /// use twinseal::{SigningKey, VerifyingKey};
    ///
    /// let alice = SigningKey::generate()?;
    /// let spki = alice.verifying_key().to_spki_der()?;
    /// assert_eq!(&VerifyingKey::import_der(&spki)?, alice.verifying_key());
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn import_der(der: &[u8]) -> Result<Self, Error> {
        let (suite, key) = spki(der)?;
        Self::import_bytes(suite, key)
    }

    /// The key in bare octets, as [`from_bytes`](Self::from_bytes) takes them, or with a compressed P-384
    /// point: 2641 bytes.
    ///
    /// # Errors
    ///
    /// Same as [`from_bytes`](Self::from_bytes).
    pub fn import_bytes(suite: SignatureSuite, bytes: &[u8]) -> Result<Self, Error> {
        if suite.oid().is_none() {
            return Self::from_bytes(suite, bytes);
        }
        let post_quantum = constants::ML_DSA_87_LENGTHS.verifying_key;
        Self::from_bytes(suite, &with_whole_point(post_quantum, bytes)?)
    }
}

/// Reads a `SubjectPublicKeyInfo`, or says which other form it is.
fn spki<Suite: Registered>(der: &[u8]) -> Result<(Suite, &[u8]), Error> {
    spki_from_der(der).map_err(|error| match (error, form::reason(der)) {
        (Error::Invalid { reason: NOT_DER, .. }, reason) if reason != form::SPKI => {
            Error::Invalid { what: SPKI, reason }
        }
        (error, _) => error,
    })
}

/// The key with its point in the canonical form; every other length is left to the caller.
fn with_whole_point(post_quantum: usize, key: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    match key.split_at_checked(post_quantum) {
        Some((post_quantum, traditional)) if traditional.len() == point::COMPRESSED => {
            Ok([post_quantum, &point::uncompressed(traditional)?].concat().into())
        }
        _ => Ok(key.into()),
    }
}
