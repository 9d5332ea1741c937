//! How do external keys behave: an HSM that works, fails or answers nonsense, and a KMS that is awaited?

use std::{
    error::Error as _,
    fmt,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KemSuite, KeyId, Keyring, Policy,
    Recipients, Sign, Signature, SigningKey, Unlock, VerifyingKey, VerifyingKeyring,
    envelope::Header,
    kem::{Ciphertext, SharedSecret},
};

use crate::common::{
    errors::{chain, invalid, io_outcome, outcome, truncated},
    keys::{COMPOSITE, CTX, P384, X25519, kem_key, signing_key},
};

/// A wrong answer of an external key.
type Answer<T> = Box<dyn Fn() -> Result<T, Error> + Send + Sync>;

/// An external decapsulation key that counts its decapsulations.
struct Token {
    inside: DecapsulationKey,
    answer: Option<Answer<SharedSecret>>,
    decapsulations: AtomicUsize,
}

impl Token {
    fn working(inside: DecapsulationKey) -> Self {
        Self { inside, answer: None, decapsulations: AtomicUsize::new(0) }
    }

    fn answering(answer: impl Fn() -> Result<SharedSecret, Error> + Send + Sync + 'static) -> Self {
        Self { answer: Some(Box::new(answer)), ..Self::working(kem_key(X25519, 1)) }
    }

    /// How often it has decapsulated since the last time.
    fn count(&self) -> usize {
        self.decapsulations.swap(0, Ordering::Relaxed)
    }
}

impl Decapsulate for Token {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.inside.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.decapsulations.fetch_add(1, Ordering::Relaxed);
        match &self.answer {
            Some(answer) => answer(),
            None => self.inside.decapsulate(ciphertext),
        }
    }
}

/// An external signing key.
struct Vault {
    inside: SigningKey,
    answer: Option<Answer<Signature>>,
}

impl Vault {
    fn new(answer: Option<Answer<Signature>>) -> Self {
        Self { inside: signing_key(1), answer }
    }
}

impl Sign for Vault {
    fn verifying_key(&self) -> &VerifyingKey {
        self.inside.verifying_key()
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        match &self.answer {
            Some(answer) => answer(),
            None => Sign::sign_prehashed(&self.inside, context, sha512),
        }
    }
}

#[derive(Debug)]
struct Locked(u8);

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {} is locked", self.0)
    }
}

impl std::error::Error for Locked {}

/// Sealed to the token of `Token::answering`, and to a key of the other suite.
fn sealed() -> Vec<u8> {
    let keys = [kem_key(X25519, 1), kem_key(P384, 2)];
    let keys = keys.each_ref().map(DecapsulationKey::encapsulation_key);
    Recipients::new(keys).unwrap().seal(CTX, b"hello").unwrap()
}

// Decapsulation keys.

#[test]
fn a_working_token_opens() {
    for key in [kem_key(X25519, 1), kem_key(P384, 2)] {
        let token = Token::working(key);
        assert_eq!(&token.open(CTX, &sealed()).unwrap()[..], b"hello");
        assert_eq!(token.count(), 1);
    }
}

