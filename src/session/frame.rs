//! Reading frames without I/O: how much of the next one has arrived, and where its next bytes go.

#![warn(clippy::indexing_slicing)] // a length that the bytes themselves claim is never an index

use std::mem;

use super::{hello::Hello, message::MessageTag, reply::ReplyNonce};
use crate::error::Error;

/// Every frame begins with the length of what follows, in 4 bytes.
pub(crate) const LENGTH: usize = 4;

/// How much memory a length by itself takes. A longer frame gets more as its bytes arrive.
const STEP: usize = (1 << 20) + MessageTag::LEN; // enough for all messages, unless a bound is raised

/// What a frame contains, which decides how long it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    Hello,
    ReplyNonce,
    /// A message whose plaintext has at most so many bytes.
    Message(usize),
}

impl Content {
    fn check(self, length: usize) -> Result<(), Error> {
        match self {
            Self::Hello if length > Hello::MAX_LEN => {
                Err(Error::Invalid { what: "frame", reason: "it is longer than any hello" })
            }
            Self::ReplyNonce if length != ReplyNonce::LEN => Err(Error::Length {
                what: "reply nonce",
                expected: ReplyNonce::LEN,
                actual: length,
            }),
            Self::Message(_) if length < MessageTag::LEN => {
                Err(Error::Truncated { what: "message", needed: MessageTag::LEN, actual: length })
            }
            Self::Message(most) if length - MessageTag::LEN > most => Err(Error::Invalid {
                what: "frame",
                reason: "its message is longer than the bound",
            }),
            _ => Ok(()),
        }
    }
}

/// The frame that is arriving. Its first `HEAD` bytes are kept apart: the length, and perhaps more, so
/// that the body can be given away as it is. No frame's content may be shorter than they are.
pub(crate) struct FrameReader<const HEAD: usize> {
    content: Content,
    head: [u8; HEAD],
    in_head: usize,
    body: Vec<u8>,
    in_body: usize,
}

/// Reads the one frame with which a session or a reply begins.
pub(crate) type FirstFrame = FrameReader<LENGTH>;

impl<const HEAD: usize> FrameReader<HEAD> {
    pub(crate) fn new(content: Content) -> Self {
        Self { content, head: [0; HEAD], in_head: 0, body: Vec::new(), in_body: 0 }
    }

    /// Changes which frames are accepted from the next one on.
    pub(crate) fn expect(&mut self, content: Content) {
        self.content = content;
    }

    /// The length of what follows it, once it has arrived.
    fn length(&self) -> Option<usize> {
        let arrived = self.head.split_at(self.in_head).0; // it counts the bytes in the head
        arrived.first_chunk().map(|length| u32::from_be_bytes(*length) as usize)
    }

    /// Where the next bytes go: they never belong to the frame after this one. Nothing if the frame is
    /// whole. A length that is not accepted is an error before anything is allocated for it.
    pub(crate) fn space(&mut self) -> Result<&mut [u8], Error> {
        let length = self.length();
        if let Some(length) = length {
            self.content.check(length)?;
        }
        if self.in_head < HEAD {
            return Ok(self.head.split_at_mut(self.in_head).1);
        }
        let body_len = length.unwrap_or_default().saturating_sub(HEAD - LENGTH);
        if self.in_body == self.body.len() && self.in_body < body_len {
            let grown = body_len.min(STEP.max(2 * self.in_body));
            if self.body.is_empty() {
                self.body = vec![0; grown]; // which costs less than to append zeros
            } else {
                self.body.reserve_exact(grown - self.body.len());
                self.body.resize(grown, 0);
            }
        }
        Ok(self.body.split_at_mut(self.in_body).1)
    }

    /// Counts bytes that were written to the start of [`space`](Self::space).
    pub(crate) fn advance(&mut self, count: usize) {
        if self.in_head < HEAD {
            self.in_head = HEAD.min(self.in_head + count);
        } else {
            self.in_body = self.body.len().min(self.in_body + count);
        }
    }

    /// The error if the input ends now.
    pub(crate) fn cut_off(&self) -> Error {
        let actual = self.in_head + self.in_body;
        if let (Content::Message(_), 0) = (self.content, actual) {
            let reason = "the connection ended before its last message";
            return Error::Invalid { what: "session", reason };
        }
        let needed = LENGTH + self.length().unwrap_or_default();
        Error::Truncated { what: "frame", needed, actual }
    }

