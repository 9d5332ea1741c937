//! Who decides whether a request is let in: at most once, and only for a while.

use std::sync::Arc;

use super::{RequestId, RequestTime};
use crate::{error::Error, key_id::KeyId};

/// Lets each request in at most once.
///
/// Anyone who recorded a request can send it again. A guard remembers the ids of the requests that it
/// let in, and refuses the others with [`Error::Replay`].
///
/// [`WindowGuard`](super::WindowGuard) is the library's own, for a service of one process.
/// [`Window`](super::Window) shows how to write one for several that share a key.
pub trait ReplayGuard: Send + Sync {
    /// Lets a request in and remembers it, in one step: of two calls with the same id, even at the
    /// same time, at most one returns `Ok`. `signer` is the key whose signature was verified, or `None`
    /// for an unsigned request; `time` is the time by the clock of the maker.
    ///
    /// # Errors
    ///
    /// [`Error::Replay`] if the request is refused; [`Error::External`] if the guard cannot be
    /// reached.
    fn admit(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error>;

    /// Refuses already what [`admit`](Self::admit) would refuse, but remembers nothing. It is called
    /// after the signature was verified and before the key exchange, to spend nothing more on a
    /// replay. Without one of its own a guard refuses nothing here.
    ///
    /// # Errors
    ///
    /// Same as [`admit`](Self::admit).
    fn look(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        let _ = (id, signer, time);
        Ok(())
    }
}

/// Lets every request in, at any time and as often as it comes: for requests that do no harm when they
/// are repeated.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowReplays;

impl ReplayGuard for AllowReplays {
    fn admit(&self, _: RequestId, _: Option<KeyId>, _: RequestTime) -> Result<(), Error> {
        Ok(())
    }
}

impl<T: ReplayGuard + ?Sized> ReplayGuard for &T {
    fn admit(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        (**self).admit(id, signer, time)
    }

    fn look(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        (**self).look(id, signer, time)
    }
}

impl<T: ReplayGuard + ?Sized> ReplayGuard for Box<T> {
    fn admit(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        (**self).admit(id, signer, time)
    }

    fn look(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        (**self).look(id, signer, time)
    }
}

impl<T: ReplayGuard + ?Sized> ReplayGuard for Arc<T> {
    fn admit(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        (**self).admit(id, signer, time)
    }

    fn look(&self, id: RequestId, signer: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        (**self).look(id, signer, time)
    }
}
