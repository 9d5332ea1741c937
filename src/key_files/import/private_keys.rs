//! Private keys in every form that other software legally writes.

use zeroize::Zeroizing;

use super::{
    private_halves::{ML_DSA_87, ML_KEM_1024, PostQuantum, PrivateHalves},
    private_info::PrivateInfo,
};
use crate::{
    constants, ec_private_key,
    error::Error,
    kem::{DecapsulationKey, EncapsulationKey, KemSuite},
    key_files::{
        PemDocument,
        algorithm::{PKCS8, suite_of},
        kem_keys,
    },
    sign::{ExpandedSigningKey, SignatureSuite, SigningKey, VerifyingKey},
};

impl DecapsulationKey {
    /// The key in a PEM document as other software writes it: `PRIVATE KEY` around one of the forms of
    /// [`import_der`](Self::import_der), or one of the labels of [`from_pem`](Self::from_pem), for suite
    /// 0x0051 too. Whatever the form was, [`to_pem`](Self::to_pem) writes the canonical one.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`import_der`](Self::import_der);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else; [`Error::Encrypted`] if the key in it is encrypted.
    pub fn import_pem(pem: &str) -> Result<Self, Error> {
        let document = PemDocument::only(pem)?;
        match document.label() {
            constants::PEM_KEM_PRIVATE => {
                let content = document.decode()?;
                let (suite, seed) = kem_keys::suite_and_key(&content)?;
                Self::from_seed(suite, seed)
            }
            _ => Self::import_der(&document.content(constants::PEM_PKCS8)?),
        }
    }

    /// The key in PKCS#8 (RFC 5958) of either version, in DER, with the algorithm
    /// id-MLKEM1024-ECDH-P384-SHA3-256. Its content may have any of the forms of
    /// [`import_bytes`](Self::import_bytes). A public key is compared with that of the private key, and
    /// attributes are ignored.
    ///
    /// # Errors
    ///
    /// Same as [`import_bytes`](Self::import_bytes); [`Error::Invalid`] if the DER is something else, or a
    /// public key in it belongs to another private key; [`Error::Algorithm`] if the key is for another
    /// algorithm.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, KemSuite};
    ///
    /// let key = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384)?;
    /// let same = DecapsulationKey::import_der(key.to_pkcs8_der()?.as_bytes())?;
    /// assert_eq!(same.encapsulation_key(), key.encapsulation_key());
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn import_der(der: &[u8]) -> Result<Self, Error> {
        Self::of_private_info(&PrivateInfo::read(der)?)
    }

    /// The key of PKCS#8 that was read.
    pub(crate) fn of_private_info(info: &PrivateInfo<'_>) -> Result<Self, Error> {
        let suite = suite_of(PKCS8, &info.algorithm)?;
        let key = Self::import_bytes(suite, info.private_key)?;
        let public_key = info.public_key.map(|bytes| EncapsulationKey::import_bytes(suite, bytes));
        same_public_key(public_key, key.encapsulation_key())?;
        Ok(key)
    }

    /// The key in bare octets. In every suite these may be the 32-byte seed. In suite 0x0051 they may also be
    /// the two halves: the ML-KEM seed `d || z` (64), then the P-384 key as RFC 5915 `ECPrivateKey` in DER,
    /// with or without curve and public key, or as the 48 bytes of the scalar. The ML-KEM seed may be in DER, as
    /// RFC 9935 §6 has it, and beside its expanded form. All that is redundant is compared.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the key has none of these forms, or its parts contradict each other, or the
    /// scalar is not from 1 to n - 1; [`Error::Length`] for another suite, if it is not 32 bytes.
    pub fn import_bytes(suite: KemSuite, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() == KemSuite::SEED_LEN || suite.oid().is_none() {
            return Self::from_seed(suite, bytes);
        }
        let halves = PrivateHalves::read(&ML_KEM_1024, bytes)?;
        let seeds = [halves.seed(&ML_KEM_1024)?, halves.traditional.scalar].concat();
        let key = Self::from_halves(suite, Zeroizing::new(seeds))?;
        halves.traditional.check_point(key.encapsulation_key().as_bytes())?;
        Ok(key)
    }
}

impl SigningKey {
    /// The key in a PEM document as other software writes it: `PRIVATE KEY` around one of the forms of
    /// [`import_der`](Self::import_der). Whatever the form was, [`to_pem`](Self::to_pem) writes the canonical
    /// one.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`import_der`](Self::import_der);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else; [`Error::Encrypted`] if the key in it is encrypted.
    pub fn import_pem(pem: &str) -> Result<Self, Error> {
        let document = PemDocument::only(pem)?;
        match document.label() {
            constants::PEM_EXPERIMENTAL_PRIVATE => document.try_into(),
            _ => Self::import_der(&document.content(constants::PEM_PKCS8)?),
        }
    }

