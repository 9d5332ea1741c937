//! What is done with secrets. A case prepares everything with a key that is not marked, marks it, and then does one
//! thing.

use twinseal::{
    DecapsulationKey, Error, KemSuite, Recipients, SigningKey,
    envelope::Header,
    kem::{Ciphertext, SharedSecret},
    key_files::PemDocument,
    passphrase::{PrivateKey, Scrypt},
    provider::Provider,
    request::AllowReplays,
};

use crate::taint;

type On = &'static Provider;
type Outcome = Result<(), Error>;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(On) -> Outcome,
}

impl Case {
    /// A key file is read on the provider that is the default, which is AWS-LC here.
    pub(crate) fn is_on(&self, provider: &str) -> bool {
        provider == "aws-lc" || !self.name.starts_with("passphrase")
    }
}

const fn case(name: &'static str, run: fn(On) -> Outcome) -> Case {
    Case { name, run }
}

const X25519: KemSuite = KemSuite::X25519_ML_KEM_1024;
const P384: KemSuite = KemSuite::ML_KEM_1024_P384;

/// The order is that of the table in SECURITY.md.
pub(crate) const CASES: &[Case] = &[
    case("load-0001", |on| load(X25519, on)),
    case("load-0051", |on| load(P384, on)),
    case("decapsulate-0001", |on| decapsulate(X25519, on, |_, _| ())),
    case("decapsulate-0051", |on| decapsulate(P384, on, |_, _| ())),
    case("decapsulate-forged-0001", |on| decapsulate(X25519, on, forge)),
    case("decapsulate-forged-0051", |on| decapsulate(P384, on, forge)),
    case("encapsulate-0001", |on| encapsulate(X25519, on)),
    case("encapsulate-0051", |on| encapsulate(P384, on)),
    case("combine-0001", |on| combine(X25519, 32, on)),
    case("combine-0051", |on| combine(P384, 48, on)),
    case("load-signing", |on| signing_key(on).map(drop)),
    case("sign", sign),
    case("open-0001", |on| open(X25519, on)),
    case("open-0051", |on| open(P384, on)),
    case("open-wrong-recipient", wrong_recipient),
    case("open-forged-ciphertext", |on| refused(on, |parts, sealed| sealed[parts.ciphertext] ^= 1)),
    case("open-wrong-wrapped-key", |on| refused(on, |parts, sealed| sealed[parts.wrapped] ^= 1)),
    case("open-wrong-header-tag", |on| refused(on, |parts, sealed| sealed[parts.body - 1] ^= 1)),
    case("open-wrong-commitment", |on| refused(on, |parts, sealed| sealed[parts.body + 24] ^= 1)),
    case("open-forged-chunk", |on| refused(on, |parts, sealed| sealed[parts.body + 56] ^= 1)),
    case("open-wrong-chunk-tag", |on| {
        refused(on, |_, sealed| *sealed.last_mut().expect("a tag") ^= 1)
    }),
    case("open-truncated", |on| {
        refused(on, |parts, sealed| sealed.truncate(parts.body + 56 + 16400))
    }),
    case("rewrap", rewrap),
    case("session", session),
    case("session-forged", session_forged),
    case("request", request),
    case("passphrase", passphrase),
    case("passphrase-wrong", wrong_passphrase),
];

const CONTEXT: &[u8] = b"example.com/constant-time";

/// A key whose seed is secret, and all that was made of it.
fn key(suite: KemSuite, on: On) -> Result<DecapsulationKey, Error> {
    let key = DecapsulationKey::generate_for(suite)?;
    taint::secret(key.seed().expect("a generated key has a seed"));
    key.on(on)
}

fn load(suite: KemSuite, on: On) -> Outcome {
    let key = key(suite, on)?;
    assert!(taint::is_secret(key.seed().expect("it had one before")), "the seed is not secret");
    Ok(())
}

fn decapsulate(suite: KemSuite, on: On, change: fn(KemSuite, &mut [u8])) -> Outcome {
    let key = key(suite, on)?;
    let (ciphertext, _) = key.encapsulation_key().encapsulate()?;
    let mut bytes = ciphertext.as_bytes().to_vec();
    change(suite, &mut bytes);
    let secret = key.decapsulate(&Ciphertext::from_bytes(suite, &bytes)?);
    taint::public_value(&secret);
    must_be_secret(secret?.as_bytes());
    Ok(())
}

