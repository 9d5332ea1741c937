//! The demonstration: the story of a key whose halves two custodians keep.

use std::{
    fs,
    io::Write,
    os::unix::net::UnixListener,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use twinseal::{
    Decapsulate, DecapsulationKey, Error, KemSuite, Keyring, Sign, Signature, SigningKey, Unlock,
    VerifyingKey, VerifyingKeyring,
    split::{Half, Halves, SplitDecapsulationKey, SplitSigningKey},
};

use crate::{
    Result,
    algorithm::Algorithm,
    arguments::{SEALED, SIGNED},
    attack::{self, Public, Stolen},
    directory::SOCKET,
    process::CustodianProcess,
    remote::{self, Custodian, Failure},
};
use common::chain;

/// The time limit where an answer will come. It takes a few milliseconds, so only the end of a
/// custodian can end a longer wait.
const PATIENT: Duration = Duration::from_secs(60);

/// The time limit where no answer will come.
const HASTY: Duration = Duration::from_millis(300);

/// The name of both keys in the custodians, and of the key that replaces the first.
const OLD: &str = "main-1";
const NEW: &str = "main-2";

const CHECKPOINT: &[u8] = &[7; 4096];

pub(crate) fn run(out: &mut impl Write) -> Result<()> {
    let parent = tempfile::tempdir()?; // removed with the halves in it
    let [a, b] =
        ["a", "b"].map(|name| Custodian { directory: parent.path().join(name), timeout: PATIENT });
    let mut running = Halves {
        post_quantum: CustodianProcess::start(&a.directory, Half::PostQuantum)?,
        traditional: CustodianProcess::start(&b.directory, Half::Traditional)?,
    };
    let custodians = Halves { post_quantum: a, traditional: b };
    let ids = [running.post_quantum.id(), running.traditional.id()];
    writeln!(out, "Two custodians")?;
    writeln!(out, "  process {} keeps the post-quantum half of each key", ids[0])?;
    writeln!(out, "  process {} keeps the traditional half", ids[1])?;

    let (mut service, sealed) = moves_in(&custodians, out)?;
    is_used(&service, &sealed, &running, out)?;
    running.traditional = one_dies(&service, &sealed, running.traditional, out)?;
    running.post_quantum =
        hangs(&service, &sealed, running.post_quantum, &custodians.traditional, out)?;
    one_is_compromised(&service, &sealed, &custodians, out)?;
    is_replaced(&mut service, &sealed, &custodians, out)?;
    shares_a_half(&mut service, &custodians, out)?;

    writeln!(out, "\nWhat the custodians have counted since they were last started")?;
    for line in running.post_quantum.stop()?.into_iter().chain(running.traditional.stop()?) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// A service that opens and signs with keys that it does not have.
struct Service {
    ring: Keyring,
    signer: SplitSigningKey,
}

impl Service {
    fn open(&self, sealed: &[u8]) -> Result<(), Error> {
        self.ring.open(SEALED.as_bytes(), sealed).map(drop)
    }

    fn sign(&self, context: &str) -> Result<Signature, Error> {
        let signer: &dyn Sign = &self.signer;
        signer.sign(context.as_bytes(), CHECKPOINT)
    }

    /// What it says to its own client.
    fn answer(error: &Error) -> &'static str {
        match error {
            error if Failure::is_temporary(error) => "later (503)",
            Error::External(_) => "a fault of this service (500)",
            _ => "no (400)",
        }
    }
}

/// Keys in memory move, and their public keys stay what they are.
fn moves_in(custodians: &Halves<Custodian>, out: &mut impl Write) -> Result<(Service, Vec<u8>)> {
    writeln!(out, "\nTwo keys move from memory into the custodians")?;
    let (whole, signing) = (DecapsulationKey::generate()?, SigningKey::generate()?);
    let (public, verifying) = (whole.encapsulation_key().clone(), signing.verifying_key().clone());
    let sealed = public.seal(SEALED.as_bytes(), CHECKPOINT)?;
    measure(
        out,
        "in memory",
        || whole.open(SEALED.as_bytes(), &sealed).map(drop),
        || signing.sign(SIGNED.as_bytes(), CHECKPOINT).map(drop),
    )?;

    // Who moves a key that is in use keeps a copy until both halves were tried in their new places.
    let (halves, signing) = (whole.into_halves()?, signing.into_halves()?);
    let key = Halves {
        post_quantum: custodians.post_quantum.import(OLD, &halves.post_quantum)?,
        traditional: custodians.traditional.import(OLD, &halves.traditional)?,
    };
    let signing_halves = Halves {
        post_quantum: custodians.post_quantum.import(OLD, &signing.post_quantum)?,
        traditional: custodians.traditional.import(OLD, &signing.traditional)?,
    };
    drop((halves, signing)); // wiped: from here on nobody has both halves
    let key = remote::decapsulation_key(public.suite(), key)?;
    let signer = remote::signing_key(signing_halves)?;
    if *key.encapsulation_key() != public || *signer.verifying_key() != verifying {
        return Err("the public keys have changed".into());
    }
    writeln!(out, "  the same public keys: {} and {}", public.key_id(), verifying.key_id())?;
    let service = Service { ring: Keyring::new(key), signer };
    service.open(&sealed)?;
    writeln!(out, "  what was sealed before opens")?;
    Ok((service, sealed))
}

fn is_used(
    service: &Service,
    sealed: &[u8],
    running: &Halves<CustodianProcess>,
    out: &mut impl Write,
) -> Result<()> {
    writeln!(out, "\nA service uses them")?;
    let verifying = service.signer.verifying_key();
    verifying.verify(SIGNED.as_bytes(), CHECKPOINT, &service.sign(SIGNED)?)?;
    measure(out, "in two custodians", || service.open(sealed), || service.sign(SIGNED).map(drop))?;
    writeln!(out, "  each custodian logs each use, for example")?;
    writeln!(out, "    {}", running.post_quantum.logged(" decapsulate ")?)?;
    writeln!(out, "    {}", running.traditional.logged(" sign ")?)?;
    fails(out, "it asks for a signature for another purpose", || {
        service.sign("example.com/logs").map(drop)
    })
}

/// Every use fails, names the half, and works again when the custodian is back.
fn one_dies(
    service: &Service,
    sealed: &[u8],
    custodian: CustodianProcess,
    out: &mut impl Write,
) -> Result<CustodianProcess> {
    writeln!(out, "\nOne custodian dies")?;
    let directory = custodian.directory.clone();
    custodian.kill()?;
    fails(out, "the service opens", || service.open(sealed))?;
    fails(out, "the service signs", || service.sign(SIGNED).map(drop))?;
    // It is started again while a client keeps asking.
    let (tried, tries) = mpsc::channel();
    let (custodian, attempts) = thread::scope(|scope| {
        let asking = scope.spawn(move || {
            retry(|| {
                let outcome = service.open(sealed);
                let _ = tried.send(()); // only the first is waited for
                outcome
            })
        });
        let first = tries.recv_timeout(PATIENT);
        (first.map(|()| CustodianProcess::start(&directory, Half::Traditional)), asking.join())
    });
    let (custodian, attempts) = (custodian??, attempts.map_err(|_| "the thread has panicked")??);
    service.sign(SIGNED)?;
    writeln!(
        out,
        "  it is started again: the service opens, after {attempts} attempts, and signs"
    )?;
    Ok(custodian)
}

/// A custodian that takes requests and never answers costs no more than the time limit.
fn hangs(
    service: &Service,
    sealed: &[u8],
    custodian: CustodianProcess,
    traditional: &Custodian,
    out: &mut impl Write,
) -> Result<CustodianProcess> {
    let directory = custodian.directory.clone();
    let patient = Custodian { directory: directory.clone(), timeout: PATIENT };
    let post_quantum = patient.find(OLD, Algorithm::MlKem1024)?.with_timeout(HASTY);
    let key = SplitDecapsulationKey::new(
        service.ring.primary().clone(),
        Box::new(post_quantum),
        Box::new(traditional.find(OLD, Algorithm::X25519)?),
    );
    custodian.kill()?;
    let socket = directory.join(SOCKET);
    fs::remove_file(&socket)?;
    let silent = UnixListener::bind(&socket)?;
    fails(out, "the other one hangs", || key.open(SEALED.as_bytes(), sealed).map(drop))?;
    drop(silent);
    let custodian = CustodianProcess::start(&directory, Half::PostQuantum)?;
    key.open(SEALED.as_bytes(), sealed)?;
    writeln!(out, "  it is started again: the service opens")?;
    Ok(custodian)
}

/// The holder of either custodian tries to open and to sign.
fn one_is_compromised(
    service: &Service,
    sealed: &[u8],
    custodians: &Halves<Custodian>,
    out: &mut impl Write,
) -> Result<()> {
    writeln!(
        out,
        "\nOne custodian is compromised: its holder has its halves, and all that is public"
    )?;
    let signature = service.sign(SIGNED)?;
    let public = Public {
        encapsulation_key: service.ring.primary(),
        sealed,
        verifying_key: service.signer.verifying_key(),
        signature: &signature,
    };
    let (pq, t) = (&custodians.post_quantum.directory, &custodians.traditional.directory);
    let kem = Halves {
        post_quantum: Stolen::read(pq, OLD, Algorithm::MlKem1024)?,
        traditional: Stolen::read(t, OLD, Algorithm::X25519)?,
    };
    let signing = Halves {
        post_quantum: Stolen::read(pq, OLD, Algorithm::MlDsa87)?,
        traditional: Stolen::read(t, OLD, Algorithm::EcdsaP384)?,
    };
    let own = Stolen::own;
    let mut attack = |who: &str, kem: [&Stolen; 2], signing: [&Stolen; 2]| -> Result<_> {
        let opened = attack::open(&public, kem[0], kem[1])?;
        let signed = attack::sign(&public, signing[0], signing[1])?;
        writeln!(out, "  with {who}")?;
        writeln!(out, "    it opens in {} of {} tries", opened.successful, opened.made)?;
        writeln!(out, "    it signs in {} of {}", signed.successful, signed.made)?;
        Ok((opened.successful, signed.successful))
    };
    let post_quantum = attack(
        "the halves of ML-KEM-1024 and ML-DSA-87",
        [&kem.post_quantum, &own(Algorithm::X25519)?],
        [&signing.post_quantum, &own(Algorithm::EcdsaP384)?],
    )?;
    let traditional = attack(
        "the halves of X25519 and ECDSA-P384",
        [&kem.traditional, &own(Algorithm::MlKem1024)?],
        [&signing.traditional, &own(Algorithm::MlDsa87)?],
    )?;
    let both = attack(
        "all four halves, to show that the tries are real",
        [&kem.post_quantum, &kem.traditional],
        [&signing.post_quantum, &signing.traditional],
    )?;
    // With the right half in place of a key of one's own, one try to open and two to sign are real.
    match (post_quantum, traditional, both) {
        ((0, 0), (0, 0), (1, 2)) => Ok(()),
        _ => Err("half a key was enough, or the tries are none".into()),
    }
}

/// A new key, of two halves that were made in the custodians, replaces the old one.
fn is_replaced(
    service: &mut Service,
    sealed: &[u8],
    custodians: &Halves<Custodian>,
    out: &mut impl Write,
) -> Result<()> {
    writeln!(out, "\nThe key is replaced by one of two new halves")?;
    let old = service.ring.primary().key_id();
    let halves = Halves {
        post_quantum: custodians.post_quantum.generate(NEW, Algorithm::MlKem1024)?,
        traditional: custodians.traditional.generate(NEW, Algorithm::P384)?,
    };
    service.ring.rotate(remote::decapsulation_key(KemSuite::ML_KEM_1024_P384, halves)?)?;
    let new = service.ring.primary();
    writeln!(out, "  {} {}, for custodians that only know P-384", new.key_id(), new.suite())?;
    service.open(&new.seal(SEALED.as_bytes(), CHECKPOINT)?)?;
    service.open(sealed)?;
    writeln!(out, "  what was sealed to either key opens")?;

    service.ring.retire(old)?;
    custodians.post_quantum.find(OLD, Algorithm::MlKem1024)?.destroy()?;
    custodians.traditional.find(OLD, Algorithm::X25519)?.destroy()?;
    writeln!(out, "  the old key is retired, and its halves are destroyed")?;
    fails(out, "the service opens what was sealed to it", || service.open(sealed))
}

/// Two keys that share a half fall together, and one signer could be taken for the other.
fn shares_a_half(
    service: &mut Service,
    custodians: &Halves<Custodian>,
    out: &mut impl Write,
) -> Result<()> {
    writeln!(out, "\nA key shares a half with another one")?;
    let halves = Halves {
        post_quantum: custodians.post_quantum.generate("main-3", Algorithm::MlKem1024)?,
        traditional: custodians.traditional.find(NEW, Algorithm::P384)?,
    };
    let key = remote::decapsulation_key(KemSuite::ML_KEM_1024_P384, halves)?;
    is_refused(out, "the service rotates to one", service.ring.rotate(key))?;

    let signer = service.signer.verifying_key();
    let own = Stolen::own(Algorithm::EcdsaP384)?.public()?;
    let copy = VerifyingKey::from_halves(signer.suite(), signer.halves().post_quantum, &own)?;
    let mut signers = VerifyingKeyring::new([signer])?;
    is_refused(out, "a verifier adds one, with a copied ML-DSA half", signers.add(&copy)).map(drop)
}

/// Asks again while that can help, and returns the number of attempts.
fn retry(ask: impl Fn() -> Result<(), Error>) -> Result<u32, Error> {
    let mut pause = Duration::from_millis(1);
    for attempt in 1.. {
        match ask() {
            Err(error) if Failure::is_temporary(&error) && pause < PATIENT => {
                thread::sleep(pause);
                pause *= 2;
            }
            outcome => return outcome.map(|()| attempt),
        }
    }
    unreachable!("the pause grows beyond every bound")
}

fn fails(out: &mut impl Write, what: &str, ask: impl FnOnce() -> Result<(), Error>) -> Result<()> {
    let start = Instant::now();
    let outcome = ask();
    let time = milliseconds(start.elapsed());
    let error = is_refused(out, what, outcome)?;
    writeln!(out, "    after {time:.0} ms; it answers: {}", Service::answer(&error))?;
    Ok(())
}

fn is_refused(out: &mut impl Write, what: &str, outcome: Result<(), Error>) -> Result<Error> {
    let error = outcome.err().ok_or("what must fail has succeeded")?;
    writeln!(out, "  {what}\n    {}", chain(&error))?;
    Ok(error)
}

/// How long it takes to open and to sign 4 KiB: the median of many times.
fn measure(
    out: &mut impl Write,
    place: &str,
    open: impl Fn() -> Result<(), Error>,
    sign: impl Fn() -> Result<(), Error>,
) -> Result<()> {
    let (open, sign) = (median(open)?, median(sign)?);
    writeln!(out, "  {place}: opening takes {open:.2} ms, signing {sign:.2} ms")?;
    Ok(())
}

fn median(work: impl Fn() -> Result<(), Error>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..101 {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(milliseconds(times[times.len() / 2]))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
