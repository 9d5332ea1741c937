//! Is it true that keys with a half in common must not exist? The attack of SECURITY.md, "Split keys".

use twinseal::{
    Error, Sign, Signature, SignatureSuite, SigningKey, VerifyingKey, provider::PORTABLE,
    sign::EcdsaSignature, split::SplitSigningKey,
};

const CONTEXT: &[u8] = b"example.com/releases";
const SHA512: [u8; 64] = [7; 64];

/// The attacker has broken ECDSA, and has A's scalar. A's ML-DSA half is also B's.
#[test]
fn whoever_breaks_one_half_signs_with_the_half_that_another_key_shares() {
    let [a, b] = [(); 2].map(|()| SigningKey::generate().unwrap().into_halves().unwrap());
    let public = |ml_dsa: &[u8], scalar: &[u8]| {
        let ml_dsa = PORTABLE.ml_dsa_87.key_pair(ml_dsa).unwrap().verifying_key;
        let ecdsa = PORTABLE.ecdsa_p384.key_pair(scalar).unwrap().verifying_key;
        let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
        VerifyingKey::from_halves(suite, &ml_dsa, &ecdsa).unwrap()
    };
    let shared = a.post_quantum.secret_bytes();
    let public_a = public(shared, a.traditional.secret_bytes());
    let public_b = public(shared, b.traditional.secret_bytes());
    let stolen = PORTABLE.ecdsa_p384.key_pair(a.traditional.secret_bytes()).unwrap().signer;
    let b = SplitSigningKey::new(public_b, a.post_quantum.into(), b.traditional.into());

    let signed_by_b = b.sign_prehashed(CONTEXT, &SHA512).unwrap();
    let forge = |victim: &VerifyingKey, seen: &Signature| {
        let to_be_signed = victim.to_be_signed(CONTEXT, &SHA512).unwrap();
        let ecdsa = stolen.sign(b"", to_be_signed.message()).map(EcdsaSignature::Fixed);
        to_be_signed.join(Ok(&seen.as_bytes()[..4627]), ecdsa)
    };
    let forged = forge(&public_a, &signed_by_b).unwrap();
    assert_eq!(forged.as_bytes()[..4627], signed_by_b.as_bytes()[..4627]);

    // Without the shared half, the stolen one is not enough.
    let stranger = SigningKey::generate().unwrap();
    let seen = Sign::sign_prehashed(&stranger, CONTEXT, &SHA512).unwrap();
    assert!(matches!(forge(&public_a, &seen), Err(Error::External(_))));
}
