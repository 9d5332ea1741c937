//! Contexts: what a key, a message or a file is for.

use crate::error::Error;

/// Contexts of the crate's own protocols start with this; callers' contexts must not.
const RESERVED: &[u8] = b"twinseal/";

/// Checks a caller's context: 1 to 255 bytes, outside the crate's own namespace.
pub(crate) fn check(context: &[u8]) -> Result<(), Error> {
    if context.is_empty() {
        return Err(Error::Context("it is empty; say what the data is for"));
    }
    if context.starts_with(RESERVED) {
        return Err(Error::Context("the prefix \"twinseal/\" is reserved"));
    }
    length(context).map(drop)
}

/// The byte that carries a context's length, for contexts of the crate's own, too.
pub(crate) fn length(context: &[u8]) -> Result<u8, Error> {
    u8::try_from(context.len()).map_err(|_| Error::Context("it is longer than 255 bytes"))
}
