//! moto, a program in Python that plays S3.

use std::{
    env,
    io::{self, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use object_store::aws::{AmazonS3, AmazonS3Builder, S3CopyIfNotExists};
use support::{
    process::{command, ended_if_present},
    running::Running,
};

/// 5.2.1 loses metadata; in 5.2.5 it is there.
const NEW_ENOUGH: &str = "import moto, moto.server
assert [int(part) for part in moto.__version__.split('.')[:3]] >= [5, 2, 5]";

/// A server, which ends when no test uses it any more.
struct Moto {
    address: String,
    _process: Mutex<Running>,
}

impl Moto {
    /// The one that runs; or a new one on a free port; or none, if the tests can do without.
    fn running() -> Option<Arc<Self>> {
        static RUNNING: Mutex<Weak<Moto>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap();
        if let Some(moto) = running.upgrade() {
            return Some(moto);
        }
        let python = python();
        let imported = ended_if_present(command(&python).args(["-c", NEW_ENOUGH]));
        if !imported.is_some_and(|ended| ended.status.success()) {
            let missing =
                format!("{} has no moto, or an old one (tests/README.md)", python.display());
            assert!(env::var_os("TWINSEAL_REQUIRE_MOTO").is_none(), "{missing}");
            // The test harness keeps to itself what `eprintln` prints. One write stays one line.
            let _ = io::stderr().write_all(format!("skipped, since {missing}\n").as_bytes());
            return None;
        }
        let mut server = command(&python);
        server.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]);
        let mut process = Running::start(server.env("PYTHONUNBUFFERED", "1"));
        let line = process.wait_for(&["Running on http://127.0.0.1:"]);
        let address = line.split("http://").nth(1).unwrap().trim().to_owned();
        let moto = Arc::new(Self { address, _process: Mutex::new(process) });
        *running = Arc::downgrade(&moto);
        Some(moto)
    }
}

fn python() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/moto/bin/python");
    if installed.exists() { installed } else { "python3".into() }
}

/// A bucket of its own for a test.
pub(crate) struct Bucket {
    name: String,
    moto: Arc<Moto>,
}

impl Bucket {
    /// A new one; `None` if there is no moto, and the test is skipped.
    pub(crate) fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let moto = Moto::running()?;
        let name = format!("bucket-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut stream = TcpStream::connect(&moto.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let host = &moto.address;
        let request = format!("PUT /{name} HTTP/1.0\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("moto answers within 60 s");
        let status = answer.lines().next().unwrap_or_default();
        assert!(status.contains(" 200 "), "{answer}");
        Some(Self { name, moto })
    }

    /// How to reach it. It copies if absent through an upload in parts, as S3 itself does.
    pub(crate) fn builder(&self) -> AmazonS3Builder {
        AmazonS3Builder::new()
            .with_endpoint(format!("http://{}", self.moto.address))
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_access_key_id("test")
            .with_secret_access_key("test")
            .with_bucket_name(&self.name)
            .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
    }

    pub(crate) fn store(&self) -> Arc<AmazonS3> {
        Arc::new(self.builder().build().unwrap())
    }
}
