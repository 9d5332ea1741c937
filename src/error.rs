//! What can go wrong, and how much an error reveals.

#[cfg(feature = "object_store")]
mod at_path;
mod certificate;
mod kind;
mod model;
mod shown;
mod store;

#[cfg(feature = "object_store")]
pub(crate) use at_path::AtPath;
pub use certificate::CertificateRefusal;
pub use kind::ErrorKind;
pub use model::ModelRefusal;
pub(crate) use shown::Shown;
pub use store::StoreRefusal;

use std::{
    error, fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::half::Half;

/// Every error of this crate. [`kind`](Error::kind) sorts them by who can do something about them.
///
/// Errors about public data are specific: they name what was expected and what was found. Once a
/// secret has been used there is only [`Open`](Error::Open), [`Verify`](Error::Verify) or
/// [`Passphrase`](Error::Passphrase), without a reason, because a reason would help a forger.
///
/// Only [`External`](Error::External) has a [`source`](error::Error::source): the cause that it was
/// made with. Its own text does not repeat the cause's, so log the whole chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value does not have its fixed length. Lengths are in bytes.
    #[error("{what} must be {expected} bytes long, not {actual}")]
    Length {
        /// The value that was read.
        what: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        actual: usize,
    },

    /// The input ends early. Lengths are in bytes, from the start of the structure.
    #[error("{what} ends after {actual} bytes but needs at least {needed}")]
    Truncated {
        /// The structure that was read.
        what: &'static str,
        /// How many bytes the next field needs.
        needed: usize,
        /// How many bytes there are.
        actual: usize,
    },

    /// A suite, version or type that this crate does not know.
    #[error("unknown {what} {id:#06x}")]
    Unknown {
        /// What the number identifies.
        what: &'static str,
        /// The number that was found.
        id: u16,
    },

    /// A key, ciphertext, signature or structure breaks a rule of its format.
    #[error("invalid {what}: {reason}")]
    Invalid {
        /// The value that was read.
        what: &'static str,
        /// The rule that it breaks.
        reason: &'static str,
    },

    /// Two values that are used together belong to different suites.
    #[error("the {what} is of suite {actual}, but the key is of suite {expected}")]
    SuiteMismatch {
        /// The value that does not fit the key.
        what: &'static str,
        /// The name of the key's suite.
        expected: &'static str,
        /// The name of the value's suite.
        actual: &'static str,
    },

    /// A call that cannot be made: one of its arguments, or the state of its object, does not allow
    /// it.
    #[error("invalid {what}: {reason}")]
    Misuse {
        /// The argument or object.
        what: &'static str,
        /// Why the call cannot be made.
        reason: &'static str,
    },

    /// A context is empty, longer than 255 bytes, or starts with the reserved prefix `twinseal/`.
    #[error("invalid context: {0}")]
    Context(&'static str),

    /// The text has no PEM document (RFC 7468).
    #[error("not a PEM file: {reason}")]
    NotPem {
        /// How the text shows that.
        reason: &'static str,
    },

    /// A PEM document is damaged, or the text around it could be a damaged one.
    #[error("invalid PEM in line {line}: {reason}")]
    Pem {
        /// The number of the line, counted from 1.
        line: usize,
        /// The rule that it breaks.
        reason: &'static str,
    },

    /// The text has several PEM documents, but one was asked for.
    #[error("expected one PEM document, found {found}")]
    PemCount {
        /// How many there are.
        found: usize,
    },

    /// A PEM document is of another type than was asked for.
    #[error("expected a PEM document labelled {expected:?}, found {found:?}")]
    PemLabel {
        /// The label of the type that was asked for.
        expected: &'static str,
        /// The label in the document, cut after 64 characters.
        found: String,
    },

    /// A key is for an algorithm that this crate does not have, such as RSA.
    #[error("the {what} is for another algorithm, {oid}")]
    Algorithm {
        /// The value that was read.
        what: &'static str,
        /// The algorithm's object identifier, as in "1.2.840.113549.1.1.1".
        oid: String,
    },

    /// The data is not an envelope: it does not start with the eight bytes `twinseal`.
    #[error("not an envelope: it does not start with \"twinseal\"")]
    NotAnEnvelope,

    /// Keys do not make a keyring: two different ones have an equal half, or in a file or directory there are
    /// too many, one is there twice, or `primary.pem` is missing.
    #[error("invalid keyring: {reason}")]
    Keyring {
        /// The rule that they break.
        reason: &'static str,
    },

    /// The policy does not accept a suite.
    #[error("the policy does not accept the {what} {name}")]
    Refused {
        /// What was refused.
        what: &'static str,
        /// The suite's name.
        name: &'static str,
    },

    /// The envelope, request or hello is not addressed to this key, or not to any key of the keyring.
    #[error("not addressed to this key")]
    NotARecipient,

    /// The request or hello is not signed, or its signature is detached, but only named signers are
    /// accepted.
    #[error("not signed, but a signer is required")]
    Unsigned,

    /// The request or hello is signed, but there is no named signer to verify it with.
    #[error("signed, but no signer was named")]
    Signed,

    /// The key that signed is not the named signer's, or not in the keyring. For a request this is
    /// [`Verify`](Error::Verify): a stranger must not learn who is known.
    #[error("signed by an unknown key")]
    UnknownSigner,

    /// Opening failed: wrong key, wrong context, or changed data. In a session, the message may also
    /// not be the next one, because an earlier one was lost. The detail is left out on purpose.
    #[error("opening failed: wrong key, wrong context, changed data, or a lost message")]
    Open,

    /// Verification failed: wrong key, wrong context, wrong message, or changed signature. The detail
    /// is left out on purpose.
    #[error("verification failed: wrong key, context or message, or a changed signature")]
    Verify,

    /// A certificate, or every chain from it to a trust anchor, is refused.
    #[error("the certificate is refused: {0}")]
    Certificate(CertificateRefusal),

    /// The keys of a sealed store, or an object in it, are refused.
    #[error("sealed store: {0}")]
    Store(StoreRefusal),

    /// A signed model, or the bundle that signs it, is refused.
    #[error("{0}")]
    Model(ModelRefusal),

    /// A signed model is refused for one of its resources, which are files and shards of files.
    #[error("resource {}: {error}", Shown(Path::new(name)))]
    Resource {
        /// The name in the bundle, cut after 256 characters.
        name: String,
        /// Why it is refused.
        error: Box<Error>,
    },

    /// An encrypted private key did not decrypt: the passphrase is wrong, the file was changed, or what is
    /// encrypted is another key than was expected, does not say whose key it is, or is none of this crate's
    /// keys. The detail is left out on purpose.
    #[error("wrong passphrase, a changed file, or not the expected key")]
    Passphrase,

    /// A private key is encrypted, and was read without a passphrase. With the feature `passphrase`,
    /// `from_encrypted_pem` reads it.
    #[error("the private key is encrypted under a passphrase; read it with from_encrypted_pem")]
    Encrypted,

    /// A [`ReplayGuard`](crate::request::ReplayGuard) refused the request.
    #[error("the request is refused: {0}")]
    Replay(ReplayRefusal),

    /// The last message of this direction of the session was already sealed or opened.
    #[error("the session is finished: its last message was sealed or opened")]
    Finished,

    /// A direction of a session has carried as much as its key may protect.
    #[error("the session's key is used up; start another session")]
    Exhausted,

    /// The source of randomness failed.
    #[error("the source of randomness failed")]
    Randomness,

    /// The provider that the key uses does not offer this operation.
    #[error("the provider does not support {0}")]
    Unsupported(&'static str),

    /// An external key (HSM, KMS), or the store of a [`ReplayGuard`](crate::request::ReplayGuard), failed;
    /// see [`Error::external`].
    #[error(transparent)]
    External(ExternalFailure),
}

/// Why a [`ReplayGuard`](crate::request::ReplayGuard) refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplayRefusal {
    /// Its time is later than that of this side: one of the two clocks is wrong.
    FromTheFuture,
    /// It was made too long ago, or took too long to arrive.
    TooOld,
    /// It was made before the guard began, or just after, so the guard before may have let it in; or the
    /// guard was closed. Make a new one in a moment.
    Restarted,
    /// It was let in before. This does not say whether it was answered.
    Replayed,
    /// The guard has no room for another request: try again later.
    Full,
}

impl fmt::Display for ReplayRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FromTheFuture => "its time is in the future, so a clock is wrong",
            Self::TooOld => "it is too old",
            Self::Restarted => "this service is restarting, and lets in only newer ones; make a new one in a moment",
            Self::Replayed => "it was let in before",
            Self::Full => "too many requests within the window; try again later",
        })
    }
}

