//! Do `sign` and `verify` work, also with keys and signatures of other software?

use std::fs;

use base64::{Engine, prelude::BASE64_STANDARD};
use twinseal::{Signature, SigningKey, VerifyingKey};
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

use crate::{
    common::{
        keys::{COMPOSITE, CTX, signing_key},
        process::ended,
        vectors,
    },
    desk::{Desk, data, given, message},
};

/// A field of the LAMPS working group's vector.
fn vector(field: &str) -> Vec<u8> {
    vectors::value(include_str!("../vectors/sign-0001.txt"), field)
}

/// PEM as other software writes it.
fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn key_of_certificate() -> Vec<u8> {
    let certificate = Certificate::from_der(&vector("certificate")).unwrap();
    certificate.tbs_certificate().subject_public_key_info().to_der().unwrap()
}

#[test]
fn the_official_vector_is_read_and_written() {
    let desk = Desk::new();
    let private = pem("PRIVATE KEY", &vector("pkcs8"));
    let public = pem("PUBLIC KEY", &key_of_certificate());
    desk.write("official.pem", &private);
    desk.write("official.pub", &public);
    desk.write("message", vector("message"));
    desk.write("official.sig", vector("signature"));
    let context = String::from_utf8(vector("context")).unwrap();

    assert_eq!(desk.prints("-q public official.pem"), public.as_bytes());

    let verify = |signature| {
        let arguments =
            ["verify", "-p", "official.pub", "-c", &context, "-s", signature, "message"];
        let output = ended(desk.command_with(&arguments));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        let key = VerifyingKey::from_spki_der(&key_of_certificate()).unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            format!("message: signed by {}\n", key.key_id())
        );
    };
    verify("official.sig");
    let sign = ["-q", "sign", "-k", "official.pem", "-c", &context, "-o", "our.sig", "message"];
    assert!(ended(desk.command_with(&sign)).status.success());
    verify("our.sig");

    // Our keys have the same bytes as those in the certificate and the PKCS#8 of the vector.
    desk.prints("-q keygen --sign -o ours.pem");
    desk.prints("public ours.pem -o ours.pub");
    let key = SigningKey::read_pem_file(desk.path("ours.pem")).unwrap();
    let mut pkcs8 = vector("pkcs8");
    let secret = pkcs8.len() - 96;
    pkcs8[secret..].copy_from_slice(key.secret_bytes());
    assert_eq!(desk.read("ours.pem"), pem("PRIVATE KEY", &pkcs8).into_bytes());
    let mut spki = key_of_certificate();
    let point = spki.len() - 2689;
    spki[point..].copy_from_slice(key.verifying_key().as_bytes());
    assert_eq!(desk.read("ours.pub"), pem("PUBLIC KEY", &spki).into_bytes());
}

#[test]
fn files_and_streams_of_any_length() {
    let desk = Desk::new();
    let context = str::from_utf8(CTX).unwrap();
    let key = signing_key(3);
    for length in [0, 1, 65_536, 3_000_000] {
        let content = data(length);
        desk.write("in", &content);
        desk.prints(&format!("sign -k alice.pem -c {context} -o sig in"));
        let signature = Signature::from_bytes(COMPOSITE, &desk.read("sig")).unwrap();
        key.verifying_key().verify(CTX, &content, &signature).unwrap();

        desk.write("sig", desk.prints_given(&format!("sign -k alice.pem -c {context}"), &content));
        desk.prints(&format!("verify -p alice.pub -c {context} -s sig in"));
        desk.prints_given(&format!("verify -p alice.pub -c {context} -s sig"), &content);

        desk.write("sig", key.sign(CTX, &content).unwrap().as_bytes());
        desk.prints(&format!("verify -p alice.pub -c {context} -s sig in"));
    }
}

#[test]
fn what_does_not_verify_is_refused() {
    let desk = Desk::new();
    desk.write("in", "hello");
    desk.write("other", "hullo");
    desk.write("empty", "");
    desk.prints("sign -k alice.pem -c x -o sig in");
    desk.write("mallory.pub", signing_key(4).verifying_key().to_pem());
    for line in [
        "verify -p alice.pub -c y -s sig in",
        "verify -p alice.pub -c x -s sig other",
        "verify -p alice.pub -c x -s sig empty",
        "verify -p mallory.pub -c x -s sig in",
    ] {
        let error = desk.fails(line);
        assert!(error.contains("the signature does not verify"), "{error}");
        assert!(error.contains("do not use the file"), "{error}");
    }
    let signature = desk.read("sig");
    let half = 4627;
    for place in [0, half - 1, half + 8, signature.len() - 1] {
        let mut changed = signature.clone();
        changed[place] ^= 1;
        desk.write("changed", changed);
        desk.fails("verify -p alice.pub -c x -s changed in");
    }
    for length in [0, 1, half, signature.len() - 1] {
        desk.write("cut", &signature[..length]);
        let error = desk.fails("verify -p alice.pub -c x -s cut in");
        assert!(error.contains("cut: it is "), "{error}");
    }
    for file in ["in", "alice.pub", "missing"] {
        let error = desk.fails(&format!("verify -p alice.pub -c x -s {file} in"));
        assert!(error.contains(&format!("{file}: ")), "{error}");
    }
    assert!(desk.fails("verify -p alice.pub -c x -s sig missing").contains("missing: "));
    let output = given(desk.spawn("verify -p alice.pub -c x -s sig"), b"hullo");
    assert!(message(1, &output).contains("standard input: the signature does not verify"));
    let error = desk.fails_with(2, "verify -p alice.pub -c twinseal/x -s sig in");
    assert!(error.contains("invalid context (-c)"), "{error}");
}