#[test]
fn one_decapsulation_at_most() {
    let token = Token::working(kem_key(X25519, 1));
    let sealed = sealed();
    let changed = |position: usize, value: u8| {
        let mut changed = sealed.clone();
        assert_ne!(changed[position], value);
        changed[position] = value;
        changed
    };
    let header = Header::parse(&sealed).unwrap().len();
    let flip = |position: usize| changed(position, sealed[position] ^ 1);
    let again = [&sealed[..12], &sealed[12..1680], &sealed[12..]].concat();
    let mut low_order = sealed.clone();
    low_order[1600..1632].fill(0);

    let table: [(&str, &[u8], Vec<u8>, usize); 18] = [
        ("as it is", CTX, sealed.clone(), 1),
        ("another context", b"example.com/other", sealed.clone(), 1),
        ("no context", b"", sealed.clone(), 0),
        ("a long context", &[b'x'; 256], sealed.clone(), 0),
        ("a reserved context", b"twinseal/x", sealed.clone(), 0),
        ("nothing", CTX, vec![], 0),
        ("another magic", CTX, changed(0, b'T'), 0),
        ("another version", CTX, changed(8, 2), 0),
        ("another body", CTX, changed(9, 2), 0),
        ("no recipients", CTX, changed(11, 0), 0),
        ("a recipient twice", CTX, again, 0),
        ("half a header", CTX, sealed[..header - 1].to_vec(), 0),
        ("another key id", CTX, flip(14), 0),
        ("a ciphertext that is none", CTX, low_order, 0),
        ("another ciphertext", CTX, flip(32), 1),
        ("another wrapped key", CTX, flip(1632), 1),
        ("another tag", CTX, flip(header - 1), 1),
        ("no body", CTX, sealed[..header].to_vec(), 1),
    ];
    for (case, context, sealed, expected) in table {
        let opened = token.open(context, &sealed);
        assert_eq!(opened.is_ok(), case == "as it is", "{case}");
        assert_eq!(token.count(), expected, "{case}");
    }

    let stranger = Token::working(kem_key(X25519, 3));
    assert_eq!(outcome(stranger.open(CTX, &sealed)), "NotARecipient");
    assert_eq!(stranger.count(), 0);
}

#[test]
fn a_failing_token() {
    let token = Token::answering(|| Err(Error::external(Locked(4))));
    let error = token.open(CTX, &sealed()).unwrap_err();
    assert!(matches!(error, Error::External(_)), "{error:?}");
    assert_eq!(chain(&error), "the external key failed: slot 4 is locked");
    assert!(matches!(error.source().unwrap().downcast_ref(), Some(Locked(4))));
    let io = io::Error::from(error);
    assert_eq!(io.kind(), io::ErrorKind::Other);
    assert_eq!(token.count(), 1);
}

/// `Open` and `Verify` say that data was judged. A token has judged nothing.
#[test]
fn a_token_that_answers_open() {
    for answer in [Error::Open, Error::Verify] {
        let text = answer.to_string();
        let token = Token::answering(move || Err(answer.clone()));
        let error = token.open(CTX, &sealed()).unwrap_err();
        assert!(matches!(error, Error::External(_)), "{error:?}");
        assert_eq!(chain(&error), format!("the external key failed: {text}"));
    }
}

#[test]
fn a_token_with_a_secret_of_another_suite() {
    let token = Token::answering(|| SharedSecret::from_bytes(P384, &[7; 32]));
    let error = token.open(CTX, &sealed()).unwrap_err();
    let text = "the external key failed: the shared secret is not of the key's suite";
    assert_eq!(chain(&error), text);
    assert!(matches!(error, Error::External(_)));
}

/// A token whose public half is another one each time that it is asked for.
struct Fickle {
    keys: [DecapsulationKey; 2],
    asked: AtomicUsize,
}

impl Decapsulate for Fickle {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.keys[self.asked.fetch_add(1, Ordering::Relaxed) % 2].encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.keys[0].decapsulate(ciphertext)
    }
}

/// The first answer counts: for the recipient, for the signature, and for the policy of a ring.
#[test]
fn a_token_that_changes_its_public_half() {
    let token = || Fickle { keys: [kem_key(X25519, 1), kem_key(P384, 2)], asked: 0.into() };
    let only = Policy::stable().with_kem_suites([X25519]);
    let ring = || Keyring::new(token()).with_policy(only.clone()).unwrap();
    let alice = signing_key(1);
    let to_token = kem_key(X25519, 1).encapsulation_key().clone();
    let (hello, _) = to_token.signed_by(&alice).sender(CTX).unwrap();
    let alice = alice.verifying_key();
    assert_eq!(outcome(token().open(CTX, &sealed())), "Ok");
    assert_eq!(outcome(ring().open(CTX, &sealed())), "Ok");
    assert_eq!(outcome(token().accepting(alice).receiver(CTX, &hello)), "Ok");
    assert_eq!(outcome(ring().accepting(alice).receiver(CTX, &hello)), "Ok");
}

