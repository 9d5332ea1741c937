//! Does the server withstand strangers, long headers, long and slow bodies, many requests, and clients
//! that disconnect or do not read?

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::Duration,
};

use support::process::{Watch, wait_until};

use crate::http::{Answer, Client, PIXELS, Request, Service, batch, rows, send};

const MIB: usize = 1 << 20;

#[test]
fn signatures_fit_into_the_headers_and_more_does_not() {
    let service = Service::start("");
    let (request, _) = service.client().request("/predict", &batch(1));
    let with = |padding: usize| {
        let padding = "p".repeat(padding);
        let headers = format!("X-Signature: {}\r\nX-Padding: {padding}\r\n", request.signature());
        let bytes = [request.head_with(&headers), request.body.clone()].concat();
        service.send_bytes(&bytes).status
    };
    assert_eq!((with(20_000), with(100_000)), (431, 431));
    assert_eq!(with(8_000), 200); // beside 6.3 KB of signature
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let service = Service::start("--max-body 100000");
    let client = service.client();
    let (request, _) = client.request("/predict", &batch(1000));
    assert!(request.body.len() > 100_000);
    // By its announced length, before any of it came.
    assert_eq!(Answer::read(service.begin(&request, 0)).status, 413);

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

    let (fits, pending) = client.request("/predict", &batch(300));
    assert_eq!(rows(&service.send(&fits).open(pending).1), 300);
}

/// Sends bytes, and then one more now and then, without end. Only the service can end it.
fn trickle(mut stream: &TcpStream, start: &[u8]) -> Vec<u8> {
    let mut slow = stream.try_clone().unwrap();
    let start = start.to_vec();
    thread::spawn(move || {
        let started = slow.write_all(&start);
        while started.is_ok() && slow.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let mut said = Vec::new();
    if let Err(error) = stream.read_to_end(&mut said) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "a hang, or: {error}");
    }
    said
}

#[test]
fn slow_clients_are_disconnected() {
    // A head has 5 s, whatever a body has.
    let service = Service::start("--timeout 3600");
    let (request, _) = service.client().request("/predict", &batch(10));
    let (_watch, bytes) = (Watch::over("slow heads"), request.bytes());
    thread::scope(|scope| {
        for start in [&b""[..], b"POST /predict HTTP/1.1\r\nX-Slow: ", &bytes[..500]] {
            let stream = service.connect();
            scope.spawn(move || {
                let said = trickle(&stream, start);
                assert!(!said.starts_with(b"HTTP/1.1 200"));
            });
        }
        // Headers of HTTP, and a head that does not end: it is that of a very slow client.
        let stream = service.begin(&request, 1000);
        scope.spawn(move || {
            let answer = Answer::read(stream);
            assert_eq!(answer.refusal(), (408, "the request came too slowly".into()));
        });
    });

    let service = Service::start("--timeout 1");
    let (request, _) = service.client().request("/predict", &batch(10));
    let answer = Answer::read(service.begin(&request, 3000));
    assert_eq!(answer.refusal(), (408, "the request came too slowly".into()));
}

#[test]
fn slots_are_taken_and_freed() {
    let service = Service::start("--timeout 3600 --slots 2");
    let client = service.client();
    let another = client.another();
    another.register(&service.path("keys/service/clients"), "another");
    drop(service.process);
    let more = "--timeout 3600 --slots 2 --log-level debug";
    let mut service = Service::start_in(service.directory, more);
    wait_until("the service lets requests in", || service.status(&another) == 200);

    let begin = |_| service.begin(&client.request("/predict", &batch(10)).0, 3000);
    let held: Vec<_> = (0..2).map(begin).collect();
    for _ in 0..2 {
        service.process.wait_for(&["\"verified\"", "\"demo\""]);
    }
    assert_eq!(service.status(&client), 429);
    // They are one client's slots.
    assert_eq!(service.status(&another), 200);
    service.is_healthy();
    // Whoever records a head can hold the slots of its signer, and nobody else's.
    drop(held);
    wait_until("a free slot", || service.status(&client) == 200);
}

