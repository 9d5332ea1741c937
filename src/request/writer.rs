//! Making a request as an `io::Write`.

use std::{
    fmt,
    io::{self, Write},
};

use super::{Pending, RequestId, RequestSealer};
use crate::stream::SealWriter;

/// Makes a request of everything that is written to it. From
/// [`request_writer`](crate::EncapsulationKey::request_writer).
///
/// Call [`finish`](Self::finish) at the end; without it the request is truncated and is not accepted
/// as a whole. Errors of the inner writer, `flush` and copies of the process are as with a
/// [`SealWriter`].
///
/// ```
/// use std::io::Write;
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let alice = twinseal::SigningKey::generate()?;
/// # let guard = twinseal::request::AllowReplays;
/// # let to_bob = bob.encapsulation_key();
/// # let connection = Vec::new();
/// let mut writer = to_bob.signed_by(&alice).request_writer(b"example.com/predict", connection)?;
/// writer.write_all(b"many pictures")?;
/// let (connection, pending) = writer.finish()?;
/// # let from_alice = bob.accepting(alice.verifying_key());
/// # let (pictures, asked) = from_alice.accept(b"example.com/predict", &connection, &guard)?;
/// # assert_eq!(&pictures[..], b"many pictures");
/// # assert_eq!(&pending.open(&asked.answer(b"cats")?)?[..], b"cats");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "without finish() the request is truncated"]
pub struct RequestWriter<W> {
    writer: SealWriter<W>,
    pending: Pending,
}

impl<W: Write> RequestWriter<W> {
    /// Writes the head and the prefix.
    pub(super) fn new(request: RequestSealer, inner: W) -> io::Result<Self> {
        let RequestSealer { head, prefix, sealer, pending } = request;
        let writer = SealWriter::new(head.into_bytes(), &prefix, sealer, inner)?;
        Ok(Self { writer, pending })
    }

    /// Seals the last chunk, flushes, and returns the inner writer and what opens the answer.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer. The request is truncated then, because the writer is dropped:
    /// use [`try_finish`](Self::try_finish) if writing can be tried again after an error.
    pub fn finish(self) -> io::Result<(W, Pending)> {
        Ok((self.writer.finish()?, self.pending))
    }

    /// Seals the last chunk and flushes; see [`SealWriter::try_finish`].
    ///
    /// # Errors
    ///
    /// The errors of the inner writer.
    pub fn try_finish(&mut self) -> io::Result<()> {
        self.writer.try_finish()
    }

    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.pending.id()
    }

    /// The inner writer, where the sealed bytes go.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        self.writer.get_ref()
    }
}

impl<W: Write> Write for RequestWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.writer.write(plaintext)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl<W> fmt::Debug for RequestWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestWriter({:?}, {})", self.writer, self.pending.id())
    }
}
