//! Do the crate and the second implementation, in Python, open each other's fresh requests and answers?

use std::{env, fs, path::Path};

use twinseal::{
    DecapsulationKey, KemSuite, SigningKey,
    request::{AllowReplays, Asked, Pending},
};

use super::compute::{DEFAULT, P384, spec_kem_key, spec_signing_key};
use crate::common::process::{command, ended};

const CTX: &[u8] = b"example.com/exchange/v1";

/// Both parties of requests of one kind, and the directory in which they meet.
struct Exchange<'a> {
    key: DecapsulationKey,
    signer: Option<SigningKey>,
    directory: &'a Path,
}

impl Exchange<'_> {
    fn python(&self, verb: &str) {
        let python = env::var("PYTHON").unwrap_or_else(|_| "python3".into());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/exchange.py");
        let suite = format!("{:04x}", self.key.suite().id());
        let kind = if self.signer.is_some() { "signed" } else { "unsigned" };
        let mut python = command(python);
        python.arg(script).args([verb, &suite, kind]).arg(self.directory);
        let output = ended(python);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.directory.join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.directory.join(name), bytes).unwrap();
    }

    fn request(&self, plaintext: &[u8]) -> (Vec<u8>, Pending) {
        let to = self.key.encapsulation_key();
        match &self.signer {
            None => to.request(CTX, plaintext),
            Some(signer) => to.signed_by(signer).request(CTX, plaintext),
        }
        .unwrap()
    }

    fn accept(&self, request: &[u8]) -> (Vec<u8>, Asked) {
        let (plaintext, asked) = match &self.signer {
            None => self.key.accept(CTX, request, &AllowReplays),
            Some(signer) => {
                self.key.accepting(signer.verifying_key()).accept(CTX, request, &AllowReplays)
            }
        }
        .unwrap();
        (plaintext.to_vec(), asked)
    }

    fn asked_by_python(&self) {
        self.python("make");
        let request = self.read("request");
        let (plaintext, asked) = self.accept(&request);
        assert_eq!(plaintext, b"made by Python ".repeat(2000));
        self.write("answer", &asked.answer(b"answered by Rust").unwrap());
        let (start, mut sealer) = self.accept(&request).1.piece_sealer().unwrap();
        let first = sealer.piece(b"answered ").unwrap();
        self.write("pieces", &[start, first, sealer.finish(b"by Rust").unwrap()].concat());
        self.python("open");
        assert_eq!(self.read("whole"), b"answered by Rust");
        assert_eq!(self.read("joined"), b"answered by Rust");
    }

    fn answered_by_python(&self) {
        for form in ["answer", "pieces"] {
            let plaintext = b"made by Rust ".repeat(2000);
            let (request, pending) = self.request(&plaintext);
            self.write("request", &request);
            self.python("accept");
            assert_eq!(self.read("plaintext"), plaintext);
            let answer = self.read(form);
            let pieces = match form {
                "answer" => vec![pending.open(&answer).unwrap()],
                _ => pending.open_pieces(&answer).unwrap(),
            };
            let opened: Vec<_> = pieces.iter().map(|piece| &piece[..]).collect();
            assert_eq!(opened.concat(), b"answered by Python");
        }
    }
}

#[test]
#[ignore = "needs Python 3.9 and its package cryptography, see tests/interop/README.md"]
fn requests_and_answers_with_python() {
    let kinds: [(KemSuite, bool); 4] =
        [(DEFAULT, false), (DEFAULT, true), (P384, false), (P384, true)];
    for (suite, is_signed) in kinds {
        let directory = tempfile::tempdir().unwrap();
        let exchange = Exchange {
            key: spec_kem_key(suite),
            signer: is_signed.then(spec_signing_key),
            directory: directory.path(),
        };
        exchange.asked_by_python();
        exchange.answered_by_python();
    }
}
