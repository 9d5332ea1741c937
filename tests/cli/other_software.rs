//! Do pyca/cryptography and OpenSSL read the keys, encrypted keys, certificates and requests that the tool writes, and
//! the reference implementation of OpenSSF Model Signing the bundles?

use std::{env, fs, path::Path};

use serde_json::Value;

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

    python(&desk, "standard_files.py");
}

/// Runs a script of tests/interop on the directory of a desk.
fn python(desk: &Desk, script: &str) {
    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let mut python = command(python);
    python.arg(scripts.join(script)).arg(desk.path(""));
    let output = ended(python);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
}

/// The trees of tests/vectors/oms that can be signed, as directories.
fn write_trees(desk: &Desk) -> Vec<String> {
    let trees: Value =
        serde_json::from_str(include_str!("../vectors/oms/made-here/trees.json")).unwrap();
    let mut names = Vec::new();
    for (name, entries) in trees.as_object().unwrap() {
        let entries = entries.as_array().unwrap();
        if entries.is_empty() || entries.iter().any(|entry| entry.get("hex").is_none()) {
            continue;
        }
        for entry in entries {
            let path = desk.path(name).join(entry["path"].as_str().unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, hex::decode(entry["hex"].as_str().unwrap()).unwrap()).unwrap();
        }
        names.push(name.clone());
    }
    names
}

#[test]
#[ignore = "needs Python 3.10 with cryptography, model-signing and jsonschema, see tests/interop/README.md"]
fn the_reference_implementation_hashes_the_same_models_and_signs_them() {
    let desk = Desk::new();
    let trees = write_trees(&desk);
    desk.write("sign-public.pem", desk.read("alice.pub"));
    let mut bundles = Vec::new();
    for name in trees {
        desk.prints(&format!("model sign -k alice.pem --whole-files -o {name}.sig {name}"));
        bundles.push((name.clone(), name.clone()));
        let sharded = format!("{name}.shards");
        let signed =
            ended(desk.command(&format!(
                "model sign -k alice.pem --shard-size 100 -o {sharded}.sig {name}"
            )));
        // Shards cannot express an empty file.
        if signed.status.success() {
            bundles.push((sharded, name));
        }
    }
    assert!(bundles.len() > 12, "{bundles:?}");
    python(&desk, "models.py");
    for (bundle, model) in bundles {
        for (key, bundle) in
            [("alice.pub", bundle.clone()), ("p384-public.pem", format!("{bundle}.reference"))]
        {
            desk.prints(&format!("model verify -p {key} -s {bundle}.sig {model}"));
        }
    }
}
