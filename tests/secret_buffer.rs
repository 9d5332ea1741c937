//! Is what a `SecretBuffer` held wiped, all of it and everywhere it has been? An allocator looks into
//! each freed block.

#![allow(unsafe_code, reason = "an allocator is unsafe to implement, and src/ stays without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
    io::Read,
    mem,
};

use twinseal::secret::SecretBuffer;

#[global_allocator]
static ALLOCATOR: Watching = Watching;

struct Watching;

thread_local! {
    /// Bytes of secrets in the blocks that this thread freed.
    static FREED: Cell<usize> = const { Cell::new(0) };
}

/// What secrets are made of here; it fills no block of anybody else.
const SECRET: u8 = 0xa7;

/// So many of it in a row are a secret.
const LEAST: usize = 16;

// SAFETY: all requests go to the system's allocator; `realloc` is the trait's own, which allocates,
// copies and frees through these two, so that a block that moves is seen.
unsafe impl GlobalAlloc for Watching {
    /// Zeroed, so that every byte of a block may be read.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is still allocated, of this size, initialised since `alloc`, and nobody
        // else may use it any more.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        let runs = bytes.split(|byte| *byte != SECRET).filter(|run| run.len() >= LEAST);
        let found: usize = runs.map(<[u8]>::len).sum();
        // A thread that ends frees its own last blocks without it.
        let _ = FREED.try_with(|freed| freed.set(freed.get() + found));
        // SAFETY: the block came from `alloc` above, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

/// How many bytes of secrets are in what is freed while this runs.
fn freed_by(work: impl FnOnce()) -> usize {
    FREED.set(0);
    work();
    FREED.get()
}

const LENGTH: usize = 100_000;

fn secret() -> SecretBuffer {
    let mut buffer = SecretBuffer::zeroed(LENGTH);
    buffer.fill(SECRET);
    buffer
}

#[test]
fn what_is_given_away_is_found() {
    assert_eq!(freed_by(|| drop(black_box(secret().into_vec()))), LENGTH);
}

#[test]
fn dropped() {
    assert_eq!(freed_by(|| drop(black_box(secret()))), 0);
    assert_eq!(freed_by(|| drop(SecretBuffer::from(vec![SECRET; LENGTH]))), 0);
}

/// What lies behind the end has been there before.
#[test]
fn truncated() {
    for length in [0, 1, LENGTH / 2] {
        let freed = freed_by(|| {
            let mut buffer = secret();
            buffer.as_mut_vec().truncate(length);
            assert_eq!(buffer.len(), length);
            drop(black_box(buffer));
        });
        assert_eq!(freed, 0, "{length}");
    }
}

#[test]
fn grown() {
    let freed = freed_by(|| {
        let mut buffer = SecretBuffer::with_capacity(0);
        for _ in 0..1000 {
            buffer.extend_from_slice(&[SECRET; 100]);
        }
        assert_eq!(buffer[..], [SECRET; LENGTH]);
        drop(black_box(buffer));
    });
    assert_eq!(freed, 0);
}

/// Its memory is its own still: nothing of it is left.
#[test]
fn wiped_before_it_is_dropped() {
    let mut buffer = secret();
    buffer.wipe();
    assert!(buffer.is_empty());
    let mut bytes = buffer.into_vec();
    assert!(bytes.capacity() >= LENGTH);

    assert_eq!(freed_by(|| drop(black_box(mem::take(&mut bytes)))), 0);
}

#[test]
fn filled_from_a_reader() {
    let freed = freed_by(|| {
        let mut buffer = SecretBuffer::with_capacity(LENGTH + 1);
        let source = std::io::repeat(SECRET).take(LENGTH as u64);
        { source }.read_to_end(buffer.as_mut_vec()).unwrap();
        assert_eq!(buffer.len(), LENGTH);
        assert_eq!(format!("{buffer:?}"), "SecretBuffer(100000 bytes)");
    });
    assert_eq!(freed, 0);
}
