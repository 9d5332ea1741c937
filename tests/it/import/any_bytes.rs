//! Does any input cause a panic, or load as another key? Random bytes, and valid ones that were damaged.

use proptest::{collection::vec, prelude::*};
use twinseal::{DecapsulationKey, EncapsulationKey, Error, SigningKey, VerifyingKey};

use super::fixture::{Form, Pieces, SECP384R1, attributes, ec_private_key, public_field};
use crate::common::{
    der::{pem, spki, tlv},
    keys::{COMPOSITE, P384},
};

/// Runs every function that imports, and returns the public keys of those that succeeded.
fn import_all(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let public = |key: &VerifyingKey| key.as_bytes().to_vec();
    let private = |key: SigningKey| public(key.verifying_key());
    let expanded = |key: twinseal::sign::ExpandedSigningKey| public(key.verifying_key());
    let encapsulation = |key: &EncapsulationKey| key.as_bytes().to_vec();
    let decapsulation = |key: DecapsulationKey| encapsulation(key.encapsulation_key());
    let results: [Result<Vec<u8>, Error>; 15] = [
        EncapsulationKey::import_pem(&text).map(|key| encapsulation(&key)),
        EncapsulationKey::import_der(bytes).map(|key| encapsulation(&key)),
        EncapsulationKey::import_bytes(P384, bytes).map(|key| encapsulation(&key)),
        DecapsulationKey::import_pem(&text).map(decapsulation),
        DecapsulationKey::import_der(bytes).map(decapsulation),
        DecapsulationKey::import_bytes(P384, bytes).map(decapsulation),
        VerifyingKey::import_pem(&text).map(|key| public(&key)),
        VerifyingKey::import_der(bytes).map(|key| public(&key)),
        VerifyingKey::import_bytes(COMPOSITE, bytes).map(|key| public(&key)),
        SigningKey::import_pem(&text).map(private),
        SigningKey::import_der(bytes).map(private),
        SigningKey::import_bytes(COMPOSITE, bytes).map(private),
        SigningKey::import_expanded_pem(&text).map(expanded),
        SigningKey::import_expanded_der(bytes).map(expanded),
        SigningKey::import_expanded_bytes(COMPOSITE, bytes).map(expanded),
    ];
    results.into_iter().flatten().collect()
}

/// Whether there are as many bytes as a seed has, or a seed and a scalar: then they are a key, whatever they
/// are.
fn is_any_key(bytes: &[u8]) -> bool {
    [32, 32 + 48, 64 + 48].contains(&bytes.len())
}

/// Random bytes are no key. The content is part of them, or all of them.
fn assert_no_key(bytes: &[u8], content: &[u8]) {
    assert!(import_all(bytes).is_empty() || is_any_key(bytes) || is_any_key(content));
}

/// A form of each shape, with the public key that it has.
fn forms() -> Vec<(Form, Vec<u8>)> {
    let keys = [Pieces::of_decapsulation_key(51).0, Pieces::of_signing_key(51).0];
    let forms = keys.iter().flat_map(|key| {
        let whole = ec_private_key(1, &key.scalar, SECP384R1, Some(key.point()));
        let both = tlv(0x30, &[&tlv(0x04, &[&key.seed]), &tlv(0x04, &[&key.expanded])]);
        let behind = [attributes(), public_field(&key.compressed_public())].concat();
        let rich = key.pkcs8(1, &[both, whole.clone()].concat(), &[&behind]);
        let table = [
            ("PKCS#8", key.pkcs8(0, &key.canonical(), &[])),
            ("bare", [&key.seed[..], &key.scalar].concat()),
            ("everything", rich.clone()),
            ("PEM", pem("PRIVATE KEY", &rich).into_bytes()),
            ("SPKI", spki(&key.algorithm, 0, &key.public)),
            ("compressed", spki(&key.algorithm, 0, &key.compressed_public())),
            ("expanded", key.pkcs8(0, &[&key.expanded[..], &whole].concat(), &[])),
        ];
        let public = key.public.clone();
        table.map(|(name, bytes)| ((name.to_owned(), bytes), public.clone()))
    });
    forms.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..6000)) {
        assert_no_key(&bytes, &bytes);
    }

    /// DER that is well formed, but of any content.
    #[test]
    fn random_der(parts in vec((prop::sample::select(&[0x02u8, 0x03, 0x04, 0x06, 0x30, 0x31, 0x80, 0x81, 0xa0, 0xa1][..]), vec(any::<u8>(), 0..120)), 0..6)) {
        let parts: Vec<_> = parts.iter().map(|(tag, content)| tlv(*tag, &[content])).collect();
        let sequence = tlv(0x30, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_no_key(&sequence, &sequence);
        let (key, _) = Pieces::of_signing_key(52);
        assert_no_key(&key.pkcs8(0, &sequence, &[]), &sequence);
        let behind_seed = [&key.seed[..], &sequence].concat();
        assert_no_key(&behind_seed, &behind_seed);
    }

    /// Valid forms that were cut, extended and written over.
    #[test]
    fn nearly_valid_bytes(
        form in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        keep_length in any::<bool>(),
        at in any::<prop::sample::Index>(),
        noise in vec(any::<u8>(), 0..40),
        tail in vec(any::<u8>(), 0..20),
    ) {
        let forms = forms();
        let ((name, mut bytes), public) = form.get(&forms).clone();
        let start = at.index(bytes.len());
        for (byte, noise) in bytes[start..].iter_mut().zip(&noise) {
            *byte = *noise;
        }
        if !keep_length {
            bytes.truncate(cut.index(bytes.len()));
            bytes.extend_from_slice(&tail);
        }
        let imported = import_all(&bytes);
        // A form in which everything stands twice loads as this key or not at all.
        if name == "everything" || name == "PEM" {
            let is_the_key = imported.iter().all(|key| *key == public);
            prop_assert!(is_the_key || is_any_key(&bytes), "{name}");
        }
    }
}

/// Every bit of the form in which everything stands twice: refused, or the same key.
#[test]
fn one_changed_bit() {
    for ((name, bytes), public) in forms() {
        if name != "everything" {
            continue;
        }
        let imported = import_all(&bytes);
        assert_eq!(imported, [&public[..]]);
        // All bits of the structure at both ends, and some of the long values between.
        let ends = (0..8 * 200).chain(8 * (bytes.len() - 400)..8 * bytes.len());
        let between = (8 * 200..8 * (bytes.len() - 400)).step_by(997);
        for bit in ends.step_by(3).chain(between) {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(import_all(&changed).iter().all(|key| *key == public), "bit {bit}");
        }
    }
}
