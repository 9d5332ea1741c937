//! What may an asynchronous peer do? Take and give a few bytes, wait at any call, fail at a chosen one, claim too
//! much, panic.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails, and nothing is read or written.
    Error(io::ErrorKind),
    /// A writer takes nothing, a reader ends.
    Nothing,
    /// More bytes are claimed than there were.
    Lie,
    Panic,
}

/// Bytes that are written or read, in parts of random lengths, with calls between that have to wait.
#[derive(Debug)]
pub(crate) struct Unsteady {
    /// What was written, or is still to be read.
    pub(crate) bytes: Vec<u8>,
    position: usize,
    state: u64,
    at_most: usize,
    /// One call in so many waits; none if it is 0.
    pub(crate) waits: u64,
    fault: Option<(usize, Fault)>,
    /// How many calls did not have to wait.
    pub(crate) calls: usize,
    pub(crate) flushes: usize,
    pub(crate) shutdowns: usize,
    ended: bool,
}

impl Unsteady {
    /// One call in three waits, and no call moves more bytes than `at_most`.
    pub(crate) fn new(bytes: &[u8], at_most: usize, seed: u64) -> Self {
        Self {
            bytes: bytes.to_vec(),
            position: 0,
            state: seed,
            at_most,
            waits: 3,
            fault: None,
            calls: 0,
            flushes: 0,
            shutdowns: 0,
            ended: false,
        }
    }

    pub(crate) fn with_fault(mut self, call: usize, fault: Fault) -> Self {
        self.fault = Some((call, fault));
        self
    }

    /// Numbers of PCG32, with a fixed increment.
    pub(crate) fn random(&mut self) -> u64 {
        let old = self.state;
        self.state =
            old.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(0xda3e_39cb_94b9_5bdb);
        let shifted = (((old >> 18) ^ old) >> 27) as u32;
        shifted.rotate_right((old >> 59) as u32).into()
    }

    /// Whether this call waits; if not, the fault that it meets.
    fn call(&mut self, cx: &Context<'_>) -> Poll<io::Result<Option<Fault>>> {
        if self.waits == 1 || self.waits > 1 && self.random().is_multiple_of(self.waits) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.calls += 1;
        let fault = self.fault.filter(|(call, _)| *call == self.calls - 1);
        match fault.map(|(_, fault)| fault) {
            Some(Fault::Error(kind)) => Poll::Ready(Err(io::Error::new(kind, "planned"))),
            Some(Fault::Panic) => panic!("planned"),
            fault => Poll::Ready(Ok(fault)),
        }
    }

    fn length(&mut self, most: usize) -> usize {
        let most = most.min(self.at_most);
        if most == 0 { 0 } else { 1 + self.random() as usize % most }
    }
}

impl AsyncWrite for Unsteady {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        assert_eq!(this.shutdowns, 0, "written after the end");
        match std::task::ready!(this.call(cx))? {
            Some(Fault::Nothing) => return Poll::Ready(Ok(0)),
            Some(Fault::Lie) => return Poll::Ready(Ok(bytes.len() + 1)),
            _ => {}
        }
        let length = this.length(bytes.len());
        this.bytes.extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if std::task::ready!(this.call(cx))?.is_some() {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        this.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if std::task::ready!(this.call(cx))?.is_some() {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        this.shutdowns += 1;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Unsteady {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        assert!(!this.ended, "called again after the end");
        match std::task::ready!(this.call(cx))? {
            Some(Fault::Nothing) => return Poll::Ready(Ok(())),
            Some(Fault::Lie) => {
                // The only way to lie: another buffer in the place of the one that was given.
                let larger = vec![0; buffer.capacity() + 1].leak();
                *buffer = ReadBuf::new(larger);
                buffer.set_filled(buffer.capacity());
                return Poll::Ready(Ok(()));
            }
            _ => {}
        }
        let rest = this.bytes.len() - this.position;
        let length = this.length(rest.min(buffer.remaining()));
        buffer.put_slice(&this.bytes[this.position..][..length]);
        this.position += length;
        this.ended = rest == 0;
        Poll::Ready(Ok(()))
    }
}