/// A wrong secret looks like a wrong envelope.
#[test]
fn a_token_with_a_wrong_secret() {
    let token = Token::answering(|| SharedSecret::from_bytes(X25519, &[7; 64]));
    assert_eq!(outcome(token.open(CTX, &sealed())), "Open");
}

#[test]
fn a_key_in_memory_is_an_external_key_too() {
    let key: Box<dyn Decapsulate> = Box::new(kem_key(P384, 2));
    assert_eq!(&key.open(CTX, &sealed()).unwrap()[..], b"hello");
}

/// One function for all that can unlock: every method, with data that is addressed to it.
pub(crate) fn unlocks(keys: &(impl Unlock + ?Sized), public: &EncapsulationKey) {
    let sealed = public.seal(CTX, b"hello").unwrap();
    assert_eq!(&keys.open(CTX, &sealed).unwrap()[..], b"hello");
    let mut read = Vec::new();
    keys.open_reader(CTX, &sealed[..]).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, b"hello");
    read.clear();
    keys.open_at(CTX, &sealed).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, b"hello");

    let header = Header::parse(&sealed).unwrap();
    let body = &sealed[header.len()..];
    assert_eq!(&keys.unlock(&header).unwrap().open(CTX, body).unwrap()[..], b"hello");
    let other = kem_key(X25519, 9);
    let to = Recipients::new([other.encapsulation_key()]).unwrap();
    let mut moved = Vec::new();
    keys.rewrap(&to, &sealed[..], &mut moved).unwrap();
    let also = [&keys.rewrap_header(&to, &header).unwrap(), body].concat();
    for moved in [moved, also] {
        assert_eq!(&other.open(CTX, &moved).unwrap()[..], b"hello");
    }

    let (hello, mut tx) = public.sender(CTX).unwrap();
    let mut rx = keys.receiver(CTX, &hello).unwrap();
    assert_eq!(&rx.open(&tx.seal(b"hello").unwrap()).unwrap()[..], b"hello");
    let alice = signing_key(1);
    let (hello, mut tx) = public.signed_by(&alice).sender(CTX).unwrap();
    let sealed = tx.seal(b"hello").unwrap();
    let alice = alice.verifying_key();
    let signers = VerifyingKeyring::new([alice]).unwrap();
    for accepting in [keys.accepting(alice), keys.accepting_any(&signers)] {
        let mut rx = accepting.receiver(CTX, &hello).unwrap();
        assert_eq!(&rx.open(&sealed).unwrap()[..], b"hello");
    }

    let (hello, _) = other.encapsulation_key().sender(CTX).unwrap();
    for addressed_to_another in [
        outcome(keys.open(CTX, &other.encapsulation_key().seal(CTX, b"hello").unwrap())),
        outcome(keys.receiver(CTX, &hello)),
    ] {
        assert_eq!(addressed_to_another, "NotARecipient");
    }
}

#[test]
fn what_unlocks() {
    let key = kem_key(X25519, 1);
    let public = key.encapsulation_key().clone();
    unlocks(&key, &public);
    let by_dyn: &dyn Decapsulate = &key;
    unlocks(by_dyn, &public);
    unlocks(&Token::working(kem_key(X25519, 1)), &public);
    let token: Arc<dyn Decapsulate> = Arc::new(Token::working(kem_key(X25519, 1)));
    unlocks(&*token, &public);
    unlocks(&token, &public);
    unlocks(&&token, &public);
    unlocks(&Keyring::new(key), &public);
    unlocks(&Keyring::new(token), &public);
    unlocks(&Keyring::new(Token::working(kem_key(X25519, 1))), &public);
    unlocks(&Keyring::new(Arc::new(Token::working(kem_key(X25519, 1)))), &public);
}

