//! What does a bundle say, before anything of it is verified?

use super::{bundle::Bundle, contents::Method, trusted_key::TrustedKey};
use crate::sign::{Signature, SignatureSuite};

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
/// let claim = bundle.claim();
/// assert_eq!(claim.hint(), Some(TrustedKey::from(alice.verifying_key()).hint().as_str()));
/// assert_eq!((claim.model(), claim.method(), claim.files()), ("model", Method::Files, 1));
/// assert!(claim.file_names().eq(["weights"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a>(pub(super) &'a Bundle);

impl<'a> Claim<'a> {
    /// The text that names the key, if there is one: usually the [`hint`](TrustedKey::hint) of a key. It may be any text.
    #[must_use]
    pub fn hint(&self) -> Option<&'a str> {
        self.0.key.hint.as_deref()
    }

    /// The key itself, which older bundles have.
    #[must_use]
    pub fn key(&self) -> Option<&'a TrustedKey> {
        self.0.key.key.as_ref()
    }

    /// The suite of this crate that the signature has the form of. There is none for signatures of P-384 keys.
    #[must_use]
    pub fn suite(&self) -> Option<SignatureSuite> {
        let has_form =
            |suite: &&SignatureSuite| Signature::from_bytes(**suite, &self.0.signature).is_ok();
        SignatureSuite::ALL.iter().find(has_form).copied()
    }

    /// The name of the model.
    #[must_use]
    pub fn model(&self) -> &'a str {
        &self.0.statement.contents.name
    }

    /// The digest of the model: SHA-256 over the digests of all resources.
    #[must_use]
    pub fn root_sha256(&self) -> &'a [u8; 32] {
        &self.0.statement.root
    }

    /// How many files there are.
    #[must_use]
    pub fn files(&self) -> usize {
        self.0.statement.contents.files.len()
    }

    /// The names of the files, sorted by their bytes.
    pub fn file_names(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        self.0.statement.contents.files.keys().map(String::as_str)
    }

    /// Paths that were left out, with all that is under them.
    pub fn ignored(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        self.0.statement.contents.ignored.iter().map(String::as_str)
    }

    /// How many resources there are: files, or shards of them.
    #[must_use]
    pub fn resources(&self) -> usize {
        self.0.statement.resources
    }

    /// How the files were hashed.
    #[must_use]
    pub fn method(&self) -> Method {
        self.0.statement.contents.method
    }

    /// Whether the bundle has entries of a transparency log, or timestamps. This crate does not judge them.
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.0.has_log
    }
}
