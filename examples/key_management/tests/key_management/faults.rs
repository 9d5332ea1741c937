//! Does each side of `key_management` withstand the other one when it misbehaves?

use std::{
    io::{ErrorKind, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use support::{
    process::{DEADLINE, wait_until},
    running::end_of,
};

use crate::commands::{Keys, ask};

/// A client must end with this error and print nothing else.
fn refuses(socket: &str, expected: &str) {
    refuses_with(&[], socket, expected);
}

/// A client must report that its time is up.
fn runs_out_of_time(socket: &str) {
    refuses_with(&["--timeout", "300"], socket, "no answer within 300 ms");
}

fn refuses_with(options: &[&str], socket: &str, expected: &str) {
    let refused = ask(socket, "public", options).refuses();
    assert!(refused.contains(&format!("the external key failed: {expected}")), "{refused}");
}

/// A peer that treats every connection in this way.
fn peer(behave: impl Fn(UnixStream) + Send + 'static) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| behave(stream.unwrap())));
    let socket = socket.to_str().unwrap().to_owned();
    (directory, socket)
}

/// Reads the request first.
fn answering(answer: Vec<u8>) -> impl Fn(UnixStream) + Send + 'static {
    move |mut stream| {
        let mut request = [0; 5];
        stream.read_exact(&mut request).unwrap();
        let _ = stream.write_all(&answer);
    }
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_be_bytes(), payload].concat()
}

#[test]
fn every_fault_of_the_process() {
    runs_out_of_time(&Keys::serve(&["--fault", "hang"]).socket());
    for (fault, expected) in
        [("garbage", "its answer is invalid"), ("hang-up", "it disconnected before it answered")]
    {
        let keys = Keys::serve(&["--fault", fault]);
        refuses(&keys.socket(), expected);
    }
}

#[test]
fn garbage_on_the_wire() {
    let pem = twinseal::DecapsulationKey::generate().unwrap().to_pem();
    for (answer, expected) in [
        (vec![], "it disconnected"),
        (vec![0, 0], "it disconnected"),
        (vec![0, 0, 0, 9, 0], "it disconnected"),
        (vec![0xff; 100], "its answer is invalid"),
        (frame(b""), "its answer is invalid"),
        (frame(b"\x02"), "its answer is invalid"),
        (frame(b"\x00"), "its answer is invalid"),
        (frame(b"\x00-----BEGIN TWINSEAL KEM PUBLIC KEY-----\n"), "its answer is invalid"),
        (frame(b"\x00\xff\xfe"), "its answer is invalid"),
        (frame(b"\x01\xff\xfe"), "its answer is invalid"),
        (frame(&[b"\x00", pem.as_str().as_bytes()].concat()), "its answer is invalid"),
        (
            frame("\x01no\x1b[31m\nway\u{202e}".as_bytes()),
            "it refuses: no\\u{1b}[31m\\nway\\u{202e}\n",
        ),
    ] {
        let (_directory, socket) = peer(answering(answer));
        refuses(&socket, expected);
    }
}

/// A byte now and then must not extend the time that an answer may take.
#[test]
fn a_slow_peer() {
    let (_directory, socket) = peer(|mut stream| {
        while stream.write_all(&[0]).is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    // Four zeros are an empty answer.
    refuses(&socket, "its answer is invalid");
    let (_directory, socket) = peer(|mut stream| {
        let answer = frame(&[0; 10_000]);
        for byte in answer {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    runs_out_of_time(&socket);
}

/// A process that does not accept, and whose queue is full: connecting to it would block.
#[cfg(target_os = "linux")]
#[test]
fn a_peer_that_accepts_nothing() {
    let directory = tempfile::tempdir().unwrap();
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
    refuses_with(&["--timeout", "300"], path.to_str().unwrap(), "nobody answers at ");
    drop(listener);
}

#[test]
fn killed_while_a_client_waits() {
    let keys = Keys::serve(&["--fault", "hang"]);
    let (asked, has_asked) = mpsc::channel();
    let behind = keys.socket();
    let (_directory, socket) = peer(move |mut client| {
        // The test is between the two, so it knows when the request was made.
        let mut keys = UnixStream::connect(&behind).unwrap();
        let mut request = [0; 5];
        client.read_exact(&mut request).unwrap();
        keys.write_all(&request).unwrap();
        asked.send(()).unwrap();
        let _ = std::io::copy(&mut keys, &mut client);
    });
    let mut waiting = ask(&socket, "public", &[]);
    let client = waiting.command.spawn().unwrap();
    has_asked.recv_timeout(DEADLINE).expect("the client asks");
    drop(keys);
    let outcome = end_of(client);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("it disconnected"), "{}", outcome.stderr);
}

/// Clients that connect and send nothing do not block others, and too many of them block others
/// only briefly.
#[test]
fn slow_clients() {
    let keys = Keys::serve(&[]);
    let mut idle: Vec<_> = (0..20).map(|_| UnixStream::connect(keys.socket()).unwrap()).collect();
    keys.public();
    idle.extend((0..100).map(|_| UnixStream::connect(keys.socket()).unwrap()));
    wait_until("an answer", || ask(&keys.socket(), "public", &[]).run().code == Some(0));
    drop(idle);
}

#[test]
fn clients_that_send_garbage() {
    let keys = Keys::serve(&[]);
    let unknown_key = [&[2][..], &[7; 16], &[0; 1600]].concat();
    for (request, expected) in [
        (frame(b""), "not a request"),
        (frame(b"\x09"), "not a request"),
        (frame(b"\x00 and more"), "not a request"),
        (frame(b"\x03 too short"), "not a request"),
        (frame(&unknown_key), "there is no key 0707"),
        (vec![0xff; 100_000], ""),
        (vec![0, 0], ""),
    ] {
        let mut stream = UnixStream::connect(keys.socket()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let _ = stream.write_all(&request); // it may have disconnected already
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(answer.get(5..).unwrap_or_default());
        assert!(
            answer.starts_with(expected) && answer.is_empty() == expected.is_empty(),
            "{answer}"
        );
    }
    keys.public();
}

/// Without its socket, or with something else in its place.
#[test]
fn no_process_at_all() {
    let directory = tempfile::tempdir().unwrap();
    refuses(directory.path().join("none").to_str().unwrap(), "nobody answers at ");
    refuses(directory.path().to_str().unwrap(), "nobody answers at ");
    refuses(&format!("/{}", "x".repeat(200)), "nobody answers at ");
}
