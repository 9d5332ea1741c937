//! Tokens that answer with something else: `liar.c` is a module in front of a real one. What a token may do is fail;
//! what it must not do is make a difference between ciphertexts, or make a wrong signature look right.

use std::{env, fs};

use support::{example::Example, process};
use twinseal::envelope::Header;

use crate::tokens::Tokens;

/// Tokens behind the liar, and a key that opens and one that signs.
struct Liar {
    tokens: Tokens,
    module: &'static str,
}

impl Liar {
    fn new(tokens: Tokens, module: &'static str, open: [&str; 2], sign: [&str; 2]) -> Self {
        let mut compile = process::command(env::var_os("CC").unwrap_or("cc".into()));
        compile
            .args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(tokens.path("liar.so"));
        compile.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pkcs11/liar.c")).arg("-ldl");
        let ended = process::ended(compile);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));

        let liar = Self { tokens, module };
        let [post_quantum, traditional] = open.map(|place| liar.place(place, "open"));
        let arguments = [
            "keygen",
            "--post-quantum",
            &post_quantum,
            "--traditional",
            &traditional,
            "-o",
            "open",
        ];
        liar.program("", &arguments).prints();
        let [post_quantum, traditional] = sign.map(|place| liar.place(place, "sign"));
        let arguments = [
            "keygen",
            "--sign",
            "--post-quantum",
            &post_quantum,
            "--traditional",
            &traditional,
            "-o",
            "sign",
        ];
        liar.program("", &arguments).prints();
        fs::write(liar.tokens.path("data"), "hello").unwrap();
        liar.program("", &["seal", "-r", "open.pub.pem", "-c", "test", "-o", "sealed", "data"])
            .prints();
        liar
    }

    fn place(&self, token: &str, key: &str) -> String {
        if token.ends_with(".pem") {
            return token.to_owned();
        }
        self.tokens.uri(token, key).replace(self.module, "liar.so")
    }

    fn program(&self, lie: &str, arguments: &[&str]) -> Example {
        let mut program = self.tokens.program(arguments);
        program.command.env("LIAR_MODULE", self.tokens.path(self.module)).env("LIAR_SAYS", lie);
        program
    }

    fn open(&self, lie: &str, sealed: &str) -> Example {
        self.program(lie, &["open", "-k", "open.halves", "-c", "test", "-o", "opened", sealed])
    }

    fn sign(&self, lie: &str) -> Example {
        self.program(lie, &["sign", "-k", "sign.halves", "-c", "test", "-o", "signature", "data"])
    }

    /// The sealed file with one bit of the post-quantum half of its ciphertext changed.
    fn tampered(&self) -> String {
        let mut sealed = fs::read(self.tokens.path("sealed")).unwrap();
        let header = Header::parse(&sealed).unwrap();
        let ciphertext = header.recipients().next().unwrap().ciphertext().unwrap();
        let half = ciphertext.halves().post_quantum.to_vec();
        let start = sealed.windows(half.len()).position(|window| window == half).unwrap();
        sealed[start + 700] ^= 1;
        fs::write(self.tokens.path("sealed-tampered"), &sealed).unwrap();
        "sealed-tampered".into()
    }

    /// The reason of a failure, without the name of the file.
    fn reason(&self, program: Example) -> String {
        let error = program.refuses();
        error.split_once(": ").unwrap().1.split_once(": ").unwrap().1.to_owned()
    }
}

