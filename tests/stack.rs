//! Does every operation fit the stack that docs/stack.md promises for it, on each provider?
//!
//! An overflow kills the process, so a failure names no operation; run with `--nocapture` to see
//! which one was last. `cargo test --all-features --release --test stack -- --ignored --nocapture`
//! measures each, and so does `--profile unoptimized`.

mod common;

use std::{env, thread};

use twinseal::{
    DecapsulationKey, EncapsulationKey, Recipients, Signature, SigningKey, VerifyingKey,
    envelope::Header,
    kem::Ciphertext,
    provider::{Kem, PORTABLE, Provider, Random, SignatureScheme},
    request::{AllowReplays, RequestHead},
    session::{SessionReceiver, SessionSender},
};

#[cfg(feature = "x509")]
use common::certificates;
use common::{
    keys::{COMPOSITE, CTX, P384, X25519, kem_key, signing_key, signing_key_bytes},
    process::{command, ended},
    providers::PROVIDERS,
};

const KIB: usize = 1024;

/// A row of the table in docs/stack.md, in KiB.
struct Row {
    name: &'static str,
    /// In release, on the providers of [`COLUMNS`].
    release: [usize; 5],
    /// On the portable provider and on libcrux, when nothing is optimised, dependencies included.
    unoptimized: [usize; 2],
}

const fn row(name: &'static str, release: [usize; 5], unoptimized: [usize; 2]) -> Row {
    Row { name, release, unoptimized }
}

const COLUMNS: [&str; 5] = ["portable", "aws-lc", "graviola", "libcrux", "pqclean"];

const ROWS: [Row; 10] = [
    row("make or load a private KEM key", [80, 80, 80, 96, 112], [160, 640]),
    row("load a public KEM key", [32, 32, 32, 96, 64], [64, 640]),
    row("encapsulate, seal, start a session, ask", [64, 48, 64, 64, 96], [160, 448]),
    row("decapsulate, open, accept a session or a request", [64, 48, 64, 64, 96], [144, 512]),
    row("make or load a signing key", [320, 128, 320, 256, 384], [512, 896]),
    row("load a verifying key", [96, 32, 96, 256, 64], [224, 896]),
    row("sign, start a signed session, ask signed", [160, 160, 160, 256, 224], [384, 896]),
    row("verify, accept a signed session or request", [96, 112, 96, 160, 192], [192, 576]),
    row("import a signing key without its seed", [384, 384, 384, 384, 384], [512, 512]),
    row("verify a chain of certificates", [160, 160, 160, 160, 256], [256, 576]),
];

impl Row {
    /// A key is made and loaded on the default provider, and then moved.
    fn promised(&self, provider: &Provider) -> usize {
        let default = kem_key(X25519, 1);
        let before = ["make", "load", "import", "verify a chain"];
        if before.iter().any(|verb| self.name.starts_with(verb)) {
            self.column(provider).max(self.column(default.provider()))
        } else {
            self.column(provider)
        }
    }

    /// With debug assertions, some of it may be optimised or nothing.
    fn column(&self, provider: &Provider) -> usize {
        // Where graviola does not run, names are longer. With it, libcrux still needs the most.
        let name = provider.name.split(" (").next().unwrap().trim_start_matches("graviola-");
        let column = COLUMNS.iter().position(|column| *column == name).unwrap();
        let release = self.release[column];
        let unoptimized = self.unoptimized[usize::from(name.contains("libcrux"))];
        if cfg!(debug_assertions) { release.max(unoptimized) } else { release }
    }
}

/// Made on a stack that is large enough, so that only the operation is measured.
struct Fixture {
    provider: &'static Provider,
    x25519: DecapsulationKey,
    p384: DecapsulationKey,
    signer: SigningKey,
    x25519_ciphertext: Ciphertext,
    p384_ciphertext: Ciphertext,
    recipients: Recipients,
    message: Vec<u8>,
    sealed: Vec<u8>,
    signature: Signature,
    hello: Vec<u8>,
    signed_hello: Vec<u8>,
    request: Vec<u8>,
    signed_request: Vec<u8>,
    stranger: SigningKey,
    /// Of `signer`, as other software may write it.
    expanded: Vec<u8>,
    /// That of `stranger`, and one that it issued for `signer`.
    #[cfg(feature = "x509")]
    chain: [twinseal::x509::Certificate; 2],
}

