//! Where the chunks of an object are.

use std::ops::Range;

use crate::{
    store::object::{self, START},
    stream::{CHUNK, SEALED_CHUNK},
};

/// The chunks of an object of one length. Chunks are counted from 0; the last one is shorter than the others and may
/// be empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    sealed: u64,
    plaintext: u64,
}

impl Layout {
    /// Of an object with this sealed length; `None` if no object has it.
    pub(super) fn new(sealed: u64) -> Option<Self> {
        object::plaintext_len(sealed).map(|plaintext| Self { sealed, plaintext })
    }

    /// The length of the plaintext.
    pub(super) fn plaintext_len(&self) -> u64 {
        self.plaintext
    }

    pub(super) fn sealed_len(&self) -> u64 {
        self.sealed
    }

    pub(super) fn all(&self) -> Range<u64> {
        0..self.last() + 1
    }

    /// The chunk that authenticates the length.
    pub(super) fn last(&self) -> u64 {
        self.plaintext / CHUNK as u64
    }

    /// The chunks that hold a range of the plaintext; none if it is empty.
    pub(super) fn holding(&self, plaintext: &Range<u64>) -> Range<u64> {
        let first = plaintext.start / CHUNK as u64;
        let end = if plaintext.is_empty() { first } else { plaintext.end.div_ceil(CHUNK as u64) };
        first..end
    }

    /// The bytes of the object that are these chunks.
    pub(super) fn sealed(&self, chunks: &Range<u64>) -> Range<u64> {
        let start_of = |chunk: u64| self.sealed.min(START as u64 + chunk * SEALED_CHUNK as u64);
        start_of(chunks.start)..start_of(chunks.end)
    }

    /// How many bytes these chunks have.
    pub(super) fn len_of(&self, chunks: &Range<u64>) -> usize {
        let sealed = self.sealed(chunks);
        (sealed.end - sealed.start) as usize
    }

    /// The plaintext of a chunk.
    pub(super) fn plaintext_of(&self, chunk: u64) -> Range<u64> {
        let start = chunk * CHUNK as u64;
        start..self.plaintext.min(start + CHUNK as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(plaintext: u64) -> Layout {
        Layout::new(object::sealed_len(plaintext).expect("the length is possible"))
            .expect("the length is possible")
    }

    #[test]
    fn the_chunks_of_every_length_lie_one_behind_the_other_up_to_the_end() {
        let chunk = CHUNK as u64;
        for len in [0, 1, chunk - 1, chunk, chunk + 1, 5 * chunk - 1, 5 * chunk, 5 * chunk + 1] {
            let layout = of(len);
            let (mut sealed, mut plaintext) = (START as u64, 0);
            for index in layout.all() {
                let (found, opened) =
                    (layout.sealed(&(index..index + 1)), layout.plaintext_of(index));
                assert_eq!((found.start, opened.start), (sealed, plaintext), "{len}");
                assert_eq!(found.end - found.start, opened.end - opened.start + 16, "{len}");
                assert_eq!(index == layout.last(), opened.end - opened.start < chunk, "{len}");
                (sealed, plaintext) = (found.end, opened.end);
            }
            assert_eq!((sealed, plaintext), (layout.sealed_len(), len));
        }
    }

    #[test]
    fn a_range_is_held_by_the_chunks_that_it_touches() {
        let chunk = CHUNK as u64;
        let layout = of(3 * chunk);
        for (range, chunks) in [
            (0..0, 0..0),
            (0..1, 0..1),
            (0..chunk, 0..1),
            (0..chunk + 1, 0..2),
            (chunk - 1..chunk, 0..1),
            (chunk..chunk + 1, 1..2),
            (3 * chunk - 1..3 * chunk, 2..3),
            (3 * chunk..3 * chunk, 3..3),
        ] {
            assert_eq!(layout.holding(&range), chunks, "{range:?}");
        }
    }

    #[test]
    fn the_longest_object_has_chunks() {
        let longest = (CHUNK as u64) * ((1 << 38) - 1) + CHUNK as u64 - 1;
        let layout = of(longest);
        assert_eq!(layout.sealed(&layout.all()).end, layout.sealed_len());
        assert!(Layout::new(layout.sealed_len() + 1).is_none());
        assert!(Layout::new(u64::MAX).is_none());
    }
}
