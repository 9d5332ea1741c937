//! How a token, or the way to it, fails.

use std::{error, fmt, io};

use cryptoki::error::{Error, RvError};

/// A failure, and where it happened.
#[derive(Debug)]
pub struct Failure {
    place: String,
    fault: Fault,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A function of the module failed, or the module cannot be loaded.
    #[error("{}", describe(.0))]
    Call(Error),
    /// No slot holds a token of that name.
    #[error("there is no such token; the command `tokens` lists those that are in their slots")]
    NoToken,
    /// More than one token has that name.
    #[error("several tokens have this name; add serial= to the URI")]
    SeveralTokens,
    /// The token has no such key for this user.
    #[error("there is no {0} key of that name")]
    NoKey(&'static str),
    /// The token has several such keys.
    #[error("there are several {0} keys of that name; add id= to the URI")]
    SeveralKeys(&'static str),
    /// A key of that name exists and must not be shadowed by a second one.
    #[error("there is already a key of that name")]
    Exists,
    /// The key has other parameters.
    #[error("the key is not for {0}")]
    WrongKey(&'static str),
    /// The token does not say that the private key can never be read out, and that it has one use and no other.
    #[error(
        "{attribute} of the private key is not {expected}: a half must be sensitive, not extractable, and of one use"
    )]
    Unconfined {
        /// The attribute, by its name in the standard.
        attribute: &'static str,
        /// The value it must have.
        expected: bool,
    },
    /// A new key needs a name.
    #[error("a new key needs a label: add object= to the URI")]
    NoLabel,
    /// The token answered with a value of another length. Lengths are in bytes.
    #[error("the token's {what} has {actual} bytes, not {expected}")]
    Length {
        /// The value.
        what: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        actual: usize,
    },
    /// The token did not return an attribute, or returned something else.
    #[error("the token does not reveal the {0}")]
    Hidden(&'static str),
    /// The token wants a PIN from the program, and the URI has none.
    #[error("the token wants a PIN: add pin-source= to the URI")]
    NoPin,
    /// The PIN cannot be read.
    #[error("the PIN cannot be read from {from}: {error}")]
    Pin {
        /// The file or variable.
        from: String,
        /// The reason.
        error: io::Error,
    },
    /// The token refused this PIN before. It is not tried a second time: most tokens count wrong PINs, and lock
    /// themselves.
    #[error("the token refused this PIN before, and it is not tried again")]
    RefusedPin,
}

impl Failure {
    pub(crate) fn at(place: impl Into<String>, fault: Fault) -> Self {
        Self { place: place.into(), fault }
    }

    /// What went wrong.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

impl error::Error for Failure {}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl Fault {
    fn code(&self) -> Option<&RvError> {
        match self {
            Self::Call(Error::Pkcs11(code, _)) => Some(code),
            _ => None,
        }
    }

    /// The token complains about a ciphertext. FIPS 203 has no such answer: for each ciphertext of the right length
    /// there is a shared secret, and who sends one must not learn more.
    pub(crate) fn blames_ciphertext(&self) -> bool {
        matches!(
            self.code(),
            Some(
                RvError::EncryptedDataInvalid
                    | RvError::EncryptedDataLenRange
                    | RvError::DataInvalid
                    | RvError::DataLenRange
                    | RvError::WrappedKeyInvalid
                    | RvError::WrappedKeyLenRange
            )
        )
    }

    /// The token refused the PIN itself.
    pub(crate) fn blames_pin(&self) -> bool {
        matches!(
            self.code(),
            Some(
                RvError::PinIncorrect
                    | RvError::PinInvalid
                    | RvError::PinLenRange
                    | RvError::PinExpired
                    | RvError::PinLocked
            )
        )
    }
}

/// The function and its return code, by the names that the standard gives them.
fn describe(error: &Error) -> String {
    match error {
        Error::Pkcs11(RvError::VendorDefined(code) | RvError::UnknownErrorCode(code), function) => {
            format!("C_{function:?} failed with the code {code:#x}")
        }
        Error::Pkcs11(code @ RvError::MechanismInvalid, function) => {
            let code = constant(code);
            format!("C_{function:?} failed with {code}: the token does not offer this algorithm")
        }
        Error::Pkcs11(code, function) => format!("C_{function:?} failed with {}", constant(code)),
        Error::NullFunctionPointer => "the module does not have the function".into(),
        Error::LibraryLoading(error) => format!("the module cannot be loaded: {error}"),
        other => other.to_string(),
    }
}

/// `PinIncorrect` is CKR_PIN_INCORRECT.
fn constant(code: &RvError) -> String {
    let mut name = String::from("CKR");
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::{Error, Fault, RvError};

    #[test]
    fn codes_have_their_names() {
        for (code, name) in [
            (RvError::PinIncorrect, "C_Login failed with CKR_PIN_INCORRECT"),
            (RvError::SessionHandleInvalid, "C_Login failed with CKR_SESSION_HANDLE_INVALID"),
            (
                RvError::MechanismInvalid,
                "C_Login failed with CKR_MECHANISM_INVALID: the token does not offer this algorithm",
            ),
            (RvError::VendorDefined(0x8000_0001), "C_Login failed with the code 0x80000001"),
        ] {
            let fault = Fault::from(Error::Pkcs11(code, Function::Login));
            assert_eq!(fault.to_string(), name);
        }
    }
}
