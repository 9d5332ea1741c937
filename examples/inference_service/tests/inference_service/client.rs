//! What does the client print when the service is missing, false, or ends in the middle of its
//! answer?

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    sync::mpsc,
    thread,
};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;
use twinseal::{DecapsulationKey, SigningKey, request::AllowReplays};

use support::{
    process::DEADLINE,
    running::{Ended, refused, run, with_small_files},
};

use crate::http::{PIXELS, Service, batch, inference_service, keys};

/// The client with the keys in this directory, and the file that it writes there.
fn request_to(directory: &TempDir, url: &str, more: &str) -> (Command, PathBuf) {
    let output = directory.path().join("answer");
    let mut command = inference_service("request");
    command.arg("--keys").arg(directory.path().join("keys/client"));
    command.args(["--url", url, "--output"]).arg(&output).args(more.split_whitespace());
    (command, output)
}

/// Does something with the first connection, after everything that the client sends was read.
fn peer(act: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut read = Vec::new();
        let mut piece = [0; 65536];
        // 16 pictures of 256 bytes, sealed, behind the headers.
        while read.len() < 6200 + 16 * 4 * PIXELS + 1784 {
            let length = stream.read(&mut piece).unwrap();
            assert_ne!(length, 0, "the client hangs up before it has sent all");
            read.extend_from_slice(&piece[..length]);
        }
        act(stream);
    });
    url
}

#[test]
fn it_asks_and_writes_the_answer() {
    let service = Service::start("");
    let url = format!("http://{}", service.address);
    let (mut command, output) = request_to(&service.directory, &url, "--rows 20");
    let Ended { code, stdout, stderr } = run(&mut command);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let right: u32 =
        stdout.strip_prefix("20 pictures, ").unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(right >= 16, "{stdout}");
    let answer = fs::read(&output).unwrap();
    let answer = safetensors::SafeTensors::deserialize(&answer).unwrap();
    assert_eq!(answer.tensor("probabilities").unwrap().shape(), [20, 10]);

    // Long enough that the service opens it as it arrives.
    let input = service.path("input");
    fs::write(&input, batch(8000)).unwrap();
    let (mut command, _) = request_to(&service.directory, &url, "--input");
    let Ended { code, stdout, stderr } = run(command.arg(&input));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("8000 pictures: "), "{stdout}");
    let answer = fs::read(&output).unwrap();
    assert!(answer.len() > 8000 * 40);
}

#[test]
fn it_prints_lines_and_verifies_results() {
    let signing = Service::start("--sign-answers keys/service/sign.pem");
    let unsigning = Service::start("");
    let ask = |service: &Service, more: &str| {
        let mut command = inference_service("request --rows 3");
        command.arg("--keys").arg(service.path("keys/client"));
        command.args(["--url", &format!("http://{}", service.address)]);
        command.args(more.split_whitespace());
        command
    };
    for (service, more) in [
        (&unsigning, "--generate"),
        (&signing, "--generate"),
        (&signing, "--generate --verify-answers"),
    ] {
        let Ended { code, stdout, stderr } = run(&mut ask(service, more));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let lines: Vec<_> = stdout.lines().collect();
        assert!(lines.len() == 3 && lines[2].starts_with("picture 2: "), "{stdout}");
    }
    let Ended { code, stdout, .. } = run(&mut ask(&signing, "--verify-answers"));
    assert!(code == Some(0) && stdout.starts_with("3 pictures, "), "{stdout}");

    let unsigned = "the service has not signed the result";
    let error = refused(&mut ask(&unsigning, "--verify-answers"));
    assert!(error.contains(unsigned), "{error}");
    // Its lines were printed when they came. Only the exit code says that they are signed.
    let Ended { code, stdout, stderr } = run(&mut ask(&unsigning, "--generate --verify-answers"));
    assert_eq!((code, stdout.lines().count()), (Some(1), 3));
    assert!(stderr.contains(unsigned), "{stderr}");
    // Signed by another key than the service's.
    let other = SigningKey::generate().unwrap().verifying_key().to_pem();
    fs::write(signing.path("keys/client/service.sign.pem"), other).unwrap();
    let error = refused(&mut ask(&signing, "--verify-answers"));
    assert!(error.contains(unsigned), "{error}");
}

#[test]
fn a_refusal_is_printed_and_leaves_no_file() {
    let service = Service::start("--max-body 1000000");
    let url = format!("http://{}", service.address);
    let input = service.path("input");
    for (content, status) in [(batch(8000), "413"), (b"nothing".to_vec(), "422")] {
        fs::write(&input, content).unwrap();
        let (mut command, output) = request_to(&service.directory, &url, "--input");
        let error = refused(command.arg(&input));
        assert!(error.contains(&format!("the service refused, with {status}")), "{error}");
        assert!(!output.exists());
    }
    // A stranger who knows the service's key.
    let stranger = keys();
    let key = "keys/client/service.kem.pem";
    fs::copy(service.path(key), stranger.path().join(key)).unwrap();
    let (mut command, output) = request_to(&stranger, &url, "");
    let error = refused(&mut command);
    assert!(error.contains("401 Unauthorized: verification failed"), "{error}");
    assert!(!output.exists());
}

