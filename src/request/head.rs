//! The head of a request: for whom it is, by whom, when it was made, and the ciphertext of the KEM.

#![warn(clippy::indexing_slicing)] // a length that the bytes themselves claim is never an index

use std::io::{self, Read};

use super::{RequestId, RequestTime};
use crate::{
    constants,
    error::Error,
    kem::{Ciphertext, KemSuite},
    key_id::KeyId,
    retry,
    sign::{Signature, SignatureSuite},
    wire,
};

const WHAT: &str = "request";
const UNSIGNED: u8 = 0x00;
const SIGNED: u8 = 0x01;

/// `magic || version || flags || KEM suite || recipient`, from which the length of an unsigned head
/// follows.
const START: usize = 8 + 1 + 1 + 2 + KeyId::LEN;

/// `signature suite || signer`.
const SIGNER: usize = 2 + KeyId::LEN;

const TIME: usize = 8;
const SIGNATURE_LENGTH: usize = 2;

/// A request's head, parsed: which key it is addressed to, which key claims to have signed it, and
/// when it claims to have been made. The body follows it.
///
/// Nothing in it is authenticated before [`accept_head`](crate::DecapsulationKey::accept_head) has
/// verified its signature; for an unsigned one, before its body has opened.
///
/// A signature may travel beside the request, in a header of HTTP: [`detach`](Self::detach) takes it
/// out, and [`attach`](Self::attach) puts it back.
///
/// ```
/// use twinseal::{DecapsulationKey, SigningKey, request::RequestHead};
///
/// # let bob = DecapsulationKey::generate()?;
/// # let alice = SigningKey::generate()?;
/// # let to_bob = bob.encapsulation_key();
/// let (request, pending) = to_bob.signed_by(&alice).request(b"example.com/predict", b"a picture")?;
///
/// let mut head = RequestHead::parse(&request)?;
/// assert_eq!(head.id(), pending.id());
/// assert_eq!(head.recipient(), to_bob.key_id());
/// assert_eq!(head.claimed_signer(), Some(alice.verifying_key().key_id()));
///
/// let signature = head.detach().ok_or("it has no signature")?;
/// head.attach(signature.as_bytes())?;
/// assert!(request.starts_with(head.as_bytes()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The core, and behind it the signature with its length if it is signed.
    bytes: Vec<u8>,
    core_len: usize,
    id: RequestId,
    pub(super) suite: KemSuite,
    pub(super) recipient: KeyId,
    pub(super) signer: Option<(SignatureSuite, KeyId)>,
    time: RequestTime,
    ciphertext: Ciphertext,
    signature: Option<Signature>,
}

impl RequestHead {
    /// The length in bytes of the longest head: signed, with [`KemSuite::ML_KEM_1024_P384`].
    pub const MAX_LEN: usize = START
        + SIGNER
        + TIME
        + KemSuite::ML_KEM_1024_P384.ciphertext_len()
        + SIGNATURE_LENGTH
        + SignatureSuite::ML_DSA_87_ECDSA_P384.max_signature_len();

    /// A head without its signature. The ciphertext is of the recipient's suite.
    pub(super) fn new(
        recipient: (KemSuite, KeyId),
        signer: Option<(SignatureSuite, KeyId)>,
        time: RequestTime,
        ciphertext: Ciphertext,
    ) -> Self {
        let (suite, recipient) = recipient;
        let mut bytes = Vec::with_capacity(Self::MAX_LEN);
        bytes.extend_from_slice(constants::REQUEST_MAGIC);
        bytes.push(constants::REQUEST_VERSION);
        bytes.push(if signer.is_some() { SIGNED } else { UNSIGNED });
        bytes.extend_from_slice(&suite.id().to_be_bytes());
        bytes.extend_from_slice(recipient.as_bytes());
        if let Some((suite, key_id)) = signer {
            bytes.extend_from_slice(&suite.id().to_be_bytes());
            bytes.extend_from_slice(key_id.as_bytes());
        }
        bytes.extend_from_slice(&time.as_millis().to_be_bytes());
        bytes.extend_from_slice(ciphertext.as_bytes());
        let (id, core_len) = (RequestId::of(&bytes), bytes.len());
        let mut head = Self {
            bytes,
            core_len,
            id,
            suite,
            recipient,
            signer,
            time,
            ciphertext,
            signature: None,
        };
        head.set_signature(None);
        head
    }