/// ML-KEM rejects it implicitly, and the other half is somebody else's.
fn forge(suite: KemSuite, ciphertext: &mut [u8]) {
    ciphertext[7] ^= 1;
    let other = DecapsulationKey::generate_for(suite).expect("the system has randomness");
    let (another, _) = other.encapsulation_key().encapsulate().expect("the system has randomness");
    ciphertext[1568..].copy_from_slice(&another.as_bytes()[1568..]);
}

fn encapsulate(suite: KemSuite, on: On) -> Outcome {
    let public = DecapsulationKey::generate_for(suite)?.encapsulation_key().clone().on(on)?;
    let (_, secret) = public.encapsulate()?;
    must_be_secret(secret.as_bytes());
    Ok(())
}

fn combine(suite: KemSuite, traditional: usize, on: On) -> Outcome {
    let public = DecapsulationKey::generate_for(suite)?.encapsulation_key().clone().on(on)?;
    let (ciphertext, _) = public.encapsulate()?;
    let halves = [vec![7; 32], vec![9; traditional]];
    halves.iter().for_each(|half| taint::secret(half));
    let [post_quantum, traditional] = &halves;
    let secret = SharedSecret::combine(&public, &ciphertext, Ok(post_quantum), Ok(traditional));
    taint::public_value(&secret);
    must_be_secret(secret?.as_bytes());
    Ok(())
}

/// A key of both halves whose seed and scalar are secret. What is around the scalar is DER that everybody knows.
fn signing_key(on: On) -> Result<SigningKey, Error> {
    let key = SigningKey::generate()?;
    let (seed, ec_private_key) = key.secret_bytes().split_at(32);
    taint::secret(seed);
    let scalar = EC_PRIVATE_KEY_START.len()..EC_PRIVATE_KEY_START.len() + 48;
    assert!(ec_private_key.starts_with(EC_PRIVATE_KEY_START), "the scalar is elsewhere");
    taint::secret(&ec_private_key[scalar]);
    key.on(on)
}

/// RFC 5915: a SEQUENCE of version 1 and an OCTET STRING of 48 bytes.
const EC_PRIVATE_KEY_START: &[u8] = &[0x30, 0x3e, 0x02, 0x01, 0x01, 0x04, 0x30];

fn sign(on: On) -> Outcome {
    let key = signing_key(on)?;
    let signature = key.sign(CONTEXT, b"hello")?;
    key.verifying_key().verify(CONTEXT, b"hello", &signature)
}

const PLAINTEXT: usize = 40_000;

fn open(suite: KemSuite, on: On) -> Outcome {
    let key = key(suite, on)?;
    let others = [X25519, P384].map(DecapsulationKey::generate_for);
    let others = others.into_iter().collect::<Result<Vec<_>, _>>()?;
    let publics = others.iter().map(DecapsulationKey::encapsulation_key);
    let to = Recipients::new(publics.chain([key.encapsulation_key()]))?;
    let sealed = published(to.seal(CONTEXT, &[5; PLAINTEXT]))?;
    let opened = key.open(CONTEXT, &sealed);
    taint::public_value(&opened);
    let opened = opened?;
    must_be_secret(&opened);
    taint::public(&opened);
    assert!(*opened == [5; PLAINTEXT], "it opened to something else");
    Ok(())
}

fn wrong_recipient(on: On) -> Outcome {
    let key = key(X25519, on)?;
    let sealed = DecapsulationKey::generate()?.encapsulation_key().seal(CONTEXT, b"hello")?;
    assert_eq!(key.open(CONTEXT, &sealed).map(drop), Err(Error::NotARecipient));
    Ok(())
}

/// Where things are in an envelope for one recipient.
struct Parts {
    ciphertext: usize,
    wrapped: usize,
    body: usize,
}

fn refused(on: On, change: fn(&Parts, &mut Vec<u8>)) -> Outcome {
    let key = key(X25519, on)?;
    let mut sealed = published(key.encapsulation_key().seal(CONTEXT, &[5; PLAINTEXT]))?;
    let body = Header::parse(&sealed)?.len();
    let wrapped = body - 32 - 48;
    change(&Parts { ciphertext: wrapped - X25519.ciphertext_len(), wrapped, body }, &mut sealed);
    let opened = key.open(CONTEXT, &sealed);
    taint::public_value(&opened);
    assert_eq!(opened.map(drop), Err(Error::Open));
    Ok(())
}

