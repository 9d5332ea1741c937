//! Requests on a connection: made within a task, and accepted while they arrive.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use ::tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::{OpenReader, SealWriter, reading};
use crate::{
    envelope::BodyKey,
    error::Error,
    key_id::KeyId,
    request::{
        Asked, Pending, ReplayGuard, RequestHead, RequestId, RequestSealer, RequestTime,
        Unadmitted, UnlockedRequest, VerifiedHead,
    },
};

/// Makes a request of everything that is written, and returns the writer and what opens the answer. Like
/// every [`SealWriter`] it has to be shut down or finished. Over TCP shut it down: the recipient reads to
/// the end, and [`finish`](SealWriter::finish) leaves the connection open.
///
/// [`SignedBy::request_sealer`](crate::SignedBy::request_sealer) makes the head. If it signs, it takes 1
/// to several ms; an external key may block: call it in [`spawn_blocking`](::tokio::task::spawn_blocking)
/// then. A signature that can be awaited is given to
/// [`PreparedRequest::finish`](crate::request::PreparedRequest::finish), which makes the head, too.
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use twinseal::{request::AllowReplays, tokio::{RequestReader, SealWriter, answer_reader, read_head, request_writer}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let alice = twinseal::SigningKey::generate()?;
/// # let guard = AllowReplays;
/// # let to_bob = bob.encapsulation_key();
/// # let upload = Vec::new();
/// let request = to_bob.signed_by(&alice).request_sealer(b"example.com/predict")?;
/// let (mut writer, pending) = request_writer(request, upload);
/// writer.write_all(b"a picture").await?;
/// let upload = writer.finish().await?;
///
/// // On the other side, which sees the head first:
/// # let mut upload = &upload[..];
/// # let from_alice = bob.accepting(alice.verifying_key());
/// let head = read_head(&mut upload).await?;
/// let verified = from_alice.accept_head(b"example.com/predict", head)?;
/// let mut request = RequestReader::new(verified, upload, &guard).await?;
/// let mut picture = Vec::new();
/// request.read_to_end(&mut picture).await?;
/// let asked = request.finish().await?;
///
/// # let answer = Vec::new();
/// let mut writer = SealWriter::new(asked.answer_sealer()?, answer);
/// writer.write_all(b"a cat").await?;
/// let answer = writer.finish().await?;
///
/// let mut label = String::new();
/// answer_reader(pending, &answer[..]).await?.read_to_string(&mut label).await?;
/// assert_eq!(label, "a cat");
/// # Ok(())
/// # }
/// ```
pub fn request_writer<W>(request: RequestSealer, inner: W) -> (SealWriter<W>, Pending) {
    let RequestSealer { head, prefix, sealer, pending } = request;
    (SealWriter::new((head.as_bytes().to_vec(), prefix, sealer), inner), pending)
}

/// Reads the head of a request, and not a byte more: the reader then stands at the body. It reads at
/// most [`RequestHead::MAX_LEN`] bytes, in at most three parts; a service sets a time limit around it.
///
/// # Errors
///
/// Same as [`RequestHead::parse`], wrapped in [`io::Error`]; and the errors of the reader. After an
/// error, or if this is cancelled, the part of the head that was read is lost.
pub async fn read_head(mut inner: impl AsyncRead + Unpin) -> io::Result<RequestHead> {
    let mut bytes = Vec::new();
    let mut ended = false;
    loop {
        match RequestHead::parse(&bytes) {
            Err(Error::Truncated { needed, actual, .. }) if !ended => {
                bytes.resize(needed, 0); // at most the length of the longest head
                let filled = actual + reading::fill(&mut inner, &mut bytes[actual..]).await?;
                ended = filled < needed;
                bytes.truncate(filled);
            }
            parsed => return Ok(parsed?),
        }
    }
}

/// Opens a request while it arrives. The asynchronous form of
/// [`request::RequestReader`](crate::request::RequestReader).
///
/// It returns only authentic plaintext of a request that was let in; complete is the request only when
/// it has returned 0 bytes. Damaged data, errors and cancellation are as with an [`OpenReader`]. The
/// request can be answered only after its end: [`finish`](Self::finish) returns the [`Asked`].
pub struct RequestReader<R> {
    reader: OpenReader<R>,
    asked: Asked,
}

impl<R: AsyncRead + Unpin> RequestReader<R> {
    /// Asks the guard, uses the key, reads and authenticates the first chunk, and asks the guard to let
    /// the request in. `inner` stands behind the head.
    ///
    /// The key is used here, in the task: about 0.2 ms for a key in memory. If the key or the guard has
    /// to be awaited, use [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// Same as [`VerifiedHead::open`], wrapped in [`io::Error`]; and the errors of the inner reader.
    /// After an error, or if this is cancelled, the part that was read is lost; the guard has let the
    /// request in only if this returns `Ok`.
    pub async fn new(
        head: VerifiedHead<'_>,
        inner: R,
        guard: &dyn ReplayGuard,
    ) -> io::Result<Self> {
        guard.look(head.id(), head.signer(), head.time())?;
        let request = Self::begin(head.unlock()?, inner).await?;
        let verdict = guard.admit(request.id(), request.signer(), request.time());
        Ok(request.admitted(verdict)?)
    }

    /// Reads and authenticates the first chunk, and asks no guard: [`Unadmitted::admitted`] takes its
    /// verdict, which may have been awaited. So may the secret: the request then comes from
    /// [`VerifiedHead::unlock_with`].
    ///
    /// # Errors
    ///
    /// [`Error::Open`], wrapped in [`io::Error`], if anything was changed or cut off; and the errors of
    /// the inner reader. After an error, or if this is cancelled, the part that was read is lost.
    ///
    /// ```
    /// use tokio::{io::AsyncReadExt, task::spawn_blocking};
    /// use twinseal::tokio::{RequestReader, read_head};
    ///
    /// # use twinseal::{Error, request::{AllowReplays, ReplayGuard, RequestId, RequestTime}};
    /// # async fn ask_store(id: RequestId, signer: Option<twinseal::KeyId>, time: RequestTime) -> Result<(), Error> {
    /// #     AllowReplays.admit(id, signer, time)
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let bob: &_ = Box::leak(Box::new(twinseal::DecapsulationKey::generate()?));
    /// # let (sent, _) = bob.encapsulation_key().request(b"example.com/predict", b"a picture")?;
    /// # let mut connection = &sent[..];
    /// let head = read_head(&mut connection).await?;
    /// let unlocked = spawn_blocking(move || {
    ///     bob.accept_head(b"example.com/predict", head)?.unlock() // with a key that may block
    /// });
    /// let request = RequestReader::begin(unlocked.await??, connection).await?;
    /// let verdict = ask_store(request.id(), request.signer(), request.time()).await;
    /// let mut request = request.admitted(verdict)?; // not before
    /// let mut picture = Vec::new();
    /// request.read_to_end(&mut picture).await?;
    /// # assert_eq!(picture, b"a picture");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn begin(request: UnlockedRequest, mut inner: R) -> io::Result<Unadmitted<Self>> {
        let mut prefix = [0; BodyKey::PREFIX_LEN];
        if reading::fill(&mut inner, &mut prefix).await? < prefix.len() {
            return Err(Error::Open.into()); // it was cut off
        }
        let mut request = request
            .opener(&prefix)?
            .map(|(opener, asked)| Self { reader: OpenReader::new(opener, inner), asked });
        let reader = &mut request.before_verdict().reader;
        poll_fn(|cx| Pin::new(&mut *reader).poll_fill_buf(cx).map_ok(|_| ())).await?;
        Ok(request)
    }

    /// Reads to the end of the request, drops the plaintext that was not read, and returns the [`Asked`]
    /// that answers the request.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if the end is missing or not authentic; the errors of the inner
    /// reader. The request cannot be answered then, nor if this is cancelled: read to the end before, if
    /// reading can be tried again.
    pub async fn finish(mut self) -> io::Result<Asked> {
        let reader = &mut self.reader;
        while poll_fn(|cx| {
            let mut reader = Pin::new(&mut *reader);
            let ready = reader.as_mut().poll_fill_buf(cx).map_ok(<[u8]>::len);
            ready.map_ok(|len| {
                reader.consume(len);
                len > 0
            })
        })
        .await?
        {}
        Ok(self.asked)
    }
}

