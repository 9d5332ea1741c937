//! Once a key has moved into tokens, is any of its private halves left in the memory of the process that held it?
//!
//! That process is a child of the test, and two more children are its tokens. The test knows the key's secrets; the
//! holder gets them masked, and looks for them in all memory that it can write: its heap and its stacks, and what C
//! code has allocated.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, Read, Seek, SeekFrom, Write},
    process::{Child, ChildStderr, ChildStdin, Command, Stdio},
    sync::Mutex,
};

use ml_dsa::MlDsa87;
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use twinseal::{
    Decapsulate, DecapsulationKey, Error, KemSuite, Sign, SigningKey, Unlock,
    kem::Ciphertext,
    provider::{Decapsulator, Kem, PORTABLE, Provider, SchemeSigner, SignatureScheme},
    split::{HalfKey, SplitDecapsulationKey, SplitSigningKey},
};
use zeroize::Zeroizing;

use crate::common::{
    der::ec_private_key,
    keys::{COMPOSITE, CTX, P384, X25519},
    process::{command, end_of},
    providers::PROVIDERS,
};

/// Which child it is: a token's algorithm.
const TOKEN: &str = "TWINSEAL_TEST_TOKEN";
const HOLDER: &str = "TWINSEAL_TEST_HOLDER";

const MASK: u8 = 0xa5;

/// What is looked for: never found by chance.
const NEEDLE: usize = 12;

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
}

/// Bytes that look random.
fn secret(label: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Shake256::default().chain(label).finalize_xof().read(&mut bytes);
    bytes
}

/// What the test tells the holder.
#[derive(Default)]
struct Task(String);

impl Task {
    fn add(&mut self, name: &str, value: &[u8]) {
        self.0 += &format!("{name}={}\n", hex::encode(value));
    }

