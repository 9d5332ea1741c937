//! Opening a request as an `io::Read`.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use super::{Asked, ReplayGuard, RequestId, RequestTime, UnlockedRequest};
use crate::{envelope::BodyKey, error::Error, key_id::KeyId, retry, stream::OpenReader};

/// Opens a request while it is read. From
/// [`accept_reader`](crate::DecapsulationKey::accept_reader). Damaged data and errors of the inner
/// reader are as with an [`OpenReader`].
///
/// A request can be answered only after its end: [`finish`](Self::finish) returns the [`Asked`].
///
/// ```
/// use std::io::Read;
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let guard = twinseal::request::AllowReplays;
/// # let (request, pending) = bob.encapsulation_key().request(b"example.com/predict", b"a picture")?;
/// # let connection = &request[..];
/// let mut request = bob.accept_reader(b"example.com/predict", connection, &guard)?;
/// let mut picture = Vec::new();
/// request.read_to_end(&mut picture)?;
/// let answer = request.finish()?.answer(b"a cat")?;
/// # assert_eq!(&pending.open(&answer)?[..], b"a cat");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RequestReader<R> {
    reader: OpenReader<R>,
    asked: Asked,
}

impl<R: Read> RequestReader<R> {
    /// Reads and authenticates the first chunk, then asks the guard.
    pub(super) fn new(
        request: UnlockedRequest,
        mut inner: R,
        guard: &dyn ReplayGuard,
    ) -> io::Result<Self> {
        let mut prefix = [0; BodyKey::PREFIX_LEN];
        if retry::read_full(&mut inner, &mut prefix, &mut 0)? {
            return Err(Error::Open.into()); // it was cut off
        }
        let (opener, facts, asked) = request.into_parts(&prefix)?;
        let mut reader = OpenReader::new(opener, inner);
        reader.fill_buf()?;
        facts.admit(guard)?;
        Ok(Self { reader, asked })
    }

    /// Reads to the end of the request, drops the plaintext that was not read, and returns the
    /// [`Asked`] that answers the request. After an error it is lost: over a non-blocking reader, read
    /// until `Ok(0)` first.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if the end is missing or not authentic; the errors of the inner
    /// reader.
    pub fn finish(mut self) -> io::Result<Asked> {
        loop {
            match self.reader.fill_buf()?.len() {
                0 => return Ok(self.asked),
                length => self.reader.consume(length),
            }
        }
    }

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

impl<R: Read> BufRead for RequestReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

impl<R: Read> Read for RequestReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl<R> fmt::Debug for RequestReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestReader({:?}, {})", self.reader, self.asked.id())
    }
}
