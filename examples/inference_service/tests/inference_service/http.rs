//! A running service, and requests made byte by byte: a second implementation of what travels over
//! HTTP.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use safetensors::SafeTensors;
use tempfile::TempDir;
use twinseal::{
    EncapsulationKey, SigningKey, VerifyingKey,
    request::{Pending, detach},
};

use support::{
    process::{DEADLINE, command, example},
    running::{Running, run},
};

pub(crate) const PIXELS: usize = 64;

/// A service with its keys, as `keys` made them.
pub(crate) struct Service {
    pub(crate) directory: TempDir,
    pub(crate) process: Running,
    pub(crate) address: String,
    pub(crate) health: String,
}

pub(crate) fn inference_service(arguments: &str) -> Command {
    let mut command = command(example("inference_service"));
    command.args(arguments.split_whitespace());
    command
}

/// A directory with keys for a service and a client, and a mark that lets requests in at once.
pub(crate) fn keys() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let ended = run(inference_service("keys").arg(directory.path().join("keys")));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    fs::write(directory.path().join("mark"), 1_u64.to_be_bytes()).unwrap(); // 1970
    directory
}

/// The arguments of a service that uses such a directory.
pub(crate) fn serve_arguments(directory: &Path) -> Vec<String> {
    let path = |path: &str| directory.join(path).to_str().unwrap().to_owned();
    vec![
        "serve".into(),
        "--listen=127.0.0.1:0".into(),
        "--health=127.0.0.1:0".into(),
        "--log=json".into(),
        format!("--keys={}", path("keys/service/keys")),
        format!("--clients={}", path("keys/service/clients")),
        format!("--mark={}", path("mark")),
    ]
}

impl Service {
    pub(crate) fn start(more: &str) -> Self {
        Self::start_in(keys(), more)
    }

    /// With the keys and the mark of this directory.
    pub(crate) fn start_in(directory: TempDir, more: &str) -> Self {
        let mut command = command(example("inference_service"));
        command.current_dir(directory.path());
        command.args(serve_arguments(directory.path())).args(more.split_whitespace());
        let mut process = Running::start(&mut command);
        let line: serde_json::Value =
            serde_json::from_str(&process.wait_for(&["\"listening\""])).unwrap();
        let address = |field: &str| line[field].as_str().unwrap().to_owned();
        Self { directory, process, address: address("address"), health: address("health") }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn client(&self) -> Client {
        let client = self.path("keys/client");
        let public = |file: &str| fs::read_to_string(client.join(file)).unwrap();
        Client {
            signs: SigningKey::read_pem_file(client.join("sign.pem")).unwrap(),
            service_opens: EncapsulationKey::from_pem(&public("service.kem.pem")).unwrap(),
            service_signs: VerifyingKey::from_pem(&public("service.sign.pem")).unwrap(),
        }
    }

    /// The status of a new request of this client.
    #[track_caller]
    pub(crate) fn status(&self, client: &Client) -> u16 {
        self.send(&client.request("/predict", &batch(1)).0).status
    }

    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Answer {
        send(&self.address, &request.bytes())
    }

    #[track_caller]
    pub(crate) fn send_bytes(&self, bytes: &[u8]) -> Answer {
        send(&self.address, bytes)
    }

    #[track_caller]
    pub(crate) fn is_healthy(&self) {
        let mut stream = connect(&self.health);
        let request = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let health = Answer::read(stream);
        assert_eq!((health.status, health.text().as_str()), (200, "ok\n"));
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(&self.address)
    }

    /// Sends a request's headers, and so many bytes of its body.
    pub(crate) fn begin(&self, request: &Request, length: usize) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(&request.head()).unwrap();
        stream.write_all(&request.body[..length]).unwrap();
        stream
    }
}

/// Sends everything at once, and returns the answer.
#[track_caller]
pub(crate) fn send(address: &str, bytes: &[u8]) -> Answer {
    let mut stream = connect(address);
    // The service may refuse it before it has read all of it.
    let _ = stream.write_all(bytes);
    Answer::read(stream)
}

pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// The client's key, and the service's public ones.
pub(crate) struct Client {
    pub(crate) signs: SigningKey,
    pub(crate) service_opens: EncapsulationKey,
    pub(crate) service_signs: VerifyingKey,
}

impl Client {
    /// The same client with a new key of its own.
    pub(crate) fn another(&self) -> Self {
        Self {
            signs: SigningKey::generate().unwrap(),
            service_opens: self.service_opens.clone(),
            service_signs: self.service_signs.clone(),
        }
    }

    /// Registers the client's public key in a directory.
    pub(crate) fn register(&self, directory: &Path, name: &str) {
        let pem = self.signs.verifying_key().to_pem();
        fs::write(directory.join(format!("{name}.pem")), pem).unwrap();
    }

    /// A valid request, and what opens its answer.
    pub(crate) fn request(&self, path: &'static str, batch: &[u8]) -> (Request, Pending) {
        let context = format!("example.com/inference/v1 POST {path}");
        let to_service = self.service_opens.signed_by(&self.signs);
        let (mut body, pending) = to_service.request(context.as_bytes(), batch).unwrap();
        let signature = detach(&mut body).unwrap();
        (Request { path, signature, body }, pending)
    }
}

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) path: &'static str,
    pub(crate) signature: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn signature(&self) -> String {
        STANDARD.encode(&self.signature)
    }

    /// Everything before the body, with these headers.
    pub(crate) fn head_with(&self, headers: &str) -> Vec<u8> {
        let (path, length) = (self.path, self.body.len());
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        )
        .into()
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        self.head_with(&format!("X-Signature: {}\r\n", self.signature()))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads to the end of the connection. Status 0 is a connection that was closed without an
    /// answer.
    #[track_caller]
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        if let Err(error) = stream.read_to_end(&mut bytes) {
            let reset = std::io::ErrorKind::ConnectionReset;
            assert_eq!(error.kind(), reset, "a hang, or: {error}");
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Self { status: 0, head: String::new(), body: bytes };
        };
        let body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).unwrap(); // hyper writes names in lower case
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let chunked = head.contains("transfer-encoding: chunked");
        Self { status, head, body: if chunked { joined(&body) } else { body } }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The status and the reason of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.text().trim().to_owned())
    }

    /// The signature and the result of a whole answer.
    #[track_caller]
    pub(crate) fn open(&self, pending: Pending) -> (Vec<u8>, Vec<u8>) {
        assert_eq!(self.status, 200, "{}", self.text());
        let mut plaintext = pending.open(&self.body).unwrap().into_vec();
        let length = u16::from_be_bytes([plaintext[0], plaintext[1]]);
        let result = plaintext.split_off(2 + usize::from(length));
        (plaintext.split_off(2), result)
    }
}

/// The chunks of a body that came in chunks. Of one that was cut off, those that came.
pub(crate) fn joined(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        let Some(chunk) = body.get(end + 2..end + 2 + length) else { break };
        whole.extend_from_slice(chunk);
        body = body.get(end + 2 + length + 2..).unwrap_or_default();
    }
    whole
}

/// A batch of pictures, all of the same grey.
pub(crate) fn batch(rows: usize) -> Vec<u8> {
    batch_of(rows, 0.5)
}

pub(crate) fn batch_of(rows: usize, pixel: f32) -> Vec<u8> {
    let data = vec![pixel.to_le_bytes(); rows * PIXELS].concat();
    let view =
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![rows, PIXELS], &data);
    safetensors::serialize([("features", view.unwrap())], None).unwrap()
}

/// The rows of a result, each of which must be a distribution.
#[track_caller]
pub(crate) fn rows(result: &[u8]) -> usize {
    let result = SafeTensors::deserialize(result).unwrap();
    let tensor = result.tensor("probabilities").unwrap();
    assert_eq!((result.len(), tensor.shape().len(), tensor.shape()[1]), (1, 2, 10));
    let values: Vec<f32> =
        tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    for row in values.chunks_exact(10) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    }
    tensor.shape()[0]
}
