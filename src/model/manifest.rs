//! What the signer of a model said.

use super::{
    contents::{Contents, Method},
    signed_file::SignedFile,
    trusted_key::TrustedKey,
};

/// What the signer of a model said: the files, their digests, and what was left out.
/// [`Bundle::verify`](super::Bundle::verify) returns it.
///
/// Compare it with a directory by [`Checking`](super::Checking), or with one file when that is used:
///
/// ```
/// use std::io::Write;
///
/// use twinseal::model::{Bundle, FileHasher, ManifestBuilder, Method, TrustedKey};
///
/// # let alice = twinseal::SigningKey::generate()?;
/// # let mut hasher = FileHasher::new(Method::Files);
/// # hasher.write_all(b"{}")?;
/// # let mut model = ManifestBuilder::new("run-7")?;
/// # model.add("config.json", hasher.finish()?)?;
/// # let signature = model.sign(&alice)?.as_bytes().to_vec();
/// let bundle = Bundle::from_bytes(signature)?;
/// let manifest = bundle.verify(&[TrustedKey::from(alice.verifying_key())])?;
///
/// let names: Vec<&str> = manifest.files().map(|file| file.name()).collect();
/// assert_eq!(names, ["config.json"]);
/// let config = manifest.file("config.json").ok_or("there is no such file")?;
/// config.verify(b"{}")?;
/// assert!(config.verify(b"[]").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Manifest {
    pub(super) contents: Contents,
    pub(super) signer: TrustedKey,
}

impl Manifest {
    /// The key that signed.
    #[must_use]
    pub fn signer(&self) -> &TrustedKey {
        &self.signer
    }

    /// The base name of the directory or file that was signed. It may be called otherwise now.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.contents.name
    }

    /// How the files were hashed.
    #[must_use]
    pub fn method(&self) -> Method {
        self.contents.method
    }

    /// The signed files, sorted by the bytes of their names.
    pub fn files(&self) -> impl ExactSizeIterator<Item = SignedFile<'_>> {
        self.contents.files.iter().map(|(name, digest)| SignedFile { name, digest })
    }

    /// The file of this name: a relative path with `/`.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<SignedFile<'_>> {
        let (name, digest) = self.contents.files.get_key_value(name)?;
        Some(SignedFile { name, digest })
    }

    /// Paths that the signer left out, with all that is under them.
    pub fn ignored(&self) -> impl ExactSizeIterator<Item = &str> {
        self.contents.ignored.iter().map(String::as_str)
    }
}