impl Fixture {
    fn new(provider: &'static Provider) -> Self {
        let x25519 = kem_key(X25519, 1).on(provider).unwrap();
        let p384 = kem_key(P384, 2).on(provider).unwrap();
        let signer = signing_key(3).on(provider).unwrap();
        let (x25519_ciphertext, _) = x25519.encapsulation_key().encapsulate().unwrap();
        let (p384_ciphertext, _) = p384.encapsulation_key().encapsulate().unwrap();
        let both = [x25519.encapsulation_key(), p384.encapsulation_key()];
        let recipients = Recipients::new(both).unwrap();
        let message = vec![7; 100_000];
        let (hello, _) = p384.encapsulation_key().sender(CTX).unwrap();
        let signed = p384.encapsulation_key().signed_by(&signer).sender(CTX).unwrap();
        let (request, _) = p384.encapsulation_key().request(CTX, &message).unwrap();
        let by_signer = p384.encapsulation_key().signed_by(&signer);
        #[cfg(feature = "x509")]
        let chain = {
            let key = signing_key(4);
            let authority = certificates::authority(&key);
            let issued = certificates::issued(&authority, &key, signer.verifying_key());
            [authority, issued]
        };
        Self {
            #[cfg(feature = "x509")]
            chain,
            signed_request: by_signer.request(CTX, &message).unwrap().0,
            request,
            stranger: signing_key(4).on(provider).unwrap(),
            sealed: recipients.seal(CTX, &message).unwrap(),
            signature: signer.sign(CTX, &message).unwrap(),
            signed_hello: signed.0,
            hello,
            expanded: expanded(&signing_key_bytes(3)),
            provider,
            x25519,
            p384,
            signer,
            x25519_ciphertext,
            p384_ciphertext,
            recipients,
            message,
        }
    }
}

/// An expanded ML-DSA key, and the scalar.
fn expanded(signing_key: &[u8]) -> Vec<u8> {
    let (seed, ec_private_key) = signing_key.split_at(32);
    let key = ml_dsa::ExpandedSigningKey::<ml_dsa::MlDsa87>::from_seed(&seed.try_into().unwrap());
    #[expect(deprecated, reason = "other software writes it")]
    let expanded = key.to_expanded();
    [&expanded[..], &ec_private_key[7..55]].concat()
}

/// Encryption costs heap, and little stack.
#[cfg(feature = "passphrase")]
fn little() -> twinseal::passphrase::Scrypt {
    twinseal::passphrase::Scrypt::new(1 << 4, 8, 1).unwrap()
}

/// An operation, and the row that it belongs to.
struct Operation {
    row: usize,
    name: &'static str,
    run: fn(&Fixture),
}

const fn operation(row: usize, name: &'static str, run: fn(&Fixture)) -> Operation {
    Operation { row, name, run }
}

