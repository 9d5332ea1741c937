//! A half in a custodian, as an implementation of `Decapsulator` and `SchemeSigner`.

use std::{
    error::Error as _,
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    time::Duration,
};

use socket2::{Domain, SockAddr, Socket, Type};
use twinseal::{
    EncapsulationKey, Error, KemSuite, SignatureSuite, VerifyingKey,
    provider::{Decapsulator, SchemeSigner},
    split::{HalfKey, Halves, SplitDecapsulationKey, SplitSigningKey},
};
use zeroize::Zeroizing;

use crate::{
    algorithm::Algorithm,
    directory,
    protocol::{Answer, Connection, Request, Task},
};
use common::printable;

/// Why a half failed. It is the source of an [`Error::External`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("nobody answers at {}: start the custodian ({error})", .directory.display())]
    Down { directory: PathBuf, error: io::Error },
    #[error("not connecting to {}: {error}", .directory.display())]
    Unsafe { directory: PathBuf, error: io::Error },
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("it disconnected before it answered")]
    HungUp,
    #[error("its answer is invalid")]
    Garbage,
    #[error("it refuses: {0}")]
    Refused(String),
}

impl Failure {
    /// Whether the same request may succeed later. A refusal or an invalid answer would only be
    /// repeated.
    pub(crate) fn is_temporary(error: &Error) -> bool {
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        matches!(cause, Some(Self::Down { .. } | Self::Timeout(_) | Self::HungUp))
    }
}

/// A custodian, seen from outside. Each request has a connection of its own, so that the client finds
/// a process that was restarted, and one time limit for all of it.
#[derive(Clone, Debug)]
pub(crate) struct Custodian {
    pub(crate) directory: PathBuf,
    pub(crate) timeout: Duration,
}

impl Custodian {
    pub(crate) fn generate(&self, name: &str, algorithm: Algorithm) -> Result<RemoteHalf, Error> {
        self.half(Task::Generate, name, algorithm, &[])
    }

    /// Moves half of a key into the custodian.
    pub(crate) fn import<T: ?Sized>(
        &self,
        name: &str,
        half: &HalfKey<T>,
    ) -> Result<RemoteHalf, Error> {
        let algorithm = Algorithm::from_name(half.algorithm());
        let algorithm = algorithm.ok_or(Error::Unsupported("such a half in a custodian"))?;
        self.half(Task::Import, name, algorithm, half.secret_bytes())
    }

    pub(crate) fn find(&self, name: &str, algorithm: Algorithm) -> Result<RemoteHalf, Error> {
        self.half(Task::Public, name, algorithm, &[])
    }

    fn half(
        &self,
        task: Task,
        name: &str,
        algorithm: Algorithm,
        input: &[u8],
    ) -> Result<RemoteHalf, Error> {
        let mut half = RemoteHalf {
            custodian: self.clone(),
            name: name.into(),
            algorithm,
            public: Vec::new(),
        };
        half.public = half.ask(task, &[], input)?.to_vec();
        Ok(half)
    }

    fn exchange(&self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let down = |error: io::Error| {
            let directory = self.directory.clone();
            match error.kind() {
                io::ErrorKind::PermissionDenied => Failure::Unsafe { directory, error },
                _ => Failure::Down { directory, error },
            }
        };
        let mut connection = Connection::new(self.connect().map_err(down)?, self.timeout);
        let answer = connection.send(request).and_then(|()| connection.receive());
        answer.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Failure::Timeout(self.timeout),
            io::ErrorKind::InvalidData => Failure::Garbage,
            _ => Failure::HungUp,
        })
    }

    /// Where others can put a socket, anybody may answer, and get the private bytes of an import. The
    /// standard library's `connect` blocks for ever if the other side does not accept.
    fn connect(&self) -> io::Result<UnixStream> {
        let directory = directory::open(&self.directory)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        let address = SockAddr::unix(directory::socket(&self.directory, &directory))?;
        socket.connect_timeout(&address, self.timeout)?;
        Ok(OwnedFd::from(socket).into())
    }
}

/// Half of a key in a custodian.
#[derive(Debug)]
pub(crate) struct RemoteHalf {
    custodian: Custodian,
    name: String,
    algorithm: Algorithm,
    pub(crate) public: Vec<u8>,
}

impl RemoteHalf {
    pub(crate) fn with_timeout(mut self, timeout: Duration) -> Self {
        self.custodian.timeout = timeout;
        self
    }

    pub(crate) fn destroy(&self) -> Result<(), Error> {
        self.ask(Task::Destroy, &[], &[]).map(drop)
    }

    fn ask(&self, task: Task, context: &[u8], input: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let request = Request { task, algorithm: self.algorithm, name: &self.name, context, input };
        let bytes = self.custodian.exchange(&request.to_bytes()).map_err(Error::external)?;
        Err(Error::external(match Answer::parse(&bytes) {
            Some(Answer::Done(result)) => return Ok(result),
            // The split key goes on with random bytes: a sender must not learn what a half dislikes.
            Some(Answer::Malformed) if task == Task::Decapsulate => {
                return Err(Error::Invalid { what: "ciphertext", reason: "the custodian says so" });
            }
            Some(Answer::Refused(reason)) => {
                let reason: String = reason.chars().take(200).collect();
                Failure::Refused(printable(reason))
            }
            _ => Failure::Garbage,
        }))
    }
}

impl Decapsulator for RemoteHalf {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let secret = self.ask(Task::Decapsulate, &[], ciphertext)?;
        if secret.len() != shared_secret.len() {
            return Err(Error::external(Failure::Garbage));
        }
        shared_secret.copy_from_slice(&secret);
        Ok(())
    }
}

/// Its length and whether it verifies is checked when it is joined with the other half's.
impl SchemeSigner for RemoteHalf {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.ask(Task::Sign, context, message)?.to_vec())
    }
}

/// The key of two halves, each of which was tried once.
pub(crate) fn decapsulation_key(
    suite: KemSuite,
    halves: Halves<RemoteHalf>,
) -> Result<SplitDecapsulationKey, Error> {
    let Halves { post_quantum, traditional } = halves;
    let public = EncapsulationKey::from_halves(suite, &post_quantum.public, &traditional.public)?;
    let key = SplitDecapsulationKey::new(public, Box::new(post_quantum), Box::new(traditional));
    key.check()?;
    Ok(key)
}

/// The signing key of two halves, each of which was tried once.
pub(crate) fn signing_key(halves: Halves<RemoteHalf>) -> Result<SplitSigningKey, Error> {
    let (suite, Halves { post_quantum, traditional }) =
        (SignatureSuite::ML_DSA_87_ECDSA_P384, halves);
    let public = VerifyingKey::from_halves(suite, &post_quantum.public, &traditional.public)?;
    let key = SplitSigningKey::new(public, Box::new(post_quantum), Box::new(traditional));
    key.check()?;
    Ok(key)
}
