//! Sessions: many messages after one key exchange, in order, in one direction, with a reply
//! direction on demand.

use std::fmt;

use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KemSuite, KeyId, Keyring, Plaintext,
    SharedSecret, Sign, Signature, SignatureSuite, VerifyingKey, VerifyingKeyring, context,
    provider::Provider,
    random,
    schedule::{Exporter, KEY_AND_NONCE, NumberedKey, Schedule, TAG},
    suite, wire,
};

mod hello;

use hello::Core;

/// The longest message: 2^30 bytes.
const MAX_MESSAGE: u64 = 1 << 30;

/// All that one direction may carry: 2^40 bytes, which keeps AES-GCM's bound near 2^-57 (SPEC.md,
/// "Limits of a session"). Each message counts with its associated data and [`OVERHEAD_BLOCKS`].
const MAX_DIRECTION: u64 = 1 << 40;

/// GCM's own two blocks per message, so that even empty messages use the bound up.
const OVERHEAD_BLOCKS: u64 = 32;

/// What a message is within its session. It is authenticated with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// More messages follow.
    More,
    /// The last message of its direction.
    Last,
}

impl MessageKind {
    const fn id(self) -> u8 {
        match self {
            Self::More => 0x00,
            Self::Last => 0x01,
        }
    }

    fn from_id(id: u8) -> Result<Self, Error> {
        match id {
            0x00 => Ok(Self::More),
            0x01 => Ok(Self::Last),
            other => Err(Error::Unknown { what: "message type", id: other.into() }),
        }
    }
}

/// What travels beside a message that was encrypted in place: 17 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detached {
    /// Whether more messages follow.
    pub kind: MessageKind,
    /// The authentication tag.
    pub tag: [u8; TAG],
}

impl Detached {
    /// Length in bytes, which is all that a session adds to a message.
    pub const LENGTH: usize = 1 + TAG;

    /// `type (1) || tag (16)`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [self.kind.id(); Self::LENGTH];
        for (byte, value) in bytes.iter_mut().skip(1).zip(self.tag) {
            *byte = value;
        }
        bytes
    }

    /// Parses `type (1) || tag (16)`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another type.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, Error> {
        let mut reader = wire::Reader::new("detached tag", bytes);
        Ok(Self { kind: MessageKind::from_id(reader.u8()?)?, tag: reader.array()? })
    }
}

/// One direction: a key, and how much of it is used up.
struct Direction {
    key: NumberedKey,
    next: u64,
    used: u64,
    finished: bool,
    /// `type || caller's data`, in a buffer that is kept from message to message.
    aad: Vec<u8>,
}

impl Direction {
    fn new(provider: &Provider, key_and_nonce: &[u8; KEY_AND_NONCE]) -> Result<Self, Error> {
        let key = NumberedKey::new(provider, key_and_nonce)?;
        Ok(Self { key, next: 0, used: 0, finished: false, aad: Vec::new() })
    }

    /// Checks that a message still fits, and tells what will be used up with it.
    fn admit(&self, aad: &[u8], message: usize) -> Result<u64, Error> {
        if self.finished {
            return Err(Error::Finished);
        }
        if message as u64 > MAX_MESSAGE {
            return Err(Error::Invalid { what: "message", reason: "it is longer than 2^30 bytes" });
        }
        (message as u64)
            .checked_add(aad.len() as u64)
            .and_then(|length| length.checked_add(OVERHEAD_BLOCKS))
            .and_then(|length| length.checked_add(self.used))
            .filter(|used| *used <= MAX_DIRECTION)
            .ok_or(Error::Exhausted)
    }

    /// [`admit`](Self::admit), and prepares the associated data.
    fn prepare(&mut self, kind: MessageKind, aad: &[u8], message: usize) -> Result<u64, Error> {
        let used = self.admit(aad, message)?;
        self.aad.clear();
        self.aad.push(kind.id());
        self.aad.extend_from_slice(aad);
        Ok(used)
    }

    /// Called once a message was sealed or opened.
    fn advance(&mut self, kind: MessageKind, used: u64) {
        self.next = self.next.saturating_add(1); // 2^40 bytes end long before 2^64 messages
        self.used = used;
        self.finished = kind == MessageKind::Last;
    }

