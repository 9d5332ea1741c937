//! Keys of two halves, loaded from the places of their halves.

use std::path::Path;

use twinseal::{
    EncapsulationKey, KemSuite, KeyId, SignatureSuite, VerifyingKey,
    split::{SplitDecapsulationKey, SplitSigningKey},
};

use crate::{
    Result,
    halves_file::HalvesFile,
    make::algorithms,
    place::{Place, warn_of_one_token},
};

/// A public key of either kind.
pub(crate) enum Public {
    Opens(EncapsulationKey),
    Signs(VerifyingKey),
}

impl Public {
    pub(crate) fn from_halves(sign: bool, post_quantum: &[u8], traditional: &[u8]) -> Result<Self> {
        Ok(if sign {
            let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
            Self::Signs(VerifyingKey::from_halves(suite, post_quantum, traditional)?)
        } else {
            let suite = KemSuite::ML_KEM_1024_P384;
            Self::Opens(EncapsulationKey::from_halves(suite, post_quantum, traditional)?)
        })
    }

    pub(crate) fn to_pem(&self) -> String {
        match self {
            Self::Opens(key) => key.to_pem(),
            Self::Signs(key) => key.to_pem(),
        }
    }

    pub(crate) fn key_id(&self) -> KeyId {
        match self {
            Self::Opens(key) => key.key_id(),
            Self::Signs(key) => key.key_id(),
        }
    }

    pub(crate) fn suite(&self) -> &'static str {
        match self {
            Self::Opens(key) => key.suite().name(),
            Self::Signs(key) => key.suite().name(),
        }
    }
}

/// The private key of a `.halves` file, which opens.
pub(crate) fn opening(path: &Path) -> Result<SplitDecapsulationKey> {
    let file = HalvesFile::read(path)?;
    let public = EncapsulationKey::read_pem_file(&file.public)?;
    split_opening(public, &file.post_quantum, &file.traditional)
}

/// The private key of a `.halves` file, which signs.
pub(crate) fn signing(path: &Path) -> Result<SplitSigningKey> {
    let file = HalvesFile::read(path)?;
    let public = VerifyingKey::read_pem_file(&file.public)?;
    split_signing(public, &file.post_quantum, &file.traditional)
}

/// Uses both halves of a `.halves` file once.
pub(crate) fn check_file(path: &Path, sign: bool) -> Result<()> {
    let file = HalvesFile::read(path)?;
    let public = if sign {
        Public::Signs(VerifyingKey::read_pem_file(&file.public)?)
    } else {
        Public::Opens(EncapsulationKey::read_pem_file(&file.public)?)
    };
    warn_of_one_token(&file.post_quantum, &file.traditional)?;
    check(&public, &file.post_quantum, &file.traditional)
}

/// Uses both halves of a key once.
pub(crate) fn check(public: &Public, post_quantum: &Place, traditional: &Place) -> Result<()> {
    match public {
        Public::Opens(key) => split_opening(key.clone(), post_quantum, traditional)?.check()?,
        Public::Signs(key) => split_signing(key.clone(), post_quantum, traditional)?.check()?,
    }
    Ok(())
}

fn split_opening(
    public: EncapsulationKey,
    post_quantum: &Place,
    traditional: &Place,
) -> Result<SplitDecapsulationKey> {
    if public.suite() != KemSuite::ML_KEM_1024_P384 {
        return Err(format!(
            "tokens hold keys of {}, and this one is of {}",
            KemSuite::ML_KEM_1024_P384,
            public.suite()
        )
        .into());
    }
    let algorithms = algorithms(false);
    let post_quantum = post_quantum.decapsulator(algorithms.post_quantum)?;
    let traditional = traditional.decapsulator(algorithms.traditional)?;
    Ok(SplitDecapsulationKey::new(public, post_quantum, traditional))
}

fn split_signing(
    public: VerifyingKey,
    post_quantum: &Place,
    traditional: &Place,
) -> Result<SplitSigningKey> {
    let algorithms = algorithms(true);
    let post_quantum = post_quantum.signer(algorithms.post_quantum)?;
    let traditional = traditional.signer(algorithms.traditional)?;
    Ok(SplitSigningKey::new(public, post_quantum, traditional))
}
