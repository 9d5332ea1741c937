//! What does the caller of a split signing key learn when one of its halves fails, or both, and does half a signature
//! ever leave?

use std::{
    panic::{self, AssertUnwindSafe},
    thread,
    time::Duration,
};

use p384::ecdsa;
use sha2::{Digest, Sha512};
use twinseal::{
    Error, Sign, Signature,
    provider::SchemeSigner,
    sign::{EcdsaSignature, ToBeSigned, WithoutContext},
    signature::Signer,
    split::Half,
};

use super::fixture::{
    DISLIKE, Locked, RIGHT_SIGNER, SignCase, SignPlan, assert_holds_nothing, assert_of_half, panics,
};
use crate::common::{
    der::tlv,
    errors::{chain, outcome},
    keys::{COMPOSITE, CTX, X25519, kem_key, signing_key},
};

/// None if a half is right, else how the cause starts.
type Fate = Option<&'static str>;

/// The order of the group of P-384, n.
const ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// What both halves can do.
const PLANS: [(&str, SignPlan, Fate); 14] = [
    ("is right", RIGHT_SIGNER, None),
    ("is late", late, None),
    ("fails", |_, _, _| Err(Error::external(Locked(4))), Some("slot 4 is locked")),
    ("signs, and fails", and_fails, Some("slot 4 is locked")),
    ("says Open", |_, _, _| Err(Error::Open), Some("opening failed")),
    ("says Verify", |_, _, _| Err(Error::Verify), Some("verification failed")),
    ("has no randomness", |_, _, _| Err(Error::Randomness), Some("the source of randomness")),
    ("dislikes it", |_, _, _| Err(DISLIKE), Some("invalid ciphertext: I dislike it")),
    ("signs, and panics", and_panics, Some("it panicked")),
    ("panics with a number", |_, _, _| panics(7_u8), Some("it panicked")),
    ("signs another message", |half, ctx, _| half.sign(ctx, b"another"), WRONG),
    ("signs in part", |half, ctx, message| half.sign(ctx, &message[1..]), WRONG),
    ("answers nothing", |_, _, _| Ok(Vec::new()), Some("")),
    (
        "answers too much",
        |half, ctx, message| Ok([half.sign(ctx, message)?, vec![0]].concat()),
        Some(""),
    ),
];

const WRONG: Fate = Some("its signature does not verify");
const ML_DSA_LENGTH: Fate = Some("ML-DSA-87 signature must be 4627 bytes long, not ");
const ECDSA_LENGTH: Fate = Some("ECDSA signature must be 96 bytes long, not ");
const RANGE: Fate = Some("invalid ECDSA signature: r or s is not from 1 to n - 1");

/// What only ML-DSA's can do.
const ML_DSA: [(&str, SignPlan, Fate); 6] = [
    ("has another context", |half, _, message| half.sign(CTX, message), WRONG),
    ("has no context", |half, _, message| half.sign(b"", message), WRONG),
    ("answers wrong bytes", |_, _, _| Ok(vec![0x5a; 4627]), WRONG),
    ("is another key", |_, ctx, message| other(Half::PostQuantum, ctx, message), WRONG),
    (
        "is too short",
        |half, ctx, message| Ok(half.sign(ctx, message)?[1..].to_vec()),
        ML_DSA_LENGTH,
    ),
    ("is ECDSA", |_, _, message| other(Half::Traditional, b"", message), ML_DSA_LENGTH),
];

/// What only ECDSA's can do.
const ECDSA: [(&str, SignPlan, Fate); 11] = [
    ("is another key", |_, ctx, message| other(Half::Traditional, ctx, message), WRONG),
    ("is too short", |half, ctx, message| Ok(half.sign(ctx, message)?[1..].to_vec()), ECDSA_LENGTH),
    ("is ML-DSA", |_, ctx, message| other(Half::PostQuantum, ctx, message), ECDSA_LENGTH),
    ("answers wrong bytes", |_, _, _| Ok(vec![0x5a; 96]), WRONG),
    ("has r = 0", |half, ctx, message| with(half, ctx, message, 0, &[0; 48]), RANGE),
    ("has s = 0", |half, ctx, message| with(half, ctx, message, 48, &[0; 48]), RANGE),
    ("has r = n", |half, ctx, message| with(half, ctx, message, 0, &ORDER), RANGE),
    ("has s = n", |half, ctx, message| with(half, ctx, message, 48, &ORDER), RANGE),
    ("has s = 2^384 - 1", |half, ctx, message| with(half, ctx, message, 48, &[0xff; 48]), RANGE),
    ("has r and s exchanged", |half, ctx, message| exchanged(half, ctx, message), WRONG),
    ("answers DER", |half, ctx, message| Ok(der(&half.sign(ctx, message)?)), ECDSA_LENGTH),
];