fn rewrap(on: On) -> Outcome {
    let key = key(X25519, on)?;
    let sealed = published(key.encapsulation_key().seal(CONTEXT, b"hello"))?;
    let header = Header::parse(&sealed)?;
    let other = DecapsulationKey::generate_for(P384)?;
    let to = Recipients::new([&other.encapsulation_key().clone().on(on)?])?;
    let header = published(key.rewrap_header(&to, &header))?;
    let body = &sealed[Header::parse(&sealed)?.len()..];
    assert_eq!(&other.open(CONTEXT, &[&header, body].concat())?[..], b"hello");
    Ok(())
}

/// Both directions: the sender's secrets are secret, too.
fn session(on: On) -> Outcome {
    let key = key(X25519, on)?;
    let (hello, mut sender) = key.encapsulation_key().sender(CONTEXT)?;
    let mut receiver = key.receiver(CONTEXT, &hello)?;
    let message = published(sender.seal(&[5; 100]))?;
    opened(receiver.open(&message))?;
    let last = published(sender.finish(&[5; 100]))?;
    opened(receiver.open(&last))?;
    let (nonce, mut reply) = receiver.reply()?;
    let answer = published(reply.finish(&[5; 100]))?;
    opened(sender.accept_reply(nonce)?.open(&answer))
}

fn session_forged(on: On) -> Outcome {
    let key = key(X25519, on)?;
    let (hello, mut sender) = key.encapsulation_key().sender(CONTEXT)?;
    let mut receiver = key.receiver(CONTEXT, &hello)?;
    let mut message = published(sender.seal(&[5; 100]))?;
    message[10] ^= 1;
    let forged = receiver.open(&message);
    taint::public_value(&forged);
    assert_eq!(forged.map(drop), Err(Error::Open));
    Ok(())
}

fn request(on: On) -> Outcome {
    let key = key(X25519, on)?;
    let asked = key.encapsulation_key().request(CONTEXT, &[5; 100]);
    taint::public_value(&asked);
    let (request, pending) = asked?;
    taint::public(&request);
    let accepted = key.accept(CONTEXT, &request, &AllowReplays);
    taint::public_value(&accepted);
    let (plaintext, asked) = accepted?;
    must_be_secret(&plaintext);
    let answer = published(asked.answer(&[5; 100]))?;
    let answer = pending.open(&answer);
    taint::public_value(&answer);
    must_be_secret(&answer.map_err(|failed| failed.error)?);
    Ok(())
}

/// A key of suite 0x0001. Those of other suites are PKCS#8 inside, which is not read in constant time.
fn passphrase(_: On) -> Outcome {
    let key = DecapsulationKey::generate()?;
    let file = key.to_encrypted_pem_with(PASSPHRASE, Scrypt::new(1 << 6, 8, 1)?)?;
    let passphrase = PASSPHRASE.to_vec();
    taint::secret(&passphrase);
    let document = PemDocument::split(&file)?.remove(0);
    let read = PrivateKey::from_encrypted(document, &passphrase);
    taint::public_value(&read);
    let PrivateKey::Decapsulation(read) = read? else { panic!("it is another key") };
    must_be_secret(read.seed().expect("the file has the seed"));
    Ok(())
}

const PASSPHRASE: &[u8] = b"correct horse battery staple";

fn wrong_passphrase(_: On) -> Outcome {
    let key = DecapsulationKey::generate()?;
    let file = key.to_encrypted_pem_with(PASSPHRASE, Scrypt::new(1 << 6, 8, 1)?)?;
    let passphrase = b"incorrect horse battery staple".to_vec();
    taint::secret(&passphrase);
    let document = PemDocument::split(&file)?.remove(0);
    let read = PrivateKey::from_encrypted(document, &passphrase);
    taint::public_value(&read);
    assert_eq!(read.map(drop), Err(Error::Passphrase));
    Ok(())
}

/// What is sent or stored is public.
fn published(sealed: Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
    taint::public_value(&sealed);
    sealed.inspect(|sealed| taint::public(sealed))
}

fn opened(plaintext: Result<impl AsRef<[u8]>, Error>) -> Outcome {
    taint::public_value(&plaintext);
    must_be_secret(plaintext?.as_ref());
    Ok(())
}

/// If it is not, the marks were lost on the way, and Memcheck saw nothing.
fn must_be_secret(bytes: &[u8]) {
    assert!(taint::is_secret(bytes), "what was computed from secrets is not secret");
}
