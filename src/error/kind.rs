//! Who can do something about an error: the other side, or this one.

use super::{Error, ModelRefusal, ReplayRefusal};

/// What an [`Error`] means to a service that was given the data; see [`Error::kind`].
///
/// The HTTP statuses are suggestions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The data is not in the form that was asked for. Sending it again does not help.
    /// HTTP: 400 Bad Request.
    Malformed,
    /// The data is well formed but does not authenticate: another key or context, a change on the
    /// way, no signature where one is required, or an unknown signer. HTTP: 401 Unauthorized.
    Unauthenticated,
    /// The data uses a suite that the [`Policy`](crate::Policy) of this side does not accept.
    /// HTTP: 403 Forbidden.
    Refused,
    /// The data is addressed to other keys: the sender has an old key, or the wrong service.
    /// HTTP: 421 Misdirected Request.
    NotForUs,
    /// A request comes at the wrong time or a second time. A new one, made with the right clock, may be
    /// let in. HTTP: 409 Conflict.
    Replay,
    /// There is no room for another request now. HTTP: 429 Too Many Requests.
    Busy,
    /// The error is on this side, whatever the data is: an argument, a session that has ended, the
    /// source of randomness, or an external key. HTTP: 500 Internal Server Error, and 503 Service
    /// Unavailable for [`Error::External`] and [`Error::Randomness`], which may be worth a retry.
    /// A peer that sends on after its last message causes [`Error::Finished`] only in a receiver
    /// that does not stop at [`is_finished`](crate::session::SessionReceiver::is_finished).
    Ours,
}

impl Error {
    /// Whether the data is malformed, unauthenticated, refused, not for us, or a request that comes at the
    /// wrong time, a second time or when there is no room; or the error is ours.
    ///
    /// Judge only errors about received data by it: a damaged key file of your own is `Malformed`,
    /// too.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, Error, ErrorKind};
    ///
    /// fn status(error: &Error) -> u16 {
    ///     match error.kind() {
    ///         ErrorKind::Malformed => 400,
    ///         ErrorKind::Unauthenticated => 401,
    ///         ErrorKind::Refused => 403,
    ///         ErrorKind::NotForUs => 421,
    ///         ErrorKind::Replay => 409,
    ///         ErrorKind::Busy => 429,
    ///         _ => 500,
    ///     }
    /// }
    ///
    /// # let bob = DecapsulationKey::generate()?;
    /// # let carol = DecapsulationKey::generate()?;
    /// let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
    /// assert_eq!(status(&carol.open(b"example.com/notes", &sealed).unwrap_err()), 421);
    /// assert_eq!(status(&bob.open(b"example.com/logs", &sealed).unwrap_err()), 401);
    /// assert_eq!(status(&bob.open(b"example.com/notes", b"GET /").unwrap_err()), 400);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        // No wildcard: a new error has to be placed.
        match self {
            Self::Length { .. }
            | Self::Truncated { .. }
            | Self::Unknown { .. }
            | Self::Invalid { .. }
            | Self::SuiteMismatch { .. }
            | Self::NotPem { .. }
            | Self::Pem { .. }
            | Self::PemCount { .. }
            | Self::PemLabel { .. }
            | Self::Algorithm { .. }
            | Self::NotAnEnvelope
            | Self::Keyring { .. }
            | Self::Signed => ErrorKind::Malformed,
            Self::Unsigned
            | Self::UnknownSigner
            | Self::Open
            | Self::Verify
            | Self::Certificate(_)
            | Self::Store(_)
            | Self::Model(ModelRefusal::AnotherKey | ModelRefusal::NotAsSigned) => {
                ErrorKind::Unauthenticated
            }
            Self::Model(_) => ErrorKind::Malformed,
            Self::Resource { error, .. } => error.kind(),
            Self::Refused { .. } => ErrorKind::Refused,
            Self::NotARecipient => ErrorKind::NotForUs,
            Self::Replay(ReplayRefusal::Full) => ErrorKind::Busy,
            Self::Replay(_) => ErrorKind::Replay,
            Self::Misuse { .. }
            | Self::Context(_)
            | Self::Finished
            | Self::Exhausted
            | Self::Randomness
            | Self::Encrypted
            | Self::Passphrase
            | Self::Unsupported(_)
            | Self::External(_) => ErrorKind::Ours,
        }
    }
}

#[cfg(test)]
mod tests {
    use ErrorKind::{Busy, Malformed, NotForUs, Ours, Refused, Replay, Unauthenticated};

    use super::*;
    use crate::error::{CertificateRefusal, StoreRefusal};

    /// The row of an error in the table below, which has each error once. A new error belongs into
    /// both.
    fn row(error: &Error) -> usize {
        match error {
            Error::Length { .. } => 0,
            Error::Truncated { .. } => 1,
            Error::Unknown { .. } => 2,
            Error::Invalid { .. } => 3,
            Error::SuiteMismatch { .. } => 4,
            Error::Misuse { .. } => 5,
            Error::Context(_) => 6,
            Error::NotPem { .. } => 7,
            Error::Pem { .. } => 8,
            Error::PemCount { .. } => 9,
            Error::PemLabel { .. } => 10,
            Error::Algorithm { .. } => 11,
            Error::NotAnEnvelope => 12,
            Error::Refused { .. } => 13,
            Error::NotARecipient => 14,
            Error::Unsigned => 15,
            Error::Signed => 16,
            Error::UnknownSigner => 17,
            Error::Open => 18,
            Error::Verify => 19,
            Error::Finished => 20,
            Error::Exhausted => 21,
            Error::Randomness => 22,
            Error::Unsupported(_) => 23,
            Error::External(_) => 24,
            Error::Keyring { .. } => 25,
            Error::Replay(ReplayRefusal::Full) => 26,
            Error::Replay(_) => 27,
            Error::Certificate(_) => 28,
            Error::Passphrase => 29,
            Error::Encrypted => 30,
            Error::Store(_) => 31,
            Error::Model(ModelRefusal::AnotherKey | ModelRefusal::NotAsSigned) => 32,
            Error::Model(_) => 33,
            Error::Resource { .. } => 34,
        }
    }

