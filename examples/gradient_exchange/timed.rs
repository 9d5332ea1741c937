//! A TCP connection on which each message has a deadline.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// One end of a TCP connection. A socket's own timeout starts again with each byte, so a peer that sends
/// or reads one byte a second would never reach it. This one lasts until [`restart`](Self::restart).
#[derive(Debug)]
pub(crate) struct Timed {
    stream: TcpStream,
    timeout: Duration,
    deadline: Instant,
    /// The time spent in the socket.
    waited: Duration,
}

impl Timed {
    pub(crate) fn new(stream: TcpStream, timeout: Duration) -> io::Result<Self> {
        // A message waits for its answer: collecting small ones only delays them.
        stream.set_nodelay(true)?;
        Ok(Self { stream, timeout, deadline: Instant::now() + timeout, waited: Duration::ZERO })
    }

    /// The same connection, for the other direction.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Self::new(self.stream.try_clone()?, self.timeout)
    }

    /// The next message has all of the time. Returns how much of it the previous ones spent in the socket.
    pub(crate) fn restart(&mut self) -> Duration {
        self.deadline = Instant::now() + self.timeout;
        std::mem::take(&mut self.waited)
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&TcpStream, Duration) -> io::Result<T>,
    ) -> io::Result<T> {
        let too_late = || {
            let message = format!("nothing complete in {:?}", self.timeout);
            io::Error::new(io::ErrorKind::TimedOut, message)
        };
        let start = Instant::now();
        let left = self.deadline.saturating_duration_since(start);
        if left.is_zero() {
            return Err(too_late());
        }
        let result = call(&self.stream, left).map_err(|error| match error.kind() {
            // The kind of a socket's timeout error depends on the system.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => too_late(),
            _ => error,
        });
        self.waited += start.elapsed();
        result
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(|mut stream, left| {
            stream.set_read_timeout(Some(left))?;
            stream.read(buffer)
        })
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[io::IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.call(|mut stream, left| {
            stream.set_write_timeout(Some(left))?;
            stream.write_vectored(parts)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a socket has nothing to flush
    }
}
