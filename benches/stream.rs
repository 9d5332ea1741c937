//! What sealing and opening a stream costs from memory to memory, beside bare AES-256-GCM over the
//! same chunks and beside the copies that a writer and a reader cannot avoid.

use std::{
    hint::black_box,
    io::{self, Read, Write},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use twinseal::{
    DecapsulationKey, EncapsulationKey, Sealer,
    provider::{AeadKey, Provider},
};

#[path = "common/mode.rs"]
mod mode;
#[path = "../tests/common/providers.rs"]
mod providers;

use providers::PROVIDERS;

const CONTEXT: &[u8] = b"example.com/bench";
const CHUNK: usize = Sealer::CHUNK_LENGTH;

/// Less where nothing is measured.
fn length() -> usize {
    if mode::testing() { 1 << 20 } else { 64 << 20 }
}

/// A writer into memory that is there already.
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

fn nonce(index: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
    nonce
}

fn stream(c: &mut Criterion) {
    PROVIDERS.iter().for_each(|provider| stream_on(c, provider));
}

fn stream_on(c: &mut Criterion, provider: &'static Provider) {
    let bob = DecapsulationKey::generate().unwrap().on(provider).unwrap();
    let to_bob: &EncapsulationKey = bob.encapsulation_key();
    let length = length();
    let plaintext = vec![7; length];
    let sealed = to_bob.seal(CONTEXT, &plaintext).unwrap();
    let mut output = vec![0; sealed.len()];
    let bare = provider.aes_256_gcm.key(&[7; 32]).unwrap();

    let mut group = c.benchmark_group("stream/64 MiB");
    group.throughput(Throughput::Bytes(length as u64)).sample_size(10);

    group.bench_function(BenchmarkId::new("memcpy", provider.name), |b| {
        b.iter(|| output[..length].copy_from_slice(black_box(&plaintext)));
    });

    let mut chunk = vec![7; CHUNK];
    group.bench_function(BenchmarkId::new("bare AES-256-GCM in place", provider.name), |b| {
        b.iter(|| {
            for index in 0..length / CHUNK {
                black_box(bare.seal_in_place(&nonce(index), b"", &mut chunk).unwrap());
            }
        });
    });
    group.bench_function(BenchmarkId::new("Sealer in place", provider.name), |b| {
        let (_, mut sealer) = to_bob.sealer(CONTEXT).unwrap();
        let chunk: &mut [u8; CHUNK] = chunk.as_mut_slice().try_into().unwrap();
        b.iter(|| {
            for _ in 0..length / CHUNK {
                black_box(sealer.seal_chunk(chunk).unwrap());
            }
        });
    });

    group.bench_function(BenchmarkId::new("bare and two copies", provider.name), |b| {
        b.iter(|| bare_and_two_copies(&*bare, &plaintext, &mut output));
    });
    group.bench_function(BenchmarkId::new("bare and two copies parallel", provider.name), |b| {
        b.iter(|| bare_and_two_copies_parallel(&*bare, &plaintext, &mut output));
    });
    group.bench_function(BenchmarkId::new("SealWriter", provider.name), |b| {
        b.iter(|| {
            let mut writer = to_bob.seal_writer(CONTEXT, Memory(&mut output, 0)).unwrap();
            plaintext.chunks(1 << 20).for_each(|part| writer.write_all(part).unwrap());
            writer.finish().unwrap();
        });
    });
    // Within the pool, so that its threads need not be woken for each batch.
    group.bench_function(BenchmarkId::new("SealWriter parallel", provider.name), |b| {
        let mut work = || {
            let writer = to_bob.seal_writer(CONTEXT, Memory(&mut output, 0)).unwrap();
            let mut writer = writer.parallel();
            plaintext.chunks(1 << 20).for_each(|part| writer.write_all(part).unwrap());
            writer.finish().unwrap();
        };
        b.iter(|| rayon::scope(|_| work()));
    });

    let mut opened = vec![0; 1 << 20];
    group.bench_function(BenchmarkId::new("OpenReader", provider.name), |b| {
        b.iter(|| {
            let mut reader = bob.open_reader(CONTEXT, &sealed[..]).unwrap();
            while reader.read(&mut opened).unwrap() > 0 {}
        });
    });
    group.bench_function(BenchmarkId::new("OpenReader parallel", provider.name), |b| {
        let mut work = || {
            let mut reader = bob.open_reader(CONTEXT, &sealed[..]).unwrap().parallel();
            while reader.read(&mut opened).unwrap() > 0 {}
        };
        b.iter(|| rayon::scope(|_| work()));
    });
    group.finish();
}

/// The least that a writer can do: copy in, encrypt, copy out.
fn bare_and_two_copies(bare: &dyn AeadKey, plaintext: &[u8], output: &mut [u8]) {
    let mut chunk = vec![0; CHUNK];
    let outputs = output.chunks_exact_mut(CHUNK + Sealer::TAG_LENGTH);
    for (index, (from, to)) in plaintext.chunks_exact(CHUNK).zip(outputs).enumerate() {
        chunk.copy_from_slice(from);
        let tag = bare.seal_in_place(&nonce(index), b"", &mut chunk).unwrap();
        to[..CHUNK].copy_from_slice(&chunk);
        to[CHUNK..].copy_from_slice(&tag);
    }
}

/// The same on all cores with nothing in order: what the machine can give.
fn bare_and_two_copies_parallel(bare: &dyn AeadKey, plaintext: &[u8], output: &mut [u8]) {
    let outputs = output.par_chunks_exact_mut(CHUNK + Sealer::TAG_LENGTH);
    plaintext.par_chunks_exact(CHUNK).zip(outputs).enumerate().for_each_init(
        || vec![0; CHUNK],
        |chunk, (index, (from, to))| {
            chunk.copy_from_slice(from);
            let tag = bare.seal_in_place(&nonce(index), b"", chunk).unwrap();
            to[..CHUNK].copy_from_slice(chunk);
            to[CHUNK..].copy_from_slice(&tag);
        },
    );
}

criterion_group!(benches, stream);
criterion_main!(benches);