    fn seal(
        &mut self,
        kind: MessageKind,
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<Detached, Error> {
        let used = self.prepare(kind, aad, buffer.len())?;
        // Before anything is encrypted: a number that met a failure is never used again.
        let index = self.next;
        self.advance(kind, used);
        match self.key.seal_in_place(index, &self.aad, buffer) {
            Ok(tag) => Ok(Detached { kind, tag }),
            Err(error) => {
                self.finished = true;
                Err(error)
            }
        }
    }

    fn open(&mut self, aad: &[u8], buffer: &mut [u8], detached: &Detached) -> Result<(), Error> {
        let Detached { kind, tag } = detached;
        let opened = self
            .prepare(*kind, aad, buffer.len())
            .and_then(|used| {
                self.key.open_in_place(self.next, &self.aad, buffer, tag)?;
                Ok(used)
            })
            .inspect_err(|_| buffer.fill(0))?;
        self.advance(*kind, opened);
        Ok(())
    }
}

/// The sending side of a session, or of a reply.
///
/// ```
/// use twinseal::{DecapsulationKey, SigningKey};
///
/// # let bob = DecapsulationKey::generate()?;
/// # let alice = SigningKey::generate()?;
/// let context = b"example.com/gradients/round-7";
/// let (hello, mut tx) = bob.encapsulation_key().signed_by(&alice).sender(context)?;
/// let mut rx = bob.from_signer(alice.verifying_key()).receiver(context, &hello)?;
///
/// let first = tx.seal(b"layer 1")?;
/// let last = tx.finish(b"layer 2")?;
/// assert_eq!(&rx.open(&first)?[..], b"layer 1");
/// assert_eq!(&rx.open(&last)?[..], b"layer 2");
/// assert!(rx.is_finished()); // nothing was cut off at the end
///
/// let (nonce, mut answer) = rx.reply()?;
/// let mut answers = tx.accept_reply(&nonce)?;
/// assert_eq!(&answers.open(&answer.finish(b"averaged")?)?[..], b"averaged");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct Sender {
    direction: Direction,
    session_id: [u8; 32],
    provider: &'static Provider,
    /// Until a reply was accepted. A reply itself has none.
    exporter: Option<Exporter>,
}

impl Sender {
    /// Seals the next message: 17 bytes longer than the plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Finished`] after the last message; [`Error::Invalid`] for a message over 2^30
    /// bytes; [`Error::Exhausted`] once the direction has carried 2^40 bytes.
    pub fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal_with_aad(b"", message)
    }

    /// Seals the next message and authenticates `aad` with it, which is not sent.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn seal_with_aad(&mut self, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.attached(MessageKind::More, aad, message)
    }

    /// Seals the last message, so that the receiver notices if any was cut off. It may be empty.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn finish(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.finish_with_aad(b"", message)
    }

    /// Seals the last message and authenticates `aad` with it, which is not sent.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn finish_with_aad(&mut self, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.attached(MessageKind::Last, aad, message)
    }

    /// Seals the next message in its own buffer, without moving or allocating anything. The
    /// [`Detached`] part travels beside it.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    ///
    /// ```
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let (hello, mut tx) = bob.encapsulation_key().sender(b"example.com")?;
    /// # let mut rx = bob.receiver(b"example.com", &hello)?;
    /// let mut gradient = vec![1, 2, 3];
    /// let detached = tx.seal_in_place(b"layer 1", &mut gradient)?;
    /// rx.open_in_place(b"layer 1", &mut gradient, &detached)?;
    /// assert_eq!(gradient, [1, 2, 3]);
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    pub fn seal_in_place(&mut self, aad: &[u8], message: &mut [u8]) -> Result<Detached, Error> {
        self.direction.seal(MessageKind::More, aad, message)
    }

    /// Seals the last message in its own buffer; see [`seal_in_place`](Self::seal_in_place).
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn finish_in_place(&mut self, aad: &[u8], message: &mut [u8]) -> Result<Detached, Error> {
        self.direction.seal(MessageKind::Last, aad, message)
    }

    /// Starts reading the reply, from the 32 bytes that [`Receiver::reply`] drew. A session has
    /// one reply; a second is refused.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if a reply was accepted before, or this is a reply itself.
    pub fn accept_reply(&mut self, nonce: &[u8; 32]) -> Result<Receiver, Error> {
        let exporter = self.exporter.take().ok_or(NO_REPLY)?;
        Ok(Receiver {
            direction: reply_direction(self.provider, &exporter, nonce)?,
            session_id: self.session_id,
            signer: None,
            provider: self.provider,
            exporter: None,
        })
    }

    /// 32 bytes that name the session, the same on both sides and for the reply.
    #[must_use]
    pub fn session_id(&self) -> &[u8; 32] {
        &self.session_id
    }

    /// `type || ciphertext || tag`.
    fn attached(
        &mut self,
        kind: MessageKind,
        aad: &[u8],
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.direction.admit(aad, message.len())?; // before it is copied
        let mut sealed = Vec::with_capacity(message.len().saturating_add(Detached::LENGTH));
        sealed.push(kind.id());
        sealed.extend_from_slice(message);
        let ciphertext = sealed.get_mut(1..).unwrap_or_default();
        let detached = self.direction.seal(kind, aad, ciphertext)?;
        sealed.extend_from_slice(&detached.tag);
        Ok(sealed)
    }
}

