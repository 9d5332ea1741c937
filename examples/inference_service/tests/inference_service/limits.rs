//! Does the server withstand long headers, long and slow bodies, many requests, clients that
//! disconnect, and a full disk?

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    path::Path,
    thread,
    time::Duration,
};

use support::{
    process::{example, wait_until},
    running::with_small_files,
};

use crate::http::{Answer, PIXELS, Service, batch, keys, serve_arguments};

const MIB: usize = 1 << 20;

/// The files of bodies have no name, so the directory always looks empty.
#[track_caller]
fn assert_no_files(directory: &Path) {
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}

#[test]
fn signatures_fit_into_the_headers_and_more_does_not() {
    let service = Service::start("");
    let request = service.client().request(&batch(1));
    let with = |padding: usize| {
        let head = String::from_utf8(request.head()).unwrap();
        let padded = format!("X-Padding: {}\r\n\r\n", "p".repeat(padding));
        let head = head.strip_suffix("\r\n").unwrap().to_owned() + &padded;
        service.send(&[head.as_bytes(), &request.body].concat()).status
    };
    assert_eq!((with(20_000), with(100_000)), (431, 431));
    assert_eq!(with(8_000), 200); // beside 6.3 KB of signature
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let service = Service::start("--max-body 100000");
    let client = service.client();
    let request = client.request(&batch(1000));
    assert!(request.body.len() > 100_000);

    // By its announced length, before any of it came.
    let mut stream = service.connect();
    stream.write_all(&request.head()).unwrap();
    assert_eq!(Answer::read(stream).status, 413);

    // In pieces, without a length.
    let head = String::from_utf8(request.head()).unwrap();
    let head = head
        .replace(&format!("Content-Length: {}", request.body.len()), "Transfer-Encoding: chunked");
    let mut stream = service.connect();
    stream.write_all(head.as_bytes()).unwrap();
    for piece in request.body.chunks(1000).take(101) {
        let framed = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        if stream.write_all(&framed).is_err() {
            break;
        }
    }
    assert_eq!(Answer::read(stream).status, 413);

    let fits = client.request(&batch(300));
    assert_eq!(service.send(&fits.bytes()).status, 200);
    assert_no_files(&service.path("spool"));
}

#[test]
fn slow_clients_are_disconnected() {
    let service = Service::start("--timeout 1");
    // Headers: one byte now and then, without end. Only the service can end it.
    let mut slow = service.connect();
    let mut trickle = slow.try_clone().unwrap();
    thread::spawn(move || {
        let start = trickle.write_all(b"POST /predict HTTP/1.1\r\nX-Slow: ");
        while start.is_ok() && trickle.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let mut said = Vec::new();
    if let Err(error) = slow.read_to_end(&mut said) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "a hang, or: {error}");
    }
    assert!(!String::from_utf8_lossy(&said).contains(" 200 "));

    // A body that stops half-way.
    let request = service.client().request(&batch(10));
    let mut stopped = service.connect();
    stopped.write_all(&[&request.head(), &request.body[..100]].concat()).unwrap();
    let answer = Answer::read(stopped);
    assert_eq!((answer.status, answer.text().trim()), (408, "the body came too slowly"));
}

#[test]
fn slots_are_taken_and_freed() {
    let service = Service::start("--timeout 3600 --max-requests 2");
    let client = service.client();
    // Two bodies that stop half-way take all slots, a third has to come again.
    let stopped = [(); 2].map(|()| {
        let request = client.request(&batch(10));
        let mut stream = service.begin(&request);
        stream.write_all(&request.body[..100]).unwrap();
        stream
    });
    let ask = || service.send(&client.request(&batch(10)).bytes());
    let busy = ask();
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("1")));
    let health = service.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(health.status, 200);
    // Clients that disconnect free their slots.
    drop(stopped);
    wait_until("a free slot", || ask().status == 200);
}

#[test]
fn a_client_that_disconnects_leaves_nothing() {
    let mut service = Service::start("");
    let client = service.client();
    let request = client.request(&vec![0; 2 * MIB]);
    for reset in [true, false] {
        let mut stream = service.connect();
        stream.write_all(&[&request.head(), &request.body[..MIB]].concat()).unwrap();
        if reset {
            drop(stream);
        } else {
            stream.shutdown(Shutdown::Write).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
    // Bytes that are not HTTP leave nothing, either.
    let mut stream = service.connect();
    stream.write_all(&[0xff; 100]).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());

    let request = client.request(&batch(1));
    assert_eq!(service.send(&request.bytes()).status, 200);
    assert_no_files(&service.path("spool"));
    service.process.wait_for(&["\"answered\""]);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_bodies() {
    let service = Service::start("--max-requests 2");
    let client = service.client();
    let peak = || {
        let status = fs::read_to_string(format!("/proc/{}/status", service.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().split(' ').next().unwrap().parse::<usize>().unwrap() * 1024
    };
    assert_eq!(service.send(&client.request(&batch(2000)).bytes()).status, 200);
    let before = peak();
    let rows = 40 * MIB / (4 * PIXELS);
    let request = client.request(&batch(rows));
    let answer = service.send(&request.bytes());
    assert_eq!(answer.status, 200);
    assert!(client.open(&request, &answer).len() > rows * 40);

    // Nor does memory grow with answers that nobody reads: as many requests as are allowed, and one
    // more.
    let held: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = service.connect();
            stream.write_all(&client.request(&batch(rows)).bytes()).unwrap();
            stream.peek(&mut [0]).unwrap(); // it begins
            stream
        })
        .collect();
    assert_eq!(service.send(&client.request(&batch(1)).bytes()).status, 503);
    drop(held);
    let grown = peak() - before;
    assert!(grown < 8 * MIB, "{grown} bytes for a body of {}", request.body.len());
    assert_no_files(&service.path("spool"));
}

#[test]
fn a_full_disk_is_reported_and_short_requests_are_answered() {
    let directory = keys();
    let arguments = serve_arguments(directory.path());
    let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
    let mut command = with_small_files(&example("inference_service"), 1000, &arguments);
    let mut service = Service::start_with(directory, &mut command);
    let client = service.client();
    let answer = service.send(&client.request(&batch(8000)).bytes()); // 2 MB
    assert_eq!((answer.status, answer.text().trim()), (507, "the service has no room"));
    service.process.wait_for(&["\"ERROR\"", "the service has no room", "File too large"]);
    assert_eq!(service.send(&client.request(&batch(10)).bytes()).status, 200);
    assert_no_files(&service.path("spool"));
}
