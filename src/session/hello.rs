//! The first message of a session: for whom it is, by whom, and the ciphertext of the KEM.

#![warn(clippy::indexing_slicing)] // a length that the bytes themselves claim is never an index

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

/// The length of a signed hello before its ciphertext.
const SIGNED_START: usize = 50;

/// A hello, parsed: which key it is addressed to, and which key claims to have signed it.
///
/// A service looks at it before it accepts a session, for example to limit how many sessions each
/// signer may start. Nothing in it is authenticated, and its signature is not verified.
///
/// ```
/// use twinseal::{DecapsulationKey, SigningKey, session::Hello};
///
/// # let bob = DecapsulationKey::generate()?;
/// # let alice = SigningKey::generate()?;
/// # let to_bob = bob.encapsulation_key();
/// let (bytes, _) = to_bob.signed_by(&alice).sender(b"example.com/orders")?;
///
/// let hello = Hello::parse(&bytes)?;
/// assert_eq!(hello.recipient(), to_bob.key_id());
/// assert_eq!(hello.claimed_signer(), Some(alice.verifying_key().key_id()));
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Hello {
    pub(super) suite: KemSuite,
    pub(super) recipient: KeyId,
    pub(super) signer: Option<(SignatureSuite, KeyId)>,
    pub(super) ciphertext: Ciphertext,
}

/// A hello in its parts. The key schedule binds every byte of the core; the signature is all that
/// follows it, and empty if there is none.
pub(super) struct Parts<'a> {
    pub(super) hello: Hello,
    pub(super) core: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl Hello {
    /// The length in bytes of the longest hello: signed, with [`KemSuite::ML_KEM_1024_P384`].
    pub const MAX_LEN: usize = SIGNED_START
        + KemSuite::ML_KEM_1024_P384.ciphertext_len()
        + SignatureSuite::ML_DSA_87_ECDSA_P384.max_signature_len();

    /// Parses a whole hello. If it is signed, the signature may be any bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if it ends before its signature; [`Error::Unknown`] for an unknown
    /// version, suite or flag; [`Error::Invalid`] or [`Error::Length`] if it breaks another rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Parts::parse(bytes)?.hello)
    }

    /// The suite of the recipient's key.
    #[must_use]
    pub const fn suite(&self) -> KemSuite {
        self.suite
    }

    /// The recipient's key.
    #[must_use]
    pub const fn recipient(&self) -> KeyId {
        self.recipient
    }

    /// The key that claims to have signed it, or `None` if it is not signed. Nobody has verified that yet.
    #[must_use]
    pub fn claimed_signer(&self) -> Option<KeyId> {
        self.signer.map(|(_, key_id)| key_id)
    }

    /// The suite of the signer's key, or `None` if it is not signed.
    #[must_use]
    pub fn signature_suite(&self) -> Option<SignatureSuite> {
        self.signer.map(|(suite, _)| suite)
    }

    /// The core: all of the hello except its signature.
    pub(super) fn core(&self) -> Vec<u8> {
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
}

impl<'a> Parts<'a> {
    pub(super) fn parse(hello: &'a [u8]) -> Result<Self, Error> {
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
            other => return Err(Error::Unknown { what: "session flags", id: other.into() }),
        };
        let ciphertext = Ciphertext::from_bytes(suite, reader.take(suite.ciphertext_len())?)?;
        let core = reader.taken();
        let signature = reader.rest();
        if signer.is_none() && !signature.is_empty() {
            let reason = "bytes follow an unsigned one";
            return Err(Error::Invalid { what: WHAT, reason });
        }
        Ok(Self { hello: Hello { suite, recipient, signer, ciphertext }, core, signature })
    }
}

fn only(what: &'static str, found: u16, expected: u16) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Unknown { what, id: found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kem::DecapsulationKey, sign::SigningKey};

    #[test]
    fn no_hello_is_longer() -> Result<(), Error> {
        let (to, signer) = (DecapsulationKey::generate()?, SigningKey::generate()?);
        let (hello, _) = to.encapsulation_key().signed_by(&signer).sender(b"example.com")?;
        let ciphertext = to.suite().ciphertext_len();
        assert_eq!(Parts::parse(&hello)?.core.len(), SIGNED_START + ciphertext);

        let ciphertext = KemSuite::ALL.iter().map(|suite| suite.ciphertext_len()).max();
        let signature = SignatureSuite::ALL.iter().map(|suite| suite.max_signature_len()).max();
        let longest =
            ciphertext.zip(signature).map(|(ct, signature)| SIGNED_START + ct + signature);
        assert_eq!(longest, Some(Hello::MAX_LEN));
        Ok(())
    }
}
