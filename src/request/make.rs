//! Making a request: for one key, signed or not.

use std::{
    fmt,
    io::{self, Write},
};

use super::{Pending, RequestHead, RequestTime, RequestWriter, secrets};
use crate::{
    constants, context,
    envelope::BodyKey,
    error::Error,
    kem::EncapsulationKey,
    parties::{SignedBy, signed_digest},
    provider::Random,
    sign::{Sign, VerifyingKey, sign_checked},
    stream::{self, chunks::Sealer},
};

impl EncapsulationKey {
    /// Makes a request: a message that only the key's owner can open, and that they can answer. Returns
    /// the bytes to send, and the [`Pending`] that opens the answer.
    ///
    /// The owner does not learn who asks; use [`signed_by`](Self::signed_by) to prove it. The request
    /// carries the time of this system's clock: the owner refuses one that comes late.
    ///
    /// # Errors
    ///
    /// [`Error::Context`] if the context is empty, longer than 255 bytes or reserved;
    /// [`Error::Randomness`] if the system has none; [`Error::Misuse`] from 4 PiB on.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, request::AllowReplays};
    ///
    /// let guard = AllowReplays; // nothing is harmed if a question about the time is repeated
    /// # let bob = DecapsulationKey::generate()?;
    /// let (request, pending) = bob.encapsulation_key().request(b"example.com/time", b"what time is it?")?;
    ///
    /// let (question, asked) = bob.accept(b"example.com/time", &request, &guard)?;
    /// assert_eq!(&question[..], b"what time is it?");
    /// let answer = asked.answer(b"a quarter past three")?;
    ///
    /// assert_eq!(&pending.open(&answer)?[..], b"a quarter past three");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn request(&self, context: &[u8], plaintext: &[u8]) -> Result<(Vec<u8>, Pending), Error> {
        request(self, None, context, plaintext)
    }

    /// Makes a request of everything that is written to it, in constant memory, and writes it to
    /// `inner`. [`RequestWriter::finish`] returns the [`Pending`].
    ///
    /// # Errors
    ///
    /// Same as [`request`](Self::request), wrapped in [`io::Error`]; and the errors of the inner writer,
    /// to which the head is written here.
    pub fn request_writer<W: Write>(
        &self,
        context: &[u8],
        inner: W,
    ) -> io::Result<RequestWriter<W>> {
        RequestWriter::new(self.request_sealer(context)?, inner)
    }

    /// Makes a request without I/O, for asynchronous code.
    ///
    /// # Errors
    ///
    /// Same as [`request`](Self::request).
    pub fn request_sealer(&self, context: &[u8]) -> Result<RequestSealer, Error> {
        sealer(self, None, context, RequestTime::now(), &mut Random::System)
    }
}

impl SignedBy<'_> {
    /// Makes a request that proves who asks; see [`EncapsulationKey::request`].
    ///
    /// The signature covers the head: the recipient's key, the signer's, the context and the time. It
    /// does not cover the body, which is authenticated by a key that only the two ends have. So
    /// whoever *has the recipient's key* can put another body behind a head that they saw, until it is
    /// answered or too old, and a signed request proves nothing to third parties. Sign the plaintext
    /// itself ([`Sign::sign`]) if somebody must prove later what was asked.
    ///
    /// # Errors
    ///
    /// Same as [`EncapsulationKey::request`], and the errors of the signing key.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, SigningKey};
    /// # let guard = twinseal::request::AllowReplays;
    /// # let bob = DecapsulationKey::generate()?;
    /// # let alice = SigningKey::generate()?;
    /// let to_bob = bob.encapsulation_key();
    /// let (request, pending) = to_bob.signed_by(&alice).request(b"example.com/predict", b"a picture")?;
    ///
    /// let from_alice = bob.accepting(alice.verifying_key());
    /// let (picture, asked) = from_alice.accept(b"example.com/predict", &request, &guard)?;
    /// assert_eq!(&picture[..], b"a picture");
    /// let answer = asked.answer(b"a cat")?;
    ///
    /// assert_eq!(&pending.open(&answer)?[..], b"a cat");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn request(&self, context: &[u8], plaintext: &[u8]) -> Result<(Vec<u8>, Pending), Error> {
        request(self.to, Some(self.signer), context, plaintext)
    }

    /// Makes a request of everything that is written to it; see [`EncapsulationKey::request_writer`].
    ///
    /// # Errors
    ///
    /// Same as [`EncapsulationKey::request_writer`], and the errors of the signing key.
    pub fn request_writer<W: Write>(
        &self,
        context: &[u8],
        inner: W,
    ) -> io::Result<RequestWriter<W>> {
        RequestWriter::new(self.request_sealer(context)?, inner)
    }

    /// Makes a request without I/O; see [`EncapsulationKey::request_sealer`].
    ///
    /// # Errors
    ///
    /// Same as [`request`](Self::request).
    pub fn request_sealer(&self, context: &[u8]) -> Result<RequestSealer, Error> {
        sealer(self.to, Some(self.signer), context, RequestTime::now(), &mut Random::System)
    }
}