impl Error {
    /// Wraps a failure of an external key, for authors of [`Decapsulate`] and [`Sign`]; and of the store
    /// behind a [`ReplayGuard`](crate::request::ReplayGuard).
    ///
    /// [`Decapsulate`]: crate::Decapsulate
    /// [`Sign`]: crate::Sign
    ///
    /// ```
    /// use std::error::Error;
    ///
    /// let error = twinseal::Error::external("the token is locked");
    /// assert_eq!(error.to_string(), "the external key failed");
    /// assert_eq!(error.source().unwrap().to_string(), "the token is locked");
    /// ```
    #[must_use]
    pub fn external(cause: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self::External(ExternalFailure { half: None, cause: cause.into().into() })
    }

    /// The failure of one half of a split key.
    pub(crate) fn of_half(self, half: Half) -> Self {
        let cause = match self {
            Self::External(failure) => failure.cause,
            other => Arc::new(other),
        };
        Self::External(ExternalFailure { half: Some(half), cause })
    }

    /// Keeps an external key from judging data: it receives only data that was checked before, so any
    /// error that it reports is its own failure.
    pub(crate) fn into_external(self) -> Self {
        match self {
            Self::External(_) | Self::Randomness => self,
            other => Self::external(other),
        }
    }

    /// The error of this crate inside another one, or among its sources, if there is one. Functions that read or
    /// write return [`io::Error`]; if it is about a file, its text also names the file. Sealed stores return
    /// `object_store::Error`, and what reads them an error of its own.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, Error};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("bob.pem");
    /// std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")?;
    /// let error = DecapsulationKey::read_pem_file(&path).unwrap_err();
    /// assert!(matches!(Error::inside(&error), Some(Error::PemLabel { .. })));
    /// assert!(error.to_string().contains("bob.pem: expected a PEM document"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn inside<'a>(error: &'a (dyn error::Error + 'static)) -> Option<&'a Self> {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        #[cfg(feature = "object_store")]
        if let Some(about) = error.downcast_ref::<AtPath>() {
            return Some(&about.error);
        }
        if let Some(InFile { error, .. }) = error.downcast_ref() {
            return Self::inside(error);
        }
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Self::inside(inner), // its source is that of `inner`
            None => Self::inside(error.source()?),
        }
    }

    /// Adds the path of the file or directory that the error is about.
    pub(crate) fn at(path: &Path, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), InFile { path: path.to_path_buf(), error })
    }
}