    #[test]
    fn every_error_has_a_kind_and_a_text() {
        let (what, reason) = ("thing", "it is broken");
        let table = [
            (
                Error::Length { what, expected: 32, actual: 31 },
                Malformed,
                "thing must be 32 bytes long, not 31",
            ),
            (
                Error::Truncated { what, needed: 12, actual: 3 },
                Malformed,
                "thing ends after 3 bytes but needs at least 12",
            ),
            (Error::Unknown { what, id: 0x51 }, Malformed, "unknown thing 0x0051"),
            (Error::Invalid { what, reason }, Malformed, "invalid thing: it is broken"),
            (
                Error::SuiteMismatch { what, expected: "A", actual: "B" },
                Malformed,
                "the thing is of suite B, but the key is of suite A",
            ),
            (Error::Misuse { what, reason }, Ours, "invalid thing: it is broken"),
            (Error::Context("it is empty"), Ours, "invalid context: it is empty"),
            (Error::NotPem { reason }, Malformed, "not a PEM file: it is broken"),
            (Error::Pem { line: 7, reason }, Malformed, "invalid PEM in line 7: it is broken"),
            (Error::PemCount { found: 2 }, Malformed, "expected one PEM document, found 2"),
            (
                Error::PemLabel { expected: "PUBLIC KEY", found: "CERTIFICATE".into() },
                Malformed,
                "expected a PEM document labelled \"PUBLIC KEY\", found \"CERTIFICATE\"",
            ),
            (
                Error::Algorithm { what, oid: "1.2.840.113549.1.1.1".into() },
                Malformed,
                "the thing is for another algorithm, 1.2.840.113549.1.1.1",
            ),
            (
                Error::NotAnEnvelope,
                Malformed,
                "not an envelope: it does not start with \"twinseal\"",
            ),
            (
                Error::Refused { what: "KEM suite", name: "A" },
                Refused,
                "the policy does not accept the KEM suite A",
            ),
            (Error::NotARecipient, NotForUs, "not addressed to this key"),
            (Error::Unsigned, Unauthenticated, "not signed, but a signer is required"),
            (Error::Signed, Malformed, "signed, but no signer was named"),
            (Error::UnknownSigner, Unauthenticated, "signed by an unknown key"),
            (
                Error::Open,
                Unauthenticated,
                "opening failed: wrong key, wrong context, changed data, or a lost message",
            ),
            (
                Error::Verify,
                Unauthenticated,
                "verification failed: wrong key, context or message, or a changed signature",
            ),
            (
                Error::Finished,
                Ours,
                "the session is finished: its last message was sealed or opened",
            ),
            (Error::Exhausted, Ours, "the session's key is used up; start another session"),
            (Error::Randomness, Ours, "the source of randomness failed"),
            (
                Error::Unsupported("derandomised signing"),
                Ours,
                "the provider does not support derandomised signing",
            ),
            (Error::external("the token is locked"), Ours, "the external key failed"),
            (Error::Keyring { reason }, Malformed, "invalid keyring: it is broken"),
            (
                Error::Replay(ReplayRefusal::Full),
                Busy,
                "the request is refused: too many requests within the window; try again later",
            ),
            (
                Error::Replay(ReplayRefusal::Replayed),
                Replay,
                "the request is refused: it was let in before",
            ),
            (
                Error::Certificate(CertificateRefusal::Name),
                Unauthenticated,
                "the certificate is refused: it is for another name",
            ),
            (Error::Passphrase, Ours, "wrong passphrase, a changed file, or not the expected key"),
            (
                Error::Encrypted,
                Ours,
                "the private key is encrypted under a passphrase; read it with from_encrypted_pem",
            ),
            (
                Error::Store(StoreRefusal::Older),
                Unauthenticated,
                "sealed store: its keys are older than the pin",
            ),
            (
                Error::Model(ModelRefusal::NotAsSigned),
                Unauthenticated,
                "the model is not as it was signed",
            ),
            (Error::Model(ModelRefusal::Hash), Malformed, "the digests are not SHA-256"),
            (
                Error::Resource {
                    name: "a\nb".into(),
                    error: Error::Model(ModelRefusal::Hash).into(),
                },
                Malformed,
                "resource \"a\\nb\": the digests are not SHA-256",
            ),
        ];
        for (index, (error, kind, text)) in table.iter().enumerate() {
            assert_eq!(row(error), index, "{error:?}");
            assert_eq!(error.kind(), *kind, "{error:?}");
            assert_eq!(error.to_string(), *text);
        }
    }

    /// Which external keys failed alike cannot be compared: only a clone is known to be equal.
    #[test]
    fn an_external_failure_equals_its_clones() {
        let error = Error::external("the token is locked");
        assert_eq!(error, error.clone());
        assert_ne!(error, Error::external("the token is locked"));
        assert_ne!(error, Error::Open);
    }
}
