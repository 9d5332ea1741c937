//! The example of a certification authority: what does it certify, and what does it refuse?
#![cfg(feature = "x509")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use twinseal::{
    DecapsulationKey, KemSuite, SigningKey,
    x509::{Certificate, Name, TrustAnchors},
};
use x509_cert::der::{Decode, oid::AssociatedOid};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

mod programs;

const EXAMPLE: &str = "certificate_authority";

/// A directory with the key of an authority in `ca.pem` and its certificate in `ca.crt`.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let desk = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        fs::create_dir(&desk.0).unwrap();
        SigningKey::generate().unwrap().write_pem_file(desk.path("ca.pem")).unwrap();
        desk.write("ca.crt", &programs::printed(EXAMPLE, &["root", &desk.path("ca.pem"), "CN=CA"]));
        desk
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().into()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    fn issue(&self, key: &str, file: &str) -> Result<Certificate, String> {
        let files = ["issue", key, "ca.crt", file].map(|name| self.path(name));
        let [_, key, root, file] = files.each_ref().map(String::as_str);
        let arguments = ["issue", key, root, file, "O=Example,CN=Alice", "alice.example"];
        let output = programs::run(EXAMPLE, &arguments);
        if output.status.success() {
            let pem = String::from_utf8(output.stdout).unwrap();
            return Ok(Certificate::from_pem(&pem).unwrap());
        }
        assert!(output.stdout.is_empty());
        Err(String::from_utf8(output.stderr).unwrap())
    }

    fn anchors(&self) -> TrustAnchors {
        TrustAnchors::new(Certificate::read_pem_chain(self.path("ca.crt")).unwrap()).unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The value of an extension.
fn extension<Value: for<'a> Decode<'a> + AssociatedOid>(certificate: &Certificate) -> Value {
    let parsed = x509_cert::Certificate::from_der(certificate.as_der()).unwrap();
    let found = parsed.tbs_certificate().get_extension();
    found.map_err(|_| "it does not parse").unwrap().map(|(_, value)| value).unwrap()
}

fn alice() -> Name {
    Name::Dns("alice.example".into())
}

#[test]
fn the_demonstration_runs() {
    let printed = programs::printed(EXAMPLE, &[]);
    assert_eq!(printed.lines().count(), 3, "{printed}");
    assert!(printed.contains("refused: "), "{printed}");
}

#[test]
fn a_request_of_the_tool_becomes_a_certificate_with_its_key_and_nothing_else_of_it() {
    let desk = Desk::new("request");
    let key = SigningKey::generate().unwrap();
    key.write_pem_file(desk.path("alice.pem")).unwrap();
    let (alice_pem, request) = (desk.path("alice.pem"), desk.path("alice.csr"));
    let line = ["certificate", "--request", "-k", &alice_pem, "-o", &request];
    let wanted = ["--subject", "CN=Director", "--name", "dns:director.example"];
    let arguments = [&line[..], &wanted].concat();
    let made = programs::output(&programs::directory(), "twinseal", &arguments, "--bins");
    assert!(made.status.success(), "{made:?}");

    let certificate = desk.issue("ca.pem", "alice.csr").unwrap();
    assert_eq!(certificate.names(), [alice()]);
    assert_eq!(certificate.subject(), "O=Example,CN=Alice");
    let (anchors, now) = (desk.anchors(), SystemTime::now());
    let chain = [certificate];
    assert_eq!(&anchors.verifying_key(&chain, &alice(), now).unwrap(), key.verifying_key());
    anchors.encapsulation_key(&chain, &alice(), now).unwrap_err();
    let again = desk.issue("ca.pem", "alice.csr").unwrap();
    let serial = |certificate: &Certificate| {
        let parsed = x509_cert::Certificate::from_der(certificate.as_der()).unwrap();
        parsed.tbs_certificate().serial_number().as_bytes().to_vec()
    };
    assert_ne!(serial(&chain[0]), serial(&again));

    // Its certificate is not an authority's.
    assert!(!extension::<BasicConstraints>(&again).ca);
    let anchors = TrustAnchors::new([again.clone()]).unwrap();
    anchors.verifying_key(&[again], &alice(), now).unwrap_err();

    // One changed letter of the request is refused, and so is another authority's key.
    let text = fs::read_to_string(&request).unwrap();
    for index in (40..text.len() - 40).step_by(997) {
        let mut changed = text.clone().into_bytes();
        changed[index] = match changed[index] {
            b'\n' => continue,
            b'A' => b'B',
            _ => b'A',
        };
        desk.write("changed.csr", str::from_utf8(&changed).unwrap());
        let error = desk.issue("ca.pem", "changed.csr").unwrap_err();
        assert!(!error.contains("panicked"), "{index}: {error}");
    }
    let error = desk.issue("alice.pem", "alice.csr").unwrap_err();
    assert!(error.contains("ROOT was not made with KEY"), "{error}");
    // A public key proves nothing.
    desk.write("alice.pub", &key.verifying_key().to_pem());
    let error = desk.issue("ca.pem", "alice.pub").unwrap_err();
    assert!(error.contains("needs a request") && !error.contains("Error: "), "{error}");
}

#[test]
fn a_public_key_to_seal_to_becomes_a_certificate_for_that_use_only() {
    let desk = Desk::new("recipient");
    let key = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384).unwrap();
    desk.write("bob.pub", &key.encapsulation_key().to_pem());
    let certificate = desk.issue("ca.pem", "bob.pub").unwrap();
    let KeyUsage(usage) = extension(&certificate);
    assert_eq!(usage.bits(), 1 << 2, "keyEncipherment");
    let (anchors, now) = (desk.anchors(), SystemTime::now());
    let chain = [certificate];
    assert_eq!(&anchors.encapsulation_key(&chain, &alice(), now).unwrap(), key.encapsulation_key());
    anchors.verifying_key(&chain, &alice(), now).unwrap_err();

    // A suite without an object identifier.
    let key = DecapsulationKey::generate_for(KemSuite::X25519_ML_KEM_1024).unwrap();
    desk.write("carol.pub", &key.encapsulation_key().to_pem());
    let error = desk.issue("ca.pem", "carol.pub").unwrap_err();
    assert!(error.contains("identifier"), "{error}");
}
