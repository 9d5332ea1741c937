//! Does each side withstand the other one when it misbehaves?

use std::{
    io::{ErrorKind, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

use support::{
    process::{DEADLINE, signal, wait_until},
    running::end_of,
};
use tempfile::TempDir;
use twinseal::split::Halves;

use crate::pair::{Pair, ask, private_directory, serve};

const DECAPSULATE: u8 = 3;
const SIGN: u8 = 4;

/// A client of a custodian in this directory must end with this error and print nothing else.
fn refuses(custodian: &Path, options: &[&str], expected: &str) {
    let both = Halves { post_quantum: custodian.to_owned(), traditional: custodian.to_owned() };
    let refused = ask(&both, "public", options).refuses();
    assert!(refused.contains(&format!("the external key failed: {expected}")), "{refused}");
}

/// A custodian that treats every connection in this way.
fn peer(behave: impl Fn(UnixStream) + Send + 'static) -> TempDir {
    let directory = private_directory();
    let listener = UnixListener::bind(directory.path().join("socket")).unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| behave(stream.unwrap())));
    directory
}

fn receive(stream: &mut UnixStream) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_be_bytes(), payload].concat()
}

/// Reads the request first.
fn answering(answer: Vec<u8>) -> TempDir {
    peer(move |mut stream| {
        receive(&mut stream);
        let _ = stream.write_all(&answer);
    })
}

/// Stands in front of a custodian and changes its answers to one task from the second on. The first
/// is that of `check`.
fn between(
    custodian: &Path,
    task: u8,
    change: impl Fn(&[u8], Vec<u8>) -> Vec<u8> + Send + 'static,
) -> TempDir {
    let (custodian, first) = (custodian.join("socket"), Mutex::new(None::<Vec<u8>>));
    peer(move |mut client| {
        let request = receive(&mut client);
        let mut behind = UnixStream::connect(&custodian).unwrap();
        behind.write_all(&frame(&request)).unwrap();
        let mut answer = receive(&mut behind);
        if request[0] == task {
            let mut first = first.lock().unwrap();
            match &*first {
                Some(first) => answer = change(first, answer),
                None => *first = Some(answer.clone()),
            }
        }
        let _ = client.write_all(&frame(&answer));
    })
}

type Change = fn(&[u8], Vec<u8>) -> Vec<u8>;

const OTHER_REQUEST: Change = |first, _| first.to_vec();
const WRONG: Change = |_, mut answer| {
    *answer.last_mut().unwrap() ^= 1;
    answer
};
const SHORT: Change = |_, mut answer| {
    answer.pop();
    answer
};
const LONG: Change = |_, mut answer| {
    answer.push(0);
    answer
};
const MALFORMED: Change = |_, _| vec![2];
const REFUSED: Change = |_, _| b"\x01the token is locked".to_vec();

/// A wrong secret, the secret of another request and a half that dislikes the ciphertext are one and
/// the same error. Failures that do not depend on the ciphertext name the half.
#[test]
fn wrong_secrets() {
    const OPEN: &str = "key_management: opening failed: wrong key, wrong context, changed data";
    const PQ: &str = "the post-quantum half of the external key failed: ";
    let pair = Pair::start();
    let sealed = pair.sealed();
    for (change, half, expected) in [
        (OTHER_REQUEST, "", OPEN),
        (WRONG, "", OPEN),
        (MALFORMED, "", OPEN),
        (SHORT, PQ, "its answer is invalid\n"),
        (LONG, PQ, "its answer is invalid\n"),
        (REFUSED, PQ, "it refuses: the token is locked\n"),
    ] {
        let peer = between(&pair.directories().post_quantum, DECAPSULATE, change);
        let refused = ask(&pair.with_post_quantum(peer.path()), "open", &[&sealed]).refuses();
        assert!(refused.contains(&format!("{half}{expected}")), "{refused}");
    }
    pair.opens();
}

/// The half that is wrong is named, and half a signature never gets out.
#[test]
fn wrong_signatures() {
    let pair = Pair::start();
    let file = pair.file(b"message");
    for (change, expected) in [
        (OTHER_REQUEST, "its signature does not verify\n"),
        (WRONG, "its signature does not verify\n"),
        (MALFORMED, "its answer is invalid\n"),
        (SHORT, "ML-DSA-87 signature must be 4627 bytes long, not 4626\n"),
        (LONG, "ML-DSA-87 signature must be 4627 bytes long, not 4628\n"),
        (REFUSED, "it refuses: the token is locked\n"),
    ] {
        let peer = between(&pair.directories().post_quantum, SIGN, change);
        let refused = ask(&pair.with_post_quantum(peer.path()), "sign", &[&file]).refuses();
        let expected = format!("the post-quantum half of the external key failed: {expected}");
        assert!(refused.ends_with(&expected), "{refused}");
    }
    pair.signs();
}

