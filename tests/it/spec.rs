//! Does the crate compute every value in VECTORS.md?
//!
//! VECTORS.md is the only place where vectors are written down: this file reads each block's inputs
//! there, computes every value from them, with the intermediate values on the way, and compares.
//!
//! The vectors are frozen: a difference means that the crate no longer writes the format. Only a
//! new version of a format may change them. Then edit the inputs in VECTORS.md and run
//!
//! ```text
//! cargo test --features hazmat,passphrase --test it spec::regenerate -- --ignored --nocapture
//! ```
//!
//! which writes a copy of VECTORS.md with all values recomputed into cargo's `target/tmp`, and prints its name.

use std::{fmt::Write as _, fs, path::Path};

use twinseal::{DecapsulationKey, EncapsulationKey, SigningKey, VerifyingKey};

mod accumulated;
mod blocks;
mod compute;
#[cfg(feature = "passphrase")]
mod encrypted_keys;
mod envelopes;
mod exchange;
mod requests;
mod rules;
mod sessions;
#[cfg(feature = "object_store")]
mod stored;
mod stores;

use blocks::{BLOCKS, Block, Fence, PEM_BLOCKS, SPEC, VECTORS, fence, fences};
use compute::{COMPOSITE, DEFAULT, P384, pem};

#[test]
fn kem_0001() {
    check("kem-0001");
}

#[test]
fn kem_0051() {
    check("kem-0051");
}

#[test]
fn x25519_refused() {
    check("x25519-refused");
}

/// The list in SPEC.md is the one in the vectors.
#[test]
fn x25519_list_is_in_the_specification() {
    for entry in &Block::read("x25519-refused").entries {
        let value = hex::encode(&entry.value);
        assert_eq!(SPEC.contains(&value), entry.name.starts_with("low_order"), "{}", entry.name);
    }
}

#[test]
fn sign_0001() {
    check("sign-0001");
}

#[test]
fn key_files() {
    check("key-files");
    for name in PEM_BLOCKS.into_iter().filter(|name| !name.ends_with("-encrypted")) {
        assert_eq!(fence("pem", name), pem(name), "{name}");
    }
}

#[test]
fn key_files_load() {
    let private = fence("pem", "kem-0001-private");
    let key = DecapsulationKey::from_pem(&private).unwrap();
    assert_eq!(key.seed().unwrap(), Block::read("kem-0001").get("seed"));
    let public = fence("pem", "kem-0001-public");
    let public = EncapsulationKey::from_pem(&public).unwrap();
    assert_eq!(&public, key.encapsulation_key());

    let private = fence("pem", "kem-0051-private");
    let key = DecapsulationKey::from_pem(&private).unwrap();
    let expected = Block::read("kem-0051");
    assert_eq!(key.seed(), None, "the file has what the seed expands to");
    assert_eq!(key.encapsulation_key().as_bytes(), expected.get("ek"));
    let prefix = Block::read("key-files").get("kem_0051_spki_prefix").to_vec();
    let public = EncapsulationKey::from_spki_der(&[&prefix, expected.get("ek")].concat()).unwrap();
    assert_eq!(&public, key.encapsulation_key());

    let signing_key = SigningKey::from_pem(&fence("pem", "sign-0001-private")).unwrap();
    let expected = Block::read("sign-0001");
    assert_eq!(signing_key.secret_bytes(), expected.get("signing_key"));
    let spki =
        [Block::read("key-files").get("spki_prefix"), expected.get("verifying_key")].concat();
    let verifying_key = VerifyingKey::from_spki_der(&spki).unwrap();
    assert_eq!(&verifying_key, signing_key.verifying_key());
}

#[cfg(feature = "passphrase")]
#[test]
fn encrypted_keys() {
    check("encrypted-keys");
    for name in PEM_BLOCKS.into_iter().filter(|name| name.ends_with("-encrypted")) {
        assert_eq!(fence("pem", name), pem(name), "{name}");
    }
}

#[test]
fn envelope_one() {
    check("envelope-one");
}

#[test]
fn envelope_two() {
    check("envelope-two");
}

#[test]
fn envelope_lengths() {
    check("envelope-lengths");
}

#[test]
fn envelope_limits() {
    check("envelope-limits");
}

#[test]
fn rewrap() {
    check("rewrap");
}

#[test]
fn session_0001() {
    check("session-0001");
}

#[test]
fn session_0051() {
    check("session-0051");
}

#[test]
fn session_signed() {
    check("session-signed");
}

#[test]
fn request_0001() {
    check("request-0001");
}

#[test]
fn request_0051() {
    check("request-0051");
}

#[test]
fn request_signed() {
    check("request-signed");
}

#[test]
fn request_signed_0051() {
    check("request-signed-0051");
}

#[test]
fn store_keys() {
    check("store-keys");
}

#[test]
fn store_objects() {
    check("store-objects");
}

#[test]
fn accumulated() {
    check("accumulated");
}

#[test]
fn every_block_is_checked() {
    let blocks: Vec<_> = fences().map(|fence| (fence.kind, fence.name)).collect();
    let vectors = BLOCKS.into_iter().map(|name| ("vectors", name));
    let pem = PEM_BLOCKS.into_iter().map(|name| ("pem", name));
    for block in vectors.clone().chain(pem.clone()) {
        assert!(blocks.contains(&block), "{block:?} is missing");
    }
    assert_eq!(blocks.len(), vectors.count() + pem.count());
}

/// The lengths in SPEC.md's tables are those of the crate.
#[test]
fn lengths() {
    for (suite, key, ciphertext, secret) in [(DEFAULT, 1600, 1600, 64), (P384, 1665, 1665, 32)] {
        assert_eq!(suite.encapsulation_key_len(), key);
        assert_eq!(suite.ciphertext_len(), ciphertext);
        assert_eq!(suite.shared_secret_len(), secret);
        let row = format!(
            "| {:#06x} | {} | 32 | {key} | {ciphertext} | {secret} |",
            suite.id(),
            suite.name()
        );
        assert!(SPEC.contains(&row), "{row}");
    }
    let row = format!(
        "| {:#06x} | {} | {} | {} | {} |",
        COMPOSITE.id(),
        COMPOSITE.name(),
        COMPOSITE.signing_key_len(),
        COMPOSITE.verifying_key_len(),
        COMPOSITE.max_signature_len()
    );
    assert!(SPEC.contains(&row), "{row}");
}

#[test]
#[ignore = "writes a copy of VECTORS.md with recomputed vectors"]
fn regenerate() {
    let mut text = String::new();
    let mut lines = VECTORS.lines();
    while let Some(line) = lines.next() {
        writeln!(text, "{line}").unwrap();
        let Some(opened) = Fence::open(line) else {
            continue;
        };
        text += &match opened.kind {
            "pem" => pem(opened.name),
            _ => Block::read(opened.name).recompute().to_string(),
        };
        let closing = lines.find(|line| *line == "```").unwrap();
        writeln!(text, "{closing}").unwrap();
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("VECTORS.md");
    fs::write(&path, text).unwrap();
    println!("{}", path.display());
}

fn check(name: &str) {
    let written = Block::read(name);
    let computed = written.recompute();
    for (written, computed) in written.entries.iter().zip(&computed.entries) {
        assert_eq!(written.name, computed.name);
        assert!(
            written.value == computed.value,
            "{name}: {} is {}, not {}",
            written.name,
            hex::encode(&computed.value),
            hex::encode(&written.value),
        );
    }
    assert_eq!(written.entries.len(), computed.entries.len());
}
