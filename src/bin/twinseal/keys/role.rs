//! The purpose of a key, and the PEM label or the object identifier that states it.

use std::fmt;

use crate::kind::der::{Form, Object, Suite};

/// The labels of RFC 7468 for a key of any algorithm.
pub(super) const PUBLIC_KEY: &str = "PUBLIC KEY";
pub(super) const PRIVATE_KEY: &str = "PRIVATE KEY";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Seal,
    Open,
    Verify,
    Sign,
}

impl Role {
    /// By a label that only keys of twinseal have.
    pub(super) fn of_own_label(label: &str) -> Option<Self> {
        Some(match label {
            "TWINSEAL KEM PUBLIC KEY" => Self::Seal,
            "TWINSEAL KEM PRIVATE KEY" => Self::Open,
            "TWINSEAL EXPERIMENTAL PUBLIC KEY" => Self::Verify,
            "TWINSEAL EXPERIMENTAL PRIVATE KEY" => Self::Sign,
            _ => return None,
        })
    }

    /// By the object identifier of a suite, in a key of a standard form.
    pub(super) fn of_object(object: &Object) -> Option<Self> {
        match (object.form, object.suite()?) {
            (Form::Spki, Suite::Kem(_)) => Some(Self::Seal),
            (Form::Pkcs8, Suite::Kem(_)) => Some(Self::Open),
            (Form::Spki, Suite::Signature(_)) => Some(Self::Verify),
            (Form::Pkcs8, Suite::Signature(_)) => Some(Self::Sign),
            _ => None,
        }
    }

    /// Whether a key of this twinseal or a newer one may have this label.
    pub(crate) fn may_have_label(label: &str) -> bool {
        label.starts_with("TWINSEAL ") || [PUBLIC_KEY, PRIVATE_KEY].contains(&label)
    }

    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Seal => "public key to seal to",
            Self::Open => "private key to open with",
            Self::Verify => "public key to verify with",
            Self::Sign => "private key to sign with",
        }
    }

    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Seal => "public keys to seal to",
            Self::Open => "private keys to open with",
            Self::Verify => "public keys to verify with",
            Self::Sign => "private keys to sign with",
        }
    }

    pub(super) fn is_public(self) -> bool {
        matches!(self, Self::Seal | Self::Verify)
    }
}

/// With its article.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}", self.noun())
    }
}
