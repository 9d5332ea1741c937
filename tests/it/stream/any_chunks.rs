//! Do sealers and openers keep to a vector of bytes, whatever calls come in whatever order, errors and panics included?

use proptest::{collection::vec, prelude::*};
use twinseal::{
    Error,
    envelope::{BodyKey, Header, Opener, Sealer},
    hazmat,
};

use super::{
    any_calls::{
        PLAINTEXT, SEALED, TO_UNLUCKY_BOB, UNLUCKY_BOB, good, guarded, lengths, mishap, with_mishap,
    },
    fixture::{CHUNK, CTX, RANDOMNESS, SEALED_CHUNK, TAG, chunks_start, seal},
};
use crate::common::any_calls::{Damage, cases, damage};

#[derive(Clone, Debug)]
enum Call {
    Update(usize),
    /// A whole chunk, in place.
    Chunk,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let lengths = prop_oneof![3 => lengths(), 1 => (0..4_usize).prop_map(|chunks| chunks * CHUNK)];
    vec(prop_oneof![lengths.prop_map(Call::Update), Just(Call::Chunk)], 0..30)
}

/// How it ends.
#[derive(Clone, Debug)]
enum End {
    Finish,
    /// In place, with this much plaintext.
    Last(usize),
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Finish), (0..CHUNK + 2).prop_map(End::Last)]
}

fn is_misuse(error: &Error) -> bool {
    matches!(error, Error::Misuse { .. })
}

/// A sealer, and the plaintext that it took.
struct Sealing {
    plaintext: Vec<u8>,
    accepted: usize,
    unlucky: usize,
    sealed: Vec<u8>,
    has_failed: bool,
}

impl Sealing {
    /// How many bytes are sealed by now.
    fn expected(&self) -> usize {
        chunks_start(&SEALED) + self.accepted / CHUNK * SEALED_CHUNK
    }

    fn call(&mut self, sealer: &mut Sealer, call: &Call) {
        let rest = &self.plaintext[self.accepted..];
        match call {
            Call::Update(length) => {
                let part = &rest[..rest.len().min(*length)];
                match guarded(|| sealer.update(part, &mut self.sealed)) {
                    Ok(Ok(())) => {
                        assert!(!self.has_failed, "it continues after a chunk was lost");
                        self.accepted += part.len();
                        assert_eq!(self.sealed.len(), self.expected());
                    }
                    Ok(Err(error)) if self.has_failed => assert!(is_misuse(&error)),
                    _ => {
                        assert!(self.unlucky < (self.accepted + part.len()) / CHUNK);
                        self.has_failed = true;
                    }
                }
            }
            Call::Chunk => {
                let Some(chunk) = rest.first_chunk::<CHUNK>() else { return };
                let mut buffer = *chunk;
                match guarded(|| sealer.seal_chunk(&mut buffer)) {
                    Ok(Ok(tag)) => {
                        assert!(!self.has_failed && self.accepted.is_multiple_of(CHUNK));
                        self.sealed.extend_from_slice(&buffer);
                        self.sealed.extend_from_slice(&tag);
                        self.accepted += CHUNK;
                    }
                    Ok(Err(error)) if is_misuse(&error) => {
                        assert!(self.has_failed || !self.accepted.is_multiple_of(CHUNK));
                        assert!(&buffer == chunk, "it was changed, and not sealed");
                    }
                    _ => {
                        assert_eq!(self.accepted, self.unlucky * CHUNK);
                        self.has_failed = true;
                    }
                }
            }
        }
        self.check();
    }

    fn check(&self) {
        assert!(SEALED.starts_with(&self.sealed), "other bytes");
        let start = chunks_start(&SEALED);
        assert!((self.sealed.len() - start) / SEALED_CHUNK <= self.unlucky);
    }

