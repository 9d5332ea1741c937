//! Does every operation fit the stack that DESIGN promises: 1 MiB without optimisation, 512 KiB with?
//!
//! An overflow kills the process, so a failure names no operation; run with `--nocapture` to see
//! which one was last. `cargo test --test stack -- --ignored --nocapture` measures each.

mod common;
#[path = "common/process.rs"]
mod process;

use std::{env, sync::LazyLock, thread};

use common::{COMPOSITE, CTX, P384, X25519, kem_key, signing_key, signing_key_bytes};
use process::{command, ended};
use twinseal::{
    Ciphertext, DecapsulationKey, EncapsulationKey, Header, KemSuite, Recipients, Signature,
    SigningKey, VerifyingKey,
};

const KIB: usize = 1024;
const PROMISED: usize = if cfg!(debug_assertions) { 1024 * KIB } else { 512 * KIB };

/// Made on a stack that is large enough, so that only the operation is measured.
struct Fixture {
    x25519: DecapsulationKey,
    p384: DecapsulationKey,
    signer: SigningKey,
    signer_bytes: Vec<u8>,
    x25519_ciphertext: Ciphertext,
    p384_ciphertext: Ciphertext,
    recipients: Recipients,
    message: Vec<u8>,
    sealed: Vec<u8>,
    signature: Signature,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let x25519 = kem_key(X25519, 1);
    let p384 = kem_key(P384, 2);
    let signer = signing_key(3);
    let (x25519_ciphertext, _) = x25519.encapsulation_key().encapsulate().unwrap();
    let (p384_ciphertext, _) = p384.encapsulation_key().encapsulate().unwrap();
    let both = [x25519.encapsulation_key(), p384.encapsulation_key()];
    let recipients = Recipients::new(both).unwrap();
    let message = vec![7; 100_000];
    Fixture {
        sealed: recipients.seal(CTX, &message).unwrap(),
        signature: signer.sign(CTX, &message).unwrap(),
        signer_bytes: signing_key_bytes(3),
        x25519,
        p384,
        signer,
        x25519_ciphertext,
        p384_ciphertext,
        recipients,
        message,
    }
});

