//! Accepting a request: with which key, and from whom. Its signature is verified before anything else
//! is spent on it.

use std::io::{self, Read};

use super::{Asked, ReplayGuard, RequestHead, RequestReader, VerifiedHead, secrets};
use crate::{
    addressee::{Addressed, Addressee},
    constants, context,
    error::Error,
    kem::DecapsulationKey,
    keyring::Keyring,
    parties::{Accepting, Signers, signed_digest},
    plaintext::Plaintext,
};

impl DecapsulationKey {
    /// Accepts a request that does not prove who asks, and returns the question and the [`Asked`] that
    /// answers it. A signed one is refused: name its signer with [`accepting`](Self::accepting).
    ///
    /// The guard decides whether the request is let in, when all of it has been opened. Use one guard
    /// for all requests to a key in a context; see [`ReplayGuard`].
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if it is for another key; [`Error::Signed`] if it is signed;
    /// [`Error::Truncated`], [`Error::Unknown`], [`Error::Length`] or [`Error::Invalid`] if it does not
    /// have a request's head; [`Error::Context`] for an invalid context; [`Error::Open`] if the context
    /// differs from the maker's, or anything was changed or cut off; [`Error::Replay`] if the guard
    /// refuses it, and the guard's own errors.
    pub fn accept(
        &self,
        context: &[u8],
        request: &[u8],
        guard: &dyn ReplayGuard,
    ) -> Result<(Plaintext, Asked), Error> {
        accept(self.addressee(), None, context, request, guard)
    }

    /// Accepts a request while it is read, in constant memory. When this returns, its first 16 KiB are
    /// authenticated and the guard has let it in: from then on its id is spent. If the rest is cut off,
    /// the request has to be made anew.
    ///
    /// A request ends where the inner reader does, as with [`open_reader`](Self::open_reader).
    /// [`RequestReader::finish`] returns the [`Asked`] that answers it.
    ///
    /// # Errors
    ///
    /// Same as [`accept`](Self::accept), wrapped in [`io::Error`]; and the errors of the inner reader,
    /// after which the part that was read is lost.
    pub fn accept_reader<R: Read>(
        &self,
        context: &[u8],
        inner: R,
        guard: &dyn ReplayGuard,
    ) -> io::Result<RequestReader<R>> {
        accept_reader(self.addressee(), None, context, inner, guard)
    }

