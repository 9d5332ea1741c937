//! Reads the signature of a model, and says why one is refused.

use std::{io::Read, path::Path};

use twinseal::{
    Error, ModelRefusal,
    model::{Bundle, Claim},
};

use crate::{
    failure::Failure,
    input::Input,
    kind::{self, FileKind},
    name::Name,
};

pub(super) fn open(path: &Path) -> Result<(Bundle, Name), Failure> {
    let mut input = Input::open(Some(path))?;
    let name = input.name().clone();
    let bundle = read(&mut input, &name)?;
    Ok((bundle, name))
}

/// Reads a bundle to its end, and what it claims, which is not verified.
pub(crate) fn read_claim(input: &mut impl Read, name: &Name) -> Result<Claim, Failure> {
    read(input, name)?.claim().map_err(|error| refused(name, &error))
}

fn read(input: &mut impl Read, name: &Name) -> Result<Bundle, Failure> {
    let mut bytes = Vec::new();
    let read = input.take(Bundle::MAX_LEN as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::from_io(error, name))?;
    match kind::of(&bytes) {
        FileKind::ModelBundle | FileKind::Other(_) | FileKind::Unknown => {
            Bundle::from_bytes(bytes).map_err(|error| refused(name, &error))
        }
        FileKind::Empty => Err(Failure::of(name, "it is empty; fetch it again")),
        kind => Err(Failure::of(
            name,
            format_args!(
                "it is {kind}, not the signature of a model; name with -s the file that `twinseal model \
                 sign` wrote"
            ),
        )),
    }
}

/// A bundle that is refused.
pub(super) fn refused(name: &Name, error: &Error) -> Failure {
    let reason = match error {
        Error::Resource { error, .. } => error,
        error => error,
    };
    let advice = match reason {
        Error::Verify => {
            return Failure::of(
                name,
                "the signature does not verify: the bundle was changed; do not use the model",
            );
        }
        Error::Model(ModelRefusal::AnotherKey) => {
            "name the signer's public key with -p, if you trust it"
        }
        Error::Model(
            ModelRefusal::Certificate | ModelRefusal::AnotherAlgorithm | ModelRefusal::KindOfKey,
        ) => "verify it with the tool that made it",
        Error::Model(ModelRefusal::OldRelease) => "do not use the model",
        Error::Model(_) => "ask the signer for a bundle of OpenSSF Model Signing 1.0",
        _ => "fetch it again",
    };
    Failure::of(name, format_args!("{error}; {advice}"))
}
