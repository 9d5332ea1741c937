//! What every way of opening does, once it knows how to unlock the header.

use std::io::{self, Read};

use super::{BodyKey, Header};
use crate::{
    context,
    error::Error,
    plaintext::Plaintext,
    stream::{self, OpenReader, RandomAccess, ReadAt},
};

pub(super) fn open(
    context: &[u8],
    sealed: &[u8],
    unlock: impl FnOnce(&Header) -> Result<BodyKey, Error>,
) -> Result<Plaintext, Error> {
    context::check(context)?;
    let header = Header::parse(sealed)?;
    let body = sealed.get(header.len()..).unwrap_or_default();
    unlock(&header)?.open(context, body)
}

pub(super) fn open_reader<R: Read>(
    context: &[u8],
    mut inner: R,
    unlock: impl FnOnce(&Header) -> Result<BodyKey, Error>,
) -> io::Result<OpenReader<R>> {
    context::check(context)?;
    let body_key = unlock(&Header::read(&mut inner)?)?;
    let mut prefix = [0; BodyKey::PREFIX_LENGTH];
    if let (_, true) = stream::read_full(&mut inner, &mut prefix, 0)? {
        return Err(Error::Open.into()); // cut off, which is one of the things that it means
    }
    Ok(OpenReader::new(body_key.opener(context, &prefix)?, inner))
}

pub(super) fn open_at<S: ReadAt>(
    context: &[u8],
    source: S,
    unlock: impl FnOnce(&Header) -> Result<BodyKey, Error>,
) -> io::Result<RandomAccess<S>> {
    context::check(context)?;
    let envelope_length = stream::size(&source)?; // a request, where the source is an object in a store
    let (header, behind) = Header::read_at(&source, envelope_length)?;
    let body_key = unlock(&header)?;
    let prefix = match behind.first_chunk() {
        Some(prefix) => *prefix,
        None => {
            let mut prefix = [0; BodyKey::PREFIX_LENGTH];
            stream::read_exact_at(&source, &mut prefix, header.len() as u64).map_err(cut_off)?;
            prefix
        }
    };
    RandomAccess::new(source, body_key.body(context, &prefix, envelope_length)?)
}

/// An envelope that ends inside its body was cut off, which is one of the things `Open` means.
fn cut_off(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { Error::Open.into() } else { error }
}
