//! What Valgrind is told of the program's memory, and asked about it.

#![allow(unsafe_code, reason = "Valgrind is asked with instructions that do nothing elsewhere")]

use std::hint::black_box;

/// Whether the program runs under Valgrind at all.
pub(crate) fn is_watched() -> bool {
    request(0x1001, [0; 5]) != 0
}

/// From here on these bytes are a secret: Memcheck takes them for uninitialised, and so everything that is computed from
/// them.
pub(crate) fn secret(bytes: &[u8]) {
    // So that the compiler has not computed anything from them yet.
    let bytes = black_box(bytes);
    request(MEMCHECK + 1, [bytes.as_ptr().addr(), bytes.len(), 0, 0, 0]);
}

/// From here on these bytes are public, whatever they were computed from.
pub(crate) fn public(bytes: &[u8]) {
    let bytes = black_box(bytes);
    request(MEMCHECK + 2, [bytes.as_ptr().addr(), bytes.len(), 0, 0, 0]);
}

/// From here on it is public which variant a value is, but nothing to which it points.
pub(crate) fn public_value<T>(value: &T) {
    request(MEMCHECK + 2, [(&raw const *black_box(value)).addr(), size_of::<T>(), 0, 0, 0]);
}

/// Whether Memcheck takes every byte for a secret.
pub(crate) fn is_secret(bytes: &[u8]) -> bool {
    let mut bits = vec![0u8; bytes.len()];
    let arguments = [bytes.as_ptr().addr(), bits.as_mut_ptr().addr(), bytes.len(), 0, 0];
    let done = request(MEMCHECK + 8, arguments);
    // A bit of 1 is undefined.
    done == 1 && black_box(bits).iter().all(|bits| *bits != 0)
}

/// `VG_USERREQ_TOOL_BASE('M', 'C')`, from where valgrind/memcheck.h counts.
const MEMCHECK: usize = 0x4d43_0000;

/// The client request of valgrind/valgrind.h. Outside Valgrind the answer is 0.
#[cfg(target_arch = "x86_64")]
fn request(number: usize, arguments: [usize; 5]) -> usize {
    let block = [number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]];
    let mut answer = 0;
    // SAFETY: the rotations of rdi add up to 128 bits, and the exchange changes nothing. Valgrind reads the block, and
    // changes no memory but what it thinks of it, and the buffer of `is_secret`, which is as long as the bytes.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") block.as_ptr(), inout("rdx") answer, out("rdi") _,
        );
    }
    answer
}

#[cfg(not(target_arch = "x86_64"))]
fn request(_: usize, _: [usize; 5]) -> usize {
    0
}
