//! Do both ends work in tasks, with slow peers, and with the blocking forms at the other end?

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::{sleep, timeout},
};
use twinseal::tokio::open_reader;

use super::fixture::{BATCH, BOB, CHUNK, CTX, LENGTHS, plaintext, seal_writer};
use crate::common::process::DEADLINE;

/// In two tasks, which any thread may run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealed_and_opened_at_once() -> io::Result<()> {
    for length in LENGTHS {
        for pipe in [100, 10_000, 1_000_000] {
            let (sealed_in, sealed_out) = duplex(pipe);
            let sealing = tokio::spawn(async move {
                let mut writer = seal_writer(sealed_in);
                writer.write_all(&plaintext(length)).await?;
                writer.shutdown().await
            });
            let opening = tokio::spawn(async move {
                let mut opened = Vec::new();
                open_reader(&*BOB, CTX, sealed_out).await?.read_to_end(&mut opened).await?;
                io::Result::Ok(opened)
            });
            timeout(DEADLINE, sealing).await???;
            assert!(timeout(DEADLINE, opening).await??? == plaintext(length));
        }
    }
    Ok(())
}

/// Peers that sleep: the clock is the test's own, and runs whenever everybody sleeps.
#[tokio::test(start_paused = true)]
async fn slow_peers() -> io::Result<()> {
    let plaintext = plaintext(BATCH + CHUNK + 5);
    let (sealed_in, mut wire_in) = duplex(1000);
    let (mut wire_out, sealed_out) = duplex(1000);
    let sealing = async {
        let mut writer = seal_writer(sealed_in);
        for part in plaintext.chunks(9999) {
            writer.write_all(part).await?;
            sleep(Duration::from_secs(1)).await;
        }
        writer.shutdown().await
    };
    let wire = async {
        let mut buffer = [0; 777];
        loop {
            let length = wire_in.read(&mut buffer).await?;
            if length == 0 {
                return wire_out.shutdown().await;
            }
            wire_out.write_all(&buffer[..length]).await?;
            sleep(Duration::from_millis(20)).await;
        }
    };
    let opening = async {
        let mut opened = Vec::new();
        let mut buffer = [0; 5000];
        let mut reader = open_reader(&*BOB, CTX, sealed_out).await?;
        loop {
            match reader.read(&mut buffer).await? {
                0 => return io::Result::Ok(opened),
                length => opened.extend_from_slice(&buffer[..length]),
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let all = async { tokio::join!(sealing, wire, opening) };
    let (sealing, wire, opening) = timeout(Duration::from_secs(3600), all).await?;
    sealing?;
    wire?;
    assert!(opening? == plaintext);
    Ok(())
}

/// A connection that is cut: the reader reports it.
#[tokio::test]
async fn a_writer_that_goes_away() -> io::Result<()> {
    let (sealed_in, sealed_out) = duplex(BATCH);
    let sealing = async {
        let mut writer = seal_writer(sealed_in);
        writer.write_all(&plaintext(BATCH + 5)).await?;
        writer.flush().await // and no end
    };
    let opening = async {
        let mut opened = Vec::new();
        let mut reader = open_reader(&*BOB, CTX, sealed_out).await?;
        let error = reader.read_to_end(&mut opened).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(opened == plaintext(BATCH));
        io::Result::Ok(())
    };
    let both = async { tokio::join!(sealing, opening) };
    let (sealing, opening) = timeout(DEADLINE, both).await?;
    sealing?;
    opening
}

#[tokio::test]
async fn with_the_blocking_forms() -> io::Result<()> {
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let mut writer = seal_writer(Vec::new());
        writer.write_all(&plaintext).await?;
        let mut opened = Vec::new();
        BOB.open_reader(CTX, &writer.finish().await?[..])?.read_to_end(&mut opened)?;
        assert!(opened == plaintext);

        let mut writer = BOB.encapsulation_key().seal_writer(CTX, Vec::new())?;
        writer.write_all(&plaintext)?;
        let mut opened = Vec::new();
        let sealed = writer.finish()?;
        open_reader(&*BOB, CTX, &sealed[..]).await?.read_to_end(&mut opened).await?;
        assert!(opened == plaintext);
    }
    Ok(())
}
