//! A signer of a verifying keyring: a key, and what it is called.

use std::sync::Arc;

use super::distinct::Handle;
use crate::sign::VerifyingKey;

/// Two are equal if they have the same key and the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signer {
    pub(super) key: VerifyingKey,
    pub(super) name: Option<Arc<str>>,
}

impl Handle for Signer {
    type Key = VerifyingKey;

    fn key(&self) -> &VerifyingKey {
        &self.key
    }
}
