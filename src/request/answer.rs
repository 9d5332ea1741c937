//! The answer to a request: who may make it, who may open it, and its whole form.

use std::{
    error, fmt,
    io::{self, Read, Write},
};

use super::{
    PieceOpener, PieceReader, PieceSealer, PieceWriter, RequestId, RequestTime,
    secrets::AnswerSecret, verified::Facts,
};
use crate::{
    constants,
    envelope::BodyKey,
    error::Error,
    key_id::KeyId,
    plaintext::Plaintext,
    provider::Random,
    retry,
    secret::SecretBuffer,
    stream::{
        self, OpenReader, SealWriter,
        chunks::{Opener, Sealer},
    },
};

const WHAT: &str = "answer";

/// `magic || version || form`.
pub(super) const START: usize = 8 + 1 + 1;

/// The length of what comes before the chunks of a whole answer.
const WHOLE_START: usize = START + BodyKey::PREFIX_LEN;

/// A request that was accepted, to be answered at most once: whole with [`answer`](Self::answer), or
/// in pieces with [`piece_writer`](Self::piece_writer). The answer costs no key exchange and carries no
/// signature: only the holder of the recipient's key, or the request's maker, can have made it, for
/// this very request.
///
/// To answer nothing, drop it.
pub struct Asked {
    secret: Box<AnswerSecret>,
    signer: Option<KeyId>,
    time: RequestTime,
}

impl Asked {
    pub(super) fn new(secret: Box<AnswerSecret>, facts: Facts) -> Self {
        Self { secret, signer: facts.signer, time: facts.time }
    }

    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.secret.id
    }

    /// The key whose signature of the request was verified; `None` for an unsigned request.
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.signer
    }

    /// When the request was made, by its maker's clock.
    #[must_use]
    pub fn time(&self) -> RequestTime {
        self.time
    }

    /// Seals a whole answer.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the system has none; [`Error::Misuse`] from 4 PiB on.
    pub fn answer(self, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let capacity = Self::answer_len(plaintext.len() as u64)
            .and_then(|length| isize::try_from(length).ok())
            .ok_or(Error::Misuse { what: "plaintext", reason: "it is too long" })?
            .unsigned_abs();
        let (start, prefix, sealer) = self.answer_sealer()?;
        let mut answer = Vec::with_capacity(capacity);
        answer.extend_from_slice(&start);
        answer.extend_from_slice(&prefix);
        sealer.seal_all(plaintext, &mut answer)?;
        Ok(answer)
    }

    /// Seals everything that is written to it as a whole answer, and writes it to `inner`; see
    /// [`SealWriter`].
    ///
    /// # Errors
    ///
    /// Same as [`answer`](Self::answer), wrapped in [`io::Error`]; and the errors of the inner writer.
    pub fn answer_writer<W: Write>(self, inner: W) -> io::Result<SealWriter<W>> {
        let (start, prefix, sealer) = self.answer_sealer()?;
        SealWriter::new(start, &prefix, sealer, inner)
    }

    /// Seals a whole answer without I/O: returns its first 10 bytes, the first 56 of its body, and
    /// the [`Sealer`] that makes the rest. Send them in this order.
    ///
    /// # Errors
    ///
    /// Same as [`answer`](Self::answer).
    pub fn answer_sealer(self) -> Result<(Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer), Error> {
        self.answer_sealer_with(&mut Random::System)
    }

    pub(crate) fn answer_sealer_with(
        self,
        random: &mut Random<'_>,
    ) -> Result<(Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer), Error> {
        let salt = random.array()?;
        let (key, prefix) = self.secret.seal_whole(&salt)?;
        Ok((start(constants::ANSWER_WHOLE), prefix, Sealer::new(key)))
    }

    /// Length of the whole answer with `plaintext` bytes in it, for a `Content-Length`. `None` from 4 PiB
    /// on, the format's bound.
    #[must_use]
    pub fn answer_len(plaintext: u64) -> Option<u64> {
        stream::sealed_len(plaintext)?.checked_add(START as u64)
    }

    /// Writes an answer in pieces, each of which arrives when it is made: tokens of a text, or the
    /// stages of a long computation.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`], wrapped in [`io::Error`], if the system has none; and the errors of the
    /// inner writer, to which the first 42 bytes are written here.
    pub fn piece_writer<W: Write>(self, inner: W) -> io::Result<PieceWriter<W>> {
        let (start, sealer) = self.piece_sealer()?;
        PieceWriter::new(start, sealer, inner)
    }

    /// Makes an answer in pieces without I/O: returns its first 42 bytes, and what seals the pieces.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the system has none.
    pub fn piece_sealer(self) -> Result<(Vec<u8>, PieceSealer), Error> {
        self.piece_sealer_with(&mut Random::System)
    }

    pub(crate) fn piece_sealer_with(
        self,
        random: &mut Random<'_>,
    ) -> Result<(Vec<u8>, PieceSealer), Error> {
        let nonce = random.array()?;
        let mut start = start(constants::ANSWER_IN_PIECES);
        start.extend_from_slice(&*nonce);
        Ok((start, PieceSealer::new(self.secret.pieces(&nonce)?)))
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asked({})", self.id())
    }
}