fn late(half: &dyn SchemeSigner, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    thread::sleep(Duration::from_millis(10));
    half.sign(context, message)
}

fn and_fails(half: &dyn SchemeSigner, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    half.sign(context, message)?;
    Err(Error::external(Locked(4)))
}

fn and_panics(half: &dyn SchemeSigner, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    half.sign(context, message)?;
    panics("as planned")
}

/// The signature of another key's half.
fn other(half: Half, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    let halves = signing_key(2).into_halves()?;
    match half {
        Half::PostQuantum => Box::<dyn SchemeSigner>::from(halves.post_quantum),
        Half::Traditional => Box::<dyn SchemeSigner>::from(halves.traditional),
    }
    .sign(context, message)
}

/// A signature with another r (at 0) or s (at 48).
fn with(
    half: &dyn SchemeSigner,
    context: &[u8],
    message: &[u8],
    at: usize,
    value: &[u8; 48],
) -> Result<Vec<u8>, Error> {
    let mut signature = half.sign(context, message)?;
    signature[at..at + 48].copy_from_slice(value);
    Ok(signature)
}

fn exchanged(half: &dyn SchemeSigner, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    let mut signature = half.sign(context, message)?;
    signature.rotate_left(48);
    Ok(signature)
}

fn der(fixed: &[u8]) -> Vec<u8> {
    ecdsa::Signature::from_slice(fixed).unwrap().to_der().as_bytes().to_vec()
}

/// The first failure, and of which half it is: one that is malformed comes before one that does not verify.
fn failure([first, second]: [Fate; 2]) -> Option<(Half, &'static str)> {
    let all = [(Half::PostQuantum, first), (Half::Traditional, second)];
    let failed = |is_wrong: bool| {
        let fitting = all.iter().find(|(_, fate)| fate.is_some() && (*fate == WRONG) == is_wrong);
        fitting.map(|(half, fate)| (*half, fate.unwrap_or_default()))
    };
    failed(false).or_else(|| failed(true))
}

/// Both halves are asked in each case, the caller gets a signature that verifies or the first failure, and nothing of
/// what the other half said.
#[test]
fn each_fault_of_each_half_and_of_both() {
    let case = SignCase::new();
    let to_be_signed = case.public.to_be_signed(CTX, &Sha512::digest(b"message").into()).unwrap();
    for (first, plan_pq, fate_pq) in PLANS.iter().chain(&ML_DSA) {
        for (second, plan_t, fate_t) in PLANS.iter().chain(&ECDSA) {
            let what = format!("the first {first}, the second {second}");
            let (key, witness) = case.split([*plan_pq, *plan_t]);
            let signed = key.sign(CTX, b"message");
            let seen = witness.saw_both();
            assert!(seen.iter().all(|asked| asked.input == to_be_signed.message()), "{what}");
            let apart = signed_apart(&case, &to_be_signed, [*plan_pq, *plan_t]);
            for signed in [signed, apart] {
                match (failure([*fate_pq, *fate_t]), signed) {
                    (None, Ok(signature)) => {
                        case.public.verify(CTX, b"message", &signature).unwrap();
                    }
                    (Some((half, cause)), Err(error)) => assert_of_half(&error, half, cause, &seen),
                    (_, signed) => panic!("{what}: {signed:?}"),
                }
            }
        }
    }
}

/// The same in two steps, where the halves are asked by the caller, who catches their panics.
fn signed_apart(
    case: &SignCase,
    to_be_signed: &ToBeSigned,
    plans: [SignPlan; 2],
) -> Result<Signature, Error> {
    let ask = |half: &dyn SchemeSigner, plan: SignPlan, context: &[u8]| {
        panic::catch_unwind(AssertUnwindSafe(|| plan(half, context, to_be_signed.message())))
            .unwrap_or_else(|_| Err(Error::external("it panicked")))
    };
    let ml_dsa = ask(&*case.right.post_quantum, plans[0], to_be_signed.ml_dsa_context());
    let ecdsa = ask(&*case.right.traditional, plans[1], b"");
    to_be_signed.join(ml_dsa, ecdsa.map(EcdsaSignature::Fixed))
}