    /// The key in PKCS#8 (RFC 5958) of either version, in DER, with the algorithm
    /// id-MLDSA87-ECDSA-P384-SHA512. Its content may have any of the forms of
    /// [`import_bytes`](Self::import_bytes). A public key is compared with that of the private key, and
    /// attributes are ignored.
    ///
    /// # Errors
    ///
    /// Same as [`import_bytes`](Self::import_bytes); [`Error::Invalid`] if the DER is something else, or a
    /// public key in it belongs to another private key; [`Error::Algorithm`] if the key is for another
    /// algorithm.
    ///
    /// ```
    /// let key = twinseal::SigningKey::generate()?;
    /// let same = twinseal::SigningKey::import_der(key.to_pkcs8_der()?.as_bytes())?;
    /// assert_eq!(same.verifying_key(), key.verifying_key());
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn import_der(der: &[u8]) -> Result<Self, Error> {
        Self::of_private_info(&PrivateInfo::read(der)?)
    }

    /// The key of PKCS#8 that was read.
    pub(crate) fn of_private_info(info: &PrivateInfo<'_>) -> Result<Self, Error> {
        let suite = suite_of(PKCS8, &info.algorithm)?;
        let key = Self::import_bytes(suite, info.private_key)?;
        let public_key = info.public_key.map(|bytes| VerifyingKey::import_bytes(suite, bytes));
        same_public_key(public_key, key.verifying_key())?;
        Ok(key)
    }

    /// The key in bare octets: the ML-DSA seed (32), then the P-384 key as RFC 5915 `ECPrivateKey` in DER,
    /// with or without curve and public key, or as the 48 bytes of the scalar. The ML-DSA seed may be in DER, as
    /// RFC 9881 §6 has it, and beside its expanded form. All that is redundant is compared. A key of an
    /// experimental suite has only the form of [`from_bytes`](Self::from_bytes).
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the key has none of these forms, or its parts contradict each other, or the
    /// scalar is not from 1 to n - 1, or if the ML-DSA half is only the expanded form:
    /// [`import_expanded_bytes`](Self::import_expanded_bytes) loads such a key.
    pub fn import_bytes(suite: SignatureSuite, bytes: &[u8]) -> Result<Self, Error> {
        if suite.oid().is_none() {
            return Self::from_bytes(suite, bytes);
        }
        let halves = PrivateHalves::read(&ML_DSA_87, bytes)?;
        let ec_private_key = Zeroizing::new(ec_private_key::encode(halves.traditional.scalar));
        let bytes = Zeroizing::new([halves.seed(&ML_DSA_87)?, &ec_private_key].concat());
        let key = Self::from_bytes(suite, &bytes)?;
        halves.traditional.check_point(key.verifying_key().as_bytes())?;
        Ok(key)
    }

    /// The key in a PEM document `PRIVATE KEY`, if its ML-DSA half is only the expanded form.
    ///
    /// # Errors
    ///
    /// Same as [`import_pem`](Self::import_pem) and
    /// [`import_expanded_bytes`](Self::import_expanded_bytes).
    pub fn import_expanded_pem(pem: &str) -> Result<ExpandedSigningKey, Error> {
        Self::import_expanded_der(&PemDocument::only(pem)?.content(constants::PEM_PKCS8)?)
    }

    /// The key in PKCS#8 of either version, in DER, if its ML-DSA half is only the expanded form. A public key
    /// is compared with that of the private key, and attributes are ignored.
    ///
    /// # Errors
    ///
    /// Same as [`import_der`](Self::import_der) and
    /// [`import_expanded_bytes`](Self::import_expanded_bytes).
    pub fn import_expanded_der(der: &[u8]) -> Result<ExpandedSigningKey, Error> {
        let info = PrivateInfo::read(der)?;
        let suite = suite_of(PKCS8, &info.algorithm)?;
        let key = Self::import_expanded_bytes(suite, info.private_key)?;
        let public_key = info.public_key.map(|bytes| VerifyingKey::import_bytes(suite, bytes));
        same_public_key(public_key, key.verifying_key())?;
        Ok(key)
    }

    /// The key in bare octets, if its ML-DSA half is only the expanded form: the expanded key of FIPS 204
    /// (4896), then the P-384 key as in [`import_bytes`](Self::import_bytes). Such a key signs, but cannot
    /// be written to a key file, which holds the seed.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the key has another form, or its parts contradict each other;
    /// [`Error::Unsupported`] for an experimental suite.
    pub fn import_expanded_bytes(
        suite: SignatureSuite,
        bytes: &[u8],
    ) -> Result<ExpandedSigningKey, Error> {
        if suite.oid().is_none() {
            return Err(Error::Unsupported("expanded keys of an experimental suite"));
        }
        let halves = PrivateHalves::read(&ML_DSA_87, bytes)?;
        let PostQuantum::Expanded(expanded) = halves.post_quantum else {
            let reason = "it has its seed; import it as any other key";
            return Err(Error::Invalid { what: ML_DSA_87.what, reason });
        };
        let key = ExpandedSigningKey::load(suite, expanded, halves.traditional.scalar)?;
        halves.traditional.check_point(key.verifying_key().as_bytes())?;
        Ok(key)
    }
}

/// Compares a public key that stands beside a private key with the one that was computed.
fn same_public_key<Key: PartialEq>(
    stated: Option<Result<Key, Error>>,
    computed: &Key,
) -> Result<(), Error> {
    match stated.transpose()? {
        Some(stated) if stated != *computed => {
            let reason = "its public key belongs to another private key";
            Err(Error::Invalid { what: PKCS8, reason })
        }
        _ => Ok(()),
    }
}