/// The receiving side of a session, or of a reply. See [`Sender`].
pub struct Receiver {
    direction: Direction,
    session_id: [u8; 32],
    signer: Option<KeyId>,
    provider: &'static Provider,
    /// A reply itself has none.
    exporter: Option<Exporter>,
}

impl Receiver {
    /// Opens the next message. After an error the same message is still the next one.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if it is not the next message of this session, unchanged;
    /// [`Error::Truncated`] or [`Error::Unknown`] if it is no message; [`Error::Finished`] after
    /// the last one.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Plaintext, Error> {
        self.open_with_aad(b"", sealed)
    }

    /// Opens the next message, which was sealed with this `aad`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_with_aad(&mut self, aad: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        let too_short =
            || Error::Truncated { what: "message", needed: Detached::LENGTH, actual: sealed.len() };
        let (kind, rest) = sealed.split_first().ok_or_else(too_short)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>().ok_or_else(too_short)?;
        let detached = Detached { kind: MessageKind::from_id(*kind)?, tag: *tag };
        self.direction.admit(aad, ciphertext.len())?; // before it is copied
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        self.direction.open(aad, &mut plaintext, &detached)?;
        Ok(Plaintext::new(plaintext))
    }

    /// Opens the next message in its own buffer, which is zeroed if that fails.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_in_place(
        &mut self,
        aad: &[u8],
        message: &mut [u8],
        detached: &Detached,
    ) -> Result<(), Error> {
        self.direction.open(aad, message, detached)
    }

    /// Whether the last message was opened. If the messages end before, some were cut off.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.direction.finished
    }

    /// Starts a reply: 32 fresh random bytes, to be sent first, and the sender. Each call draws new
    /// ones, so that a replayed hello never makes a reply key twice.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if this is a reply itself; [`Error::Randomness`] if the system has none.
    pub fn reply(&self) -> Result<([u8; 32], Sender), Error> {
        let nonce = *random::array()?;
        Ok((nonce, self.reply_from(&nonce)?))
    }

    pub(crate) fn reply_from(&self, nonce: &[u8; 32]) -> Result<Sender, Error> {
        let exporter = self.exporter.as_ref().ok_or(NO_REPLY)?;
        Ok(Sender {
            direction: reply_direction(self.provider, exporter, nonce)?,
            session_id: self.session_id,
            provider: self.provider,
            exporter: None,
        })
    }

    /// 32 bytes that name the session, the same on both sides and for the reply. A whole session
    /// can be replayed; remembering these (never the hello's bytes) detects it.
    #[must_use]
    pub fn session_id(&self) -> &[u8; 32] {
        &self.session_id
    }

    /// Who signed the hello, if it was signed.
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.signer
    }
}

const NO_REPLY: Error =
    Error::Invalid { what: "reply", reason: "the session had its reply, or is one" };

/// `key || base nonce = Export("twinseal/reply/v1" || nonce, 44)`.
fn reply_direction(
    provider: &Provider,
    exporter: &Exporter,
    nonce: &[u8; 32],
) -> Result<Direction, Error> {
    let mut key_and_nonce = Zeroizing::new([0; KEY_AND_NONCE]);
    exporter.export(&[suite::SESSION_REPLY, nonce], &mut *key_and_nonce);
    Direction::new(provider, &key_and_nonce)
}

/// Both sides: from a shared secret to a direction, an exporter and the session's name.
fn start(
    provider: &Provider,
    secret: &SharedSecret,
    core: &[u8],
    context: &[u8],
) -> Result<(Direction, Exporter, [u8; 32]), Error> {
    let info: [&[u8]; 3] = [suite::SESSION_INFO, core, context];
    let Schedule { key_and_nonce, exporter } =
        Schedule::new(secret.suite().id(), secret.as_bytes(), &info);
    let mut session_id = [0; 32];
    exporter.export(&[suite::SESSION_ID], &mut session_id);
    Ok((Direction::new(provider, &key_and_nonce)?, exporter, session_id))
}

