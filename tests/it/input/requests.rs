//! What becomes of any bytes that are taken for a request or an answer: is there one encoding, and no panic?

use std::{io::Read, sync::LazyLock};

use proptest::{collection::vec, prelude::*, sample::Index};
use twinseal::{
    DecapsulationKey, Error, KemSuite, SigningKey,
    request::{AllowReplays, Pending, RequestHead, attach, detach},
};

use crate::common::{
    errors::{invalid, outcome},
    keys::{CTX, kem_key, signing_key},
};

const PIECES: [&[u8]; 3] = [b"first", b"", b"the last"];

/// A request that is accepted.
struct Made {
    key: DecapsulationKey,
    signer: Option<SigningKey>,
    request: Vec<u8>,
}

impl Made {
    fn accept(&self, request: &[u8]) -> Result<Vec<u8>, Error> {
        let (plaintext, _) = match &self.signer {
            None => self.key.accept(CTX, request, &AllowReplays),
            Some(signer) => {
                self.key.accepting(signer.verifying_key()).accept(CTX, request, &AllowReplays)
            }
        }?;
        Ok(plaintext.to_vec())
    }
}

/// Of each suite, unsigned and signed.
static MADE: LazyLock<Vec<Made>> = LazyLock::new(|| {
    let kinds = KemSuite::ALL.iter().flat_map(|&suite| [(suite, None), (suite, Some(13))]);
    kinds
        .map(|(suite, signer)| {
            let key = kem_key(suite, 13);
            let signer = signer.map(signing_key);
            let to = key.encapsulation_key();
            let made = match &signer {
                None => to.request(CTX, b"hello"),
                Some(signer) => to.signed_by(signer).request(CTX, b"hello"),
            };
            Made { request: made.unwrap().0, key, signer }
        })
        .collect()
});

/// Both forms of an answer, each with what opens it.
fn answers() -> [(Pending, Vec<u8>); 2] {
    let key = &MADE[0].key;
    let asked = || {
        let (request, pending) = key.encapsulation_key().request(CTX, b"hello").unwrap();
        let (_, asked) = key.accept(CTX, &request, &AllowReplays).unwrap();
        (pending, asked)
    };
    let (whole, in_pieces) = (asked(), asked());
    let (start, mut sealer) = in_pieces.1.piece_sealer().unwrap();
    let [first, second, last] = PIECES;
    let more = [sealer.piece(first).unwrap(), sealer.piece(second).unwrap()].concat();
    let pieces = [start, more, sealer.finish(last).unwrap()].concat();
    [(whole.0, whole.1.answer(b"world").unwrap()), (in_pieces.0, pieces)]
}

/// What happens to valid bytes.
#[derive(Clone, Debug)]
struct Damage {
    at: Index,
    noise: Vec<u8>,
    cut: Option<Index>,
    tail: Vec<u8>,
}