type Operation = (&'static str, fn(&Fixture));

const OPERATIONS: &[Operation] = &[
    ("generate 0x0001", |_| {
        DecapsulationKey::generate_for(X25519).unwrap();
    }),
    ("generate 0x0051", |_| {
        DecapsulationKey::generate_for(P384).unwrap();
    }),
    ("from_seed 0x0001", |_| {
        kem_key(X25519, 4);
    }),
    ("from_seed 0x0051", |_| {
        kem_key(P384, 4);
    }),
    ("encapsulation key from_bytes 0x0001", |fixture| {
        parse_encapsulation_key(&fixture.x25519);
    }),
    ("encapsulation key from_bytes 0x0051", |fixture| {
        parse_encapsulation_key(&fixture.p384);
    }),
    ("ciphertext from_bytes 0x0051", |fixture| {
        Ciphertext::from_bytes(P384, fixture.p384_ciphertext.as_bytes()).unwrap();
    }),
    ("encapsulate 0x0001", |fixture| {
        fixture.x25519.encapsulation_key().encapsulate().unwrap();
    }),
    ("encapsulate 0x0051", |fixture| {
        fixture.p384.encapsulation_key().encapsulate().unwrap();
    }),
    ("decapsulate 0x0001", |fixture| {
        let ciphertext = &fixture.x25519_ciphertext;
        fixture.x25519.decapsulate(ciphertext).unwrap();
    }),
    ("decapsulate 0x0051", |fixture| {
        let ciphertext = &fixture.p384_ciphertext;
        fixture.p384.decapsulate(ciphertext).unwrap();
    }),
    ("seal to both suites", |fixture| {
        fixture.recipients.seal(CTX, &fixture.message).unwrap();
    }),
    ("open 0x0001", |fixture| {
        fixture.x25519.open(CTX, &fixture.sealed).unwrap();
    }),
    ("open 0x0051", |fixture| {
        fixture.p384.open(CTX, &fixture.sealed).unwrap();
    }),
    ("parse header and unlock", |fixture| {
        let header = Header::parse(&fixture.sealed).unwrap();
        let key = &fixture.x25519;
        let recipient = header.find(key.encapsulation_key()).unwrap();
        let secret = key.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
        let body = &fixture.sealed[header.len()..];
        let body_key = header.unlock(&recipient, &secret).unwrap();
        body_key.open(CTX, body).unwrap();
    }),
    ("KEM keys to and from PEM", |fixture| {
        let key = &fixture.p384;
        DecapsulationKey::from_pem(key.to_pem().as_str()).unwrap();
        EncapsulationKey::from_pem(&key.encapsulation_key().to_pem()).unwrap();
    }),
    ("signing key generate", |_| {
        SigningKey::generate().unwrap();
    }),
    ("signing key from_bytes", |fixture| {
        SigningKey::from_bytes(COMPOSITE, &fixture.signer_bytes).unwrap();
    }),
    ("signing key to and from PEM", |fixture| {
        SigningKey::from_pem(fixture.signer.to_pem().as_str()).unwrap();
    }),
    ("verifying key from_bytes", |fixture| {
        let bytes = fixture.signer.verifying_key().as_bytes();
        VerifyingKey::from_bytes(COMPOSITE, bytes).unwrap();
    }),
    ("verifying key to and from PEM", |fixture| {
        let pem = fixture.signer.verifying_key().to_pem();
        VerifyingKey::from_pem(&pem).unwrap();
    }),
    ("signature from_bytes", |fixture| {
        Signature::from_bytes(COMPOSITE, fixture.signature.as_bytes()).unwrap();
    }),
    ("sign", |fixture| {
        fixture.signer.sign(CTX, &fixture.message).unwrap();
    }),
    ("sign_reader", |fixture| {
        let message = fixture.message.as_slice();
        fixture.signer.sign_reader(CTX, message).unwrap();
    }),
    ("verify", |fixture| {
        let key = fixture.signer.verifying_key();
        let (message, signature) = (&fixture.message, &fixture.signature);
        key.verify(CTX, message, signature).unwrap();
    }),
    ("verify_reader", |fixture| {
        let key = fixture.signer.verifying_key();
        let (message, signature) = (fixture.message.as_slice(), &fixture.signature);
        key.verify_reader(CTX, message, signature).unwrap();
    }),
];

fn parse_encapsulation_key(key: &DecapsulationKey) {
    let (suite, bytes): (KemSuite, _) = (key.suite(), key.encapsulation_key().as_bytes());
    EncapsulationKey::from_bytes(suite, bytes).unwrap();
}

fn run(operation: fn(&Fixture), stack: usize) {
    let fixture = &*FIXTURE;
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(stack)
            .spawn_scoped(scope, || operation(fixture))
            .unwrap()
            .join()
            .unwrap();
    });
}

#[test]
fn every_operation_fits() {
    for (name, operation) in OPERATIONS {
        println!("{name}");
        run(*operation, PROMISED);
    }
}

const CHOICE: &str = "TWINSEAL_STACK";

/// The process that may overflow: it runs the operation and the stack size that it is told.
#[test]
#[ignore = "run by measure_every_operation"]
fn one_operation() {
    let Ok(choice) = env::var(CHOICE) else {
        return;
    };
    let (index, stack) = choice.split_once(' ').unwrap();
    let (_, operation) = OPERATIONS[index.parse::<usize>().unwrap()];
    run(operation, stack.parse().unwrap());
}

fn fits(index: usize, stack: usize) -> bool {
    let mut test = command(env::current_exe().unwrap());
    test.args(["--ignored", "--exact", "one_operation"]).env(CHOICE, format!("{index} {stack}"));
    ended(test).status.success()
}

#[test]
#[ignore = "measures: some hundred processes"]
fn measure_every_operation() {
    const STEP: usize = 8 * KIB;
    for (index, (name, _)) in OPERATIONS.iter().enumerate() {
        // `low` does not fit, `high` does; a thread has at least 16 KiB.
        let (mut low, mut high) = (1, 512);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if fits(index, middle * STEP) {
                high = middle;
            } else {
                low = middle;
            }
        }
        println!("{:>5} KiB  {name}", high * STEP / KIB);
        assert!(high * STEP <= PROMISED, "{name}");
    }
}