/// Keys that are made on a provider at once are made as `generate` and `from_seed` make them on the
/// default one.
const OPERATIONS: &[Operation] = &[
    operation(0, "key pair 0x0001", |fixture| {
        X25519.kem(fixture.provider).key_pair(&[4; 32]).unwrap();
    }),
    operation(0, "key pair 0x0051", |fixture| {
        P384.kem(fixture.provider).key_pair(&[4; 32]).unwrap();
    }),
    operation(0, "private KEM key by PEM", |fixture| {
        let key = DecapsulationKey::from_pem(fixture.p384.to_pem().as_str()).unwrap();
        key.on(fixture.provider).unwrap();
    }),
    operation(0, "import a KEM key", |fixture| {
        let der = fixture.p384.to_pkcs8_der().unwrap();
        let key = DecapsulationKey::import_der(der.as_bytes()).unwrap();
        key.on(fixture.provider).unwrap();
    }),
    #[cfg(feature = "passphrase")]
    operation(0, "private KEM key under a passphrase", |fixture| {
        let pem = fixture.p384.to_encrypted_pem_with("passphrase", little()).unwrap();
        let key = DecapsulationKey::from_encrypted_pem(&pem, "passphrase").unwrap();
        key.on(fixture.provider).unwrap();
    }),
    operation(1, "encapsulation key 0x0001", |fixture| {
        let bytes = fixture.x25519.encapsulation_key().as_bytes();
        X25519.kem(fixture.provider).encapsulator(bytes).unwrap();
    }),
    operation(1, "encapsulation key 0x0051", |fixture| {
        let bytes = fixture.p384.encapsulation_key().as_bytes();
        P384.kem(fixture.provider).encapsulator(bytes).unwrap();
    }),
    operation(1, "encapsulation key by PEM", |fixture| {
        let pem = fixture.p384.encapsulation_key().to_pem();
        EncapsulationKey::from_pem(&pem).unwrap().on(fixture.provider).unwrap();
    }),
    operation(2, "encapsulate 0x0001", |fixture| {
        fixture.x25519.encapsulation_key().encapsulate().unwrap();
    }),
    operation(2, "encapsulate 0x0051", |fixture| {
        fixture.p384.encapsulation_key().encapsulate().unwrap();
    }),
    operation(2, "seal to both suites", |fixture| {
        fixture.recipients.seal(CTX, &fixture.message).unwrap();
    }),
    operation(2, "start a session", |fixture| {
        let _: (_, SessionSender) = fixture.p384.encapsulation_key().sender(CTX).unwrap();
    }),
    operation(2, "ask", |fixture| {
        fixture.p384.encapsulation_key().request(CTX, &fixture.message).unwrap();
    }),
    operation(3, "decapsulate 0x0001", |fixture| {
        fixture.x25519.decapsulate(&fixture.x25519_ciphertext).unwrap();
    }),
    operation(3, "decapsulate 0x0051", |fixture| {
        fixture.p384.decapsulate(&fixture.p384_ciphertext).unwrap();
    }),
    operation(3, "open 0x0001", |fixture| {
        fixture.x25519.open(CTX, &fixture.sealed).unwrap();
    }),
    operation(3, "open 0x0051", |fixture| {
        fixture.p384.open(CTX, &fixture.sealed).unwrap();
    }),
    operation(3, "parse a header and unlock it", |fixture| {
        let header = Header::parse(&fixture.sealed).unwrap();
        let body_key = fixture.x25519.unlock(&header).unwrap();
        body_key.open(CTX, &fixture.sealed[header.len()..]).unwrap();
    }),
    operation(3, "accept a session", |fixture| {
        let _: SessionReceiver = fixture.p384.receiver(CTX, &fixture.hello).unwrap();
    }),
    operation(3, "accept a request, and answer", |fixture| {
        let accepted = fixture.p384.accept(CTX, &fixture.request, &AllowReplays).unwrap();
        accepted.1.answer(&fixture.message).unwrap();
    }),
    operation(3, "accept a request with a reader, and answer in pieces", |fixture| {
        let request = &fixture.request[..];
        let reader = fixture.p384.accept_reader(CTX, request, &AllowReplays).unwrap();
        let mut writer = reader.finish().unwrap().piece_writer(Vec::new()).unwrap();
        writer.piece(&fixture.message).unwrap();
        writer.finish().unwrap();
    }),
    operation(4, "make a signing key", |fixture| {
        let scheme = COMPOSITE.scheme(fixture.provider);
        let secret = scheme.generate(&mut Random::System).unwrap();
        scheme.key_pair(&secret).unwrap();
    }),
    operation(4, "load a signing key", |fixture| {
        COMPOSITE.scheme(fixture.provider).key_pair(&signing_key_bytes(3)).unwrap();
    }),
    operation(8, "import a signing key", |fixture| {
        SigningKey::import_expanded_bytes(COMPOSITE, &fixture.expanded).unwrap();
    }),
    operation(5, "verifying key", |fixture| {
        let bytes = fixture.signer.verifying_key().as_bytes();
        COMPOSITE.scheme(fixture.provider).verifier(bytes).unwrap();
    }),
    operation(5, "signature from bytes", |fixture| {
        Signature::from_bytes(COMPOSITE, fixture.signature.as_bytes()).unwrap();
    }),
    operation(6, "sign", |fixture| {
        fixture.signer.sign(CTX, &fixture.message).unwrap();
    }),
    operation(6, "sign a reader", |fixture| {
        fixture.signer.sign_reader(CTX, &fixture.message[..]).unwrap();
    }),
    operation(6, "start a signed session", |fixture| {
        let to = fixture.p384.encapsulation_key().signed_by(&fixture.signer);
        let _: (_, SessionSender) = to.sender(CTX).unwrap();
    }),
    operation(6, "ask signed, and open an answer", |fixture| {
        let to = fixture.p384.encapsulation_key().signed_by(&fixture.signer);
        let (_, pending) = to.request(CTX, &fixture.message).unwrap();
        pending.open(b"none").unwrap_err();
    }),
    operation(7, "verify", |fixture| {
        let key = fixture.signer.verifying_key();
        key.verify(CTX, &fixture.message, &fixture.signature).unwrap();
    }),
    operation(7, "verify a reader", |fixture| {
        let key: &VerifyingKey = fixture.signer.verifying_key();
        key.verify_reader(CTX, &fixture.message[..], &fixture.signature).unwrap();
    }),
    operation(7, "accept a signed session", |fixture| {
        let from = fixture.p384.accepting(fixture.signer.verifying_key());
        let _: SessionReceiver = from.receiver(CTX, &fixture.signed_hello).unwrap();
    }),
    operation(7, "accept a signed request", |fixture| {
        let from = fixture.p384.accepting(fixture.signer.verifying_key());
        from.accept(CTX, &fixture.signed_request, &AllowReplays).unwrap();
    }),
    #[cfg(feature = "x509")]
    operation(9, "verify a chain of certificates", |fixture| {
        use twinseal::x509::{Name, TrustAnchors};

        let [authority, issued] = &fixture.chain;
        let anchors = TrustAnchors::new([authority.clone()]).unwrap();
        let name = Name::Dns(certificates::NAME.into());
        anchors.verifying_key(std::slice::from_ref(issued), &name, certificates::now()).unwrap();
    }),
    operation(7, "accept the head of a request of an unknown signer", |fixture| {
        let from = fixture.p384.accepting(fixture.stranger.verifying_key());
        let head = RequestHead::parse(&fixture.signed_request).unwrap();
        from.accept_head(CTX, head).unwrap_err();
    }),
];

