//! A request on its way in: its signature holds, then its key is there, then the guard has let it in.

use std::{
    fmt,
    io::{self, Read},
};

use super::{
    Asked, ReplayGuard, RequestHead, RequestId, RequestReader, RequestTime,
    secrets::{self, AnswerSecret},
};
use crate::{
    addressee::decapsulate,
    envelope::BodyKey,
    error::Error,
    kem::{Ciphertext, Decapsulate, EncapsulationKey, SharedSecret},
    key_id::KeyId,
    plaintext::Plaintext,
    secret::SecretBuffer,
    stream::{SEALED_CHUNK, chunks::Opener},
};

/// What a [`ReplayGuard`] is asked about.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub(super) id: RequestId,
    pub(super) signer: Option<KeyId>,
    pub(super) time: RequestTime,
}

impl Facts {
    pub(super) fn of(head: &RequestHead) -> Self {
        Self { id: head.id(), signer: head.claimed_signer(), time: head.time() }
    }

    pub(super) fn look(self, guard: &dyn ReplayGuard) -> Result<(), Error> {
        guard.look(self.id, self.signer, self.time)
    }

    pub(super) fn admit(self, guard: &dyn ReplayGuard) -> Result<(), Error> {
        guard.admit(self.id, self.signer, self.time)
    }
}

/// The head of a request whose signature holds, or that is unsigned. Nothing was decapsulated yet.
/// From [`Accepting::accept_head`](crate::Accepting::accept_head).
///
/// Continue with [`open`](Self::open) or [`open_reader`](Self::open_reader). If the key or the guard has to be
/// awaited, continue with [`unlock_with`](Self::unlock_with) or [`unlock`](Self::unlock):
///
/// ```
/// # use twinseal::{DecapsulationKey, SigningKey, Error, request::{RequestHead, RequestTime, RequestId}};
/// # use twinseal::request::{ReplayGuard, WindowGuard};
/// # let bob = DecapsulationKey::generate()?;
/// # let alice = SigningKey::generate()?;
/// # let to_bob = bob.encapsulation_key();
/// # let (request, _) = to_bob.signed_by(&alice).request(b"example.com/predict", b"a picture")?;
/// # let head = RequestHead::parse(&request)?;
/// # let body = request[head.len()..].to_vec();
/// # let guard = WindowGuard::for_new_keys();
/// let verified = bob.accepting(alice.verifying_key()).accept_head(b"example.com/predict", head)?;
/// guard.look(verified.id(), verified.signer(), verified.time())?; // a replay costs no more
/// let secret = bob.decapsulate(verified.ciphertext())?; // awaited, from a KMS
/// let request = verified.unlock_with(&secret)?.open(&body)?;
/// let verdict = guard.admit(request.id(), request.signer(), request.time()); // awaited, from a store
/// let (picture, asked) = request.admitted(verdict)?; // not before
/// assert_eq!(&picture[..], b"a picture");
/// # Ok::<(), Error>(())
/// ```
pub struct VerifiedHead<'a> {
    pub(super) to: &'a EncapsulationKey,
    pub(super) key: &'a dyn Decapsulate,
    pub(super) head: RequestHead,
    pub(super) transcript: [u8; 48],
    pub(super) context: Vec<u8>,
}

