//! Is a request refused, with the right error, that was cut off, changed, or put together from two?
//!
//! The normal run takes every bit of short fields and some of long ones;
//! `cargo test --all-features --test it request:: -- --ignored` takes every bit.

use std::io::{ErrorKind, Read};

use p384::ecdsa::Signature as Ecdsa;
use twinseal::{
    DecapsulationKey, Error, VerifyingKeyring,
    request::{AllowReplays, RequestHead, attach, detach},
};

use super::fixture::{
    ALICE, ANY, Accepted, BOB, BOB_P384, CAROL, CTX, Field, MALLORY, OTHER, Once, PREFIX, QUESTION,
    REPLAYED, accept, accept_signed, fields, flipped, place, plaintext, signed, unsigned, with,
};
use crate::common::errors::{outcome, truncated};

/// Accepts in memory and with a reader, which must agree.
fn judged(bob: &DecapsulationKey, request: &[u8], signed: bool) -> Accepted {
    let alice = ALICE.verifying_key();
    let (whole, reader) = if signed {
        let from_alice = bob.accepting(alice);
        (from_alice.accept(CTX, request, ANY), from_alice.accept_reader(CTX, request, ANY))
    } else {
        (bob.accept(CTX, request, ANY), bob.accept_reader(CTX, request, ANY))
    };
    let read = reader.and_then(|mut reader| {
        let mut plaintext = Vec::new();
        reader.read_to_end(&mut plaintext)?;
        reader.finish()?;
        Ok(plaintext)
    });
    match (&whole, &read) {
        (Ok((whole, _)), Ok(read)) => assert!(whole[..] == read[..]),
        (Err(error), Err(read)) => {
            assert_eq!(read.kind(), ErrorKind::InvalidData);
            assert_eq!(Error::inside(read), Some(error));
        }
        _ => panic!("{whole:?}, but {read:?}"),
    }
    whole
}

/// Whether the error is one that a change of this field may end in.
fn is_right(field: Field, error: &Error, signed: bool) -> bool {
    let unauthentic = if signed { Error::Verify } else { Error::Open };
    match (field, error) {
        (Field::Magic, Error::Invalid { what: "request", reason }) => {
            *reason == "it does not start with \"twinrqst\""
        }
        (Field::Version, Error::Unknown { what: "request version", .. })
        | (Field::Flags, Error::Unknown { what: "request flags", .. })
        | (Field::Suite, Error::Unknown { what: "KEM suite", .. })
        | (Field::SignatureSuite, Error::Unknown { what: "signature suite", .. })
        | (Field::Recipient, Error::NotARecipient)
        | (Field::Ciphertext, Error::Invalid { .. })
        | (Field::SignatureLength, Error::Invalid { .. } | Error::Truncated { what: "request", .. })
        // The ends of ECDSA's half are where its DER says.
        | (Field::Ecdsa, Error::Verify | Error::Invalid { .. })
        | (Field::Time, Error::Invalid { reason: "its time is not below 2^53 milliseconds", .. })
        | (Field::Salt | Field::Commitment | Field::Chunks, Error::Open) => true,
        // The fields behind it move: without a signer it is not what was asked for, if its ciphertext is
        // one at all; with one that has two bytes of the time for its suite, it is nothing.
        (Field::Flags, Error::Unsigned | Error::Invalid { .. }) => signed,
        (Field::Flags, Error::Unknown { what: "signature suite", id: 0 }) => !signed,
        (Field::Signer | Field::MlDsa, error) => *error == Error::Verify,
        (Field::Time | Field::Ciphertext, error) => *error == unauthentic,
        _ => false,
    }
}

/// Of fields up to 56 bytes every bit, of others all bits of the ends and some between; or all.
fn bits(request: &[u8], everything: bool) -> Vec<(Field, usize, u8)> {
    let mut bits = Vec::new();
    for (field, place) in fields(request) {
        let stride = place.len() / 24 + 1;
        for position in place.clone() {
            let offset = position - place.start;
            for bit in 0..8 {
                let is_sampled = place.len() <= 56
                    || offset == 0
                    || position == place.end - 1
                    || (offset.is_multiple_of(stride) && offset / stride % 8 == usize::from(bit));
                if everything || is_sampled {
                    bits.push((field, position, bit));
                }
            }
        }
    }
    bits
}