fn start(form: u8) -> Vec<u8> {
    [constants::ANSWER_MAGIC.as_slice(), &[constants::ANSWER_VERSION, form]].concat()
}

/// A request that was made, until its answer is opened, which is possible once.
///
/// The maker knows of the answer that it is for this very request, and complete; nobody else than the
/// holder of the recipient's key can have made it.
pub struct Pending {
    secret: Box<AnswerSecret>,
}

impl Pending {
    pub(super) fn new(secret: Box<AnswerSecret>) -> Self {
        Self { secret }
    }

    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.secret.id
    }

    /// Opens a whole answer: all of it, or an error and nothing.
    ///
    /// # Errors
    ///
    /// [`FailedAnswer`], which has this `Pending` in it: a forged answer must not cost the true one. Its
    /// error is [`Error::Open`] if the answer is to another request, or was changed or cut off;
    /// [`Error::Truncated`], [`Error::Unknown`] or [`Error::Invalid`] if it is not a whole answer. `?`
    /// turns it into an [`Error`].
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let guard = twinseal::request::AllowReplays;
    /// # let (request, pending) = bob.encapsulation_key().request(b"example.com/time", b"what time?")?;
    /// # let (_, asked) = bob.accept(b"example.com/time", &request, &guard)?;
    /// # let answer = asked.answer(b"three")?;
    /// let failed = pending.open(b"forged, and arrived first").unwrap_err();
    /// assert_eq!(&failed.pending.open(&answer)?[..], b"three");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn open(self, answer: &[u8]) -> Result<Plaintext, FailedAnswer> {
        let opened = self.open_whole(answer);
        opened.map_err(|error| FailedAnswer { error, pending: self })
    }

    fn open_whole(&self, answer: &[u8]) -> Result<Plaintext, Error> {
        check_start(answer, constants::ANSWER_WHOLE)?;
        let (start, chunks) = answer.split_first_chunk().ok_or(Error::Open)?; // it was cut off
        let opener = self.opener(start)?;
        let mut plaintext = SecretBuffer::with_capacity(chunks.len());
        opener.open_all(chunks, plaintext.as_mut_vec())?;
        Ok(Plaintext::new(plaintext))
    }

    /// Opens a whole answer while it is read, in constant memory; see [`OpenReader`].
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Self::open), wrapped in [`io::Error`], and those of the inner reader. This
    /// `Pending` is lost then: if somebody else can answer first, open in memory.
    pub fn open_reader<R: Read>(self, mut inner: R) -> io::Result<OpenReader<R>> {
        let (mut start, mut filled) = ([0; WHOLE_START], 0);
        if retry::read_full(&mut inner, &mut start, &mut filled)? {
            check_start(&start[..filled], constants::ANSWER_WHOLE)?;
            return Err(Error::Open.into()); // it was cut off
        }
        Ok(OpenReader::new(self.opener(&start)?, inner))
    }

    /// Opens a whole answer without I/O: from its first 66 bytes, makes the [`Opener`] of the rest.
    ///
    /// # Errors
    ///
    /// Same as [`open`](Self::open).
    pub fn answer_opener(self, start: &[u8; WHOLE_START]) -> Result<Opener, FailedAnswer> {
        self.opener(start).map_err(|error| FailedAnswer { error, pending: self })
    }

    fn opener(&self, start: &[u8; WHOLE_START]) -> Result<Opener, Error> {
        check_start(start, constants::ANSWER_WHOLE)?;
        let prefix = start.last_chunk().expect("66 bytes hold 56");
        Ok(Opener::new(self.secret.open_whole(prefix)?))
    }

    /// Opens all pieces of an answer that is in memory.
    ///
    /// # Errors
    ///
    /// Same as [`PieceOpener::next`] and [`PieceOpener::finish`].
    pub fn open_pieces(self, answer: &[u8]) -> Result<Vec<Plaintext>, Error> {
        let mut opener = self.piece_opener();
        opener.update(answer);
        let mut pieces = Vec::new();
        while let Some(piece) = opener.next()? {
            pieces.push(piece);
        }
        opener.finish()?;
        Ok(pieces)
    }

    /// Opens the pieces of an answer as they arrive.
    #[must_use]
    pub fn piece_reader<R: Read>(self, inner: R) -> PieceReader<R> {
        PieceReader::new(self.piece_opener(), inner)
    }

    /// Opens the pieces of an answer as they arrive, without I/O.
    #[must_use]
    pub fn piece_opener(self) -> PieceOpener {
        PieceOpener::new(self.secret)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({})", self.id())
    }
}