    /// All of a secret in pieces, also as a number that is held from its other end.
    fn add_secret(&mut self, name: &str, secret: &[u8]) {
        let reversed: Vec<u8> = secret.iter().rev().copied().collect();
        for secret in [secret, &reversed] {
            let last = secret.len() - NEEDLE;
            for start in (0..last).step_by(NEEDLE).chain([last]) {
                self.add(&format!("needle {name}"), &masked(&secret[start..start + NEEDLE]));
            }
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = Vec<u8>> {
        let lines = self.0.lines().filter_map(|line| line.split_once('='));
        lines.filter(move |(found, _)| *found == name).map(|(_, value)| hex::decode(value).unwrap())
    }

    fn value(&self, name: &str) -> Vec<u8> {
        self.values(name).next().unwrap_or_else(|| panic!("no {name}"))
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.value(name)).unwrap()
    }

    /// The masked needles with their names.
    fn needles(&self) -> Vec<(&str, Vec<u8>)> {
        self.0
            .lines()
            .filter_map(|line| line.strip_prefix("needle ")?.split_once('='))
            .map(|(name, value)| (name, hex::decode(value).unwrap()))
            .collect()
    }
}

/// Starts a test of this file, which is ignored otherwise.
fn child(test: &str, variable: &str, value: &str) -> Command {
    let mut child = command(env::current_exe().unwrap());
    child.args(["--ignored", "--exact", &format!("split::memory::{test}")]);
    child.env(variable, value).stdin(Stdio::piped());
    child
}

#[test]
fn nothing_is_left() {
    for provider in *PROVIDERS {
        for &suite in KemSuite::ALL {
            assert_clean(&kem_task(suite, provider));
        }
        assert_clean(&signing_task(provider));
    }
}

fn assert_clean(task: &Task) {
    let mut holder = child("holder", HOLDER, "1").spawn().unwrap();
    holder.stdin.as_mut().unwrap().write_all(task.0.as_bytes()).unwrap();
    let output = end_of(holder);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
}

fn kem_task(suite: KemSuite, provider: &Provider) -> Task {
    let seed = secret("a seed", 32);
    let key = DecapsulationKey::from_seed(suite, &seed).unwrap();
    let (ciphertext, shared) = key.encapsulation_key().encapsulate().unwrap();
    let halves = key.into_halves().unwrap();
    let traditional = if suite == X25519 { PORTABLE.x25519 } else { PORTABLE.p384 };
    let answer = |kem: &dyn Kem, half: &HalfKey<dyn Decapsulator>, ciphertext: &[u8]| {
        let mut secret = vec![0; kem.lengths().shared_secret];
        let pair = kem.key_pair(half.secret_bytes()).unwrap();
        pair.decapsulator.decapsulate(ciphertext, &mut secret).unwrap();
        secret
    };
    let sent = ciphertext.halves();
    let answers = [
        answer(PORTABLE.ml_kem_1024, &halves.post_quantum, sent.post_quantum),
        answer(traditional, &halves.traditional, sent.traditional),
    ];

    let mut task = Task::default();
    task.add("kind", if suite == X25519 { b"x25519" } else { b"p384" });
    task.add("provider", provider.name.as_bytes());
    task.add("key", &masked(&seed));
    task.add("ciphertext", ciphertext.as_bytes());
    task.add("expected", &masked(shared.as_bytes()));
    task.add_secret("seed", &seed);
    task.add_secret("post-quantum half", halves.post_quantum.secret_bytes());
    task.add_secret("traditional half", halves.traditional.secret_bytes());
    let ml_kem: &[u8; 64] = halves.post_quantum.secret_bytes().try_into().unwrap();
    let expanded = ml_kem::DecapsulationKey1024::from_seed((*ml_kem).into());
    #[expect(deprecated, reason = "it is looked for")]
    let expanded = ml_kem::ExpandedKeyEncoding::to_expanded_bytes(&expanded);
    task.add_secret("expanded post-quantum half", &expanded[..48]);
    task.add_secret("expanded post-quantum half", &coefficients(&expanded[..48]));
    task.add_secret("post-quantum answer", &answers[0]);
    task.add_secret("traditional answer", &answers[1]);
    task.add_secret("combined secret", shared.as_bytes());
    task
}

/// Numbers of 12 bits, packed, as 16 bits each.
fn coefficients(packed: &[u8]) -> Vec<u8> {
    let pairs = packed.chunks(3).flat_map(|triple| {
        let [a, b, c] = [0, 1, 2].map(|index| u16::from(triple[index]));
        [a | (b & 0x0f) << 8, b >> 4 | c << 4]
    });
    pairs.flat_map(u16::to_ne_bytes).collect()
}

fn signing_task(provider: &Provider) -> Task {
    let halves = secret("a signing key", 80);
    let (seed, scalar) = halves.split_at(32);
    let mut task = Task::default();
    task.add("kind", b"sign");
    task.add("provider", provider.name.as_bytes());
    task.add("key", &masked(&[seed, &ec_private_key(scalar)].concat()));
    task.add_secret("post-quantum half", seed);
    task.add_secret("traditional half", scalar);
    // FIPS 204 Algorithm 6: rho || rho' || K = H(seed || k || l).
    let mut expanded = [0; 128];
    Shake256::default().chain(seed).chain([8, 7]).finalize_xof().read(&mut expanded);
    task.add_secret("rho'", &expanded[32..96]);
    task.add_secret("K", &expanded[96..]);
    let seed: &[u8; 32] = seed.try_into().unwrap();
    let key = ml_dsa::ExpandedSigningKey::<MlDsa87>::from_seed(seed.into());
    #[expect(deprecated, reason = "it is looked for")]
    let expanded = key.to_expanded();
    task.add_secret("s1 and s2", &expanded[128..128 + 15 * 96]);
    task
}

/// The process that holds a key and moves it into two tokens.
#[test]
#[ignore = "a child of nothing_is_left"]
fn holder() {
    if env::var_os(HOLDER).is_none() {
        return;
    }
    let mut task = Task::default();
    io::stdin().read_to_string(&mut task.0).unwrap();
    let needles = task.needles();
    let look = || found(&needles);
    if task.text("kind") == "sign" {
        hold_signing_key(&task, look);
    } else {
        hold_kem_key(&task, look);
    }
}

/// The names of the secrets that are in memory.
type Found = BTreeSet<String>;

fn provider(task: &Task) -> &'static Provider {
    let name = task.text("provider");
    PROVIDERS.into_iter().find(|provider| provider.name == name).unwrap()
}

