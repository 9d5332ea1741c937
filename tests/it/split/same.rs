//! Do split keys do the same as whole ones, with halves of any two providers?

use twinseal::{
    Decapsulate, EncapsulationKey, Error, KemSuite, Keyring, Sign, Signature, Unlock, VerifyingKey,
    kem::{Ciphertext, SharedSecret},
    provider::{Decapsulator, Provider, SchemeSigner},
    request::AllowReplays,
    sign::EcdsaSignature,
    signature::{Signer, Verifier},
    split::{Half, Halves, SplitDecapsulationKey, SplitSigningKey},
};

use crate::{
    common::{
        errors::{chain, length, outcome},
        keys::{COMPOSITE, CTX, P384, X25519, kem_key, signing_key},
        providers::PROVIDERS,
    },
    external_keys::unlocks,
};

/// Every ordered pair, each provider with itself included.
fn pairs() -> impl Iterator<Item = (&'static Provider, &'static Provider)> {
    PROVIDERS.into_iter().flat_map(|a| PROVIDERS.map(|b| (a, b)))
}

/// The private bytes of a key's halves.
fn kem_seeds(suite: KemSuite, number: u8) -> Halves<Vec<u8>> {
    let halves = kem_key(suite, number).into_halves().unwrap();
    Halves {
        post_quantum: halves.post_quantum.secret_bytes().to_vec(),
        traditional: halves.traditional.secret_bytes().to_vec(),
    }
}

/// Halves that were loaded from their bytes alone, as two tokens of two makers would.
fn split(suite: KemSuite, a: &Provider, b: &Provider) -> SplitDecapsulationKey {
    let seeds = kem_seeds(suite, 1);
    let traditional = if suite == X25519 { b.x25519 } else { b.p384 };
    SplitDecapsulationKey::new(
        kem_key(suite, 1).encapsulation_key().clone(),
        a.ml_kem_1024.key_pair(&seeds.post_quantum).unwrap().decapsulator,
        traditional.key_pair(&seeds.traditional).unwrap().decapsulator,
    )
}

fn split_signer(a: &Provider, b: &Provider) -> SplitSigningKey {
    let key = signing_key(1);
    let public = key.verifying_key().clone();
    let halves = key.into_halves().unwrap();
    SplitSigningKey::new(
        public,
        a.ml_dsa_87.key_pair(halves.post_quantum.secret_bytes()).unwrap().signer,
        b.ecdsa_p384.key_pair(halves.traditional.secret_bytes()).unwrap().signer,
    )
}

/// Whole, split and in two steps, a ciphertext gives one secret: also one that was changed, which ML-KEM rejects
/// without a word.
#[test]
fn one_secret() {
    for &suite in KemSuite::ALL {
        for (a, b) in pairs() {
            let (whole, split) = (kem_key(suite, 1), split(suite, a, b));
            split.check().unwrap();
            let public = whole.encapsulation_key();
            assert_eq!(split.encapsulation_key(), public);
            for change in [None, Some(0), Some(700), Some(1567)] {
                let (ciphertext, sent) = public.on(b).unwrap().encapsulate().unwrap();
                let mut bytes = ciphertext.as_bytes().to_vec();
                change.iter().for_each(|position: &usize| bytes[*position] ^= 0x10);
                let ciphertext = Ciphertext::from_bytes(suite, &bytes).unwrap();
                let expected = whole.decapsulate(&ciphertext).unwrap();
                assert_eq!(expected.as_bytes() == sent.as_bytes(), change.is_none());
                let ours = split.decapsulate(&ciphertext).unwrap();
                assert_eq!(ours.suite(), suite);
                assert_eq!(ours.as_bytes(), expected.as_bytes());
                let apart = decapsulated_apart(a, b, public, &ciphertext);
                assert_eq!(apart.as_bytes(), expected.as_bytes());
            }
        }
    }
}

fn decapsulated_apart(
    a: &Provider,
    b: &Provider,
    public: &EncapsulationKey,
    ciphertext: &Ciphertext,
) -> SharedSecret {
    let suite = public.suite();
    let (seeds, halves) = (kem_seeds(suite, 1), ciphertext.halves());
    let traditional = if suite == X25519 { b.x25519 } else { b.p384 };
    let (mut first, mut second) = (vec![0; 32], vec![0; traditional.lengths().shared_secret]);
    let half = a.ml_kem_1024.key_pair(&seeds.post_quantum).unwrap().decapsulator;
    half.decapsulate(halves.post_quantum, &mut first).unwrap();
    let half = traditional.key_pair(&seeds.traditional).unwrap().decapsulator;
    half.decapsulate(halves.traditional, &mut second).unwrap();
    SharedSecret::combine(public, ciphertext, Ok(first), Ok(second)).unwrap()
}