    fn end(mut self, sealer: Sealer, end: &End) {
        let before = self.sealed.len();
        match end {
            End::Finish => match sealer.finish(&mut self.sealed) {
                Ok(()) => {
                    assert!(!self.has_failed);
                    assert!(self.sealed == seal(&self.plaintext[..self.accepted]));
                }
                Err(error) => {
                    assert!(self.has_failed && is_misuse(&error));
                    assert_eq!(self.sealed.len(), before);
                }
            },
            End::Last(length) => {
                let rest = &self.plaintext[self.accepted..];
                let last = &rest[..rest.len().min(*length)];
                let is_wrong = last.len() >= CHUNK || !self.accepted.is_multiple_of(CHUNK);
                let mut buffer = last.to_vec();
                match sealer.seal_last(&mut buffer) {
                    Ok(tag) => {
                        assert!(!self.has_failed && !is_wrong);
                        self.sealed.extend_from_slice(&buffer);
                        self.sealed.extend_from_slice(&tag);
                        let whole = &self.plaintext[..self.accepted + last.len()];
                        assert!(self.sealed == seal(whole));
                    }
                    Err(error) => {
                        assert!((self.has_failed || is_wrong) && is_misuse(&error));
                        assert!(buffer == last);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn sealers(calls in calls(), end in ends(), mishap in mishap()) {
        let plaintext = with_mishap(mishap, 14);
        let (header, prefix, mut sealer) =
            hazmat::sealer(&TO_UNLUCKY_BOB, CTX, &RANDOMNESS).unwrap();
        let mut sealing = Sealing {
            plaintext,
            accepted: 0,
            unlucky: mishap.map_or(usize::MAX, |(chunk, _)| chunk),
            sealed: [&header[..], &prefix].concat(),
            has_failed: false,
        };
        for call in &calls {
            sealing.call(&mut sealer, call);
        }
        sealing.end(sealer, &end);
    }
}

/// An opener, and the sealed bytes that it took.
struct Opening<'a> {
    sealed: &'a [u8],
    /// What it did not take yet.
    rest: &'a [u8],
    plaintext: &'a [u8],
    /// How much plaintext comes before the damage.
    good: usize,
    released: Vec<u8>,
    /// How many bytes of a chunk it keeps.
    partial: usize,
    has_failed: bool,
}

impl<'a> Opening<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (now, later) = self.rest.split_at(self.rest.len().min(length));
        self.rest = later;
        now
    }

    fn call(&mut self, opener: &mut Opener, call: &Call) {
        match call {
            Call::Update(length) => {
                let part = self.take(*length);
                let expected =
                    self.released.len() + (self.partial + part.len()) / SEALED_CHUNK * CHUNK;
                match guarded(|| opener.update(part, &mut self.released)) {
                    Ok(Ok(())) => {
                        assert!(!self.has_failed, "it continues after an error");
                        assert_eq!(self.released.len(), expected);
                        self.partial = (self.partial + part.len()) % SEALED_CHUNK;
                    }
                    failed => {
                        if let Ok(Err(error)) = failed {
                            assert!(error == Error::Open || matches!(error, Error::Unsupported(_)));
                        }
                        assert!(self.has_failed || self.good < expected);
                        assert!(self.has_failed || self.released.len() == self.good);
                        self.has_failed = true;
                    }
                }
            }
            Call::Chunk => {
                if self.rest.len() < SEALED_CHUNK {
                    return;
                }
                // From its start, a part of which it may have already.
                self.rest = &self.sealed[self.sealed.len() - self.rest.len() - self.partial..];
                let mut sealed = self.take(SEALED_CHUNK).to_vec();
                let (chunk, tag) = sealed.split_first_chunk_mut::<CHUNK>().unwrap();
                let tag: &[u8; TAG] = (&*tag).try_into().unwrap();
                match guarded(|| opener.open_chunk(chunk, tag)) {
                    Ok(Ok(())) => {
                        assert!(!self.has_failed && self.partial == 0);
                        self.released.extend_from_slice(chunk);
                    }
                    Ok(Err(_)) => {
                        let is_wrong = self.partial > 0 || self.released.len() >= self.good;
                        assert!(self.has_failed || is_wrong);
                        assert!(chunk == &[0; CHUNK], "not authentic");
                        self.has_failed = true;
                    }
                    Err(_) => self.has_failed = true,
                }
            }
        }
        self.check();
    }

    fn check(&self) {
        assert!(self.released.len() <= self.good, "more than is authentic");
        assert!(self.plaintext.starts_with(&self.released), "other bytes");
    }

    /// It may end well only if all came, and nothing else.
    fn end(mut self, opener: Opener, end: &End, is_whole: bool) {
        let is_whole = is_whole && !self.has_failed;
        let ended = match end {
            End::Finish => opener.finish(&mut self.released).map(|()| true),
            End::Last(_) => {
                let partial = self.partial;
                let mut last = self.take(usize::MAX).to_vec();
                let Some((last, tag)) = last.split_last_chunk_mut::<TAG>() else { return };
                let opened = opener.open_last(last, tag);
                if opened.is_ok() {
                    self.released.extend_from_slice(last);
                } else {
                    assert!(last.iter().all(|byte| *byte == 0), "not authentic");
                }
                opened.map(|()| partial == 0)
            }
        };
        match ended {
            Ok(is_right) => {
                assert!(is_right && is_whole && self.rest.is_empty());
                assert!(self.released == self.plaintext, "something is missing");
            }
            Err(error) => {
                assert_eq!(error, Error::Open);
                assert!(
                    !is_whole
                        || !self.rest.is_empty()
                        || self.partial > 0
                        || self.released.len() < self.plaintext.len()
                );
                self.check();
            }
        }
    }
}

fn open_any(
    calls: &[Call],
    end: &End,
    length: usize,
    damage: &Damage,
    mishap: Option<(usize, bool)>,
) {
    let mut plaintext = with_mishap(mishap, 13);
    plaintext.truncate(length);
    let sealed = seal(&plaintext);
    let start = chunks_start(&sealed);
    let damaged = damage.apply(&sealed, start, SEALED_CHUNK);
    let unlucky = mishap.map_or(usize::MAX, |(chunk, _)| chunk);
    let header = Header::parse(&sealed).unwrap();
    let prefix = sealed[header.len()..].first_chunk::<{ BodyKey::PREFIX_LEN }>().unwrap();
    let mut opener = UNLUCKY_BOB.unlock(&header).unwrap().opener(CTX, prefix).unwrap();
    let mut opening = Opening {
        sealed: &damaged[start..],
        rest: &damaged[start..],
        plaintext: &plaintext,
        good: good(&damaged, &sealed, start, unlucky, length),
        released: Vec::new(),
        partial: 0,
        has_failed: false,
    };
    for call in calls {
        opening.call(&mut opener, call);
    }
    // Most often the rest comes, so that there is an end.
    if !calls.len().is_multiple_of(4) {
        let rest = opening.rest.len();
        let kept =
            if matches!(end, End::Last(_)) { (opening.partial + rest) % SEALED_CHUNK } else { 0 };
        opening.call(&mut opener, &Call::Update(rest - kept.min(rest)));
    }
    opening.end(opener, end, damaged == sealed);
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn openers(
        calls in calls(),
        end in ends(),
        length in lengths(),
        damage in damage(),
        mishap in mishap(),
    ) {
        open_any(&calls, &end, length.min(PLAINTEXT.len()), &damage, mishap);
    }
}
