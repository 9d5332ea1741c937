//! Buffers for bodies: in memory while they are short, in a temporary file without a name when they
//! are long. So memory does not grow with bodies. A service writes only sealed bytes to the files.

use std::{
    io::{self, Read, Seek, Write},
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tempfile::SpooledTempFile;
use tokio::{
    sync::OwnedSemaphorePermit,
    task::{JoinHandle, spawn_blocking},
};

/// The longest body that stays in memory.
const IN_MEMORY: usize = 256 * 1024;

/// How much of a file is read at once.
const PIECE: usize = 64 * 1024;

/// An empty buffer. Its file, if it has one, is removed with it, even if the process is killed.
pub(crate) fn new(directory: &Option<PathBuf>) -> SpooledTempFile {
    match directory {
        Some(directory) => tempfile::spooled_tempfile_in(IN_MEMORY, directory),
        None => tempfile::spooled_tempfile(IN_MEMORY),
    }
}

#[derive(Debug)]
pub(crate) enum ReceiveError {
    TooLong,
    /// The client disconnected, or did not speak HTTP.
    Broken,
    /// The disk is full, or the directory is not writable.
    Storage(io::Error),
}

/// Receives a body of at most `limit` bytes, and rewinds it.
pub(crate) async fn receive(
    mut body: Body,
    limit: u64,
    mut spool: SpooledTempFile,
) -> Result<(SpooledTempFile, u64), ReceiveError> {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| ReceiveError::Broken)?.into_data() else { continue };
        length += piece.len() as u64;
        if length > limit {
            return Err(ReceiveError::TooLong);
        }
        let write = move || spool.write_all(&piece).map(|()| spool);
        // Writing to a file may block.
        let written = if length <= IN_MEMORY as u64 { write() } else { blocking(write).await };
        spool = written.map_err(ReceiveError::Storage)?;
    }
    spool.rewind().map_err(ReceiveError::Storage)?;
    Ok((spool, length))
}

/// Runs work that may block or takes long outside the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|panic| Err(io::Error::other(panic)))
}

/// A response body of known length that is read from a spool piece by piece.
pub(crate) struct SpoolBody {
    left: u64,
    state: State,
    /// A slow reader keeps its slot, so that there are never more files than slots.
    _slot: OwnedSemaphorePermit,
}

enum State {
    Idle(SpooledTempFile),
    Reading(JoinHandle<io::Result<(SpooledTempFile, Bytes)>>),
    Done,
}

impl SpoolBody {
    /// A body of `length` bytes, from the spool's position on.
    pub(crate) fn new(spool: SpooledTempFile, length: u64, slot: OwnedSemaphorePermit) -> Self {
        Self { left: length, state: State::Idle(spool), _slot: slot }
    }
}

fn read(mut spool: SpooledTempFile, length: usize) -> io::Result<(SpooledTempFile, Bytes)> {
    let mut piece = vec![0; length];
    spool.read_exact(&mut piece)?;
    Ok((spool, piece.into()))
}

impl HttpBody for SpoolBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let next = self.left.min(PIECE as u64) as usize;
        let result = match std::mem::replace(&mut self.state, State::Done) {
            State::Idle(spool) if !spool.is_rolled() => read(spool, next),
            State::Idle(spool) => {
                self.state = State::Reading(spawn_blocking(move || read(spool, next)));
                return self.poll_frame(context);
            }
            State::Reading(mut reading) => match Pin::new(&mut reading).poll(context) {
                Poll::Pending => {
                    self.state = State::Reading(reading);
                    return Poll::Pending;
                }
                Poll::Ready(result) => result.unwrap_or_else(|panic| Err(io::Error::other(panic))),
            },
            State::Done => return Poll::Ready(None),
        };
        Poll::Ready(Some(result.map(|(spool, piece)| {
            self.left -= piece.len() as u64;
            self.state = State::Idle(spool);
            Frame::data(piece)
        })))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
