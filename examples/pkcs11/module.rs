//! A PKCS#11 module: the shared library that reaches the tokens.

use std::{
    mem,
    path::{Path, PathBuf},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    slot::Slot,
};

use crate::{Algorithm, Failure, Fault, TokenName};

/// A loaded module. Its code runs in this process and is trusted like the rest of it. Clones are the same module.
#[derive(Clone, Debug)]
pub struct Module {
    path: PathBuf,
    functions: Pkcs11,
}

impl Module {
    /// Loads a module, and initialises it if nobody in this process has done so. It stays loaded until the process
    /// ends: whoever else uses it does not lose it.
    ///
    /// # Errors
    ///
    /// [`Fault::Call`] if it cannot be loaded, is not a PKCS#11 module, or does not start.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Failure> {
        let path = path.as_ref();
        let functions = start(path).map_err(|fault| Failure::at(path.to_string_lossy(), fault))?;
        mem::forget(functions.clone());
        Ok(Self { path: path.to_path_buf(), functions })
    }

    /// The tokens that are there now, and for which algorithms they can use keys.
    ///
    /// # Errors
    ///
    /// [`Fault::Call`] if the module cannot list them.
    pub fn tokens(&self) -> Result<Vec<(TokenName, Vec<Algorithm>)>, Failure> {
        let list = || {
            let mut tokens = Vec::new();
            for slot in self.functions.get_slots_with_initialized_token()? {
                let mechanisms = self.functions.get_mechanism_list(slot)?;
                let offers = |algorithm: &Algorithm| mechanisms.contains(&algorithm.mechanism());
                let algorithms = Algorithm::ALL.into_iter().filter(offers).collect();
                tokens.push((TokenName::of(&self.functions.get_token_info(slot)?), algorithms));
            }
            Ok(tokens)
        };
        list().map_err(|error: Error| Failure::at(self.path.to_string_lossy(), error.into()))
    }

    pub(crate) fn functions(&self) -> &Pkcs11 {
        &self.functions
    }

    /// The slot of a token. Slots are looked for each time: a token may come back in another one.
    pub(crate) fn find(&self, wanted: &TokenName) -> Result<Slot, Fault> {
        let mut found = None;
        for slot in self.functions.get_slots_with_token()? {
            let matches = match self.functions.get_token_info(slot) {
                Ok(info) => info.token_initialized() && wanted.matches(&TokenName::of(&info)),
                // It was removed since, or is not one.
                Err(Error::Pkcs11(
                    RvError::TokenNotPresent | RvError::TokenNotRecognized | RvError::DeviceRemoved,
                    _,
                )) => false,
                Err(error) => return Err(error.into()),
            };
            if matches && found.replace(slot).is_some() {
                return Err(Fault::SeveralTokens);
            }
        }
        found.ok_or(Fault::NoToken)
    }
}

fn start(path: &Path) -> Result<Pkcs11, Fault> {
    // A name without a slash would be looked for in the directories of libraries.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let functions = Pkcs11::new(path)?;
    // Several threads use it, and it may lock as the system does.
    match functions.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(functions),
        Err(error) => Err(error.into()),
    }
}
