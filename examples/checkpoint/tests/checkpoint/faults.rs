//! What does `checkpoint` print and leave behind when something goes wrong?

use std::{collections::HashMap, fs, fs::File, path::Path};

use object_store::ObjectStoreExt;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use support::{
    example::{example, names},
    process::{self, signal, wait_until},
    running::{end_of, run},
};

use crate::fixture::{Fixture, OWNER, READER, SEALER, SIGNED, TENSOR, block_on, tensor};

/// More than can be sealed while a test runs. The file is sparse, so it takes no disk space.
const ENDLESS: u64 = 64 << 30;

/// Reading a tensor to a file must fail, and leave no file.
fn unreadable(fixture: &Fixture, rest: &str) -> String {
    let refused = fixture.run(&format!("read @store run-7 -t {TENSOR} -o @one {rest}")).refuses();
    assert!(!Path::new(&fixture.path("one")).exists());
    assert!(!names(fixture.directory.path()).iter().any(|name| name.starts_with(".tmp")));
    refused
}

#[test]
fn wrong_keys_pins_and_contexts() {
    let fixture = Fixture::sealed();
    let rest = format!("--owner @owner.pub.pem -p @pin {SIGNED}");
    for (arguments, expected) in [
        (format!("-k @1.pem {rest}"), "is not for this key"),
        (format!("-k @0.pub.pem {rest}"), "TWINSEAL KEM PRIVATE KEY"),
        (format!("-k @no.pem {rest}"), "no.pem: No such file"),
        (format!("{READER} -c elsewhere"), "not signed by this owner for this context"),
        (format!("-k @0.pem --owner @owner.pub.pem -p @model {SIGNED}"), "model: "),
        (format!("-k @0.pem --owner @owner.pub.pem -p @no.pin {SIGNED}"), "no.pin: No such file"),
    ] {
        let refused = unreadable(&fixture, &arguments);
        assert!(refused.contains(expected), "{arguments}: {refused}");
    }
    let refused = fixture.run(&format!("read @store run-7 -t layer {READER}")).refuses();
    assert!(refused.contains("there is no tensor \"layer\""), "{refused}");
    let refused = fixture.run(&format!("read @store run-8 {READER}")).refuses();
    assert!(refused.contains("run-8: there is no checkpoint of this name"), "{refused}");

    // Another owner, and keys of before the last change.
    let other = Fixture::new();
    fs::copy(other.path("owner.pub.pem"), fixture.path("other.pub.pem")).unwrap();
    let other = format!("-k @0.pem --owner @other.pub.pem -p @pin {SIGNED}");
    let refused = unreadable(&fixture, &other);
    assert!(refused.contains("not signed by this owner for this context"), "{refused}");
    fixture.run(&format!("grant @store @1.pub.pem {OWNER}")).prints();
    fs::remove_file(fixture.path("store/.twinseal/keys/0000000002")).unwrap();
    assert!(unreadable(&fixture, READER).contains("older than the pin"));
}

/// A changed bit in a tensor is found when that tensor is read, and only then.
#[test]
fn damaged_objects() {
    let fixture = Fixture::sealed();
    let data = fixture.data();
    let whole = fixture.read(&data);
    let model = fixture.read("model");
    let (length, metadata) = SafeTensors::read_metadata(&model).unwrap();
    let (start, end) = metadata.info(TENSOR).unwrap().data_offsets;
    let middle = 8 + length + (start + end) / 2;
    let mut changed = whole.clone();
    changed[69 + middle + middle / 16384 * 16] ^= 1;
    fixture.write(&data, &changed);
    assert!(unreadable(&fixture, READER).contains("does not open"));
    fixture.run(&format!("read @store run-7 -t layer.0 {READER}")).prints();

    for length in [0, 10, 100, whole.len() - 1000, whole.len() - 1] {
        fixture.write(&data, &whole[..length]);
        unreadable(&fixture, READER);
    }
    fs::remove_file(fixture.path(&data)).unwrap();
    unreadable(&fixture, READER);
    fixture.write(&data, &whole);
    fixture.run(&format!("read @store run-7 -t {TENSOR} {READER}")).prints();
}

