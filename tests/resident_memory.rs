//! How much memory does a process need to seal a file of 4 GiB and to open it again?
#![cfg(target_os = "linux")]

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
};

use twinseal::DecapsulationKey;

const CTX: &[u8] = b"example.com/resident-memory";
const LENGTH: u64 = 4 << 30;
const LIMIT_KIB: u64 = 32 << 10;

/// The most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> u64 {
    let mut to = BufWriter::with_capacity(1 << 20, to);
    let length = io::copy(from, &mut to).unwrap();
    to.flush().unwrap();
    length
}

#[test]
#[ignore = "needs 12 GiB of disk space, a minute, and a process of its own"]
fn four_gib_through_files() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = |name: &str| directory.path().join(name);
    File::create(path("plain")).unwrap().set_len(LENGTH).unwrap();
    let bob = DecapsulationKey::generate().unwrap();
    let to_bob = bob.encapsulation_key();

    let sealed = File::create(path("sealed")).unwrap();
    let mut writer = to_bob.seal_writer(CTX, sealed).unwrap();
    assert_eq!(copy(&mut File::open(path("plain")).unwrap(), &mut writer), LENGTH);
    writer.finish().unwrap();
    let mut reader = bob.open_reader(CTX, File::open(path("sealed")).unwrap()).unwrap();
    assert_eq!(copy(&mut reader, &mut File::create(path("opened")).unwrap()), LENGTH);
    println!("one core: {} KiB", peak_kib());
    assert!(peak_kib() < LIMIT_KIB);

    #[cfg(feature = "rayon")]
    {
        let sealed = File::create(path("sealed")).unwrap();
        let mut writer = to_bob.seal_writer(CTX, sealed).unwrap().parallel();
        assert_eq!(copy(&mut File::open(path("plain")).unwrap(), &mut writer), LENGTH);
        writer.finish().unwrap();
        let sealed = File::open(path("sealed")).unwrap();
        let mut reader = bob.open_reader(CTX, sealed).unwrap().parallel();
        assert_eq!(copy(&mut reader, &mut File::create(path("opened")).unwrap()), LENGTH);
        println!("all cores: {} KiB", peak_kib());
        assert!(peak_kib() < LIMIT_KIB);
    }
}
