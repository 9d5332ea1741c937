//! A running service, and requests made byte by byte: a second implementation of the documented
//! protocol.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tempfile::TempDir;
use twinseal::{
    DecapsulationKey, EncapsulationKey, KeyId, Signature, SignatureSuite, SigningKey, VerifyingKey,
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
}

pub(crate) fn inference_service(arguments: &str) -> Command {
    let mut command = command(example("inference_service"));
    command.args(arguments.split_whitespace());
    command
}

/// A directory with keys for a service and a client.
pub(crate) fn keys() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let ended = run(inference_service("keys").arg(directory.path().join("keys")));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    fs::create_dir(directory.path().join("spool")).unwrap();
    directory
}

/// The arguments of a service that uses such a directory.
pub(crate) fn serve_arguments(directory: &Path) -> Vec<String> {
    let path = |path: &str| directory.join(path).to_str().unwrap().to_owned();
    vec![
        "serve".into(),
        "--listen=127.0.0.1:0".into(),
        "--log=json".into(),
        format!("--keys={}", path("keys/service/keys")),
        format!("--signing-key={}", path("keys/service/sign.pem")),
        format!("--clients={}", path("keys/service/clients")),
        format!("--spool={}", path("spool")),
    ]
}

impl Service {
    pub(crate) fn start(more: &str) -> Self {
        let directory = keys();
        let mut command = command(example("inference_service"));
        command.args(serve_arguments(directory.path())).args(more.split_whitespace());
        Self::start_with(directory, &mut command)
    }

    pub(crate) fn start_with(directory: TempDir, command: &mut Command) -> Self {
        let mut process = Running::start(command);
        let line: serde_json::Value =
            serde_json::from_str(&process.wait_for(&["\"listening\""])).unwrap();
        let address = line["address"].as_str().unwrap().to_owned();
        Self { directory, process, address }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn client(&self) -> Client {
        Client::read(self.directory.path())
    }

    /// See [`send`].
    #[track_caller]
    pub(crate) fn send(&self, request: &[u8]) -> Answer {
        send(&self.address, request)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(&self.address)
    }

    /// Sends the headers of a request, and waits until the service asks for its body: then it has
    /// begun.
    pub(crate) fn begin(&self, request: &Request) -> TcpStream {
        const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
        let head = String::from_utf8(request.head()).unwrap();
        let head = head.strip_suffix("\r\n").unwrap().to_owned() + "Expect: 100-continue\r\n\r\n";
        let mut stream = self.connect();
        stream.write_all(head.as_bytes()).unwrap();
        let mut interim = [0; CONTINUE.len()];
        stream.read_exact(&mut interim).unwrap();
        assert_eq!(String::from_utf8_lossy(&interim), CONTINUE);
        stream
    }
}

/// Sends everything at once, and returns the answer.
#[track_caller]
pub(crate) fn send(address: &str, request: &[u8]) -> Answer {
    let mut stream = connect(address);
    // The service may refuse it before it has read all of it.
    let _ = stream.write_all(request);
    Answer::read(stream)
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// The client's keys, and the service's public ones.
pub(crate) struct Client {
    pub(crate) signs: SigningKey,
    pub(crate) opens: DecapsulationKey,
    pub(crate) service_signs: VerifyingKey,
    pub(crate) service_opens: EncapsulationKey,
}

impl Client {
    fn read(directory: &Path) -> Self {
        let client = directory.join("keys/client");
        let public = |file: &str| fs::read_to_string(client.join(file)).unwrap();
        Self {
            signs: SigningKey::read_pem_file(client.join("sign.pem")).unwrap(),
            opens: DecapsulationKey::read_pem_file(client.join("kem.pem")).unwrap(),
            service_signs: VerifyingKey::from_pem(&public("service.sign.pem")).unwrap(),
            service_opens: EncapsulationKey::from_pem(&public("service.kem.pem")).unwrap(),
        }
    }

    /// The same client with new keys of its own.
    pub(crate) fn another(&self) -> Self {
        Self {
            signs: SigningKey::generate().unwrap(),
            opens: DecapsulationKey::generate().unwrap(),
            service_signs: self.service_signs.clone(),
            service_opens: self.service_opens.clone(),
        }
    }

    /// Registers the client's public keys in a directory.
    pub(crate) fn register(&self, directory: &Path, name: &str) {
        let kem = self.opens.encapsulation_key().to_pem();
        fs::write(directory.join(format!("{name}.kem.pem")), kem).unwrap();
        let sign = self.signs.verifying_key().to_pem();
        fs::write(directory.join(format!("{name}.sign.pem")), sign).unwrap();
    }

    /// A valid request.
    pub(crate) fn request(&self, batch: &[u8]) -> Request {
        let mut request = Request {
            target: "POST /predict".into(),
            client: self.signs.verifying_key().key_id(),
            service: self.service_signs.key_id(),
            timestamp: now(),
            nonce: nonce(),
            body: Vec::new(),
            signature: Vec::new(),
        };
        request.body = self.service_opens.seal(&request.context(), batch).unwrap();
        self.sign(&mut request);
        request
    }

    pub(crate) fn sign(&self, request: &mut Request) {
        let signature = self.signs.sign(&request.context(), &request.body).unwrap();
        request.signature = signature.as_bytes().to_vec();
    }

    /// The content of a valid answer to a request.
    pub(crate) fn open(&self, request: &Request, answer: &Answer) -> Vec<u8> {
        let Request { target, client, service, nonce, .. } = request;
        let context = format!(
            "example.com/inference/v1 answer to {target} nonce {nonce} from {service} to {client}"
        );
        let signature = STANDARD.decode(answer.header("x-signature").unwrap()).unwrap();
        let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
        let signature = Signature::from_bytes(suite, &signature).unwrap();
        self.service_signs.verify(context.as_bytes(), &answer.body, &signature).unwrap();
        self.opens.open(context.as_bytes(), &answer.body).unwrap().into_vec()
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// 16 random bytes in hexadecimal: the id of a new key.
fn nonce() -> String {
    DecapsulationKey::generate().unwrap().encapsulation_key().key_id().to_string()
}

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) client: KeyId,
    pub(crate) service: KeyId,
    pub(crate) timestamp: u64,
    pub(crate) nonce: String,
    pub(crate) body: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Request {
    pub(crate) fn context(&self) -> Vec<u8> {
        let Self { target, client, service, timestamp, nonce, .. } = self;
        format!(
            "example.com/inference/v1 {target} at {timestamp} nonce {nonce} from {client} to {service}"
        )
        .into()
    }

    /// The signed headers, one to a line.
    pub(crate) fn headers(&self) -> String {
        let Self { client, timestamp, nonce, signature, .. } = self;
        let signature = STANDARD.encode(signature);
        format!(
            "X-Client: {client}\r\nX-Timestamp: {timestamp}\r\nX-Nonce: {nonce}\r\n\
             X-Signature: {signature}\r\n"
        )
    }

    /// Everything before the body, with the length of the body.
    pub(crate) fn head(&self) -> Vec<u8> {
        let (target, headers, length) = (&self.target, self.headers(), self.body.len());
        format!(
            "{target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        )
        .into()
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
        Self { status, head, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
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