#[test]
fn answers_of_a_false_service_are_refused() {
    let directory = keys();
    let ok = |body: &[u8]| {
        let length = body.len();
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes(), body].concat()
    };
    // A true answer to another request.
    let bob = DecapsulationKey::generate().unwrap();
    let (request, _) = bob.encapsulation_key().request(b"example.com/tests", b"x").unwrap();
    let (_, asked) = bob.accept(b"example.com/tests", &request, &AllowReplays).unwrap();
    let other = asked.answer(b"three").unwrap();
    const FALSE: &str = "not the service's answer to this request";
    let cut = [ok(&[b'x'; 5000])[..100].to_vec()].concat();
    for (answer, reason) in [
        (b"\x01\x02garbage".to_vec(), "http://127.0.0.1:"),
        (vec![], "http://127.0.0.1:"),
        (ok(b""), FALSE),
        (ok(&[b'x'; 100]), FALSE),
        (ok(&other), FALSE),
        (ok(&other[..40]), FALSE),
        (
            b"HTTP/1.1 500 Oh\r\nContent-Length: 17\r\n\r\n\x1b[31mred\nline \xe2\x80\xae".to_vec(),
            "the service refused, with 500 Internal Server Error: \\u{1b}[31mred\\nline \\u{202e}",
        ),
        // Killed in the middle of its answer.
        (cut, ""),
    ] {
        let url = peer(move |mut stream| stream.write_all(&answer).unwrap());
        let (mut command, output) = request_to(&directory, &url, "");
        let error = refused(&mut command);
        assert!(error.starts_with("inference_service: ") && error.contains(reason), "{error}");
        assert!(!output.exists());
    }
    // A service that works, but has other keys.
    let other = Service::start("");
    let clients = directory.path().join("keys/service/clients");
    fs::copy(clients.join("demo.pem"), other.path("keys/service/clients/demo.pem")).unwrap();
    let (mut command, output) = request_to(&directory, &format!("http://{}", other.address), "");
    let error = refused(&mut command);
    assert!(error.contains("421"), "{error}");
    assert!(!output.exists());
}

#[test]
fn a_service_that_is_missing_or_hangs_is_reported() {
    let directory = keys();
    // Nobody else gets this port, and nobody listens on it.
    let taken = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    taken.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = taken.local_addr().unwrap().as_socket().unwrap();
    let (mut command, output) = request_to(&directory, &format!("http://{address}"), "");
    let error = refused(&mut command);
    assert!(error.contains(&address.to_string()) && error.contains("refused"), "{error}");

    let (hold, held) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || hold.send(listener.accept().unwrap()));
    let (mut command, _) = request_to(&directory, &url, "--timeout 1");
    let error = refused(&mut command);
    assert!(error.contains("timeout"), "{error}");
    drop(held);
    assert!(!output.exists());
}

#[test]
fn without_a_place_for_the_answer_no_request_is_sent() {
    let directory = keys();
    let url = "http://127.0.0.1:1";
    let mut outputs = vec![directory.path().join("missing/answer"), directory.path().to_path_buf()];
    if cfg!(target_os = "linux") {
        outputs.push("/proc/answer".into()); // nobody can make files there
    }
    for output in outputs {
        let mut command = inference_service("request --keys");
        command.arg(directory.path().join("keys/client")).args(["--url", url, "--output"]);
        let error = refused(command.arg(&output));
        assert!(error.contains(&format!("cannot write {output:?}: ")), "{error}");
    }
    let error = refused(inference_service("request --keys").arg(directory.path()));
    assert!(error.contains("sign.pem: "), "{error}");
    let (mut command, _) = request_to(&directory, url, "--input");
    let error = refused(command.arg(directory.path().join("no-input")));
    assert!(error.contains("no-input: "), "{error}");
}

#[test]
fn a_full_disk_leaves_no_half_answer() {
    let service = Service::start("");
    let url = format!("http://{}", service.address);
    let (command, output) = request_to(&service.directory, &url, "--rows 1000"); // 40 KB come back
    let arguments: Vec<_> = command.get_args().collect();
    let program = command.get_program().as_ref();
    fs::write(&output, "the answer of yesterday").unwrap();
    let error = refused(&mut with_small_files(program, 16, &arguments));
    assert!(error.contains("cannot write"), "{error}");
    assert_eq!(fs::read_to_string(&output).unwrap(), "the answer of yesterday");
    assert_no_leftovers(&service);
}

/// Only the directories and the answer are there.
#[track_caller]
fn assert_no_leftovers(service: &Service) {
    let names =
        fs::read_dir(service.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["answer", "keys"]);
}
