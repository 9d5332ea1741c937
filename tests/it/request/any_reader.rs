//! Which readers of requests and answers are there, blocking and asynchronous?

use std::{
    io::{self, Read},
    pin::pin,
};

use twinseal::{Plaintext, request, request::Asked, stream::OpenReader, tokio};

use crate::common::{
    any_calls::ScriptedReader,
    polling::run,
    waiting::{Polled, Waiting},
};

type Inner<'a, 'b> = &'a mut ScriptedReader<'b>;

pub(super) enum RequestReader<'a, 'b> {
    Blocking(request::RequestReader<Inner<'a, 'b>>),
    Asynchronous(Polled<tokio::RequestReader<Waiting<Inner<'a, 'b>>>>),
}

impl<'b> RequestReader<'_, 'b> {
    pub(super) fn inner(&self) -> &ScriptedReader<'b> {
        match self {
            Self::Blocking(reader) => reader.get_ref(),
            Self::Asynchronous(reader) => reader.inner.get_ref().inner,
        }
    }

    pub(super) fn id(&self) -> request::RequestId {
        match self {
            Self::Blocking(reader) => reader.id(),
            Self::Asynchronous(reader) => reader.inner.id(),
        }
    }

    pub(super) fn finish(self) -> io::Result<Asked> {
        match self {
            Self::Blocking(reader) => reader.finish(),
            Self::Asynchronous(reader) => run(reader.inner.finish()),
        }
    }
}

impl Read for RequestReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocking(reader) => reader.read(buffer),
            Self::Asynchronous(reader) => reader.read(buffer),
        }
    }
}

pub(super) enum AnswerReader<'a, 'b> {
    Blocking(OpenReader<Inner<'a, 'b>>),
    Asynchronous(Polled<tokio::OpenReader<Waiting<Inner<'a, 'b>>>>),
}

impl Read for AnswerReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocking(reader) => reader.read(buffer),
            Self::Asynchronous(reader) => reader.read(buffer),
        }
    }
}

/// An answer in pieces.
pub(super) enum Pieces<'a> {
    Blocking(request::PieceReader<ScriptedReader<'a>>),
    Asynchronous(Polled<tokio::PieceReader<Waiting<ScriptedReader<'a>>>>),
}

impl<'a> Pieces<'a> {
    pub(super) fn inner(&self) -> &ScriptedReader<'a> {
        match self {
            Self::Blocking(reader) => reader.get_ref(),
            Self::Asynchronous(reader) => &reader.inner.get_ref().inner,
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        match self {
            Self::Blocking(reader) => reader.is_finished(),
            Self::Asynchronous(reader) => reader.inner.is_finished(),
        }
    }

    pub(super) fn piece(&mut self) -> io::Result<Option<Plaintext>> {
        match self {
            Self::Blocking(reader) => reader.next().transpose(),
            Self::Asynchronous(reader) => {
                reader.poll(|reader, cx| pin!(reader.get_mut().piece()).poll(cx))
            }
        }
    }

    /// By bytes, which an asynchronous one does not have.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        match self {
            Self::Blocking(reader) => Some(reader.read(buffer)),
            Self::Asynchronous(_) => None,
        }
    }
}
