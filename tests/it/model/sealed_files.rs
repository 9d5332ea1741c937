//! Does a signature over sealed files find what a seal cannot: files of somebody else who has the key?

use std::io::Write;

use twinseal::{
    DecapsulationKey, SigningKey,
    model::{Hashing, Manifest, ManifestBuilder, Method, TrustedKey},
};

use super::hasher::{content, methods, shards};
use crate::common::{errors::io_outcome, keys::CTX};

/// Seals and signs in one pass.
fn sealed(bob: &DecapsulationKey, file: &[u8], method: Method) -> (Vec<u8>, Manifest) {
    let alice = SigningKey::generate().unwrap();
    let mut model = ManifestBuilder::new("model").unwrap().with_method(method);
    let writer = bob.encapsulation_key().seal_writer(CTX, Vec::new()).unwrap();
    let mut writer = Hashing::new(writer, model.method()).unwrap();
    file.chunks(1000).for_each(|part| writer.write_all(part).unwrap());
    let (writer, digest) = writer.finish().unwrap();
    model.add("weights", digest).unwrap();
    let bundle = model.sign(&alice).unwrap();
    let manifest = bundle.verify(&[TrustedKey::from(alice.verifying_key())]).unwrap();
    (writer.finish().unwrap(), manifest)
}

#[test]
fn parts_of_envelopes() {
    let bob = DecapsulationKey::generate().unwrap();
    let file = content(100_000);
    for method in [Method::Files, shards(1000), shards(16_384), shards(40_000), shards(1 << 40)] {
        let (envelope, manifest) = sealed(&bob, &file, method);
        let signed = manifest.file("weights").unwrap();
        let opened = bob.open_at(CTX, &envelope).unwrap();
        for range in [0..100_000, 0..0, 16_000..17_000, 39_999..80_001, 99_999..100_000] {
            let expected = &file[range.start as usize..range.end as usize];
            assert!(signed.read_range(&opened, range).unwrap() == expected);
        }
        signed.verify_reader(bob.open_reader(CTX, &envelope[..]).unwrap()).unwrap();

        // Whoever has Bob's public key can seal others.
        let mut other = file.clone();
        other[50_000] ^= 1;
        let forged = bob.encapsulation_key().seal(CTX, &other).unwrap();
        let opened = bob.open_at(CTX, &forged).unwrap();
        let refused = "InvalidData: Model(NotAsSigned)";
        assert_eq!(io_outcome(signed.read_range(&opened, 49_000..51_000)), refused);
        let reader = bob.open_reader(CTX, &forged[..]).unwrap();
        assert_eq!(io_outcome(signed.verify_reader(reader)), refused);

        // What was damaged does not open, with or without a signature.
        let mut damaged = envelope.clone();
        damaged[envelope.len() - 50_000] ^= 1;
        let opened = bob.open_at(CTX, &damaged).unwrap();
        let read = signed.read_range(&opened, 49_000..52_000);
        assert_eq!(io_outcome(read), "InvalidData: Open");
    }
}

#[test]
fn small_files_of_every_length() {
    let bob = DecapsulationKey::generate().unwrap();
    let file = content(20);
    for method in methods() {
        for length in [1, 7, 8, 9, 16, 20] {
            let (envelope, manifest) = sealed(&bob, &file[..length], method);
            let opened = bob.open_at(CTX, &envelope).unwrap();
            let signed = manifest.file("weights").unwrap();
            let read = signed.read_range(&opened, 0..length as u64).unwrap();
            assert_eq!(read, file[..length]);
        }
    }
}
