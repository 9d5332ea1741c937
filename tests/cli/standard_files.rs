//! Is a key in a standard file what its object identifier says, and is a good key in another form sent to
//! `import`?

use serde_json::{Value, json};
use twinseal::{KemSuite, model::TrustedKey, passphrase::Scrypt};

use crate::{
    common::{
        der::{composite_oid, ec_private_key, kem_oid, pem, pkcs8, pkcs8_of, spki, tlv},
        keys::{P384, kem_key, signing_key},
        process::ended,
    },
    desk::{Desk, message},
};

const PASSPHRASE: &str = "correct horse battery staple";

/// A desk with the keys of `dave`, of suite 0x0051, and something signed and sealed.
fn desk() -> Desk {
    let desk = Desk::new();
    let dave = kem_key(P384, 4);
    dave.write_pem_file(desk.path("dave.pem")).unwrap();
    desk.write("dave.pub", dave.encapsulation_key().to_pem());
    desk.write("in", "hello");
    desk.prints("seal -r dave.pub -c x -o sealed in");
    desk.prints("sign -k alice.pem -c x -o sig in");
    desk
}

fn inspected(desk: &Desk, file: &str) -> Value {
    serde_json::from_slice(&desk.prints(&format!("inspect --json {file}"))).unwrap()
}

fn dave() -> Value {
    let id = kem_key(P384, 4).encapsulation_key().key_id().to_string();
    json!({ "suite": "MLKEM1024-P384", "suite_id": 0x51, "key_id": id })
}

fn alice() -> Value {
    let key = signing_key(3).verifying_key().clone();
    let (id, hint) = (key.key_id().to_string(), TrustedKey::from(key).hint());
    let suite = "id-MLDSA87-ECDSA-P384-SHA512";
    json!({ "suite": suite, "suite_id": 1, "key_id": id, "model_hint": hint })
}

/// `PUBLIC KEY` and `PRIVATE KEY` are the labels of both.
#[test]
fn keys_are_what_their_object_identifiers_say() {
    let desk = desk();
    assert_eq!(desk.prints("open -k dave.pem -c x sealed"), b"hello");
    assert_eq!(desk.prints("public dave.pem"), desk.read("dave.pub"));
    for (file, kind, key) in [
        ("dave.pub", "public_kem_key", dave()),
        ("dave.pem", "private_kem_key", dave()),
        ("alice.pub", "public_signing_key", alice()),
        ("alice.pem", "private_signing_key", alice()),
    ] {
        assert_eq!(inspected(&desk, file), json!({ "kind": kind, "keys": [key] }), "{file}");
    }
    for (line, what) in [
        ("seal -c x in -r alice.pub", "it is a public key to verify with, but a recipient's"),
        ("seal -c x in -r dave.pem", "it is a private key to open with, but a recipient's"),
        ("open -c x sealed -k alice.pem", "it is a private key to sign with, but a private key to"),
        (
            "open -c x sealed -k dave.pub",
            "it is a public key to seal to, but a private key to open",
        ),
        ("sign -c x in -k dave.pem", "it is a private key to open with, but a private key to sign"),
        ("verify -c x -s sig in -p dave.pub", "it is a public key to seal to, but a signer's"),
        ("public dave.pub", "it is already a public key"),
    ] {
        let error = desk.fails(line);
        assert!(error.contains(what), "{line}: {error}");
    }
    let both = [desk.read("dave.pub"), desk.read("alice.pub")].concat();
    desk.write("both", both);
    let found = inspected(&desk, "both");
    assert_eq!(
        (&found["kind"], &found["keys"][1]["kind"]),
        (&json!("keys"), &json!("public_signing_key"))
    );
}

