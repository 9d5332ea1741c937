//! What does `checkpoint` print and leave behind when something goes wrong?

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write,
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

use safetensors::{Dtype, tensor::TensorView};

use support::{
    example::{example, names},
    process::{self, signal, wait_until},
    running::{Ended, end_of, run},
};

use crate::commands::{Fixture, TENSOR};

/// More than can be sealed while a test runs. The file is sparse, so it takes no disk space.
const ENDLESS: u64 = 64 << 30;

/// Reading a tensor to a file must fail, and leave no file.
fn unreadable(fixture: &Fixture, key: &str) -> String {
    let (place, key, output) = (fixture.place(), fixture.path(key), fixture.path("one"));
    let refused =
        example("checkpoint", ["read", &place, "-k", &key, "-t", TENSOR, "-o", &output]).refuses();
    assert!(!Path::new(&output).exists());
    assert!(!names(fixture.directory.path()).iter().any(|name| name.starts_with(".tmp")));
    refused
}

#[test]
fn wrong_keys_and_contexts() {
    let fixture = Fixture::sealed();
    let (place, key) = (fixture.place(), fixture.path("0.pem"));
    assert_eq!(unreadable(&fixture, "2.pem"), "checkpoint: not addressed to this key\n");
    let refused = example("checkpoint", ["read", &place, "-k", &key, "-c", "elsewhere"]).refuses();
    assert!(refused.contains("opening failed: wrong key, wrong context"), "{refused}");
    let refused = example("checkpoint", ["read", &place, "-k", &key, "-c", ""]).refuses();
    assert!(refused.contains("say what the data is for"), "{refused}");
    assert!(unreadable(&fixture, "0.pub.pem").contains("TWINSEAL KEM PRIVATE KEY"));
    assert!(unreadable(&fixture, "no.pem").contains("no.pem: No such file"));
    let refused = example("checkpoint", ["read", &place, "-k", &key, "-t", "layer"]).refuses();
    assert!(refused.contains("there is no tensor \"layer\""), "{refused}");
}

#[test]
fn truncated_objects() {
    let fixture = Fixture::sealed();
    for (name, open) in [("body", "opening failed"), ("header", "envelope header ends after")] {
        let object = fixture.object(name);
        let whole = fs::read(&object).unwrap();
        for length in [whole.len() - 1, whole.len() - 1000, 100] {
            fs::write(&object, &whole[..length]).unwrap();
            let refused = unreadable(&fixture, "0.pem");
            assert!(refused.contains(open), "{name}, {length} bytes: {refused}");
        }
        fs::write(&object, &whole[..10]).unwrap();
        assert!(unreadable(&fixture, "0.pem").contains("10 bytes"));
        fs::write(&object, "").unwrap();
        unreadable(&fixture, "0.pem");
        fs::remove_file(&object).unwrap();
        unreadable(&fixture, "0.pem");
        fs::write(&object, [&whole[..], b"x"].concat()).unwrap();
        unreadable(&fixture, "0.pem");
        fs::write(&object, &whole).unwrap();
    }
}

#[test]
fn one_bit_off() {
    let fixture = Fixture::sealed();
    let (place, key) = (fixture.place(), fixture.path("0.pem"));
    let flip = |name: &str, position: usize| {
        let object = fixture.object(name);
        let mut bytes = fs::read(&object).unwrap();
        let position = position.min(bytes.len() - 1);
        bytes[position] ^= 1;
        fs::write(object, bytes).unwrap();
    };
    // The header's start, a ciphertext, its tag; the body's commitment, metadata, and last chunk.
    for (name, position) in [
        ("header", 0),
        ("header", 100),
        ("header", usize::MAX),
        ("body", 30),
        ("body", 100),
        ("body", 20_000),
        ("body", usize::MAX),
    ] {
        flip(name, position);
        unreadable(&fixture, "0.pem");
        flip(name, position);
    }
    // A changed bit in a tensor is found when that tensor is read, and only then.
    flip("body", fixture.middle_of_tensor());
    assert!(unreadable(&fixture, "0.pem").contains("opening failed"));
    example("checkpoint", ["read", &place, "-k", &key, "-t", "layer.0"]).prints();
}

/// The body of another checkpoint, for the same keys.
#[test]
fn a_body_that_was_exchanged() {
    let (fixture, other) = (Fixture::sealed(), Fixture::sealed());
    fs::copy(other.object("body"), fixture.object("body")).unwrap();
    assert!(unreadable(&fixture, "0.pem").contains("opening failed"));
}

