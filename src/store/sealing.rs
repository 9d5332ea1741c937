//! Seals runs of an object's chunks, several at a time.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::PutPayload;
use zeroize::Zeroize;

pub(super) use super::pieces::Pieces;
use super::{
    object::{self, START},
    offload,
};
use crate::{
    error::Error,
    numbered_key::TAG,
    stream::{CHUNK, ChunkKey},
};

/// How much plaintext is sealed at once: it takes less than a millisecond.
const RUN: usize = 64 * CHUNK;

/// Consecutive chunks that are sealed at once.
pub(super) struct Run {
    key: Arc<ChunkKey>,
    /// The index of the first chunk. Nobody else has it or those that follow.
    first: u64,
    plaintext: Pieces,
    /// Whether the last chunk of the object, which is shorter than the others, is at the end.
    ends: bool,
}

/// A whole object.
///
/// The result is one allocation: a store in memory keeps it as it is, and the others write it at once.
pub(super) async fn seal_all(
    key: ChunkKey,
    start: &[u8; START],
    payload: PutPayload,
) -> object_store::Result<Bytes> {
    let mut plaintext = Pieces::from(payload);
    let too_long = Error::Misuse { what: "plaintext", reason: "it is too long for this machine" };
    let sealed_len = object::sealed_len(plaintext.len() as u64);
    let sealed_len = sealed_len.and_then(|len| usize::try_from(len).ok()).ok_or(too_long)?;
    let mut sealed = BytesMut::with_capacity(sealed_len);
    sealed.put_slice(start);
    let mut room = sealed.split_off(START);

    let mut runs = Runs::new(key);
    let mut rooms = Vec::new();
    while let Some(run) = runs.next_of(&mut plaintext, true) {
        let later = room.split_off(run.sealed_len());
        rooms.push((run, std::mem::replace(&mut room, later)));
    }
    let mut runs = stream::iter(rooms)
        .map(|(run, room)| offload::offload(run.plaintext.len(), move || run.seal_into(room)))
        .buffered(offload::at_once());
    while let Some(run) = runs.try_next().await? {
        sealed.unsplit(run?); // they are next to each other, so nothing moves
    }
    Ok(sealed.freeze())
}

/// Numbers the chunks of an object, so that each index is given out once.
pub(super) struct Runs {
    key: Arc<ChunkKey>,
    next: u64,
    ended: bool,
}

impl Runs {
    pub(super) fn new(key: ChunkKey) -> Self {
        Self { key: Arc::new(key), next: 0, ended: false }
    }

    /// Takes the next run from the front; `None` if there is no full chunk. If the plaintext `ends` the object, what
    /// is left at its end is the last chunk, even if it is empty.
    pub(super) fn next_of(&mut self, plaintext: &mut Pieces, ends: bool) -> Option<Run> {
        let ends = ends && plaintext.len() < RUN;
        let len = if ends { plaintext.len() } else { RUN.min(plaintext.len() / CHUNK * CHUNK) };
        if self.ended || (len == 0 && !ends) {
            return None;
        }
        self.ended = ends;
        let run = Run {
            key: Arc::clone(&self.key),
            first: self.next,
            plaintext: plaintext.split_to(len),
            ends,
        };
        self.next += run.chunks() as u64;
        Some(run)
    }
}

impl Run {
    /// How much plaintext it has.
    pub(super) fn len(&self) -> usize {
        self.plaintext.len()
    }

    fn chunks(&self) -> usize {
        self.plaintext.len() / CHUNK + usize::from(self.ends)
    }

    fn sealed_len(&self) -> usize {
        self.plaintext.len() + self.chunks() * TAG
    }

    /// Seals it.
    pub(super) fn seal(self) -> Result<Bytes, Error> {
        let room = BytesMut::with_capacity(self.sealed_len());
        self.seal_into(room).map(BytesMut::freeze)
    }

    /// Seals it into a buffer that has just the room, so that no plaintext is left behind in a smaller one.
    fn seal_into(mut self, mut sealed: BytesMut) -> Result<BytesMut, Error> {
        for index in 0..self.chunks() {
            let mut chunk = Chunk { start: sealed.len(), sealed: &mut sealed, done: false };
            self.plaintext.take(CHUNK.min(self.plaintext.len()), chunk.sealed);
            let tag = self.key.seal_chunk(self.first + index as u64, chunk.bytes())?;
            chunk.done = true;
            chunk.sealed.put_slice(&tag);
        }
        Ok(sealed)
    }
}

/// A chunk that is plaintext until it is done. If that fails, by an error or a panic, it is wiped.
struct Chunk<'a> {
    sealed: &'a mut BytesMut,
    start: usize,
    done: bool,
}

impl Chunk<'_> {
    fn bytes(&mut self) -> &mut [u8] {
        self.sealed.get_mut(self.start..).unwrap_or_default()
    }
}

impl Drop for Chunk<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.bytes().zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        provider,
        stream::{PREFIX, chunks::Sealer},
    };

    /// The same key each time, so that the bytes can be compared.
    fn key() -> (ChunkKey, [u8; PREFIX]) {
        ChunkKey::seal(provider::default(), &[1; 32], &[2; 24], b"context").expect("it is a key")
    }

    fn payload(plaintext: &[u8], piece: usize) -> PutPayload {
        plaintext.chunks(piece.max(1)).map(Bytes::copy_from_slice).collect()
    }

    /// Whether there is a runtime or not, and in whatever pieces the plaintext comes.
    #[test]
    fn all_runs_are_one_allocation_with_the_bytes_of_a_sealer() {
        let runtime = ::tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let start = [9; START];
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, RUN - 1, RUN, RUN + 1, 3 * RUN + CHUNK + 5] {
            let plaintext: Vec<u8> = (0..len).map(|index| (index / 7) as u8).collect();
            let mut expected = start.to_vec();
            Sealer::new(key().0).seal_all(&plaintext, &mut expected).expect("it is sealed");
            for piece in [977, CHUNK, RUN, 2 * RUN + 1] {
                let sealed = || seal_all(key().0, &start, payload(&plaintext, piece));
                let without = futures_util::FutureExt::now_or_never(sealed());
                for sealed in [runtime.block_on(sealed()), without.expect("it is done in place")] {
                    assert!(sealed.expect("it is sealed") == expected, "{len} in {piece}");
                }
            }
        }
    }

    #[test]
    fn each_index_is_given_out_once_and_none_after_the_end() {
        let mut runs = Runs::new(key().0);
        let mut next = 0;
        let mut pieces = Pieces::default();
        for len in [0, 1, CHUNK - 1, CHUNK, 3 * RUN + 5, 7] {
            pieces.push(Bytes::from(vec![0; len]));
            while let Some(run) = runs.next_of(&mut pieces, false) {
                assert_eq!((run.first, run.ends), (next, false));
                assert!(run.len() > 0 && run.len().is_multiple_of(CHUNK));
                next += run.chunks() as u64;
            }
            assert!(pieces.len() < CHUNK);
        }
        let last = runs.next_of(&mut pieces, true).expect("there is a last chunk");
        assert_eq!((last.first, last.chunks(), last.ends), (next, 1, true));
        assert!(runs.next_of(&mut pieces, true).is_none());
        pieces.push(Bytes::from(vec![0; CHUNK]));
        assert!(runs.next_of(&mut pieces, false).is_none());
    }
}
