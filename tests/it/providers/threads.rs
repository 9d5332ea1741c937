//! Can many threads use one key at once, on each provider?

use std::{sync::Barrier, thread};

use super::PROVIDERS;
use crate::common::{
    keys::{CTX, X25519, kem_key, signing_key},
    process::Watch,
};

const THREADS: usize = 8;
const ROUNDS: usize = 10;

#[test]
fn shared_keys() {
    for provider in *PROVIDERS {
        let key = kem_key(X25519, 1).on(provider).unwrap();
        let public = key.encapsulation_key();
        let signer = signing_key(1).on(provider).unwrap();
        let verifier = signer.verifying_key();
        let _watch = Watch::over("threads that share keys");
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (key, signer, start) = (&key, &signer, &start);
                scope.spawn(move || {
                    start.wait();
                    for round in 0..ROUNDS {
                        let message = vec![number as u8; 1000 * round];
                        let (ciphertext, sent) = public.encapsulate().unwrap();
                        let received = key.decapsulate(&ciphertext).unwrap();
                        assert_eq!(sent.as_bytes(), received.as_bytes());
                        let sealed = public.seal(CTX, &message).unwrap();
                        assert!(key.open(CTX, &sealed).unwrap()[..] == message);
                        let signature = signer.sign(CTX, &message).unwrap();
                        verifier.verify(CTX, &message, &signature).unwrap();
                        let other = verifier.verify(CTX, b"another", &signature);
                        assert!(other.is_err(), "an error in one thread only");
                        // Clones share the expanded form, and are dropped at any time.
                        drop((public.clone(), verifier.clone()));
                    }
                });
            }
        });
    }
}

/// The last owner of a shared key may be on any thread.
#[test]
fn dropped_elsewhere() {
    for provider in *PROVIDERS {
        let signer = signing_key(2).on(provider).unwrap();
        let verifier = signer.verifying_key().clone();
        let signature =
            thread::spawn(move || signer.sign(CTX, b"message").unwrap()).join().unwrap();
        let copy = verifier.clone();
        thread::spawn(move || copy.verify(CTX, b"message", &signature).unwrap()).join().unwrap();
        thread::spawn(move || drop(verifier)).join().unwrap();
    }
}
