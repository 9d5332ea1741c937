//! Are keys of other software described by their algorithm and form?

use crate::{
    common::der::{ec_private_key, pem, pkcs8, pkcs8_of, spki, tlv},
    desk::Desk,
};

/// An object identifier in DER, from its dotted form.
fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u32> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = vec![(arcs[0] * 40 + arcs[1]) as u8];
    for arc in &arcs[2..] {
        let digits: Vec<u8> = (0..5).map(|digit| (arc >> (7 * digit)) as u8 & 0x7f).collect();
        let length = digits.iter().rposition(|digit| *digit != 0).unwrap_or_default() + 1;
        let digits = digits[..length].iter().enumerate().rev();
        content.extend(digits.map(|(index, digit)| digit | if index > 0 { 0x80 } else { 0 }));
    }
    tlv(0x06, &[&content])
}

const EC: &str = "1.2.840.10045.2.1";

/// Algorithms by their identifiers, and their names in messages.
const ALGORITHMS: [(&str, &str); 11] = [
    ("1.2.840.113549.1.1.1", "an RSA "),
    ("1.3.101.110", "an X25519 "),
    ("1.3.101.112", "an Ed25519 "),
    ("1.3.101.113", "an Ed448 "),
    ("2.16.840.1.101.3.4.4.2", "an ML-KEM-768 "),
    ("2.16.840.1.101.3.4.4.3", "an ML-KEM-1024 "),
    ("2.16.840.1.101.3.4.3.18", "an ML-DSA-65 "),
    ("2.16.840.1.101.3.4.3.19", "an ML-DSA-87 "),
    ("2.16.840.1.101.3.4.3.24", "an SLH-DSA-SHA2-256s "),
    ("1.3.6.1.5.5.7.6.48", "a composite ML-DSA "),
    ("1.2.3.4.5", "of algorithm 1.2.3.4.5 "),
];

/// Every command says what an undamaged key is, and calls it neither damaged nor another kind.
fn is_called(desk: &Desk, file: &str, is_private: bool, what: &str) {
    let lines = match is_private {
        true => ["inspect KEY", "public KEY", "open -c x in -k KEY", "sign -c x in -k KEY"],
        false => {
            ["inspect KEY", "public KEY", "seal -c x in -r KEY", "verify -c x -s in in -p KEY"]
        }
    };
    for line in lines {
        let error = desk.fails(&line.replace("KEY", file));
        assert!(error.contains(what), "{line}: {what:?} is not in {error}");
        for wrong in ["damaged", "fetch", "key to sign with, but", "key to verify with, but"] {
            assert!(!error.contains(wrong), "{line}: {error}");
        }
    }
}

#[test]
fn keys_of_every_algorithm() {
    let desk = Desk::new();
    desk.write("in", "hello");
    for (dotted, name) in ALGORITHMS {
        let algorithm = oid(dotted);
        desk.write("private", pem("PRIVATE KEY", &pkcs8(&algorithm, &[7; 100])));
        is_called(&desk, "private", true, name);
        desk.write("public", pem("PUBLIC KEY", &spki(&tlv(0x30, &[&algorithm]), 0, &[7; 100])));
        is_called(&desk, "public", false, name);
    }
    for (curve, name) in [
        ("1.2.840.10045.3.1.7", "a P-256 private key (PKCS#8)"),
        ("1.3.132.0.34", "a P-384 private key (PKCS#8)"),
        ("1.3.132.0.10", "a secp256k1 private key (PKCS#8)"),
        ("1.3.132.0.99", "a private key of algorithm 1.3.132.0.99"),
    ] {
        let algorithm = tlv(0x30, &[&oid(EC), &oid(curve)]);
        desk.write("private", pem("PRIVATE KEY", &pkcs8_of(0, &algorithm, &[7; 40], b"")));
        is_called(&desk, "private", true, name);
    }
}