impl EncapsulationKey {
    /// Starts a session with the key's owner: the hello to be sent first, and the sender. Nobody
    /// is authenticated to the receiver; with [`signed_by`](Self::signed_by) somebody is.
    ///
    /// # Errors
    ///
    /// [`Error::Context`]; [`Error::Randomness`] if the system has none.
    pub fn sender(&self, context: &[u8]) -> Result<(Vec<u8>, Sender), Error> {
        sender(self, None, context, None)
    }

    /// Starts a session that proves who sends.
    #[must_use]
    pub fn signed_by<'a>(&'a self, signer: &'a dyn Sign) -> SignedBy<'a> {
        SignedBy { to: self, signer }
    }
}

/// A session to be started with a signed hello; see [`EncapsulationKey::signed_by`].
#[derive(Clone, Copy)]
pub struct SignedBy<'a> {
    to: &'a EncapsulationKey,
    signer: &'a dyn Sign,
}

impl SignedBy<'_> {
    /// Starts the session; see [`EncapsulationKey::sender`].
    ///
    /// # Errors
    ///
    /// Those of [`EncapsulationKey::sender`], and whatever the signing key reports.
    pub fn sender(&self, context: &[u8]) -> Result<(Vec<u8>, Sender), Error> {
        sender(self.to, Some(self.signer), context, None)
    }
}

impl fmt::Debug for SignedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedBy({:?} to {:?})", self.signer.verifying_key(), self.to)
    }
}

/// Where every way of starting a session ends. `randomness` is given for known answers only.
pub(crate) fn sender(
    to: &EncapsulationKey,
    signer: Option<&dyn Sign>,
    context: &[u8],
    randomness: Option<&[u8]>,
) -> Result<(Vec<u8>, Sender), Error> {
    context::check(context)?;
    let (ciphertext, secret) = to.encapsulate_from(randomness)?;
    let core = Core {
        suite: to.suite(),
        recipient: to.key_id(),
        signer: signer.map(|signer| {
            let key = signer.verifying_key();
            (key.suite(), key.key_id())
        }),
        ciphertext,
    };
    let mut hello = core.to_bytes();
    let (direction, exporter, session_id) = start(to.provider(), &secret, &hello, context)?;
    if let Some(signer) = signer {
        let digest = signed_digest(&hello, to, context);
        let signature = signer.sign_checked(suite::SESSION_SIGNATURE_CONTEXT, &digest)?;
        hello.extend_from_slice(signature.as_bytes());
    }
    let sender =
        Sender { direction, session_id, provider: to.provider(), exporter: Some(exporter) };
    Ok((hello, sender))
}

/// What a hello's signature is over: `SHA-512(core || ek || context)`.
fn signed_digest(core: &[u8], to: &EncapsulationKey, context: &[u8]) -> [u8; 64] {
    Sha512::new()
        .chain_update(core)
        .chain_update(to.as_bytes())
        .chain_update(context)
        .finalize()
        .into()
}

impl DecapsulationKey {
    /// Accepts a session that does not say who sends. A signed hello is refused: name its signer
    /// with [`from_signer`](Self::from_signer).
    ///
    /// # Errors
    ///
    /// [`Error::NotARecipient`] if it is for another key; [`Error::Truncated`],
    /// [`Error::Unknown`] or [`Error::Invalid`] if it is no hello. A hello that was changed makes
    /// other keys: it shows when the first message fails to open.
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<Receiver, Error> {
        self.as_dyn().receiver(context, hello)
    }

    /// Accepts sessions of one signer only. An unsigned hello is refused.
    #[must_use]
    pub fn from_signer<'a>(&'a self, signer: &'a VerifyingKey) -> FromSigner<'a> {
        self.as_dyn().from_signer(signer)
    }

    /// Accepts sessions of any of several signers; [`Receiver::signer`] tells whose it is.
    #[must_use]
    pub fn from_signers<'a>(&'a self, signers: &'a VerifyingKeyring) -> FromSigner<'a> {
        self.as_dyn().from_signers(signers)
    }
}