fn assert_bits_refused(everything: bool) {
    for bob in [&*BOB, &*BOB_P384] {
        let to = bob.encapsulation_key();
        let (unsigned, _) = to.request(CTX, QUESTION).unwrap();
        let (signed, _) = to.signed_by(&*ALICE).request(CTX, QUESTION).unwrap();
        for (request, is_signed) in [(unsigned, false), (signed, true)] {
            judged(bob, &request, is_signed).unwrap();
            for (field, position, bit) in bits(&request, everything) {
                let changed = flipped(&request, position, bit);
                let error = judged(bob, &changed, is_signed).unwrap_err();
                let is_right = is_right(field, &error, is_signed);
                assert!(is_right, "{field:?}, bit {bit} of byte {position}: {error:?}");
            }
        }
    }
}

#[test]
fn a_bit() {
    assert_bits_refused(false);
}

#[test]
#[ignore = "takes minutes"]
fn every_bit() {
    assert_bits_refused(true);
}

#[test]
fn cut_off_at_every_byte() {
    for (request, is_signed) in [(unsigned().0, false), (signed().0, true)] {
        let head = RequestHead::parse(&request).unwrap().len();
        for length in 0..request.len() {
            let error = judged(&BOB, &request[..length], is_signed).unwrap_err();
            match error {
                Error::Truncated { what: "request", needed, actual } => {
                    assert!(actual == length && length < needed && needed <= head);
                }
                error => assert!(length >= head && error == Error::Open, "{length}: {error:?}"),
            }
        }
    }
}

/// A head needs at most three reads, and asks for exactly as many bytes as it has.
#[test]
fn a_head_that_arrives_little_by_little() {
    for (request, steps) in [(unsigned().0, 2), (signed().0, 3)] {
        let mut needs = vec![];
        let mut length = 0;
        let head = loop {
            match RequestHead::parse(&request[..length]) {
                Err(Error::Truncated { needed, .. }) => length = needed,
                parsed => break parsed.unwrap(),
            }
            needs.push(length);
        };
        assert_eq!(needs.len(), steps);
        assert_eq!(needs.last(), Some(&head.len()));
        assert!(head.len() <= RequestHead::MAX_LEN);
        assert_eq!(outcome(RequestHead::parse(b"twinr")), truncated("request", 28, 5));
    }
}

#[test]
fn longer_than_it_is() {
    for (request, is_signed) in [(unsigned().0, false), (signed().0, true)] {
        for more in [1, 16, 17, 20_000] {
            let longer = [&request[..], &vec![0; more]].concat();
            assert_eq!(judged(&BOB, &longer, is_signed).unwrap_err(), Error::Open);
        }
        let doubled = [&request[..], &request[..]].concat();
        assert_eq!(judged(&BOB, &doubled, is_signed).unwrap_err(), Error::Open);
    }
}

#[test]
fn numbers_that_are_none_of_its_own() {
    let request = signed().0;
    let changed = |field, bytes: &[u8]| {
        let at = place(&request, field);
        judged(&BOB, &with(&request, at, bytes), true).unwrap_err()
    };
    for version in [0, 2, 255] {
        let expected = Error::Unknown { what: "request version", id: version.into() };
        assert_eq!(changed(Field::Version, &[version]), expected);
    }
    for flags in 2..=255 {
        let expected = Error::Unknown { what: "request flags", id: flags.into() };
        assert_eq!(changed(Field::Flags, &[flags]), expected);
    }
    for id in [0, 3, 0x0102, 0xffff_u16] {
        let expected = Error::Unknown { what: "KEM suite", id };
        assert_eq!(changed(Field::Suite, &id.to_be_bytes()), expected);
    }
    for time in [1 << 53, u64::MAX] {
        let reason = "its time is not below 2^53 milliseconds";
        let expected = Error::Invalid { what: "request", reason };
        assert_eq!(changed(Field::Time, &time.to_be_bytes()), expected);
    }
    assert_eq!(changed(Field::Time, &((1_u64 << 53) - 1).to_be_bytes()), Error::Verify);
    for length in [4732, 6000, u16::MAX] {
        let reason = "its signature is longer than any of its suite";
        let expected = Error::Invalid { what: "request", reason };
        assert_eq!(changed(Field::SignatureLength, &length.to_be_bytes()), expected);
    }
    // The signature is then the start of the body.
    assert_eq!(changed(Field::SignatureLength, &[0, 0]), Error::Unsigned);
    // No more bytes are asked for, because they would not help.
    for length in [1, 4626_u16] {
        let reason = "its signature is shorter than any of its suite";
        let expected = Error::Invalid { what: "request", reason };
        assert_eq!(changed(Field::SignatureLength, &length.to_be_bytes()), expected);
    }
    for length in [4627, 4640_u16] {
        let error = changed(Field::SignatureLength, &length.to_be_bytes());
        assert!(matches!(error, Error::Invalid { what: "ECDSA signature", .. }), "{error:?}");
    }
}

