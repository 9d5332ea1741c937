//! The name of a session.

use std::fmt;

/// 32 bytes that name a session: the same on both sides, and for its reply.
///
/// Anyone who recorded a hello can send it again, with the messages that followed it. To notice,
/// remember the id of each session:
///
/// - **when** its first message was opened, and before you act on that message. Look the id up and
///   add it in one step, and end the session if it was known. Do not do it earlier: anyone who has seen
///   a hello can present it before its sender does, and would shut the true session out.
/// - **for as long** as the key and the context are accepted. If the context is always the same, that is
///   until the key is replaced. If it has a number that you count, or a challenge that you drew, the ids
///   can be forgotten when that round is over.
/// - **wherever** the key is used: several servers with one key need one memory.
///
/// Never remember the hello's bytes instead: a changed signature can still be valid.
///
/// ```
/// use std::collections::HashSet;
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let alice = twinseal::SigningKey::generate()?;
/// # let to_bob = bob.encapsulation_key();
/// let (hello, mut tx) = to_bob.signed_by(&alice).sender(b"example.com/orders")?;
/// let order = tx.finish(b"one of each")?;
///
/// let mut seen = HashSet::new();
/// for is_new in [true, false] {
///     let from_alice = bob.accepting(alice.verifying_key());
///     let mut rx = from_alice.receiver(b"example.com/orders", &hello)?;
///     rx.open(&order)?;
///     assert_eq!(seen.insert(rx.session_id()), is_new);
/// }
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; SessionId::LEN]);

impl SessionId {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A session id that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}
