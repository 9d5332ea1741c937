//! Which halves answer as planned, and who was asked in which order?

use std::{
    any::Any,
    fmt,
    panic::resume_unwind,
    sync::{Arc, Mutex},
};

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, VerifyingKey,
    kem::Ciphertext,
    provider::{Decapsulator, SchemeSigner},
    split::{Half, Halves, SplitDecapsulationKey, SplitSigningKey},
};

use crate::{
    common::{
        errors::chain,
        keys::{kem_key, signing_key},
    },
    redaction::assert_silent,
};

/// What a half that fails has to say.
#[derive(Debug)]
pub(super) struct Locked(pub(super) u8);

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {} is locked", self.0)
    }
}

impl std::error::Error for Locked {}

/// What a half says that dislikes what it was asked.
pub(super) const DISLIKE: Error = Error::Invalid { what: "ciphertext", reason: "I dislike it" };

/// Which halves were asked, in their order, with what, and what they answered.
#[derive(Clone, Default)]
pub(super) struct Witness(Arc<Mutex<Vec<Asked>>>);

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) half: Half,
    pub(super) input: Vec<u8>,
    /// Empty if it did not answer.
    pub(super) answer: Vec<u8>,
}

impl Witness {
    fn asked(&self, half: Half, input: &[u8]) {
        let asked = Asked { half, input: input.to_vec(), answer: Vec::new() };
        self.0.lock().unwrap().push(asked);
    }

    fn answered(&self, answer: &[u8]) {
        self.0.lock().unwrap().last_mut().unwrap().answer = answer.to_vec();
    }

    /// What has been seen since the last time.
    pub(super) fn taken(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Both halves were asked once, in their order. Returns with what, and their answers.
    #[track_caller]
    pub(super) fn saw_both(&self) -> [Asked; 2] {
        let seen = self.taken();
        let halves: Vec<_> = seen.iter().map(|asked| asked.half).collect();
        assert_eq!(halves, [Half::PostQuantum, Half::Traditional]);
        seen.try_into().unwrap()
    }
}

/// What a half makes of the right half, a ciphertext, and the place for the shared secret.
pub(super) type KemPlan = fn(&dyn Decapsulator, &[u8], &mut [u8]) -> Result<(), Error>;

/// What a half makes of the right half, a context and a message.
pub(super) type SignPlan = fn(&dyn SchemeSigner, &[u8], &[u8]) -> Result<Vec<u8>, Error>;

/// Half a key that does as it was planned.
pub(super) struct Planned<Operation: ?Sized, Plan> {
    half: Half,
    right: Arc<Operation>,
    plan: Plan,
    witness: Witness,
}

impl Decapsulator for Planned<dyn Decapsulator, KemPlan> {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        self.witness.asked(self.half, ciphertext);
        let result = (self.plan)(&*self.right, ciphertext, shared_secret);
        self.witness.answered(shared_secret);
        result
    }
}

impl SchemeSigner for Planned<dyn SchemeSigner, SignPlan> {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.witness.asked(self.half, message);
        let result = (self.plan)(&*self.right, context, message);
        self.witness.answered(result.as_deref().unwrap_or_default());
        result
    }
}

/// A key and its right halves, from which keys with planned halves are made.
pub(super) struct KemCase {
    pub(super) whole: DecapsulationKey,
    pub(super) public: EncapsulationKey,
    pub(super) right: Halves<Arc<dyn Decapsulator>>,
}

impl KemCase {
    pub(super) fn new(suite: KemSuite) -> Self {
        let whole = kem_key(suite, 0x51);
        let halves = kem_key(suite, 0x51).into_halves().unwrap();
        let right = Halves {
            post_quantum: Box::<dyn Decapsulator>::from(halves.post_quantum).into(),
            traditional: Box::<dyn Decapsulator>::from(halves.traditional).into(),
        };
        Self { public: whole.encapsulation_key().clone(), whole, right }
    }

