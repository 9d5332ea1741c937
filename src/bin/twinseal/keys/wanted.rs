//! The kind of key that a command needs.

use super::{modes::Secrecy, role::Role};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Recipient,
    Opening,
    Signing,
    Verifying,
    /// Of either kind, to print its public key.
    Private,
}

impl Wanted {
    pub(super) fn article_and_noun(self) -> &'static str {
        match self {
            Self::Recipient => "a recipient's public key",
            Self::Opening => "a private key to open with",
            Self::Signing => "a private key to sign with",
            Self::Verifying => "a signer's public key",
            Self::Private => "a twinseal private key",
        }
    }

    pub(super) fn how_to_get_one(self) -> &'static str {
        match self {
            Self::Recipient => "`twinseal public` prints it for a key of `twinseal keygen --kem`",
            Self::Opening => "`twinseal keygen --kem` makes one",
            Self::Signing => "`twinseal keygen --sign` makes one",
            Self::Verifying => "`twinseal public` prints it for a key of `twinseal keygen --sign`",
            Self::Private => "`twinseal keygen` makes one",
        }
    }

    pub(super) fn is_met_by(self, role: Role) -> bool {
        match self {
            Self::Recipient => role == Role::Seal,
            Self::Opening => role == Role::Open,
            Self::Signing => role == Role::Sign,
            Self::Verifying => role == Role::Verify,
            Self::Private => !role.is_public(),
        }
    }

    pub(super) fn is_public(self) -> bool {
        matches!(self, Self::Recipient | Self::Verifying)
    }

    pub(super) fn secrecy(self) -> Secrecy {
        if self.is_public() { Secrecy::Public } else { Secrecy::Private }
    }
}
