//! Split signing keys with both halves in memory, beside whole keys, which do not verify what they have signed.

use std::hint::black_box;

use twinseal::{Sign, SigningKey, provider::Provider, split::SplitSigningKey};

use super::case::Case;

const CONTEXT: &[u8] = b"example.com/bench";
const MESSAGE: &[u8] = &[7; 160];

fn whole(provider: &'static Provider) -> SigningKey {
    SigningKey::generate().unwrap().on(provider).unwrap()
}

fn split(key: SigningKey) -> SplitSigningKey {
    let public = key.verifying_key().clone();
    let halves = key.into_halves().unwrap();
    SplitSigningKey::new(public, halves.post_quantum.into(), halves.traditional.into())
}

/// The yardstick of a split key is a whole key that verifies its own signature.
pub(crate) fn cases(provider: &'static Provider) -> [Case; 3] {
    let (group, name) = ("split/sign", provider.name);
    [
        Case::new(group, "whole", name, move || {
            let key = whole(provider);
            move || drop(black_box(key.sign(CONTEXT, MESSAGE).unwrap()))
        }),
        Case::new(group, "whole, then verified", name, move || {
            let key = whole(provider);
            move || {
                let signature = key.sign(CONTEXT, MESSAGE).unwrap();
                key.verifying_key().verify(CONTEXT, MESSAGE, black_box(&signature)).unwrap();
            }
        }),
        Case::new(group, "split", name, move || {
            let key = split(whole(provider));
            move || drop(black_box(key.sign(CONTEXT, MESSAGE).unwrap()))
        }),
    ]
}
