//! The cost of sealing and opening a stream from memory to memory, beside bare AES-256-GCM over the same
//! chunks and beside the copies that a writer and a reader cannot avoid.

use std::{
    hint::black_box,
    io::{self, BufRead, Read, Write},
};

use rayon::prelude::*;
use twinseal::{
    DecapsulationKey, EncapsulationKey,
    envelope::Sealer,
    provider::{AeadKey, Provider},
};

#[path = "common/case.rs"]
mod case;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/libtest.rs"]
mod libtest;
#[path = "common/mode.rs"]
mod mode;
#[path = "../tests/common/providers.rs"]
mod providers;

use case::Case;
use providers::PROVIDERS;

const CONTEXT: &[u8] = b"example.com/bench";
const CHUNK: usize = Sealer::CHUNK_LEN;

/// The bytes of one read or write.
const PART: usize = 1 << 20;

/// Less if nothing is measured.
fn length() -> usize {
    if mode::testing() { 1 << 20 } else { 64 << 20 }
}

/// A writer into memory that was allocated before.
struct Memory<'a>(&'a mut [u8], usize);

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0[self.1..self.1 + bytes.len()].copy_from_slice(bytes);
        self.1 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads to the end. No part of the output is written twice, which would keep it in a cache.
fn read_all(reader: &mut impl Read, output: &mut [u8]) {
    let mut filled = 0;
    while let Some(part) = output[filled..].chunks_mut(PART).next() {
        match reader.read(part).unwrap() {
            0 => return,
            length => filled += length,
        }
    }
}

/// Reads to the end, and copies nothing.
fn read_by_fill_buf(reader: &mut impl BufRead) {
    loop {
        match black_box(reader.fill_buf().unwrap()).len() {
            0 => return,
            length => reader.consume(length),
        }
    }
}

fn nonce(index: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
    nonce
}

/// A key, and a message in plain and sealed.
struct Stream {
    bob: DecapsulationKey,
    bare: Box<dyn AeadKey>,
    plaintext: Vec<u8>,
    sealed: Vec<u8>,
    /// The full chunks under the bare key, each with its tag.
    bare_sealed: Vec<u8>,
    /// Room for either.
    output: Vec<u8>,
}

impl Stream {
    fn new(provider: &'static Provider) -> Self {
        let bob = DecapsulationKey::generate().unwrap().on(provider).unwrap();
        let bare = provider.aes_256_gcm.key(&[7; 32]).unwrap();
        let plaintext = vec![7; length()];
        let sealed = bob.encapsulation_key().seal(CONTEXT, &plaintext).unwrap();
        let output = vec![0; sealed.len()];
        let mut stream = Self { bob, bare, plaintext, sealed, bare_sealed: Vec::new(), output };
        stream.bare_and_two_copies();
        let chunks = length() / CHUNK;
        stream.bare_sealed = stream.output[..chunks * (CHUNK + Sealer::TAG_LEN)].to_vec();
        stream
    }

    fn to_bob(&self) -> &EncapsulationKey {
        self.bob.encapsulation_key()
    }

    fn memcpy(&mut self) {
        self.output[..self.plaintext.len()].copy_from_slice(black_box(&self.plaintext));
    }

    /// What the memory allows all cores.
    fn memcpy_parallel(&mut self) {
        let parts = black_box(&self.plaintext).par_chunks(PART);
        self.output.par_chunks_mut(PART).zip(parts).for_each(|(to, from)| {
            to[..from.len()].copy_from_slice(from);
        });
    }

    /// What the thread that calls a parallel reader or writer must do: it alone has the caller's buffer, and it
    /// alone calls the inner reader or writer.
    fn two_copies(&mut self) {
        let mut chunk = vec![0; CHUNK];
        let parts = black_box(&self.plaintext).chunks_exact(CHUNK);
        for (from, to) in parts.zip(self.output.chunks_exact_mut(CHUNK)) {
            black_box(&mut chunk).copy_from_slice(from);
            to.copy_from_slice(&chunk);
        }
    }

    fn bare_in_place(&mut self) {
        let chunk = &mut self.output[..CHUNK];
        for index in 0..length() / CHUNK {
            black_box(self.bare.seal_in_place(&nonce(index), b"", chunk).unwrap());
        }
    }

    fn sealer_in_place(&mut self) {
        let (_, _, mut sealer) = self.to_bob().sealer(CONTEXT).unwrap();
        let chunk = self.output.first_chunk_mut::<CHUNK>().unwrap();
        for _ in 0..length() / CHUNK {
            black_box(sealer.seal_chunk(chunk).unwrap());
        }
    }

    /// The least that a writer can do: copy in, encrypt, copy out.
    fn bare_and_two_copies(&mut self) {
        let mut chunk = vec![0; CHUNK];
        let outputs = self.output.chunks_exact_mut(CHUNK + Sealer::TAG_LEN);
        for (index, (from, to)) in self.plaintext.chunks_exact(CHUNK).zip(outputs).enumerate() {
            chunk.copy_from_slice(from);
            let tag = self.bare.seal_in_place(&nonce(index), b"", &mut chunk).unwrap();
            to[..CHUNK].copy_from_slice(&chunk);
            to[CHUNK..].copy_from_slice(&tag);
        }
    }

