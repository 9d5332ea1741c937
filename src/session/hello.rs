//! The first message of a session: for whom it is, by whom, and the ciphertext of the KEM.

use super::key_schedule::{AEAD_AES_256_GCM, KDF_HKDF_SHA384};
use crate::{
    constants,
    error::Error,
    kem::{Ciphertext, KemSuite},
    key_id::KeyId,
    sign::SignatureSuite,
    wire,
};

const WHAT: &str = "hello";
const UNSIGNED: u8 = 0x00;
const SIGNED: u8 = 0x01;

/// All of a hello but its signature. The key schedule binds every byte of it.
pub(crate) struct Core {
    pub(crate) suite: KemSuite,
    pub(crate) recipient: KeyId,
    pub(crate) signer: Option<(SignatureSuite, KeyId)>,
    pub(crate) ciphertext: Ciphertext,
}

impl Core {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let flags = if self.signer.is_some() { SIGNED } else { UNSIGNED };
        let ids = [self.suite.id(), KDF_HKDF_SHA384, AEAD_AES_256_GCM].map(u16::to_be_bytes);
        let mut bytes = [
            constants::SESSION_MAGIC.as_slice(),
            &[constants::SESSION_VERSION],
            ids.as_flattened(),
            &[flags],
            self.recipient.as_bytes(),
        ]
        .concat();
        if let Some((suite, key_id)) = self.signer {
            bytes.extend_from_slice(&suite.id().to_be_bytes());
            bytes.extend_from_slice(key_id.as_bytes());
        }
        bytes.extend_from_slice(self.ciphertext.as_bytes());
        bytes
    }

    /// Parses a hello: the core, the core's bytes, and what follows, which is the signature if
    /// there is one.
    pub(crate) fn parse(hello: &[u8]) -> Result<(Self, &[u8], &[u8]), Error> {
        let mut reader = wire::Reader::new(WHAT, hello);
        if reader.take(constants::SESSION_MAGIC.len())? != constants::SESSION_MAGIC {
            let reason = "it does not start with \"twinsess\"";
            return Err(Error::Invalid { what: WHAT, reason });
        }
        only("session version", reader.u8()?.into(), constants::SESSION_VERSION.into())?;
        let suite = KemSuite::from_id(reader.u16()?)?;
        only("session KDF", reader.u16()?, KDF_HKDF_SHA384)?;
        only("session AEAD", reader.u16()?, AEAD_AES_256_GCM)?;
        let flags = reader.u8()?;
        let recipient = KeyId::from_bytes(reader.array()?);
        let signer = match flags {
            UNSIGNED => None,
            SIGNED => {
                let suite = SignatureSuite::from_id(reader.u16()?)?;
                Some((suite, KeyId::from_bytes(reader.array()?)))
            }
            other => {
                return Err(Error::Unknown { what: "session flags", id: other.into() });
            }
        };
        let ciphertext = Ciphertext::from_bytes(suite, reader.take(suite.ciphertext_len())?)?;
        let core_bytes = reader.taken();
        let rest = reader.rest();
        if signer.is_none() && !rest.is_empty() {
            let reason = "bytes follow an unsigned one";
            return Err(Error::Invalid { what: WHAT, reason });
        }
        Ok((Self { suite, recipient, signer, ciphertext }, core_bytes, rest))
    }
}

fn only(what: &'static str, found: u16, expected: u16) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Unknown { what, id: found }) }
}