impl Damage {
    fn of(&self, valid: &[u8]) -> Vec<u8> {
        let mut bytes = valid.to_vec();
        let start = self.at.index(bytes.len());
        for (byte, noise) in bytes[start..].iter_mut().zip(&self.noise) {
            *byte = *noise;
        }
        if let Some(cut) = &self.cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        bytes.extend_from_slice(&self.tail);
        bytes
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let parts =
        (any::<Index>(), vec(any::<u8>(), 0..4), any::<Option<Index>>(), vec(any::<u8>(), 0..20));
    parts.prop_map(|(at, noise, cut, tail)| Damage { at, noise, cut, tail })
}

/// A head is refused, or its bytes are what was parsed; a reader gets the same, and not a byte more.
fn assert_head(bytes: &[u8]) {
    let mut rest = bytes;
    let read = RequestHead::read(&mut rest);
    match RequestHead::parse(bytes) {
        Ok(head) => {
            assert!(head.len() <= RequestHead::MAX_LEN);
            assert!(bytes.starts_with(head.as_bytes()) && head.as_bytes().len() == head.len());
            let read = read.unwrap();
            assert_eq!((read.as_bytes(), read.id()), (head.as_bytes(), head.id()));
            assert_eq!(rest.len(), bytes.len() - head.len());
        }
        Err(error) => {
            assert_eq!(Error::inside(&read.unwrap_err()), Some(&error));
            if let Error::Truncated { needed, actual, .. } = error {
                assert_eq!(actual, bytes.len());
                assert!(actual < needed && needed <= RequestHead::MAX_LEN, "{needed}");
            }
        }
    }
}

/// What is taken out is put back as it was, and what is refused changes nothing.
fn assert_detaches(bytes: &[u8], signature: &[u8]) {
    let id = |bytes: &[u8]| RequestHead::parse(bytes).map(|head| head.id());
    let mut changed = bytes.to_vec();
    match detach(&mut changed) {
        Ok(taken) => {
            assert_eq!(id(&changed), id(bytes));
            let mut twice = changed.clone();
            assert_eq!(outcome(detach(&mut twice)), "Unsigned");
            assert!(twice == changed);
            attach(&mut changed, &taken).unwrap();
        }
        Err(_) => {
            let attached = attach(&mut changed, signature);
            if attached.is_ok() {
                assert_eq!(id(&changed), id(bytes));
                assert!(detach(&mut changed).unwrap() == signature);
            }
        }
    }
    assert!(changed == bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn damaged_requests(damage in damage()) {
        for made in &*MADE {
            let damaged = damage.of(&made.request);
            assert_head(&damaged);
            assert_detaches(&damaged, &damage.noise);
            let accepted = made.accept(&damaged);
            prop_assert_eq!(accepted.is_ok(), damaged == made.request);
        }
    }

    /// Detached signatures: damaged themselves, and with a damaged rest.
    #[test]
    fn damaged_signatures(damage in damage(), damaged_rest in any::<bool>()) {
        for made in MADE.iter().filter(|made| made.signer.is_some()) {
            let mut rest = made.request.clone();
            let signature = detach(&mut rest).unwrap();
            let damaged = if damaged_rest { damage.of(&rest) } else { rest };
            assert_head(&damaged);
            assert_detaches(&damaged, &damage.of(&signature));
        }
    }

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..3000), with_magic in any::<bool>()) {
        let start: &[u8] = if with_magic { b"twinrqst\x01\x01\x00\x01" } else { b"" };
        let request = [start, &bytes].concat();
        assert_head(&request);
        assert_detaches(&request, &bytes);
        for made in &*MADE {
            prop_assert!(made.accept(&request).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    /// What fails gives back what opens the true one; each form is refused as the other.
    #[test]
    fn damaged_whole_answers(damage in damage(), random in vec(any::<u8>(), 0..200)) {
        let [(pending, answer), (_, in_pieces)] = answers();
        let start: &[u8] = b"twinansw\x01\x01";
        let others = [damage.of(&answer), [start, &random].concat(), random, in_pieces];
        let mut pending = pending;
        for other in others.iter().filter(|other| **other != answer) {
            pending = pending.open(other).unwrap_err().pending;
        }
        prop_assert_eq!(&pending.open(&answer).unwrap()[..], b"world");
    }

    /// However the bytes arrive: pieces come out as far as they are whole, and the first error stays.
    #[test]
    fn damaged_pieces(damage in damage(), cuts in vec(1usize..90, 1..20)) {
        let [_, (pending, answer)] = answers();
        let damaged = damage.of(&answer);
        let mut opener = pending.piece_opener();
        let mut opened = Vec::new();
        let (mut rest, mut cuts) = (&damaged[..], cuts.iter().cycle());
        let failed = loop {
            match opener.next() {
                Ok(Some(piece)) => opened.push(piece.to_vec()),
                Ok(None) if rest.is_empty() => break None,
                Ok(None) => {
                    let part = rest.split_off(..(*cuts.next().unwrap()).min(rest.len())).unwrap();
                    opener.update(part);
                }
                Err(error) => break Some(error),
            }
        };
        prop_assert!(PIECES.iter().zip(&opened).all(|(piece, opened)| piece == opened));
        if let Some(error) = failed {
            opener.update(&answer);
            prop_assert_eq!(opener.next().unwrap_err(), error.clone());
            prop_assert_eq!(opener.finish().unwrap_err(), error);
            prop_assert!(damaged != answer);
        } else {
            prop_assert_eq!(opener.is_finished(), opened.len() == PIECES.len());
            prop_assert_eq!(opener.finish().is_ok(), damaged == answer);
        }
    }

    /// A length above the bound, or below 17, is refused when it is there.
    #[test]
    fn lengths_of_pieces(length in prop_oneof![any::<u32>(), 0u32..40], bound in 0usize..20) {
        let [_, (pending, answer)] = answers();
        let bytes = [&answer[..42], &length.to_be_bytes()].concat();
        let mut opener = pending.piece_opener().with_bound(bound);
        opener.update(&bytes);
        let what = "answer in pieces";
        let expected = match usize::try_from(length).unwrap() {
            0..17 => invalid(what, "a piece is shorter than 17 bytes"),
            length if length > 17 + bound => invalid(what, "a piece is longer than the bound"),
            _ => "Ok".into(),
        };
        prop_assert_eq!(outcome(opener.next()), expected);
    }

    /// A reader of pieces asks for no more than a piece may have.
    #[test]
    fn readers_of_pieces(random in vec(any::<u8>(), 0..100), bound in 0usize..2000) {
        let [_, (pending, answer)] = answers();
        let bytes = [&answer[..42], &random].concat();
        let endless = bytes.chain(std::io::repeat(random.first().copied().unwrap_or(1)));
        let mut reader = pending.piece_reader(endless.take(1 << 30)).with_bound(bound);
        prop_assert!(reader.next().unwrap().is_err());
        prop_assert!(reader.next().is_none_or(|again| again.is_err()));
    }
}

/// A signature length that its suite does not allow is wrong, and not a head that goes on.
#[test]
fn lengths_of_signatures() {
    for made in MADE.iter().filter(|made| made.signer.is_some()) {
        let mut without = made.request.clone();
        detach(&mut without).unwrap();
        let core = RequestHead::parse(&without).unwrap().len() - 2;
        for length in [1, 2, 4626, 4627, 4634, 4732, 5000, 65535] {
            let mut request = without[..core].to_vec();
            request.extend(u16::to_be_bytes(length));
            request.resize(request.len() + 70_000, 1);
            assert_head(&request);
            let parsed = RequestHead::parse(&request);
            assert!(matches!(parsed, Err(Error::Invalid { .. })), "{length}: {parsed:?}");
        }
    }
}
