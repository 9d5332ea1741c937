//! Standard streams: as files, and waiting for streams that do not block.

#[cfg(unix)]
use std::os::fd::AsFd as AsStream;
#[cfg(windows)]
use std::os::windows::io::AsHandle as AsStream;
use std::{fs::File, io};

mod names;
mod start;

pub(crate) use {names::named, start::was_closed};

#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// Calls `operation` until the stream is ready for it. So it also waits for a stream that does not block,
/// because another program that shares the terminal or pipe has set it so.
pub(crate) fn patiently<Stream: AsStream, T>(
    stream: &Stream,
    direction: Direction,
    mut operation: impl FnMut(&Stream) -> io::Result<T>,
) -> io::Result<T> {
    loop {
        match operation(stream) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(stream, direction, error)?;
            }
            done => return done,
        }
    }
}

#[cfg(unix)]
fn wait(stream: &impl AsStream, direction: Direction, _: io::Error) -> io::Result<()> {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
    };

    let flags = match direction {
        Direction::Read => PollFlags::IN,
        Direction::Write => PollFlags::OUT,
    };
    match poll(&mut [PollFd::new(stream, flags)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn wait(_: &impl AsStream, _: Direction, error: io::Error) -> io::Result<()> {
    Err(error)
}

/// A standard stream as a file, because `Stdin` and `Stdout` have buffers that nobody wipes. `None` if it was
/// closed when the process started, or is open only in the other direction.
pub(crate) fn standard(direction: Direction) -> io::Result<Option<File>> {
    let number = match direction {
        Direction::Read => 0,
        Direction::Write => 1,
    };
    if was_closed(number) {
        return Ok(None);
    }
    #[cfg(unix)]
    let stream = match direction {
        Direction::Read => io::stdin().as_fd().try_clone_to_owned()?,
        Direction::Write => io::stdout().as_fd().try_clone_to_owned()?,
    };
    #[cfg(windows)]
    let stream = match direction {
        Direction::Read => io::stdin().as_handle().try_clone_to_owned()?,
        Direction::Write => io::stdout().as_handle().try_clone_to_owned()?,
    };
    Ok(is_open_for(&stream, direction)?.then(|| stream.into()))
}

#[cfg(unix)]
fn is_open_for(stream: &impl AsStream, direction: Direction) -> io::Result<bool> {
    use rustix::fs::{OFlags, fcntl_getfl};

    let other = match direction {
        Direction::Read => OFlags::WRONLY,
        Direction::Write => OFlags::RDONLY,
    };
    Ok(fcntl_getfl(stream)? & OFlags::ACCMODE != other)
}

#[cfg(not(unix))]
fn is_open_for(_: &impl AsStream, _: Direction) -> io::Result<bool> {
    Ok(true)
}