/// Envelopes, streams, headers, rewrapping, sessions and requests; behind pointers and in rings.
#[test]
fn whatever_unlocks() {
    for &suite in KemSuite::ALL {
        for (a, b) in pairs() {
            let public = kem_key(suite, 1).encapsulation_key().clone();
            unlocks(&split(suite, a, b), &public);
            let by_dyn: &dyn Decapsulate = &split(suite, a, b);
            unlocks(by_dyn, &public);
            unlocks(&Keyring::new(split(suite, a, b)), &public);

            let mut ring = Keyring::new(kem_key(X25519, 7));
            ring.add_older(split(suite, a, b)).unwrap();
            let (request, pending) = public.request(CTX, b"question").unwrap();
            let (question, asked) = ring.accept(CTX, &request, &AllowReplays).unwrap();
            assert_eq!(&question[..], b"question");
            let answer = asked.answer(b"answer").unwrap();
            assert_eq!(&pending.open(&answer).unwrap()[..], b"answer");
        }
    }
}

/// A signature of either key verifies, on every provider, and through all that signs.
#[test]
fn one_signature() {
    for (a, b) in pairs() {
        let (whole, split) = (signing_key(1), split_signer(a, b));
        split.check().unwrap();
        let public = whole.verifying_key();
        assert_eq!(split.verifying_key(), public);
        let by_both = [
            whole.sign(CTX, b"message").unwrap(),
            split.sign(CTX, b"message").unwrap(),
            split.sign_reader(CTX, &mut &b"message"[..]).unwrap(),
            signed_apart(a, b, public),
        ];
        for provider in *PROVIDERS {
            let public = public.on(provider).unwrap();
            for signature in &by_both {
                public.verify(CTX, b"message", signature).unwrap();
                assert_eq!(outcome(public.verify(CTX, b"another", signature)), "Verify");
                assert_eq!(outcome(public.verify(b"another", b"message", signature)), "Verify");
            }
        }
        assert_eq!(
            outcome(split.sign(b"", b"message")),
            outcome(whole.sign(b"", b"message")),
            "an empty context"
        );

        let without = twinseal::sign::WithoutContext::of(&split);
        let signature = without.try_sign(b"message").unwrap();
        public.without_context().verify(b"message", &signature).unwrap();

        let bob = kem_key(X25519, 2);
        let (hello, mut tx) = bob.encapsulation_key().signed_by(&split).sender(CTX).unwrap();
        let mut rx = bob.accepting(public).receiver(CTX, &hello).unwrap();
        assert_eq!(&rx.open(&tx.seal(b"hello").unwrap()).unwrap()[..], b"hello");
        let (request, _) = bob.encapsulation_key().signed_by(&split).request(CTX, b"?").unwrap();
        let (question, asked) = bob.accepting(public).accept(CTX, &request, &AllowReplays).unwrap();
        assert_eq!((&question[..], asked.signer()), (&b"?"[..], Some(public.key_id())));
    }
}

fn signed_apart(a: &Provider, b: &Provider, public: &VerifyingKey) -> Signature {
    use sha2::{Digest, Sha512};

    let halves = signing_key(1).into_halves().unwrap();
    let to_be_signed = public.to_be_signed(CTX, &Sha512::digest(b"message").into()).unwrap();
    assert_eq!(to_be_signed.verifying_key(), public);
    let ml_dsa = a.ml_dsa_87.key_pair(halves.post_quantum.secret_bytes()).unwrap().signer;
    let ecdsa = b.ecdsa_p384.key_pair(halves.traditional.secret_bytes()).unwrap().signer;
    let first = ml_dsa.sign(to_be_signed.ml_dsa_context(), to_be_signed.message());
    let second = ecdsa.sign(b"", to_be_signed.message());
    to_be_signed.join(first, second.map(EcdsaSignature::Fixed)).unwrap()
}

/// An authority whose key is split signs a certificate, and is the trust anchor.
#[cfg(feature = "x509")]
#[test]
fn certificates() {
    use twinseal::x509::{Name, TrustAnchors};

    use crate::common::certificates::{NAME, authority, issued, now};

    let split = split_signer(PROVIDERS[0], PROVIDERS[PROVIDERS.len() - 1]);
    let authority = authority(&split);
    let signer = signing_key(2);
    let certificate = issued(&authority, &split, signer.verifying_key());
    let anchors = TrustAnchors::new([authority]).unwrap();
    let found = anchors.verifying_key(&[certificate], &Name::Dns(NAME.into()), now()).unwrap();
    assert_eq!(&found, signer.verifying_key());
}