#[test]
fn custodians_that_are_swapped() {
    let pair = Pair::start();
    let Halves { post_quantum, traditional } = pair.directories();
    let swapped = Halves { post_quantum: traditional, traditional: post_quantum };
    let refused = ask(&swapped, "public", &[]).refuses();
    assert!(refused.contains("it refuses: there is no key main for ML-KEM-1024\n"), "{refused}");
    let refused = ask(&swapped, "generate", &[]).refuses();
    assert!(refused.contains("this custodian keeps only the traditional half"), "{refused}");
}

#[test]
fn garbage_on_the_wire() {
    for (answer, expected) in [
        (vec![], "it disconnected"),
        (vec![0, 0], "it disconnected"),
        (vec![0, 0, 0, 9, 0], "it disconnected"),
        (vec![0xff; 100], "its answer is invalid"),
        (vec![0, 0, 0x20, 1], "its answer is invalid"),
        (frame(b""), "its answer is invalid"),
        (frame(b"\x03"), "its answer is invalid"),
        (frame(b"\x02"), "its answer is invalid"),
        (frame(b"\x01\xff\xfe"), "its answer is invalid"),
        (
            frame("\x01no\x1b[31m\nway\u{202e}".as_bytes()),
            "it refuses: no\\u{1b}[31m\\nway\\u{202e}\n",
        ),
    ] {
        refuses(answering(answer).path(), &[], expected);
    }
    // These are answers, but no public halves.
    let pair = Pair::start();
    for answer in [&b"\x00"[..], b"\x00short", &[0; 5000]] {
        let peer = answering(frame(answer));
        let refused = ask(&pair.with_post_quantum(peer.path()), "public", &[]).refuses();
        assert!(refused.contains("must be 1568 bytes long"), "{refused}");
    }
}