    /// Returns the whole frame and begins with the next one.
    pub(crate) fn take(&mut self) -> ([u8; HEAD], Vec<u8>) {
        (self.in_head, self.in_body) = (0, 0);
        (self.head, mem::take(&mut self.body))
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "what is wrong here fails a test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds bytes in pieces of these lengths, over and over, as often as they are asked for.
    fn feed<const HEAD: usize>(
        frames: &mut FrameReader<HEAD>,
        mut bytes: &[u8],
        pieces: &[usize],
    ) -> Result<(Vec<Vec<u8>>, Error), Error> {
        let mut pieces = pieces.iter().cycle();
        let mut whole = Vec::new();
        loop {
            let space = frames.space()?;
            if space.is_empty() {
                let (head, body) = frames.take();
                whole.push([&head[LENGTH..], &body].concat());
                continue;
            }
            let piece = (*pieces.next().unwrap_or(&1)).max(1).min(space.len()).min(bytes.len());
            if piece == 0 {
                return Ok((whole, frames.cut_off()));
            }
            let (taken, rest) = bytes.split_at(piece);
            space[..piece].copy_from_slice(taken);
            frames.advance(piece);
            bytes = rest;
        }
    }

    fn frame(content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32).to_be_bytes()[..], content].concat()
    }

    proptest! {
        #[test]
        fn whatever_the_pieces_the_frames_are_the_same(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 17..200), 0..8),
            pieces in prop::collection::vec(1_usize..50, 1..10),
            cut in any::<prop::sample::Index>(),
        ) {
            let bytes: Vec<u8> = contents.iter().flat_map(|content| frame(content)).collect();
            let bytes = &bytes[..cut.index(bytes.len() + 1)];
            // What was whole before the cut, and where the frame that was not begins.
            let mut begins = 0;
            let whole: Vec<_> = contents.iter().take_while(|content| {
                let end = begins + LENGTH + content.len();
                let is_whole = end <= bytes.len();
                begins = if is_whole { end } else { begins };
                is_whole
            }).cloned().collect();
            let actual = bytes.len() - begins;
            let needed = LENGTH + if actual < LENGTH { 0 } else { contents[whole.len()].len() };

            let (found, error) = feed(&mut FrameReader::<5>::new(Content::Message(200)), bytes, &pieces)?;
            prop_assert_eq!(&found, &whole);
            if actual > 0 {
                prop_assert_eq!(error, Error::Truncated { what: "frame", needed, actual });
            } else {
                let is_end = matches!(error, Error::Invalid { what: "session", .. });
                prop_assert!(is_end);
            }
            let (found, _) = feed(&mut FirstFrame::new(Content::Hello), bytes, &pieces)?;
            prop_assert_eq!(found, whole);
        }

        /// Any bytes are frames, an end, or an error, and never more than the bound is allocated.
        #[test]
        fn anything(bytes in prop::collection::vec(any::<u8>(), 0..300), bound in 0_usize..300) {
            for content in [Content::Message(bound), Content::Hello, Content::ReplyNonce] {
                let mut frames = FrameReader::<4>::new(content);
                if let Ok((whole, _)) = feed(&mut frames, &bytes, &[7]) {
                    let lengths: usize = whole.iter().map(|frame| LENGTH + frame.len()).sum();
                    prop_assert!(lengths <= bytes.len());
                    prop_assert!(whole.iter().all(|frame| content.check(frame.len()).is_ok()));
                }
                prop_assert!(frames.body.capacity() <= Hello::MAX_LEN);
            }
        }
    }

    #[test]
    fn lengths_at_the_bounds() -> Result<(), Error> {
        for (content, least, most) in [
            (Content::Message(100), 17, 117),
            (Content::Message(0), 17, 17),
            (Content::Hello, 0, Hello::MAX_LEN),
            (Content::ReplyNonce, 32, 32),
        ] {
            for length in [0, 1, 16, 17, 18, 31, 32, 33, most, most + 1, 1 << 20, u32::MAX as usize]
            {
                // As soon as the length is there, and before the byte behind it.
                let mut frames = FrameReader::<5>::new(content);
                frames.space()?[..4].copy_from_slice(&(length as u32).to_be_bytes());
                frames.advance(4);
                let accepted = (least..=most).contains(&length);
                assert_eq!(frames.space().is_ok(), accepted, "{content:?} {length}");
                assert_eq!(frames.body.capacity(), 0);
            }
        }
        Ok(())
    }

    #[test]
    fn memory_comes_with_the_bytes() -> Result<(), Error> {
        let most = 10 * STEP;
        let mut frames = FrameReader::<5>::new(Content::Message(most));
        let bytes = frame(&vec![7; most]);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let arrived = bytes.len() - rest.len();
            let space = frames.space()?;
            let (piece, after) = rest.split_at(space.len().min(100_000));
            space[..piece.len()].copy_from_slice(piece);
            frames.advance(piece.len());
            rest = after;
            assert!(frames.body.capacity() <= STEP.max(2 * arrived), "{arrived}");
        }
        assert!(frames.space()?.is_empty());
        let (head, body) = frames.take();
        assert_eq!((head[4], body), (7, vec![7; most - 1]));
        assert_eq!(frames.space()?.len(), 5);
        Ok(())
    }
}