/// A good key in another form, with its form's name and the command that needs it in its own.
fn other_forms(desk: &Desk) -> Vec<(String, &'static str, &'static str, Value)> {
    let (dave_key, alice_key) = (kem_key(P384, 4), signing_key(3));
    let algorithm = |oid: Vec<u8>| tlv(0x30, &[&oid]);
    let mut forms = Vec::new();
    let mut write = |text: String, line, form, key: &Value| {
        let name = format!("form{}", forms.len());
        desk.write(&name, text);
        forms.push((name, line, form, key.clone()));
    };
    let open = "open -c x sealed -k KEY";
    let sign = "sign -c x in -k KEY";
    let (seal, verify) = ("seal -c x in -r KEY", "verify -c x -s sig in -p KEY");
    let name = tlv(0x31, &[&tlv(0x1e, &[b"\0a\0b"])]);
    let attributes =
        tlv(0xa0, &[&tlv(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14", &name])]);
    let dave_der = dave_key.to_pkcs8_der().unwrap();
    let dave_public = dave_key.encapsulation_key().as_bytes();
    let alice_public = alice_key.verifying_key().as_bytes();
    for (line, oid, secret, public, key) in [
        (open, kem_oid(), &dave_der.as_bytes()[21..], dave_public, dave()),
        (sign, composite_oid(), alice_key.secret_bytes(), alice_public, alice()),
    ] {
        let algorithm = algorithm(oid);
        let private = |der: &[u8]| pem("PRIVATE KEY", der);
        let with_attributes = pkcs8_of(0, &algorithm, secret, &attributes);
        write(private(&with_attributes), line, "PKCS#8 with attributes", &key);
        let with_public = pkcs8_of(1, &algorithm, secret, &tlv(0x81, &[&[0], public]));
        write(private(&with_public), line, "PKCS#8 with its public key", &key);

        let seed = &secret[..secret.len() - 64];
        let scalar = &secret[secret.len() - 57..secret.len() - 9];
        let point = tlv(0xa1, &[&tlv(0x03, &[&[0], &public[public.len() - 97..]])]);
        let fields = ec_private_key(scalar)[2..].to_vec();
        let content = [seed, &tlv(0x30, &[&fields, &point])].concat();
        let with_point = pkcs8_of(0, &algorithm, &content, b"");
        write(private(&with_point), line, "the public key of its P-384 half", &key);
        let bare = pkcs8_of(0, &algorithm, &[seed, scalar].concat(), b"");
        write(private(&bare), line, "its halves in another encoding", &key);
    }
    for (line, oid, public, key) in
        [(seal, kem_oid(), dave_public, dave()), (verify, composite_oid(), alice_public, alice())]
    {
        let (post_quantum, point) = public.split_at(public.len() - 97);
        let compressed = [post_quantum, &[2 + (point[96] & 1)], &point[1..49]].concat();
        let der = spki(&algorithm(oid), 0, &compressed);
        write(pem("PUBLIC KEY", &der), line, "a compressed point", &key);
    }
    let old = [&[0, 0x51], dave_public].concat();
    write(pem("TWINSEAL KEM PUBLIC KEY", &old), seal, "an earlier twinseal", &dave());
    let old = [&[0, 0x51], dave_key.seed().unwrap()].concat();
    write(pem("TWINSEAL KEM PRIVATE KEY", &old), open, "an earlier twinseal", &dave());
    forms
}

#[test]
fn good_keys_in_other_forms_are_sent_to_import() {
    let desk = desk();
    for (file, line, form, key) in other_forms(&desk) {
        let error = desk.fails(&line.replace("KEY", &file));
        assert!(error.contains(form) && error.contains("`twinseal import`"), "{line}: {error}");
        assert!(!error.contains("make a new") && !error.contains("damaged"), "{line}: {error}");
        let mut found = inspected(&desk, &file)["keys"][0].take();
        let shown = found["form"].take();
        assert!(shown.as_str().unwrap().contains(form), "{shown}");
        for name in ["suite", "suite_id", "key_id"] {
            assert_eq!(found[name], key[name], "{file}: {form}");
        }
    }
    // In a ring, by its line.
    let ring = [desk.read("bob.pem"), desk.read("form0")].concat();
    desk.write("ring", ring);
    let error = desk.fails("open -c x sealed -k ring");
    assert!(
        error.contains("it holds a private key to open with (PKCS#8 with attributes) in line 4")
    );
    // In a directory.
    std::fs::create_dir(desk.path("keys")).unwrap();
    std::fs::copy(desk.path("form0"), desk.path("keys/primary.pem")).unwrap();
    let error = desk.fails("open -c x sealed -k keys");
    assert!(error.contains("primary.pem: ") && error.contains("`twinseal import`"), "{error}");
    // In DER.
    for (file, key) in [("dave", dave()), ("alice", alice())] {
        for (ending, line) in [("pem", "open -c x sealed -k der"), ("pub", "seal -c x in -r der")] {
            let text = String::from_utf8(desk.read(&format!("{file}.{ending}"))).unwrap();
            let document = twinseal::key_files::PemDocument::split(&text).unwrap()[0];
            desk.write("der", document.decode().unwrap());
            let error = desk.fails(line);
            assert!(error.contains("in DER, not in PEM, but"), "{error}");
            assert_eq!(error.contains("`twinseal import`"), file == "dave", "{error}");
            let found = inspected(&desk, "der");
            assert_eq!(
                (&found["keys"][0]["key_id"], &found["keys"][0]["encoding"]),
                (&key["key_id"], &json!("DER"))
            );
        }
    }
}

/// A private key to sign with that has no seed is good, and cannot become a key file.
#[test]
fn an_expanded_key_is_called_so() {
    let desk = desk();
    let key = signing_key(3);
    let (seed, ec) = key.secret_bytes().split_at(32);
    let expanded =
        ml_dsa::ExpandedSigningKey::<ml_dsa::MlDsa87>::from_seed(&seed.try_into().unwrap());
    #[expect(deprecated, reason = "other software writes it")]
    let content = [&expanded.to_expanded()[..], &ec[7..55]].concat();
    desk.write("expanded.der", pkcs8(&composite_oid(), &content));
    let found = inspected(&desk, "expanded.der")["keys"][0].take();
    assert!(found["advice"].as_str().unwrap().starts_with("no seed"), "{found}");
    desk.write("expanded", pem("PRIVATE KEY", &pkcs8(&composite_oid(), &content)));
    let error = desk.fails("sign -c x in -k expanded");
    assert!(error.contains("(expanded, without its seed); no seed can be computed"), "{error}");
    assert!(!error.contains("import") && !error.contains("new key"), "{error}");
    let found = inspected(&desk, "expanded")["keys"][0].take();
    assert_eq!(found["key_id"], alice()["key_id"]);
    // A key that is wrong in every form is not called good, and its fault is named.
    desk.write("wrong", pem("PRIVATE KEY", &pkcs8(&composite_oid(), &content[..4943])));
    for line in ["sign -c x in -k wrong", "inspect wrong"] {
        let error = desk.fails(line);
        assert!(
            !error.contains("twinseal import") && !error.contains("new one"),
            "{line}: {error}"
        );
    }
}

#[test]
fn encrypted_keys_certificates_and_requests_are_named() {
    let desk = desk();
    let little = Scrypt::new(1 << 4, 8, 1).unwrap();
    let encrypted = signing_key(3).to_encrypted_pem_with(PASSPHRASE, little).unwrap();
    desk.write("alice.key", encrypted);
    let bob = kem_key(KemSuite::X25519_ML_KEM_1024, 1);
    desk.write("bob.key", bob.to_encrypted_pem_with(PASSPHRASE, little).unwrap());
    let unknown = json!({ "suite": null, "suite_id": null, "key_id": null });
    for file in ["alice.key", "bob.key"] {
        let expected = json!({ "kind": "encrypted_private_key", "keys": [unknown] });
        assert_eq!(inspected(&desk, file), expected);
        let shown = String::from_utf8(desk.prints(&format!("inspect {file}"))).unwrap();
        assert!(shown.contains("private key under a passphrase\n"), "{shown}");
        let error = desk.fails(&format!("seal -c x in -r {file}"));
        assert!(error.contains("it is an encrypted private key, but a recipient's"), "{error}");
        // Whether it is the named one is not known.
        let line = format!("inspect --in-use {} {file}", "00".repeat(16));
        assert!(message(1, &ended(desk.command(&line))).contains("under a passphrase"));
    }

    let arguments = "--subject CN=Alice --name dns:alice.example -k alice.pem";
    desk.prints(&format!("certificate {arguments} -o alice.crt"));
    desk.prints("certificate --request --subject CN=Alice -k alice.pem -o alice.csr");
    let mut found = inspected(&desk, "alice.crt");
    assert_eq!(found["kind"], "signing_certificate");
    let certificate = found["keys"][0].take();
    assert_eq!(certificate["key_id"], alice()["key_id"]);
    assert_eq!(
        (&certificate["subject"], &certificate["issuer"]),
        (&json!("CN=Alice"), &json!("CN=Alice"))
    );
    assert_eq!(certificate["names"], json!(["dns:alice.example"]));
    assert!(certificate["not_after"].as_str().unwrap().ends_with('Z'));
    let found = inspected(&desk, "alice.csr");
    assert_eq!(found["kind"], "certificate_request");
    assert_eq!(
        (&found["keys"][0]["subject"], &found["keys"][0]["key_id"]),
        (&json!("CN=Alice"), &alice()["key_id"])
    );

    // A retired key is in use by its certificate, and perhaps by a key under a passphrase.
    let id = signing_key(3).verifying_key().key_id().to_string();
    std::fs::create_dir(desk.path("tree")).unwrap();
    std::fs::rename(desk.path("alice.crt"), desk.path("tree/alice.crt")).unwrap();
    let listed =
        |id: &str| ended(desk.command(&format!("inspect --recursive --json --in-use {id} tree")));
    assert_eq!(listed(&id).status.code(), Some(3));
    let other = "00".repeat(16);
    assert_eq!(listed(&other).status.code(), Some(0));
    std::fs::rename(desk.path("bob.key"), desk.path("tree/bob.key")).unwrap();
    let output = listed(&other);
    assert!(message(1, &output).contains("1 file has a key under a passphrase"));
    let last = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    for (name, count) in [("key_files", 1), ("encrypted_key_files", 1), ("certificates", 1)] {
        assert_eq!(summary[name], count, "{summary}");
    }
    assert_eq!(ended(desk.command("inspect --recursive tree")).status.code(), Some(0));
}

/// An encrypted key of other software may be of any algorithm.
#[test]
fn keys_that_others_encrypted() {
    let desk = desk();
    let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"; // PBES2
    let encrypted = tlv(0x30, &[&tlv(0x30, &[oid, &tlv(0x30, &[])]), &tlv(0x04, &[&[7; 80]])]);
    desk.write("key", pem("ENCRYPTED PRIVATE KEY", &encrypted));
    for line in ["open -c x sealed -k key", "sign -c x in -k key", "public key", "inspect key"] {
        let error = desk.fails(line);
        assert!(error.contains("it is an encrypted private key (PKCS#8)"), "{line}: {error}");
        assert!(error.contains("`twinseal import`"), "{line}: {error}");
    }
    let error = desk.fails("seal -c x in -r key");
    assert!(!error.contains("twinseal import"), "{error}");
}
