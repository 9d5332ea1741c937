//! What do the asynchronous adapters cost beside the blocking forms? From memory to memory, where nothing waits.

use std::{
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    runtime::{Builder, Runtime},
};
use twinseal::{
    DecapsulationKey, EncapsulationKey,
    provider::Provider,
    tokio::{SealWriter, open_reader},
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
const LENGTH: usize = 1 << 20;

/// The bytes of one read or write.
const PART: usize = 64 << 10;

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

impl AsyncWrite for Memory<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Write::write(self.get_mut(), bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A key, a message in plain and sealed, and a runtime.
struct Stream {
    bob: DecapsulationKey,
    plaintext: Vec<u8>,
    sealed: Vec<u8>,
    /// Room for either.
    output: Vec<u8>,
    runtime: Runtime,
}

impl Stream {
    fn new(provider: &'static Provider) -> Self {
        let bob = DecapsulationKey::generate().unwrap().on(provider).unwrap();
        let plaintext = vec![7; LENGTH];
        let sealed = bob.encapsulation_key().seal(CONTEXT, &plaintext).unwrap();
        let output = vec![0; sealed.len()];
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { bob, plaintext, sealed, output, runtime }
    }

    fn to_bob(&self) -> &EncapsulationKey {
        self.bob.encapsulation_key()
    }

    fn seal_writer(&mut self) {
        let to_bob = self.bob.encapsulation_key();
        let mut writer = to_bob.seal_writer(CONTEXT, Memory(&mut self.output, 0)).unwrap();
        self.plaintext.chunks(PART).for_each(|part| writer.write_all(part).unwrap());
        writer.finish().unwrap();
    }

    fn seal_writer_async(&mut self) {
        let sealer = self.to_bob().sealer(CONTEXT).unwrap();
        let mut writer = SealWriter::new(sealer, Memory(&mut self.output, 0));
        self.runtime.block_on(async {
            for part in self.plaintext.chunks(PART) {
                writer.write_all(part).await.unwrap();
            }
            writer.shutdown().await.unwrap();
        });
    }

    fn open_reader(&mut self) {
        let mut reader = self.bob.open_reader(CONTEXT, &self.sealed[..]).unwrap();
        while reader.read(&mut self.output[..PART]).unwrap() > 0 {}
    }

    fn open_reader_async(&mut self) {
        self.runtime.block_on(async {
            let mut reader = open_reader(&self.bob, CONTEXT, &self.sealed[..]).await.unwrap();
            while reader.read(&mut self.output[..PART]).await.unwrap() > 0 {}
        });
    }
}

type Operation = fn(&mut Stream);

const OPERATIONS: [(&str, Operation); 4] = [
    ("SealWriter", Stream::seal_writer),
    ("SealWriter async", Stream::seal_writer_async),
    ("OpenReader", Stream::open_reader),
    ("OpenReader async", Stream::open_reader_async),
];

fn cases(provider: &'static Provider) -> impl Iterator<Item = Case> {
    OPERATIONS.into_iter().map(move |(name, operation)| {
        let mut case = Case::new("tokio/1 MiB", name, provider.name, move || {
            let mut stream = Stream::new(provider);
            move || operation(&mut stream)
        });
        case.bytes = Some(LENGTH as u64);
        case
    })
}

fn main() {
    let cases: Vec<_> = PROVIDERS.into_iter().flat_map(cases).collect();
    harness::main(&cases);
}
