//! Does graviola give way to the portable provider where the processor lacks what it needs?
//!
//! In debug builds, graviola lacks an instruction that the environment names.

use std::env;

use twinseal::{
    DecapsulationKey, SigningKey,
    provider::{GRAVIOLA, Random},
};

use crate::common::keys::CTX;
#[cfg(debug_assertions)]
use crate::common::process::{command, ended};

const WITHOUT_AES: &str = "GRAVIOLA_CPU_DISABLE_aes";

/// Every call of graviola would panic here.
#[test]
#[ignore = "run by a_processor_without_aes"]
fn without_aes() {
    if env::var_os(WITHOUT_AES).is_none() {
        return;
    }
    assert_eq!(GRAVIOLA.name, "portable (graviola does not run here)");
    let bob = DecapsulationKey::generate().unwrap().on(&GRAVIOLA).unwrap();
    let alice = SigningKey::generate().unwrap().on(&GRAVIOLA).unwrap();
    let sealed = bob.encapsulation_key().seal(CTX, b"message").unwrap();
    assert_eq!(&bob.open(CTX, &sealed).unwrap()[..], b"message");
    let signature = alice.sign(CTX, b"message").unwrap();
    alice.verifying_key().verify(CTX, b"message", &signature).unwrap();
    let seed = GRAVIOLA.ecdsa_p384.generate(&mut Random::System).unwrap();
    GRAVIOLA.p384.key_pair(&seed).unwrap();
}

#[test]
#[cfg(debug_assertions)]
fn a_processor_without_aes() {
    let mut test = command(env::current_exe().unwrap());
    test.args(["--ignored", "--exact", "providers::processors::without_aes"]);
    let output = ended(test.env(WITHOUT_AES, "1"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
