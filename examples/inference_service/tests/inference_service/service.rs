//! Does the service answer valid requests, refuse the others with the right word, and end properly?

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use twinseal::{
    DecapsulationKey, Error, Signature, SignatureSuite,
    request::{PieceReader, RequestId, attach},
};

use support::{
    process::{DEADLINE, command, example, signal},
    running::{Ended, refused, run},
};

use crate::http::{
    Answer, Client, Request, Service, batch, batch_of, inference_service, rows, serve_arguments,
};

#[test]
fn a_signed_request_is_answered() {
    let service = Service::start("");
    let client = service.client();
    // In memory, with the last chunk full, and as it arrives.
    for count in [0, 1, 64, 300, 3000] {
        let (request, pending) = client.request("/predict", &batch(count));
        let answer = service.send(&request);
        let (signature, result) = answer.open(pending);
        assert_eq!((rows(&result), signature.len()), (count, 0));
        assert!((6200..=6308).contains(&request.signature().len()));
        assert_eq!(answer.header("x-signature"), None);
        assert_eq!(answer.header("content-length").unwrap(), answer.body.len().to_string());
    }
    service.is_healthy();
    let other = service.send_bytes(b"POST /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(other.status, 404); // only the demonstration works without cryptography
}

/// The reader of an answer's pieces, while they arrive.
fn generate(service: &Service, client: &Client, batch: &[u8]) -> PieceReader<impl Read + use<>> {
    let (request, pending) = client.request("/generate", batch);
    let agent = ureq::Agent::config_builder().timeout_global(Some(DEADLINE)).build();
    let post = ureq::Agent::new_with_config(agent)
        .post(format!("http://{}/generate", service.address))
        .header("x-signature", request.signature());
    pending.piece_reader(post.send(&request.body).unwrap().into_body().into_reader())
}

#[test]
fn each_line_arrives_when_it_is_made() {
    // Nobody waits for the second line.
    let service = Service::start("--pause 3600000 --slots 1");
    let client = service.client();
    let mut pieces = generate(&service, &client, &batch(3));
    assert!(pieces.next().unwrap().unwrap().starts_with(b"picture 0: "));
    // It has its slot until it ends.
    assert_eq!(service.status(&client), 429);
    drop(pieces);

    let service = Service::start("");
    let client = service.client();
    for count in [0, 1, 240] {
        let pieces = generate(&service, &client, &batch(count));
        let pieces: Vec<_> = pieces.map(|piece| piece.unwrap().into_vec()).collect();
        let (signature, lines) = pieces.split_last().unwrap();
        assert_eq!((lines.len(), signature.len()), (count, 0));
        for (number, line) in lines.iter().enumerate() {
            let line = String::from_utf8_lossy(line);
            assert!(line.starts_with(&format!("picture {number}: ")), "{line}");
            assert!(line.ends_with(" %)\n"), "{line}");
        }
    }
    let too_many = service.send(&client.request("/generate", &batch(300)).0);
    assert_eq!(too_many.status, 413);
}

#[test]
fn results_are_signed_if_the_service_is_told_to() {
    let service = Service::start("--sign-answers keys/service/sign.pem");
    let client = service.client();
    let verify = |id: RequestId, result: &[u8], signature: &[u8]| {
        let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
        let signature = Signature::from_bytes(suite, signature).unwrap();
        let signed = [id.as_bytes(), result].concat();
        client.service_signs.verify(b"example.com/inference/v1 result", &signed, &signature)
    };
    let (request, pending) = client.request("/predict", &batch(2));
    let id = pending.id();
    let (signature, result) = service.send(&request).open(pending);
    assert_eq!((rows(&result), verify(id, &result, &signature)), (2, Ok(())));
    let (_, other) = client.request("/predict", &batch(2));
    assert_eq!(verify(other.id(), &result, &signature), Err(Error::Verify));

    let (request, pending) = client.request("/generate", &batch(2));
    let id = pending.id();
    let pieces = pending.open_pieces(&service.send(&request).body).unwrap();
    let [first, second, signature] = pieces.as_slice() else { panic!("{pieces:?}") };
    assert_eq!(verify(id, &[&first[..], second].concat(), signature), Ok(()));
}

const MISSING: &str = "x-signature: missing or malformed";

#[test]
fn changed_requests_are_refused() {
    let service = Service::start("");
    let client = service.client();
    let (good, pending) = client.request("/predict", &batch(1));
    let changed = |change: fn(&mut Request)| {
        let mut request = good.clone();
        change(&mut request);
        service.send(&request).refusal()
    };
    let verify = (401, Error::Verify.to_string());
    let open = (401, Error::Open.to_string());
    // An unknown signer and a wrong signature are one error.
    let stranger = client.another().request("/predict", &batch(1)).0;
    assert_eq!(service.send(&stranger).refusal(), verify);
    assert_eq!(changed(|request| request.signature[2000] ^= 1), verify);
    assert_eq!(changed(|request| *request.signature.last_mut().unwrap() ^= 1), verify);
    // Recipient 12..28, then the signer with suite, 28..46, the time, 46..54, and the ciphertext.
    assert_eq!(changed(|request| request.body[30] ^= 1), verify);
    assert_eq!(changed(|request| request.body[53] ^= 1), verify);
    assert_eq!(changed(|request| request.body[100] ^= 1), verify);
    assert_eq!(changed(|request| request.path = "/generate"), verify);
    assert_eq!(changed(|request| request.signature.clear()), (401, MISSING.into()));
    assert_eq!(changed(|request| request.signature.truncate(4000)), (401, MISSING.into()));
    assert_eq!(changed(|request| request.body[20] ^= 1), (421, Error::NotARecipient.to_string()));
    assert_eq!(changed(|request| *request.body.last_mut().unwrap() ^= 1), open);
    assert_eq!(changed(|request| request.body.truncate(request.body.len() - 1)), open);
    assert_eq!(changed(|request| request.body.truncate(2000)), open);
    assert_eq!(changed(|request| request.body.truncate(1000)).0, 400);
    assert_eq!(changed(|request| request.body = b"garbage".to_vec()).0, 400);

    let mut elsewhere = client.another();
    elsewhere.service_opens = DecapsulationKey::generate().unwrap().encapsulation_key().clone();
    assert_eq!(service.send(&elsewhere.request("/predict", &batch(1)).0).status, 421);
    let unsigned = client.service_opens.request(b"example.com/inference/v1 POST /predict", b"x");
    let unsigned = Request { body: unsigned.unwrap().0, ..good.clone() };
    assert_eq!(service.send(&unsigned).refusal(), (401, MISSING.into()));

    // None of them has used up the valid request.
    assert_eq!(rows(&service.send(&good).open(pending).1), 1);
}

#[test]
fn the_signature_is_in_one_header() {
    let service = Service::start("");
    let (request, _) = service.client().request("/predict", &batch(1));
    let signature = request.signature();
    let line = format!("X-Signature: {signature}\r\n");
    for headers in [
        String::new(),
        format!("{line}{line}"),
        "X-Signature:\r\n".into(),
        format!("X-Signature: -{signature}\r\n"),
        format!("X-Signature: {signature},{signature}\r\n"),
        format!("X-Signature: {}\r\n", signature.trim_end_matches('=').to_owned() + "A"),
    ] {
        let bytes = [request.head_with(&headers), request.body.clone()].concat();
        assert_eq!(service.send_bytes(&bytes).refusal(), (401, MISSING.into()), "{headers}");
    }
    // In the body it is not in the header.
    let mut attached = request.clone();
    attach(&mut attached.body, &attached.signature).unwrap();
    assert_eq!(service.send(&attached).refusal(), (401, MISSING.into()));
    let bytes = [attached.head_with(""), attached.body].concat();
    assert_eq!(service.send_bytes(&bytes).refusal(), (401, MISSING.into()));

    assert_eq!(service.send(&request).status, 200);
}

#[test]
fn requests_without_a_batch_are_refused() {
    let service = Service::start("");
    let client = service.client();
    let long_header = [&(1_u64 << 40).to_le_bytes()[..], b"{}"].concat();
    let good = batch(1000); // longer than what is opened in memory
    for (content, reason) in [
        (&b""[..], "it ends before its last row"),
        (&long_header, "a safetensors header of 1099511627776 bytes"),
        (b"\x02\0\0\0\0\0\0\0{}", "one tensor, \"features\""),
        (b"\x02\0\0\0\0\0\0\0[]", "does not start with a safetensors header"),
        (&good[..good.len() - 1], "it ends before its last row"),
        (&[&good[..], &[0]].concat(), "there are bytes after the last row"),
        (&[&good[..], &[0; 256]].concat(), "there are bytes after the last row"),
        (&[&good[..good.len() - 4], &f32::NAN.to_le_bytes()].concat(), "row 999 has a value"),
    ] {
        let answer = service.send(&client.request("/predict", content).0);
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains(reason), "{}: {reason}", answer.text());
    }
}

