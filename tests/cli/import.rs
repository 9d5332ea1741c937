//! Does `import` write every form of a key of other software as the one form of twinseal, and refuse what is not
//! such a key?

use pkcs5::{EncryptionScheme, pbes2::Parameters};
use pkcs8::der::Encode;
use twinseal::{DecapsulationKey, SigningKey};

#[cfg(target_os = "linux")]
use crate::terminal::Terminal;
use crate::{
    common::{
        der::{composite_oid, pem, pkcs8, pkcs8_of, spki, tlv},
        keys::{P384, X25519, kem_key, signing_key},
        process::ended,
    },
    desk::Desk,
};

/// The keys of this file, and the object identifiers of their suites in DER.
fn erin() -> (DecapsulationKey, Vec<u8>) {
    (kem_key(P384, 70), tlv(0x06, &[b"\x2b\x06\x01\x05\x05\x07\x06\x3f"]))
}

fn dave() -> (SigningKey, Vec<u8>) {
    (signing_key(71), composite_oid())
}

/// Length of the RFC 5915 structure at the end of each canonical private key.
const EC: usize = 64;

const POINT: usize = 97;

/// RFC 5915 with curve and public key, from the form without.
fn with_point(ec: &[u8], public: &[u8]) -> Vec<u8> {
    let (_, point) = public.split_at(public.len() - POINT);
    let point = tlv(0xa1, &[&tlv(0x03, &[&[0], point])]);
    tlv(0x30, &[&ec[2..], &point])
}

fn compressed(public: &[u8]) -> Vec<u8> {
    let (post_quantum, point) = public.split_at(public.len() - POINT);
    let sign = 2 | point[POINT - 1] & 1;
    [post_quantum, &[sign], &point[1..49]].concat()
}

/// The forms of a private key, from its algorithm, the content of its canonical file and its public key.
fn private_forms(oid: &[u8], content: &[u8], public: &[u8]) -> Vec<Vec<u8>> {
    let algorithm = tlv(0x30, &[oid]);
    let (seed, ec) = content.split_at(content.len() - EC);
    let long = [seed, &with_point(ec, public)].concat();
    let scalar = [seed, &ec[7..55]].concat();
    let attribute = tlv(0x30, &[b"\x06\x03\x55\x04\x03", &tlv(0x31, &[&tlv(0x0c, &[b"a key"])])]);
    let attributes = tlv(0xa0, &[&attribute]);
    let stated = tlv(0x81, &[&[0], public]);
    vec![
        pkcs8(oid, content),
        pkcs8(oid, &long),
        pkcs8(oid, &scalar),
        pkcs8_of(0, &algorithm, content, &attributes),
        pkcs8_of(1, &algorithm, content, &[&attributes[..], &stated].concat()),
    ]
}

/// The file that a run wrote, after which it is removed.
fn written(desk: &Desk, line: &str, id: impl std::fmt::Display) -> String {
    let printed = desk.prints(&format!("-q import {line} -o out.pem"));
    assert_eq!(String::from_utf8(printed).unwrap(), format!("{id}\n"), "{line}");
    let text = String::from_utf8(desk.read("out.pem")).unwrap();
    std::fs::remove_file(desk.path("out.pem")).unwrap();
    text
}

