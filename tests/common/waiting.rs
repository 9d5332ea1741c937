//! How does a blocking reader or writer become an asynchronous one, and the other way round?

use std::{
    error, fmt,
    future::poll_fn,
    io::{self, BufRead, ErrorKind, Read, Write},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::polling::run_for;

#[derive(Debug)]
struct Random(u64);

impl Random {
    /// A number below this one.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// A blocking reader or writer as an asynchronous one that lets every second call or so wait.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    pub(crate) inner: T,
    random: Random,
}

impl<T> Waiting<T> {
    pub(crate) fn new(inner: T, seed: u64) -> Self {
        Self { inner, random: Random(seed) }
    }

    fn poll(&mut self) -> Poll<&mut T> {
        if self.random.below(2) == 0 { Poll::Ready(&mut self.inner) } else { Poll::Pending }
    }
}

impl<T: Write + Unpin> AsyncWrite for Waiting<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(ready!(self.poll()).write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(ready!(self.poll()).flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl<T: Read + Unpin> AsyncRead for Waiting<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = vec![0; buffer.remaining()];
        let count = ready!(self.poll()).read(&mut bytes)?;
        if count > bytes.len() {
            // The only way to lie: another buffer in the place of the one that was given.
            *buffer = ReadBuf::new(vec![0; count].leak());
            buffer.set_filled(count);
        } else {
            buffer.put_slice(&bytes[..count]);
        }
        Poll::Ready(Ok(()))
    }
}

/// An asynchronous reader or writer as a blocking one. Some calls are dropped while they wait, and fail.
pub(crate) struct Polled<T> {
    pub(crate) inner: T,
    random: Random,
}

/// The error of a call that was dropped.
#[derive(Debug)]
pub(crate) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dropped while it waited")
    }
}

impl error::Error for Dropped {}

impl Dropped {
    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn error::Error + Send + Sync>::is::<Self>)
    }
}

impl<T: Unpin> Polled<T> {
    pub(crate) fn new(inner: T, seed: u64) -> Self {
        Self { inner, random: Random(seed) }
    }

    /// Polls until it is ready, or a few times only; again if it was interrupted, as blocking callers do.
    pub(crate) fn poll<R>(
        &mut self,
        mut poll: impl FnMut(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> io::Result<R> {
        let polls = if self.random.below(4) == 0 { 1 + self.random.below(3) } else { 10_000_000 };
        loop {
            let ready = poll_fn(|cx| poll(Pin::new(&mut self.inner), cx));
            match run_for(polls as usize, ready).unwrap_or(Err(io::Error::other(Dropped))) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> Write for Polled<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.poll(|inner, cx| inner.poll_write(cx, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.poll(AsyncWrite::poll_flush)
    }
}

impl<T: AsyncRead + Unpin> Read for Polled<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.poll(|inner, cx| {
            let mut buffer = ReadBuf::new(bytes);
            ready!(inner.poll_read(cx, &mut buffer))?;
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }
}

impl<T: AsyncBufRead + Unpin> BufRead for Polled<T> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.poll(|inner, cx| inner.poll_fill_buf(cx).map_ok(drop))?;
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.inner).poll_fill_buf(&mut cx) {
            Poll::Ready(ready) => ready,
            Poll::Pending => panic!("what was ready has to wait"),
        }
    }

    fn consume(&mut self, amount: usize) {
        Pin::new(&mut self.inner).consume(amount);
    }
}