impl<'a> VerifiedHead<'a> {
    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.head.id()
    }

    /// The key whose signature was verified; `None` for an unsigned request.
    /// [`VerifyingKeyring::name_of`](crate::VerifyingKeyring::name_of) returns its owner's name.
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.head.claimed_signer()
    }

    /// When the request was made, by its maker's clock.
    #[must_use]
    pub fn time(&self) -> RequestTime {
        self.head.time()
    }

    /// The ciphertext to be decapsulated with the [recipient](Self::recipient)'s key.
    #[must_use]
    pub fn ciphertext(&self) -> &Ciphertext {
        self.head.ciphertext()
    }

    /// The key that the request is for: one of a ring's keys. A secret that was recovered in two halves is
    /// [combined](SharedSecret::combine) with it.
    #[must_use]
    pub fn recipient(&self) -> &'a EncapsulationKey {
        self.to
    }

    /// Opens the body, which is everything behind the head: all of it, or nothing. The guard is
    /// asked before the key is used, and lets the request in when all of it has been opened.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if anything was changed or cut off; [`Error::Replay`] if the guard refuses the
    /// request; the errors of the guard and of the key.
    pub fn open(self, body: &[u8], guard: &dyn ReplayGuard) -> Result<(Plaintext, Asked), Error> {
        let facts = Facts::of(&self.head);
        facts.look(guard)?;
        let request = self.unlock()?.open(body)?;
        request.admitted(facts.admit(guard))
    }

    /// Opens the body while it is read; see
    /// [`DecapsulationKey::accept_reader`](crate::DecapsulationKey::accept_reader). `inner` stands
    /// behind the head.
    ///
    /// # Errors
    ///
    /// Same as [`open`](Self::open), wrapped in [`io::Error`]; and the errors of the inner reader.
    pub fn open_reader<R: Read>(
        self,
        inner: R,
        guard: &dyn ReplayGuard,
    ) -> io::Result<RequestReader<R>> {
        Facts::of(&self.head).look(guard)?;
        RequestReader::new(self.unlock()?, inner, guard)
    }

    /// Uses the key, and asks no guard: [`Unadmitted::admitted`] takes its verdict. An external key may
    /// block here.
    ///
    /// # Errors
    ///
    /// The errors of the key.
    pub fn unlock(self) -> Result<UnlockedRequest, Error> {
        let secret = decapsulate(self.key, self.to, self.head.ciphertext())?;
        self.unlock_with(&secret)
    }

    /// Continues with the shared secret of [`ciphertext`](Self::ciphertext), which was decapsulated
    /// elsewhere: by a KMS that is awaited.
    ///
    /// # Errors
    ///
    /// [`Error::SuiteMismatch`] if the secret is of another suite.
    pub fn unlock_with(self, secret: &SharedSecret) -> Result<UnlockedRequest, Error> {
        secret.check_suite(self.to.suite())?;
        let Self { to, head, transcript, context, .. } = self;
        let (body_key, answer) =
            secrets::derive(to.provider(), secret, &transcript, head.id(), &context);
        Ok(UnlockedRequest { body_key, answer, context, facts: Facts::of(&head) })
    }
}

impl fmt::Debug for VerifiedHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedHead({})", self.id())
    }
}

/// A request whose body can be opened, before a guard has let it in. From [`VerifiedHead::unlock`].
pub struct UnlockedRequest {
    body_key: BodyKey,
    answer: Box<AnswerSecret>,
    context: Vec<u8>,
    facts: Facts,
}

impl UnlockedRequest {
    /// Opens the body, which is everything behind the head: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if anything was changed or cut off.
    pub fn open(self, body: &[u8]) -> Result<Unadmitted<(Plaintext, Asked)>, Error> {
        let Self { body_key, answer, context, facts } = self;
        let plaintext = body_key.open(&context, body)?;
        Ok(Unadmitted { facts, request: (plaintext, Asked::new(answer, facts)) })
    }

    /// Opens the beginning of a body that arrives little by little: its prefix, and `first`, the first
    /// [`SEALED_CHUNK_LEN`](Self::SEALED_CHUNK_LEN) bytes behind it, or all of them if they are fewer. The
    /// [`RequestOpener`] opens the rest.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if anything was changed or cut off; [`Error::Misuse`] if `first` is longer.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, request::{AllowReplays, ReplayGuard, RequestHead, UnlockedRequest}};
    /// # let bob = DecapsulationKey::generate()?;
    /// # let context = b"example.com/predict";
    /// # let (request, _) = bob.encapsulation_key().request(context, &[7; 100_000])?;
    /// # let head = RequestHead::parse(&request)?;
    /// # let body = &request[head.len()..];
    /// # let guard = AllowReplays;
    /// let (prefix, chunks) = body.split_first_chunk().ok_or(twinseal::Error::Open)?;
    /// let (first, rest) = chunks.split_at(chunks.len().min(UnlockedRequest::SEALED_CHUNK_LEN));
    ///
    /// let request = bob.accept_head(context, head)?.unlock()?.begin(prefix, first)?;
    /// let verdict = guard.admit(request.id(), request.signer(), request.time());
    /// let (first, mut opener) = request.admitted(verdict)?;
    /// let mut plaintext = first.to_vec();
    /// for part in rest.chunks(5000) {
    ///     opener.update(part, &mut plaintext)?;
    /// }
    /// let asked = opener.finish(&mut plaintext)?;
    /// assert_eq!(plaintext, [7; 100_000]);
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn begin(
        self,
        prefix: &[u8; BodyKey::PREFIX_LEN],
        first: &[u8],
    ) -> Result<Unadmitted<(Plaintext, RequestOpener)>, Error> {
        let Self { body_key, answer, context, facts } = self;
        let mut opener = body_key.opener(&context, prefix)?;
        let mut plaintext = SecretBuffer::with_capacity(first.len());
        let rest = match first.len() {
            Self::SEALED_CHUNK_LEN => {
                opener.update(first, plaintext.as_mut_vec())?;
                Rest::Follows(opener)
            }
            0..Self::SEALED_CHUNK_LEN => {
                opener.open_all(first, plaintext.as_mut_vec())?;
                Rest::Empty
            }
            _ => {
                let reason = "it is longer than 16400 bytes";
                return Err(Error::Misuse { what: "first chunk", reason });
            }
        };
        let opener = RequestOpener { rest, asked: Asked::new(answer, facts) };
        Ok(Unadmitted { facts, request: (Plaintext::new(plaintext), opener) })
    }