/// A byte now and then must not extend the time that an answer may take.
#[test]
fn a_slow_peer() {
    let peer = peer(|mut stream| {
        for byte in frame(&[0; 8000]) {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    refuses(peer.path(), &["--timeout", "300"], "no answer within 300 ms");
}

/// A process that does not accept, and whose queue is full: connecting to it would block.
#[cfg(target_os = "linux")]
#[test]
fn a_peer_that_accepts_nothing() {
    let directory = private_directory();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let address = socket2::SockAddr::unix(&path).unwrap();
    let mut waiting = Vec::new();
    loop {
        let socket =
            socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        match socket.connect(&address) {
            Ok(()) => waiting.push(socket),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
        assert!(waiting.len() < 10_000, "the queue has no end");
    }
    refuses(directory.path(), &["--timeout", "300"], "nobody answers at ");
    drop(listener);
}

/// A waiting client notices at once that the custodian has died, not only when its time is up.
#[test]
fn killed_while_a_client_waits() {
    let (asked, has_asked) = mpsc::channel();
    let (kill, killed) = mpsc::channel::<()>();
    let killed = Mutex::new(killed);
    let peer = peer(move |mut stream| {
        receive(&mut stream);
        asked.send(()).unwrap();
        let _ = killed.lock().unwrap().recv_timeout(DEADLINE); // then the connection ends
    });
    let both = Halves { post_quantum: peer.path().into(), traditional: peer.path().into() };
    let client = ask(&both, "public", &[]).command.spawn().unwrap();
    has_asked.recv_timeout(DEADLINE).expect("the client asks");
    drop(kill);
    let outcome = end_of(client);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("it disconnected"), "{}", outcome.stderr);
}

/// Clients that connect and send nothing do not block others, and too many of them block others
/// only briefly.
#[test]
fn slow_clients() {
    let pair = Pair::start();
    let socket = pair.directories().post_quantum.join("socket");
    let connect = |_| UnixStream::connect(&socket).unwrap();
    let mut idle: Vec<_> = (0..20).map(connect).collect();
    pair.opens();
    idle.extend((0..100).map(connect));
    wait_until("an answer", || pair.ask("public", &[]).run().code == Some(0));
    drop(idle);
}

/// A custodian whose log nobody reads answers nobody, but ends when it is asked to.
#[test]
fn a_log_that_nobody_reads() {
    let directory = private_directory();
    let mut command = serve(directory.path(), "traditional");
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.as_mut().unwrap();
    let (mut ready, mut byte) = (Vec::new(), [0]);
    while byte != *b"\n" {
        stdout.read_exact(&mut byte).unwrap();
        ready.extend(byte);
    }
    assert!(ready.starts_with(b"listening in "));

    let use_of = request([3, 1], b"a-name-of-thirty-two-characters-", b"", &[0; 32]);
    let is_answered = || {
        let mut stream = UnixStream::connect(directory.path().join("socket")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        stream.write_all(&use_of).unwrap();
        let mut read = || loop {
            match stream.read(&mut [0]) {
                // A signal ends a call that has a time limit.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read() {
            Ok(read) => read > 0,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    };
    let answers = (0..100_000).take_while(|_| is_answered()).count();
    assert!((1..100_000).contains(&answers), "{answers}");
    signal("TERM", child.id());
    let mut code = None;
    wait_until("its end", || {
        code = child.try_wait().unwrap().map(|status| status.code());
        code.is_some()
    });
    assert_eq!(code, Some(Some(1)), "the uses were not counted");
}

/// A request: task, algorithm, name, context, input.
fn request(head: [u8; 2], name: &[u8], context: &[u8], input: &[u8]) -> Vec<u8> {
    let [name_length, context_length] = [name, context].map(|part| [part.len() as u8]);
    frame(&[&head[..], &name_length, name, &context_length, context, input].concat())
}

/// The answer to these bytes, after which nothing is sent.
fn say(custodian: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(custodian.join("socket")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let _ = stream.write_all(bytes); // it may have disconnected already
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn clients_that_send_garbage() {
    let pair = Pair::start();
    let Halves { post_quantum, traditional } = pair.directories();
    let cases: [(&PathBuf, Vec<u8>, &str); 14] = [
        (&post_quantum, frame(b""), "not a request"),
        (&post_quantum, frame(&[9, 0, 0, 0]), "not a request"),
        (&post_quantum, frame(&[3, 9, 0, 0]), "not a request"),
        (&post_quantum, frame(&[3, 0, 200, 1]), "not a request"),
        (&post_quantum, request([2, 0], b"", b"", b""), "not a request"),
        (&post_quantum, request([1, 0], b"../main", b"", &[7; 64]), "not a request"),
        (&post_quantum, request([3, 0], b"other", b"", &[0; 1568]), "there is no key other for"),
        (&post_quantum, request([3, 0], b"main", b"", &[0; 1567]), "ciphertext must be 1568 bytes"),
        (&traditional, request([3, 1], b"main", b"", &[]), "ciphertext must be 32 bytes"),
        (&traditional, request([4, 1], b"main", b"", b"text"), "the key is not for signatures"),
        (&traditional, request([3, 4], b"main", b"", b"text"), "the key is for signatures"),
        (&traditional, request([1, 2], b"p", b"", &[0; 48]), "invalid "),
        (&traditional, vec![0xff; 100_000], ""),
        (&traditional, vec![0, 0], ""),
    ];
    for (custodian, request, expected) in cases {
        let answer = say(custodian, &request);
        let answer = String::from_utf8_lossy(answer.get(5..).unwrap_or_default());
        assert!(
            answer.starts_with(expected) && answer.is_empty() == expected.is_empty(),
            "{answer}"
        );
    }
    pair.opens();
    pair.signs();
}

/// The halves sign nothing but what composite signatures are made of.
#[test]
fn messages_that_are_not_composite() {
    const LABEL: &[u8] = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512";
    let pair = Pair::start();
    let Halves { post_quantum, traditional } = pair.directories();
    let message =
        |context: &[u8]| pair.sign.to_be_signed(context, &[7; 64]).unwrap().message().to_vec();
    let good = message(b"example.com/releases/v1");
    let asked = |custodian: &Path, algorithm, context: &[u8], message: &[u8]| {
        let answer = say(custodian, &request([SIGN, algorithm], b"main", context, message));
        match answer[4] {
            0 => format!("{} bytes", answer.len() - 5),
            _ => String::from_utf8(answer[5..].to_vec()).unwrap(),
        }
    };
    assert_eq!(asked(&post_quantum, 3, LABEL, &good), "4627 bytes");
    assert_eq!(asked(&traditional, 4, b"", &good), "96 bytes");

    let refused = "it signs only what composite signatures are made of";
    let mut long = good.clone();
    long.push(0);
    for message in [&b"text"[..], b"", &good[1..], &good[..good.len() - 1], &long, &good[..66]] {
        assert_eq!(asked(&post_quantum, 3, LABEL, message), refused);
        assert_eq!(asked(&traditional, 4, b"", message), refused);
    }
    assert_eq!(asked(&post_quantum, 3, b"", &good), refused);
    assert_eq!(asked(&post_quantum, 3, b"tls", &good), refused);
    assert_eq!(asked(&traditional, 4, LABEL, &good), refused);
    let hello = asked(&traditional, 4, b"", &message(b"twinseal/session/v1"));
    assert_eq!(hello, "this key does not sign for \"twinseal/session/v1\"");
}

/// Without its directory, without its socket, or with something else in its place.
#[test]
fn no_process_at_all() {
    let directory = private_directory();
    refuses(&directory.path().join("none"), &[], "nobody answers at ");
    refuses(directory.path(), &[], "nobody answers at ");
    std::fs::write(directory.path().join("socket"), "").unwrap();
    refuses(directory.path(), &[], "nobody answers at ");
}