#[test]
fn a_traditional_half_that_lies() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    let liar = Liar::new(tokens, "softhsm.so", ["open.pem", "first"], ["sign.pem", "first"]);
    liar.open("", "sealed").prints();
    liar.sign("").prints();
    fs::remove_file(liar.tokens.path("opened")).unwrap();
    fs::remove_file(liar.tokens.path("signature")).unwrap();

    let half = "the traditional half of the external key failed";
    for (lie, reason) in [
        ("value:short", "the token's shared secret has 47 bytes, not 48"),
        // Those that ML-KEM's half would forgive are failures here, where every point has an answer.
        ("derive:0x40", "C_DeriveKey failed with CKR_ENCRYPTED_DATA_INVALID"),
        ("derive:0x30", "C_DeriveKey failed with CKR_DEVICE_ERROR"),
        ("derive:0x32", "C_DeriveKey failed with CKR_DEVICE_REMOVED"),
        ("derive:0xb3", "C_DeriveKey failed with CKR_SESSION_HANDLE_INVALID"),
        ("derive:0x101", "C_DeriveKey failed with CKR_USER_NOT_LOGGED_IN"),
        ("derive:0x80000123", "C_DeriveKey failed with the code 0x80000123"),
    ] {
        let error = liar.open(lie, "sealed").refuses();
        assert!(
            error.contains(half) && error.contains("key \"open\"") && error.contains(reason),
            "{lie}: {error}"
        );
        // The same whatever the ciphertext is.
        assert_eq!(
            liar.reason(liar.open(lie, &liar.tampered())),
            liar.reason(liar.open(lie, "sealed")),
            "{lie}"
        );
    }
    for (lie, reason) in [
        ("sign:short", "the token's signature has 95 bytes, not 96"),
        ("sign:0x54", "C_Sign failed with CKR_FUNCTION_NOT_SUPPORTED"),
        ("sign:flip", ""),
    ] {
        let error = liar.sign(lie).refuses();
        assert!(error.contains(half) && error.contains(reason), "{lie}: {error}");
    }
    // A wrong secret of the right length, a tampered ciphertext, and both.
    let reason = liar.reason(liar.open("", &liar.tampered()));
    assert!(reason.contains("opening failed"), "{reason}");
    assert_eq!(liar.reason(liar.open("value:flip", "sealed")), reason);
    assert_eq!(liar.reason(liar.open("value:flip", &liar.tampered())), reason);
    assert!(!liar.tokens.path("opened").exists() && !liar.tokens.path("signature").exists());
}

#[test]
fn a_post_quantum_half_that_lies() {
    let Some(tokens) = Tokens::with_kryoptic() else { return };
    // Only kryoptic is behind the liar: the module of the other half is SoftHSM's own.
    let liar = Liar::new(tokens, "kryoptic.so", ["quantum", "first"], ["quantum", "first"]);
    liar.open("", "sealed").prints();
    liar.sign("").prints();
    fs::remove_file(liar.tokens.path("opened")).unwrap();
    fs::remove_file(liar.tokens.path("signature")).unwrap();

    let half = "the post-quantum half of the external key failed";
    for (lie, reason) in [
        ("value:short", "the token's shared secret has 31 bytes, not 32"),
        ("decapsulate:0x30", "C_DecapsulateKey failed with CKR_DEVICE_ERROR"),
        ("decapsulate:0x101", "C_DecapsulateKey failed with CKR_USER_NOT_LOGGED_IN"),
    ] {
        let error = liar.open(lie, "sealed").refuses();
        assert!(
            error.contains(half) && error.contains("key \"open\"") && error.contains(reason),
            "{lie}: {error}"
        );
    }
    for (lie, reason) in
        [("sign:short", "the token's signature has 4626 bytes, not 4627"), ("sign:flip", "")]
    {
        let error = liar.sign(lie).refuses();
        assert!(error.contains(half) && error.contains(reason), "{lie}: {error}");
    }
    // A complaint about the ciphertext is no oracle: it looks as a tampered ciphertext does at an honest token.
    let reason = liar.reason(liar.open("", &liar.tampered()));
    assert!(reason.contains("opening failed"), "{reason}");
    for lie in [
        "value:flip",
        "decapsulate:0x40",
        "decapsulate:0x41",
        "decapsulate:0x20",
        "decapsulate:0x110",
    ] {
        assert_eq!(liar.reason(liar.open(lie, "sealed")), reason, "{lie}");
        assert_eq!(liar.reason(liar.open(lie, &liar.tampered())), reason, "{lie}");
    }
    assert!(!liar.tokens.path("opened").exists() && !liar.tokens.path("signature").exists());
}
