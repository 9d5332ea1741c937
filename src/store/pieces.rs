//! Bytes in pieces, as an inner store delivers them or a caller has them.

use std::collections::VecDeque;

use bytes::{Buf, BufMut, Bytes};
use object_store::PutPayload;

/// Bytes that are not copied together until somebody needs them so.
#[derive(Default)]
pub(super) struct Pieces {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl Pieces {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Puts bytes back before the others.
    pub(super) fn push_front(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push_front(piece);
        }
    }

    /// Takes the next bytes off, or fewer if there are not so many.
    pub(super) fn split_to(&mut self, len: usize) -> Self {
        let mut taken = Self::default();
        while let Some(first) = self.pieces.front_mut() {
            let missing = len - taken.len;
            if missing == 0 {
                break;
            }
            let piece = first.split_to(missing.min(first.len()));
            if first.is_empty() {
                self.pieces.pop_front();
            }
            self.len -= piece.len();
            taken.push(piece);
        }
        taken
    }

    /// Takes the next bytes off, in one piece.
    pub(super) fn take_joined(&mut self, len: usize) -> Bytes {
        match self.pieces.front_mut() {
            Some(first) if first.len() >= len => {
                let taken = first.split_to(len);
                if first.is_empty() {
                    self.pieces.pop_front();
                }
                self.len -= len;
                taken
            }
            _ => {
                let mut joined = Vec::with_capacity(len.min(self.len));
                self.take(len, &mut joined);
                joined.into()
            }
        }
    }

    /// Takes the next bytes off, and appends them to a buffer.
    pub(super) fn take(&mut self, len: usize, to: &mut impl BufMut) {
        let mut missing = len;
        while missing > 0
            && let Some(first) = self.pieces.front_mut()
        {
            let now = missing.min(first.len());
            to.put_slice(&first[..now]);
            first.advance(now);
            if first.is_empty() {
                self.pieces.pop_front();
            }
            self.len -= now;
            missing -= now;
        }
    }
}

impl From<Pieces> for PutPayload {
    fn from(pieces: Pieces) -> Self {
        pieces.pieces.into_iter().collect()
    }
}

impl From<PutPayload> for Pieces {
    fn from(payload: PutPayload) -> Self {
        let mut pieces = Self::default();
        payload.into_iter().for_each(|piece| pieces.push(piece));
        pieces
    }
}

impl From<Bytes> for Pieces {
    fn from(piece: Bytes) -> Self {
        let mut pieces = Self::default();
        pieces.push(piece);
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(of: &[&'static [u8]]) -> Pieces {
        let mut pieces = Pieces::default();
        of.iter().for_each(|piece| pieces.push(Bytes::from_static(piece)));
        pieces
    }

    #[test]
    fn bytes_come_out_in_order_however_they_are_cut() {
        for first in 0..=6 {
            for second in 0..=6 - first {
                let mut pieces = pieces(&[b"a", b"", b"bcd", b"ef"]);
                assert_eq!(pieces.take_joined(first), b"abcdef"[..first]);
                let mut next = pieces.split_to(second);
                assert_eq!((next.len(), pieces.len()), (second, 6 - first - second));
                assert_eq!(next.take_joined(second), b"abcdef"[first..first + second]);
                assert_eq!(pieces.take_joined(6), b"abcdef"[first + second..]);
                assert_eq!(pieces.len(), 0);
            }
        }
    }

    #[test]
    fn what_is_in_one_piece_is_not_copied() {
        let whole = Bytes::from(vec![7; 100]);
        let mut pieces = Pieces::from(whole.clone());
        pieces.take_joined(10);
        assert_eq!(pieces.take_joined(50).as_ptr(), whole[10..].as_ptr());
    }
}
