//! Does gradient_exchange learn, rotate its key, refuse frames that are not from its workers, and
//! continue without workers that fail?

// Cargo does not run the tests in an example's own files, so they are included here.
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../mean.rs"]
mod mean;

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

use safetensors::SafeTensors;
use support::{
    process::{DEADLINE, command, example, signal},
    running::{Ended, Running, end_of, refused, run, with_small_files},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn gradient_exchange(arguments: &str) -> Command {
    let mut command = command(example("gradient_exchange"));
    command.args(arguments.split_whitespace());
    command
}

/// The numbers of a round's line.
#[derive(Debug)]
struct Row {
    round: u32,
    loss: f64,
    plain: u64,
    added: u64,
}

fn row(line: &str) -> Option<Row> {
    let mut words = line.split_whitespace();
    let round = words.next()?.parse().ok()?;
    let loss = words.next()?.parse().ok()?;
    let mut bytes = words.skip(1).map(|word| word.parse().unwrap());
    Some(Row { round, loss, plain: bytes.next()?, added: bytes.next()? })
}

/// The process of a worker, and where the aggregator listens.
fn worker(training: &mut Running, number: u32) -> u32 {
    let line = training.wait_for(&[&format!("worker {number}: process ")]);
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn address(training: &mut Running) -> String {
    let line = training.wait_for(&["listening on "]);
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn it_learns_while_it_is_attacked_and_its_key_is_rotated() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.safetensors");
    let arguments = "--rounds 24 --hidden 64 --workers 3 --rate 1 --timeout 60 --save";
    let Ended { code, stdout, stderr } = run(gradient_exchange(arguments).arg(&path));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");

    let rows: Vec<_> = stdout.lines().filter_map(row).collect();
    assert_eq!(rows.iter().map(|row| row.round).collect::<Vec<_>>(), Vec::from_iter(1..=24));
    assert!(rows[23].loss < 0.8 * rows[0].loss, "{stdout}");

    // 17 bytes for each of two messages of three workers; sessions, which begin with the model, in the first round
    // and after the twelfth, and another one of worker 1 for each that an attack has ended.
    for Row { round, plain, added, .. } in &rows {
        let sessions = |count: u64| {
            let messages = 3 * 2 * 17 + count * 17;
            count * 6350 + messages..=count * (6381 + 32) + messages
        };
        match round {
            1 | 13 => assert!(sessions(3).contains(added), "{round}: {added}"),
            2..=4 => assert!(sessions(1).contains(added), "{round}: {added}"),
            12 | 24 => assert_eq!(*added, 3 * 3 * 17), // with a farewell
            _ => assert_eq!(*added, 3 * 2 * 17, "{round}"),
        }
        assert!(*plain >= 2 * 3 * 4 * (64 * 64 + 64 + 640 + 10));
    }

    let about = |word: &str| -> Vec<_> {
        stdout.lines().filter_map(|line| line.split_once(&format!(", {word}: "))).collect()
    };
    let attacks: Vec<_> = about("attack").iter().map(|(_, what)| *what).collect();
    let kinds = attacks.iter().map(|what| what.split(':').next().unwrap());
    let expected = ["forged", "replayed", "poisoned", "poisoned", "forged", "replayed", "replayed"];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    let refusals: Vec<_> = about("refused").iter().map(|(_, why)| *why).collect();
    let reasons = [
        "in the connection of worker 1: opening failed",
        "in the connection of worker 1: opening failed",
        "in the connection of worker 1: unknown message type",
        "127.0.0.1:: not signed, but a signer is required",
        "127.0.0.1:: signed by an unknown key",
        "127.0.0.1:: verification failed",
        "127.0.0.1:: not addressed to this key", // which is retired
    ];
    assert_eq!(refusals.len(), reasons.len(), "{stdout}");
    for (refusal, reason) in refusals.iter().zip(reasons) {
        let found = match refusal.strip_prefix("127.0.0.1:") {
            Some(rest) => {
                format!("127.0.0.1:{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
            }
            None => (*refusal).to_owned(),
        };
        assert!(found.starts_with(reason), "{refusal}: {reason}");
    }
    assert_eq!(about("dropped"), []);

    let rotation = about("key rotation");
    let ids: Vec<_> = rotation
        .iter()
        .flat_map(|(_, text)| text.split(' ').filter(|word| word.len() == 32))
        .collect();
    assert_eq!((rotation.len(), ids.len()), (2, 2));
    assert_ne!(ids[0], ids[1]);
    for words in ["15-25 %", "18-30 %", "bytes to a gradient", "time to a worker's step"] {
        assert!(stdout.contains(words), "{stdout}");
    }

    let model = fs::read(&path).unwrap();
    let model = SafeTensors::deserialize(&model).unwrap();
    assert_eq!(model.tensor("hidden.weight").unwrap().shape(), [64, 64]);
    assert_eq!(model.tensor("output.weight").unwrap().shape(), [10, 64]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_worker_that_is_killed_is_dropped_and_nobody_outlives_the_aggregator() {
    let arguments = "--rounds 100000 --hidden 16 --no-attacker --timeout 60";
    let mut training = Running::start(&mut gradient_exchange(arguments));
    let second = worker(&mut training, 2);
    training.wait_for(&["    3 "]);
    signal("KILL", second);
    training.wait_for(&["dropped: worker 2: ", "the others continue"]);
    let line = training.seen.iter().rev().find_map(|line| row(line)).unwrap();
    training.wait_for(&[&format!("{:>5} ", line.round + 20)]);

    training.kill();
    assert_eq!(training.end(), None);
    for number in [1, 3] {
        let farewell = format!("worker {number}: in round ");
        assert!(training.seen.iter().any(|line| line.starts_with(&farewell)), "{}", training.all());
    }
}

/// A compromised worker is registered, and signs like the others.
#[test]
fn one_worker_can_neither_weigh_nor_scale_as_it_likes() {
    let train = |rogue: &str| {
        let arguments =
            "--rounds 30 --hidden 64 --no-attacker --timeout 60 --rotate-after 0 --rogue";
        let Ended { code, stdout, stderr } = run(gradient_exchange(arguments).arg(rogue));
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        let rows: Vec<_> = stdout.lines().filter_map(row).collect();
        assert_eq!(rows.len(), 30, "{stdout}");
        (rows[0].loss, rows[29].loss, stdout)
    };
    // A gradient a million times as long has no more effect than one as long as the others.
    let (_, most, opposed) = train("oppose");
    let about = "shortened: worker 3: its gradient is ";
    assert!(!opposed.contains(about) && !opposed.contains("dropped"), "{opposed}");
    let (_, last, scaled) = train("scale");
    assert_eq!(scaled.matches(about).count(), 1, "{scaled}");
    assert!(!scaled.contains("dropped"), "{scaled}");
    assert!(last < 1.5 * most, "{scaled}");

    let (first, last, weighed) = train("weigh");
    assert!(last < 0.8 * first, "{weighed}");
    let dropped = "dropped: worker 3: it claims 1000000 pictures, not 64; the others continue";
    assert_eq!(weighed.matches(dropped).count(), 1, "{weighed}");
}

#[test]
fn a_worker_that_hangs_is_dropped() {
    let arguments = "--rounds 100000 --hidden 16 --no-attacker --timeout 10";
    let mut training = Running::start(&mut gradient_exchange(arguments));
    let first = worker(&mut training, 1);
    training.wait_for(&["    3 "]);
    signal("STOP", first);
    let line = training.wait_for(&["dropped: worker 1: "]);
    assert!(line.contains("nothing complete in 10s"), "{line}");
    let line = training.seen.iter().rev().find_map(|line| row(line)).unwrap();
    training.wait_for(&[&format!("{:>5} ", line.round + 5)]);
    signal("CONT", first);
}

#[test]
fn without_workers_there_is_no_training() {
    let arguments = "--rounds 100000 --hidden 16 --no-attacker --workers 2 --timeout 60";
    let mut training = Running::start(&mut gradient_exchange(arguments));
    let workers = [1, 2].map(|number| worker(&mut training, number));
    training.wait_for(&["    3 "]);
    for process in workers {
        signal("KILL", process);
    }
    assert_eq!(training.end(), Some(1));
    let reason = "gradient_exchange: no worker is left in round ";
    assert!(training.seen.iter().any(|line| line.starts_with(reason)), "{}", training.all());
}

#[test]
fn garbage_and_slow_peers_are_refused_while_the_training_goes_on() {
    let arguments = "--rounds 100000 --hidden 16 --no-attacker --timeout 10";
    let mut training = Running::start(&mut gradient_exchange(arguments));
    let address = address(&mut training);
    training.wait_for(&["    1 "]);
    let too_long = u32::MAX.to_be_bytes();
    let no_hello = [&7u32.to_be_bytes()[..], b"garbage"].concat();
    for (bytes, reason) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "invalid frame: it is longer than any hello"),
        (&too_long, "invalid frame: it is longer than any hello"),
        (&no_hello, "hello ends after 7 bytes"),
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(bytes).unwrap();
        training.wait_for(&["refused: 127.0.0.1:", reason]);
        let _ = stream.read_to_end(&mut Vec::new()); // closed, and not left open
    }
    // Half a frame, then the end; half a frame, then a byte now and then.
    let half = [&100u32.to_be_bytes()[..], &[0; 50]].concat();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(&half).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    training.wait_for(&["refused: 127.0.0.1:", "frame ends after 54 bytes but needs at least 104"]);

    let mut slow = TcpStream::connect(&address).unwrap();
    slow.write_all(&half).unwrap();
    std::thread::spawn(move || {
        while slow.write_all(&[0]).is_ok() {
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    training.wait_for(&["refused: 127.0.0.1:", "nothing complete in 10s"]);
    let line = training.seen.iter().rev().find_map(|line| row(line)).unwrap();
    training.wait_for(&[&format!("{:>5} ", line.round + 5)]);
    assert!(!training.all().contains("dropped"), "{}", training.all());
}

#[test]
fn where_the_model_cannot_be_saved_nothing_is_trained() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing").join("model");
    let mut targets = vec![missing, directory.path().to_path_buf()];
    if cfg!(target_os = "linux") {
        targets.push("/proc/model".into()); // nobody can make files there
    }
    for target in targets {
        let error = refused(gradient_exchange("--save").arg(&target));
        let start = format!("gradient_exchange: cannot write {target:?}: ");
        assert!(error.starts_with(&start), "{error}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_half_model() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    fs::write(&path, "the model of yesterday").unwrap();
    let arguments = ["--rounds=1", "--hidden=512", "--no-attacker", "--save"].map(AsRef::as_ref);
    let program = example("gradient_exchange");
    let arguments = [&arguments[..], &[path.as_os_str()]].concat();
    let Ended { code, stderr, .. } = run(&mut with_small_files(&program, 64, &arguments));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.starts_with("gradient_exchange: cannot write "), "{stderr}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "the model of yesterday");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn wrong_arguments_are_explained() {
    for (arguments, hint) in [
        ("--workers 0", "1..=64"),
        ("--rounds many", "--rounds"),
        ("--hiden 3", "--hidden"),
        ("training", "training"),
        ("worker", "--connect"),
    ] {
        let Ended { code, stdout, stderr } = run(&mut gradient_exchange(arguments));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.contains(hint), "{stderr}");
    }
    let Ended { code, stdout, .. } = run(&mut gradient_exchange("--help"));
    assert_eq!(code, Some(0));
    assert!(stdout.contains("--rotate-after") && stdout.contains("worker"), "{stdout}");
    assert!(refused(&mut gradient_exchange("--rotate-after 90")).contains("beyond the last round"));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = refused(gradient_exchange("--listen").arg(&address));
    assert!(error.contains(&format!("cannot listen on {address}: ")), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_ends_it_and_a_closed_one_too() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = gradient_exchange("--rounds 100000 --hidden 16 --no-attacker");
    let child = command.stdout(full).spawn().unwrap();
    let Ended { code, stderr, .. } = end_of(child);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("gradient_exchange: No space left"), "{stderr}");

    let mut command = gradient_exchange("--rounds 100000 --hidden 16 --no-attacker");
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(end_of(child).code, Some(0));
}
