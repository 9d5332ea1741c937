//! A manifest that is built by whoever reads or writes the files.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    bundle::Bundle,
    contents::{Contents, MAX_RESOURCES, Method},
    file_digest::FileDigest,
    names,
};
use crate::{
    error::{Error, ModelRefusal},
    sign::Sign,
};

/// A manifest in the making, for programs that have each file in their hands anyway, and need not read it again to
/// sign it. [`FileHasher`](super::FileHasher) and [`Hashing`](super::Hashing) make its digests.
///
/// ```
/// use std::{io::Write, num::NonZeroU64};
///
/// use twinseal::model::{FileHasher, ManifestBuilder, Method, TrustedKey};
///
/// # let alice = twinseal::SigningKey::generate()?;
/// # let files = [("config.json", vec![7; 100]), ("weights/1.safetensors", vec![7; 100_000])];
/// let mib = NonZeroU64::new(1 << 20).unwrap();
/// let mut model = ManifestBuilder::new("run-7")?.with_method(Method::Shards(mib));
/// for (name, bytes) in &files {
///     let mut hasher = FileHasher::new(model.method());
///     hasher.write_all(bytes)?; // or in parts, while they come
///     model.add(name, hasher.finish()?)?;
/// }
/// let bundle = model.sign(&alice)?;
///
/// let manifest = bundle.verify(&[TrustedKey::from(alice.verifying_key())])?;
/// assert_eq!(manifest.files().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManifestBuilder {
    contents: Contents,
    resources: usize,
}

impl ManifestBuilder {
    /// A model of this name. Each file is hashed whole unless [`with_method`](Self::with_method) says otherwise.
    ///
    /// The name is what people call the model, such as the last component of its directory's path. Nothing is compared
    /// with it.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`Name`](ModelRefusal::Name) if it is empty, `.`, `..`, or has a `/` or a NUL.
    pub fn new(name: &str) -> Result<Self, Error> {
        names::check(name)?;
        if name.contains('/') {
            return Err(Error::Model(ModelRefusal::Name));
        }
        let contents = Contents {
            name: name.to_owned(),
            method: Method::Files,
            files: BTreeMap::new(),
            ignored: Vec::new(),
        };
        Ok(Self { contents, resources: 0 })
    }

    /// Hashes by another method. Say so before files are added.
    #[must_use]
    pub fn with_method(mut self, method: Method) -> Self {
        self.contents.method = method;
        self
    }

    /// How files are hashed: for [`FileHasher::new`](super::FileHasher::new) and
    /// [`Hashing::new`](super::Hashing::new).
    #[must_use]
    pub fn method(&self) -> Method {
        self.contents.method
    }

    /// Adds a file. Its name is a relative path with `/`.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`Name`](ModelRefusal::Name) if the name is absolute or empty, has a component `.`,
    /// `..` or none, or a NUL; with [`Duplicate`](ModelRefusal::Duplicate) if there is a file of this name; with
    /// [`TooLarge`](ModelRefusal::TooLarge) for more than 2^20 files and shards. [`Error::Misuse`] if the digest was
    /// made by another method. Nothing is added then.
    pub fn add(&mut self, name: &str, digest: FileDigest) -> Result<(), Error> {
        names::check(name)?;
        self.check_method(&digest)?;
        let resources = self.resources.saturating_add(digest.resources());
        if resources > MAX_RESOURCES {
            return Err(Error::Model(ModelRefusal::TooLarge));
        }
        match self.contents.files.entry(name.to_owned()) {
            Entry::Occupied(_) => return Err(Error::Model(ModelRefusal::Duplicate)),
            Entry::Vacant(entry) => entry.insert(digest),
        };
        self.resources = resources;
        Ok(())
    }

    /// Signs the names and digests.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`Empty`](ModelRefusal::Empty) if there are no files; [`Error::Misuse`] if a digest was
    /// made by another method, or the key is of another suite than ECDSA-P384 + ML-DSA-87; and the errors of the key.
    pub fn sign(self, key: &(impl Sign + ?Sized)) -> Result<Bundle, Error> {
        if self.contents.files.is_empty() {
            return Err(Error::Model(ModelRefusal::Empty));
        }
        self.contents.files.values().try_for_each(|digest| self.check_method(digest))?;
        Bundle::sign(key, &self.contents)
    }

    fn check_method(&self, digest: &FileDigest) -> Result<(), Error> {
        if digest.method() == self.contents.method {
            return Ok(());
        }
        let reason = "it was made by another method than the manifest's";
        Err(Error::Misuse { what: "digest", reason })
    }
}