/// Halves out of a whole key, and what they are made of again, on all providers.
#[test]
fn round_trips_and_lengths() {
    for provider in *PROVIDERS {
        for (suite, traditional, lengths) in
            [(X25519, "X25519", [32, 32, 32]), (P384, "P-384", [97, 97, 48])]
        {
            let [public_length, ciphertext_length, private_length] = lengths;
            let key = kem_key(suite, 1).on(provider).unwrap();
            let public = key.encapsulation_key().clone();
            let Halves { post_quantum, traditional: other } = public.halves();
            assert_eq!((post_quantum.len(), other.len()), (1568, public_length));
            let again = EncapsulationKey::from_halves(suite, post_quantum, other).unwrap();
            assert_eq!((&again, again.as_bytes()), (&public, public.as_bytes()));

            let (ciphertext, secret) = public.encapsulate().unwrap();
            let sent = ciphertext.halves();
            assert_eq!(
                (sent.post_quantum.len(), sent.traditional.len()),
                (1568, ciphertext_length)
            );
            assert_eq!([sent.post_quantum, sent.traditional].concat(), ciphertext.as_bytes());

            let halves = key.into_halves().unwrap();
            assert_eq!(halves.post_quantum.half(), Half::PostQuantum);
            assert_eq!(halves.traditional.half(), Half::Traditional);
            assert_eq!(halves.post_quantum.algorithm(), "ML-KEM-1024");
            assert_eq!(halves.traditional.algorithm(), traditional);
            assert_eq!(halves.post_quantum.secret_bytes().len(), 64);
            assert_eq!(halves.traditional.secret_bytes().len(), private_length);
            let split = SplitDecapsulationKey::new(
                public,
                halves.post_quantum.into(),
                halves.traditional.into(),
            );
            split.check().unwrap();
            assert_eq!(split.decapsulate(&ciphertext).unwrap().as_bytes(), secret.as_bytes());
        }

        let key = signing_key(1).on(provider).unwrap();
        let public = key.verifying_key().clone();
        let Halves { post_quantum, traditional } = public.halves();
        assert_eq!((post_quantum.len(), traditional.len()), (2592, 97));
        let again = VerifyingKey::from_halves(COMPOSITE, post_quantum, traditional).unwrap();
        assert_eq!((&again, again.as_bytes()), (&public, public.as_bytes()));
        let halves = key.into_halves().unwrap();
        assert_eq!(halves.post_quantum.half(), Half::PostQuantum);
        assert_eq!(halves.traditional.half(), Half::Traditional);
        assert_eq!(halves.post_quantum.algorithm(), "ML-DSA-87");
        assert_eq!(halves.traditional.algorithm(), "ECDSA-P384");
        assert_eq!(halves.post_quantum.secret_bytes(), &[1; 32]);
        assert_eq!(halves.traditional.secret_bytes(), &[1; 48]);
        let split =
            SplitSigningKey::new(public, halves.post_quantum.into(), halves.traditional.into());
        split.check().unwrap();
    }
}

/// The key of a file has no seed, and splits as the one that it was written from.
#[test]
fn a_key_without_a_seed_has_the_same_halves() {
    let file = kem_key(P384, 1).to_pkcs8_der().unwrap();
    let read = twinseal::DecapsulationKey::from_pkcs8_der(file.as_bytes()).unwrap();
    assert_eq!(read.seed(), None);
    let halves = read.into_halves().unwrap();
    let expected = kem_seeds(P384, 1);
    assert_eq!(halves.post_quantum.secret_bytes(), expected.post_quantum);
    assert_eq!(halves.traditional.secret_bytes(), expected.traditional);
}

/// Each rule of each half is kept, and the error says of which half.
#[test]
fn public_halves_that_are_none() {
    let of = |suite, pq: &[u8], t: &[u8]| outcome(EncapsulationKey::from_halves(suite, pq, t));
    for &suite in KemSuite::ALL {
        let public = kem_key(suite, 1).encapsulation_key().clone();
        let Halves { post_quantum, traditional } = public.halves();
        let name = if suite == X25519 { "X25519" } else { "P-384" };
        let right = traditional.len();
        assert_eq!(of(suite, &post_quantum[1..], traditional), length("ML-KEM-1024", 1568, 1567));
        assert_eq!(of(suite, post_quantum, &traditional[1..]), length(name, right, right - 1));
        assert_eq!(of(suite, traditional, post_quantum), length("ML-KEM-1024", 1568, right));
        let moved = [post_quantum, &traditional[..1]].concat();
        assert_eq!(of(suite, &moved, &traditional[1..]), length("ML-KEM-1024", 1568, 1569));
        assert!(of(suite, &[0xff; 1568], traditional).contains("not below 3329"));
        let zeros = vec![0; right];
        assert!(of(suite, post_quantum, &zeros).starts_with("Invalid"));
    }
    let of = |pq: &[u8], t: &[u8]| outcome(VerifyingKey::from_halves(COMPOSITE, pq, t));
    let public = signing_key(1).verifying_key().clone();
    let Halves { post_quantum, traditional } = public.halves();
    let name = "post-quantum verifying key";
    assert_eq!(of(&post_quantum[1..], traditional), length(name, 2592, 2591));
    assert_eq!(of(post_quantum, &traditional[1..]), length("P-384 point", 97, 96));
    assert_eq!(of(traditional, post_quantum), length(name, 2592, 97));
    assert!(of(post_quantum, &[4; 97]).contains("not on the curve"));
}

