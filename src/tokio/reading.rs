//! Calls of asynchronous readers that belong to the caller.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::io::{AsyncRead, ReadBuf};

/// Reads once, and returns how many bytes: 0 at the end.
pub(super) fn poll_some(
    reader: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    room: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(room);
    ready!(Pin::new(reader).poll_read(cx, &mut buffer))?;
    let len = buffer.filled().len();
    if len > room.len() {
        // It has put another buffer in the place of ours.
        let claim = "the reader claims more bytes than the buffer holds";
        return Poll::Ready(Err(io::Error::other(claim)));
    }
    Poll::Ready(Ok(len))
}

/// Reads until the buffer is full or the reader ends, and returns how many bytes that were.
pub(super) async fn fill(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match poll_fn(|cx| poll_some(reader, cx, &mut buffer[filled..])).await? {
            0 => break,
            len => filled += len,
        }
    }
    Ok(filled)
}
