//! Do the buffers that readers and writers hand to the system start on a page, or where in it they should?

use std::io::{self, Read, Write};

use twinseal::{secret::PageBuffer, stream::ReadAt};

use super::fixture::{BOB, CTX, open_reader, plaintext, seal, with_threads};

const PAGE: usize = 4096;

/// Several batches for every thread.
const LENGTH: usize = 3_000_000;

/// A batch has 8 chunks. Shorter buffers are for headers, prefixes and ends.
const LONG: usize = 100_000;

/// Where batches of chunks start in their page.
const BATCH_OFFSET: usize = 256;

fn assert_in_a_page(buffer: &[u8], offset: usize) {
    let address = buffer.as_ptr().addr();
    assert!(buffer.len() < LONG || address % PAGE == offset, "{address:#x}");
}

/// Reads and writes all that fits, and counts the long calls.
#[derive(Debug)]
struct Checked<T> {
    inner: T,
    /// Where long buffers start in their page.
    offset: usize,
    long: usize,
}

impl<T> Checked<T> {
    fn new(inner: T) -> Self {
        Self { inner, offset: BATCH_OFFSET, long: 0 }
    }

    fn check(&mut self, buffer: &[u8]) {
        assert_in_a_page(buffer, self.offset);
        self.long += usize::from(buffer.len() >= LONG);
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check(buffer);
        self.inner.read(buffer)
    }
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check(bytes);
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl ReadAt for Checked<&[u8]> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        assert_in_a_page(buffer, self.offset);
        self.inner.read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}

#[test]
fn of_any_length() {
    for len in [0, 1, PAGE - 1, PAGE, PAGE + 1, 131_200] {
        // Several at once, so that the allocator puts them in different places.
        let buffers: Vec<_> = (0..5).map(|_| PageBuffer::zeroed(len)).collect();
        for mut buffer in buffers {
            assert!(buffer.as_ptr().addr().is_multiple_of(PAGE));
            assert_eq!(buffer.len(), len);
            assert!(buffer.iter().all(|byte| *byte == 0));
            buffer.fill(7);
            let moved = Box::new(buffer);
            assert!(moved.as_ptr().addr().is_multiple_of(PAGE));
            assert_eq!(moved[..], vec![7; len]);
        }
    }
}

#[test]
fn of_writers() {
    let plaintext = plaintext(LENGTH);
    let writer = || BOB.encapsulation_key().seal_writer(CTX, Checked::new(io::sink())).unwrap();
    let mut sequential = writer();
    sequential.write_all(&plaintext).unwrap();
    assert!(sequential.finish().unwrap().long > 20);
    for threads in 1..=3 {
        with_threads(threads, || {
            let mut parallel = writer().parallel();
            parallel.write_all(&plaintext).unwrap();
            assert!(parallel.finish().unwrap().long > 20);
        });
    }
}

#[test]
fn of_readers() {
    let plaintext = plaintext(LENGTH);
    let sealed = seal(&plaintext);
    let mut opened = Vec::new();
    let mut sequential = open_reader(Checked::new(&sealed[..])).unwrap();
    sequential.read_to_end(&mut opened).unwrap();
    assert!(opened == plaintext);
    assert!(sequential.get_ref().long > 20);
    for threads in 1..=3 {
        with_threads(threads, || {
            let mut opened = Vec::new();
            let mut parallel = open_reader(Checked::new(&sealed[..])).unwrap().parallel();
            parallel.read_to_end(&mut opened).unwrap();
            assert!(opened == plaintext);
            assert!(parallel.get_ref().long > 20);
        });
    }
}

#[test]
fn at_any_position() {
    let plaintext = plaintext(LENGTH);
    let sealed = seal(&plaintext);
    let source = Checked { offset: 0, ..Checked::new(&sealed[..]) };
    let random_access = BOB.open_at(CTX, source).unwrap();
    let mut opened = vec![0; LENGTH - 7];
    random_access.read_exact_at(&mut opened, 7).unwrap();
    assert!(opened == plaintext[7..]);
}