#[test]
fn forms_of_other_software() {
    let desk = Desk::new();
    desk.write("in", "hello");
    let number = |length: usize| tlv(0x02, &[&vec![7; length]]);
    let rsa = tlv(
        0x30,
        &(0..9)
            .map(|_| number(100))
            .collect::<Vec<_>>()
            .iter()
            .map(|it| &it[..])
            .collect::<Vec<_>>(),
    );
    let p384 = tlv(0x30, &[&oid(EC), &oid("1.3.132.0.34")]);
    let key = spki(&p384, 0, &[4; 97]);
    let (sequence, signature) = (tlv(0x30, &[]), tlv(0x03, &[&[0; 50]]));
    let version = tlv(0xa0, &[&tlv(0x02, &[&[2]])]);
    let s = &sequence[..];
    let ecdsa = tlv(0x30, &[&oid("1.2.840.10045.4.3.3")]);
    let validity = tlv(0x30, &[&tlv(0x17, &[b"250101000000Z"]), &tlv(0x17, &[b"490101000000Z"])]);
    let certificate = tlv(0x30, &[&version, &number(8), &ecdsa, s, &validity, s, &key]);
    let certificate = tlv(0x30, &[&certificate, &ecdsa, &signature]);
    let request =
        tlv(0x30, &[&tlv(0x30, &[&tlv(0x02, &[&[0]]), s, &key, &tlv(0xa0, &[])]), s, &signature]);
    let encrypted =
        tlv(0x30, &[&tlv(0x30, &[&oid("1.2.840.113549.1.5.13"), s]), &tlv(0x04, &[&[7; 80]])]);
    let mut ssh = b"openssh-key-v1\0".to_vec();
    for string in ["none", "none", ""] {
        ssh.extend([&(string.len() as u32).to_be_bytes()[..], string.as_bytes()].concat());
    }
    ssh.extend(b"\0\0\0\x01\0\0\0\x33\0\0\0\x0bssh-ed25519\0\0\0\x20");
    ssh.extend([7; 100]);
    let private = [
        ("RSA PRIVATE KEY", &rsa, "an RSA private key (PKCS#1)"),
        ("EC PRIVATE KEY", &ec_private_key(&[7; 48]), "a P-384 private key (SEC1)"),
        ("ENCRYPTED PRIVATE KEY", &encrypted, "an encrypted private key (PKCS#8)"),
        ("OPENSSH PRIVATE KEY", &ssh, "an OpenSSH private key (ssh-ed25519)"),
        (
            "PRIVATE KEY",
            &ec_private_key(&[7; 48]),
            "a P-384 private key (SEC1) under the label PRIVATE KEY",
        ),
    ];
    for (label, content, what) in private {
        desk.write("key", pem(label, content));
        is_called(&desk, "key", true, what);
    }
    let public = [
        ("CERTIFICATE", &certificate, "a P-384 certificate"),
        ("CERTIFICATE REQUEST", &request, "a P-384 certificate request"),
        ("RSA PUBLIC KEY", &tlv(0x30, &[&number(256), &number(3)]), "an RSA public key (PKCS#1)"),
        (
            "PUBLIC KEY",
            &pkcs8(&oid("1.3.101.110"), &[7; 34]),
            "an X25519 private key (PKCS#8) under",
        ),
        ("SOMETHING NEW", &b"anything".to_vec(), "something else (SOMETHING NEW)"),
    ];
    for (label, content, what) in public {
        desk.write("key", pem(label, content));
        is_called(&desk, "key", false, what);
    }
    let (curve, one) = (tlv(0x30, &[]), tlv(0x02, &[&[1]]));
    let explicit = tlv(0x30, &[&one, &curve, &curve, &tlv(0x04, &[&[4; 65]]), &number(32), &one]);
    let unnamed = tlv(0x30, &[&one, &tlv(0x04, &[&[7; 32]]), &tlv(0xa0, &[&explicit])]);
    for (label, content, what) in [
        ("EC PARAMETERS", &explicit, "EC parameters"),
        ("EC PRIVATE KEY", &unnamed, "an EC private key (SEC1)"),
        ("DSA PARAMETERS", &explicit, "DSA parameters"),
    ] {
        desk.write("key", pem(label, content));
        is_called(&desk, "key", true, what);
    }
    let pkcs12 = tlv(0x30, &[&tlv(0x02, &[&[3]]), &curve, &curve]);
    desk.write("key", pkcs12);
    is_called(&desk, "key", true, "a PKCS#12 file in DER");
    // Bare DER.
    for (content, what) in
        [(key, "a P-384 public key (SPKI) in DER"), (rsa, "an RSA private key (PKCS#1) in DER")]
    {
        desk.write("key", content);
        is_called(&desk, "key", true, what);
    }
}

