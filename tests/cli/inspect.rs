//! Does `inspect` recognise every kind of file, without showing anything private?

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use twinseal::{
    Keyring, VerifyingKeyring,
    model::TrustedKey,
    request::{self, AllowReplays, RequestHead},
};

use crate::{
    common::{
        keys::{P384, X25519, kem_key, signing_key},
        process::ended,
    },
    desk::{Desk, data, message},
};

fn json(desk: &Desk, file: &str) -> Value {
    serde_json::from_slice(&desk.prints(&format!("inspect --json {file}"))).unwrap()
}

fn text(desk: &Desk, file: &str) -> String {
    String::from_utf8(desk.prints(&format!("inspect {file}"))).unwrap()
}

#[test]
fn sealed_files() {
    let desk = Desk::new();
    let (bob, dave) = (kem_key(X25519, 1), kem_key(P384, 4));
    desk.write("dave.pub", dave.encapsulation_key().to_pem());
    desk.write("in", data(40_000));
    desk.prints("seal -r dave.pub -r bob.pub -c x -o sealed in");
    let id = |key: &twinseal::DecapsulationKey| key.encapsulation_key().key_id().to_string();
    let expected = |lengths: [Value; 3]| {
        let [body, plaintext, possible] = lengths;
        json!({
            "kind": "sealed_file",
            "version": 1,
            "recipients": [
                { "suite": "X25519-ML-KEM-1024", "suite_id": 1, "key_id": id(&bob) },
                { "suite": "MLKEM1024-P384", "suite_id": 0x51, "key_id": id(&dave) },
            ],
            "header_length": 44 + 68 + 1600 + 68 + 1665,
            "body_length": body,
            "plaintext_length": plaintext,
            "length_is_possible": possible,
        })
    };
    let body = 56 + 40_000 + 3 * 16;
    assert_eq!(json(&desk, "sealed"), expected([body.into(), 40_000.into(), true.into()]));
    let shown = text(&desk, "sealed");
    for part in ["sealed: sealed file", "2 recipients", "40000 bytes", &id(&bob), &id(&dave)] {
        assert!(shown.contains(part), "{shown}");
    }

    // The length of a stream is unknown.
    let sealed = desk.read("sealed");
    let printed = desk.prints_given("inspect --json -", &sealed);
    let shown: Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(shown, expected([Value::Null, Value::Null, Value::Null]));

    // For a file of impossible length: everything but the length of its plaintext, and a failure.
    desk.write("cut", &sealed[..3445 + 56 + 16_400]);
    let output = ended(desk.command("inspect --json cut"));
    assert!(message(1, &output).contains("cut: no sealed file has this length"));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown, expected([(56 + 16_400).into(), Value::Null, false.into()]));
    desk.write("cut", &sealed[..3444]);
    assert!(desk.fails("inspect cut").contains("cut: it is truncated"));
}

