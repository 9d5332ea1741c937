//! Does `checkpoint` seal, read one tensor and change its readers, and does it read as little as promised?

use std::fs;

use safetensors::SafeTensors;
use support::example::{example, names};

use crate::fixture::{Fixture, OWNER, READER, SEALER, SIGNED, TENSOR, tensor};

/// `3 requests sent 0 sealed bytes and fetched 123; the checkpoint has 456`
fn traffic(printed: &str) -> [u64; 3] {
    let row = printed.lines().rfind(|line| line.contains("; the checkpoint has ")).unwrap();
    let numbers = row.split([' ', ';']).filter_map(|word| word.parse().ok());
    let [requests, sent, fetched, of] = numbers.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(sent, 0);
    [requests, fetched, of]
}

#[test]
fn the_demonstration() {
    let printed = example("checkpoint", ["--size", "9"]).prints();
    for expected in [
        "  the same as in the file\n",
        "  refused: run-7: there is a checkpoint of this name\n",
        "is not for this key: it was not granted, or it was revoked\n",
        "sealed again: 2; new already: 0; written since: 0",
        "younger than two minutes",
        "  epoch 1 is retired\n",
        "has read and verified 500000 bytes in the middle\n",
        "its keys are older than the pin\n",
        "not signed by this owner for this context",
        "the bundle is signed by another key\n",
    ] {
        assert!(printed.contains(expected), "{expected:?} is not in {printed}");
    }
    assert_eq!(printed.matches("\n  refused: ").count(), 7, "{printed}");
    let [requests, fetched, of] = traffic(&printed);
    assert!(of > 9 << 20 && fetched < 2 << 20 && requests <= 8, "{printed}");
}

#[test]
fn seal_and_read() {
    let fixture = Fixture::sealed();
    let model = fixture.read("model");
    assert_eq!(
        fixture.read(&fixture.data()).len(),
        69 + model.len() + (model.len() / 16384 + 1) * 16
    );

    let listed = fixture.run(&format!("read @store run-7 {READER}")).prints();
    assert_eq!(listed.lines().filter(|line| line.contains(" U8 [")).count(), 500);
    assert!(listed.contains("  layer.200  U8 [100000], 100000 bytes\n"));

    let read = format!("read @store run-7 -t {TENSOR} {READER} -o");
    let printed = fixture.run(&format!("{read} @one")).prints();
    let one = fixture.read("one");
    assert_eq!(SafeTensors::deserialize(&one).unwrap().names(), [TENSOR]);
    assert!(tensor(&one) == tensor(&model));

    // Keys in two; the signature; the front of the data with its last chunk, and the tensor, each up to the
    // ends of its shards of 64 KiB.
    let [requests, fetched, of] = traffic(&printed);
    assert_eq!(of, model.len() as u64);
    assert!(requests <= 7, "{requests}");
    assert!(fetched < 100_000 + 5 * 65536 && fetched < of, "{fetched} of {of}");

    #[cfg(unix)]
    {
        // Only a regular file is replaced: /dev/stdout is a link.
        std::os::unix::fs::symlink(fixture.path("one"), fixture.path("link")).unwrap();
        let refused = fixture.run(&format!("{read} @link")).refuses();
        assert!(refused.contains("not a regular file"), "{refused}");
        assert!(fs::symlink_metadata(fixture.path("link")).unwrap().is_symlink());
    }
}

/// The pin in the file is always the newest that was seen.
#[test]
fn readers_come_and_go() {
    let fixture = Fixture::sealed();
    let first = fixture.read("pin");
    fixture.run(&format!("grant @store @1.pub.pem {OWNER}")).prints();
    let second = fixture.read("pin");
    assert_ne!(first, second);

    // The second reader begins with an older pin, and saves the newer one unless it must not.
    let rest = format!("-k @1.pem --owner @owner.pub.pem -p @1.pin {SIGNED}");
    let read = format!("read @store run-7 -t {TENSOR} {rest}");
    fixture.write("1.pin", &first);
    fixture.run(&format!("{read} --keep-pin")).prints();
    assert_eq!(fixture.read("1.pin"), first);
    fixture.run(&read).prints();
    assert_eq!(fixture.read("1.pin"), second);

    // Without the promise nothing is sealed again, but who was revoked is out. The command is repeated with it.
    let before = fixture.read(&fixture.data());
    let revoke = format!("revoke @store @1.pub.pem {OWNER}");
    assert_eq!(fixture.run(&revoke).run().code, Some(1));
    assert!(fixture.read(&fixture.data()) == before);
    let third = fixture.read("pin");
    let refused = fixture.run(&read).refuses();
    assert!(refused.contains("is not for this key"), "{refused}");

    let printed = fixture.run(&format!("{revoke} --nobody-else-writes")).prints();
    assert!(printed.contains("sealed again: 2; new already: 0"), "{printed}");
    assert!(printed.contains("epochs [1, 3]"), "{printed}");
    let printed = fixture.run(&format!("{revoke} --nobody-else-writes")).prints();
    assert!(printed.contains("sealed again: 0; new already: 2"), "{printed}");
    assert_eq!(fixture.read("pin"), third);
    assert!(printed.contains("is no reader"), "{printed}");
    // Whoever has no pin says so, and has one then.
    fs::remove_file(fixture.path("pin")).unwrap();
    let refused = fixture.run(&format!("read @store run-7 {READER}")).refuses();
    assert!(refused.contains("pin: No such file"), "{refused}");
    fixture.run(&format!("read @store run-7 --first-use {READER}")).prints();
    assert_eq!(fixture.read("pin"), third);
    let after = fixture.read(&fixture.data());
    assert!(after != before && after.len() == before.len());
    let refused = fixture.run(&format!("retire @store 1 {OWNER}")).refuses();
    assert!(refused.contains("younger than two minutes"), "{refused}");
    fixture.run(&format!("read @store run-7 -t {TENSOR} {READER}")).prints();
    assert_eq!(names(fixture.directory.path()).len(), 12, "temporary files are left");
}

/// The owner's own key, no second store in one place, and no pin that is overwritten.
#[test]
fn a_store_is_made_once() {
    let fixture = Fixture::new();
    let create = |pin: &str| format!("create @store -k @0.pem -s @owner.pem -p @{pin}");
    let refused = fixture.run(&create("pin")).refuses();
    assert!(refused.contains("there is a pin already"), "{refused}");
    let refused = fixture.run(&create("other.pin")).refuses();
    assert!(refused.contains("already exists"), "{refused}");
    assert!(!fs::exists(fixture.path("other.pin")).unwrap());
}

#[test]
fn files_of_other_kinds() {
    let fixture = Fixture::new();
    for length in [1, 16_384, 65_536, 200_000] {
        fixture.write("file", vec![7; length]);
        fixture.run(&format!("seal @store any/{length} @file {SEALER}")).prints();
        assert_eq!(fixture.objects(&format!("any/{length}")).len(), 2);
        let refused = fixture.run(&format!("read @store any/{length} {READER}")).refuses();
        assert!(refused.contains("not a safetensors file"), "{refused}");
        fixture.run(&format!("read @store any/{length} -o @back {READER}")).prints();
        assert!(fixture.read("back") == vec![7; length]);
    }
    fixture.write("file", "");
    let refused = fixture.run(&format!("seal @store any/0 @file {SEALER}")).refuses();
    assert!(refused.contains("an empty file cannot be signed by shards"), "{refused}");
    assert_eq!(fixture.objects("any/0"), [""; 0]);
}
