//! KEMs, signatures, and keys in every form.

use std::fs;

use twinseal::{
    DecapsulationKey, EncapsulationKey, KemSuite, KeyId, Keyring, Signature, SignatureSuite,
    SigningKey, VerifyingKey, VerifyingKeyring, kem::Ciphertext, provider::Provider,
};

use super::{
    case::{Case, kem_key, verifying_key as named_verifying_key},
    outcome::{Outcome, Wrong, all_expected, expected, refused, same},
};
use crate::common::keys::COMPOSITE;

pub(super) fn decapsulation(case: &Case, provider: &'static Provider) -> Outcome {
    let key = kem_key(case.text("key"), provider);
    let ciphertext = Ciphertext::from_bytes(key.suite(), case.bytes("ciphertext"))?;
    expected(case, "secret", &hex::encode(key.decapsulate(&ciphertext)?.as_bytes()))
}

fn suite_id(case: &Case) -> u16 {
    u16::from_str_radix(case.text("suite").strip_prefix("0x").unwrap(), 16).unwrap()
}

pub(super) fn encapsulation_key(case: &Case, provider: &'static Provider) -> Outcome {
    let suite = KemSuite::from_id(suite_id(case))?;
    let key = EncapsulationKey::from_bytes(suite, case.bytes("bytes"))?.on(provider)?;
    key.encapsulate()?;
    is_key(case, key.key_id())
}

fn is_key(case: &Case, key_id: KeyId) -> Outcome {
    expected(case, "key-id", &hex::encode(key_id.as_bytes()))
}

pub(super) fn signature(case: &Case, provider: &'static Provider) -> Outcome {
    let key = named_verifying_key(case.text("signer"), provider);
    let signature = Signature::from_bytes(COMPOSITE, case.bytes("signature"))?;
    Ok(key.verify(case.bytes("context"), case.bytes("message"), &signature)?)
}

pub(super) fn verifying_key(case: &Case, provider: &'static Provider) -> Outcome {
    let suite = SignatureSuite::from_id(suite_id(case))?;
    is_key(case, VerifyingKey::from_bytes(suite, case.bytes("bytes"))?.on(provider)?.key_id())
}

/// A key of any kind, with its id.
macro_rules! of_kind {
    ($case:expr, $key:ident => $read:expr) => {
        match $case.text("kind") {
            "kem-private" => {
                type $key = DecapsulationKey;
                $read.map(|key| key.encapsulation_key().key_id())
            }
            "kem-public" => {
                type $key = EncapsulationKey;
                $read.map(|key| key.key_id())
            }
            "sign-private" => {
                type $key = SigningKey;
                $read.map(|key| key.verifying_key().key_id())
            }
            "sign-public" => {
                type $key = VerifyingKey;
                $read.map(|key| key.key_id())
            }
            other => panic!("no such kind: {other}"),
        }
    };
}

/// Text is read from a file, because it need not be UTF-8.
pub(super) fn key_file(case: &Case, _: &'static Provider) -> Outcome {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), case.bytes("text"))?;
    let from_file: Outcome<_> =
        of_kind!(case, Key => Key::read_pem_file(file.path())).map_err(Wrong::from);
    if let Ok(text) = str::from_utf8(case.bytes("text")) {
        let from_text = of_kind!(case, Key => Key::from_pem(text)).ok();
        same("the key in the text", &from_text, &from_file.as_ref().ok().copied())?;
    }
    is_key(case, from_file?)
}

pub(super) fn import(case: &Case, _: &'static Provider) -> Outcome {
    let key_id = if let Some(der) = case.get("der") {
        of_kind!(case, Key => Key::import_der(der))?
    } else if let Some(bytes) = case.get("bytes") {
        match case.text("kind") {
            "kem-private" | "kem-public" => {
                let suite = KemSuite::from_id(suite_id(case))?;
                match case.text("kind") {
                    "kem-private" => {
                        DecapsulationKey::import_bytes(suite, bytes)?.encapsulation_key().key_id()
                    }
                    _ => EncapsulationKey::import_bytes(suite, bytes)?.key_id(),
                }
            }
            kind => {
                let suite = SignatureSuite::from_id(suite_id(case))?;
                match kind {
                    "sign-private" => {
                        SigningKey::import_bytes(suite, bytes)?.verifying_key().key_id()
                    }
                    _ => VerifyingKey::import_bytes(suite, bytes)?.key_id(),
                }
            }
        }
    } else {
        of_kind!(case, Key => Key::import_pem(case.text("text")))?
    };
    is_key(case, key_id)
}

#[cfg(feature = "passphrase")]
pub(super) fn encrypted_key(case: &Case, _: &'static Provider) -> Outcome {
    let (text, passphrase) = (case.text("text"), case.bytes("passphrase"));
    let key_id = match case.text("kind") {
        "kem-private" => {
            DecapsulationKey::from_encrypted_pem(text, passphrase)?.encapsulation_key().key_id()
        }
        _ => SigningKey::from_encrypted_pem(text, passphrase)?.verifying_key().key_id(),
    };
    is_key(case, key_id)
}

#[cfg(feature = "passphrase")]
pub(super) fn encrypted_import(case: &Case, _: &'static Provider) -> Outcome {
    use twinseal::passphrase::Whose;

    let whose = match case.text("whose") {
        "stated" => Whose::Stated,
        "unauthenticated" => Whose::Unauthenticated,
        key_id => Whose::Key(key_id.parse()?),
    };
    let (text, passphrase) = (case.text("text"), case.bytes("passphrase"));
    let key_id = match case.text("kind") {
        "kem-private" => DecapsulationKey::import_encrypted_pem(text, passphrase, whose)?
            .encapsulation_key()
            .key_id(),
        _ => SigningKey::import_encrypted_pem(text, passphrase, whose)?.verifying_key().key_id(),
    };
    is_key(case, key_id)
}

fn ids<'a>(keys: impl Iterator<Item = &'a EncapsulationKey>) -> Vec<String> {
    keys.map(|key| hex::encode(key.key_id().as_bytes())).collect()
}

pub(super) fn keyring(case: &Case, _: &'static Provider) -> Outcome {
    let text = case.text("text");
    let found = match case.text("kind") {
        "kem-private" => ids(Keyring::from_pem(text)?.keys()),
        _ => {
            let ring = VerifyingKeyring::from_pem(text)?;
            let mut ids: Vec<_> =
                ring.keys().map(|key| hex::encode(key.key_id().as_bytes())).collect();
            ids.sort();
            ids
        }
    };
    all_expected(case, "key-id", &found)
}

pub(super) fn key_directory(case: &Case, _: &'static Provider) -> Outcome {
    if cfg!(not(unix)) {
        return skip(case);
    }
    let directory = tempfile::tempdir()?;
    for (file, content) in case.all("file").zip(case.all("content")) {
        fs::write(directory.path().join(file.text()), &content.value)?;
    }
    if case.text("kind") == "kem-private" {
        let mut found = ids(Keyring::read_dir(directory.path())?.keys());
        found[1..].sort();
        return all_expected(case, "key-id", &found);
    }
    let ring = VerifyingKeyring::read_dir(directory.path())?;
    let names = ring.keys().filter_map(|key| ring.name_of(key.key_id()));
    let mut names: Vec<_> = names.map(String::from).collect();
    names.sort();
    all_expected(case, "name", &names)
}

/// What a case says, where it cannot be tried.
fn skip(case: &Case) -> Outcome {
    match case.text("expect") {
        "success" => Ok(()),
        "malformed" => refused("malformed", "skipped"),
        other => panic!("{other}"),
    }
}