#[test]
fn recipients_of_unknown_suites() {
    let desk = Desk::new();
    desk.write("in", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let mut sealed = desk.read("sealed");
    let stanza = [&[0xab, 0xcd][..], &[7; 16], &[0, 5], &[0; 5], &[0; 48]].concat();
    sealed.splice(1680..1680, stanza);
    sealed[11] = 2;
    desk.write("sealed", sealed);
    let shown = json(&desk, "sealed");
    let key_id = "07".repeat(16);
    assert_eq!(
        shown["recipients"][1],
        json!({ "suite": null, "suite_id": 0xabcd, "key_id": key_id })
    );
    assert_eq!(shown["plaintext_length"], 5);
    assert!(text(&desk, "sealed").contains(&format!("{key_id}  unknown suite 0xabcd")));
}

#[test]
fn many_recipients() {
    let desk = Desk::new();
    let keys: Vec<_> = (0..100).map(|number| kem_key(X25519, number)).collect();
    let public = keys.iter().map(twinseal::DecapsulationKey::encapsulation_key);
    let sealed = twinseal::Recipients::new(public).unwrap().seal(b"x", b"hello").unwrap();
    desk.write("sealed", sealed);
    assert_eq!(json(&desk, "sealed")["recipients"].as_array().unwrap().len(), 100);
    assert_eq!(desk.prints("open -k bob.pem -c x sealed"), b"hello");
}

#[test]
fn keys_without_their_secrets() {
    let desk = Desk::new();
    let (bob, carol, alice) = (kem_key(X25519, 1), kem_key(X25519, 2), signing_key(3));
    let mut ring = Keyring::new(kem_key(X25519, 1));
    ring.add_older(kem_key(X25519, 2)).unwrap();
    desk.write("ring.pem", ring.to_pem().unwrap().as_str());
    let signers = [alice.verifying_key().clone(), signing_key(4).verifying_key().clone()];
    desk.write("signers.pub", VerifyingKeyring::new(&signers).unwrap().to_pem());

    let kem = |key: &twinseal::DecapsulationKey| {
        let id = key.encapsulation_key().key_id().to_string();
        json!({ "suite": "X25519-ML-KEM-1024", "suite_id": 1, "key_id": id })
    };
    let signing = |key: &twinseal::VerifyingKey| {
        let (id, hint) = (key.key_id().to_string(), TrustedKey::from(key).hint());
        let suite = "id-MLDSA87-ECDSA-P384-SHA512";
        json!({ "suite": suite, "suite_id": 1, "key_id": id, "model_hint": hint })
    };
    for (file, kind, keys) in [
        ("bob.pub", "public_kem_key", vec![kem(&bob)]),
        ("bob.pem", "private_kem_key", vec![kem(&bob)]),
        ("ring.pem", "private_kem_key", vec![kem(&bob), kem(&carol)]),
        ("alice.pub", "public_signing_key", vec![signing(&signers[0])]),
        ("alice.pem", "private_signing_key", vec![signing(&signers[0])]),
        ("signers.pub", "public_signing_key", vec![signing(&signers[0]), signing(&signers[1])]),
    ] {
        assert_eq!(json(&desk, file), json!({ "kind": kind, "keys": keys }), "{file}");
        let shown = text(&desk, file);
        for key in &keys {
            assert!(shown.contains(key["key_id"].as_str().unwrap()), "{shown}");
        }
        for secret in [bob.seed().unwrap(), carol.seed().unwrap(), alice.secret_bytes()] {
            let forms = [hex::encode(&secret[..16]), BASE64_STANDARD.encode(&secret[..15])];
            assert!(forms.iter().all(|form| !shown.contains(form)), "{shown}");
        }
    }
}

#[test]
fn signatures_and_sessions() {
    let desk = Desk::new();
    let (bob, alice) = (kem_key(X25519, 1), signing_key(3));
    let signature = alice.sign(b"x", b"hello").unwrap();
    desk.write("sig", signature.as_bytes());
    let shown = json(&desk, "sig");
    assert_eq!(
        (&shown["kind"], &shown["length"]),
        (&json!("signature"), &json!(signature.as_bytes().len()))
    );
    assert!(text(&desk, "sig").contains("id-MLDSA87-ECDSA-P384-SHA512"));

    let to_bob = bob.encapsulation_key();
    let recipient = json!({
        "suite": "X25519-ML-KEM-1024", "suite_id": 1, "key_id": to_bob.key_id().to_string(),
    });
    let signer = json!({
        "suite": "id-MLDSA87-ECDSA-P384-SHA512", "suite_id": 1,
        "key_id": alice.verifying_key().key_id().to_string(),
    });
    let unsigned = to_bob.sender(b"x").unwrap().0;
    let signed = to_bob.signed_by(&alice).sender(b"x").unwrap().0;
    for (hello, signed) in [(unsigned, false), (signed, true)] {
        desk.write("hello", hello);
        let expected = json!({
            "kind": "session_hello", "version": 1, "signed": signed, "recipient": recipient,
            "signer": if signed { signer.clone() } else { Value::Null },
        });
        assert_eq!(json(&desk, "hello"), expected);
        let shown = text(&desk, "hello");
        assert!(shown.contains("first message of a session"), "{shown}");
        assert_eq!(shown.contains(&alice.verifying_key().key_id().to_string()), signed, "{shown}");
    }
}

#[test]
fn requests_and_answers() {
    let desk = Desk::new();
    let (bob, alice) = (kem_key(X25519, 1), signing_key(3));
    let to_bob = bob.encapsulation_key();
    let signer_id = alice.verifying_key().key_id().to_string();
    let (unsigned, pending) = to_bob.request(b"x", b"hello").unwrap();
    let (signed, _) = to_bob.signed_by(&alice).request(b"x", b"hello").unwrap();
    let mut detached = signed.clone();
    request::detach(&mut detached).unwrap();
    for (bytes, headline) in [
        (&unsigned, "request, unsigned"),
        (&signed, "request, signed\n"),
        (&detached, "request, signed, without its signature"),
    ] {
        desk.write("request", bytes);
        let head = RequestHead::parse(bytes).unwrap();
        let shown = json(&desk, "request");
        assert_eq!(shown["kind"], "request");
        assert_eq!(shown["id"], head.id().to_string());
        assert_eq!(shown["time_ms"], head.time().as_millis());
        assert_eq!(shown["recipient"]["key_id"], to_bob.key_id().to_string());
        assert_eq!(shown["signed"], head.claimed_signer().is_some());
        let is_detached = head.claimed_signer().is_some() && head.signature().is_none();
        assert_eq!(shown["signature_is_detached"], is_detached);
        let shown = text(&desk, "request");
        assert!(shown.contains(headline) && shown.contains(&head.id().to_string()), "{shown}");
        assert_eq!(shown.contains(&signer_id), head.claimed_signer().is_some(), "{shown}");
    }

    let (_, asked) = bob.accept(b"x", &unsigned, &AllowReplays).unwrap();
    assert_eq!(asked.id(), pending.id());
    let whole = asked.answer(b"hello").unwrap();
    let (_, asked) = bob.accept(b"x", &unsigned, &AllowReplays).unwrap();
    let (pieces, _) = asked.piece_sealer().unwrap();
    for (bytes, form, headline) in [
        (whole, "whole", "answer to a request, whole"),
        (pieces, "pieces", "answer to a request, in pieces"),
    ] {
        desk.write("answer", bytes);
        assert_eq!(json(&desk, "answer"), json!({ "kind": "answer", "version": 1, "form": form }));
        assert!(text(&desk, "answer").contains(headline));
    }

    desk.write("cut", &signed[..2000]);
    desk.write("newer", [b"twinrqst\x02", &signed[9..]].concat());
    desk.write("form", b"twinansw\x01\x03");
    for (file, reason) in [
        ("cut", "a request, but truncated"),
        ("newer", "a newer twinseal may support it"),
        ("form", "truncated or of an unknown form; fetch it again"),
    ] {
        let shown = desk.fails(&format!("inspect {file}"));
        assert!(shown.contains(reason), "{shown}");
    }
}

#[test]
fn keys_of_several_kinds_in_one_file() {
    let desk = Desk::new();
    let all: Vec<_> =
        ["bob.pem", "bob.pub", "alice.pem", "alice.pub"].map(|file| desk.read(file)).concat();
    desk.write("all", all);
    let shown = json(&desk, "all");
    let kinds: Vec<_> = shown["keys"].as_array().unwrap().iter().map(|key| &key["kind"]).collect();
    let expected =
        ["private_kem_key", "public_kem_key", "private_signing_key", "public_signing_key"];
    assert_eq!((&shown["kind"], kinds.len()), (&json!("keys"), 4));
    assert!(kinds.iter().zip(expected).all(|(kind, expected)| **kind == expected), "{shown}");
    let shown = text(&desk, "all");
    for part in ["4 keys", "public key to seal to", "private key to sign with"] {
        assert!(shown.contains(part), "{shown}");
    }
    for (file, kind) in [("bob.pub", "public key to seal to"), ("alice.pem", "private key to sign")]
    {
        desk.write("two", [desk.read(file), desk.read(file)].concat());
        let shown = text(&desk, "two");
        assert!(shown.contains("2 keys, each a ") && shown.contains(kind), "{shown}");
    }
}

/// A file that the tool wrote and that was changed since is not taken for another program's.
#[test]
fn files_that_were_cut_or_got_longer() {
    let desk = Desk::new();
    desk.write("in", data(40_000));
    desk.prints("sign -k alice.pem -c x -o sig in");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let (sig, sealed, key) = (desk.read("sig"), desk.read("sealed"), desk.read("bob.pem"));
    let cases = [
        ("sig.cut", sig[..4000].to_vec(), "or a damaged one"),
        ("sig.lf", [&sig[..], b"\n"].concat(), "a signature followed by a line end; remove"),
        ("sig.crlf", [&sig[..], b"\r\n"].concat(), "a signature followed by a line end; remove"),
        ("sealed.start-lost", sealed[1..].to_vec(), "or a damaged one"),
        ("sealed.base64", BASE64_STANDARD.encode(&sealed).into_bytes(), "a sealed file in base64"),
        ("key.start-lost", key[6..].to_vec(), "line 1: it has five hyphens"),
        ("key.hyphen-lost", key[1..].to_vec(), "line 1: it has five hyphens"),
        ("key.utf16", utf16(&key), "text in UTF-16"),
        ("one-byte", b"t".to_vec(), "or a damaged one"),
        ("length-of-a-signature", vec![7; 4700], "or a damaged one"),
    ];
    for (file, content, what) in cases {
        desk.write(file, content);
        let error = desk.fails(&format!("inspect {file}"));
        assert!(error.contains(what) && !error.contains("did not write"), "{file}: {error}");
    }
    for more in [&b"\0"[..], b"\r\n", &[0; 15]] {
        desk.write("longer", [&sealed[..], more].concat());
        let output = ended(desk.command("inspect longer"));
        // Whether such a length is possible depends on where the last chunk ends.
        assert!(!String::from_utf8_lossy(&output.stderr).contains("it is truncated"));
    }
    desk.write("in", data(16_383));
    desk.prints("seal -r bob.pub -c x -o sealed in");
    desk.write("longer", [&desk.read("sealed")[..], b"\r\n"].concat());
    for line in ["open -k bob.pem -c x -o out longer", "rewrap -k bob.pem -r bob.pub -o out longer"]
    {
        let error = desk.fails(line);
        assert!(error.contains("or something was appended"), "{error}");
    }
}

fn utf16(text: &[u8]) -> Vec<u8> {
    [&b"\xff\xfe"[..], &text.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<_>>()].concat()
}

#[test]
fn anything_else_is_refused() {
    let desk = Desk::new();
    desk.write("empty", "");
    desk.write("text", "hello, world");
    desk.write("binary", data(5_000_000));
    desk.write("certificate", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    desk.write("short", "twinseal");
    desk.write("version", b"twinseal\x02\x01\0\x01");
    desk.write("hello", "twinsess\x01");
    let pem = String::from_utf8(desk.read("alice.pub")).unwrap();
    desk.write("cut.pub", &pem[..1000]);
    desk.write("changed.pub", pem.replacen("MIIK", "MIIL", 1));
    desk.write("long.pub", pem.repeat(4 * 1024 * 1024 / pem.len() + 1));
    for (file, what) in [
        ("empty", "it is empty"),
        ("text", "not a sealed file, key, signature, session, request or answer"),
        ("binary", "not a sealed file, key, signature, session, request or answer"),
        ("certificate", "line 1: its label is CERTIFICATE"),
        ("short", "truncated"),
        ("version", "a newer twinseal"),
        ("hello", "truncated"),
        ("cut.pub", "key file"),
        ("changed.pub", "key file"),
        ("long.pub", "not a key file: it is longer than 4 MiB"),
        ("missing", "no such file"),
    ] {
        let error = desk.fails(&format!("inspect {file}"));
        assert!(error.contains(&format!("{file}: ")) && error.contains(what), "{error}");
        assert_eq!(desk.fails(&format!("inspect --json {file}")), error);
    }
}
