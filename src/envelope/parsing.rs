//! Parsing a header from bytes that arrive little by little. Each byte is parsed once.

#![warn(clippy::indexing_slicing)]

use std::{
    io::{self, Read},
    ops::{Range, RangeInclusive},
};

use super::{
    Header,
    content_key::{HEADER_TAG, WRAPPED},
};
use crate::{
    constants,
    error::Error,
    kem::KemSuite,
    key_id::KeyId,
    retry,
    stream::{self, ReadAt},
    wire,
};

pub(super) const WHAT: &str = "envelope header";

/// `magic || version || body || number of recipients`.
pub(super) const START: usize = 8 + 1 + 1 + 2;

/// `suite || key id || length`, before the ciphertext.
pub(super) const STANZA_START: usize = 2 + KeyId::LEN + 2;

/// A recipient with an empty ciphertext.
const LEAST_STANZA: usize = STANZA_START + WRAPPED;

/// One recipient in a header.
#[derive(Clone, Debug)]
pub(super) struct Stanza {
    pub(super) suite: u16,
    pub(super) key_id: KeyId,
    /// The position of the ciphertext in the header.
    pub(super) ciphertext: Range<usize>,
    pub(super) wrapped: [u8; WRAPPED],
}

impl Stanza {
    pub(super) fn order(&self) -> (u16, KeyId) {
        (self.suite, self.key_id)
    }
}

/// How far a header has been parsed.
#[derive(Default)]
struct Parser {
    /// The number of recipients, once it is known.
    count: Option<usize>,
    stanzas: Vec<Stanza>,
    position: usize,
}

impl Parser {
    /// Continues parsing. `bytes` are the previous ones and more. Returns the header's length if it
    /// ends within them; [`Error::Truncated`] says how many are needed at least.
    fn advance(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let count = match self.count {
            Some(count) => count,
            None => self.start(bytes)?,
        };
        while self.stanzas.len() < count {
            self.stanza(count, bytes)?;
        }
        wire::Reader::at(WHAT, bytes, self.position).take(HEADER_TAG)?;
        Ok(self.position + HEADER_TAG)
    }

    fn start(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let mut reader = wire::Reader::new(WHAT, bytes);
        // However short it is, other data is not a truncated envelope.
        let start = bytes.get(..constants::ENVELOPE_MAGIC.len()).unwrap_or(bytes);
        if !constants::ENVELOPE_MAGIC.starts_with(start) {
            return Err(Error::NotAnEnvelope);
        }
        reader.take(constants::ENVELOPE_MAGIC.len())?;
        known("envelope version", reader.u8()?, constants::ENVELOPE_VERSION)?;
        known("envelope body", reader.u8()?, constants::BODY_COBBLESTONE_256)?;
        let count = usize::from(reader.u16()?);
        if !(1..=constants::MAX_RECIPIENTS).contains(&count) {
            return Err(Error::Invalid { what: WHAT, reason: "it must have 1 to 1000 recipients" });
        }
        self.position = reader.position();
        self.count = Some(count);
        Ok(count)
    }

    /// The next recipient. The ciphertext's length must be exact for a known suite; an unknown one
    /// is skipped by it.
    fn stanza(&mut self, count: usize, bytes: &[u8]) -> Result<(), Error> {
        let later = (count - self.stanzas.len() - 1) * LEAST_STANZA + HEADER_TAG;
        let least = |needed: usize| Error::Truncated {
            what: WHAT,
            needed: needed.saturating_add(later),
            actual: bytes.len(),
        };
        let start = self.position;
        let mut reader = wire::Reader::at(WHAT, bytes, start);
        let head = reader.take(STANZA_START).map_err(|_| least(start + LEAST_STANZA))?;
        let mut head = wire::Reader::new(WHAT, head);
        let suite = head.u16()?;
        let key_id = KeyId::from_bytes(head.array()?);
        let length = usize::from(head.u16()?);
        check_length(suite, length)?;

        let end = start + LEAST_STANZA + length;
        if end + later > constants::MAX_HEADER {
            return Err(Error::Invalid { what: WHAT, reason: "it is longer than 4 MiB" });
        }
        let ciphertext = reader.position()..end - WRAPPED;
        reader.take(length).map_err(|_| least(end))?;
        let wrapped = reader.array().map_err(|_| least(end))?;
        let stanza = Stanza { suite, key_id, ciphertext, wrapped };
        if self.stanzas.last().is_some_and(|last| last.order() >= stanza.order()) {
            return Err(Error::Invalid {
                what: WHAT,
                reason: "its recipients are not in strictly ascending order",
            });
        }
        self.stanzas.push(stanza);
        self.position = end;
        Ok(())
    }
}

fn check_length(suite: u16, length: usize) -> Result<(), Error> {
    match KemSuite::from_id(suite) {
        Ok(known) if length != known.ciphertext_len() => Err(Error::Length {
            what: "recipient's ciphertext",
            expected: known.ciphertext_len(),
            actual: length,
        }),
        Err(_) if length > constants::MAX_UNKNOWN_CIPHERTEXT => Err(Error::Invalid {
            what: "recipient's ciphertext",
            reason: "it is longer than 8192 bytes",
        }),
        _ => Ok(()),
    }
}

/// A version or type of which only one value is known.
fn known(what: &'static str, found: u8, expected: u8) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Unknown { what, id: found.into() }) }
}

/// A read may ask for this many bytes, or for as many as were read so far if those are more.
const LEAST_READ: usize = 4 * 1024;

