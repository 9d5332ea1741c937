//! Do pyca/cryptography and OpenSSL read the keys, encrypted keys, certificates and requests that the tool writes?

use std::{env, path::Path};

use crate::{
    common::process::{command, ended},
    desk::Desk,
};

const SUBJECT: &str = "--subject CN=signer.example.com --name dns:signer.example.com";

#[test]
#[ignore = "needs Python 3.9 and its package cryptography, see tests/interop/README.md"]
fn other_software_reads_them() {
    let desk = Desk::new();
    let keygen = |arguments: &str| {
        let output = ended(desk.command(&format!("keygen {arguments}")));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    // Warnings of its mode are printed, and have tests of their own.
    desk.write("passphrase", "correct horse battery staple");
    for (name, purpose) in [("sign", "--sign"), ("kem", "--kem --suite MLKEM1024-P384")] {
        keygen(&format!("{purpose} -o {name}.pem"));
        desk.write(&format!("{name}-public.pem"), desk.prints(&format!("public {name}.pem")));
        let scrypt = "--passphrase-file passphrase --scrypt 1024,8,1";
        keygen(&format!("{purpose} {scrypt} -o {name}-encrypted.pem"));
    }
    desk.write("certificate.pem", desk.prints(&format!("certificate -k sign.pem {SUBJECT}")));
    desk.write("request.pem", desk.prints(&format!("certificate -k sign.pem {SUBJECT} --request")));

    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/standard_files.py");
    let mut python = command(python);
    python.arg(script).arg(desk.path(""));
    let output = ended(python);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
}