#[test]
fn an_existing_checkpoint_stays() {
    let fixture = Fixture::sealed();
    let before = fs::read(fixture.object("body")).unwrap();
    let (file, place) = (fixture.path("model.safetensors"), fixture.place());
    let to = fixture.path("2.pub.pem");
    let refused = example("checkpoint", ["seal", &file, &place, "-r", &to]).refuses();
    assert!(refused.contains("has a checkpoint already"), "{refused}");
    assert!(fs::read(fixture.object("body")).unwrap() == before);
    let twice = ["seal", &file, &fixture.path("store/2"), "-r", &to, "-r", &to];
    assert!(example("checkpoint", twice).refuses().contains("listed twice"));
}

/// Places that nobody can write to, not even root.
#[test]
fn no_place_to_write() {
    let fixture = Fixture::new();
    let (file, to) = (fixture.path("model.safetensors"), fixture.path("0.pub.pem"));
    let mut places = vec![format!("{file}/step"), "/".into(), "s3://bucket".into()];
    if cfg!(target_os = "linux") {
        places.push("/proc/twinseal/step".into());
    }
    for place in places {
        example("checkpoint", ["seal", &file, &place, "-r", &to]).refuses();
    }
    let directory = fixture.path(".");
    let refused =
        example("checkpoint", ["seal", &directory, &fixture.place(), "-r", &to]).refuses();
    assert!(refused.contains("not a regular file"), "{refused}");
    assert!(!Path::new(&fixture.place()).exists());
}

/// The error for a cloud that is not compiled in names the command that compiles it in.
#[test]
fn other_stores() {
    let fixture = Fixture::new();
    let key = fixture.path("0.pem");
    for (place, expected) in [
        ("s3://bucket/step", "--features object_store/aws"),
        ("gs://bucket/step", "--features object_store/gcp"),
        ("az://container/step", "--features object_store/azure"),
        ("ftp://host/step", "a place is a directory, s3://, gs:// or az://"),
        ("file:///nowhere/step", "there is no sealed checkpoint"),
    ] {
        let refused = example("checkpoint", ["read", place, "-k", &key]).refuses();
        assert!(refused.contains(expected), "{refused}");
    }
}

/// Like a full disk: no file may grow beyond a hundred kilobytes.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up() {
    let fixture = Fixture::sealed();
    let limited = |blocks: u32, arguments: &[&str]| {
        let mut command = process::command("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(process::example("checkpoint")).args(arguments);
        let outcome = run(command);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("File too large"), "{}", outcome.stderr);
    };
    let (file, to) = (fixture.path("big"), fixture.path("0.pub.pem"));
    File::create(&file).unwrap().set_len(20 << 20).unwrap();
    let place = fixture.path("store/big");
    limited(200, &["seal", &file, &place, "-r", &to]);
    assert_eq!(names(Path::new(&place)), [""; 0]);

    let (place, key, output) = (fixture.place(), fixture.path("0.pem"), fixture.path("one"));
    fs::write(&output, "before").unwrap();
    limited(100, &["read", &place, "-k", &key, "-t", TENSOR, "-o", &output]);
    assert_eq!(fs::read(&output).unwrap(), b"before");
    assert!(!names(fixture.directory.path()).iter().any(|name| name.starts_with(".tmp")));
}

/// Killed in the middle, at once or with the signal that Kubernetes sends.
#[cfg(unix)]
#[test]
fn killed_while_it_seals() {
    let fixture = Fixture::new();
    let (file, place) = (fixture.path("big"), fixture.place());
    let (key, to) = (fixture.path("0.pem"), fixture.path("0.pub.pem"));
    File::create(&file).unwrap().set_len(ENDLESS).unwrap();
    for name in ["KILL", "TERM", "INT"] {
        let mut sealing = example("checkpoint", ["seal", &file, &place, "-r", &to]);
        let child = sealing.command.spawn().unwrap();
        let is_sealing = || {
            let is_large = |name: &String| {
                let metadata = fs::metadata(Path::new(&place).join(name));
                metadata.is_ok_and(|metadata| metadata.len() > 1 << 20)
            };
            Path::new(&place).exists() && names(Path::new(&place)).iter().any(is_large)
        };
        wait_until("the upload", is_sealing);
        signal(name, child.id());
        let outcome = end_of(child);

        let refused = example("checkpoint", ["read", &place, "-k", &key]).refuses();
        assert!(refused.contains("there is no sealed checkpoint"), "{refused}");
        if name == "KILL" {
            assert_eq!(outcome.code, None);
            for left in names(Path::new(&place)) {
                assert!(left.contains('#'), "{left} looks whole");
                fs::remove_file(Path::new(&place).join(left)).unwrap();
            }
        } else {
            assert_eq!(outcome.code, Some(1));
            assert!(outcome.stderr.contains("stopped before the upload was complete"));
            assert_eq!(names(Path::new(&place)), [""; 0]);
        }
    }
    fs::write(&file, b"small").unwrap();
    example("checkpoint", ["seal", &file, &place, "-r", &to]).prints();
}

