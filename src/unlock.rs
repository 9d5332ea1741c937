//! One name for all keys that unlock envelopes and accept sessions and requests.

use std::io::{self, Read, Write};

#[cfg(doc)]
use crate::kem::DecapsulationKey;
use crate::{
    addressee::Addressed,
    envelope::{BodyKey, Header, Recipients, opening, rewrap},
    error::Error,
    kem::Decapsulate,
    keyring::{Keyring, VerifyingKeyring},
    parties::Accepting,
    plaintext::Plaintext,
    request::{self, Asked, ReplayGuard, RequestHead, RequestReader, VerifiedHead},
    session::{SessionReceiver, VerifiedHello, accept},
    sign::VerifyingKey,
    stream::{OpenReader, RandomAccess, ReadAt},
};

/// A private key or a ring of keys, which unlocks envelopes and accepts sessions and requests
/// addressed to it.
///
/// It is implemented for [`Keyring`] and for every [`Decapsulate`]: a [`DecapsulationKey`] in memory, a
/// key in an HSM or KMS, and pointers to either. Nothing else can implement it. [`DecapsulationKey`]
/// and [`Keyring`] have the same methods without this trait. Import it for external keys, and for
/// functions that work with any of them:
///
/// ```
/// use twinseal::{DecapsulationKey, Error, Keyring, Unlock};
///
/// fn read_note(keys: &impl Unlock, sealed: &[u8]) -> Result<String, Error> {
///     let note = keys.open(b"example.com/notes", sealed)?;
///     Ok(String::from_utf8_lossy(&note).into_owned())
/// }
///
/// let bob = DecapsulationKey::generate()?;
/// let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// assert_eq!(read_note(&bob, &sealed)?, "hello");
/// assert_eq!(read_note(&Keyring::new(bob), &sealed)?, "hello");
/// # Ok::<(), Error>(())
/// ```
///
/// There is no `dyn Unlock`: use `dyn Decapsulate`, which has these methods, or put the key into a
/// [`Keyring`].
///
/// # Errors
///
/// Each method returns the errors of the method that it refers to. An external key also reports its
/// own, as [`Error::External`] or [`Error::Randomness`]. A keyring also returns [`Error::Refused`] if
/// its policy does not accept a suite.
pub trait Unlock: Addressed {
    /// Opens an envelope; see [`DecapsulationKey::open`].
    fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        opening::open(self.addressee(), context, sealed)
    }

    /// Opens an envelope while it is read; see [`DecapsulationKey::open_reader`].
    fn open_reader<R: Read>(&self, context: &[u8], inner: R) -> io::Result<OpenReader<R>> {
        opening::open_reader(self.addressee(), context, inner)
    }

    /// Opens an envelope for reading at any position; see [`DecapsulationKey::open_at`].
    fn open_at<S: ReadAt>(&self, context: &[u8], source: S) -> io::Result<RandomAccess<S>> {
        opening::open_at(self.addressee(), context, source)
    }

    /// Unlocks a header; see [`DecapsulationKey::unlock`] and [`Keyring::unlock`].
    fn unlock(&self, header: &Header) -> Result<BodyKey, Error> {
        header.unlock_by(self.addressee())
    }

    /// Copies an envelope with new recipients; see [`DecapsulationKey::rewrap`].
    fn rewrap(&self, to: &Recipients, reader: impl Read, writer: impl Write) -> io::Result<u64> {
        rewrap::rewrap(self.addressee(), to, reader, writer)
    }

    /// Makes a header for new recipients; see [`DecapsulationKey::rewrap_header`].
    fn rewrap_header(&self, to: &Recipients, header: &Header) -> Result<Vec<u8>, Error> {
        rewrap::rewrap_header(self.addressee(), to, header)
    }

    /// Accepts a session; see [`DecapsulationKey::receiver`].
    fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<SessionReceiver, Error> {
        accept::receiver(self.addressee(), context, hello)
    }

    /// Accepts a hello, and decapsulates nothing yet; see [`DecapsulationKey::accept_hello`].
    fn accept_hello(&self, context: &[u8], hello: &[u8]) -> Result<VerifiedHello<'_>, Error> {
        accept::accept_hello(self.addressee(), None, context, hello)
    }

    /// Accepts a request; see [`DecapsulationKey::accept`].
    fn accept(
        &self,
        context: &[u8],
        request: &[u8],
        guard: &dyn ReplayGuard,
    ) -> Result<(Plaintext, Asked), Error> {
        request::accept::accept(self.addressee(), None, context, request, guard)
    }

    /// Accepts a request while it is read; see [`DecapsulationKey::accept_reader`].
    fn accept_reader<R: Read>(
        &self,
        context: &[u8],
        inner: R,
        guard: &dyn ReplayGuard,
    ) -> io::Result<RequestReader<R>> {
        request::accept::accept_reader(self.addressee(), None, context, inner, guard)
    }

    /// Accepts the head of a request; see [`DecapsulationKey::accept_head`].
    fn accept_head(&self, context: &[u8], head: RequestHead) -> Result<VerifiedHead<'_>, Error> {
        request::accept::accept_head(self.addressee(), None, context, head)
    }

    /// Accepts sessions and requests of one signer only; see [`DecapsulationKey::accepting`].
    fn accepting<'a>(&'a self, signer: &'a VerifyingKey) -> Accepting<'a> {
        Accepting::one(self.addressee(), signer)
    }

    /// Accepts sessions and requests of any of several signers; see [`DecapsulationKey::accepting_any`].
    fn accepting_any<'a>(&'a self, signers: &'a VerifyingKeyring) -> Accepting<'a> {
        Accepting::any(self.addressee(), signers)
    }
}

impl<T: Decapsulate> Unlock for T {}
impl Unlock for dyn Decapsulate + '_ {}
impl Unlock for Keyring {}
