//! Which chains are good?

use twinseal::x509::{Certificate, Name, TrustAnchors};
use x509_cert::ext::pkix::KeyUsages;

use super::fixture::{
    ALICE, ALICES_KEY, AUTHORITY, AUTHORITYS_KEY, BASIC_CONSTRAINTS, CODE_SIGNING, DAY, Draft,
    EMAIL_PROTECTION, Issuer, KEY_USAGE, NOW, ROOT, ROOTS_KEY, Setup, alice, at, ca,
    encapsulation_spki, extended_key_usage, key_usage, now, verifying_spki,
};
use crate::common::keys::{P384, kem_key, signing_key};

fn is_good(setup: &Setup) {
    assert_eq!(setup.verify().as_ref(), Ok(signing_key(ALICES_KEY).verifying_key()));
}

#[test]
fn an_authority_between_or_none() {
    is_good(&Setup::new());
    let direct = Setup::changed(|setup| {
        setup.alice.issuer = ROOT;
        setup.alice.signed_by = Issuer::Composite(ROOTS_KEY);
    });
    is_good(&direct); // the authority is left over
    let alone = [direct.alice.sign()];
    direct.anchors().verifying_key(&alone, &alice(), now()).unwrap();
}

#[test]
fn a_recipient() {
    let mut setup = Setup::new();
    setup.alice.spki = encapsulation_spki(ALICES_KEY);
    setup.alice.set(key_usage(&[KeyUsages::KeyEncipherment]));
    let key = setup.anchors().encapsulation_key(&setup.chain(), &alice(), now());
    assert_eq!(key.as_ref(), Ok(kem_key(P384, ALICES_KEY).encapsulation_key()));
}

#[test]
fn usages_that_allow_it() {
    for usages in [
        &[KeyUsages::NonRepudiation][..],
        &[KeyUsages::DigitalSignature, KeyUsages::KeyEncipherment],
    ] {
        is_good(&Setup::changed(|setup| setup.alice.set(key_usage(usages))));
    }
    is_good(&Setup::changed(|setup| {
        for draft in [&mut setup.root, &mut setup.authority, &mut setup.alice] {
            draft.remove(KEY_USAGE);
        }
        setup.alice.remove(BASIC_CONSTRAINTS);
    }));
}

#[test]
fn the_named_extended_key_usage() {
    is_good(&Setup::changed(|setup| setup.extended_key_usage = Some(EMAIL_PROTECTION)));
    is_good(&Setup::changed(|setup| {
        setup.extended_key_usage = Some(EMAIL_PROTECTION);
        for draft in [&mut setup.root, &mut setup.authority, &mut setup.alice] {
            draft.set(extended_key_usage(&[CODE_SIGNING, EMAIL_PROTECTION]));
        }
    }));
}

/// Both ends belong to it, and fractions of a second do not count.
#[test]
fn the_first_and_the_last_second() {
    let setup = Setup::new();
    let verify = |now| setup.anchors().verifying_key(&setup.chain(), &alice(), now);
    verify(at(NOW - DAY)).unwrap();
    verify(at(NOW + DAY) + std::time::Duration::from_millis(999)).unwrap();
}

#[test]
fn path_lengths_that_suffice() {
    is_good(&Setup::changed(|setup| {
        setup.root.set(ca(true, Some(1)));
        setup.authority.set(ca(true, Some(0)));
    }));
}

/// The authority was certified twice with one key, and one of its certificates is of no use: the other one
/// is found, in any order.
#[test]
fn a_second_path() {
    let setup = Setup::new();
    let spoil: [fn(&mut Draft); 6] = [
        |draft| draft.set(key_usage(&[KeyUsages::DigitalSignature])), // we refuse it
        |draft| draft.remove(BASIC_CONSTRAINTS),
        |draft| draft.not_after = NOW - 1, // webpki refuses it
        |draft| draft.set(extended_key_usage(&[CODE_SIGNING])),
        |draft| draft.issuer = "CN=Nobody",
        |draft| draft.signed_by = Issuer::Composite(9),
    ];
    let [subject, good] = setup.chain();
    for spoil in spoil {
        let mut spoiled = setup.authority.clone();
        spoil(&mut spoiled);
        let spoiled = spoiled.sign();
        for between in [[&spoiled, &good], [&good, &spoiled]] {
            let chain: Vec<_> = [&subject].into_iter().chain(between).cloned().collect();
            let key = setup.anchors().verifying_key(&chain, &alice(), now());
            assert_eq!(key.as_ref(), Ok(signing_key(ALICES_KEY).verifying_key()));
        }
    }
}

/// Two anchors with one name and key, of which the first one is no authority.
#[test]
fn a_second_anchor() {
    let setup = Setup::new();
    let mut spoiled = setup.root.clone();
    spoiled.remove(BASIC_CONSTRAINTS);
    for anchors in [[&spoiled, &setup.root], [&setup.root, &spoiled]] {
        let anchors = TrustAnchors::new(anchors.map(Draft::sign)).unwrap();
        anchors.verifying_key(&setup.chain(), &alice(), now()).unwrap();
    }
}

/// An authority and a root that others certified, too: only those are trusted.
#[test]
fn cross_signed() {
    const OTHER_ROOT: &str = "CN=Other root";
    const OTHER_KEY: u8 = 11;
    let setup = Setup::new();
    let other = Draft::authority(OTHER_ROOT, OTHER_KEY, OTHER_ROOT, OTHER_KEY);
    let anchors = TrustAnchors::new([other.sign()]).unwrap();
    let [subject, authority] = setup.chain();

    let by_other = Draft::authority(AUTHORITY, AUTHORITYS_KEY, OTHER_ROOT, OTHER_KEY).sign();
    let chain = [subject.clone(), authority.clone(), by_other];
    anchors.verifying_key(&chain, &alice(), now()).unwrap();

    let root_by_other = Draft::authority(ROOT, ROOTS_KEY, OTHER_ROOT, OTHER_KEY).sign();
    let chain = [subject, setup.root.sign(), root_by_other, authority];
    anchors.verifying_key(&chain, &alice(), now()).unwrap();
}

/// Authorities may compress the point of their key.
#[test]
fn a_compressed_point() {
    let compress = |spki: &[u8]| {
        use crate::common::der::{composite_oid, spki as encode, tlv};
        let key = &spki[spki.len() - 2689..];
        let (ml_dsa, point) = key.split_at(2592);
        let sign = 2 | point[96] & 1;
        encode(&tlv(0x30, &[&composite_oid()]), 0, &[ml_dsa, &[sign], &point[1..49]].concat())
    };
    is_good(&Setup::changed(|setup| {
        for draft in [&mut setup.root, &mut setup.authority, &mut setup.alice] {
            draft.spki = compress(&draft.spki);
        }
    }));
    assert_eq!(compress(&verifying_spki(1)).len(), 2662);
}

/// As a file holds it, and with a name of every certificate: the subject.
#[test]
fn from_pem_by_subject() {
    let setup = Setup::new();
    let text: String = setup.chain().iter().map(Certificate::to_pem).collect();
    let chain = Certificate::chain_from_pem(&text).unwrap();
    assert_eq!(chain[0].subject(), ALICE);
    let name = Name::Subject(chain[0].subject_der().to_vec());
    setup.anchors().verifying_key(&chain, &name, now()).unwrap();
}