fn half_of(error: &Error) -> Option<Half> {
    let Error::External(failure) = error else { panic!("{error:?}") };
    failure.half()
}

/// A half of another key, of another algorithm, or in the other's place.
#[test]
fn check_names_the_wrong_half() {
    type Wrong = (Box<dyn Decapsulator>, Box<dyn Decapsulator>, Half);
    for &suite in KemSuite::ALL {
        let public = kem_key(suite, 1).encapsulation_key().clone();
        let half = |suite, number, half| -> Box<dyn Decapsulator> {
            let halves = kem_key(suite, number).into_halves().unwrap();
            match half {
                Half::PostQuantum => halves.post_quantum.into(),
                Half::Traditional => halves.traditional.into(),
            }
        };
        let (first, second) = (Half::PostQuantum, Half::Traditional);
        let other_suite = if suite == X25519 { P384 } else { X25519 };
        let table: [Wrong; 7] = [
            (half(suite, 2, first), half(suite, 1, second), first),
            (half(suite, 1, first), half(suite, 2, second), second),
            (half(suite, 2, first), half(suite, 2, second), first),
            (half(suite, 1, second), half(suite, 1, first), first),
            (half(suite, 1, second), half(suite, 1, second), first),
            (half(suite, 1, first), half(suite, 1, first), second),
            (half(suite, 1, first), half(other_suite, 1, second), second),
        ];
        for (row, (pq, t, wrong)) in table.into_iter().enumerate() {
            let key = SplitDecapsulationKey::new(public.clone(), pq, t);
            let error = key.check().unwrap_err();
            assert_eq!(half_of(&error), Some(wrong), "row {row}: {}", chain(&error));
        }
        // One that was not checked opens nothing, and does not say why.
        let key = SplitDecapsulationKey::new(
            public.clone(),
            half(suite, 2, first),
            half(suite, 1, second),
        );
        let sealed = public.seal(CTX, b"hello").unwrap();
        assert_eq!(outcome(key.open(CTX, &sealed)), "Open");
    }
}

#[test]
fn check_names_the_wrong_half_of_a_signing_key() {
    type Wrong = (Box<dyn SchemeSigner>, Box<dyn SchemeSigner>, Half);
    let public = signing_key(1).verifying_key().clone();
    let half = |number, half| -> Box<dyn SchemeSigner> {
        let halves = signing_key(number).into_halves().unwrap();
        match half {
            Half::PostQuantum => halves.post_quantum.into(),
            Half::Traditional => halves.traditional.into(),
        }
    };
    let (first, second) = (Half::PostQuantum, Half::Traditional);
    let table: [Wrong; 6] = [
        (half(2, first), half(1, second), first),
        (half(1, first), half(2, second), second),
        (half(2, first), half(2, second), first),
        (half(1, second), half(1, first), first),
        (half(1, second), half(1, second), first),
        (half(1, first), half(1, first), second),
    ];
    for (row, (pq, t, wrong)) in table.into_iter().enumerate() {
        let key = SplitSigningKey::new(public.clone(), pq, t);
        for error in [key.check().unwrap_err(), key.sign(CTX, b"message").unwrap_err()] {
            assert_eq!(half_of(&error), Some(wrong), "row {row}: {}", chain(&error));
        }
    }
}

/// The experimental suite has no split keys.
#[cfg(feature = "experimental-falcon")]
#[test]
fn the_experimental_suite() {
    use twinseal::SignatureSuite;

    let suite = *SignatureSuite::ALL.iter().find(|suite| **suite != COMPOSITE).unwrap();
    let key = twinseal::SigningKey::generate_for(suite).unwrap();
    let public = key.verifying_key().clone();
    assert!(outcome(public.to_be_signed(CTX, &[0; 64])).starts_with("Unsupported"));
    assert!(outcome(key.into_halves()).starts_with("Unsupported"));
    let halves = signing_key(1).into_halves().unwrap();
    let key = SplitSigningKey::new(public, halves.post_quantum.into(), halves.traditional.into());
    assert!(outcome(key.check()).starts_with("Unsupported"));
    let error = key.sign(CTX, b"message").unwrap_err();
    assert_eq!(half_of(&error), None, "no half was asked");
}