/// The methods are found however the key is held.
#[test]
fn however_it_is_held() {
    let sealed = sealed();
    let (hello, _) = kem_key(X25519, 1).encapsulation_key().sender(CTX).unwrap();
    macro_rules! unlocks {
        ($($key:expr),+ $(,)?) => {$(
            assert_eq!(&$key.open(CTX, &sealed).unwrap()[..], b"hello");
            assert_eq!($key.open_at(CTX, &sealed).unwrap().len(), 5);
            assert_eq!(outcome($key.receiver(CTX, &hello)), "Ok");
        )+};
    }
    let token = || Token::working(kem_key(X25519, 1));
    let by_dyn: &dyn Decapsulate = &token();
    unlocks!(
        token(),
        (&token()),
        Box::new(token()),
        Arc::new(token()),
        by_dyn,
        (&by_dyn),
        (Box::new(token()) as Box<dyn Decapsulate>),
        (Arc::new(token()) as Arc<dyn Decapsulate>),
        Arc::new(kem_key(X25519, 1)),
        Arc::new(Keyring::new(kem_key(X25519, 1))),
    );
}

// A key that is awaited.

/// Asks a KMS, which knows its keys by id and receives ciphertexts as bytes.
fn ask_kms(suite: KemSuite, id: KeyId, ciphertext: &[u8]) -> Vec<u8> {
    let key = [kem_key(X25519, 1), kem_key(P384, 2)]
        .into_iter()
        .find(|key| (key.suite(), key.encapsulation_key().key_id()) == (suite, id))
        .unwrap();
    let ciphertext = Ciphertext::from_bytes(suite, ciphertext).unwrap();
    key.decapsulate(&ciphertext).unwrap().as_bytes().to_vec()
}

#[test]
fn an_awaited_key_opens() {
    let sealed = sealed();
    let header = Header::parse(&sealed).unwrap();
    for key in [kem_key(X25519, 1), kem_key(P384, 2)] {
        let suite = key.suite();
        let recipient = header.find(key.encapsulation_key()).unwrap();
        assert_eq!(recipient.suite(), Some(suite));
        assert_eq!(recipient.suite_id(), suite.id());
        assert_eq!(recipient.key_id(), key.encapsulation_key().key_id());
        let ciphertext = recipient.ciphertext().unwrap();
        let secret = ask_kms(suite, recipient.key_id(), ciphertext.as_bytes());
        let secret = SharedSecret::from_bytes(suite, &secret).unwrap();
        let body_key = header.unlock(&recipient, &secret).unwrap();
        let body = &sealed[header.len()..];
        assert_eq!(&body_key.open(CTX, body).unwrap()[..], b"hello");
    }
    let suites: Vec<_> = header.recipients().map(|one| one.suite_id()).collect();
    assert_eq!(suites, [0x0001, 0x0051]);
    let stranger = kem_key(X25519, 3);
    assert!(header.find(stranger.encapsulation_key()).is_none());
}

