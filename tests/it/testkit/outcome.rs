//! Which class of refusal is an error, in the words of tests/testkit/README.md?

use std::{error, fmt, io};

use sha2::{Digest, Sha384};
use twinseal::{CertificateRefusal, Error, ErrorKind, ModelRefusal, StoreRefusal};

use super::case::Case;

pub(super) type Outcome<T = ()> = Result<T, Wrong>;

pub(super) enum Wrong {
    /// With the class and the text of the error.
    Refused { class: &'static str, error: String },
    /// It succeeded in another way than the case says.
    Differs(String),
}

fn class(error: &Error) -> &'static str {
    match error {
        Error::Passphrase
        | Error::Store(StoreRefusal::Owner)
        | Error::Certificate(CertificateRefusal::Signature) => "unauthentic",
        Error::Encrypted
        | Error::Store(StoreRefusal::Malformed | StoreRefusal::TooLong)
        | Error::Certificate(CertificateRefusal::Malformed) => "malformed",
        Error::Context(_)
        | Error::Signed
        | Error::Unsigned
        | Error::UnknownSigner
        | Error::Finished
        | Error::Exhausted
        | Error::Misuse { .. }
        | Error::Replay(_)
        | Error::Store(_)
        | Error::Certificate(_)
        | Error::Model(ModelRefusal::AnotherKey | ModelRefusal::NotAsSigned) => "refused",
        other => match other.kind() {
            ErrorKind::Malformed => "malformed",
            ErrorKind::Unauthenticated => "unauthentic",
            ErrorKind::NotForUs => "not-for-us",
            ErrorKind::Refused => "refused",
            _ => "no refusal",
        },
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Refused { class: class(&error), error: format!("{error:?}") }
    }
}

impl Wrong {
    /// The error of this crate inside another one; or that of a reader, which ended early.
    pub(super) fn inside(error: &(dyn error::Error + 'static)) -> Self {
        match Error::inside(error) {
            Some(inner) => inner.clone().into(),
            None => Self::Refused { class: "no refusal", error: format!("{error:?}") },
        }
    }
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        match (Error::inside(&error), error.kind()) {
            (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => {
                Self::Refused { class: "malformed", error: format!("{error:?}") }
            }
            _ => Self::inside(&error),
        }
    }
}

pub(super) fn refused<T>(class: &'static str, why: &str) -> Outcome<T> {
    Err(Wrong::Refused { class, error: why.into() })
}

/// The class of a refusal, or "success".
pub(super) fn name<T>(outcome: &Outcome<T>) -> &str {
    match outcome {
        Ok(_) => "success",
        Err(Wrong::Refused { class, .. }) => class,
        Err(Wrong::Differs(difference)) => difference,
    }
}

pub(super) fn same<T: PartialEq + fmt::Debug + ?Sized>(
    what: &str,
    found: &T,
    expected: &T,
) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(Wrong::Differs(format!("{what} is {found:?} and not {expected:?}")))
    }
}

/// What the case says of a value, if it says anything.
pub(super) fn expected(case: &Case, name: &str, found: &str) -> Outcome {
    case.get(name).map_or(Ok(()), |_| same(name, found, case.text(name)))
}

pub(super) fn all_expected(case: &Case, name: &str, found: &[String]) -> Outcome {
    let wanted: Vec<_> = case.all(name).map(|field| field.text().to_string()).collect();
    if wanted.is_empty() { Ok(()) } else { same(name, found, &wanted[..]) }
}

pub(super) fn plaintext_expected(case: &Case, found: &[u8]) -> Outcome {
    if let Some(plaintext) = case.get("plaintext") {
        same("plaintext", found, plaintext)?;
    }
    expected(case, "plaintext-length", &found.len().to_string())?;
    expected(case, "plaintext-sha384", &hex::encode(Sha384::digest(found)))
}

/// Two ways to read the same bytes.
pub(super) fn agree(
    what: &str,
    one: Outcome<Vec<u8>>,
    other: Outcome<Vec<u8>>,
) -> Outcome<Vec<u8>> {
    if name(&one) != name(&other) {
        return Err(Wrong::Differs(format!("{what}: {} and {}", name(&one), name(&other))));
    }
    let (one, other) = (one?, other?);
    same(what, &one[..], &other[..])?;
    Ok(one)
}
