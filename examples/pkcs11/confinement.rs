//! Is a private key as confined as a half must be: never readable, and for one use?

use cryptoki::{
    object::{Attribute, ObjectHandle},
    session::Session,
};

use crate::{Algorithm, Fault};

/// An attribute by its name in the standard, of which `cryptoki` does not know all, and its value.
type Flag = (&'static str, fn(bool) -> Attribute, bool);

/// No private key can be read out.
const SECRECY: [Flag; 2] = [
    ("CKA_SENSITIVE", Attribute::Sensitive, true),
    ("CKA_EXTRACTABLE", Attribute::Extractable, false),
];

impl Algorithm {
    /// The only use of the private key. All others are turned off by name, since some tokens turn them on.
    fn uses(self) -> [Flag; 6] {
        [
            ("CKA_SIGN", Attribute::Sign, matches!(self, Self::EcdsaP384 | Self::MlDsa87)),
            ("CKA_DERIVE", Attribute::Derive, self == Self::EcdhP384),
            ("CKA_DECAPSULATE", Attribute::Decapsulate, self == Self::MlKem1024),
            ("CKA_SIGN_RECOVER", Attribute::SignRecover, false),
            ("CKA_DECRYPT", Attribute::Decrypt, false),
            ("CKA_UNWRAP", Attribute::Unwrap, false),
        ]
    }

    /// The attributes of a new private key. Tokens from before PKCS#11 3.2 do not know CKA_DECAPSULATE.
    pub(crate) fn confinement(self) -> impl Iterator<Item = Attribute> {
        let flags = SECRECY.into_iter().chain(self.uses());
        flags.map(|(_, flag, value)| flag(value)).filter(|it| *it != Attribute::Decapsulate(false))
    }
}

/// Checks what the token says of a private key, whoever made it. It must say that the key cannot be read out, and that
/// it has its use. A use of which it says nothing is one that it does not know, and so cannot make.
pub(crate) fn check(
    session: &Session,
    key: ObjectHandle,
    algorithm: Algorithm,
) -> Result<(), Fault> {
    let secrecy = SECRECY.map(|flag| (flag, true));
    let uses = algorithm.uses().map(|flag| (flag, flag.2));
    for ((attribute, flag, expected), required) in secrecy.into_iter().chain(uses) {
        let wanted = flag(expected);
        // One by one, as in `find`.
        let found = session.get_attributes(key, &[wanted.attribute_type()])?;
        if found != [wanted] && (required || !found.is_empty()) {
            return Err(Fault::Unconfined { attribute, expected });
        }
    }
    Ok(())
}