#[test]
fn an_awaited_key_with_something_wrong() {
    let sealed = sealed();
    let header = Header::parse(&sealed).unwrap();
    let (first, second) = (kem_key(X25519, 1), kem_key(P384, 2));
    let recipient = header.find(first.encapsulation_key()).unwrap();
    let other_recipient = header.find(second.encapsulation_key()).unwrap();
    let secret = first.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
    let other_secret = second.decapsulate(&other_recipient.ciphertext().unwrap()).unwrap();

    let wrong = SharedSecret::from_bytes(X25519, &[7; 64]).unwrap();
    assert_eq!(outcome(header.unlock(&recipient, &wrong)), "Open");

    // The secret of one recipient for the other.
    let expected =
        |expected, actual| Error::SuiteMismatch { what: "shared secret", expected, actual };
    let (x25519, p384) = ("X25519-ML-KEM-1024", "MLKEM1024-P384");
    for (recipient, secret, expected) in [
        (&recipient, &other_secret, expected(x25519, p384)),
        (&other_recipient, &secret, expected(p384, x25519)),
    ] {
        let found = outcome(header.unlock(recipient, secret));
        assert_eq!(found, format!("{expected:?}"));
    }

    // The recipient of another envelope, with its own right secret.
    let elsewhere = self::sealed();
    let elsewhere = Header::parse(&elsewhere).unwrap();
    let there = elsewhere.find(first.encapsulation_key()).unwrap();
    let secret_there = first.decapsulate(&there.ciphertext().unwrap()).unwrap();
    assert_eq!(outcome(elsewhere.unlock(&there, &secret_there)), "Ok");
    assert_eq!(outcome(header.unlock(&there, &secret_there)), "Open");
    assert_eq!(outcome(header.unlock(&recipient, &secret_there)), "Open");

    let body_key = header.unlock(&recipient, &secret).unwrap();
    let body = &sealed[header.len()..];
    assert_eq!(outcome(body_key.open(CTX, body)), "Ok");
    assert_eq!(outcome(body_key.open(b"example.com/other", body)), "Open");
    let no_context = "Context(\"it is empty; say what the data is for\")";
    assert_eq!(outcome(body_key.open(b"", body)), no_context);
    assert_eq!(outcome(body_key.open(CTX, &sealed)), "Open");
    assert_eq!(outcome(body_key.open(CTX, b"")), "Open");
    assert_eq!(outcome(body_key.open(CTX, &body[1..])), "Open");

    let end = header.len() - 1;
    let found = outcome(Header::parse(&sealed[..end]));
    assert_eq!(found, truncated("envelope header", end + 1, end));
}

/// A ciphertext that breaks a rule is refused before the key is asked to decapsulate it.
#[test]
fn an_awaited_key_is_not_asked_about_broken_ciphertexts() {
    let mut sealed = sealed();
    sealed[1600..1632].fill(0);
    let header = Header::parse(&sealed).unwrap();
    let key = kem_key(X25519, 1);
    let recipient = header.find(key.encapsulation_key()).unwrap();
    let expected = invalid("X25519 public value", "it is a point of low order");
    assert_eq!(outcome(recipient.ciphertext()), expected);
}

// Signing keys.

#[test]
fn a_working_vault_signs() {
    let vault = Vault::new(None);
    let signature = vault.sign(CTX, b"hello").unwrap();
    let key = vault.verifying_key();
    key.verify(CTX, b"hello", &signature).unwrap();
    let signature = vault.sign_reader(CTX, &mut &b"hello"[..]).unwrap();
    key.verify(CTX, b"hello", &signature).unwrap();
}

/// References and smart pointers to external keys are external keys, whatever they point to.
#[test]
fn every_way_to_hold_an_external_key() {
    fn signs(key: impl Sign) {
        let signature = key.sign(CTX, b"hello").unwrap();
        assert_eq!(key.verifying_key(), signing_key(1).verifying_key());
        key.verifying_key().verify(CTX, b"hello", &signature).unwrap();
    }
    fn decapsulates(key: impl Decapsulate) {
        let (ciphertext, secret) = key.encapsulation_key().encapsulate().unwrap();
        assert_eq!(key.decapsulate(&ciphertext).unwrap().as_bytes(), secret.as_bytes());
    }

    let vault = Arc::new(Vault::new(None));
    signs(&*vault);
    signs(&*vault as &dyn Sign);
    signs(Box::new(Vault::new(None)));
    signs(Box::new(Vault::new(None)) as Box<dyn Sign>);
    signs(Arc::clone(&vault));
    signs(vault as Arc<dyn Sign>);

    let token = || Token::working(kem_key(X25519, 1));
    let held = token();
    decapsulates(&held);
    decapsulates(&held as &dyn Decapsulate);
    decapsulates(Box::new(token()));
    decapsulates(Box::new(token()) as Box<dyn Decapsulate>);
    decapsulates(Arc::new(token()));
    decapsulates(Arc::new(token()) as Arc<dyn Decapsulate>);
}

