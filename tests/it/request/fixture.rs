//! Who asks whom, where are the fields of a request, and which guards and keys watch what is done with it?

use std::{
    collections::HashSet,
    io::{ErrorKind, Read},
    ops::Range,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KeyId, Plaintext, ReplayRefusal,
    SigningKey,
    kem::{Ciphertext, SharedSecret},
    request::{AllowReplays, Asked, Pending, ReplayGuard, RequestHead, RequestId, RequestTime},
};

use crate::common::keys::{P384, X25519, kem_key, signing_key};

pub(crate) const CTX: &[u8] = b"example.com/predict/v1";
pub(crate) const OTHER: &[u8] = b"example.com/predict/v2";
pub(crate) const QUESTION: &[u8] = b"a picture";
pub(crate) const CHUNK: usize = 16 * 1024;
pub(crate) const SEALED_CHUNK: usize = CHUNK + 16;
pub(crate) const PREFIX: usize = 24 + 32;
/// Lets everything in, where a test is not about guards.
pub(crate) const ANY: &AllowReplays = &AllowReplays;

pub(crate) static BOB: LazyLock<DecapsulationKey> = LazyLock::new(|| kem_key(X25519, 0xb0));
pub(crate) static CAROL: LazyLock<DecapsulationKey> = LazyLock::new(|| kem_key(X25519, 0xca));
/// Bob with HPKE's suite.
pub(crate) static BOB_P384: LazyLock<DecapsulationKey> = LazyLock::new(|| kem_key(P384, 0xb1));
pub(crate) static ALICE: LazyLock<SigningKey> = LazyLock::new(|| signing_key(0xa1));
pub(crate) static MALLORY: LazyLock<SigningKey> = LazyLock::new(|| signing_key(0x3a));

pub(crate) type Accepted = Result<(Plaintext, Asked), Error>;

/// To Bob, by nobody.
pub(crate) fn unsigned() -> (Vec<u8>, Pending) {
    BOB.encapsulation_key().request(CTX, QUESTION).unwrap()
}

/// To Bob, by Alice.
pub(crate) fn signed() -> (Vec<u8>, Pending) {
    BOB.encapsulation_key().signed_by(&*ALICE).request(CTX, QUESTION).unwrap()
}

pub(crate) fn accept(request: &[u8]) -> Accepted {
    BOB.accept(CTX, request, ANY)
}

pub(crate) fn accept_signed(request: &[u8]) -> Accepted {
    BOB.accepting(ALICE.verifying_key()).accept(CTX, request, ANY)
}

/// Accepts in memory and with a reader, which must agree.
pub(crate) fn judged(bob: &DecapsulationKey, request: &[u8], signed: bool) -> Accepted {
    let alice = ALICE.verifying_key();
    let (whole, reader) = if signed {
        let from_alice = bob.accepting(alice);
        (from_alice.accept(CTX, request, ANY), from_alice.accept_reader(CTX, request, ANY))
    } else {
        (bob.accept(CTX, request, ANY), bob.accept_reader(CTX, request, ANY))
    };
    let read = reader.and_then(|mut reader| {
        let mut plaintext = Vec::new();
        reader.read_to_end(&mut plaintext)?;
        reader.finish()?;
        Ok(plaintext)
    });
    match (&whole, &read) {
        (Ok((whole, _)), Ok(read)) => assert!(whole[..] == read[..]),
        (Err(error), Err(read)) => {
            assert_eq!(read.kind(), ErrorKind::InvalidData);
            assert_eq!(Error::inside(read), Some(error));
        }
        _ => panic!("{whole:?}, but {read:?}"),
    }
    whole
}

/// Both ends of a request that was accepted.
pub(crate) fn exchange() -> (Pending, Asked) {
    let (request, pending) = unsigned();
    let (_, asked) = accept(&request).unwrap();
    (pending, asked)
}

pub(crate) fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

pub(crate) fn flipped(bytes: &[u8], position: usize, bit: u8) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[position] ^= 1 << bit;
    flipped
}

/// The bytes with others in the place of some.
pub(crate) fn with(bytes: &[u8], at: Range<usize>, replacement: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed.splice(at, replacement.iter().copied());
    changed
}