fn unmasked(task: &Task, name: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(task.value(name));
    bytes.iter_mut().for_each(|byte| *byte ^= MASK);
    bytes
}

fn assert_found(found: &Found, names: &[&str]) {
    for name in names {
        assert!(found.contains(*name), "{name} is in use, and was not found among {found:?}");
    }
}

fn hold_kem_key(task: &Task, look: impl Fn() -> Found) {
    assert_eq!(look(), Found::new(), "before there is a key");
    let x25519 = task.text("kind") == "x25519";
    let suite = if x25519 { X25519 } else { P384 };
    let key = DecapsulationKey::from_seed(suite, &unmasked(task, "key")).unwrap();
    let key = key.on(provider(task)).unwrap();
    let public = key.encapsulation_key().clone();
    assert_found(&look(), &["seed"]);
    let halves = key.into_halves().unwrap();
    assert_found(&look(), &["post-quantum half", "traditional half"]);
    let post_quantum = Token::holding("ml-kem", &halves.post_quantum);
    let traditional = Token::holding(if x25519 { "x25519" } else { "p384" }, &halves.traditional);
    drop(halves);
    clear_stack();
    assert_eq!(look(), Found::new(), "after the halves have moved");

    let split =
        SplitDecapsulationKey::new(public.clone(), Box::new(post_quantum), Box::new(traditional));
    split.check().unwrap();
    let ciphertext = Ciphertext::from_bytes(suite, &task.value("ciphertext")).unwrap();
    let secret = split.decapsulate(&ciphertext).unwrap();
    assert_eq!(masked(secret.as_bytes()), task.value("expected"));
    assert_found(&look(), &["combined secret"]);
    drop(secret);
    let sealed = public.seal(CTX, b"hello").unwrap();
    assert_eq!(&split.open(CTX, &sealed).unwrap()[..], b"hello");
    clear_stack();
    assert_eq!(look(), Found::new(), "after the tokens were used");
}

fn hold_signing_key(task: &Task, look: impl Fn() -> Found) {
    assert_eq!(look(), Found::new(), "before there is a key");
    let key = SigningKey::from_bytes(COMPOSITE, &unmasked(task, "key")).unwrap();
    let key = key.on(provider(task)).unwrap();
    let public = key.verifying_key().clone();
    assert_found(&look(), &["post-quantum half", "traditional half"]);
    let halves = key.into_halves().unwrap();
    assert_found(&look(), &["post-quantum half", "traditional half"]);
    let post_quantum = Token::holding("ml-dsa", &halves.post_quantum);
    let traditional = Token::holding("ecdsa", &halves.traditional);
    drop(halves);
    clear_stack();
    assert_eq!(look(), Found::new(), "after the halves have moved");

    let split = SplitSigningKey::new(public.clone(), Box::new(post_quantum), Box::new(traditional));
    split.check().unwrap();
    let signature = split.sign(CTX, b"message").unwrap();
    public.verify(CTX, b"message", &signature).unwrap();
    clear_stack();
    assert_eq!(look(), Found::new(), "after the tokens were used");
}

/// Calls that have returned may have left copies on the stack, which the next calls overwrite: wiping inside the
/// primitives is best effort (SECURITY.md). Here all of it is overwritten at once.
#[inline(never)]
fn clear_stack() {
    std::hint::black_box([0_u8; 768 * 1024]);
}

/// Looks for masked needles in all memory that this process can write.
fn found(needles: &[(&str, Vec<u8>)]) -> Found {
    let mut found = Found::new();
    let mut by_first_byte: Vec<Vec<usize>> = vec![Vec::new(); 256];
    for (index, (_, needle)) in needles.iter().enumerate() {
        by_first_byte[usize::from(needle[0])].push(index);
    }
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = fs::File::open("/proc/self/mem").unwrap();
    let mut buffer = Zeroizing::new(vec![0_u8; 1 << 20]);
    let mut total = 0;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, access) = (fields.next().unwrap(), fields.next().unwrap());
        if !access.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [mut at, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        while at < end {
            let length = buffer.len().min(usize::try_from(end - at).unwrap());
            memory.seek(SeekFrom::Start(at)).unwrap();
            let part = &mut buffer[..length];
            if memory.read_exact(part).is_err() {
                break; // a mapping that is gone, or of a device
            }
            for (position, byte) in part.iter().enumerate() {
                for index in &by_first_byte[usize::from(byte ^ MASK)] {
                    let (name, needle) = &needles[*index];
                    let there = part[position..].iter().map(|byte| byte ^ MASK).take(NEEDLE);
                    if there.eq(needle.iter().copied()) {
                        found.insert((*name).to_owned());
                    }
                }
            }
            total += length;
            // A needle that lies across the end of a part is found in the next.
            at += if at + length as u64 == end { length } else { length - NEEDLE } as u64;
        }
    }
    assert!(total > 1 << 20, "{total} bytes of memory");
    found
}

