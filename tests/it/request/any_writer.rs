//! Which writers of requests and answers are there, blocking and asynchronous?

use std::{
    io::{self, Write},
    pin::pin,
};

use twinseal::{request, stream, tokio};

use crate::common::{
    any_calls::ScriptedWriter,
    waiting::{Polled, Waiting},
};

type Inner = Waiting<ScriptedWriter>;

/// A writer with an end of its own.
pub(super) trait Finish: Write {
    fn try_finish(&mut self) -> io::Result<()>;
}

impl Finish for stream::SealWriter<ScriptedWriter> {
    fn try_finish(&mut self) -> io::Result<()> {
        Self::try_finish(self)
    }
}

impl Finish for Polled<tokio::SealWriter<Inner>> {
    fn try_finish(&mut self) -> io::Result<()> {
        self.poll(|writer, cx| pin!(writer.get_mut().try_finish()).poll(cx))
    }
}

impl Finish for request::PieceWriter<ScriptedWriter> {
    fn try_finish(&mut self) -> io::Result<()> {
        Self::try_finish(self)
    }
}

impl Finish for Polled<tokio::PieceWriter<Inner>> {
    fn try_finish(&mut self) -> io::Result<()> {
        self.poll(|writer, cx| pin!(writer.get_mut().try_finish()).poll(cx))
    }
}

/// A writer of an answer in pieces.
pub(super) trait WritePieces: Finish {
    fn piece(&mut self, plaintext: &[u8]) -> io::Result<()>;
}

impl WritePieces for request::PieceWriter<ScriptedWriter> {
    fn piece(&mut self, plaintext: &[u8]) -> io::Result<()> {
        Self::piece(self, plaintext)
    }
}

impl WritePieces for Polled<tokio::PieceWriter<Inner>> {
    fn piece(&mut self, plaintext: &[u8]) -> io::Result<()> {
        self.poll(|writer, cx| pin!(writer.get_mut().piece(plaintext)).poll(cx))
    }
}