/// A field of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Magic,
    Version,
    Flags,
    Suite,
    Recipient,
    SignatureSuite,
    Signer,
    Time,
    Ciphertext,
    SignatureLength,
    MlDsa,
    Ecdsa,
    Salt,
    Commitment,
    Chunks,
}

/// Where the fields of a request are, in their order.
pub(crate) fn fields(request: &[u8]) -> Vec<(Field, Range<usize>)> {
    let head = RequestHead::parse(request).unwrap();
    let ciphertext = head.suite().ciphertext_len();
    let start = [
        (Field::Magic, 8),
        (Field::Version, 1),
        (Field::Flags, 1),
        (Field::Suite, 2),
        (Field::Recipient, 16),
    ];
    let signer = [(Field::SignatureSuite, 2), (Field::Signer, 16)];
    let middle = [(Field::Time, 8), (Field::Ciphertext, ciphertext)];
    let signature = head.signature().map_or(0, |signature| signature.as_bytes().len());
    let ml_dsa = signature.min(4627);
    let end =
        [(Field::SignatureLength, 2), (Field::MlDsa, ml_dsa), (Field::Ecdsa, signature - ml_dsa)];
    let chunks = request.len() - head.len() - PREFIX;
    let body = [(Field::Salt, 24), (Field::Commitment, 32), (Field::Chunks, chunks)];
    let is_signed = head.claimed_signer().is_some();
    let mut position = 0;
    let mut fields = Vec::new();
    for (field, length) in (start.into_iter())
        .chain(signer.into_iter().filter(|_| is_signed))
        .chain(middle)
        .chain(end.into_iter().filter(|_| is_signed))
        .chain(body)
    {
        fields.push((field, position..position + length));
        position += length;
    }
    assert_eq!(position, request.len());
    fields
}

/// The place of one field.
pub(crate) fn place(request: &[u8], field: Field) -> Range<usize> {
    fields(request).into_iter().find(|(found, _)| *found == field).unwrap().1
}

/// What a guard was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Look(RequestId, Option<KeyId>, RequestTime),
    Admit(RequestId, Option<KeyId>, RequestTime),
}

/// A guard that notes what it is asked, and gives given verdicts.
#[derive(Default)]
pub(crate) struct Recording {
    pub(crate) noted: Mutex<Vec<Call>>,
    pub(crate) look: Option<Error>,
    pub(crate) admit: Option<Error>,
}

impl Recording {
    /// The calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.noted.lock().unwrap())
    }

    fn note(&self, call: Call, refusal: &Option<Error>) -> Result<(), Error> {
        self.noted.lock().unwrap().push(call);
        refusal.clone().map_or(Ok(()), Err)
    }
}

impl ReplayGuard for Recording {
    fn admit(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        self.note(Call::Admit(id, signer, time), &self.admit)
    }

    fn look(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        self.note(Call::Look(id, signer, time), &self.look)
    }
}

pub(crate) const REPLAYED: Error = Error::Replay(ReplayRefusal::Replayed);

/// The simplest guard: every id once, for ever.
#[derive(Default)]
pub(crate) struct Once(Mutex<HashSet<RequestId>>);

impl ReplayGuard for Once {
    fn admit(&self, id: RequestId, _: Option<KeyId>, _: RequestTime) -> Result<(), Error> {
        if self.0.lock().unwrap().insert(id) { Ok(()) } else { Err(REPLAYED) }
    }
}

/// An external key of Bob's that counts its decapsulations.
pub(crate) struct Token {
    inside: &'static DecapsulationKey,
    decapsulations: AtomicUsize,
}

impl Token {
    pub(crate) fn new() -> Self {
        Self { inside: &BOB, decapsulations: AtomicUsize::new(0) }
    }

    /// How often it has decapsulated since the last time.
    pub(crate) fn count(&self) -> usize {
        self.decapsulations.swap(0, Ordering::Relaxed)
    }
}

impl Decapsulate for Token {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.inside.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.decapsulations.fetch_add(1, Ordering::Relaxed);
        self.inside.decapsulate(ciphertext)
    }
}
