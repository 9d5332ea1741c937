//! Are added, removed, reordered and renamed recipients detected, those of unknown suites too?

use twinseal::{KemSuite, envelope::Header};

use super::fixture::{Envelope, NOT_A_RECIPIENT, OPEN, ORDER, open_both, plaintext, readers};
use crate::common::{
    errors::{invalid, outcome, truncated, unknown},
    keys::{CTX, X25519, kem_key},
};

#[test]
fn rearranged_recipients() {
    let third = kem_key(X25519, 13);
    let [first, second] = &readers();
    let all = [first.encapsulation_key(), second.encapsulation_key(), third.encapsulation_key()];
    let both = Envelope::to_both(1);
    let three = Envelope::new(&all, 1, &plaintext(10));
    let misordered = invalid("envelope header", ORDER);
    let pick = |from: &Envelope, indices: &[usize]| Envelope {
        stanzas: indices.iter().map(|index| from.stanzas[*index].clone()).collect(),
        ..from.clone()
    };

    // Order and uniqueness are rules of the format: the right tag does not help.
    for indices in [&[1, 0][..], &[0, 0], &[0, 0, 1], &[0, 1, 1], &[0, 1, 0]] {
        let changed = pick(&both, indices);
        assert_eq!(open_both(&changed.bytes()), [&misordered[..]; 2]);
        assert_eq!(open_both(&changed.tagged()), [&misordered[..]; 2]);
    }
    for indices in [&[1, 0, 2][..], &[2, 1, 0], &[0, 2, 1]] {
        let changed = pick(&three, indices);
        assert_eq!(open_both(&changed.tagged()), [&misordered[..]; 2]);
    }

    // Left out.
    assert_eq!(open_both(&pick(&both, &[0]).bytes()), [OPEN, NOT_A_RECIPIENT]);
    assert_eq!(open_both(&pick(&both, &[1]).bytes()), [NOT_A_RECIPIENT, OPEN]);
    assert_eq!(
        open_both(&pick(&both, &[0]).tagged()),
        ["Ok", NOT_A_RECIPIENT],
        "a recipient may write another header, as rewrapping does"
    );

    // Added from another envelope.
    let own = three
        .stanzas
        .iter()
        .position(|stanza| stanza[2..18] == *third.encapsulation_key().key_id().as_bytes());
    let own = three.stanzas[own.unwrap()].clone();
    let mut added = both.clone();
    added.stanzas.push(own);
    added.stanzas.sort_by(|one, other| one[..18].cmp(&other[..18]));
    assert_eq!(open_both(&added.bytes()), [OPEN; 2]);
    assert_eq!(outcome(third.open(CTX, &added.bytes())), OPEN);

    // A stanza under the name of another key.
    let mut renamed = three.clone();
    let [id_of_0, id_of_1] = [0, 1].map(|index| three.stanzas[index][2..18].to_vec());
    renamed.stanzas[0][2..18].copy_from_slice(&id_of_1);
    renamed.stanzas[1][2..18].copy_from_slice(&id_of_0);
    let renamed = pick(&renamed, &[1, 0, 2]).tagged();
    for key in [first, &third] {
        assert_eq!(outcome(key.open(CTX, &renamed)), OPEN);
    }
    assert_eq!(outcome(second.open(CTX, &renamed)), "Ok");
}

/// `suite || key id || length || ct || wrapped`, of a suite that nobody knows.
fn stanza_of_unknown_suite(suite: u16, length: usize) -> Vec<u8> {
    [
        &suite.to_be_bytes()[..],
        &[9; 16],
        &u16::try_from(length).unwrap().to_be_bytes(),
        &vec![7; length],
        &[8; 48],
    ]
    .concat()
}

#[test]
fn unknown_suites_are_skipped_and_authenticated() {
    for suite in [0x0000, 0x0002, 0x0050, 0x0052, 0xffff] {
        for length in [0, 1, 1600, 8192] {
            let mut envelope = Envelope::to_both(1);
            envelope.stanzas.push(stanza_of_unknown_suite(suite, length));
            envelope.stanzas.sort_by(|one, other| one[..18].cmp(&other[..18]));
            let sealed = envelope.tagged();
            assert_eq!(open_both(&sealed), ["Ok"; 2], "{suite:#06x} of {length}");

            let header = Header::parse(&sealed).unwrap();
            let stranger =
                header.recipients().find(|recipient| recipient.suite_id() == suite).unwrap();
            assert_eq!(stranger.suite(), None);
            assert_eq!(stranger.key_id().as_bytes(), &[9; 16]);
            assert_eq!(outcome(stranger.ciphertext()), unknown("KEM suite", suite));

            // The tag covers it.
            let position = envelope.untagged(3).len() - 1;
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(open_both(&changed), [OPEN; 2]);
            envelope.tag = Envelope::to_both(1).tag;
            assert_eq!(open_both(&envelope.bytes()), [OPEN; 2]);
        }
    }
}

#[test]
fn a_stanza_of_an_unknown_suite_is_not_cut_off_silently() {
    let mut envelope = Envelope::to_both(1);
    let mut stanza = stanza_of_unknown_suite(0xffff, 10);
    stanza[18..20].copy_from_slice(&8192u16.to_be_bytes());
    envelope.stanzas.push(stanza);
    envelope.body.clear();
    let sealed = envelope.tagged();
    let needed = envelope.untagged(3).len() - 10 + 8192 + 32;
    let expected = truncated("envelope header", needed, sealed.len());
    assert_eq!(open_both(&sealed), [&expected[..]; 2]);
}

#[test]
fn wrong_context_and_wrong_key() {
    let sealed = Envelope::to_both(1).bytes();
    let [first, second] = readers();
    for context in [&CTX[1..], &CTX[..CTX.len() - 1], b"example.com/tests/v2"] {
        assert_eq!(outcome(first.open(context, &sealed)), OPEN);
        assert_eq!(outcome(second.open(context, &sealed)), OPEN);
    }
    for &suite in KemSuite::ALL {
        let stranger = kem_key(suite, 99);
        assert_eq!(outcome(stranger.open(CTX, &sealed)), NOT_A_RECIPIENT);
    }
}
