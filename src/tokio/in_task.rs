//! Calls of an inner writer within an asynchronous task.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use ::tokio::io::AsyncWrite;

use crate::stream::outgoing::Calls;

/// The task is woken when the inner writer can go on.
pub(super) struct InTask<'a, 'b>(pub(super) &'a mut Context<'b>);

impl<W: AsyncWrite + Unpin> Calls<W> for InTask<'_, '_> {
    fn write(&mut self, inner: &mut W, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(inner).poll_write(self.0, bytes)
    }

    fn flush(&mut self, inner: &mut W) -> Poll<io::Result<()>> {
        Pin::new(inner).poll_flush(self.0)
    }
}