impl dyn Decapsulate + '_ {
    /// Accepts a session; see [`DecapsulationKey::receiver`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::receiver`], and whatever the key reports.
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<Receiver, Error> {
        receive(&Keys::One(self), None, context, hello)
    }

    /// Accepts sessions of one signer only; see [`DecapsulationKey::from_signer`].
    #[must_use]
    pub fn from_signer<'a>(&'a self, signer: &'a VerifyingKey) -> FromSigner<'a> {
        FromSigner { keys: Keys::One(self), signers: Signers::One(signer) }
    }

    /// Accepts sessions of any of several signers; [`Receiver::signer`] tells whose it is.
    #[must_use]
    pub fn from_signers<'a>(&'a self, signers: &'a VerifyingKeyring) -> FromSigner<'a> {
        FromSigner { keys: Keys::One(self), signers: Signers::AnyOf(signers) }
    }
}

impl Keyring {
    /// Accepts a session with the key that it is addressed to; see
    /// [`DecapsulationKey::receiver`].
    ///
    /// # Errors
    ///
    /// Those of [`DecapsulationKey::receiver`]; [`Error::Refused`] if the policy does not accept
    /// the key's suite.
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<Receiver, Error> {
        receive(&Keys::Ring(self), None, context, hello)
    }

    /// Accepts sessions of one signer only; see [`DecapsulationKey::from_signer`].
    #[must_use]
    pub fn from_signer<'a>(&'a self, signer: &'a VerifyingKey) -> FromSigner<'a> {
        FromSigner { keys: Keys::Ring(self), signers: Signers::One(signer) }
    }

    /// Accepts sessions of any of several signers; [`Receiver::signer`] tells whose it is.
    #[must_use]
    pub fn from_signers<'a>(&'a self, signers: &'a VerifyingKeyring) -> FromSigner<'a> {
        FromSigner { keys: Keys::Ring(self), signers: Signers::AnyOf(signers) }
    }
}

/// Sessions of one signer, or of any of several; see [`DecapsulationKey::from_signer`].
#[derive(Clone, Copy, Debug)]
pub struct FromSigner<'a> {
    keys: Keys<'a>,
    signers: Signers<'a>,
}

impl FromSigner<'_> {
    /// Verifies the hello's signature and accepts the session.
    ///
    /// # Errors
    ///
    /// [`Error::Verify`] if the signature does not verify; [`Error::Invalid`] if the hello is not
    /// signed, or by another key; and those of [`DecapsulationKey::receiver`].
    pub fn receiver(&self, context: &[u8], hello: &[u8]) -> Result<Receiver, Error> {
        receive(&self.keys, Some(&self.signers), context, hello)
    }
}

/// With what a session is accepted.
#[derive(Clone, Copy)]
enum Keys<'a> {
    One(&'a (dyn Decapsulate + 'a)),
    Ring(&'a Keyring),
}

impl Keys<'_> {
    fn find(&self, suite: KemSuite, key_id: KeyId) -> Result<&dyn Decapsulate, Error> {
        let is_wanted = |key: &EncapsulationKey| (key.suite(), key.key_id()) == (suite, key_id);
        match self {
            Self::One(key) if is_wanted(key.encapsulation_key()) => Ok(*key),
            Self::One(_) => Err(Error::NotARecipient),
            Self::Ring(ring) => ring.find(is_wanted),
        }
    }
}

impl Keys<'_> {
    /// A keyring has a policy; a single key takes the signers that it is given.
    fn check_signer(&self, suite: SignatureSuite) -> Result<(), Error> {
        match self {
            Self::One(_) => Ok(()),
            Self::Ring(ring) => ring.policy().check_signature(suite),
        }
    }
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(key) => key.encapsulation_key().fmt(f),
            Self::Ring(ring) => ring.fmt(f),
        }
    }
}

/// From whom a session is accepted.
#[derive(Clone, Copy, Debug)]
enum Signers<'a> {
    One(&'a VerifyingKey),
    AnyOf(&'a VerifyingKeyring),
}

impl Signers<'_> {
    fn find(&self, suite: SignatureSuite, key_id: KeyId) -> Option<&VerifyingKey> {
        let found = match self {
            Self::One(signer) => Some(*signer),
            Self::AnyOf(signers) => signers.find(&key_id),
        };
        found.filter(|signer| (signer.suite(), signer.key_id()) == (suite, key_id))
    }
}

