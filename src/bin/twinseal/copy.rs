//! Data from a reader to a writer: while one piece is written, the next is read.

use std::{
    io::{self, Read, Write},
    panic::resume_unwind,
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread,
};

use twinseal::secret::SecretBuffer;

/// How much is read before it is written.
const PIECE: usize = 1024 * 1024;

/// Copies to the end, and returns the reader. What was read before an error is written before the
/// error is returned.
///
/// The reader works in a thread of its own, if there is one to be had. Should the writer fail,
/// nobody waits for that thread, whose input may never come.
pub(crate) fn copy<R: Read + Send + 'static>(reader: R, writer: &mut impl Write) -> io::Result<R> {
    let (pieces, read) = sync_channel(0);
    let (give_back, spare) = channel();
    // The reader goes there once there is a thread: else it would be lost with it.
    let (hand_over, handed_over) = channel();
    let work = move || read_pieces(handed_over.into_iter().next()?, spare, &pieces);
    let Ok(reading) = thread::Builder::new().name("reader".into()).spawn(work) else {
        return copy_alone(reader, writer);
    };
    for piece in [Piece::new(), Piece::new()] {
        let _ = give_back.send(piece);
    }
    let _ = hand_over.send(reader);
    for piece in read {
        let piece = Piece::write_to(piece, writer)?;
        let _ = give_back.send(piece); // to nobody after the last one
    }
    let reader = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
    reader.ok_or_else(|| io::Error::other("the thread that reads got nothing to read"))
}

/// What the thread does, to the end of the input, or of those who want it.
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

fn copy_alone<R: Read>(mut reader: R, writer: &mut impl Write) -> io::Result<R> {
    let mut piece = Piece::new();
    loop {
        let ended = piece.fill(&mut reader);
        piece = piece.write_to(writer)?;
        if ended {
            return Ok(reader);
        }
    }
}

/// What was read at once. It is wiped: what passes may be secret.
struct Piece {
    buffer: SecretBuffer,
    length: usize,
    /// Why there is no more.
    error: Option<io::Error>,
}

impl Piece {
    fn new() -> Self {
        Self { buffer: SecretBuffer::zeroed(PIECE), length: 0, error: None }
    }

    /// Reads until it is full, since pipes give little at once. Returns whether it is the last one.
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

    /// Writes what was read, and returns the error that came after it.
    fn write_to(mut self, writer: &mut impl Write) -> io::Result<Self> {
        writer.write_all(self.buffer.get(..self.length).unwrap_or_default())?;
        self.error.take().map_or(Ok(self), Err)
    }
}