#[test]
fn a_signal_ends_it_after_the_requests_that_have_begun() {
    for name in ["TERM", "INT"] {
        let mut service = Service::start("--log-level debug");
        let client = service.client();
        let (request, pending) = client.request("/predict", &batch(100));
        let mut stream = service.begin(&request, 10_000);
        service.process.wait_for(&["\"verified\""]);

        signal(name, service.process.id());
        service.process.wait_for(&["signal received"]);
        stream.write_all(&request.body[10_000..]).unwrap();
        assert_eq!(rows(&Answer::read(stream).open(pending).1), 100);
        assert_eq!(service.process.end(), Some(0), "{}", service.process.all());
        assert!(TcpStream::connect(&service.address).is_err());
        assert!(TcpStream::connect(&service.health).is_err());
    }
}

#[test]
fn logs_are_json_and_hold_no_secret() {
    let mut service = Service::start("--log-level debug");
    let client = service.client();
    // Nothing else prints these digits, or has these bytes.
    let pixel = 0.730_518_46_f32;
    let (request, _) = client.request("/predict", &batch_of(3, pixel));
    assert_eq!(service.send(&request).status, 200);
    assert_eq!(service.send(&request).status, 409);
    let mut log = |parts: &[&str]| -> serde_json::Value {
        serde_json::from_str(&service.process.wait_for(parts)).unwrap()
    };
    let (answered, refused) = (log(&["\"answered\""]), log(&["\"refused\""]));
    assert_eq!((&answered["client"], &answered["rows"]), (&"demo".into(), &3.into()));
    assert!(answered["verify_ms"].as_f64().unwrap() > 0.0);
    assert_eq!((&refused["client"], &refused["status"]), (&"demo".into(), &409.into()));

    // Before it is verified, a name is a claim.
    let mut forged = client.request("/predict", b"").0;
    forged.signature[0] ^= 1;
    assert_eq!(service.send(&forged).status, 401);
    let mut log = |parts: &[&str]| -> serde_json::Value {
        serde_json::from_str(&service.process.wait_for(parts)).unwrap()
    };
    let claimed = format!("claimed {}", client.signs.verifying_key().key_id());
    assert_eq!(log(&["\"refused\"", "401"])["client"], claimed);

    signal("TERM", service.process.id());
    assert_eq!(service.process.end(), Some(0));
    let log = service.process.all();
    let bytes: String = pixel.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{:?}", pixel.to_le_bytes());
    let (digits, list) = (pixel.to_string(), list.trim_matches(['[', ']']));
    assert_eq!(digits, "0.73051846");
    let key = fs::read_to_string(service.path("keys/service/keys/primary.pem")).unwrap();
    let key = key.lines().nth(1).unwrap();
    for secret in [&request.signature()[..40], "PRIVATE KEY", key, &digits, &bytes, list] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[test]
fn errors_at_the_start_name_the_reason() {
    let service = Service::start("");
    let directory = service.directory.path();
    let twice = service.path("twice");
    fs::create_dir(&twice).unwrap();
    service.client().register(&twice, "alice");
    service.client().register(&twice, "bob");
    for (index, wrong, reason) in [
        (1, format!("--listen={}", service.address), "cannot listen on 127.0.0.1:".to_owned()),
        (2, format!("--health={}", service.health), "cannot listen on 127.0.0.1:".into()),
        (4, "--keys=missing".into(), "missing: ".into()),
        (4, format!("--keys={}", directory.display()), "needs a primary.pem".into()),
        (5, "--clients=missing".into(), "missing: ".into()),
        (5, format!("--clients={}", twice.display()), "alice.pem".into()),
        (6, format!("--mark={}", directory.display()), "directory".into()),
        (6, "--sign-answers=missing.pem".into(), "missing.pem: ".into()),
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
    assert!(code == Some(0) && stdout.contains("--sign-answers"), "{stdout}");
    assert!(!stdout.contains("--clock-error"), "{stdout}");
}

#[test]
fn the_demonstration_measures_and_refuses() {
    let arguments = "--requests 40 --concurrency 3 --rows 5";
    let Ended { code, stdout, stderr } = run(&mut inference_service(arguments));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.starts_with("5 pictures, "), "{stdout}");
    assert!(stdout.contains("\n  picture 3: "), "{stdout}");
    let statuses: Vec<_> = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter_map(|line| line.split(' ').next()?.parse::<u16>().ok())
        .collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 409, 409, 409, 409]);
    for word in ["a clock is wrong", "too old", "let in before", "is restarting"] {
        assert!(stdout.contains(word), "{stdout}");
    }
    let latencies: Vec<Vec<f64>> = stdout
        .lines()
        .filter(|line| line.contains(" at a time, ") && line.starts_with("  "))
        .map(|line| line.split_whitespace().filter_map(|word| word.parse().ok()).collect())
        .collect();
    assert_eq!(latencies.len(), 6, "{stdout}");
    for (row, concurrency) in latencies.iter().zip([1.0, 1.0, 1.0, 3.0, 3.0, 3.0]) {
        assert!(row.len() == 4 && row[0] == concurrency && row[1] <= row[2], "{stdout}");
    }
    assert!(stdout.contains("40 requests of"), "{stdout}");
}