#[test]
fn every_form_of_a_private_key_is_the_same_key() {
    let desk = Desk::new();
    let check = |forms: &[Vec<u8>], octets: &[Vec<u8>], suite: &str, canonical: &str, id: &str| {
        for form in forms {
            desk.write("key", form);
            assert_eq!(written(&desk, "key", id), canonical);
            desk.write("key", format!("A key:\r\n{}", pem("PRIVATE KEY", form)));
            assert_eq!(written(&desk, "key", id), canonical);
        }
        for octets in octets {
            desk.write("key", octets);
            assert_eq!(written(&desk, &format!("--suite {suite} key"), id), canonical);
        }
    };

    let (key, oid) = dave();
    let (content, public) = (key.secret_bytes(), key.verifying_key().as_bytes());
    let forms = private_forms(&oid, content, public);
    let octets = [content.to_vec(), [&content[..32], &with_point(&content[32..], public)].concat()];
    let id = key.verifying_key().key_id().to_string();
    check(&forms, &octets, "id-MLDSA87-ECDSA-P384-SHA512", key.to_pem().as_str(), &id);

    let (key, oid) = erin();
    let public = key.encapsulation_key().as_bytes();
    let der = key.to_pkcs8_der().unwrap();
    let content = &der.as_bytes()[der.as_bytes().len() - 128..];
    let mut forms = private_forms(&oid, content, public);
    forms.push(pkcs8(&oid, &[70; 32]));
    let octets = [content.to_vec(), vec![70; 32]];
    let id = key.encapsulation_key().key_id().to_string();
    check(&forms, &octets, "mlkem1024-p384", key.to_pem().as_str(), &id);
    let old = [&P384.id().to_be_bytes()[..], &[70; 32]].concat();
    desk.write("key", pem("TWINSEAL KEM PRIVATE KEY", &old));
    assert_eq!(written(&desk, "key", &id), key.to_pem().as_str());

    // A key of twinseal itself, and the suite without an object identifier.
    assert_eq!(
        written(&desk, "alice.pem", signing_key(3).verifying_key().key_id()).as_bytes(),
        desk.read("alice.pem")
    );
    desk.write("key", [1; 32]);
    let bob = kem_key(X25519, 1).encapsulation_key().key_id();
    assert_eq!(
        written(&desk, "--suite x25519-ml-kem-1024 key", bob).as_bytes(),
        desk.read("bob.pem")
    );
}

#[test]
fn every_form_of_a_public_key_is_the_same_key() {
    let desk = Desk::new();
    let check = |oid: &[u8], public: &[u8], suite: &str, canonical: &str| {
        for octets in [public.to_vec(), compressed(public)] {
            let der = spki(&tlv(0x30, &[oid]), 0, &octets);
            for file in [der.clone(), pem("PUBLIC KEY", &der).into_bytes()] {
                desk.write("key", file);
                assert_eq!(desk.prints("import key"), canonical.as_bytes());
                assert_eq!(desk.prints("import key -o out.pub"), b"");
                assert_eq!(desk.read("out.pub"), canonical.as_bytes());
            }
            desk.write("key", octets);
            assert_eq!(desk.prints(&format!("import --suite {suite} key")), canonical.as_bytes());
        }
    };
    let (key, oid) = dave();
    let key = key.verifying_key();
    check(&oid, key.as_bytes(), "id-MLDSA87-ECDSA-P384-SHA512", &key.to_pem());
    let (key, oid) = erin();
    let key = key.encapsulation_key();
    check(&oid, key.as_bytes(), "MLKEM1024-P384", &key.to_pem());
    let old = [&P384.id().to_be_bytes()[..], key.as_bytes()].concat();
    desk.write("key", pem("TWINSEAL KEM PUBLIC KEY", &old));
    assert_eq!(desk.prints("import key"), key.to_pem().as_bytes());
}

/// It is a good key, and no message says otherwise.
#[test]
fn a_key_without_its_seed_is_called_what_it_is() {
    let desk = Desk::new();
    let (key, oid) = dave();
    let (seed, ec) = key.secret_bytes().split_at(32);
    let expanded =
        ml_dsa::ExpandedSigningKey::<ml_dsa::MlDsa87>::from_seed(&seed.try_into().unwrap());
    #[expect(deprecated, reason = "other software writes it")]
    let mut octets = [&expanded.to_expanded()[..], &ec[7..55]].concat();
    let files = |octets: &[u8]| {
        let der = pkcs8(&oid, octets);
        desk.write("key.pem", pem("PRIVATE KEY", &der));
        desk.write("key.der", der);
        desk.write("key.raw", octets);
    };
    files(&octets);
    for line in ["key.pem", "key.der", "--suite id-MLDSA87-ECDSA-P384-SHA512 key.raw"] {
        let error = desk.fails(&format!("-q import -o out.pem {line}"));
        assert!(
            error.contains("a good private key") && error.contains("export the key with its seed"),
            "{error}"
        );
        assert!(!error.contains("invalid") && !error.contains("make"), "{error}");
    }
    octets[4000] ^= 1;
    files(&octets);
    for line in ["key.pem", "key.der", "--suite id-MLDSA87-ECDSA-P384-SHA512 key.raw"] {
        assert!(!desk.fails(&format!("-q import -o out.pem {line}")).contains("good"));
    }
}