/// Checks as much of an answer's first ten bytes as there is. The error tells the two forms apart.
pub(super) fn check_start(answer: &[u8], form: u8) -> Result<(), Error> {
    let magic = answer.get(..constants::ANSWER_MAGIC.len()).unwrap_or(answer);
    if !constants::ANSWER_MAGIC.starts_with(magic) {
        return Err(Error::Invalid { what: WHAT, reason: "it does not start with \"twinansw\"" });
    }
    let Some(&[version, found]) = answer.get(magic.len()..START) else {
        return Err(Error::Truncated { what: WHAT, needed: START, actual: answer.len() });
    };
    match (version, found) {
        (constants::ANSWER_VERSION, found) if found == form => Ok(()),
        (constants::ANSWER_VERSION, constants::ANSWER_WHOLE) => {
            Err(Error::Invalid { what: WHAT, reason: "it is whole, not in pieces" })
        }
        (constants::ANSWER_VERSION, constants::ANSWER_IN_PIECES) => {
            Err(Error::Invalid { what: WHAT, reason: "it is in pieces, not whole" })
        }
        (constants::ANSWER_VERSION, other) => {
            Err(Error::Unknown { what: "form of an answer", id: other.into() })
        }
        (other, _) => Err(Error::Unknown { what: "answer version", id: other.into() }),
    }
}

/// An answer that did not open, and the [`Pending`] that waits on for the true one.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedAnswer {
    /// Why it did not open.
    pub error: Error,
    /// Opens the next answer that arrives.
    pub pending: Pending,
}

impl From<FailedAnswer> for Error {
    fn from(failed: FailedAnswer) -> Self {
        failed.error
    }
}

impl From<FailedAnswer> for io::Error {
    fn from(failed: FailedAnswer) -> Self {
        failed.error.into()
    }
}

impl fmt::Display for FailedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl error::Error for FailedAnswer {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error.source()
    }
}
