//! Do keys and clients change while the service runs, and does it keep those it has if new ones are
//! damaged?

use std::fs;

use twinseal::{DecapsulationKey, SigningKey};

use support::process::{command, ended};

use crate::http::{Client, Service, batch};

#[test]
fn keys_and_clients_change() {
    let mut service = Service::start("--reload 1");
    let (keys, clients) = (service.path("keys/service/keys"), service.path("keys/service/clients"));
    let (old, mut new) = (service.client(), service.client());
    let key = DecapsulationKey::generate().unwrap();
    new.service_opens = key.encapsulation_key().clone();
    assert_eq!((service.status(&old), service.status(&new)), (200, 421));

    // The older key stays until all clients have the new one.
    fs::rename(keys.join("primary.pem"), keys.join("2026.pem")).unwrap();
    key.write_pem_file(keys.join("primary.pem")).unwrap();
    service.process.wait_for(&["reloaded", "\"keys\""]);
    assert_eq!((service.status(&old), service.status(&new)), (200, 200));
    fs::remove_file(keys.join("2026.pem")).unwrap();
    service.process.wait_for(&["reloaded", "\"keys\""]);
    assert_eq!((service.status(&old), service.status(&new)), (421, 200));

    // A file that is not a key is reported, and changes nothing.
    fs::write(keys.join("broken.pem"), "not a key").unwrap();
    service.process.wait_for(&["cannot reload", "broken.pem"]);
    assert_eq!(service.status(&new), 200);

    let mallory = new.another();
    assert_eq!(service.status(&mallory), 401);
    mallory.register(&clients, "mallory");
    service.process.wait_for(&["reloaded", "\"clients\""]);
    assert_eq!(service.status(&mallory), 200);
    service.process.wait_for(&["answered", "\"mallory\""]);

    // Whose requests are they, with the key under two names?
    mallory.register(&clients, "alice");
    service.process.wait_for(&["cannot reload", "alice.pem", "mallory.pem"]);
    assert_eq!(service.status(&mallory), 200);

    for file in ["mallory.pem", "alice.pem"] {
        fs::remove_file(clients.join(file)).unwrap();
    }
    service.process.wait_for(&["reloaded", "\"clients\""]);
    assert_eq!(service.status(&mallory), 401);
}

#[test]
fn the_key_that_signs_answers_changes() {
    let mut service = Service::start("--reload 1 --sign-answers keys/service/sign.pem");
    let client = service.client();
    let signature = |service: &Service, client: &Client| {
        let (request, pending) = client.request("/predict", &batch(1));
        let id = pending.id();
        let (signature, result) = service.send(&request).open(pending);
        let suite = twinseal::SignatureSuite::ML_DSA_87_ECDSA_P384;
        let signature = twinseal::Signature::from_bytes(suite, &signature).unwrap();
        ([id.as_bytes(), &result[..]].concat(), signature)
    };
    let verified = |key: &SigningKey, (signed, signature): (Vec<u8>, twinseal::Signature)| {
        let key = key.verifying_key();
        key.verify(b"example.com/inference/v1 result", &signed, &signature).is_ok()
    };
    let new = SigningKey::generate().unwrap();
    assert!(!verified(&new, signature(&service, &client)));
    let path = service.path("keys/service/sign.pem");
    let beside = service.path("keys/service/new.pem");
    new.write_pem_file(&beside).unwrap();
    fs::rename(&beside, &path).unwrap();
    service.process.wait_for(&["reloaded", "\"signing key\""]);
    assert!(verified(&new, signature(&service, &client)));
    fs::write(&path, "not a key").unwrap();
    service.process.wait_for(&["cannot reload", "sign.pem"]);
    assert!(verified(&new, signature(&service, &client)));
}

/// A FIFO would block, and a device has no end.
#[test]
fn special_files_among_the_clients_are_named_and_stop_nothing() {
    let mut service = Service::start("--reload 1");
    let clients = service.path("keys/service/clients");
    let fifo = clients.join("fifo.pem");
    assert!(ended(command("mkfifo").arg(&fifo)).status.success());
    service.process.wait_for(&["cannot reload", "fifo.pem: a FIFO"]);
    fs::remove_file(&fifo).unwrap();
    std::os::unix::fs::symlink("/dev/zero", clients.join("zero\u{202e}.pem")).unwrap();
    let said = service.process.wait_for(&["cannot reload", "zero", "not a key file"]);
    assert!(!said.contains('\u{202e}'), "{said}");
    fs::remove_file(clients.join("zero\u{202e}.pem")).unwrap();

    let client = service.client();
    assert_eq!(service.status(&client), 200);
    let another = client.another();
    another.register(&clients, "another");
    service.process.wait_for(&["reloaded", "\"clients\""]);
    assert_eq!(service.status(&another), 200);
}
