//! Keys in another process, as implementations of `Decapsulate` and `Sign`.

use std::{
    error::Error as _,
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use socket2::{Domain, SockAddr, Socket, Type};
use twinseal::{
    Decapsulate, EncapsulationKey, Error, Sign, Signature, VerifyingKey,
    kem::{Ciphertext, SharedSecret},
};
use zeroize::Zeroizing;

use crate::protocol::{self, Connection, Request};
use common::printable;

/// Why a key in another process failed. It is the source of an [`Error::External`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("nobody answers at {}: start the process that holds the keys ({error})", .socket.display())]
    Down { socket: PathBuf, error: io::Error },
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

/// The process that holds the keys, seen from outside. Each request has a connection of its own, so
/// that the client finds a process that was restarted.
#[derive(Clone, Debug)]
struct Remote {
    socket: PathBuf,
    timeout: Duration,
}

impl Remote {
    fn ask(&self, request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let bytes = self.exchange(&request.to_bytes())?;
        match protocol::parse_answer(&bytes) {
            Some(Ok(result)) => Ok(result),
            Some(Err(reason)) => {
                let reason: String = reason.chars().take(200).collect();
                Err(Failure::Refused(printable(reason)))
            }
            None => Err(Failure::Garbage),
        }
    }

    fn exchange(&self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let down = |error| Failure::Down { socket: self.socket.clone(), error };
        let mut connection = Connection::new(self.connect().map_err(down)?, self.timeout);
        let answer = connection.send(request).and_then(|()| connection.receive());
        answer.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Failure::Timeout(self.timeout),
            io::ErrorKind::InvalidData => Failure::Garbage,
            _ => Failure::HungUp,
        })
    }

    /// The standard library's `connect` blocks for ever if the other side does not accept.
    fn connect(&self) -> io::Result<UnixStream> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.connect_timeout(&SockAddr::unix(&self.socket)?, self.timeout)?;
        Ok(OwnedFd::from(socket).into())
    }

    fn public_key<Key>(
        &self,
        request: &Request<'_>,
        parse: impl FnOnce(&str) -> Result<Key, Error>,
    ) -> Result<Key, Error> {
        let pem = self.ask(request).map_err(Error::external)?;
        let pem = str::from_utf8(&pem).map_err(|_| Error::external(Failure::Garbage))?;
        parse(pem).map_err(|_| Error::external(Failure::Garbage))
    }
}

/// A decapsulation key in another process. Its public half is fetched once, at the start.
#[derive(Debug)]
pub(crate) struct RemoteDecapsulationKey {
    remote: Remote,
    public: EncapsulationKey,
}

impl RemoteDecapsulationKey {
    pub(crate) fn connect(socket: &Path, timeout: Duration) -> Result<Self, Error> {
        let remote = Remote { socket: socket.to_path_buf(), timeout };
        let public = remote.public_key(&Request::PublicKem, EncapsulationKey::from_pem)?;
        Ok(Self { remote, public })
    }
}

impl Decapsulate for RemoteDecapsulationKey {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.public
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        let (key, ciphertext) = (self.public.key_id(), ciphertext.as_bytes());
        let secret = self.remote.ask(&Request::Decapsulate { key, ciphertext });
        // A secret of another length is an error of that process, not of the data.
        SharedSecret::from_bytes(self.public.suite(), &secret.map_err(Error::external)?)
            .map_err(|_| Error::external(Failure::Garbage))
    }
}

/// A signing key in another process.
#[derive(Debug)]
pub(crate) struct RemoteSigningKey {
    remote: Remote,
    public: VerifyingKey,
}

impl RemoteSigningKey {
    pub(crate) fn connect(socket: &Path, timeout: Duration) -> Result<Self, Error> {
        let remote = Remote { socket: socket.to_path_buf(), timeout };
        let public = remote.public_key(&Request::PublicSign, VerifyingKey::from_pem)?;
        Ok(Self { remote, public })
    }
}

impl Sign for RemoteSigningKey {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// The message stays here: the other process receives only its hash.
    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        let request = Request::Sign { key: self.public.key_id(), context, sha512 };
        let signature = self.remote.ask(&request).map_err(Error::external)?;
        Signature::from_bytes(self.public.suite(), &signature)
            .map_err(|_| Error::external(Failure::Garbage))
    }
}
