//! A decapsulation key of which only the public half is here.

use super::{Ciphertext, Decapsulate, EncapsulationKey, SharedSecret};
use crate::error::Error;

/// The public half of a key whose shared secrets are awaited, for example from a KMS with an asynchronous
/// client. It finds and verifies what is addressed to the key; it decapsulates nothing, and fails with
/// [`Error::External`] if it is asked to.
///
/// So accepting takes two steps, with the await in between. A request:
///
/// ```
/// use twinseal::{Error, Unlock, kem::AwaitedKey};
/// use twinseal::request::{ReplayGuard, RequestHead, WindowGuard};
///
/// # use twinseal::{DecapsulationKey, kem::{Ciphertext, SharedSecret}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// # let inside = DecapsulationKey::generate()?;
/// # let alice = twinseal::SigningKey::generate()?;
/// # let ask_kms = async |_, ciphertext: &Ciphertext| -> Result<SharedSecret, Error> { inside.decapsulate(ciphertext) };
/// # let public = inside.encapsulation_key().clone();
/// # let (request, _) = public.signed_by(&alice).request(b"example.com/predict", b"a picture")?;
/// let bob = AwaitedKey::new(public);
/// let from_alice = bob.accepting(alice.verifying_key());
/// let guard = WindowGuard::for_new_keys(); // at later starts: `new`
///
/// let head = RequestHead::parse(&request)?;
/// let body = &request[head.len()..];
/// let verified = from_alice.accept_head(b"example.com/predict", head)?;
/// guard.look(verified.id(), verified.signer(), verified.time())?; // nothing is asked for a forgery or a replay
/// let secret = ask_kms(verified.recipient().key_id(), verified.ciphertext()).await?;
/// let opened = verified.unlock_with(&secret)?.open(body)?;
/// let verdict = guard.admit(opened.id(), opened.signer(), opened.time());
/// let (picture, asked) = opened.admitted(verdict)?;
/// assert_eq!(&picture[..], b"a picture");
/// # drop(asked);
/// # Ok(())
/// # }
/// ```
///
/// The hello of a session, to a key whose halves are in two places:
///
/// ```
/// # use twinseal::{DecapsulationKey, Error};
/// # use twinseal::provider::{Kem, PORTABLE};
/// use twinseal::{Unlock, kem::{AwaitedKey, SharedSecret}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// # let inside = DecapsulationKey::generate()?;
/// # let public = inside.encapsulation_key().clone();
/// # let halves = inside.into_halves()?;
/// # let ml_kem = PORTABLE.ml_kem_1024.key_pair(halves.post_quantum.secret_bytes())?.decapsulator;
/// # let x25519 = PORTABLE.x25519.key_pair(halves.traditional.secret_bytes())?.decapsulator;
/// # let ask_one = async |ciphertext: &[u8]| { let mut s = [0; 32]; ml_kem.decapsulate(ciphertext, &mut s).map(|()| s) };
/// # let ask_other = async |ciphertext: &[u8]| { let mut s = [0; 32]; x25519.decapsulate(ciphertext, &mut s).map(|()| s) };
/// # let (hello, mut tx) = public.sender(b"example.com/logs")?;
/// let bob = AwaitedKey::new(public);
///
/// let verified = bob.accept_hello(b"example.com/logs", &hello)?;
/// let sent = verified.ciphertext().halves();
/// let (post_quantum, traditional) = tokio::join!(ask_one(sent.post_quantum), ask_other(sent.traditional));
/// let secret = SharedSecret::combine(verified.recipient(), verified.ciphertext(), post_quantum, traditional)?;
/// let mut rx = verified.receiver_with(&secret)?;
/// assert_eq!(&rx.open(&tx.seal(b"a line")?)?[..], b"a line");
/// # Ok(())
/// # }
/// ```
///
/// It goes into a [`Keyring`](crate::Keyring) like any other key, also beside keys in memory. `recipient` then says
/// which key is meant. For envelopes see [`Header`](crate::envelope::Header#when-the-key-is-awaited).
#[derive(Clone, Debug)]
pub struct AwaitedKey(EncapsulationKey);

impl AwaitedKey {
    /// The key with this public half.
    #[must_use]
    pub fn new(encapsulation_key: EncapsulationKey) -> Self {
        Self(encapsulation_key)
    }
}

impl Decapsulate for AwaitedKey {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.0
    }

    /// [`Error::External`], always.
    fn decapsulate(&self, _: &Ciphertext) -> Result<SharedSecret, Error> {
        Err(Error::external(
            "its secret is awaited: accept in two steps, with accept_head or accept_hello, or unlock the header with \
             the secret",
        ))
    }
}
