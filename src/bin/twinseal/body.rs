//! Seals, opens and copies bodies, in pieces.

use std::io;

use twinseal::{
    Error,
    envelope::{Opener, Sealer},
};

use crate::{
    input::Input,
    relay::{PIECE, Piece, Source, Work, read_full},
};

const CHUNK: usize = Sealer::CHUNK_LEN;
const TAG: usize = Sealer::TAG_LEN;

/// Reads plaintext to where it will be sealed.
pub(crate) struct Plaintext {
    input: Input,
    /// Where the next chunk starts in its piece: behind the end of one that began in the piece before, or behind the
    /// header.
    start: usize,
}

impl Plaintext {
    pub(crate) fn new(input: Input, start: usize) -> Self {
        Self { input, start }
    }

    pub(crate) fn into_input(self) -> Input {
        self.input
    }
}

impl Source for Plaintext {
    fn fill(&mut self, piece: &mut Piece) -> io::Result<bool> {
        piece.filled = self.start;
        while piece.filled < PIECE {
            piece.last = 0;
            let room = &mut piece.buffer[piece.filled..][..CHUNK];
            if read_full(&mut self.input, room, &mut piece.last)? {
                return Ok(true);
            }
            piece.filled += CHUNK + TAG;
        }
        self.start = piece.filled - PIECE;
        Ok(false)
    }
}

/// Seals the chunks of each piece where they are.
pub(crate) struct Sealing {
    /// `None` after the last chunk.
    sealer: Option<Sealer>,
    /// The start of the next piece: the end of a chunk that began in the piece before, or the header.
    start: Vec<u8>,
}

impl Sealing {
    pub(crate) fn new(sealer: Sealer, start: Vec<u8>) -> Self {
        Self { sealer: Some(sealer), start }
    }
}

impl Work for Sealing {
    fn change(&mut self, piece: &mut Piece, ended: bool) -> io::Result<()> {
        piece.length = 0;
        let (before, chunks) = piece.buffer.split_at_mut(self.start.len());
        before.copy_from_slice(&self.start);
        let (chunks, last) = chunks.split_at_mut(piece.filled - self.start.len());
        let sealer = self.sealer.as_mut().ok_or(Error::Finished)?;
        for sealed in chunks.chunks_exact_mut(CHUNK + TAG) {
            let (chunk, tag) = sealed.split_first_chunk_mut().expect("a chunk and its tag");
            tag.copy_from_slice(&sealer.seal_chunk(chunk)?);
        }
        if ended && let Some(sealer) = self.sealer.take() {
            let (last, tag) = last.split_at_mut(piece.last);
            tag[..TAG].copy_from_slice(&sealer.seal_last(last)?);
            piece.length = piece.filled + piece.last + TAG;
        } else {
            piece.length = piece.filled.min(PIECE);
            self.start.clear();
            self.start.extend_from_slice(&piece.buffer[piece.length..piece.filled]);
        }
        Ok(())
    }
}

/// Reads sealed chunks, each to where its plaintext will be, and keeps their tags.
pub(crate) struct Sealed(Input);

impl Sealed {
    pub(crate) fn new(input: Input) -> Self {
        Self(input)
    }
}

impl Source for Sealed {
    fn fill(&mut self, piece: &mut Piece) -> io::Result<bool> {
        piece.filled = 0;
        for kept in &mut piece.tags {
            piece.last = 0;
            let room = &mut piece.buffer[piece.filled..][..CHUNK + TAG];
            if read_full(&mut self.0, room, &mut piece.last)? {
                return Ok(true);
            }
            // The next chunk goes where the tag is.
            kept.copy_from_slice(&room[CHUNK..]);
            piece.filled += CHUNK;
        }
        Ok(false)
    }
}

/// Opens the chunks of each piece where they are.
pub(crate) struct Opening {
    /// `None` after the last chunk.
    opener: Option<Opener>,
}

impl Opening {
    pub(crate) fn new(opener: Opener) -> Self {
        Self { opener: Some(opener) }
    }
}

impl Work for Opening {
    fn change(&mut self, piece: &mut Piece, ended: bool) -> io::Result<()> {
        piece.length = 0;
        let (chunks, last) = piece.buffer.split_at_mut(piece.filled);
        let opener = self.opener.as_mut().ok_or(Error::Finished)?;
        let (chunks, _) = chunks.as_chunks_mut();
        for (chunk, tag) in chunks.iter_mut().zip(&piece.tags) {
            opener.open_chunk(chunk, tag)?;
            piece.length += CHUNK;
        }
        if ended && let Some(opener) = self.opener.take() {
            let (last, tag) = last[..piece.last].split_last_chunk_mut().ok_or(Error::Open)?;
            opener.open_last(last, tag)?;
            piece.length += last.len();
        }
        Ok(())
    }
}

/// Reads a body that is copied as it is.
pub(crate) struct Copied {
    input: Input,
    /// Where reading starts in the first piece: behind the header.
    start: usize,
}

impl Copied {
    pub(crate) fn new(input: Input, start: usize) -> Self {
        Self { input, start }
    }

    pub(crate) fn into_input(self) -> Input {
        self.input
    }
}

impl Source for Copied {
    fn fill(&mut self, piece: &mut Piece) -> io::Result<bool> {
        piece.filled = std::mem::take(&mut self.start);
        read_full(&mut self.input, &mut piece.buffer[..PIECE], &mut piece.filled)
    }
}

/// Puts a header in front of what is copied.
pub(crate) struct Behind(Vec<u8>);

impl Behind {
    pub(crate) fn new(header: Vec<u8>) -> Self {
        Self(header)
    }
}

impl Work for Behind {
    fn change(&mut self, piece: &mut Piece, _: bool) -> io::Result<()> {
        let header = std::mem::take(&mut self.0);
        piece.buffer[..header.len()].copy_from_slice(&header);
        piece.length = piece.filled;
        Ok(())
    }
}