impl<R> RequestReader<R> {
    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.asked.id()
    }

    /// The key whose signature was verified; `None` for an unsigned request.
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.asked.signer()
    }

    /// When the request was made, by its maker's clock.
    #[must_use]
    pub fn time(&self) -> RequestTime {
        self.asked.time()
    }

    /// The inner reader.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        self.reader.get_ref()
    }
}

impl<R: AsyncRead + Unpin> AsyncBufRead for RequestReader<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Pin::new(&mut self.get_mut().reader).poll_fill_buf(cx)
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        Pin::new(&mut self.reader).consume(amount);
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for RequestReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buffer)
    }
}

impl<R> fmt::Debug for RequestReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestReader({:?}, {})", self.reader, self.asked.id())
    }
}

/// The length of what precedes the chunks of a whole answer.
const ANSWER_START: usize = 10 + BodyKey::PREFIX_LEN;

/// Opens a whole answer while it arrives; see
/// [`Pending::open_reader`](crate::request::Pending::open_reader). [`SealWriter`] makes one from
/// [`Asked::answer_sealer`].
///
/// # Errors
///
/// The errors of [`Pending::open`], wrapped in [`io::Error`], and those of the inner reader. The
/// `Pending` is lost then, and so it is if this is cancelled: if somebody else can answer first, open in
/// memory.
pub async fn answer_reader<R: AsyncRead + Unpin>(
    pending: Pending,
    mut inner: R,
) -> io::Result<OpenReader<R>> {
    let mut start = [0; ANSWER_START];
    let filled = reading::fill(&mut inner, &mut start).await?;
    if filled < start.len() {
        // It says what is missing, or that this is not an answer.
        let error = pending.open(&start[..filled]).err().map_or(Error::Open, Error::from);
        return Err(error.into());
    }
    Ok(OpenReader::new(pending.answer_opener(&start)?, inner))
}
