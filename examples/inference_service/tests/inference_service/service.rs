//! Does the server answer valid requests, refuse the others in the right order, reload its keys,
//! and end properly?

use std::{fs, io::Write};

use safetensors::SafeTensors;
use twinseal::{DecapsulationKey, Error};

use support::{
    process::{command, ended, example, signal},
    running::{Ended, refused, run},
};

use crate::http::{
    Answer, Client, Service, batch, batch_of, inference_service, now, send, serve_arguments,
};

/// The rows of an answer, each of which must be a distribution.
#[track_caller]
fn rows(answer: &[u8]) -> usize {
    let answer = SafeTensors::deserialize(answer).unwrap();
    let tensor = answer.tensor("probabilities").unwrap();
    assert_eq!((answer.len(), tensor.shape().len(), tensor.shape()[1]), (1, 2, 10));
    let values: Vec<f32> =
        tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    for row in values.chunks_exact(10) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    }
    tensor.shape()[0]
}

#[test]
fn a_signed_request_is_answered_with_a_signed_answer() {
    let service = Service::start("");
    let client = service.client();
    for count in [0, 1, 300] {
        let request = client.request(&batch(count));
        let answer = service.send(&request.bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(rows(&client.open(&request, &answer)), count);
        // The signature makes these headers long.
        assert!((6200..7000).contains(&request.headers().len()));
        assert!(answer.header("x-signature").unwrap().len() > 6200);
    }
    let health = service.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!((health.status, health.text().as_str()), (200, "ok\n"));
    let other = service.send(b"POST /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(other.status, 404); // only the demonstration works without cryptography
}

const SIGNATURE: &str = "x-signature: not of a registered client";

#[test]
fn changed_requests_are_refused_before_they_are_opened() {
    let service = Service::start("");
    let client = service.client();
    let stranger = client.another();
    let good = client.request(&batch(1));

    let mut body = good.clone();
    body.body[100] ^= 1;
    let mut shorter = good.clone();
    shorter.body.pop();
    let mut signature = good.clone();
    signature.signature[2000] ^= 1;
    let mut ecdsa = good.clone();
    *ecdsa.signature.last_mut().unwrap() ^= 1;
    let mut target = good.clone();
    target.target += "?debug=1";
    let mut long_target = good.clone();
    long_target.target += &format!("?{}", "q".repeat(300));
    let mut nonce = good.clone();
    nonce.nonce = "00".repeat(16);
    let mut timestamp = good.clone();
    timestamp.timestamp += 1;
    let mut other_service = good.clone();
    other_service.service = client.signs.verifying_key().key_id();
    client.sign(&mut other_service);
    // This would not open, either, if it got that far.
    let mut garbage = good.clone();
    garbage.body = b"garbage".to_vec();
    for request in [
        &body,
        &shorter,
        &signature,
        &ecdsa,
        &target,
        &long_target,
        &nonce,
        &timestamp,
        &other_service,
        &garbage,
    ] {
        let answer = service.send(&request.bytes());
        assert_eq!((answer.status, answer.text().trim()), (401, SIGNATURE));
    }
    let answer = service.send(&stranger.request(&batch(1)).bytes());
    assert_eq!((answer.status, answer.text().trim()), (401, SIGNATURE));

    // None of them has used up the nonce of the valid request.
    assert_eq!(service.send(&good.bytes()).status, 200);

    // Signed by a registered client, the same garbage is opened.
    garbage.nonce = "11".repeat(16);
    client.sign(&mut garbage);
    let answer = service.send(&garbage.bytes());
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("not an envelope"), "{}", answer.text());
}

#[test]
fn a_request_is_answered_once_and_only_in_its_time() {
    let service = Service::start("--window 30");
    let client = service.client();
    let request = client.request(&batch(1));
    assert_eq!(service.send(&request.bytes()).status, 200);
    for _ in 0..2 {
        let again = service.send(&request.bytes());
        assert_eq!((again.status, again.text().trim()), (401, "this request was answered before"));
    }
    // ML-DSA and ECDSA sign with fresh randomness: another signature is not another request.
    let mut resigned = request.clone();
    client.sign(&mut resigned);
    assert_ne!(resigned.signature, request.signature);
    assert_eq!(service.send(&resigned.bytes()).status, 401);

    for timestamp in [0, now() - 3600, now() + 60, u64::MAX] {
        let mut late = request.clone();
        late.timestamp = timestamp;
        client.sign(&mut late);
        let answer = service.send(&late.bytes());
        assert_eq!(answer.status, 401);
        assert!(answer.text().starts_with("x-timestamp: "), "{}", answer.text());
    }
}

#[test]
fn headers_must_be_there_once_and_well_formed() {
    let service = Service::start("");
    let request = service.client().request(&batch(1));
    let bytes = |headers: &str| {
        let length = request.body.len();
        let head = format!(
            "POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        );
        [head.as_bytes(), &request.body].concat()
    };
    let headers = request.headers();
    let lines: Vec<_> = headers.split_inclusive("\r\n").collect();
    for line in &lines {
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        let malformed = format!("{name}: missing or malformed");
        let without: String = lines.iter().filter(|other| *other != line).copied().collect();
        let twice = format!("{headers}{line}");
        let empty = format!("{without}{name}:\r\n");
        let cut = format!("{without}{}\r\n", &line[..line.len() - 3]);
        let signed = format!("{without}{name}: -{}", line.split_once(": ").unwrap().1);
        for headers in [without, twice, empty, signed] {
            let answer = service.send(&bytes(&headers));
            assert_eq!((answer.status, answer.text().trim()), (401, malformed.as_str()));
        }
        assert_eq!(service.send(&bytes(&cut)).status, 401);
    }
    assert_eq!(service.send(&bytes(&headers)).status, 200);
}

#[test]
fn signed_requests_without_a_batch_are_refused() {
    let service = Service::start("");
    let client = service.client();
    let long_header = [&(1_u64 << 40).to_le_bytes()[..], b"{}"].concat();
    let good = batch(2);
    for (content, reason) in [
        (&b""[..], "it ends before its last row"),
        (&long_header, "a safetensors header of 1099511627776 bytes"),
        (b"\x02\0\0\0\0\0\0\0{}", "one tensor, \"features\""),
        (b"\x02\0\0\0\0\0\0\0[]", "does not start with a safetensors header"),
        (&good[..good.len() - 1], "it ends before its last row"),
        (&[&good[..], &[0]].concat(), "there are bytes after the last row"),
        (&[&good[..good.len() - 4], &f32::NAN.to_le_bytes()].concat(), "row 1 has a value"),
    ] {
        let answer = service.send(&client.request(content).bytes());
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains(reason), "{}: {reason}", answer.text());
    }

    // Sealed to another recipient, and truncated.
    let mut elsewhere = client.request(&good);
    let other = DecapsulationKey::generate().unwrap();
    elsewhere.body = other.encapsulation_key().seal(&elsewhere.context(), &good).unwrap();
    let mut cut = client.request(&good);
    cut.body.truncate(cut.body.len() - 1);
    for (mut request, status, error) in
        [(elsewhere, 421, Error::NotARecipient), (cut, 400, Error::Open)]
    {
        client.sign(&mut request);
        let answer = service.send(&request.bytes());
        assert_eq!((answer.status, answer.text()), (status, format!("the body: {error}\n")));
    }
}

#[test]
fn keys_and_clients_change_while_it_runs() {
    let mut service = Service::start("--reload 1");
    let (directory, clients) =
        (service.path("keys/service/keys"), service.path("keys/service/clients"));
    let old = service.client();
    let status =
        |client: &Client| send(&service.address, &client.request(&batch(1)).bytes()).status;

    let key = DecapsulationKey::generate().unwrap();
    let mut new = service.client();
    new.service_opens = key.encapsulation_key().clone();
    assert_eq!((status(&old), status(&new)), (200, 421));

    // The older key stays until all clients have the new one.
    fs::rename(directory.join("primary.pem"), directory.join("2026.pem")).unwrap();
    key.write_pem_file(directory.join("primary.pem")).unwrap();
    service.process.wait_for(&["reloaded", "\"keys\""]);
    assert_eq!((status(&old), status(&new)), (200, 200));
    fs::remove_file(directory.join("2026.pem")).unwrap();
    service.process.wait_for(&["reloaded", "\"keys\""]);
    assert_eq!((status(&old), status(&new)), (421, 200));

    // A file that is not a key is reported, and changes nothing.
    fs::write(directory.join("broken.pem"), "not a key").unwrap();
    service.process.wait_for(&["cannot reload", "broken.pem"]);
    assert_eq!(status(&new), 200);

    // A second client. A body that it takes from the first does not open for it.
    let mallory = new.another();
    assert_eq!(status(&mallory), 401);
    mallory.register(&clients, "mallory");
    service.process.wait_for(&["reloaded", "\"clients\""]);
    assert_eq!(status(&mallory), 200);
    let mut stolen = new.request(&batch(1));
    stolen.client = mallory.signs.verifying_key().key_id();
    mallory.sign(&mut stolen);
    let answer = send(&service.address, &stolen.bytes());
    assert_eq!((answer.status, answer.text()), (400, format!("the body: {}\n", Error::Open)));

    for file in ["mallory.kem.pem", "mallory.sign.pem"] {
        fs::remove_file(clients.join(file)).unwrap();
    }
    service.process.wait_for(&["reloaded", "\"clients\""]);
    assert_eq!(status(&mallory), 401);
}

/// A FIFO would block, and a device has no end.
#[test]
fn special_files_among_the_clients_are_named_and_stop_nothing() {
    let mut service = Service::start("--reload 1");
    let clients = service.path("keys/service/clients");
    let fifo = clients.join("fifo.sign.pem");
    assert!(ended(command("mkfifo").arg(&fifo)).status.success());
    service.process.wait_for(&["cannot reload", "fifo.sign.pem: not a regular"]);
    fs::remove_file(&fifo).unwrap();
    std::os::unix::fs::symlink("/dev/zero", clients.join("zero\u{202e}.sign.pem")).unwrap();
    let said = service.process.wait_for(&["cannot reload", "zero", "not a regular file"]);
    assert!(!said.contains('\u{202e}'), "{said}");
    fs::remove_file(clients.join("zero\u{202e}.sign.pem")).unwrap();
    fs::write(clients.join("long.sign.pem"), vec![b'a'; 1 << 20]).unwrap();
    service.process.wait_for(&["cannot reload", "long.sign.pem: invalid PEM in line 1"]);
    fs::remove_file(clients.join("long.sign.pem")).unwrap();

    let client = service.client();
    assert_eq!(service.send(&client.request(&batch(1)).bytes()).status, 200);
    let another = client.another();
    another.register(&clients, "another");
    service.process.wait_for(&["reloaded", "\"clients\""]);
    assert_eq!(service.send(&another.request(&batch(1)).bytes()).status, 200);
}

#[test]
fn a_signal_ends_it_after_the_requests_that_have_begun() {
    for name in ["TERM", "INT"] {
        let mut service = Service::start("");
        let client = service.client();
        let request = client.request(&batch(100));
        let mut stream = service.begin(&request);
        let (first, rest) = request.body.split_at(10_000);
        stream.write_all(first).unwrap();

        signal(name, service.process.id());
        service.process.wait_for(&["signal received"]);
        stream.write_all(rest).unwrap();
        let answer = Answer::read(stream);
        assert_eq!(rows(&client.open(&request, &answer)), 100);
        assert_eq!(service.process.end(), Some(0), "{}", service.process.all());
        assert!(std::net::TcpStream::connect(&service.address).is_err());
    }
}

#[test]
fn logs_are_json_and_hold_no_secret() {
    let mut service = Service::start("--log-level debug");
    let client = service.client();
    // Nothing else prints these digits, or has these bytes.
    let pixel = 0.730_518_46_f32;
    let request = client.request(&batch_of(3, pixel));
    assert_eq!(service.send(&request.bytes()).status, 200);
    assert_eq!(service.send(&request.bytes()).status, 401);
    let answered = service.process.wait_for(&["\"answered\""]);
    let refused = service.process.wait_for(&["\"refused\""]);
    let [answered, refused]: [serde_json::Value; 2] =
        [answered, refused].map(|line| serde_json::from_str(&line).unwrap());
    assert_eq!((&answered["client"], &answered["rows"]), (&"demo".into(), &3.into()));
    assert!(answered["verify_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(refused["status"], 401);

    signal("TERM", service.process.id());
    assert_eq!(service.process.end(), Some(0));
    let log = service.process.all();
    let headers = request.headers();
    let signature = headers.split("X-Signature: ").nth(1).unwrap().trim();
    let bytes: String = pixel.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{:?}", pixel.to_le_bytes());
    let (digits, list) = (pixel.to_string(), list.trim_matches(['[', ']']));
    assert_eq!(digits, "0.73051846");
    let key = fs::read_to_string(service.path("keys/service/sign.pem")).unwrap();
    let key = key.lines().nth(1).unwrap();
    let nonce = request.nonce.as_str();
    for secret in [nonce, &signature[..40], "PRIVATE KEY", key, &digits, &bytes, list] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[test]
fn errors_at_the_start_name_the_reason() {
    let service = Service::start("");
    let directory = service.directory.path();
    for (index, wrong, reason) in [
        (
            1,
            format!("--listen={}", service.address),
            format!("cannot listen on {}", service.address),
        ),
        (3, "--keys=missing".into(), "missing: ".into()),
        (3, format!("--keys={}", directory.display()), "needs a primary.pem".into()),
        (4, "--signing-key=missing.pem".into(), "missing.pem: ".into()),
        (5, "--clients=missing".into(), "missing: ".into()),
        (6, "--spool=missing".into(), "missing: ".into()),
    ] {
        let mut arguments = serve_arguments(directory);
        arguments[index] = wrong;
        let error = refused(command(example("inference_service")).args(arguments));
        assert!(error.starts_with("inference_service: ") && error.contains(&reason), "{error}");
    }
    let key = service.path("keys/client/sign.pem");
    for model in [&key, &service.path("missing")] {
        let mut command = command(example("inference_service"));
        let error = refused(command.args(serve_arguments(directory)).arg("--model").arg(model));
        assert!(error.contains(&*model.to_string_lossy()), "{error}");
    }
    let error = refused(inference_service("keys").arg(service.path("keys")));
    assert!(error.contains("exists"), "{error}");

    for (arguments, hint) in [
        ("serve", "--keys"),
        ("--concurrency 0", "1..=256"),
        ("serve --port 1", "--port"),
        ("--log yaml", "json"),
    ] {
        let Ended { code, stderr, .. } = run(&mut inference_service(arguments));
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(hint), "{stderr}");
    }
    let Ended { code, stdout, .. } = run(&mut inference_service("serve --help"));
    assert!(code == Some(0) && stdout.contains("--signing-key"), "{stdout}");
}

#[test]
fn the_demonstration_measures_and_refuses() {
    let arguments = "--requests 40 --concurrency 3 --rows 5";
    let Ended { code, stdout, stderr } = run(&mut inference_service(arguments));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.starts_with("5 pictures, "), "{stdout}");
    let statuses: Vec<_> = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter_map(|line| line.split(' ').next()?.parse::<u16>().ok())
        .collect();
    assert_eq!(statuses, [401, 401, 401, 401, 400]);
    let latencies: Vec<Vec<f64>> = stdout
        .lines()
        .filter(|line| line.contains(" at a time, ") && line.starts_with("  "))
        .map(|line| line.split_whitespace().filter_map(|word| word.parse().ok()).collect())
        .collect();
    let [plain, sealed, plain_3, sealed_3] = latencies.as_slice() else { panic!("{stdout}") };
    for (row, concurrency) in [(plain, 1.0), (sealed, 1.0), (plain_3, 3.0), (sealed_3, 3.0)] {
        assert!(row.len() == 4 && row[0] == concurrency && row[1] <= row[2], "{stdout}");
    }
    assert!(stdout.contains("40 requests of"), "{stdout}");
}