#[test]
fn one_of_several_signers_is_named() {
    let desk = Desk::new();
    let (alice, dave) = (signing_key(3), signing_key(4));
    desk.write("in", "hello");
    desk.write("dave.pub", dave.verifying_key().to_pem());
    let bundle = alice.verifying_key().to_pem() + &dave.verifying_key().to_pem();
    desk.write("both.pub", bundle);
    fs::create_dir(desk.path("signers")).unwrap();
    for name in ["alice", "dave"] {
        fs::copy(desk.path(&format!("{name}.pub")), desk.path(&format!("signers/{name}.pem")))
            .unwrap();
    }
    desk.write("sig", dave.sign(b"x", b"hello").unwrap().as_bytes());
    let said = format!("in: signed by {}\n", dave.verifying_key().key_id());
    for keys in ["-p alice.pub -p dave.pub", "-p both.pub", "-p signers", "-p dave.pub -p signers"]
    {
        let printed = desk.prints(&format!("verify {keys} -c x -s sig in"));
        assert_eq!(String::from_utf8(printed).unwrap(), said);
    }
    desk.fails("verify -p alice.pub -c x -s sig in");

    fs::create_dir(desk.path("nobody")).unwrap();
    let error = desk.fails("verify -p nobody -c x -s sig in");
    assert!(error.contains("nobody: ") && error.contains("named *.pem"), "{error}");
    fs::copy(desk.path("dave.pub"), desk.path("signers/erin.pem")).unwrap();
    let error = desk.fails("verify -p signers -c x -s sig in");
    let reason = "signers: dave.pem and erin.pem hold the same key; remove one of them";
    assert!(error.contains(reason), "{error}");
}

/// Two keys with an equal half: which of them it is, is for whoever runs the command to say.
#[test]
fn signers_with_an_equal_half_are_refused() {
    let desk = Desk::new();
    let (alice, other) = (signing_key(3), signing_key(4));
    let copied = VerifyingKey::from_halves(
        COMPOSITE,
        alice.verifying_key().halves().post_quantum,
        other.verifying_key().halves().traditional,
    );
    let copied = copied.unwrap().to_pem();
    desk.write("in", "hello");
    desk.write("sig", alice.sign(b"x", b"hello").unwrap().as_bytes());
    desk.write("mallory.pub", &copied);
    desk.write("both.pub", alice.verifying_key().to_pem() + &copied);
    fs::create_dir(desk.path("signers")).unwrap();
    for name in ["alice", "mallory"] {
        let to = desk.path(&format!("signers/{name}.pem"));
        fs::copy(desk.path(&format!("{name}.pub")), to).unwrap();
    }
    let reason = "two different keys have the same ML-DSA-87 half";
    for (code, keys, said) in [
        (1, "-p signers", "signers/mallory.pem and alice.pem: invalid keyring: "),
        (2, "-p alice.pub -p mallory.pub", "-p: invalid keyring: "),
        (2, "-p both.pub", "-p: invalid keyring: "),
    ] {
        let error = desk.fails_with(code, &format!("verify {keys} -c x -s sig in"));
        assert!(error.contains(&format!("{said}{reason}")), "{error}");
    }
    let error = desk.fails("verify -p signers -c x -s sig in");
    assert!(error.trim_end().ends_with("half; remove one of them"), "{error}");
    desk.prints("verify -p alice.pub -c x -s sig in");
}

#[cfg(feature = "experimental-falcon")]
#[test]
fn keys_of_the_experimental_suite_work() {
    let desk = Desk::new();
    desk.write("in", "hello");
    desk.prints("-q keygen --sign --suite experimental-ECDSA-P384-Falcon-1024 -o falcon.pem");
    desk.prints("public falcon.pem -o falcon.pub");
    desk.prints("sign -k falcon.pem -c x -o sig in");
    desk.prints("verify -p falcon.pub -c x -s sig in");
    desk.prints("verify -p alice.pub -p falcon.pub -c x -s sig in");
    desk.fails("verify -p alice.pub -c x -s sig in");
    desk.prints("sign -k alice.pem -c x -o sig in");
    desk.prints("verify -p falcon.pub -p alice.pub -c x -s sig in");
}