    /// Length of a full chunk with its tag: 16400 bytes.
    pub const SEALED_CHUNK_LEN: usize = SEALED_CHUNK;

    /// For an asynchronous reader: what opens the body, and what is left over for the answer, until a
    /// guard has let the request in.
    #[cfg(feature = "tokio")]
    pub(crate) fn opener(
        self,
        prefix: &[u8; BodyKey::PREFIX_LEN],
    ) -> Result<Unadmitted<(Opener, Asked)>, Error> {
        let (opener, facts, asked) = self.into_parts(prefix)?;
        Ok(Unadmitted { facts, request: (opener, asked) })
    }

    /// For a reader: what opens the body, and what is left over for the answer.
    pub(super) fn into_parts(
        self,
        prefix: &[u8; BodyKey::PREFIX_LEN],
    ) -> Result<(Opener, Facts, Asked), Error> {
        let opener = self.body_key.opener(&self.context, prefix)?;
        Ok((opener, self.facts, Asked::new(self.answer, self.facts)))
    }
}

impl fmt::Debug for UnlockedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnlockedRequest({})", self.facts.id)
    }
}

/// A request that was opened, or its beginning, until a guard has let it in.
pub struct Unadmitted<T> {
    facts: Facts,
    request: T,
}

impl<T> Unadmitted<T> {
    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.facts.id
    }

    /// The key whose signature was verified; `None` for an unsigned request.
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.facts.signer
    }

    /// When the request was made, by its maker's clock.
    #[must_use]
    pub fn time(&self) -> RequestTime {
        self.facts.time
    }

    /// Returns the request if a guard has let it in. The verdict is what [`ReplayGuard::admit`] returned for this
    /// request.
    ///
    /// # Errors
    ///
    /// The error in the verdict.
    pub fn admitted(self, verdict: Result<(), Error>) -> Result<T, Error> {
        verdict.map(|()| self.request)
    }
}

#[cfg(feature = "tokio")]
impl<T> Unadmitted<T> {
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Unadmitted<U> {
        Unadmitted { facts: self.facts, request: convert(self.request) }
    }

    /// For a reader, which authenticates the first chunk before the guard is asked.
    pub(crate) fn before_verdict(&mut self) -> &mut T {
        &mut self.request
    }
}

impl<T> fmt::Debug for Unadmitted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unadmitted({})", self.facts.id)
    }
}

/// Opens the rest of a request that a guard has let in, without I/O. From [`UnlockedRequest::begin`].
pub struct RequestOpener {
    rest: Rest,
    asked: Asked,
}

/// What comes behind the first chunk.
enum Rest {
    Follows(Opener),
    /// The first chunk was the last.
    Empty,
    /// The first chunk was the last, and bytes followed it.
    Failed,
}

impl RequestOpener {
    /// Takes sealed bytes and appends to `plaintext` the chunks that became full; see
    /// [`Opener::update`].
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if a chunk is not authentic, or an earlier one was not.
    pub fn update(&mut self, sealed: &[u8], plaintext: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.rest {
            Rest::Follows(opener) => opener.update(sealed, plaintext),
            Rest::Empty if sealed.is_empty() => Ok(()),
            Rest::Empty | Rest::Failed => {
                self.rest = Rest::Failed;
                Err(Error::Open)
            }
        }
    }

    /// Appends the last chunk. If it succeeds, the request is complete and authentic, and can be
    /// answered.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the end is missing or not authentic.
    pub fn finish(self, plaintext: &mut Vec<u8>) -> Result<Asked, Error> {
        match self.rest {
            Rest::Follows(opener) => opener.finish(plaintext)?,
            Rest::Empty => {}
            Rest::Failed => return Err(Error::Open),
        }
        Ok(self.asked)
    }
}

impl fmt::Debug for RequestOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestOpener({})", self.asked.id())
    }
}