    /// The same on all cores in any order: the most that the machine can do.
    fn bare_and_two_copies_parallel(&mut self) {
        let bare = &*self.bare;
        let outputs = self.output.par_chunks_exact_mut(CHUNK + Sealer::TAG_LEN);
        self.plaintext.par_chunks_exact(CHUNK).zip(outputs).enumerate().for_each_init(
            || vec![0; CHUNK],
            |chunk, (index, (from, to))| {
                chunk.copy_from_slice(from);
                let tag = bare.seal_in_place(&nonce(index), b"", chunk).unwrap();
                to[..CHUNK].copy_from_slice(chunk);
                to[CHUNK..].copy_from_slice(&tag);
            },
        );
    }

    /// The least that a reader can do: copy in, decrypt, copy out.
    fn bare_opening_and_two_copies(&mut self) {
        let mut chunk = vec![0; CHUNK];
        let inputs = self.bare_sealed.chunks_exact(CHUNK + Sealer::TAG_LEN);
        for (index, (from, to)) in inputs.zip(self.output.chunks_exact_mut(CHUNK)).enumerate() {
            let (from, tag) = from.split_last_chunk().unwrap();
            chunk.copy_from_slice(from);
            self.bare.open_in_place(&nonce(index), b"", &mut chunk, tag).unwrap();
            to.copy_from_slice(&chunk);
        }
    }

    /// The same on all cores in any order.
    fn bare_opening_and_two_copies_parallel(&mut self) {
        let bare = &*self.bare;
        let inputs = self.bare_sealed.par_chunks_exact(CHUNK + Sealer::TAG_LEN);
        inputs.zip(self.output.par_chunks_exact_mut(CHUNK)).enumerate().for_each_init(
            || vec![0; CHUNK],
            |chunk, (index, (from, to))| {
                let (from, tag) = from.split_last_chunk().unwrap();
                chunk.copy_from_slice(from);
                bare.open_in_place(&nonce(index), b"", chunk, tag).unwrap();
                to.copy_from_slice(chunk);
            },
        );
    }

    fn seal_writer(&mut self) {
        let to_bob = self.bob.encapsulation_key();
        let mut writer = to_bob.seal_writer(CONTEXT, Memory(&mut self.output, 0)).unwrap();
        self.plaintext.chunks(PART).for_each(|part| writer.write_all(part).unwrap());
        writer.finish().unwrap();
    }

    fn seal_writer_parallel(&mut self) {
        let to_bob = self.bob.encapsulation_key();
        let writer = to_bob.seal_writer(CONTEXT, Memory(&mut self.output, 0)).unwrap();
        let mut writer = writer.parallel();
        self.plaintext.chunks(PART).for_each(|part| writer.write_all(part).unwrap());
        writer.finish().unwrap();
    }

    fn open_reader(&mut self) {
        let mut reader = self.bob.open_reader(CONTEXT, &self.sealed[..]).unwrap();
        read_all(&mut reader, &mut self.output);
    }

    /// By `BufRead`, whose caller gets the plaintext where it was opened.
    fn fill_buf(&mut self) {
        read_by_fill_buf(&mut self.bob.open_reader(CONTEXT, &self.sealed[..]).unwrap());
    }

    fn fill_buf_parallel(&mut self) {
        let reader = self.bob.open_reader(CONTEXT, &self.sealed[..]).unwrap();
        read_by_fill_buf(&mut reader.parallel());
    }

    fn open_reader_parallel(&mut self) {
        let mut reader = self.bob.open_reader(CONTEXT, &self.sealed[..]).unwrap().parallel();
        read_all(&mut reader, &mut self.output);
    }
}

type Operation = fn(&mut Stream);

const OPERATIONS: [(&str, Operation); 15] = [
    ("memcpy", Stream::memcpy),
    ("memcpy parallel", Stream::memcpy_parallel),
    ("two copies", Stream::two_copies),
    ("bare AES-256-GCM in place", Stream::bare_in_place),
    ("Sealer in place", Stream::sealer_in_place),
    ("bare and two copies", Stream::bare_and_two_copies),
    ("bare and two copies parallel", Stream::bare_and_two_copies_parallel),
    ("bare opening and two copies", Stream::bare_opening_and_two_copies),
    ("bare opening and two copies parallel", Stream::bare_opening_and_two_copies_parallel),
    ("SealWriter", Stream::seal_writer),
    // Within the pool, so that its threads need not be woken for each batch.
    ("SealWriter parallel", |stream| rayon::scope(|_| stream.seal_writer_parallel())),
    ("OpenReader", Stream::open_reader),
    ("OpenReader parallel", |stream| rayon::scope(|_| stream.open_reader_parallel())),
    ("OpenReader by fill_buf", Stream::fill_buf),
    ("OpenReader by fill_buf parallel", |stream| rayon::scope(|_| stream.fill_buf_parallel())),
];

fn cases(provider: &'static Provider) -> impl Iterator<Item = Case> {
    OPERATIONS.into_iter().map(move |(name, operation)| {
        let mut case = Case::new("stream/64 MiB", name, provider.name, move || {
            let mut stream = Stream::new(provider);
            move || operation(&mut stream)
        });
        case.bytes = Some(length() as u64);
        case
    })
}

fn main() {
    let cases: Vec<_> = PROVIDERS.into_iter().flat_map(cases).collect();
    harness::main(&cases);
}