/// A file that grows, shrinks or gets another content while it is read is not sealed.
#[cfg(unix)]
#[test]
fn a_file_that_changes() {
    let changes: [fn(&File); 3] = [
        |file| file.set_len(1 << 20).unwrap(),
        |file| file.set_len(2 * ENDLESS).unwrap(),
        |mut file| file.write_all(b"another beginning").unwrap(),
    ];
    for change in changes {
        let fixture = Fixture::new();
        let (file, place, to) = (fixture.path("big"), fixture.place(), fixture.path("0.pub.pem"));
        let big = File::create(&file).unwrap();
        big.set_len(ENDLESS).unwrap();
        big.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let mut sealing = example("checkpoint", ["seal", &file, &place, "-r", &to]);
        let child = sealing.command.spawn().unwrap();
        // By now it has inspected the file.
        wait_until("the upload", || Path::new(&place).exists());
        change(&big);
        let Ended { code, stderr, .. } = end_of(child);
        assert_eq!(code, Some(1));
        assert!(stderr.contains("the file changed while it was read"), "{stderr}");
        assert_eq!(names(Path::new(&place)), [""; 0]);
    }
}

/// Files that block for ever or have no end are refused.
#[cfg(unix)]
#[test]
fn special_files() {
    let fixture = Fixture::new();
    let (fifo, to) = (fixture.path("fifo"), fixture.path("0.pub.pem"));
    assert_eq!(run(process::command("mkfifo").arg(&fifo)).code, Some(0));
    for file in [fifo.as_str(), "/dev/zero"] {
        let refused = example("checkpoint", ["seal", file, &fixture.place(), "-r", &to]).refuses();
        assert!(refused.contains("not a regular file"), "{refused}");
    }
    let (file, place) = (fixture.path("model.safetensors"), fixture.place());
    let refused = example("checkpoint", ["seal", &file, &place, "-r", "/dev/zero"]).refuses();
    assert!(refused.contains("/dev/zero: not a PEM file: it is longer than 4 MiB"), "{refused}");
    assert!(!Path::new(&place).exists());
}

/// Names of tensors come from a file and are printed on a terminal.
#[test]
fn names_with_control_characters() {
    let fixture = Fixture::new();
    let name = "layer\x1b[31m\u{202e}\n.weight";
    let view = TensorView::new(Dtype::U8, vec![4], &[7; 4]).unwrap();
    let about = HashMap::from([("by\x1b[31m".to_owned(), "x\u{202e}".to_owned())]);
    let file = fixture.path("odd.safetensors");
    fs::write(&file, safetensors::serialize([(name, view)], Some(about)).unwrap()).unwrap();
    let (place, key, to) = (fixture.place(), fixture.path("0.pem"), fixture.path("0.pub.pem"));
    example("checkpoint", ["seal", &file, &place, "-r", &to]).prints();

    let shown = "layer\\u{1b}[31m\\u{202e}\\n.weight";
    let list = example("checkpoint", ["read", &place, "-k", &key]).prints();
    let one = example("checkpoint", ["read", &place, "-k", &key, "-t", name]).prints();
    for printed in [list, one] {
        assert!(printed.contains(&format!("  {shown}  U8 [4], 4 bytes\n")), "{printed}");
        assert!(!printed.contains(['\x1b', '\u{202e}']), "{printed}");
    }
    // So are arguments that the example or its parser refuses.
    let odd = "no\x1b[31m\u{202e}";
    let errors = [
        example("checkpoint", ["read", &place, "-k", &key, "-t", odd]).refuses(),
        example("checkpoint", ["read", odd, "-k", &key]).refuses(),
        example("checkpoint", ["read", &place, "-k", odd]).refuses(),
        example("checkpoint", ["seal", odd, &place, "-r", &to]).refuses(),
        example("checkpoint", [odd]).run().stderr,
        example("checkpoint", ["--size", odd]).run().stderr,
    ];
    for error in errors {
        assert!(error.contains("no\\u{1b}[31m\\u{202e}"), "{error}");
        assert!(!error.contains(['\x1b', '\u{202e}']), "{error}");
    }
}

/// Only a few parts of the upload are in memory, however large the checkpoint is.
#[cfg(target_os = "linux")]
#[test]
fn constant_memory() {
    let fixture = Fixture::new();
    let (file, place, to) = (fixture.path("big"), fixture.place(), fixture.path("0.pub.pem"));
    File::create(&file).unwrap().set_len(256 << 20).unwrap();
    let mut sealing = example("checkpoint", ["seal", &file, &place, "-r", &to]);
    let child = sealing.command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let ended = thread::spawn(move || end_of(child));
    let mut peak = 0;
    while !ended.is_finished() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let kilobytes = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .map(|rest| rest.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap());
        peak = peak.max(kilobytes.unwrap_or_default());
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(ended.join().unwrap().code, Some(0));
    assert!((1..100 << 10).contains(&peak), "{peak} kB");
}