    pub(super) fn suite(&self) -> KemSuite {
        self.public.suite()
    }

    pub(super) fn split(&self, plans: [KemPlan; 2]) -> (SplitDecapsulationKey, Witness) {
        let witness = Witness::default();
        let planned = |half, right: &Arc<dyn Decapsulator>, plan| {
            Box::new(Planned { half, right: right.clone(), plan, witness: witness.clone() })
        };
        let key = SplitDecapsulationKey::new(
            self.public.clone(),
            planned(Half::PostQuantum, &self.right.post_quantum, plans[0]),
            planned(Half::Traditional, &self.right.traditional, plans[1]),
        );
        (key, witness)
    }

    /// Another ciphertext.
    pub(super) fn elsewhere(suite: KemSuite) -> Ciphertext {
        kem_key(suite, 0x51).encapsulation_key().encapsulate().unwrap().0
    }
}

/// A signing key and its right halves.
pub(super) struct SignCase {
    pub(super) public: VerifyingKey,
    pub(super) right: Halves<Arc<dyn SchemeSigner>>,
}

impl SignCase {
    pub(super) fn new() -> Self {
        let whole = signing_key(0x51);
        let public = whole.verifying_key().clone();
        let halves = whole.into_halves().unwrap();
        let right = Halves {
            post_quantum: Box::<dyn SchemeSigner>::from(halves.post_quantum).into(),
            traditional: Box::<dyn SchemeSigner>::from(halves.traditional).into(),
        };
        Self { public, right }
    }

    pub(super) fn split(&self, plans: [SignPlan; 2]) -> (SplitSigningKey, Witness) {
        let witness = Witness::default();
        let planned = |half, right: &Arc<dyn SchemeSigner>, plan| {
            Box::new(Planned { half, right: right.clone(), plan, witness: witness.clone() })
        };
        let key = SplitSigningKey::new(
            self.public.clone(),
            planned(Half::PostQuantum, &self.right.post_quantum, plans[0]),
            planned(Half::Traditional, &self.right.traditional, plans[1]),
        );
        (key, witness)
    }
}

/// As a panic, but the hook prints nothing: the tables have many.
pub(super) fn panics<T>(payload: impl Any + Send) -> T {
    resume_unwind(Box::new(payload))
}

pub(super) const RIGHT_KEM: KemPlan = |right, ciphertext, out| right.decapsulate(ciphertext, out);
pub(super) const RIGHT_SIGNER: SignPlan = |right, context, message| right.sign(context, message);

/// The error is of this half, says this, has one cause and no more, and holds nothing that a half answered.
#[track_caller]
pub(super) fn assert_of_half(error: &Error, half: Half, cause: &str, seen: &[Asked]) {
    let Error::External(failure) = error else { panic!("{error:?}") };
    assert_eq!(failure.half(), Some(half), "{error:?}");
    let text = chain(error);
    let expected = format!("the {half} of the external key failed: {cause}");
    assert!(text.starts_with(&expected), "{text}, instead of {expected}");
    assert_eq!(text.matches("external key failed").count(), 1, "one failure, not two: {text}");
    assert_holds_nothing(error, seen);
}

/// No answer of a half is in any text of an error.
pub(super) fn assert_holds_nothing(error: &Error, seen: &[Asked]) {
    let io = std::io::Error::from(error.clone());
    let text = format!("{} {error:?} {error:#?} {io} {io:?}", chain(error));
    for Asked { answer, .. } in seen {
        // What is looked for is found anywhere in a text, so a few places of a long signature are enough.
        let some_bytes = answer.iter().any(|byte| *byte != answer[0]);
        for start in [0, answer.len() / 2, answer.len().saturating_sub(40)] {
            let piece = &answer[start..answer.len().min(start + 40)];
            if some_bytes && piece.len() >= 9 {
                assert_silent(&text, piece);
            }
        }
    }
}