/// Through everything that signs, a failure is one of the half, and nothing is made.
#[test]
fn nothing_is_made_without_both() {
    let case = SignCase::new();
    let bob = kem_key(X25519, 1);
    let wrong: SignPlan = |half, context, _| half.sign(context, b"another");
    for (plans, half) in
        [([wrong, RIGHT_SIGNER], Half::PostQuantum), ([RIGHT_SIGNER, wrong], Half::Traditional)]
    {
        let (key, witness) = case.split(plans);
        let to_bob = bob.encapsulation_key().signed_by(&key);
        let inside = |error: std::io::Error| Error::inside(&error).unwrap().clone();
        let errors = [
            key.sign(CTX, b"message").unwrap_err(),
            key.sign_prehashed(CTX, &[7; 64]).unwrap_err(),
            inside(key.sign_reader(CTX, &mut &b"message"[..]).unwrap_err()),
            to_bob.sender(CTX).unwrap_err(),
            to_bob.request(CTX, b"question").unwrap_err(),
            inside(to_bob.request_writer(CTX, Vec::new()).unwrap_err()),
            key.check().unwrap_err(),
        ];
        for error in &errors {
            assert_of_half(error, half, "its signature does not verify", &[]);
        }
        let seen = witness.taken();
        assert_eq!(seen.len(), 2 * errors.len(), "both halves, once for each");
        errors.iter().for_each(|error| assert_holds_nothing(error, &seen));

        let error = WithoutContext::of(&key).try_sign(b"message").unwrap_err();
        let text = chain(&error);
        assert!(text.contains(&format!("the {half} of the external key failed")), "{text}");
    }
}

/// What is refused before the halves are asked.
#[test]
fn contexts() {
    let (key, witness) = SignCase::new().split([RIGHT_SIGNER; 2]);
    for context in [&b""[..], b"twinseal/x", &[b'x'; 256]] {
        assert!(outcome(key.sign(context, b"message")).starts_with("Context"));
    }
    assert!(outcome(key.sign_prehashed(&[b'x'; 256], &[0; 64])).starts_with("Context"));
    assert_eq!(witness.taken().len(), 0);
}

/// A signature in DER with these integers' contents.
fn der_of(r: &[u8], s: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x02, &[r]), &tlv(0x02, &[s])])
}

