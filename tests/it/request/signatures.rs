//! Is a request bound to its signature, and to what that is over, whichever way the signature travels?

use p384::ecdsa::Signature as Ecdsa;
use twinseal::{
    Error,
    request::{AllowReplays, RequestHead, attach, detach},
};

use super::fixture::{
    ALICE, ANY, BOB, CTX, Field, MALLORY, Once, QUESTION, REPLAYED, accept, accept_signed, judged,
    place, signed, unsigned, with,
};
use crate::common::errors::outcome;

#[test]
fn with_a_swapped_signature() {
    let (mut ours, mut again) = (signed().0, signed().0);
    let mut by_mallory =
        BOB.encapsulation_key().signed_by(&*MALLORY).request(CTX, QUESTION).unwrap().0;
    let own = detach(&mut ours).unwrap();
    let of_another = detach(&mut again).unwrap();
    let of_mallory = detach(&mut by_mallory).unwrap();
    // One half of this request, and one of another.
    let mixed = [&own[..4627], &of_another[4627..]].concat();
    let mixed_too = [&of_another[..4627], &own[4627..]].concat();
    // Alice signs the same bytes, but elsewhere.
    let elsewhere = ALICE.sign(CTX, &ours).unwrap().as_bytes().to_vec();
    for other in [of_another, of_mallory, mixed, mixed_too, elsewhere] {
        let mut swapped = ours.clone();
        attach(&mut swapped, &other).unwrap();
        assert_eq!(judged(&BOB, &swapped, true).unwrap_err(), Error::Verify);
    }
}

/// Anyone can make ECDSA's half another valid one: the request is still the same one to a guard.
#[test]
fn with_the_other_valid_signature() {
    let request = signed().0;
    let mut mirrored = request.clone();
    let signature = detach(&mut mirrored).unwrap();
    let (ml_dsa, der) = signature.split_at(4627);
    let (r, s) = Ecdsa::from_der(der).unwrap().split_scalars();
    let other = Ecdsa::from_scalars(*r, s.neg()).unwrap();
    attach(&mut mirrored, &[ml_dsa, other.to_der().as_bytes()].concat()).unwrap();
    assert!(mirrored != request);
    let id = |request: &[u8]| RequestHead::parse(request).unwrap().id();
    assert_eq!(id(&mirrored), id(&request));

    let from_alice = BOB.accepting(ALICE.verifying_key());
    for [first, second] in [[&request, &mirrored], [&mirrored, &request]] {
        let guard = Once::default();
        from_alice.accept(CTX, first, &guard).unwrap();
        assert_eq!(from_alice.accept(CTX, second, &guard).unwrap_err(), REPLAYED);
        // Without a guard it is let in as often as it comes.
        from_alice.accept(CTX, second, &AllowReplays).unwrap();
    }
}

/// Mallory puts his name to a request that he does not know the secret of: he cannot ask it.
#[cfg(feature = "hazmat")]
#[test]
fn adopted_by_another_signer() {
    use twinseal::hazmat;

    let request = unsigned().0;
    let head = RequestHead::parse(&request).unwrap().len();
    let mallory = MALLORY.verifying_key();
    let name = [&mallory.suite().id().to_be_bytes()[..], mallory.key_id().as_bytes()].concat();
    let mut core = [&request[..28], &name, &request[28..head]].concat();
    core[9] = 1;
    let to = BOB.encapsulation_key();
    let message = [&core[..], to.as_bytes(), mallory.as_bytes(), CTX].concat();
    // With the reserved context: only the crate's own protocols ask for it, but Mallory may.
    let on_portable = crate::common::keys::signing_key(0x3a).on(&twinseal::provider::PORTABLE);
    let signature = hazmat::sign(&on_portable.unwrap(), b"twinseal/request/v1", &message).unwrap();
    let length = u16::try_from(signature.as_bytes().len()).unwrap().to_be_bytes();
    let adopted = [&core[..], &length, signature.as_bytes(), &request[head..]].concat();
    let from_mallory = BOB.accepting(mallory);
    // The signature is right, and the body is of another request.
    let verified = from_mallory.accept_head(CTX, RequestHead::parse(&adopted).unwrap()).unwrap();
    assert_eq!(verified.signer(), Some(mallory.key_id()));
    assert_eq!(outcome(from_mallory.accept(CTX, &adopted, ANY)), "Open");
}