    /// Parses the head at the front of a request; the bytes behind it are ignored. A signature that
    /// it has is of the right form; none is missing from a head from which it was
    /// [detached](Self::detach).
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if it does not end within `bytes`: get `needed` bytes before the next
    /// attempt, which starts at the first byte again; there are at most three. [`Error::Unknown`] for
    /// an unknown version, suite or flag; [`Error::Invalid`] or [`Error::Length`] if it breaks another
    /// rule, such as to start with "twinrqst".
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        // However short it is, other data is not a truncated request.
        let magic = bytes.get(..constants::REQUEST_MAGIC.len()).unwrap_or(bytes);
        if !constants::REQUEST_MAGIC.starts_with(magic) {
            let reason = "it does not start with \"twinrqst\"";
            return Err(Error::Invalid { what: WHAT, reason });
        }
        let mut reader = wire::Reader::new(WHAT, bytes);
        let mut start = wire::Reader::new(WHAT, reader.take(START)?);
        start.take(constants::REQUEST_MAGIC.len())?;
        match start.u8()? {
            constants::REQUEST_VERSION => {}
            other => return Err(Error::Unknown { what: "request version", id: other.into() }),
        }
        let flags = start.u8()?;
        let suite = KemSuite::from_id(start.u16()?)?;
        let recipient = KeyId::from_bytes(start.array()?);

        let (signer_len, length_len) = match flags {
            UNSIGNED => (0, 0),
            SIGNED => (SIGNER, SIGNATURE_LENGTH),
            other => return Err(Error::Unknown { what: "request flags", id: other.into() }),
        };
        // Taken at once, so that a caller who reads as much as is needed reads three times.
        let rest_len = signer_len + TIME + suite.ciphertext_len() + length_len;
        let mut rest = wire::Reader::new(WHAT, reader.take(rest_len)?);
        let signer = match flags {
            SIGNED => {
                let suite = SignatureSuite::from_id(rest.u16()?)?;
                Some((suite, KeyId::from_bytes(rest.array()?)))
            }
            _ => None,
        };
        let time = RequestTime::from_millis(u64::from_be_bytes(rest.array()?));
        let reason = "its time is not below 2^53 milliseconds";
        let time = time.ok_or(Error::Invalid { what: WHAT, reason })?;
        let ciphertext = rest.take(suite.ciphertext_len())?;
        let ciphertext = Ciphertext::from_bytes(suite, ciphertext)?;
        let core_len = START + rest.position();

        let signature = match signer {
            None => None,
            Some((suite, _)) => match usize::from(rest.u16()?) {
                0 => None,
                length if length > suite.max_signature_len() => {
                    let reason = "its signature is longer than any of its suite";
                    return Err(Error::Invalid { what: WHAT, reason });
                }
                length => {
                    let signature = Signature::from_bytes(suite, reader.take(length)?);
                    Some(signature.map_err(|error| match error {
                        // Not the head ends early: more bytes would not help.
                        Error::Truncated { .. } => {
                            let reason = "its signature is shorter than any of its suite";
                            Error::Invalid { what: WHAT, reason }
                        }
                        other => other,
                    })?)
                }
            },
        };
        let bytes = reader.taken().to_vec();
        let id = RequestId::of(bytes.get(..core_len).unwrap_or(&bytes));
        Ok(Self { bytes, core_len, id, suite, recipient, signer, time, ciphertext, signature })
    }

    /// Reads a head from the front of a request, and not a byte more: the reader then stands at the
    /// body.
    ///
    /// # Errors
    ///
    /// Same as [`parse`](Self::parse), wrapped in [`io::Error`]; and the errors of the reader, after
    /// which the part of the head that was read is lost.
    pub fn read(mut reader: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let mut ended = false;
        loop {
            match Self::parse(&bytes) {
                Err(Error::Truncated { needed, actual, .. }) if !ended => {
                    bytes.resize(needed, 0); // at most the length of the longest head
                    let mut filled = actual;
                    ended = retry::read_full(&mut reader, &mut bytes, &mut filled)?;
                    bytes.truncate(filled);
                }
                parsed => return Ok(parsed?),
            }
        }
    }

    /// The head's bytes, to be sent before the body.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Length of the head in bytes: the body starts here.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a head is never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// When it claims to have been made.
    #[must_use]
    pub fn time(&self) -> RequestTime {
        self.time
    }

    /// The suite of the recipient's key.
    #[must_use]
    pub fn suite(&self) -> KemSuite {
        self.suite
    }

    /// The recipient's key.
    #[must_use]
    pub fn recipient(&self) -> KeyId {
        self.recipient
    }

    /// The key that claims to have signed it, or `None` for an unsigned request. Nobody has verified that yet.
    #[must_use]
    pub fn claimed_signer(&self) -> Option<KeyId> {
        self.signer.map(|(_, key_id)| key_id)
    }

    /// The suite of the signer's key, or `None` for an unsigned request.
    #[must_use]
    pub fn signature_suite(&self) -> Option<SignatureSuite> {
        self.signer.map(|(suite, _)| suite)
    }

    /// The ciphertext that the recipient decapsulates.
    #[must_use]
    pub fn ciphertext(&self) -> &Ciphertext {
        &self.ciphertext
    }

    /// The signature, or `None` if the request is unsigned, or its signature is detached.
    #[must_use]
    pub fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }

    /// Takes the signature out, to be sent beside the request. Without it a signed request is refused.
    /// Returns `None` if there is none.
    #[must_use = "without its signature a signed request is refused"]
    pub fn detach(&mut self) -> Option<Signature> {
        let signature = self.signature.take();
        if signature.is_some() {
            self.set_signature(None);
        }
        signature
    }

    /// Puts a detached signature back.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if there is one; [`Error::Signed`] for an unsigned request, which takes none;
    /// [`Error::Truncated`] or [`Error::Invalid`] if the bytes do not have the form of a signature of
    /// the signer's suite.
    pub fn attach(&mut self, signature: &[u8]) -> Result<(), Error> {
        let (suite, _) = self.signer.ok_or(Error::Signed)?;
        if self.signature.is_some() {
            let reason = "the request has one already";
            return Err(Error::Misuse { what: "signature", reason });
        }
        self.set_signature(Some(Signature::from_bytes(suite, signature)?));
        Ok(())
    }

    pub(super) fn set_signature(&mut self, signature: Option<Signature>) {
        self.bytes.truncate(self.core_len);
        if self.signer.is_some() {
            let bytes = signature.as_ref().map_or(&[][..], Signature::as_bytes);
            let length = u16::try_from(bytes.len()).expect("no signature exceeds 65535 bytes");
            self.bytes.extend_from_slice(&length.to_be_bytes());
            self.bytes.extend_from_slice(bytes);
        }
        self.signature = signature;
    }

    /// All of the head except its signature and that one's length.
    pub(super) fn core(&self) -> &[u8] {
        self.bytes.get(..self.core_len).unwrap_or(&self.bytes)
    }
}

