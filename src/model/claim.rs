//! What does a bundle say, before anything of it is verified?

#[cfg(doc)]
use super::bundle::Bundle;
use super::{
    claimed_key::ClaimedKey, contents::Method, statement::Statement, trusted_key::TrustedKey,
};
use crate::sign::SignatureSuite;

/// What a bundle says about itself, for people to look at. Anybody could have written it: use only what
/// [`Bundle::verify`] returns.
///
/// ```
/// use twinseal::{SigningKey, model::{Bundle, Method, Signing, TrustedKey}};
///
/// # let directory = tempfile::tempdir()?;
/// # let model = directory.path().join("model");
/// # std::fs::create_dir(&model)?;
/// # std::fs::write(model.join("weights"), [7; 1000])?;
/// let alice = SigningKey::generate()?;
/// let bundle = Signing::new().sign(&alice, &model)?;
/// let claim = bundle.claim()?;
/// assert_eq!(claim.hint(), Some(TrustedKey::from(alice.verifying_key()).hint().as_str()));
/// assert_eq!((claim.name(), claim.method()), ("model", Method::Files));
/// assert!(claim.file_names().eq(["weights"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Claim {
    pub(super) key: ClaimedKey,
    pub(super) suite: Option<SignatureSuite>,
    pub(super) has_log: bool,
    pub(super) statement: Statement,
}

impl Claim {
    /// The text that names the key, if there is one: usually the [`hint`](TrustedKey::hint) of a key. It may be any text.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.key.hint.as_deref()
    }

    /// The key itself, which older bundles have.
    #[must_use]
    pub fn key(&self) -> Option<&TrustedKey> {
        self.key.key.as_ref()
    }

    /// The suite of this crate that the signature has the form of. There is none for signatures of P-384 keys.
    #[must_use]
    pub fn suite(&self) -> Option<SignatureSuite> {
        self.suite
    }

    /// The name of the model.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.statement.contents.name
    }

    /// The digest of the model: SHA-256 over the digests of all resources.
    #[must_use]
    pub fn root_sha256(&self) -> &[u8; 32] {
        &self.statement.root
    }

    /// The names of the files, sorted by their bytes.
    pub fn file_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.statement.contents.files.keys().map(String::as_str)
    }

    /// Paths that were left out, with all that is under them.
    pub fn ignored(&self) -> impl ExactSizeIterator<Item = &str> {
        self.statement.contents.ignored.iter().map(String::as_str)
    }

    /// How many resources there are: files, or shards of them.
    #[must_use]
    pub fn resources(&self) -> usize {
        self.statement.resources
    }

    /// How the files were hashed.
    #[must_use]
    pub fn method(&self) -> Method {
        self.statement.contents.method
    }

    /// Whether the bundle has entries of a transparency log, or timestamps. This crate does not judge them.
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.has_log
    }
}