#[test]
fn only_the_expected_key_is_written() {
    let desk = Desk::new();
    let (key, oid) = dave();
    desk.write("key", pkcs8(&oid, key.secret_bytes()));
    let id = key.verifying_key().key_id();
    key.write_pem_file(desk.path("dave.pem")).unwrap();
    desk.write("dave.pub", key.verifying_key().to_pem());
    desk.write("hello", "hello");
    desk.write("dave.der", key.verifying_key().to_spki_der().unwrap());
    desk.write("dave.crt", desk.prints("certificate -k dave.pem --subject CN=Dave"));
    let upper = id.to_string().to_uppercase();
    for expected in [&*id.to_string(), &upper, "dave.pub", "dave.der", "dave.crt"] {
        assert_eq!(written(&desk, &format!("--expect {expected} key"), id), key.to_pem().as_str());
    }
    let alice = signing_key(3).verifying_key().key_id();
    for (expected, reason) in [
        (&*alice.to_string(), "its key id is"),
        ("alice.pub", "its key id is"),
        ("bob.pub", "its key id is"),
        ("key.sig", "key.sig: no such file"),
        ("0123", "0123: no such file; a key id has 32"),
        ("hello", "hello: it is something else; --expect takes"),
    ] {
        let error = desk.fails(&format!("-q import -o out.pem --expect {expected} key"));
        assert!(error.contains(reason), "{error}");
    }
    let error = desk.fails_with(2, "import -o out.pem --expect - -");
    assert!(error.contains("read twice"), "{error}");
    let line = format!("import -o out.pem --expect {id} --unauthenticated key");
    assert_eq!(ended(desk.command(&line)).status.code(), Some(2));
}

