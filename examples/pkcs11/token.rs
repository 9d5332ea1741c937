//! A token, and logging in to it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use cryptoki::{
    error::{Error, RvError},
    session::{Session, UserType},
    slot::TokenInfo,
    types::AuthPin,
};
use zeroize::Zeroizing;

use crate::{Failure, Fault, Module, Pin};

/// Which token: all names that are not empty must be its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TokenName {
    /// The label that it was initialised with.
    pub label: String,
    /// Its serial number.
    pub serial: String,
    /// Its manufacturer.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
}

/// A token and its PIN. Clones are the same token.
#[derive(Clone, Debug)]
pub struct Token(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    module: Module,
    name: TokenName,
    pin: Pin,
    /// The PIN that was refused. Logins wait for one another here, so that two threads do not count as two attempts.
    refused: Mutex<Option<Zeroizing<String>>>,
}

impl Token {
    /// Names a token. It is looked for, and logged in to, when it is used.
    pub fn new(module: Module, name: TokenName, pin: Pin) -> Self {
        Self(Arc::new(Inner { module, name, pin, refused: Mutex::default() }))
    }

    /// All names of the token that is there now.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]: there is not exactly one token of that name.
    pub fn full_name(&self) -> Result<TokenName, Failure> {
        let name = || {
            let slot = self.0.module.find(&self.0.name)?;
            Ok(TokenName::of(&self.0.module.functions().get_token_info(slot)?))
        };
        name().map_err(|fault| Failure::at(self.to_string(), fault))
    }

    /// Opens a session of the user. A token that forgot its login, or was removed and put back, is logged in to again.
    pub(crate) fn session(&self, access: Access) -> Result<Session, Fault> {
        let functions = self.0.module.functions();
        let slot = self.0.module.find(&self.0.name)?;
        let session = match access {
            Access::Read => functions.open_ro_session(slot)?,
            Access::Write => functions.open_rw_session(slot)?,
        };
        self.log_in(&session)?;
        Ok(session)
    }

    fn log_in(&self, session: &Session) -> Result<(), Fault> {
        let mut refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let pin = self.0.pin.read()?;
        if pin.is_some() && *refused == pin {
            return Err(Fault::RefusedPin);
        }
        // A copy that wipes itself.
        let entered = pin.as_ref().map(|pin| AuthPin::new(pin.as_str().into()));
        match session.login(UserType::User, entered.as_ref()) {
            // The whole process is logged in, not a session.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            // What a token says that has no keyboard of its own.
            Err(Error::Pkcs11(RvError::ArgumentsBad, _)) if pin.is_none() => Err(Fault::NoPin),
            Err(error) => {
                let fault = Fault::from(error);
                if fault.blames_pin() {
                    *refused = pin;
                }
                Err(fault)
            }
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {}", self.0.name)
    }
}

/// What a session is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    Read,
    Write,
}

impl TokenName {
    /// The token of that label.
    pub fn label(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    pub(crate) fn of(info: &TokenInfo) -> Self {
        Self {
            label: info.label().to_owned(),
            serial: info.serial_number().to_owned(),
            manufacturer: info.manufacturer_id().to_owned(),
            model: info.model().to_owned(),
        }
    }

    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.parts()
            .into_iter()
            .zip(other.parts())
            .all(|((_, ours), (_, its))| ours.is_empty() || ours == its)
    }

    fn parts(&self) -> [(&'static str, &str); 4] {
        [
            ("", &self.label),
            ("serial ", &self.serial),
            ("manufacturer ", &self.manufacturer),
            ("model ", &self.model),
        ]
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.parts().into_iter().filter(|(_, text)| !text.is_empty());
        for (index, (part, text)) in named.enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{part}{text:?}")?;
        }
        Ok(())
    }
}