    /// Accepts the head of a request, before its body is there. For a signed one, see
    /// [`Accepting::accept_head`].
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`], [`Error::Signed`] and [`Error::Context`], as [`accept`](Self::accept).
    pub fn accept_head(
        &self,
        context: &[u8],
        head: RequestHead,
    ) -> Result<VerifiedHead<'_>, Error> {
        accept_head(self.addressee(), None, context, head)
    }
}

impl Keyring {
    /// Accepts a request with the key that it is addressed to; see [`DecapsulationKey::accept`].
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::accept`], and the errors of the key; [`Error::Refused`] if the
    /// policy does not accept the key's suite.
    pub fn accept(
        &self,
        context: &[u8],
        request: &[u8],
        guard: &dyn ReplayGuard,
    ) -> Result<(Plaintext, Asked), Error> {
        accept(self.addressee(), None, context, request, guard)
    }

    /// Accepts a request while it is read; see [`DecapsulationKey::accept_reader`].
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::accept_reader`] and [`accept`](Self::accept).
    pub fn accept_reader<R: Read>(
        &self,
        context: &[u8],
        inner: R,
        guard: &dyn ReplayGuard,
    ) -> io::Result<RequestReader<R>> {
        accept_reader(self.addressee(), None, context, inner, guard)
    }

    /// Accepts the head of a request; see [`DecapsulationKey::accept_head`].
    ///
    /// # Errors
    ///
    /// Same as [`DecapsulationKey::accept_head`]; [`Error::Refused`] if the policy does not accept the
    /// key's suite.
    pub fn accept_head(
        &self,
        context: &[u8],
        head: RequestHead,
    ) -> Result<VerifiedHead<'_>, Error> {
        accept_head(self.addressee(), None, context, head)
    }
}

impl<'a> Accepting<'a> {
    /// Verifies the request's signature, then opens it; see [`DecapsulationKey::accept`]. What a
    /// signature covers: see [`SignedBy::request`](crate::SignedBy::request).
    ///
    /// # Errors
    ///
    /// [`Error::Unsigned`] if the request is not signed, or its signature is detached;
    /// [`Error::Verify`] if the signature does not verify, or is by an unknown key, which takes as long;
    /// [`Error::Refused`] if a keyring's policy does not accept the signature's suite. Otherwise the
    /// same as [`DecapsulationKey::accept`].
    pub fn accept(
        &self,
        context: &[u8],
        request: &[u8],
        guard: &dyn ReplayGuard,
    ) -> Result<(Plaintext, Asked), Error> {
        accept(self.keys, Some(self.signers), context, request, guard)
    }

    /// Verifies the request's signature, then opens the request while it is read; see
    /// [`DecapsulationKey::accept_reader`].
    ///
    /// # Errors
    ///
    /// Same as [`accept`](Self::accept) and [`DecapsulationKey::accept_reader`].
    pub fn accept_reader<R: Read>(
        &self,
        context: &[u8],
        inner: R,
        guard: &dyn ReplayGuard,
    ) -> io::Result<RequestReader<R>> {
        accept_reader(self.keys, Some(self.signers), context, inner, guard)
    }

    /// Verifies the signature of a request's head, before its body is there: so a service gives memory,
    /// a place in a queue or time only to those that it knows. Nothing is decapsulated.
    ///
    /// A head that verifies was made by its signer, but whoever saw it on the way can send it, too,
    /// until the guard has let it in.
    ///
    /// # Errors
    ///
    /// Same as [`accept`](Self::accept), except for those about the body and the guard.
    ///
    /// ```
    /// use twinseal::request::RequestHead;
    ///
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let alice = twinseal::SigningKey::generate()?;
    /// # let guard = twinseal::request::AllowReplays;
    /// # let to_bob = bob.encapsulation_key();
    /// let (request, _) = to_bob.signed_by(&alice).request(b"example.com/predict", b"a picture")?;
    ///
    /// let head = RequestHead::parse(&request)?; // the beginning is enough
    /// let body = &request[head.len()..];
    /// let verified = bob.accepting(alice.verifying_key()).accept_head(b"example.com/predict", head)?;
    /// assert_eq!(verified.signer(), Some(alice.verifying_key().key_id()));
    /// let (picture, asked) = verified.open(body, &guard)?;
    /// # assert_eq!(&picture[..], b"a picture");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn accept_head(
        &self,
        context: &[u8],
        head: RequestHead,
    ) -> Result<VerifiedHead<'a>, Error> {
        accept_head(self.keys, Some(self.signers), context, head)
    }
}

pub(crate) fn accept(
    keys: Addressee<'_>,
    signers: Option<Signers<'_>>,
    context: &[u8],
    request: &[u8],
    guard: &dyn ReplayGuard,
) -> Result<(Plaintext, Asked), Error> {
    context::check(context)?;
    let head = RequestHead::parse(request)?;
    let body = &request[head.len()..];
    accept_head(keys, signers, context, head)?.open(body, guard)
}

pub(crate) fn accept_reader<R: Read>(
    keys: Addressee<'_>,
    signers: Option<Signers<'_>>,
    context: &[u8],
    mut inner: R,
    guard: &dyn ReplayGuard,
) -> io::Result<RequestReader<R>> {
    context::check(context)?;
    let head = RequestHead::read(&mut inner)?;
    accept_head(keys, signers, context, head)?.open_reader(inner, guard)
}

/// Common to all ways of accepting a request.
pub(crate) fn accept_head<'a>(
    keys: Addressee<'a>,
    signers: Option<Signers<'_>>,
    context: &[u8],
    head: RequestHead,
) -> Result<VerifiedHead<'a>, Error> {
    context::check(context)?;
    let (to, key) = keys.find(head.suite, head.recipient)?;
    let transcript = match (signers, head.signer) {
        (None, None) => secrets::transcript(&head, to, None, context),
        (None, Some(_)) => return Err(Error::Signed),
        (Some(_), None) => return Err(Error::Unsigned),
        (Some(signers), Some((suite, key_id))) => {
            keys.check_signer(suite)?;
            let signature = head.signature().ok_or(Error::Unsigned)?;
            // An unknown signer costs as much as a wrong signature, and is the same error.
            let claimed = signers.claimed(suite, key_id)?;
            let digest = signed_digest(head.core(), to, claimed.key(), context);
            let signer = claimed
                .verify(constants::REQUEST_SIGNATURE_CONTEXT, &digest, signature)
                .map_err(|_| Error::Verify)?;
            secrets::transcript(&head, to, Some(signer), context)
        }
    };
    Ok(VerifiedHead { to, key, head, transcript, context: context.to_vec() })
}
