//! What a session costs beside bare AES-256-GCM on the same buffer.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use twinseal::{DecapsulationKey, provider::PORTABLE};

const CONTEXT: &[u8] = b"example.com/bench";

fn session(c: &mut Criterion) {
    let bob = DecapsulationKey::generate().unwrap();
    for (name, length) in [("1 KiB", 1 << 10), ("64 KiB", 1 << 16), ("1 MiB", 1 << 20)] {
        let mut group = c.benchmark_group(format!("session/{name}"));
        group.throughput(Throughput::Bytes(length as u64));
        let mut buffer = vec![7; length];

        let bare = PORTABLE.aes_256_gcm.key(&[7; 32]).unwrap();
        let mut counter = 0_u64;
        group.bench_function(BenchmarkId::new("bare AES-256-GCM", PORTABLE.name), |b| {
            b.iter(|| {
                counter += 1;
                let mut nonce = [0; 12];
                nonce[4..].copy_from_slice(&counter.to_be_bytes());
                black_box(bare.seal_in_place(&nonce, b"", &mut buffer).unwrap())
            });
        });
        let start = || bob.encapsulation_key().sender(CONTEXT).unwrap();
        group.bench_function(BenchmarkId::new("seal_in_place", PORTABLE.name), |b| {
            let (_, mut tx) = start();
            b.iter(|| match tx.seal_in_place(b"", &mut buffer) {
                Ok(detached) => black_box(detached),
                Err(_) => {
                    tx = start().1; // 2^40 bytes are used up
                    black_box(tx.seal_in_place(b"", &mut buffer).unwrap())
                }
            });
        });
        group.bench_function(BenchmarkId::new("seal", PORTABLE.name), |b| {
            let (_, mut tx) = start();
            b.iter(|| black_box(tx.seal(&buffer)).map_err(|_| tx = start().1).ok());
        });
        group.finish();
    }

    let mut group = c.benchmark_group("session/start");
    let (hello, _) = bob.encapsulation_key().sender(CONTEXT).unwrap();
    group.bench_function(BenchmarkId::new("sender", PORTABLE.name), |b| {
        b.iter(|| black_box(bob.encapsulation_key().sender(CONTEXT).unwrap()));
    });
    group.bench_function(BenchmarkId::new("receiver", PORTABLE.name), |b| {
        b.iter(|| black_box(bob.receiver(CONTEXT, &hello).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, session);
criterion_main!(benches);
