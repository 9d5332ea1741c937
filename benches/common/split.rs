//! Split keys with both halves in memory, beside whole keys: what is ours of their cost. The halves come from the same
//! provider as the whole key.

use std::hint::black_box;

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, KemSuite,
    kem::{Ciphertext, SharedSecret},
    provider::{Decapsulator, Provider},
    split::{Halves, SplitDecapsulationKey},
};
use zeroize::Zeroizing;

use super::case::Case;

fn whole(suite: KemSuite, provider: &'static Provider) -> DecapsulationKey {
    DecapsulationKey::from_seed(suite, &[7; 32]).unwrap().on(provider).unwrap()
}

/// A key of any kind, and a ciphertext for it.
fn decapsulating<Key: Decapsulate + 'static>(key: Key) -> impl FnMut() + 'static {
    let (ciphertext, _) = key.encapsulation_key().encapsulate().unwrap();
    move || drop(black_box(key.decapsulate(&ciphertext).unwrap()))
}

/// The caller asks both halves, and combines.
struct Apart {
    public: EncapsulationKey,
    halves: Halves<Box<dyn Decapsulator>>,
    lengths: Halves<usize>,
    ciphertext: Ciphertext,
}

impl Apart {
    fn new(key: DecapsulationKey) -> Self {
        let public = key.encapsulation_key().clone();
        let (ciphertext, _) = public.encapsulate().unwrap();
        let halves = key.into_halves().unwrap();
        let traditional = if public.suite() == KemSuite::ML_KEM_1024_P384 { 48 } else { 32 };
        let lengths = Halves { post_quantum: 32, traditional };
        let (post_quantum, traditional) = (halves.post_quantum.into(), halves.traditional.into());
        Self { public, halves: Halves { post_quantum, traditional }, lengths, ciphertext }
    }

    fn run(&self) {
        let sent = self.ciphertext.halves();
        let ask = |half: &dyn Decapsulator, ciphertext: &[u8], length: usize| {
            let mut secret = Zeroizing::new(vec![0; length]);
            half.decapsulate(ciphertext, &mut secret).map(|()| secret)
        };
        let Halves { post_quantum, traditional } = &self.halves;
        let first = ask(&**post_quantum, sent.post_quantum, self.lengths.post_quantum);
        let second = ask(&**traditional, sent.traditional, self.lengths.traditional);
        let secret = SharedSecret::combine(&self.public, &self.ciphertext, first, second);
        drop(black_box(secret.unwrap()));
    }
}

fn split(key: DecapsulationKey) -> SplitDecapsulationKey {
    let public = key.encapsulation_key().clone();
    let halves = key.into_halves().unwrap();
    SplitDecapsulationKey::new(public, halves.post_quantum.into(), halves.traditional.into())
}

pub(crate) fn decapsulation(provider: &'static Provider) -> impl Iterator<Item = Case> {
    let name = provider.name;
    KemSuite::ALL.iter().flat_map(move |&suite| {
        let group = "split/decapsulate";
        [
            Case::new(group, format!("{suite}, whole"), name, move || {
                decapsulating(whole(suite, provider))
            }),
            Case::new(group, format!("{suite}, split"), name, move || {
                decapsulating(split(whole(suite, provider)))
            }),
            Case::new(group, format!("{suite}, in two steps"), name, move || {
                let apart = Apart::new(whole(suite, provider));
                move || apart.run()
            }),
        ]
    })
}