/// The adapter of a token, which is a process.
struct Token(Mutex<(Child, ChildStdin, ChildStderr)>);

impl Token {
    /// Moves a half into a new token.
    fn holding<Operation: ?Sized>(algorithm: &str, half: &HalfKey<Operation>) -> Self {
        let mut child = child("token", TOKEN, algorithm).stdout(Stdio::null()).spawn().unwrap();
        let (mut requests, answers) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
        requests.write_all(half.secret_bytes()).unwrap(); // not through a buffer
        Self(Mutex::new((child, requests, answers)))
    }

    fn ask(&self, context: &[u8], message: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut line = self.0.lock().unwrap();
        let (_, requests, answers) = &mut *line;
        for field in [context, message] {
            requests.write_all(&(field.len() as u32).to_be_bytes())?;
            requests.write_all(field)?;
        }
        read_field(answers)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let (child, ..) = self.0.get_mut().unwrap();
        child.kill().unwrap();
    }
}

impl Decapsulator for Token {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let answer = self.ask(b"", ciphertext).map_err(Error::external)?;
        shared_secret.copy_from_slice(&answer);
        Ok(())
    }
}

impl SchemeSigner for Token {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.ask(context, message).map(|answer| answer.to_vec()).map_err(Error::external)
    }
}

fn read_field(input: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let mut field = Zeroizing::new(vec![0; u32::from_be_bytes(length) as usize]);
    input.read_exact(&mut field)?;
    Ok(field)
}

/// What a token makes of a context and a ciphertext or message.
type Answer = Box<dyn Fn(&[u8], &[u8]) -> Vec<u8>>;

/// A token: one half of a key comes in, and does not leave. It ends when nobody can ask it any more.
#[test]
#[ignore = "a child of nothing_is_left"]
fn token() {
    let Ok(algorithm) = env::var(TOKEN) else { return };
    let mut input = io::stdin();
    let key = |length: usize| {
        let mut key = vec![0; length];
        io::stdin().read_exact(&mut key).unwrap();
        key
    };
    let decapsulating = |kem: &dyn Kem, key: &[u8]| -> Answer {
        let (pair, length) = (kem.key_pair(key).unwrap(), kem.lengths().shared_secret);
        Box::new(move |_, ciphertext| {
            let mut secret = vec![0; length];
            pair.decapsulator.decapsulate(ciphertext, &mut secret).unwrap();
            secret
        })
    };
    let signing = |scheme: &dyn SignatureScheme, key: &[u8]| -> Answer {
        let pair = scheme.key_pair(key).unwrap();
        Box::new(move |context, message| pair.signer.sign(context, message).unwrap())
    };
    let answer = match &*algorithm {
        "ml-kem" => decapsulating(PORTABLE.ml_kem_1024, &key(64)),
        "x25519" => decapsulating(PORTABLE.x25519, &key(32)),
        "p384" => decapsulating(PORTABLE.p384, &key(48)),
        "ml-dsa" => signing(PORTABLE.ml_dsa_87, &key(32)),
        "ecdsa" => signing(PORTABLE.ecdsa_p384, &key(48)),
        other => panic!("{other}"),
    };
    while let Ok(context) = read_field(&mut input) {
        let answer = answer(&context, &read_field(&mut input).unwrap());
        let mut output = io::stderr();
        output.write_all(&(answer.len() as u32).to_be_bytes()).unwrap();
        output.write_all(&answer).unwrap();
    }
}