#[test]
fn private_keys_are_written_as_those_of_keygen() {
    let desk = Desk::new();
    let (key, oid) = dave();
    desk.write("key", pkcs8(&oid, key.secret_bytes()));
    key.write_pem_file(desk.path("dave.pem")).unwrap();
    let error = desk.fails("-q import key");
    assert!(error.contains("name a file with -o"), "{error}");
    let error = desk.fails("-q import key -o bob.pem");
    assert!(error.contains("bob.pem: "), "{error}");
    let output = ended(desk.command("import dave.pem -o out.pem"));
    assert_eq!(output.status.code(), Some(0));
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(note.contains("out.pem: ") && note.contains("keep it secret"), "{note}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(desk.path("out.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    desk.prints_given("-q import - -o piped.pem", &desk.read("key"));
    assert_eq!(desk.read("piped.pem"), desk.read("out.pem"));
    let error = desk.fails("import bob.pub -o bob.pub");
    assert!(error.contains("both read and written"), "{error}");
}

#[test]
fn everything_else_is_refused_and_named() {
    let desk = Desk::new();
    let (key, oid) = dave();
    let (content, public) =
        (key.secret_bytes(), signing_key(3).verifying_key().as_bytes().to_vec());
    key.write_pem_file(desk.path("dave.pem")).unwrap();
    let stated = tlv(0x81, &[&[0], &public]);
    let files: [(&str, Vec<u8>, &str); 16] = [
        ("mixed", pkcs8_of(1, &tlv(0x30, &[&oid]), content, &stated), "another private key"),
        ("short", pkcs8(&oid, &content[1..]), "invalid signing key"),
        ("parameters", pkcs8_of(0, &tlv(0x30, &[&oid, &[5, 0]]), content, b""), "parameters"),
        (
            "rsa",
            pkcs8(&tlv(0x06, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"]), content),
            "an RSA private key",
        ),
        (
            "crt",
            desk.prints("certificate -k dave.pem --subject CN=Dave"),
            "certificate; `verify -p` takes",
        ),
        (
            "csr",
            desk.prints("certificate --request -k dave.pem --subject CN=Dave"),
            "certificate request; an authority",
        ),
        ("two", [desk.read("bob.pub"), desk.read("carol.pub")].concat(), "it holds 2 "),
        ("empty", Vec::new(), "empty"),
        ("text", b"hello".to_vec(), "--suite"),
        ("raw", content.to_vec(), "--suite"),
        ("der", pkcs8(&oid, content)[..100].to_vec(), "cut off: only 100 of"),
        ("cut", desk.read("alice.pem")[..100].to_vec(), "damaged"),
        ("wide", [255, 254, 45, 0].to_vec(), "UTF-16"),
        ("new", pem("TWINSEAL NEW KEY", b"anything").into_bytes(), "something else"),
        ("unknown", pem("TWINSEAL KEM PUBLIC KEY", &[0xff; 99]).into_bytes(), "unknown KEM suite"),
        ("sealed", desk.prints_given("seal -r bob.pub -c x", b"hello"), "a sealed file"),
    ];
    for (name, content, reason) in files {
        desk.write(name, content);
        let error = desk.fails(&format!("-q import -o out.pem {name}"));
        assert!(error.contains(&format!("{name}: ")) && error.contains(reason), "{name}: {error}");
        assert!(!error.contains("make a"), "{name}: {error}");
    }
    for (name, reason) in [
        ("alice.pem", "a private key to sign with, not the bare octets"),
        ("text", "not the octets of a key of MLKEM1024-P384"),
        ("empty", "empty"),
    ] {
        let error = desk.fails(&format!("-q import --suite MLKEM1024-P384 -o out.pem {name}"));
        assert!(error.contains(&format!("{name}: ")) && error.contains(reason), "{name}: {error}");
    }
    desk.fails("import missing -o out.pem");
    assert_eq!(ended(desk.command("import --suite RSA bob.pub")).status.code(), Some(2));
}

/// Of [`encrypted`].
pub(crate) const IV: [u8; 16] = [9; 16];

/// PBES2 as OpenSSL writes it, with little work.
pub(crate) fn encrypted(content: &[u8], passphrase: &str) -> Vec<u8> {
    let parameters = Parameters::generate_pbkdf2_sha256_aes128cbc(1000, &[7; 16], IV).unwrap();
    let data = parameters.encrypt(passphrase, content).unwrap();
    tlv(0x30, &[&EncryptionScheme::from(parameters).to_der().unwrap(), &tlv(0x04, &[&data])])
}

#[test]
fn encrypted_keys_say_whose_they_are_or_it_is_named() {
    let desk = Desk::new();
    let (key, oid) = dave();
    let algorithm = tlv(0x30, &[&oid]);
    let public = key.verifying_key();
    let id = public.key_id();
    let local_key_id = |id: &[u8]| {
        let values = tlv(0x31, &[&tlv(0x04, &[id])]);
        tlv(0xa0, &[&tlv(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15", &values])])
    };
    let stated = tlv(0x81, &[&[0], public.as_bytes()]);
    let content =
        |version, behind: &[u8]| pkcs8_of(version, &algorithm, key.secret_bytes(), behind);
    let unstated = encrypted(&content(0, b""), "secret");
    desk.write("passphrase", "secret\n");
    desk.write("wrong", "secret ");
    desk.write("dave.pub", public.to_pem());
    desk.write("key", pem("ENCRYPTED PRIVATE KEY", &unstated));
    desk.write("key.der", &unstated);
    desk.write(
        "named",
        pem(
            "ENCRYPTED PRIVATE KEY",
            &encrypted(&content(0, &local_key_id(id.as_bytes())), "secret"),
        ),
    );
    desk.write("public", pem("ENCRYPTED PRIVATE KEY", &encrypted(&content(1, &stated), "secret")));
    desk.write(
        "other",
        pem("ENCRYPTED PRIVATE KEY", &encrypted(&content(0, &local_key_id(&[7; 16])), "secret")),
    );

    for line in [
        "named",
        "public",
        "--unauthenticated key",
        "--unauthenticated key.der",
        "--expect dave.pub key",
        &format!("--expect {id} key"),
        &format!("--expect {id} named"),
    ] {
        let line = format!("--scrypt 16,8,1 --passphrase-file passphrase {line}");
        let text = written(&desk, &line, id);
        let again = SigningKey::from_encrypted_pem(&text, "secret").unwrap();
        assert_eq!(again.verifying_key(), public);
    }
    // A key that nothing authenticates is taken with a warning, whether or not it says whose it is.
    for (line, warns) in [
        ("--unauthenticated key", true),
        ("--unauthenticated named", true),
        ("--expect dave.pub key", false),
        ("-q --unauthenticated key", false),
    ] {
        let line = format!("import --scrypt 16,8,1 --passphrase-file passphrase -o out.pem {line}");
        let output = ended(desk.command(&line));
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8(output.stderr).unwrap();
        let warned = said.contains(": with --unauthenticated, a key that somebody changed");
        assert_eq!(warned, warns, "{line}: {said}");
        std::fs::remove_file(desk.path("out.pem")).unwrap();
    }
    let error = desk.fails_with(2, "import --scrypt 16,8,1 -o out.pem alice.pem");
    assert!(error.contains("not encrypted"), "{error}");
    for (line, reason) in [
        ("key", "--expect"),
        ("key.der", "--expect"),
        ("--expect alice.pub key", "--expect"),
        ("--expect alice.pub named", "--expect"),
        ("--unauthenticated other", "wrong passphrase"),
        ("other", "wrong passphrase"),
        ("--passphrase-file wrong named", "wrong passphrase"),
    ] {
        let given = if line.contains("wrong") { "" } else { "--passphrase-file passphrase" };
        let error = desk.fails(&format!("-q import -o out.pem {given} {line}"));
        assert!(error.contains(reason) && !error.contains("secret"), "{line}: {error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_passphrase_is_asked_for_once_and_not_for_a_file_that_cannot_be_read() {
    let desk = Desk::new();
    let (key, oid) = dave();
    let der = encrypted(&pkcs8(&oid, key.secret_bytes()), "sesame");
    desk.write("key", &der);
    let line = "twinseal import --scrypt 16,8,1 --unauthenticated -o out.pem key";
    let Some(mut terminal) = Terminal::new(&desk, line) else { return };
    terminal.wait_for("Passphrase of key: ");
    terminal.type_keys("sesame\n");
    let (shown, code) = terminal.end();
    assert_eq!((code, shown.matches("Passphrase").count()), (Some(0), 1), "{shown}");
    assert!(!shown.contains("sesame") && shown.contains("the same passphrase"), "{shown}");
    let text = desk.text("out.pem");
    assert!(SigningKey::from_encrypted_pem(&text, "sesame").is_ok());

    desk.write("key", &der[..der.len() - 3]);
    desk.fails("import -o again.pem key");
    // Another derivation of keys from passphrases.
    let place = der.windows(9).position(|bytes| bytes == b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c");
    let mut unknown = der.clone();
    unknown[place.unwrap() + 8] = 0x63;
    desk.write("key", unknown);
    let error = desk.fails("import -o again.pem key");
    assert!(error.contains("key: ") && !error.contains("terminal"), "{error}");
}