/// A request in the making, without I/O: send the head, the prefix, and the bytes that the sealer
/// appends. From [`SignedBy::request_sealer`] or [`EncapsulationKey::request_sealer`].
///
/// ```
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let guard = twinseal::request::AllowReplays;
/// let mut request = bob.encapsulation_key().request_sealer(b"example.com/predict")?;
/// let mut sent = [request.head.as_bytes(), &request.prefix].concat();
/// request.sealer.update(b"a picture", &mut sent)?;
/// request.sealer.finish(&mut sent)?;
///
/// let (picture, asked) = bob.accept(b"example.com/predict", &sent, &guard)?;
/// assert_eq!(&picture[..], b"a picture");
/// assert_eq!(&request.pending.open(&asked.answer(b"a cat")?)?[..], b"a cat");
/// # Ok::<(), twinseal::Error>(())
/// ```
#[non_exhaustive]
pub struct RequestSealer {
    /// The head. Its signature may be [detached](RequestHead::detach).
    pub head: RequestHead,
    /// The first 56 bytes of the body.
    pub prefix: [u8; BodyKey::PREFIX_LEN],
    /// Makes the rest of the body.
    pub sealer: Sealer,
    /// Opens the answer.
    pub pending: Pending,
}

impl RequestSealer {
    /// Seals a whole plaintext. Returns the bytes to send, and the [`Pending`] that opens the answer. A
    /// signature that was [detached](RequestHead::detach) from the head is not in them.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] from 4 PiB on, and for more than fits into memory; the errors of the provider.
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let guard = twinseal::request::AllowReplays;
    /// let request = bob.encapsulation_key().request_sealer(b"example.com/predict")?;
    /// let (sent, pending) = request.seal(b"a picture")?;
    /// # let (_, asked) = bob.accept(b"example.com/predict", &sent, &guard)?;
    /// # assert_eq!(&pending.open(&asked.answer(b"a cat")?)?[..], b"a cat");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn seal(self, plaintext: &[u8]) -> Result<(Vec<u8>, Pending), Error> {
        // A vector has at most `isize::MAX` bytes, and would panic where a 32-bit `usize` counts on.
        let length = self.sealed_len(plaintext.len() as u64);
        let too_long = Error::Misuse { what: "plaintext", reason: "it is too long" };
        let length = length.and_then(|length| isize::try_from(length).ok()).ok_or(too_long)?;
        let mut request = Vec::with_capacity(length.unsigned_abs());
        request.extend_from_slice(self.head.as_bytes());
        request.extend_from_slice(&self.prefix);
        self.sealer.seal_all(plaintext, &mut request)?;
        Ok((request, self.pending))
    }

    /// Length of the whole request with `plaintext` bytes in it, for a `Content-Length`. `None` from
    /// 4 PiB on, the format's bound.
    #[must_use]
    pub fn sealed_len(&self, plaintext: u64) -> Option<u64> {
        stream::sealed_len(plaintext)?.checked_add(self.head.len() as u64)
    }
}

impl fmt::Debug for RequestSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestSealer({})", self.head.id())
    }
}

fn request(
    to: &EncapsulationKey,
    signer: Option<&dyn Sign>,
    context: &[u8],
    plaintext: &[u8],
) -> Result<(Vec<u8>, Pending), Error> {
    sealer(to, signer, context, RequestTime::now(), &mut Random::System)?.seal(plaintext)
}

/// Makes a request with a signer whose key is here, or with none.
pub(crate) fn sealer(
    to: &EncapsulationKey,
    signer: Option<&dyn Sign>,
    context: &[u8],
    time: RequestTime,
    random: &mut Random<'_>,
) -> Result<RequestSealer, Error> {
    // The public half is asked for once: an external key could answer differently the next time.
    let signer = signer.map(|signer| (signer, signer.verifying_key()));
    let mut request = begin(to, signer.map(|(_, key)| key), context, time, random)?;
    if let Some((signer, key)) = signer {
        let digest = signed_digest(request.head.core(), to, key, context);
        let signature = sign_checked(signer, key, constants::REQUEST_SIGNATURE_CONTEXT, &digest)?;
        request.head.set_signature(Some(signature));
    }
    Ok(request)
}

/// Common to all ways of making a request: everything but the signature, which no key depends on. The
/// encapsulation draws first, then the salt.
pub(super) fn begin(
    to: &EncapsulationKey,
    signer: Option<&VerifyingKey>,
    context: &[u8],
    time: RequestTime,
    random: &mut Random<'_>,
) -> Result<RequestSealer, Error> {
    context::check(context)?;
    let (ciphertext, secret) = to.encapsulate_with(random)?;
    let salt = random.array()?;
    let signed_by = signer.map(|key| (key.suite(), key.key_id()));
    let head = RequestHead::new((to.suite(), to.key_id()), signed_by, time, ciphertext);
    let transcript = secrets::transcript(&head, to, signer, context);
    let (body_key, answer) =
        secrets::derive(to.provider(), &secret, &transcript, head.id(), context);
    let (prefix, sealer) = body_key.sealer(context, &salt)?;
    Ok(RequestSealer { head, prefix, sealer, pending: Pending::new(answer) })
}