/// How many bytes are fetched at most at once.
const MOST_FETCHED: usize = 256 * 1024;

/// A header of which a part was read.
#[derive(Default)]
pub(crate) struct Arriving {
    parser: Parser,
    bytes: Vec<u8>,
    /// How many of the bytes have arrived; the rest is room.
    filled: usize,
    ended: bool,
}

impl Arriving {
    /// The room for the next bytes, all of which belong to the header, or `None` if the header is
    /// complete. An error if it is malformed, or ends too early.
    pub(crate) fn room(&mut self) -> Result<Option<&mut [u8]>, Error> {
        self.bytes.truncate(self.filled);
        match self.parser.advance(&self.bytes) {
            Ok(_) => Ok(None),
            Err(Error::Truncated { needed, actual, .. }) if !self.ended => {
                // The number of recipients is a claim: the buffer grows at most to twice the bytes read.
                self.bytes.resize(needed.min(actual + actual.max(LEAST_READ)), 0);
                Ok(self.bytes.get_mut(self.filled..))
            }
            Err(error) => Err(error),
        }
    }

    /// Counts bytes that were read into the room, and notes whether the reader has ended.
    pub(crate) fn arrived(&mut self, len: usize, ended: bool) {
        self.filled += len;
        self.ended = ended;
    }

    /// The header, once there is no more room.
    pub(crate) fn into_header(self) -> Header {
        Header { bytes: self.bytes, stanzas: self.parser.stanzas }
    }
}

impl Header {
    /// The greatest length of a header: 4 MiB.
    pub const MAX_LEN: usize = constants::MAX_HEADER;

    /// The least and the greatest length in bytes that a header with these first 12 bytes can have;
    /// later bytes are ignored. For a buffer of bounded size, or a first request to a store. The exact
    /// length depends on the suites of the recipients.
    ///
    /// # Errors
    ///
    /// Same as [`parse`](Self::parse).
    ///
    /// ```
    /// # use twinseal::envelope::Header;
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
    /// let range = Header::len_range(&sealed[..12])?;
    /// assert_eq!(range, 112..=8304); // one recipient
    /// assert!(range.contains(&Header::parse(&sealed)?.len()));
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn len_range(bytes: &[u8]) -> Result<RangeInclusive<usize>, Error> {
        const LARGEST_STANZA: usize = LEAST_STANZA + constants::MAX_UNKNOWN_CIPHERTEXT;
        let count = Parser::default().start(bytes)?;
        let len = |stanza: usize| START + count * stanza + HEADER_TAG;
        Ok(len(LEAST_STANZA)..=len(LARGEST_STANZA).min(Self::MAX_LEN))
    }

    /// Parses the header at the front of an envelope; the bytes behind it are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::NotAnEnvelope`] if `bytes` do not start as one. [`Error::Truncated`] if the header
    /// does not end within them: get `needed` bytes or more before the next attempt, which starts at
    /// the first byte again. [`Error::Unknown`] for another version or body. [`Error::Length`] or
    /// [`Error::Invalid`] if the header breaks a rule: for example, it has at most 4 MiB, and a
    /// ciphertext of an unknown suite has at most 8192 bytes. A recipient of an unknown suite is not
    /// an error.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut parser = Parser::default();
        let length = parser.advance(bytes)?;
        let bytes = bytes.get(..length).expect("the header ends within the bytes").to_vec();
        Ok(Self { bytes, stanzas: parser.stanzas })
    }

    /// Reads a header from the front of an envelope, and not a byte more: the reader then stands at the
    /// body.
    ///
    /// # Errors
    ///
    /// Same as [`parse`](Self::parse), wrapped in [`io::Error`]; and the errors of the reader, after
    /// which the part of the header that was read is lost. Over a reader that does not block, collect
    /// the bytes yourself, and [`parse`](Self::parse) them.
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// use twinseal::envelope::Header;
    ///
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
    /// let mut file = &sealed[..];
    /// let header = Header::read(&mut file)?;
    /// let mut body = Vec::new();
    /// file.read_to_end(&mut body)?;
    /// assert_eq!(&bob.unlock(&header)?.open(b"example.com/notes", &body)?[..], b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(mut reader: impl Read) -> io::Result<Self> {
        let mut arriving = Arriving::default();
        while let Some(room) = arriving.room()? {
            let mut filled = 0;
            let ended = retry::read_full(&mut reader, room, &mut filled)?;
            arriving.arrived(filled, ended);
        }
        Ok(arriving.into_header())
    }

    /// Reads a header in blocks, because each read may be a request to a server. Also returns those
    /// bytes behind it that were read.
    pub(super) fn read_at(source: &impl ReadAt, size: u64) -> io::Result<(Self, Vec<u8>)> {
        let mut parser = Parser::default();
        let mut bytes = Vec::new();
        loop {
            match parser.advance(&bytes) {
                Ok(length) => {
                    let behind = bytes.split_off(length);
                    return Ok((Self { bytes, stanzas: parser.stanzas }, behind));
                }
                Err(Error::Truncated { actual, .. }) if (actual as u64) < size => {
                    let wanted = actual + actual.clamp(LEAST_READ, MOST_FETCHED);
                    bytes.resize(usize::try_from(size).unwrap_or(usize::MAX).min(wanted), 0);
                    let block = bytes.get_mut(actual..).expect("the vector was extended");
                    stream::read_exact_at(source, block, actual as u64)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