/// Every reader can write, but not in somebody else's name.
#[test]
fn forged_checkpoints() {
    let fixture = Fixture::sealed();
    fixture.run(&format!("seal @store run-8 @model {SEALER}")).prints();
    let by_another = SEALER.replace("trainer", "owner");
    fixture.run(&format!("seal @store run-9 @model {by_another}")).prints();
    let refused = fixture.run(&format!("read @store run-9 -t {TENSOR} {READER}")).refuses();
    assert!(refused.contains("run-9: the bundle is signed by another key"), "{refused}");

    let data = fixture.data();
    let store = fixture.store();
    let put = |name: &str, bytes: Vec<u8>| {
        block_on(store.put(&name.into(), bytes.into())).unwrap();
    };
    let mut changed = fixture.read("model");
    let (length, metadata) = SafeTensors::read_metadata(&changed).unwrap();
    let (start, end) = metadata.info(TENSOR).unwrap().data_offsets;
    changed[8 + length + (start + end) / 2] ^= 1;
    put(data.strip_prefix("store/").unwrap(), changed);
    assert!(unreadable(&fixture, READER).contains("not as it was signed"));
    fixture.run(&format!("read @store run-7 -t layer.0 {READER}")).prints();

    // The signature of another checkpoint of the same signer.
    let other = block_on(async { store.get(&"run-8/model.sig".into()).await?.bytes().await });
    put("run-7/model.sig", other.unwrap().into());
    assert!(unreadable(&fixture, READER).contains("the signature is another checkpoint's"));
}

/// A sealer that began before another one has finished is refused when it ends. The finished checkpoint stays,
/// and is the only one.
#[cfg(unix)]
#[test]
fn two_at_once() {
    let fixture = Fixture::new();
    File::create(fixture.path("big")).unwrap().set_len(256 << 20).unwrap();
    let mut slow = fixture.run(&format!("seal @store run-7 @big {SEALER}"));
    let child = slow.command.spawn().unwrap();
    wait_until("the upload", || !fixture.objects("run-7").is_empty());
    signal("STOP", child.id());
    fixture.run(&format!("seal @store run-7 @model {SEALER}")).prints();
    signal("CONT", child.id());
    let slow = end_of(child);
    assert_eq!(slow.code, Some(1));
    assert_eq!(slow.stderr, "checkpoint: run-7: there is a checkpoint of this name\n");

    fixture.data();
    fixture.run(&format!("read @store run-7 -t {TENSOR} {READER} -o @one")).prints();
    assert!(tensor(&fixture.read("one")) == tensor(&fixture.read("model")));
    let refused = fixture.run(&format!("seal @store run-7 @model {SEALER}")).refuses();
    assert_eq!(refused, slow.stderr);
}

/// Killed in the middle, at once or with the signal that Kubernetes sends: there is no checkpoint, and another can be
/// sealed.
#[cfg(unix)]
#[test]
fn killed_while_it_seals() {
    let fixture = Fixture::new();
    File::create(fixture.path("big")).unwrap().set_len(ENDLESS).unwrap();
    for name in ["KILL", "TERM"] {
        let mut sealing = fixture.run(&format!("seal @store run-7 @big {SEALER}"));
        let child = sealing.command.spawn().unwrap();
        let is_large = |name: &String| {
            let metadata = fs::metadata(fixture.path(&format!("store/run-7/{name}")));
            metadata.is_ok_and(|metadata| metadata.len() > 1 << 20)
        };
        wait_until("the upload", || fixture.objects("run-7").iter().any(is_large));
        signal(name, child.id());
        assert_eq!(end_of(child).code, None);

        let refused = fixture.run(&format!("read @store run-7 {READER}")).refuses();
        assert!(refused.contains("there is no checkpoint of this name"), "{refused}");
        for left in fixture.objects("run-7") {
            assert!(left.contains('#'), "{left} looks whole");
            fs::remove_file(fixture.path(&format!("store/run-7/{left}"))).unwrap();
        }
    }
    fixture.run(&format!("seal @store run-7 @model {SEALER}")).prints();
}

/// A file that grows, shrinks or gets another date while it is read is not sealed.
#[cfg(unix)]
#[test]
fn a_file_that_changes() {
    let changes: [fn(&File); 3] = [
        |file| file.set_len(1 << 20).unwrap(),
        |file| file.set_len(2 * ENDLESS).unwrap(),
        |file| file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap(),
    ];
    let fixture = Fixture::new();
    for change in changes {
        let big = File::create(fixture.path("big")).unwrap();
        big.set_len(ENDLESS).unwrap();
        let mut sealing = fixture.run(&format!("seal @store run-7 @big {SEALER}"));
        let child = sealing.command.spawn().unwrap();
        // By now it has inspected the file.
        wait_until("the upload", || !fixture.objects("run-7").is_empty());
        change(&big);
        let outcome = end_of(child);
        assert_eq!(outcome.code, Some(1));
        assert!(
            outcome.stderr.contains("the file changed while it was read"),
            "{}",
            outcome.stderr
        );
        assert_eq!(fixture.objects("run-7"), [""; 0]);
    }
}

