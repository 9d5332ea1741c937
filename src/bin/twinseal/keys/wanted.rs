//! The kind of key that a command needs.

use super::{modes::Secrecy, role::Role};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Recipient,
    Opening,
    Signing,
    Verifying,
    /// Also P-384 keys of other tools.
    VerifyingModels,
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
            Self::VerifyingModels => "the public key of a model's signer",
            Self::Private => "a twinseal private key",
        }
    }

    pub(super) fn how_to_get_one(self) -> &'static str {
        match self {
            Self::Recipient => "`twinseal public` prints it for a key of `twinseal keygen --kem`",
            Self::Opening => "`twinseal keygen --kem` makes one",
            Self::Signing => "`twinseal keygen --sign` makes one",
            Self::Verifying => "`twinseal public` prints it for a key of `twinseal keygen --sign`",
            Self::VerifyingModels => {
                "ask the signer for it: a key of `twinseal keygen --sign`, or a P-384 key in PEM"
            }
            Self::Private => "`twinseal keygen` makes one",
        }
    }

    pub(super) fn is_met_by(self, role: Role) -> bool {
        match self {
            Self::Recipient => role == Role::Seal,
            Self::Opening => role == Role::Open,
            Self::Signing => role == Role::Sign,
            Self::Verifying | Self::VerifyingModels => role == Role::Verify,
            Self::Private => !role.is_public(),
        }
    }

    pub(super) fn is_public(self) -> bool {
        self == Self::Recipient || self.is_of_signer()
    }

    pub(super) fn is_of_signer(self) -> bool {
        matches!(self, Self::Verifying | Self::VerifyingModels)
    }

    pub(super) fn secrecy(self) -> Secrecy {
        if self.is_public() { Secrecy::Public } else { Secrecy::Private }
    }
}