/// Each set of fields of one request is replaced by that of another of the same parties.
#[test]
fn put_together_from_two() {
    let long = plaintext(40_000);
    let to = BOB.encapsulation_key();
    for is_signed in [false, true] {
        let make = || match is_signed {
            true => to.signed_by(&*ALICE).request(CTX, &long).unwrap().0,
            false => to.request(CTX, &long).unwrap().0,
        };
        let ours = make();
        let mut theirs = make();
        // Requests made within one millisecond have the same time.
        while theirs[place(&theirs, Field::Time)] == ours[place(&ours, Field::Time)] {
            theirs = make();
        }
        let unauthentic = if is_signed { Error::Verify } else { Error::Open };
        let part = |request: &[u8], part: usize| -> Vec<u8> {
            let head = RequestHead::parse(request).unwrap().len();
            let (time, ciphertext) = (Field::Time, Field::Ciphertext);
            match part {
                0 => request[..place(request, time).start].to_vec(),
                1 => request[place(request, time)].to_vec(),
                2 => request[place(request, ciphertext)].to_vec(),
                3 => request[place(request, ciphertext).end..head].to_vec(),
                4 => request[head..head + 24].to_vec(),
                5 => request[head + 24..head + PREFIX].to_vec(),
                _ => {
                    let chunks = &request[head + PREFIX..];
                    chunks.chunks(16_400).nth(part - 6).unwrap().to_vec()
                }
            }
        };
        const PARTS: usize = 9;
        let join = |which: usize| -> Vec<u8> {
            let parts = (0..PARTS)
                .map(|index| part(if which >> index & 1 == 0 { &ours } else { &theirs }, index));
            parts.flatten().collect()
        };
        assert!(join(0) == ours && join((1 << PARTS) - 1) == theirs);
        for which in 0..1 << PARTS {
            let mixed = join(which);
            if mixed == ours || mixed == theirs {
                judged(&BOB, &mixed, is_signed).unwrap();
                continue;
            }
            // Of the head: time, ciphertext, signature.
            let of_head = which >> 1 & 0b111;
            let error = judged(&BOB, &mixed, is_signed).unwrap_err();
            match (is_signed, of_head) {
                (true, 0b001..=0b110) => assert_eq!(error, unauthentic),
                _ => assert_eq!(error, Error::Open),
            }
        }
    }
}

#[test]
fn for_somebody_else() {
    for (request, is_signed) in [(unsigned().0, false), (signed().0, true)] {
        // The same person's key of another suite, too.
        for other in [&*CAROL, &*BOB_P384] {
            assert_eq!(judged(other, &request, is_signed).unwrap_err(), Error::NotARecipient);
        }
    }
    // Sent on by Carol as if it were for Bob.
    let bob = BOB.encapsulation_key().key_id();
    let to_carol = CAROL.encapsulation_key();
    let (request, _) = to_carol.request(CTX, QUESTION).unwrap();
    let renamed = with(&request, place(&request, Field::Recipient), bob.as_bytes());
    assert_eq!(judged(&BOB, &renamed, false).unwrap_err(), Error::Open);
    let (request, _) = to_carol.signed_by(&*ALICE).request(CTX, QUESTION).unwrap();
    let renamed = with(&request, place(&request, Field::Recipient), bob.as_bytes());
    assert_eq!(judged(&BOB, &renamed, true).unwrap_err(), Error::Verify);
}

/// Carol sends on what Alice asked her: the body sealed anew for Bob, the head as Alice signed it.
#[test]
fn sent_on_by_its_recipient() {
    let (to_carol, _) =
        CAROL.encapsulation_key().signed_by(&*ALICE).request(CTX, QUESTION).unwrap();
    let by_carol = BOB.encapsulation_key().request(CTX, QUESTION).unwrap().0;
    let start = place(&to_carol, Field::SignatureLength).start;
    let signature = &to_carol[start..RequestHead::parse(&to_carol).unwrap().len()];
    let name = &to_carol[28..46];
    let body = RequestHead::parse(&by_carol).unwrap().len();
    let mut forged = [&by_carol[..28], name, &by_carol[28..body], signature].concat();
    forged[9] = 1;
    forged.extend_from_slice(&by_carol[body..]);
    assert_eq!(judged(&BOB, &forged, true).unwrap_err(), Error::Verify);
}

