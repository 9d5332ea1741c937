//! Copies data: while one piece is written, the next is read.

use std::{
    io::{self, Read, Write},
    panic::resume_unwind,
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread,
};

use twinseal::secret::SecretBuffer;

/// The length of a piece in bytes.
const PIECE: usize = 1024 * 1024;

/// Copies to the end, and returns the reader. Data read before an error is written before the error
/// is returned.
///
/// The reader works in a thread of its own, if the system can start one. If the writer fails, that
/// thread is not waited for, because its input may never come.
pub(crate) fn copy<R: Read + Send + 'static>(reader: R, writer: &mut impl Write) -> io::Result<R> {
    let (pieces, read) = sync_channel(0);
    let (give_back, spare) = channel();
    // The reader is handed over once the thread runs: a thread that does not start would drop it.
    let (hand_over, handed_over) = channel();
    let work = move || read_pieces(handed_over.into_iter().next()?, spare, &pieces);
    let Ok(reading) = thread::Builder::new().name("reader".into()).spawn(work) else {
        return copy_serially(reader, writer);
    };
    for piece in [Piece::new(), Piece::new()] {
        let _ = give_back.send(piece);
    }
    let _ = hand_over.send(reader);
    for piece in read {
        let piece = Piece::write_to(piece, writer)?;
        let _ = give_back.send(piece); // fails after the last piece
    }
    let reader = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
    reader.ok_or_else(|| io::Error::other("the reading thread ended early"))
}

/// Reads until the input ends, or until nobody takes the pieces.
fn read_pieces<R: Read>(
    mut reader: R,
    spare: Receiver<Piece>,
    pieces: &SyncSender<Piece>,
) -> Option<R> {
    for mut piece in spare {
        let ended = piece.fill(&mut reader);
        pieces.send(piece).ok()?;
        if ended {
            return Some(reader);
        }
    }
    None
}

fn copy_serially<R: Read>(mut reader: R, writer: &mut impl Write) -> io::Result<R> {
    let mut piece = Piece::new();
    loop {
        let ended = piece.fill(&mut reader);
        piece = piece.write_to(writer)?;
        if ended {
            return Ok(reader);
        }
    }
}

/// A piece of data. It is wiped, because it may be secret.
struct Piece {
    buffer: SecretBuffer,
    length: usize,
    /// The error that ended reading.
    error: Option<io::Error>,
}

impl Piece {
    fn new() -> Self {
        Self { buffer: SecretBuffer::zeroed(PIECE), length: 0, error: None }
    }

    /// Reads until it is full, since pipes return little at once. Returns whether it is the last piece.
    fn fill(&mut self, reader: &mut impl Read) -> bool {
        self.length = 0;
        while let Some(room) = self.buffer.get_mut(self.length..).filter(|room| !room.is_empty()) {
            match reader.read(room) {
                Ok(0) => return true,
                Ok(length) => self.length += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    return true;
                }
            }
        }
        false
    }

    /// Writes the data, and returns the error that ended reading.
    fn write_to(mut self, writer: &mut impl Write) -> io::Result<Self> {
        writer.write_all(self.buffer.get(..self.length).unwrap_or_default())?;
        self.error.take().map_or(Ok(self), Err)
    }
}