/// In two steps, ECDSA comes in the encoding that the caller names, and in no other; what is no strict DER is refused.
#[test]
fn encodings_of_ecdsa() {
    let case = SignCase::new();
    let to_be_signed = case.public.to_be_signed(CTX, &Sha512::digest(b"message").into()).unwrap();
    let message = to_be_signed.message();
    let ml_dsa = case.right.post_quantum.sign(to_be_signed.ml_dsa_context(), message).unwrap();
    let join = |ecdsa: EcdsaSignature| to_be_signed.join(Ok(&ml_dsa), Ok(ecdsa));

    // r and s without a leading zero, so that each has another non-minimal form.
    let fixed = std::iter::repeat_with(|| case.right.traditional.sign(b"", message).unwrap())
        .take(10_000)
        .find(|fixed| (1..0x80).contains(&fixed[0]) && (1..0x80).contains(&fixed[48]))
        .expect("one in four is so");
    let (r, s) = fixed.split_at(48);
    let der = der(&fixed);
    assert_eq!(der, der_of(r, s));
    for right in [EcdsaSignature::Der(der.clone()), EcdsaSignature::Fixed(fixed.clone())] {
        let signature = join(right.clone()).unwrap();
        assert_eq!(signature.as_bytes(), [&ml_dsa[..], &der].concat());
        case.public.verify(CTX, b"message", &signature).unwrap();
        let text = format!("{right:?}");
        assert!(text.ends_with(" bytes)"), "{text}");
    }

    let longer = |integer: &[u8]| [&[0], integer].concat();
    let negative = |integer: &[u8]| [&[integer[0] | 0x80], &integer[1..]].concat();
    let long_form = [&[0x30, 0x81], &der[1..]].concat();
    let indefinite = [&[0x30, 0x80], &der[2..], &[0, 0]].concat();
    let no_der = "invalid ECDSA signature: it is not the DER form of two integers from 1 to n - 1";
    let length = "ECDSA signature must be 96 bytes long, not ";
    let cases = [
        ("r || s as DER", EcdsaSignature::Der(fixed.clone()), no_der),
        ("DER as r || s", EcdsaSignature::Fixed(der.clone()), length),
        ("nothing as DER", EcdsaSignature::Der(vec![]), no_der),
        ("nothing as r || s", EcdsaSignature::Fixed(vec![]), length),
        ("95 bytes", EcdsaSignature::Fixed(fixed[..95].to_vec()), length),
        ("97 bytes", EcdsaSignature::Fixed([&fixed[..], &[0]].concat()), length),
        ("r is not minimal", EcdsaSignature::Der(der_of(&longer(r), s)), no_der),
        ("s is not minimal", EcdsaSignature::Der(der_of(r, &longer(s))), no_der),
        ("r is negative", EcdsaSignature::Der(der_of(&negative(r), s)), no_der),
        ("s is negative", EcdsaSignature::Der(der_of(r, &negative(s))), no_der),
        ("r = 0 in DER", EcdsaSignature::Der(der_of(&[0], s)), no_der),
        ("s = 0 in DER", EcdsaSignature::Der(der_of(r, &[0])), no_der),
        ("no r", EcdsaSignature::Der(der_of(&[], s)), no_der),
        ("s = n in DER", EcdsaSignature::Der(der_of(r, &longer(&ORDER))), no_der),
        ("s of 49 bytes", EcdsaSignature::Der(der_of(r, &[&[1], s].concat())), no_der),
        ("a length in long form", EcdsaSignature::Der(long_form), no_der),
        ("an indefinite length", EcdsaSignature::Der(indefinite), no_der),
        ("a byte after it", EcdsaSignature::Der([&der[..], &[0]].concat()), no_der),
        ("cut off", EcdsaSignature::Der(der[..der.len() - 1].to_vec()), no_der),
        ("a byte in it", EcdsaSignature::Der(tlv(0x30, &[&der[2..], &[0]])), no_der),
        ("three integers", EcdsaSignature::Der(tlv(0x30, &[&der[2..], &[2, 1, 1]])), no_der),
        ("a bit string", EcdsaSignature::Der(tlv(0x03, &[&[0], &der])), no_der),
        ("another signature", EcdsaSignature::Der(der_of(s, r)), "its signature does not verify"),
    ];
    for (what, ecdsa, cause) in cases {
        let text = format!("{ecdsa:?}");
        let (EcdsaSignature::Der(bytes) | EcdsaSignature::Fixed(bytes)) = ecdsa.clone();
        let answer = [&ml_dsa, &bytes].map(|answer| super::fixture::Asked {
            half: Half::Traditional,
            input: Vec::new(),
            answer: answer.clone(),
        });
        let error = join(ecdsa.clone()).unwrap_err();
        assert_of_half(&error, Half::Traditional, cause, &answer);
        assert!(!text.contains(", "), "{what}: {text}");
        // A malformed first half is named first.
        let error = to_be_signed.join(Ok(&ml_dsa[1..]), Ok(ecdsa)).unwrap_err();
        assert_of_half(&error, Half::PostQuantum, ML_DSA_LENGTH.unwrap(), &answer);
    }
}

/// Anyone can make another signature of ECDSA's: r || n - s verifies too, and is not refused.
#[test]
fn the_other_s_is_right_too() {
    let case = SignCase::new();
    let negated: SignPlan = |half, context, message| {
        let signature = ecdsa::Signature::from_slice(&half.sign(context, message)?).unwrap();
        let (r, s) = signature.split_scalars();
        Ok(ecdsa::Signature::from_scalars(r, -s).unwrap().to_bytes().to_vec())
    };
    let (key, _) = case.split([RIGHT_SIGNER, negated]);
    let signature = key.sign(CTX, b"message").unwrap();
    case.public.verify(CTX, b"message", &signature).unwrap();
    assert_eq!(signature.suite(), COMPOSITE);
}
