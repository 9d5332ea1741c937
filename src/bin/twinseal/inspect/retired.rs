//! A retired key or suite, which a rotation has replaced.

use std::iter;

use twinseal::{KemSuite, KeyId, SignatureSuite};

use super::found::Found;

#[derive(Clone, Debug)]
pub(crate) enum Retired {
    Key(KeyId),
    Suite(&'static str),
}

impl Retired {
    /// A key id in hexadecimal, or the name of a suite.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut suites = suite_names();
        if let Some(suite) = suites.find(|suite| suite.eq_ignore_ascii_case(text)) {
            return Ok(Self::Suite(suite));
        }
        text.parse().map(Self::Key).map_err(|_| {
            let names: Vec<_> = suite_names().collect();
            format!(
                "neither a key id ({} hexadecimal digits) nor a suite ({})",
                2 * KeyId::LEN,
                names.join(", ")
            )
        })
    }

    /// Whether a file contains the key, is sealed for it, or is of the suite. A signature shows only its
    /// suite, of a model too.
    pub(super) fn is_in(&self, found: &Found) -> bool {
        match self {
            Self::Key(retired) => found.keys().iter().any(|key| key.key_id == *retired),
            Self::Suite(retired) => {
                let keys = found.keys();
                let signature = match found {
                    Found::Signature { suite, .. } => Some(suite.name()),
                    Found::Model(claim) => claim.suite().map(SignatureSuite::name),
                    _ => None,
                };
                let mut suites = keys.iter().map(|key| key.suite).chain(iter::once(signature));
                suites.any(|suite| suite == Some(retired))
            }
        }
    }
}

/// KEM suites first.
pub(crate) fn suite_names() -> impl Iterator<Item = &'static str> {
    let kem = KemSuite::ALL.iter().map(|suite| suite.name());
    kem.chain(SignatureSuite::ALL.iter().map(|suite| suite.name()))
}