/// Where every way of accepting a session ends.
fn receive(
    keys: &Keys<'_>,
    signers: Option<&Signers<'_>>,
    context: &[u8],
    hello: &[u8],
) -> Result<Receiver, Error> {
    context::check(context)?;
    let (core, core_bytes, signature) = Core::parse(hello)?;
    let key = keys.find(core.suite, core.recipient)?;
    let to = key.encapsulation_key();
    let invalid = |reason| Error::Invalid { what: "hello", reason };
    match (signers, core.signer) {
        (None, None) => {}
        (None, Some(_)) => return Err(invalid("it is signed, and no signer was named")),
        (Some(_), None) => return Err(invalid("it is not signed, and a signer was named")),
        (Some(signers), Some((suite, key_id))) => {
            keys.check_signer(suite)?;
            let signer =
                signers.find(suite, key_id).ok_or(invalid("it is signed by another key"))?;
            let signature = Signature::from_bytes(suite, signature)?;
            let digest = signed_digest(core_bytes, to, context);
            signer.verify_prehashed(suite::SESSION_SIGNATURE_CONTEXT, &digest, &signature)?;
        }
    }
    let secret = key.decapsulate(&core.ciphertext).map_err(Error::into_external)?;
    if secret.suite() != to.suite() {
        return Err(Error::external("the shared secret is not of the key's suite"));
    }
    let (direction, exporter, session_id) = start(to.provider(), &secret, core_bytes, context)?;
    Ok(Receiver {
        direction,
        session_id,
        signer: core.signer.map(|(_, key_id)| key_id),
        provider: to.provider(),
        exporter: Some(exporter),
    })
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({} messages sealed)", self.direction.next)
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({} messages opened)", self.direction.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CTX: &[u8] = b"example.com/sessions";

    /// Both sides of a session that has carried so much already.
    fn session(used: u64) -> Result<(Sender, Receiver), Error> {
        let bob = DecapsulationKey::from_seed(KemSuite::X25519_ML_KEM_1024, &[7; 32])?;
        let (hello, mut tx) = bob.encapsulation_key().sender(CTX)?;
        let mut rx = bob.receiver(CTX, &hello)?;
        tx.direction.used = used;
        rx.direction.used = used;
        Ok((tx, rx))
    }

    #[test]
    fn a_direction_ends_at_its_limit() -> Result<(), Error> {
        let exactly = 3 + 10 + OVERHEAD_BLOCKS; // 3 bytes of associated data and 10 of a message
        for (left, fits) in [(exactly, true), (exactly + 1, true), (exactly - 1, false), (0, false)]
        {
            let (mut tx, mut rx) = session(MAX_DIRECTION - left)?;
            let sealed = tx.seal_with_aad(b"aad", &[0; 10]);
            if !fits {
                assert!(matches!(sealed, Err(Error::Exhausted)));
                // The other side sees the same limit, whatever it is sent.
                let opened = rx.open_with_aad(b"aad", &[0; 10 + Detached::LENGTH]);
                assert!(matches!(opened, Err(Error::Exhausted)));
                continue;
            }
            rx.open_with_aad(b"aad", &sealed?)?;
            // Now not even an empty message fits, and there is no proper end either.
            assert!(matches!(tx.seal(b""), Err(Error::Exhausted)));
            assert!(matches!(tx.finish(b""), Err(Error::Exhausted)));
            let mut buffer = *b"plain";
            assert!(matches!(tx.seal_in_place(b"", &mut buffer), Err(Error::Exhausted)));
            assert_eq!(&buffer, b"plain");
            let detached = Detached { kind: MessageKind::Last, tag: [0; TAG] };
            assert!(matches!(rx.open_in_place(b"", &mut buffer, &detached), Err(Error::Exhausted)));
            assert_eq!(buffer, [0; 5]);
            assert!(!rx.is_finished());
            // A reply is a direction of its own.
            let (nonce, mut answer) = rx.reply()?;
            tx.accept_reply(&nonce)?.open(&answer.finish(b"answer")?)?;
        }
        Ok(())
    }

    #[test]
    fn what_fails_uses_nothing_up() -> Result<(), Error> {
        let (mut tx, mut rx) = session(MAX_DIRECTION - 10 - OVERHEAD_BLOCKS)?;
        assert!(matches!(tx.seal(&[0; 11]), Err(Error::Exhausted)));
        for _ in 0..3 {
            assert!(matches!(rx.open(&[0; 10 + Detached::LENGTH]), Err(Error::Open)));
        }
        rx.open(&tx.seal(&[0; 10])?)?;
        Ok(())
    }

    #[test]
    fn the_limit_does_not_wrap() -> Result<(), Error> {
        let (mut tx, mut rx) = session(u64::MAX)?;
        assert!(matches!(tx.seal(b""), Err(Error::Exhausted)));
        assert!(matches!(rx.open(&[0; Detached::LENGTH]), Err(Error::Exhausted)));
        Ok(())
    }
}
