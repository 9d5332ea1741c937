//! Is what a `SecretBuffer` or a `PageBuffer` held wiped, all of it and everywhere it has been?

use std::{collections::BTreeSet, hint::black_box, io::Read, mem};

use twinseal::secret::{PageBuffer, SecretBuffer};

use crate::allocator::{NEEDLE, Secrets};

/// The byte of which the secrets here consist. No other block is full of it.
const SECRET: u8 = 0xa7;

const LENGTH: usize = 100_000;

fn secret() -> SecretBuffer {
    let mut buffer = SecretBuffer::zeroed(LENGTH);
    buffer.fill(SECRET);
    buffer
}

/// Any piece of it.
fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add_whole("secret", &[SECRET; NEEDLE]);
    secrets
}

#[test]
fn what_is_given_away_is_found() {
    let found = secrets().leaked_by(|| drop(black_box(secret().into_vec())));
    assert_eq!(found, BTreeSet::from(["secret".to_owned()]));
}

#[test]
fn dropped() {
    secrets().assert_not_leaked_by(|| drop(black_box(secret())));
    secrets().assert_not_leaked_by(|| drop(SecretBuffer::from(vec![SECRET; LENGTH])));
}

/// The bytes after the new end are wiped, too.
#[test]
fn truncated() {
    for length in [0, 1, LENGTH / 2] {
        secrets().assert_not_leaked_by(|| {
            let mut buffer = secret();
            buffer.as_mut_vec().truncate(length);
            assert_eq!(buffer.len(), length);
            drop(black_box(buffer));
        });
    }
}

#[test]
fn grown() {
    secrets().assert_not_leaked_by(|| {
        let mut buffer = SecretBuffer::with_capacity(0);
        for _ in 0..1000 {
            buffer.extend_from_slice(&[SECRET; 100]);
        }
        assert_eq!(buffer[..], [SECRET; LENGTH]);
        drop(black_box(buffer));
    });
}

/// It still owns its memory: nothing of the secret is left in it.
#[test]
fn wiped_before_it_is_dropped() {
    let mut buffer = secret();
    buffer.wipe();
    assert!(buffer.is_empty());
    let mut bytes = buffer.into_vec();
    assert!(bytes.capacity() >= LENGTH);

    secrets().assert_not_leaked_by(|| drop(black_box(mem::take(&mut bytes))));
}

#[test]
fn filled_from_a_reader() {
    secrets().assert_not_leaked_by(|| {
        let mut buffer = SecretBuffer::with_capacity(LENGTH + 1);
        let source = std::io::repeat(SECRET).take(LENGTH as u64);
        { source }.read_to_end(buffer.as_mut_vec()).unwrap();
        assert_eq!(buffer.len(), LENGTH);
        assert_eq!(format!("{buffer:?}"), "SecretBuffer(100000 bytes)");
    });
}

fn paged_secret() -> PageBuffer {
    let mut buffer = PageBuffer::zeroed(LENGTH);
    buffer.fill(SECRET);
    buffer
}

#[test]
fn on_pages() {
    secrets().assert_not_leaked_by(|| drop(black_box(paged_secret())));
    // It moves without its bytes.
    secrets().assert_not_leaked_by(|| drop(black_box(Box::new(paged_secret()))));

    let mut buffer = paged_secret();
    buffer.wipe();
    assert_eq!(buffer[..], [0; LENGTH]);
    assert_eq!(format!("{buffer:?}"), "PageBuffer(100000 bytes)");
}
