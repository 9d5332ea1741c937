//! An answer in pieces, without I/O: a session's messages, each behind its length.

use std::{fmt, mem};

use super::{
    RequestId,
    answer::{START, check_start},
    secrets::{AnswerSecret, PIECES_NONCE},
};
use crate::{
    constants,
    error::Error,
    plaintext::Plaintext,
    secret::SecretBuffer,
    session::{Direction, MessageKind, MessageTag},
};

const WHAT: &str = "answer in pieces";

/// The longest plaintext of a piece, unless another bound is set: 1 MiB.
const BOUND: usize = 1 << 20;

/// The greatest bound: that of a session's messages.
const MAX_BOUND: usize = 1 << 30;

/// The length of a piece, before it: of what follows.
const LENGTH: usize = 4;

/// `magic || version || form || r`.
const PIECES_START: usize = START + PIECES_NONCE;

/// Seals the pieces of an answer, without I/O. From [`Asked::piece_sealer`](super::Asked::piece_sealer).
///
/// Send what each call returns, in order. A piece that is refused because it is too long uses nothing
/// up; after an error of the provider nothing more is sealed.
///
/// A copy of the process (`fork`, a snapshot of a virtual machine) has the same key and the same number
/// of the next piece. If both continue, they encrypt different pieces under one nonce, which reveals
/// the difference of the plaintexts and allows forgeries. Only one of them may continue.
pub struct PieceSealer {
    direction: Direction,
    bound: usize,
}

impl PieceSealer {
    /// What a piece adds to its plaintext: 21 bytes.
    pub const OVERHEAD: usize = LENGTH + MessageTag::LEN;

    pub(super) fn new(direction: Direction) -> Self {
        Self { direction, bound: BOUND }
    }

    /// The same with another bound for the plaintext of a piece, in bytes: at most 2^30, and 1 MiB
    /// unless it is set. The other side must allow as much.
    #[must_use]
    pub fn with_bound(self, bound: usize) -> Self {
        Self { bound: bound.min(MAX_BOUND), ..self }
    }

    /// The bound for the plaintext of a piece, in bytes.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Seals a piece, which may be empty. More pieces follow.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if it is longer than the bound; [`Error::Exhausted`] once the answer has carried
    /// 2^40 bytes; the errors of the provider, and [`Error::Finished`] after one.
    pub fn piece(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal(MessageKind::More, plaintext)
    }

    /// Seals the last piece, which may be empty. Without it the answer is cut off.
    ///
    /// # Errors
    ///
    /// Same as [`piece`](Self::piece).
    pub fn finish(mut self, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal(MessageKind::Last, plaintext)
    }

    /// `length || type || ciphertext || tag`.
    pub(super) fn seal(&mut self, kind: MessageKind, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        if plaintext.len() > self.bound {
            return Err(Error::Misuse { what: "piece", reason: "it is longer than the bound" });
        }
        self.direction.admit_to_send(kind, b"", plaintext.len())?; // before it is copied
        let length = MessageTag::LEN + plaintext.len();
        let length_bytes = u32::try_from(length).expect("a piece has at most 2^30 + 17 bytes");
        // Wiped if sealing fails, because it then holds the plaintext.
        let mut sealed = SecretBuffer::with_capacity(LENGTH + length);
        sealed.extend_from_slice(&length_bytes.to_be_bytes());
        sealed.extend_from_slice(&[kind.id()]);
        sealed.extend_from_slice(plaintext);
        let tag = self.direction.seal(kind, b"", &mut sealed[LENGTH + 1..])?;
        sealed.extend_from_slice(tag.tag());
        Ok(sealed.into_vec())
    }
}

impl fmt::Debug for PieceSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PieceSealer({} pieces sealed)", self.direction.messages())
    }
}

/// Opens the pieces of an answer, without I/O. From
/// [`Pending::piece_opener`](super::Pending::piece_opener).
///
/// Pass the bytes that arrive to [`update`](Self::update), take pieces with [`next`](Self::next) until
/// there is none, and at the end of the input call [`finish`](Self::finish): only that shows that
/// nothing was cut off. Every piece is authentic and the next one of this answer. The first error is
/// final.
///
/// ```
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let guard = twinseal::request::AllowReplays;
/// # let (request, pending) = bob.encapsulation_key().request(b"example.com/generate", b"a poem")?;
/// # let (_, asked) = bob.accept(b"example.com/generate", &request, &guard)?;
/// let (start, mut sealer) = asked.piece_sealer()?;
/// let sent = [start, sealer.piece(b"roses ")?, sealer.piece(b"are ")?, sealer.finish(b"red")?].concat();
///
/// let mut poem = Vec::new();
/// let mut opener = pending.piece_opener();
/// for part in sent.chunks(10) {
///     opener.update(part);
///     while let Some(piece) = opener.next()? {
///         poem.extend_from_slice(&piece);
///     }
/// }
/// opener.finish()?;
/// assert_eq!(poem, b"roses are red");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct PieceOpener {
    state: State,
    bound: usize,
    id: RequestId,
    /// Bytes that were not opened yet, from `position` on.
    input: Vec<u8>,
    position: usize,
    /// How many bytes arrived in all.
    received: u64,
}