#[test]
fn by_another_signer() {
    let by_mallory = BOB.encapsulation_key().signed_by(&*MALLORY).request(CTX, QUESTION).unwrap().0;
    let (alice, mallory) = (ALICE.verifying_key(), MALLORY.verifying_key());
    assert_eq!(judged(&BOB, &by_mallory, true).unwrap_err(), Error::Verify);
    // Under Alice's name.
    let renamed = with(&by_mallory, place(&by_mallory, Field::Signer), alice.key_id().as_bytes());
    assert_eq!(judged(&BOB, &renamed, true).unwrap_err(), Error::Verify);
    // Alice's request under Mallory's name, to those who trust Mallory.
    let request = signed().0;
    let renamed = with(&request, place(&request, Field::Signer), mallory.key_id().as_bytes());
    let both = VerifyingKeyring::new([alice, mallory]).unwrap();
    for accepting in [BOB.accepting(mallory), BOB.accepting_any(&both)] {
        assert_eq!(outcome(accepting.accept(CTX, &renamed, ANY)), "Verify");
    }
}

#[test]
fn in_another_context() {
    let from_alice = BOB.accepting(ALICE.verifying_key());
    for other in [OTHER, b"example.com/predict/v", b"example.com/predict/v1\0"] {
        assert_eq!(outcome(BOB.accept(other, &unsigned().0, ANY)), "Open");
        assert_eq!(outcome(from_alice.accept(other, &signed().0, ANY)), "Verify");
    }
}

#[test]
fn no_downgrade_in_either_direction() {
    assert_eq!(judged(&BOB, &unsigned().0, true).unwrap_err(), Error::Unsigned);
    assert_eq!(judged(&BOB, &signed().0, false).unwrap_err(), Error::Signed);
}

/// Its signature, its signer and its flag are removed: who asks for no signer notices, because all
/// of the core is in the keys.
#[test]
fn stripped() {
    let request = signed().0;
    let head = RequestHead::parse(&request).unwrap().len();
    let core = place(&request, Field::Ciphertext).end;
    let mut stripped = [&request[..core], &request[head..]].concat();
    stripped.drain(28..46);
    stripped[9] = 0;
    RequestHead::parse(&stripped).unwrap();
    assert_eq!(judged(&BOB, &stripped, false).unwrap_err(), Error::Open);
    assert_eq!(judged(&BOB, &stripped, true).unwrap_err(), Error::Unsigned);

    // Only the signature: it is missing, never taken for one that is not needed.
    let mut detached = request;
    detach(&mut detached).unwrap();
    assert_eq!(judged(&BOB, &detached, true).unwrap_err(), Error::Unsigned);
    assert_eq!(judged(&BOB, &detached, false).unwrap_err(), Error::Signed);
}

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

/// A hello and an envelope are no request, and a request is neither.
#[test]
fn taken_for_something_else() {
    let to = BOB.encapsulation_key();
    let alice = ALICE.verifying_key();
    let not_a_request =
        Error::Invalid { what: "request", reason: "it does not start with \"twinrqst\"" };
    let (pending, asked) = super::fixture::exchange();
    let (in_pieces, _) = super::fixture::exchange().1.piece_sealer().unwrap();
    let answer = asked.answer(b"a cat").unwrap();
    for other in [
        to.seal(CTX, QUESTION).unwrap(),
        to.sender(CTX).unwrap().0,
        to.signed_by(&*ALICE).sender(CTX).unwrap().0,
        in_pieces,
        answer,
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 5000],
    ] {
        assert_eq!(accept(&other).unwrap_err(), not_a_request);
        assert_eq!(accept_signed(&other).unwrap_err(), not_a_request);
        // Nor under its first bytes.
        let renamed = with(&other, 0..9, b"twinrqst\x01");
        accept(&renamed).unwrap_err();
        accept_signed(&renamed).unwrap_err();
    }
    drop(pending);

    for request in [unsigned().0, signed().0] {
        assert_eq!(outcome(BOB.open(CTX, &request)), "NotAnEnvelope");
        let not_a_hello = outcome(BOB.receiver(CTX, &request));
        assert!(not_a_hello.starts_with("Invalid { what: \"hello\""), "{not_a_hello}");
        let not_a_hello = outcome(BOB.accepting(alice).receiver(CTX, &request));
        assert!(not_a_hello.starts_with("Invalid { what: \"hello\""), "{not_a_hello}");
        let renamed = with(&request, 0..8, b"twinseal");
        assert!(BOB.open(CTX, &renamed).is_err());
        let renamed = with(&request, 0..8, b"twinsess");
        assert!(BOB.receiver(CTX, &renamed).is_err());
        assert!(BOB.accepting(alice).receiver(CTX, &renamed).is_err());
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