/// The failure of an external key (HSM, KMS). Its [`source`](error::Error::source) is the cause that
/// [`Error::external`] was given. It is equal only to its own clones.
#[derive(Clone, Debug)]
pub struct ExternalFailure {
    half: Option<Half>,
    cause: Arc<dyn error::Error + Send + Sync>,
}

impl ExternalFailure {
    /// Which half of a [split key](crate::split) failed; `None` for other keys.
    #[must_use]
    pub fn half(&self) -> Option<Half> {
        self.half
    }
}

impl PartialEq for ExternalFailure {
    fn eq(&self, other: &Self) -> bool {
        self.half == other.half && Arc::ptr_eq(&self.cause, &other.cause)
    }
}

impl Eq for ExternalFailure {}

impl fmt::Display for ExternalFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.half {
            Some(half) => write!(f, "the {half} of the external key failed"),
            None => f.write_str("the external key failed"),
        }
    }
}

/// By hand: a derived one would return the `Arc` as the source, which cannot be downcast.
impl error::Error for ExternalFailure {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.cause)
    }
}

/// An error with the path of the file or directory that it is about.
#[derive(Debug)]
struct InFile {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for InFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Shown(&self.path), self.error)
    }
}

impl error::Error for InFile {
    /// The source of the inner error: its own text is already a part of this one's.
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error.source()
    }
}

/// Functions that read or write files and streams return [`io::Error`]; [`Error::inside`] returns the
/// [`Error`] in it. Errors about data are [`InvalidData`](io::ErrorKind::InvalidData), errors of the
/// caller [`InvalidInput`](io::ErrorKind::InvalidInput), errors of the system or of an external key
/// [`Other`](io::ErrorKind::Other).
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Randomness | Error::External(_) => io::ErrorKind::Other,
            Error::Context(_) | Error::Misuse { .. } => io::ErrorKind::InvalidInput,
            Error::Unsupported(_) => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
