//! Cuts an object's sealed bytes into the parts of the inner upload.

use bytes::Bytes;
use object_store::PutPayload;

use crate::{
    store::sealing::Pieces,
    stream::{CHUNK, SEALED_CHUNK},
};

/// The sealed bytes that wait for the rest of their part. Nothing is copied.
#[derive(Default)]
pub(super) struct Cutter {
    waiting: Pieces,
    /// The whole chunks of the largest part of the caller's so far.
    chunks: usize,
}

impl Cutter {
    /// From now on, parts are as long as one of the caller's of this length becomes, if it is the longest.
    pub(super) fn fit(&mut self, part: usize) {
        self.chunks = self.chunks.max(part / CHUNK);
    }

    pub(super) fn push(&mut self, sealed: Bytes) {
        self.waiting.push(sealed);
    }

    /// The next part, if there is a whole one.
    pub(super) fn next_part(&mut self) -> Option<PutPayload> {
        let len = self.chunks.max(1).saturating_mul(SEALED_CHUNK);
        (self.waiting.len() >= len).then(|| self.waiting.split_to(len).into())
    }

    /// All that is left, as the last part; `None` if nothing is.
    pub(super) fn rest(&mut self) -> Option<PutPayload> {
        let len = self.waiting.len();
        (len > 0).then(|| self.waiting.split_to(len).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the parts, for parts of the caller's, all but the last of which are one run.
    fn cut(parts: &[(usize, usize)]) -> Vec<usize> {
        let mut cutter = Cutter::default();
        let mut lens = Vec::new();
        for &(part, sealed) in parts {
            cutter.fit(part);
            cutter.push(Bytes::from(vec![0; sealed]));
            while let Some(part) = cutter.next_part() {
                lens.push(part.content_length());
            }
        }
        lens.extend(cutter.rest().map(|part| part.content_length()));
        lens
    }

    #[test]
    fn parts_have_one_size_where_those_of_the_caller_have() {
        const PART: usize = 5 << 20;
        const SEALED: usize = PART / CHUNK * SEALED_CHUNK;
        let ours = cut(&[(PART, SEALED + 69), (PART, SEALED), (PART, SEALED), (0, 16)]);
        assert_eq!(ours, [SEALED, SEALED, SEALED, 85]);
        // Larger ones from then on.
        let ours = cut(&[(PART, SEALED + 69), (2 * PART, 2 * SEALED), (PART, SEALED), (0, 16)]);
        assert_eq!(ours, [SEALED, 2 * SEALED, SEALED + 85]);
        // Smaller ones wait for each other.
        let ours = cut(&[(PART, SEALED + 69), (PART / 2, SEALED / 2), (PART / 2, SEALED / 2)]);
        assert_eq!(ours, [SEALED, SEALED, 69]);
    }

    #[test]
    fn parts_are_never_shorter_than_a_chunk_but_the_last() {
        assert_eq!(cut(&[(1, 69), (0, 17)]), [86]);
        assert_eq!(cut(&[(1, 69), (CHUNK - 1, SEALED_CHUNK), (0, 16)]), [SEALED_CHUNK, 85]);
        assert_eq!(cut(&[(0, 0)]), [0; 0]);
    }
}
