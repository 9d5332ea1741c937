//! Which secrets are in the blocks that are freed? An allocator looks into each of them.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    collections::BTreeSet,
};

pub(crate) struct Watching;

thread_local! {
    /// The bytes to find in the blocks that this thread frees; none most of the time.
    static NEEDLES: Cell<&'static [Needle]> = const { Cell::new(&[]) };

    /// A bit for each needle that was found.
    static FOUND: [Cell<u64>; 16] = const { [const { Cell::new(0) }; 16] };
}

#[derive(Clone)]
pub(crate) struct Needle {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Long enough never to be found by chance, short enough to find a part of a secret.
pub(crate) const NEEDLE: usize = 12;

// SAFETY: all requests go to the system's allocator; `realloc` is the trait's own, which allocates,
// copies and frees through these two, so that a block that moves is seen.
unsafe impl GlobalAlloc for Watching {
    /// Zeroed, so that every byte of a block may be read, and what is found in it was put there by
    /// its last owner.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // A thread that ends frees its own last blocks without them.
        let needles = NEEDLES.try_with(Cell::get).unwrap_or_default();
        if !needles.is_empty() {
            // SAFETY: the block is still allocated, of this size, initialised since `alloc`, and nobody else
            // may use it now.
            look_into(unsafe { std::slice::from_raw_parts(block, layout.size()) }, needles);
        }
        // SAFETY: the block came from `alloc` above, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Does not allocate.
fn look_into(block: &[u8], needles: &[Needle]) {
    let mut first_bytes = [false; 256];
    for needle in needles {
        first_bytes[usize::from(needle.bytes[0])] = true;
    }
    for start in 0..block.len() {
        if !first_bytes[usize::from(block[start])] {
            continue;
        }
        for (index, needle) in needles.iter().enumerate() {
            if block[start..].starts_with(&needle.bytes) {
                FOUND.with(|found| found[index / 64].update(|bits| bits | 1 << (index % 64)));
            }
        }
    }
}

/// The secrets of one test.
#[derive(Default)]
pub(crate) struct Secrets(pub(crate) Vec<Needle>);

impl Secrets {
    pub(crate) fn add_whole(&mut self, name: &str, secret: &[u8]) {
        self.0.push(Needle { name: name.into(), bytes: secret.to_vec() });
    }

    /// The names of the secrets that are in blocks which are freed while `work` runs.
    pub(crate) fn leaked_by(&self, work: impl FnOnce()) -> BTreeSet<String> {
        let bits = 64 * FOUND.with(|found| found.len());
        assert!(self.0.len() <= bits, "{} needles", self.0.len());
        FOUND.with(|found| found.iter().for_each(|bits| bits.set(0)));
        let needles = self.0.clone().leak();
        NEEDLES.set(needles);
        work();
        NEEDLES.set(&[]);
        let found = |index: usize| FOUND.with(|found| found[index / 64].get() >> (index % 64) & 1);
        self.0
            .iter()
            .enumerate()
            .filter(|(index, _)| found(*index) == 1)
            .map(|(_, needle)| needle.name.clone())
            .collect()
    }

    pub(crate) fn assert_not_leaked_by(&self, work: impl FnOnce()) {
        assert_eq!(self.leaked_by(work), BTreeSet::new());
    }
}
