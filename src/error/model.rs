//! Why is a signed model refused?

use std::fmt;

/// Why a bundle of OpenSSF Model Signing, or a model that is held against one, is refused.
///
/// The format allows more than this crate accepts, and tools have written more than the format allows. What this
/// crate leaves out on purpose has an entry of its own here; what is merely damaged is
/// [`Error::Invalid`](super::Error::Invalid), and a signature that does not verify is
/// [`Error::Verify`](super::Error::Verify).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ModelRefusal {
    /// The model is not as signed: something is missing, changed, additional or refused.
    NotAsSigned,
    /// Another key made the signature than those that are trusted.
    AnotherKey,
    /// The signature is of another algorithm, such as ML-DSA-65 alone.
    AnotherAlgorithm,
    /// The key is of a kind that other tools sign with, and this crate does not verify: P-256 or P-521.
    KindOfKey,
    /// A certificate takes the place of the key, with or without a transparency log.
    Certificate,
    /// The bundle says nothing about the key.
    NoKey,
    /// It is not a Sigstore bundle of version 0.3.
    MediaType,
    /// What is signed is not an in-toto statement.
    PayloadType,
    /// The statement is of another type than that of OMS 1.0.
    PredicateType,
    /// The bundle is of a release before 0.3, which signed another text: sign the model again.
    OldRelease,
    /// There is more than one signature.
    SeveralSignatures,
    /// There is more than one subject.
    SeveralSubjects,
    /// The signature has a key id, which nothing defines.
    KeyId,
    /// Nothing is signed: there are no files.
    Empty,
    /// A resource is listed twice.
    Duplicate,
    /// A name is absolute or empty, has a component `.` or `..`, an empty one, or a NUL. On Windows also one with a
    /// backslash or a colon, which lead elsewhere there.
    Name,
    /// The shards of a file overlap, leave a gap, or are not of the shard size.
    Shards,
    /// The ignored paths cover a resource or everything, leave the model, or have a pattern in them.
    IgnoredPaths,
    /// The signer allowed symbolic links.
    Links,
    /// The digests are not SHA-256: BLAKE2b, BLAKE3 or another.
    Hash,
    /// The root digest is not that of the resources.
    RootDigest,
    /// It is too much: JSON of more than 256 MiB or 32 levels, an object with more than 1024 members, or more than 2^20
    /// resources or ignored paths.
    TooLarge,
    /// An object of the JSON has a member twice.
    RepeatedMember,
    /// A file is empty, which the format cannot express by shards.
    EmptyFile,
    /// There is a symbolic link, or a link that another one has just become.
    Link,
    /// There is something that is neither a file nor a directory.
    SpecialFile,
    /// A file or directory has a name that is not UTF-8, or that the format does not allow.
    NameOfFile,
    /// A part of a file is to be verified that was hashed whole.
    NoShards,
    /// A range ends past the end of a signed file, or before its own start.
    Range,
    /// A file changed while it was read, or before all of the model was; or it was not there when that began.
    ChangedWhileRead,
}

impl fmt::Display for ModelRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsSigned => "the model is not as it was signed",
            Self::AnotherKey => "the bundle is signed by another key",
            Self::AnotherAlgorithm => "the bundle is made with another algorithm",
            Self::KindOfKey => {
                "the key is of another kind: only ML-DSA-87 with ECDSA-P384, and P-384, verify"
            }
            Self::Certificate => "the bundle is signed with a certificate, which is not supported",
            Self::NoKey => "the bundle does not say which key signed it",
            Self::MediaType => "not a Sigstore bundle of version 0.3",
            Self::PayloadType => "the bundle does not sign an in-toto statement",
            Self::PredicateType => "the statement is not of OpenSSF Model Signing 1.0",
            Self::OldRelease => {
                "the bundle is of a release before 0.3, which signed another text; sign the model again"
            }
            Self::SeveralSignatures => "the bundle has more than one signature",
            Self::SeveralSubjects => "the statement has more than one subject",
            Self::KeyId => "the signature has a key id, which nothing defines",
            Self::Empty => "there are no files",
            Self::Duplicate => "a resource is listed twice",
            Self::Name => "the name of a resource is not a relative path in its plain form",
            Self::Shards => {
                "the shards of a file overlap, leave a gap, or differ from the shard size"
            }
            Self::IgnoredPaths => {
                "the ignored paths cover a resource or everything, leave the model, or have a pattern"
            }
            Self::Links => "the signer allowed symbolic links, which are not supported",
            Self::Hash => "the digests are not SHA-256",
            Self::RootDigest => "the digest of the model is not that of its resources",
            Self::TooLarge => {
                "the bundle is longer than 256 MiB, has more than 2^20 resources or more than 32 levels"
            }
            Self::RepeatedMember => "the JSON has a member twice in one object",
            Self::EmptyFile => {
                "an empty file cannot be signed by shards; sign by files, or leave the file out"
            }
            Self::Link => "a symbolic link; replace it with a file, or ignore it",
            Self::SpecialFile => "neither a file nor a directory; remove it, or ignore it",
            Self::NameOfFile => "a name that is not UTF-8, or that the format does not allow",
            Self::NoShards => "the file was hashed whole, so a part of it cannot be verified",
            Self::Range => "the range is not a part of the signed file",
            Self::ChangedWhileRead => "the file changed while it was read",
        })
    }
}