/// A key whose own `sign` sees the message, as some services require.
struct WholeMessage(SigningKey);

impl Sign for WholeMessage {
    fn verifying_key(&self) -> &VerifyingKey {
        self.0.verifying_key()
    }

    fn sign_prehashed(&self, _: &[u8], _: &[u8; 64]) -> Result<Signature, Error> {
        Err(Error::external("no digests"))
    }

    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Signature, Error> {
        self.0.sign(context, message)
    }

    fn sign_reader(&self, context: &[u8], message: &mut dyn Read) -> io::Result<Signature> {
        self.0.sign_reader(context, message)
    }
}

#[test]
fn pointers_call_a_keys_own_methods() {
    fn signs(key: impl Sign) {
        assert!(key.sign_prehashed(CTX, &[0; 64]).is_err());
        let whole = key.sign(CTX, b"hello").unwrap();
        let read = key.sign_reader(CTX, &mut &b"hello"[..]).unwrap();
        for signature in [whole, read] {
            key.verifying_key().verify(CTX, b"hello", &signature).unwrap();
        }
    }

    let key = Arc::new(WholeMessage(signing_key(1)));
    signs(&*key);
    signs(&*key as &dyn Sign);
    signs(Box::new(WholeMessage(signing_key(1))));
    signs(Arc::clone(&key));
    signs(key as Arc<dyn Sign>);
}

#[test]
fn a_failing_vault() {
    let answers = [Error::external(Locked(5)), Error::Open, Error::Verify];
    for answer in answers {
        let text = match &answer {
            Error::External(_) => chain(&answer),
            other => format!("the external key failed: {other}"),
        };
        let vault = Vault::new(Some(Box::new(move || Err(answer.clone()))));
        let error = vault.sign(CTX, b"hello").unwrap_err();
        assert!(matches!(error, Error::External(_)), "{error:?}");
        assert_eq!(chain(&error), text);

        let error = vault.sign_reader(CTX, &mut &b"hello"[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Other);
        assert_eq!(chain(&error), text);
        assert!(matches!(Error::inside(&error), Some(Error::External(_))));
    }
}

/// A vault is asked nothing if the context cannot be one.
#[test]
fn a_vault_is_not_asked_in_vain() {
    let vault = Vault::new(Some(Box::new(|| unreachable!("it is not asked"))));
    for context in [&b""[..], &[b'x'; 256], b"twinseal/session/v1"] {
        assert!(outcome(vault.sign(context, b"hello")).starts_with("Context"));
        let found = io_outcome(vault.sign_reader(context, &mut &b"hello"[..]));
        assert!(found.starts_with("InvalidInput: Context"), "{found}");
    }
}

/// There is one signature suite: that a signature belongs to another message is all that can be
/// wrong, and that is for the verifier to find.
#[test]
fn a_vault_with_a_wrong_signature() {
    let elsewhere = signing_key(2).sign(CTX, b"hello").unwrap();
    assert_eq!(elsewhere.suite(), COMPOSITE);
    let vault = Vault::new(Some(Box::new(move || Ok(elsewhere.clone()))));
    let signature = vault.sign(CTX, b"hello").unwrap();
    let key = vault.verifying_key();
    assert_eq!(outcome(key.verify(CTX, b"hello", &signature)), "Verify");
}

/// A walk along the sources finds the cause, and each text once.
#[test]
fn the_cause_is_the_source() {
    let error = Error::external(Locked(6));
    assert!(error.source().unwrap().is::<Locked>());
    assert_eq!(chain(&error), "the external key failed: slot 6 is locked");
    assert_eq!(chain(&io::Error::from(error)), "the external key failed: slot 6 is locked");
}
