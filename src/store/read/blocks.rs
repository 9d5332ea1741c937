//! An object's plaintext as a stream: blocks of chunks are opened on several threads, and leave in order.

use std::{
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use ::tokio::runtime::Handle;
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::Result;

use super::{
    object::{Object, Opened},
    source::{LocalFile, Source, broken, ends_early},
};
use crate::{
    secret::PageBuffer,
    store::{offload, pieces::Pieces},
    stream::SEALED_CHUNK,
};

/// Chunks that are opened at once: 1 MiB.
const BLOCK: u64 = 64;

/// Chunks of a file that are read at once: 128 KiB, which the processor's caches hold.
const READ: u64 = 8;

/// Opens chunks, and returns what is wanted of their plaintext. The sealed bytes begin with the first chunk. After an
/// error nothing follows.
pub(super) fn open(
    object: Arc<Object>,
    chunks: Range<u64>,
    wanted: Range<u64>,
    sealed: Source,
) -> BoxStream<'static, Result<Bytes>> {
    let blocks = match sealed {
        Source::Stream { ready, rest } => {
            Gathering { object: Arc::clone(&object), next: chunks, ready, rest: Some(rest) }.boxed()
        }
        Source::File { file, position } => {
            in_file(file, position, Arc::clone(&object), chunks).boxed()
        }
    };
    let wanted = Arc::new(wanted);
    let opened = blocks.map(move |block| {
        let (object, wanted) = (Arc::clone(&object), Arc::clone(&wanted));
        async move { block?.open(object, wanted).await }
    });
    let opened = opened.buffered(in_flight());
    // After an error, all work that is under way is dropped.
    let until_error = stream::try_unfold(opened, |mut opened| async move {
        Ok(opened.try_next().await?.map(|plaintext| (plaintext, opened)))
    });
    until_error.try_filter(|plaintext| std::future::ready(!plaintext.is_empty())).boxed()
}

/// How many blocks are opened at once. Without a runtime there are no other threads.
fn in_flight() -> usize {
    match Handle::try_current() {
        Ok(_) => offload::at_once().clamp(2, 8),
        Err(_) => 1,
    }
}

/// Chunks that one thread opens.
struct Block {
    chunks: Range<u64>,
    sealed: Sealed,
}

enum Sealed {
    Pieces(Pieces),
    File(LocalFile, u64),
}

impl Block {
    async fn open(self, object: Arc<Object>, wanted: Arc<Range<u64>>) -> Result<Bytes> {
        let Self { chunks, sealed } = self;
        match sealed {
            Sealed::Pieces(pieces) => {
                let len = pieces.len();
                let opened = offload::offload(len, move || object.open(chunks, &wanted, pieces));
                Ok(opened.await??)
            }
            Sealed::File(file, position) => {
                offload::blocking(move || read(&object, chunks, &wanted, &file, position)).await?
            }
        }
    }
}

/// Reads and opens chunks of a file.
fn read(
    object: &Object,
    chunks: Range<u64>,
    wanted: &Range<u64>,
    file: &LocalFile,
    mut position: u64,
) -> Result<Bytes> {
    let mut opened = Opened::new(object, &chunks, wanted);
    let longest = chunks.start..chunks.end.min(chunks.start + READ);
    let mut buffer = PageBuffer::zeroed(object.layout.len_of(&longest));
    let Range { mut start, end } = chunks;
    while start < end {
        let next = start..end.min(start + READ);
        let sealed = &mut buffer[..object.layout.len_of(&next)];
        file.read(sealed, position)?;
        position += sealed.len() as u64;
        start = next.end;
        for (index, chunk) in next.zip(sealed.chunks(SEALED_CHUNK)) {
            opened.append(index, chunk)?;
        }
    }
    Ok(opened.finish())
}

/// The blocks of a file.
fn in_file(
    file: LocalFile,
    position: u64,
    object: Arc<Object>,
    chunks: Range<u64>,
) -> impl Stream<Item = Result<Block>> {
    let origin = object.layout.sealed(&chunks).start;
    let starts = chunks.clone().step_by(BLOCK as usize);
    stream::iter(starts.map(move |start| {
        let chunks = start..chunks.end.min(start + BLOCK);
        let position = position + (object.layout.sealed(&chunks).start - origin);
        Ok(Block { chunks, sealed: Sealed::File(file.clone(), position) })
    }))
}

/// The blocks of a stream. Whatever has arrived is opened if nothing else has.
struct Gathering {
    object: Arc<Object>,
    /// The chunks that did not leave yet.
    next: Range<u64>,
    ready: Pieces,
    /// `None` after its end.
    rest: Option<BoxStream<'static, Result<Bytes>>>,
}

impl Gathering {
    /// Up to the next block, what is there of it; and whether it is all there.
    fn gathered(&self) -> (Range<u64>, bool) {
        let Range { start, end } = self.next;
        let block = start..end.min(start + BLOCK);
        if self.ready.len() >= self.object.layout.len_of(&block) {
            return (block, true);
        }
        (start..start + (self.ready.len() / SEALED_CHUNK) as u64, false)
    }

    fn split_off(&mut self, chunks: Range<u64>) -> Block {
        self.next.start = chunks.end;
        let sealed = self.ready.split_to(self.object.layout.len_of(&chunks));
        Block { chunks, sealed: Sealed::Pieces(sealed) }
    }

    /// The next piece; `None` at the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(Ok(None)) };
        let piece = ready!(rest.poll_next_unpin(cx)).transpose()?;
        if piece.is_none() {
            self.rest = None;
        }
        Poll::Ready(Ok(piece))
    }
}

impl Stream for Gathering {
    type Item = Result<Block>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.next.is_empty() && self.ready.len() > 0 {
                let longer = "the inner store's answer is longer than the object";
                return Poll::Ready(Some(Err(broken(longer))));
            }
            let (chunks, all) = self.gathered();
            if all && !chunks.is_empty() {
                return Poll::Ready(Some(Ok(self.split_off(chunks))));
            }
            match self.poll_piece(cx)? {
                Poll::Ready(Some(piece)) => self.ready.push(piece),
                Poll::Ready(None) if !self.next.is_empty() => {
                    return Poll::Ready(Some(Err(ends_early())));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending if chunks.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Some(Ok(self.split_off(chunks)))),
            }
        }
    }
}