/// What a signature is over: without one of the parts, another signature is needed.
#[cfg(feature = "hazmat")]
#[test]
fn signed_over_too_little() {
    use twinseal::hazmat;

    let alice = crate::common::keys::signing_key(0xa1).on(&twinseal::provider::PORTABLE).unwrap();
    let mut request = signed().0;
    detach(&mut request).unwrap();
    let core = &request[..RequestHead::parse(&request).unwrap().len() - 2];
    let (ek, vk) = (BOB.encapsulation_key().as_bytes(), alice.verifying_key().as_bytes());
    let reserved = b"twinseal/request/v1";
    for (context, parts, is_right) in [
        (&reserved[..], &[core, ek, vk, CTX][..], true),
        (reserved, &[core, ek, CTX], false),
        (reserved, &[core, vk, CTX], false),
        (reserved, &[core, ek, vk], false),
        (reserved, &[core, vk, ek, CTX], false),
        (b"twinseal/session/v1", &[core, ek, vk, CTX], false),
    ] {
        let signature = hazmat::sign(&alice, context, &parts.concat()).unwrap();
        let mut request = request.clone();
        attach(&mut request, signature.as_bytes()).unwrap();
        assert_eq!(outcome(accept_signed(&request)), if is_right { "Ok" } else { "Verify" });
    }
}

/// The head of a hello, with its signature, in the form of a request's: the signature is in another
/// context.
#[test]
fn a_hello_in_the_form_of_a_request() {
    let to = BOB.encapsulation_key();
    let (hello, _) = to.signed_by(&*ALICE).sender(CTX).unwrap();
    let mut request = signed().0;
    detach(&mut request).unwrap();
    attach(&mut request, &hello[50 + 1600..]).unwrap();
    let ciphertext = place(&request, Field::Ciphertext);
    let request = with(&request, ciphertext, &hello[50..50 + 1600]);
    assert_eq!(judged(&BOB, &request, true).unwrap_err(), Error::Verify);
}

#[test]
fn a_signature_travels_beside_the_request() {
    let (request, pending) = signed();
    let mut detached = request.clone();
    let signature = detach(&mut detached).unwrap();
    assert_eq!(detached.len() + signature.len(), request.len());
    assert_eq!(outcome(accept_signed(&detached)), "Unsigned");
    assert_eq!(outcome(accept(&detached)), "Signed");
    assert_eq!(RequestHead::parse(&detached).unwrap().id(), pending.id());
    assert_eq!(outcome(detach(&mut detached)), "Unsigned");

    let mut whole = detached.clone();
    attach(&mut whole, &signature).unwrap();
    assert!(whole == request);
    assert!(matches!(attach(&mut whole, &signature), Err(Error::Misuse { what: "signature", .. })));
    assert!(whole == request, "what fails changes nothing");
    for bad in [&b""[..], &signature[1..], &[0; 5000]] {
        let before = detached.clone();
        let refused = attach(&mut detached, bad);
        assert!(matches!(refused, Err(Error::Truncated { .. } | Error::Invalid { .. })));
        assert!(detached == before);
    }

    let (mut unsigned, _) = unsigned();
    assert_eq!(outcome(attach(&mut unsigned, &signature)), "Signed");
    assert_eq!(outcome(detach(&mut unsigned)), "Unsigned");

    // The head alone, while the body is still on its way.
    let mut head = RequestHead::parse(&detached).unwrap();
    head.attach(&signature).unwrap();
    let body = &detached[RequestHead::parse(&detached).unwrap().len()..];
    let from_alice = BOB.accepting(ALICE.verifying_key());
    let (opened, _) = from_alice.accept_head(CTX, head).unwrap().open(body, ANY).unwrap();
    assert_eq!(&opened[..], QUESTION);
}