/// Takes the signature out of a request in memory, to be sent beside it.
///
/// It has at most 4731 bytes, 6308 in base64. Some servers and proxies allow less in a header of HTTP
/// unless they are told otherwise.
///
/// # Errors
///
/// Same as [`RequestHead::parse`]; [`Error::Unsigned`] if the request has no signature.
///
/// ```
/// use twinseal::{DecapsulationKey, SigningKey, request::{AllowReplays, attach, detach}};
///
/// # let bob = DecapsulationKey::generate()?;
/// # let alice = SigningKey::generate()?;
/// let to_bob = bob.encapsulation_key().signed_by(&alice);
/// let (mut request, _) = to_bob.request(b"example.com/predict", b"a picture")?;
/// let signature = detach(&mut request)?; // "X-Signature: ..", in base64
///
/// let from_alice = bob.accepting(alice.verifying_key());
/// let refused = from_alice.accept(b"example.com/predict", &request, &AllowReplays);
/// assert_eq!(refused.unwrap_err(), twinseal::Error::Unsigned);
///
/// attach(&mut request, &signature)?;
/// from_alice.accept(b"example.com/predict", &request, &AllowReplays)?;
/// # Ok::<(), twinseal::Error>(())
/// ```
pub fn detach(request: &mut Vec<u8>) -> Result<Vec<u8>, Error> {
    let mut head = RequestHead::parse(request)?;
    let before = head.len();
    let signature = head.detach().ok_or(Error::Unsigned)?;
    request.splice(..before, head.bytes);
    Ok(signature.as_bytes().to_vec())
}

/// Puts a signature back into the request in memory from which it was [detached](detach).
///
/// # Errors
///
/// Same as [`RequestHead::parse`] and [`RequestHead::attach`].
pub fn attach(request: &mut Vec<u8>, signature: &[u8]) -> Result<(), Error> {
    let mut head = RequestHead::parse(request)?;
    let before = head.len();
    head.attach(signature)?;
    request.splice(..before, head.bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_head_is_longer() {
        let ciphertext = KemSuite::ALL.iter().map(|suite| suite.ciphertext_len()).max();
        let signature = SignatureSuite::ALL.iter().map(|suite| suite.max_signature_len()).max();
        let longest = ciphertext.zip(signature).map(|(ciphertext, signature)| {
            START + SIGNER + TIME + ciphertext + SIGNATURE_LENGTH + signature
        });
        assert_eq!(longest, Some(RequestHead::MAX_LEN));
        assert_eq!(RequestHead::MAX_LEN, 6452);
    }
}
