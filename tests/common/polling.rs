//! How are futures polled without a runtime, and dropped early?

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Polls a future until it is ready. What keeps it pending in these tests is over at its next call, so a number of
/// calls is a deadline.
#[track_caller]
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    run_for(10_000_000, future).expect("it is pending for ever")
}

/// Polls a future, and drops it if it is still pending after so many calls.
pub(crate) fn run_for<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// A blocking reader or writer as an asynchronous one that lets every second call or so wait.
#[cfg(feature = "tokio")]
pub(crate) struct Waiting<T> {
    pub(crate) inner: T,
    random: u64,
}

#[cfg(feature = "tokio")]
mod waiting {
    use std::{
        io::{self, Read, Write},
        pin::Pin,
        task::{Context, Poll, ready},
    };

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Waiting;

    impl<T> Waiting<T> {
        pub(crate) fn new(inner: T, seed: u64) -> Self {
            Self { inner, random: seed }
        }

        fn poll(&mut self) -> Poll<&mut T> {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if self.random >> 63 == 0 { Poll::Ready(&mut self.inner) } else { Poll::Pending }
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
}
