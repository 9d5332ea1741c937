//! The cost of sealing messages: a session and an envelope beside bare AES-256-GCM over the same bytes;
//! and the cost of starting a session.

use std::hint::black_box;

use twinseal::{
    DecapsulationKey, EncapsulationKey, SigningKey, provider::Provider, session::SessionSender,
};

use super::{case::Case, mode};

const CONTEXT: &[u8] = b"example.com/bench";

/// The lengths of messages, with their names.
pub(crate) fn lengths() -> &'static [(&'static str, usize)] {
    const ALL: [(&str, usize); 6] = [
        ("1 KiB", 1 << 10),
        ("16 KiB", 1 << 14),
        ("64 KiB", 1 << 16),
        ("1 MiB", 1 << 20),
        ("16 MiB", 16 << 20),
        ("64 MiB", 64 << 20),
    ];
    if mode::testing() { &ALL[..4] } else { &ALL }
}

/// A session's sending end that starts again when its 2^40 bytes are used up.
struct Endless {
    to: EncapsulationKey,
    sender: SessionSender,
}

impl Endless {
    fn new(to: EncapsulationKey) -> Self {
        let (_, sender) = to.sender(CONTEXT).unwrap();
        Self { to, sender }
    }

    fn seal<T>(
        &mut self,
        mut seal: impl FnMut(&mut SessionSender) -> Result<T, twinseal::Error>,
    ) -> T {
        seal(&mut self.sender).unwrap_or_else(|_| {
            (_, self.sender) = self.to.sender(CONTEXT).unwrap();
            seal(&mut self.sender).unwrap()
        })
    }
}

fn key(provider: &'static Provider) -> DecapsulationKey {
    DecapsulationKey::generate().unwrap().on(provider).unwrap()
}

/// A message's length, and its name.
type Length = (&'static str, usize);

fn case<F: FnMut() + 'static>(
    (name, length): Length,
    shape: &str,
    provider: &'static Provider,
    prepare: impl Fn(Vec<u8>) -> F + 'static,
) -> Case {
    let group = format!("seal/{name}");
    let mut case = Case::new(group, shape, provider.name, move || prepare(vec![7; length]));
    case.bytes = Some(length as u64);
    case
}

fn shapes(length: Length, provider: &'static Provider) -> [Case; 4] {
    let bare = case(length, "bare AES-256-GCM", provider, move |mut buffer| {
        let key = provider.aes_256_gcm.key(&[7; 32]).unwrap();
        let mut nonce = [0; 12];
        let mut counter = 0_u64;
        move || {
            counter += 1;
            nonce[4..].copy_from_slice(&counter.to_be_bytes());
            black_box(key.seal_in_place(&nonce, b"", &mut buffer).unwrap());
        }
    });
    let in_place = case(length, "session in place", provider, move |mut buffer| {
        let mut sender = Endless::new(key(provider).encapsulation_key().clone());
        move || {
            black_box(sender.seal(|sender| sender.seal_in_place(b"", &mut buffer)));
        }
    });
    let session = case(length, "session", provider, move |buffer| {
        let mut sender = Endless::new(key(provider).encapsulation_key().clone());
        move || {
            black_box(sender.seal(|sender| sender.seal(&buffer)));
        }
    });
    let envelope = case(length, "envelope", provider, move |buffer| {
        let key = key(provider);
        move || {
            black_box(key.encapsulation_key().seal(CONTEXT, &buffer).unwrap());
        }
    });
    [bare, in_place, session, envelope]
}

/// The ends of a session, as their measurements are called.
pub(crate) const STARTS: [&str; 4] =
    ["sender", "receiver", "signed sender", "receiver of a signed session"];

/// The work that both ends of a session do once.
fn starts(provider: &'static Provider) -> [Case; 4] {
    let signing_key = move || SigningKey::generate().unwrap().on(provider).unwrap();
    let name = provider.name;
    let [sender, receiver, signed_sender, signed_receiver] = STARTS;
    [
        Case::new("session/start", sender, name, move || {
            let bob = key(provider);
            move || {
                black_box(bob.encapsulation_key().sender(CONTEXT).unwrap());
            }
        }),
        Case::new("session/start", receiver, name, move || {
            let bob = key(provider);
            let (hello, _) = bob.encapsulation_key().sender(CONTEXT).unwrap();
            move || {
                black_box(bob.receiver(CONTEXT, &hello).unwrap());
            }
        }),
        Case::new("session/start", signed_sender, name, move || {
            let (bob, alice) = (key(provider), signing_key());
            move || {
                let signed = bob.encapsulation_key().signed_by(&alice);
                black_box(signed.sender(CONTEXT).unwrap());
            }
        }),
        Case::new("session/start", signed_receiver, name, move || {
            let (bob, alice) = (key(provider), signing_key());
            let (hello, _) = bob.encapsulation_key().signed_by(&alice).sender(CONTEXT).unwrap();
            move || {
                let from_alice = bob.accepting(alice.verifying_key());
                black_box(from_alice.receiver(CONTEXT, &hello).unwrap());
            }
        }),
    ]
}

pub(crate) fn cases(provider: &'static Provider) -> impl Iterator<Item = Case> {
    let shapes = lengths().iter().flat_map(move |&length| shapes(length, provider));
    shapes.chain(starts(provider))
}

/// The ceiling: the same bytes copied in memory.
pub(crate) fn copies() -> impl Iterator<Item = Case> {
    lengths().iter().map(|&(name, length)| {
        let mut case = Case::new(format!("seal/{name}"), "memcpy", "none", move || {
            let (from, mut to) = (vec![7_u8; length], vec![0_u8; length]);
            move || {
                to.copy_from_slice(black_box(&from));
                black_box(&mut to);
            }
        });
        case.bytes = Some(length as u64);
        case
    })
}