/// Like a full disk: no file may grow beyond a hundred kilobytes.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up() {
    let fixture = Fixture::sealed();
    let limited = |blocks: u32, command: &str| {
        let mut shell = process::command("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script]).arg(process::example("checkpoint"));
        shell.args(command.split(' ').map(|word| word.replace('@', &fixture.path(""))));
        let outcome = run(shell);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("File too large"), "{}", outcome.stderr);
    };
    File::create(fixture.path("big")).unwrap().set_len(20 << 20).unwrap();
    limited(200, &format!("seal @store big @big {SEALER}"));
    assert_eq!(fixture.objects("big"), [""; 0]);
    fixture.write("one", "before");
    limited(100, &format!("read @store run-7 -t {TENSOR} -o @one {READER}"));
    assert_eq!(fixture.read("one"), b"before");
    assert!(!names(fixture.directory.path()).iter().any(|name| name.starts_with(".tmp")));
}

/// Files that block for ever or have no end are refused, and so are places that nobody can write to.
#[cfg(unix)]
#[test]
fn special_files_and_places() {
    let fixture = Fixture::new();
    assert_eq!(run(process::command("mkfifo").arg(fixture.path("fifo"))).code, Some(0));
    for file in ["@fifo", "/dev/zero", "@"] {
        let refused = fixture.run(&format!("seal @store run-7 {file} {SEALER}")).refuses();
        assert!(refused.contains("not a regular file"), "{refused}");
    }
    for (place, expected) in [
        ("@model/store", ""),
        ("s3://bucket/step", "--features object_store/aws"),
        ("gs://bucket/step", "object_store/aws, gcp and azure"),
        ("ftp://host/step", "ftp://host/step: "),
        ("@nowhere", "there are no keys"),
    ] {
        let refused = fixture.run(&format!("read {place} run-7 {READER}")).refuses();
        assert!(refused.contains(expected), "{refused}");
    }
}

/// Names of tensors come from a file and are printed on a terminal.
#[test]
fn names_with_control_characters() {
    let fixture = Fixture::new();
    let name = "layer\x1b[31m\u{202e}\n.weight";
    let view = TensorView::new(Dtype::U8, vec![4], &[7; 4]).unwrap();
    let about = HashMap::from([("by\x1b[31m".to_owned(), "x\u{202e}".to_owned())]);
    fixture.write("odd", safetensors::serialize([(name, view)], Some(about)).unwrap());
    fixture.run(&format!("seal @store run-7 @odd {SEALER}")).prints();

    let shown = "layer\\u{1b}[31m\\u{202e}\\n.weight";
    let list = fixture.run(&format!("read @store run-7 {READER}")).prints();
    let one = fixture.run(&format!("read @store run-7 {READER} -t {name}")).prints();
    for printed in [list, one] {
        assert!(printed.contains(&format!("  {shown}  U8 [4], 4 bytes\n")), "{printed}");
        assert!(!printed.contains(['\x1b', '\u{202e}']), "{printed}");
    }
    // So are arguments that the example or its parser refuses.
    let odd = "no\x1b[31m\u{202e}";
    let errors = [
        fixture.run(&format!("read @store run-7 {READER} -t {odd}")).refuses(),
        fixture.run(&format!("read @store {odd} {READER}")).refuses(),
        fixture.run(&format!("seal @store run-8 {odd} {SEALER}")).refuses(),
        example("checkpoint", [odd]).run().stderr,
        example("checkpoint", ["--size", odd]).run().stderr,
    ];
    for error in errors {
        assert!(!error.contains(['\x1b', '\u{202e}']), "{error}");
    }
}

/// Only a few parts of the upload are in memory, however large the checkpoint is.
#[cfg(target_os = "linux")]
#[test]
fn constant_memory() {
    let fixture = Fixture::new();
    File::create(fixture.path("big")).unwrap().set_len(512 << 20).unwrap();
    let mut sealing = fixture.run(&format!("seal @store big @big {SEALER}"));
    let child = sealing.command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let ended = std::thread::spawn(move || end_of(child));
    let mut peak = 0;
    while !ended.is_finished() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let kilobytes = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .map(|rest| rest.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap());
        peak = peak.max(kilobytes.unwrap_or_default());
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert_eq!(ended.join().unwrap().code, Some(0));
    assert!((1..200 << 10).contains(&peak), "{peak} kB");
}
