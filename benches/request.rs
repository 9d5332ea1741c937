//! The cost of a request and its answer, beside the primitives that it cannot do without: one signature, one
//! encapsulation, one verification, one decapsulation, and AES-256-GCM over the bytes of both.

use std::hint::black_box;

use twinseal::{
    DecapsulationKey, EncapsulationKey, Signature, SigningKey,
    kem::Ciphertext,
    provider::{AeadKey, Provider},
    request::{AllowReplays, Asked, Pending, PieceOpener, PieceSealer},
};

#[path = "common/case.rs"]
mod case;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/libtest.rs"]
mod libtest;
#[path = "common/mode.rs"]
mod mode;
#[path = "../tests/common/providers.rs"]
mod providers;

use case::Case;
use providers::PROVIDERS;

const CONTEXT: &[u8] = b"example.com/bench";
const KIB: usize = 1024;

/// Both sides, a question, and the values that the bare primitives work on.
struct Parties {
    bob: DecapsulationKey,
    alice: SigningKey,
    bare: Box<dyn AeadKey>,
    question: Vec<u8>,
    unsigned: Vec<u8>,
    signed: Vec<u8>,
    ciphertext: Ciphertext,
    signature: Signature,
    /// What is encrypted in place.
    buffer: Vec<u8>,
}

impl Parties {
    fn new(provider: &'static Provider, length: usize) -> Self {
        let bob = DecapsulationKey::generate().unwrap().on(provider).unwrap();
        let alice = SigningKey::generate().unwrap().on(provider).unwrap();
        let question = vec![7; length];
        let to_bob = bob.encapsulation_key();
        let (unsigned, _) = to_bob.request(CONTEXT, &question).unwrap();
        let (signed, _) = to_bob.signed_by(&alice).request(CONTEXT, &question).unwrap();
        let (ciphertext, _) = to_bob.encapsulate().unwrap();
        let signature = alice.sign(CONTEXT, b"hello").unwrap();
        let bare = provider.aes_256_gcm.key(&[7; 32]).unwrap();
        let buffer = question.clone();
        Self { bare, unsigned, signed, ciphertext, signature, buffer, question, bob, alice }
    }

    fn to_bob(&self) -> &EncapsulationKey {
        self.bob.encapsulation_key()
    }

    fn ask_unsigned(&mut self) {
        black_box(self.to_bob().request(CONTEXT, &self.question).unwrap());
    }

    fn ask(&self) -> (Vec<u8>, Pending) {
        self.to_bob().signed_by(&self.alice).request(CONTEXT, &self.question).unwrap()
    }

    fn accept_unsigned(&mut self) {
        black_box(self.bob.accept(CONTEXT, &self.unsigned, &AllowReplays).unwrap());
    }

    fn accept(&self, request: &[u8]) -> Asked {
        let from_alice = self.bob.accepting(self.alice.verifying_key());
        let (question, asked) = from_alice.accept(CONTEXT, request, &AllowReplays).unwrap();
        black_box(question);
        asked
    }

    fn sign(&mut self) {
        black_box(self.alice.sign(CONTEXT, b"hello").unwrap());
    }

    fn encapsulate(&mut self) {
        black_box(self.to_bob().encapsulate().unwrap());
    }

    fn verify(&mut self) {
        self.alice.verifying_key().verify(CONTEXT, b"hello", &self.signature).unwrap();
    }

    fn decapsulate(&mut self) {
        black_box(self.bob.decapsulate(&self.ciphertext).unwrap());
    }

    fn encrypt(&mut self) {
        black_box(self.bare.seal_in_place(&[0; 12], b"", &mut self.buffer).unwrap());
    }

    /// An answer as long as the question.
    fn ask_and_answer(&mut self) {
        let (request, pending) = self.ask();
        let answer = self.accept(&request).answer(&self.question).unwrap();
        black_box(pending.open(&answer).unwrap());
    }

    /// Encrypted and decrypted on the way there and on the way back.
    fn sum_of_the_parts(&mut self) {
        self.sign();
        self.encapsulate();
        self.verify();
        self.decapsulate();
        (0..4).for_each(|_| self.encrypt());
    }
}

type Operation = fn(&mut Parties);

const OPERATIONS: [(&str, Operation); 11] = [
    ("request and answer", Parties::ask_and_answer),
    ("sum of the parts", Parties::sum_of_the_parts),
    ("ask, unsigned", Parties::ask_unsigned),
    ("ask, signed", |parties| drop(black_box(parties.ask()))),
    ("accept, unsigned", Parties::accept_unsigned),
    ("accept, signed", |parties| drop(parties.accept(&parties.signed))),
    ("sign", Parties::sign),
    ("verify", Parties::verify),
    ("encapsulate", Parties::encapsulate),
    ("decapsulate", Parties::decapsulate),
    ("bare AES-256-GCM", Parties::encrypt),
];

/// Lengths of a question, with their names.
fn lengths() -> &'static [(&'static str, usize)] {
    const ALL: [(&str, usize); 3] =
        [("1 KiB", KIB), ("64 KiB", 64 * KIB), ("64 MiB", 64 * KIB * KIB)];
    if mode::testing() { &ALL[..2] } else { &ALL }
}

fn requests(provider: &'static Provider) -> impl Iterator<Item = Case> {
    lengths().iter().flat_map(move |&(name, length)| {
        OPERATIONS.into_iter().map(move |(operation, run)| {
            Case::new(format!("request/{name}"), operation, provider.name, move || {
                let mut parties = Parties::new(provider, length);
                move || run(&mut parties)
            })
        })
    })
}

/// The two ends of an answer in pieces, begun anew before its 2^40 bytes are used up.
struct Pieces {
    parties: Parties,
    sealer: PieceSealer,
    opener: PieceOpener,
    left: u32,
}

impl Pieces {
    const ROUND: u32 = 1 << 20;

    fn new(provider: &'static Provider) -> Self {
        let parties = Parties::new(provider, 32);
        let (sealer, opener) = Self::start(&parties);
        Self { parties, sealer, opener, left: Self::ROUND }
    }

    fn start(parties: &Parties) -> (PieceSealer, PieceOpener) {
        let (request, pending) = parties.ask();
        let (start, sealer) = parties.accept(&request).piece_sealer().unwrap();
        let mut opener = pending.piece_opener();
        opener.update(&start);
        (sealer, opener)
    }

    fn seal(&mut self) -> Vec<u8> {
        if self.left == 0 {
            (self.sealer, self.opener) = Self::start(&self.parties);
            self.left = Self::ROUND;
        }
        self.left -= 1;
        self.sealer.piece(&self.parties.question).unwrap()
    }

    fn seal_and_open(&mut self) {
        let piece = self.seal();
        self.opener.update(&piece);
        black_box(self.opener.next().unwrap());
    }
}

fn pieces(provider: &'static Provider) -> [Case; 2] {
    let case = |name, run: fn(&mut Pieces)| {
        Case::new("request/piece of 32 bytes", name, provider.name, move || {
            let mut pieces = Pieces::new(provider);
            move || run(&mut pieces)
        })
    };
    [
        case("seal", |pieces| drop(black_box(pieces.seal()))),
        case("seal and open", Pieces::seal_and_open),
    ]
}

fn main() {
    let requests = PROVIDERS.into_iter().flat_map(requests);
    let cases: Vec<_> = requests.chain(PROVIDERS.into_iter().flat_map(pieces)).collect();
    harness::main(&cases);
}
