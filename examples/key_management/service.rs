//! The process that holds the private keys: they never leave it.

use std::{
    fs,
    io::{self, Write},
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use twinseal::{DecapsulationKey, Sign, SigningKey, kem::Ciphertext};
use zeroize::Zeroizing;

use crate::{
    Result,
    arguments::{Fault, Serve},
    faults,
    protocol::{self, Answer, Connection, Request},
};
use common::printable;

/// How long a client may take for a request. Slow clients do not block others.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many clients are served at once. More are disconnected.
const MAX_CLIENTS: usize = 64;

/// The start of the line that is printed when clients can connect.
pub(crate) const READY: &str = "listening on ";

struct Service {
    kem: DecapsulationKey,
    sign: SigningKey,
    /// Contexts to sign for; all of them, if none is named.
    allowed: Vec<String>,
    fault: Option<Fault>,
}

pub(crate) fn serve(options: &Serve) -> Result<()> {
    let kem = load_or_make(
        &options.keys.join("kem.pem"),
        |path| DecapsulationKey::read_pem_file(path),
        |path| DecapsulationKey::generate()?.write_pem_file(path),
    )?;
    let sign = load_or_make(
        &options.keys.join("sign.pem"),
        |path| SigningKey::read_pem_file(path),
        |path| SigningKey::generate()?.write_pem_file(path),
    )?;
    let service =
        Arc::new(Service { kem, sign, allowed: options.allow.clone(), fault: options.fault });
    let listener = listen(&options.socket)
        .map_err(|error| format!("{}: {error}", options.socket.display()))?;
    writeln!(io::stdout(), "{READY}{}", printable(options.socket.display()))?;

    if options.until_stdin_ends {
        thread::spawn(|| {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            std::process::exit(0);
        });
    }
    let clients = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            thread::sleep(Duration::from_millis(10)); // out of file descriptors, for now
            continue;
        };
        // A client that is not served is disconnected, and may try again.
        if clients.fetch_add(1, Relaxed) < MAX_CLIENTS {
            let (service, served) = (Arc::clone(&service), Arc::clone(&clients));
            let serving = thread::Builder::new().spawn(move || {
                service.converse(stream);
                served.fetch_sub(1, Relaxed);
            });
            if serving.is_ok() {
                continue;
            }
        }
        clients.fetch_sub(1, Relaxed);
    }
    Ok(())
}

impl Service {
    /// Answers one request. A client that disconnects or sends nothing gets no answer.
    fn converse(&self, stream: UnixStream) {
        let mut connection = Connection::new(stream, PATIENCE);
        let Ok(request) = connection.receive() else { return };
        let answer = match Request::parse(&request) {
            Some(request) => self.answer(&request),
            None => Err("not a request".into()),
        };
        let bytes = protocol::answer_to_bytes(&answer);
        let _ = match self.fault {
            None => connection.send(&bytes),
            Some(fault) => faults::send(fault, &mut connection, &bytes),
        };
    }

    fn answer(&self, request: &Request<'_>) -> Answer {
        let public = self.kem.encapsulation_key();
        match request {
            Request::PublicKem => Ok(Zeroizing::new(public.to_pem().into_bytes())),
            Request::PublicSign => {
                Ok(Zeroizing::new(self.sign.verifying_key().to_pem().into_bytes()))
            }
            Request::Decapsulate { key, ciphertext } => {
                if *key != public.key_id() {
                    return Err(format!("there is no key {key} to open with"));
                }
                let ciphertext = Ciphertext::from_bytes(self.kem.suite(), ciphertext);
                let secret = ciphertext.and_then(|ciphertext| self.kem.decapsulate(&ciphertext));
                let secret = secret.map_err(|error| error.to_string())?;
                Ok(Zeroizing::new(secret.as_bytes().to_vec()))
            }
            Request::Sign { key, context, sha512 } => {
                if *key != self.sign.verifying_key().key_id() {
                    return Err(format!("there is no key {key} to sign with"));
                }
                self.check_allowed(context)?;
                let signature = Sign::sign_prehashed(&self.sign, context, sha512);
                let signature = signature.map_err(|error| error.to_string())?;
                Ok(Zeroizing::new(signature.as_bytes().to_vec()))
            }
        }
    }

    /// A key signs only for its own purposes: a client of one purpose gets no signature for
    /// another.
    fn check_allowed(&self, context: &[u8]) -> std::result::Result<(), String> {
        let is_allowed = |allowed: &String| allowed.as_bytes() == context;
        if self.allowed.is_empty() || self.allowed.iter().any(is_allowed) {
            return Ok(());
        }
        Err(format!("this key does not sign for {:?}", String::from_utf8_lossy(context)))
    }
}

fn load_or_make<Key>(
    path: &Path,
    read: impl Fn(&Path) -> io::Result<Key>,
    make: impl Fn(&Path) -> io::Result<()>,
) -> Result<Key> {
    Ok(match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).and_then(|()| read(path))
        }
        read => read,
    }?)
}

/// Listens on a socket that only this user can connect to. Removes the socket that a killed process
/// has left. Keeps a socket on which another process answers, and every file that is not a socket:
/// connecting to a regular file is refused, too.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            match UnixStream::connect(path) {
                Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {}
                _ => return Err(error),
            }
            if !fs::symlink_metadata(path)?.file_type().is_socket() {
                return Err(error);
            }
            fs::remove_file(path)?;
            UnixListener::bind(path)?
        }
        bound => bound?,
    };
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