fn run(operation: &Operation, fixture: &Fixture, stack: usize) {
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(stack)
            .spawn_scoped(scope, || (operation.run)(fixture))
            .unwrap()
            .join()
            .unwrap();
    });
}

#[test]
fn every_operation_fits() {
    for provider in *PROVIDERS {
        let fixture = Fixture::new(provider);
        for operation in OPERATIONS {
            println!("{} on {}", operation.name, provider.name);
            let promised = ROWS[operation.row].promised(provider);
            run(operation, &fixture, promised * KIB);
        }
    }
}

/// The rows of what makes and loads keys. The first of these operations in a process may have a primitive
/// give its known answers.
const LOADING: [usize; 4] = [0, 1, 4, 5];

#[test]
fn the_first_use_fits() {
    for (index, provider) in PROVIDERS.iter().enumerate() {
        for row in LOADING {
            let stack = ROWS[row].promised(provider) * KIB;
            assert!(fits(index, row, stack), "{} on {}", ROWS[row].name, provider.name);
        }
    }
}

/// The table as docs/stack.md has it.
#[test]
fn the_page_has_these_figures() {
    let page = include_str!("../docs/stack.md");
    for Row { name, release, unoptimized } in &ROWS {
        let cells: Vec<_> = release.iter().chain(unoptimized).map(usize::to_string).collect();
        let line = format!("| {name} | {} |", cells.join(" | "));
        assert!(page.lines().any(|found| found == line), "docs/stack.md has no line {line}");
    }
}

const CHOICE: &str = "TWINSEAL_STACK";

/// The process that may overflow: it runs a row's operations with the stack that it is given.
#[test]
#[ignore = "run by measure_every_row"]
fn one_row() {
    let Ok(choice) = env::var(CHOICE) else {
        return;
    };
    let numbers: Vec<usize> = choice.split(' ').map(|number| number.parse().unwrap()).collect();
    let [provider, row, stack] = numbers[..] else { panic!("{choice}") };
    let provider = PROVIDERS[provider];
    let fixture = if LOADING.contains(&row) {
        Fixture { provider, ..Fixture::new(&PORTABLE) }
    } else {
        Fixture::new(provider)
    };
    for operation in OPERATIONS.iter().filter(|operation| operation.row == row) {
        run(operation, &fixture, stack);
    }
}

fn fits(provider: usize, row: usize, stack: usize) -> bool {
    let mut test = command(env::current_exe().unwrap());
    test.args(["--ignored", "--exact", "one_row"]);
    test.env(CHOICE, format!("{provider} {row} {stack}"));
    ended(test).status.success()
}

#[test]
#[ignore = "measures: some hundred processes"]
fn measure_every_row() {
    const STEP: usize = 4 * KIB;
    for (provider, Provider { name, .. }) in PROVIDERS.iter().enumerate() {
        for (row, Row { name: what, .. }) in ROWS.iter().enumerate() {
            // `low` does not fit, `high` does; a thread has at least 16 KiB.
            let (mut low, mut high) = (3, 512);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if fits(provider, row, middle * STEP) {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            println!("{:>5} KiB  {name}: {what}", high * STEP / KIB);
        }
    }
}