/// A request by nobody that the service knows.
fn forged(client: &Client) -> Request {
    client.another().request("/predict", &batch(10)).0
}

#[test]
fn strangers_shut_nobody_out() {
    let service = Service::start("--slots 1 --timeout 3600");
    let client = service.client();
    // More idle connections, and heads that stop, than there are slots or cores.
    let idle: Vec<_> = (0..100).map(|_| service.connect()).collect();
    let strange = forged(&client);
    let half: Vec<_> = (0..100).map(|_| service.begin(&strange, 500)).collect();
    assert_eq!(service.status(&client), 200);
    service.is_healthy();
    drop((idle, half));

    // A flood of complete heads with wrong signatures, of a known name and of an unknown one.
    let mut wrong = client.request("/predict", &batch(10)).0;
    wrong.signature[100] ^= 1;
    let (_watch, address) = (Watch::over("a flood"), service.address.as_str());
    thread::scope(|scope| {
        for request in [&strange, &wrong] {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        assert_eq!(send(address, &request.bytes()).status, 401);
                    }
                });
            }
        }
        for _ in 0..5 {
            assert_eq!(service.status(&client), 200);
            service.is_healthy();
        }
    });
}

/// A stranger's connection takes no slot, and its body is not read.
#[test]
fn a_stranger_gets_no_slot() {
    let service = Service::start("--slots 1 --timeout 3600");
    let client = service.client();
    let mut wrong = client.request("/predict", &batch(100_000)).0;
    wrong.signature[100] ^= 1;
    let held: Vec<_> = (0..50).map(|_| service.begin(&wrong, 20_000)).collect();
    assert_eq!(service.status(&client), 200);
    for stream in held {
        // Its connection ends with the answer, or, since the body is still to come, without.
        assert!([0, 401].contains(&Answer::read(stream).status));
    }
}

#[test]
fn a_client_that_disconnects_leaves_nothing() {
    let mut service = Service::start("--slots 1");
    let client = service.client();
    for reset in [true, false] {
        let (request, _) = client.request("/predict", &batch(8000));
        let mut stream = service.begin(&request, MIB);
        if reset {
            drop(stream);
        } else {
            stream.shutdown(Shutdown::Write).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
        wait_until("a free slot", || service.status(&client) == 200);
    }
    // Bytes that are not HTTP leave nothing, either.
    let mut stream = service.connect();
    stream.write_all(&[0xff; 100]).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    assert_eq!(service.status(&client), 200);
    service.process.wait_for(&["\"answered\""]);
}

#[test]
fn an_answer_that_nobody_reads_keeps_its_slot() {
    let service = Service::start("--slots 1");
    let client = service.client();
    let (request, _) = client.request("/predict", &batch(40 * MIB / (4 * PIXELS)));
    let mut stream = service.connect();
    stream.write_all(&request.bytes()).unwrap();
    stream.peek(&mut [0]).unwrap(); // it begins
    assert_eq!(service.status(&client), 429);
    drop(stream);
    wait_until("a free slot", || service.status(&client) == 200);
}

#[cfg(target_os = "linux")]
#[test]
fn long_bodies_are_never_in_memory_as_a_whole() {
    let service = Service::start("");
    let client = service.client();
    let peak = || {
        let path = format!("/proc/{}/status", service.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().split(' ').next().unwrap().parse::<usize>().unwrap() * 1024
    };
    assert_eq!(service.status(&client), 200);
    let before = peak();
    let count = 60 * MIB / (4 * PIXELS);
    let (request, pending) = client.request("/predict", &batch(count));
    let answer = service.send(&request);
    assert_eq!(rows(&answer.open(pending).1), count);
    // A few times its answer, of 9.4 MiB.
    let grown = peak() - before;
    assert!(grown < 45 * MIB, "{grown} bytes for a body of {}", request.body.len());
}