enum State {
    Start(Box<AnswerSecret>),
    Pieces(Direction),
    Failed(Error),
}

impl PieceOpener {
    pub(super) fn new(secret: Box<AnswerSecret>) -> Self {
        let id = secret.id;
        let state = State::Start(secret);
        Self { state, bound: BOUND, id, input: Vec::new(), position: 0, received: 0 }
    }

    /// The same with another bound for the plaintext of a piece, in bytes: at most 2^30, and 1 MiB
    /// unless it is set. A longer piece is refused when its length has arrived.
    #[must_use]
    pub fn with_bound(self, bound: usize) -> Self {
        Self { bound: bound.min(MAX_BOUND), ..self }
    }

    /// The name of the request.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Takes bytes that arrived.
    pub fn update(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Failed(_)) {
            return;
        }
        self.input.drain(..mem::take(&mut self.position));
        self.input.extend_from_slice(bytes);
        self.received = self.received.saturating_add(bytes.len() as u64);
    }

    /// Opens the next piece, or returns `None` if it has not arrived yet, or the last one was opened.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if it is not the next piece of this answer, or was changed; [`Error::Truncated`],
    /// [`Error::Unknown`] or [`Error::Invalid`] if the bytes are not an answer in pieces, a piece is
    /// longer than the bound, or bytes follow the last one. Every later call returns the error again.
    #[expect(clippy::should_implement_trait, reason = "`None` does not end it: more may arrive")]
    pub fn next(&mut self) -> Result<Option<Plaintext>, Error> {
        let opened = self.open_next();
        if let Err(error) = &opened {
            self.state = State::Failed(error.clone());
            self.input = Vec::new();
            self.position = 0;
        }
        opened
    }

    fn open_next(&mut self) -> Result<Option<Plaintext>, Error> {
        let rest = self.input.get(self.position..).unwrap_or_default();
        let (direction, rest) = match &mut self.state {
            State::Failed(error) => return Err(error.clone()),
            State::Pieces(direction) => (direction, rest),
            State::Start(secret) => {
                match check_start(rest, constants::ANSWER_IN_PIECES) {
                    Err(Error::Truncated { .. }) => return Ok(None),
                    checked => checked?,
                }
                let Some((start, rest)) = rest.split_first_chunk::<PIECES_START>() else {
                    return Ok(None);
                };
                let nonce = start.last_chunk().expect("42 bytes hold 32");
                let direction = secret.pieces(nonce)?;
                self.position += PIECES_START;
                self.state = State::Pieces(direction);
                let State::Pieces(direction) = &mut self.state else { return Ok(None) };
                (direction, rest)
            }
        };
        if direction.is_finished() {
            let reason = "bytes follow the last piece";
            return if rest.is_empty() { Ok(None) } else { Err(invalid(reason)) };
        }
        let Some((length, rest)) = rest.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        // Before anything is kept for it.
        if length < MessageTag::LEN {
            return Err(invalid("a piece is shorter than 17 bytes"));
        }
        if length - MessageTag::LEN > self.bound {
            return Err(invalid("a piece is longer than the bound"));
        }
        let Some(piece) = rest.get(..length) else { return Ok(None) };
        let too_short = || invalid("a piece is shorter than 17 bytes");
        let (kind, sealed) = piece.split_first().ok_or_else(too_short)?;
        let (ciphertext, tag) = sealed.split_last_chunk().ok_or_else(too_short)?;
        let tag = MessageTag::new(MessageKind::from_id(*kind)?, *tag);
        let mut plaintext = SecretBuffer::from(ciphertext.to_vec());
        direction.open(b"", &mut plaintext, &tag)?;
        self.position += LENGTH + length;
        Ok(Some(Plaintext::new(plaintext)))
    }

    /// Whether the last piece was opened. Complete is the answer only if nothing follows it.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(&self.state, State::Pieces(direction) if direction.is_finished())
    }

    /// Checks at the end of the input that nothing was cut off, and nothing follows.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if the last piece is missing, or was not taken; otherwise same as
    /// [`next`](Self::next).
    pub fn finish(mut self) -> Result<(), Error> {
        self.check_end()
    }

    /// [`finish`](Self::finish), for a reader that repeats its error.
    pub(crate) fn check_end(&mut self) -> Result<(), Error> {
        match self.next() {
            Ok(None) if self.is_finished() => Ok(()),
            Ok(_) => {
                let actual = usize::try_from(self.received).unwrap_or(usize::MAX);
                let needed = actual.saturating_add(1);
                let error = Error::Truncated { what: WHAT, needed, actual };
                self.state = State::Failed(error.clone());
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

fn invalid(reason: &'static str) -> Error {
    Error::Invalid { what: WHAT, reason }
}

impl fmt::Debug for PieceOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PieceOpener({})", self.id)
    }
}