#[test]
fn texts_of_other_software() {
    let desk = Desk::new();
    desk.write("in", "hello");
    let armour = |label: &str, body: &str| {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    let header = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA";
    for (text, what) in [
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE alice".into(), "an OpenSSH public key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n".into(), "an SSH public key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n".into(), "a PuTTY private key"),
        ("# created: today\n# public key: age1x\nAGE-SECRET-KEY-1X\n".into(), "an age private key"),
        ("age1qqqq\n".into(), "an age public key"),
        ("age-encryption.org/v1\n-> X25519 x\n".into(), "a file encrypted by age"),
        ("untrusted comment: minisign public key\nRWQ\n".into(), "a minisign or"),
        (
            r#"{ "kty": "OKP", "crv": "X25519", "x": "a", "d": "b" }"#.into(),
            "a private JSON Web Key (X25519)",
        ),
        (r#"{"keys":[{"kty":"RSA","n":"a","e":"AQAB"}]}"#.into(), "a public JSON Web Key (RSA)"),
        (armour("PGP PUBLIC KEY BLOCK", "Version: 1\n\nmQEN\n=abcd"), "an OpenPGP public key"),
        (armour("PGP PRIVATE KEY BLOCK", "\nlQOY\n=abcd"), "an OpenPGP private key"),
        (armour("RSA PRIVATE KEY", header), "an encrypted private key (RSA PRIVATE KEY)"),
        (armour("AGE ENCRYPTED FILE", "YWdl"), "a file encrypted by age"),
    ] {
        let text: String = text;
        desk.write("key", format!("\u{feff}{text}"));
        is_called(&desk, "key", false, what);
        is_called(&desk, "key", true, what);
    }
}

/// A damaged key is called damaged, whatever its label.
#[test]
fn damaged_keys_of_other_software() {
    let desk = Desk::new();
    desk.write("in", "hello");
    let whole = spki(&tlv(0x30, &[&oid("1.3.101.110")]), 0, &[7; 32]);
    for (content, what) in [
        (
            whole[..whole.len() - 1].to_vec(),
            "its content is truncated: only 43 of 44 bytes are there",
        ),
        ([&whole[..], &[0, 0]].concat(), "its content is followed by 2 more bytes"),
        (b"anything".to_vec(), "line 1: its content is "),
        (tlv(0x30, &[&[5, 0]]), "its label is PUBLIC KEY, but its content is something else"),
    ] {
        desk.write("key", pem("PUBLIC KEY", &content));
        for line in ["inspect key", "seal -c x in -r key", "verify -c x -s in in -p key"] {
            let error = desk.fails(line);
            assert!(error.contains("damaged") && error.contains(what), "{line}: {error}");
        }
    }
}

#[test]
fn messages_are_short() {
    let desk = Desk::new();
    let label = "X".repeat(100_000);
    desk.write("label", format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n"));
    let many: String =
        (0..500).map(|number| pem(&format!("THING {number}"), b"anything")).collect();
    desk.write("many", many);
    desk.write("token", format!(r#"{{"kty": "{label}", "crv": "{label}"}}"#));
    for line in ["inspect label", "public label", "inspect many", "public many", "inspect token"] {
        assert!(desk.fails(line).len() < 1000, "{line}");
    }
    let bundle: String = (0..100)
        .map(|number| {
            crate::common::keys::kem_key(crate::common::keys::X25519, number + 100)
                .to_pem()
                .as_str()
                .to_string()
        })
        .collect();
    desk.write("ring", bundle);
    desk.write("in", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let error = desk.fails("-q open -k ring -c x -o out sealed");
    assert!(error.contains("and 96 more") && error.len() < 1000, "{error}");
}
