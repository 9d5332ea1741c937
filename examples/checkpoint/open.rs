//! Reads any range of a sealed object with range requests, without downloading the rest.

use std::ops::Range;

use object_store::{ObjectMeta, path::Path};
use twinseal::{
    DecapsulationKey, Error, Plaintext,
    envelope::{Body, BodyKey, Header},
    secret::SecretBuffer,
};

use crate::{Result, place::Place};

/// A sealed object of authenticated length. Everything that it returns is authentic and comes from
/// this object: if the body is replaced between two reads, reading fails.
pub(crate) struct SealedObject<'a> {
    place: &'a Place,
    body: Body,
    header_len: u64,
    body_len: u64,
}

impl<'a> SealedObject<'a> {
    /// Three requests: the header, the first bytes of the body with its length, and its last chunk.
    pub(crate) async fn open(
        place: &'a Place,
        keys: &[DecapsulationKey],
        context: &[u8],
    ) -> Result<Self> {
        let (header, _) = read_header(place, &place.header()).await?;
        Self::with_header(place, &header, keys, context).await
    }

    pub(crate) async fn with_header(
        place: &'a Place,
        header: &Header,
        keys: &[DecapsulationKey],
        context: &[u8],
    ) -> Result<Self> {
        let body_key = find(keys, header)?.unlock(header)?;
        let prefix = 0..BodyKey::PREFIX_LEN as u64;
        let (prefix, body_len) = place.get(&place.body(), prefix).await?;
        let prefix = prefix.as_slice().try_into()?;
        let unverified = body_key.body(context, prefix, body_len)?;

        let mut last_chunk = get(place, unverified.range()).await?;
        let body = unverified.authenticate(&mut last_chunk)?;
        Ok(Self { place, body, header_len: header.len() as u64, body_len })
    }

    /// Length of the plaintext.
    pub(crate) fn len(&self) -> u64 {
        self.body.len()
    }

    /// Length of header and body.
    pub(crate) fn sealed_len(&self) -> u64 {
        self.header_len + self.body_len
    }

    /// One request, for the chunks in which the range lies.
    pub(crate) async fn read(&self, range: Range<u64>) -> Result<Plaintext> {
        let plan = self.body.plan(range)?;
        let mut sealed = get(self.place, plan.sealed()).await?;
        Ok(self.body.open(&plan, &mut sealed)?)
    }
}

/// Reads a header, and the version of its object.
pub(crate) async fn read_header(place: &Place, object: &Path) -> Result<(Header, ObjectMeta)> {
    let (bytes, meta) = place.get_all(object).await.map_err(|error| missing(place, error))?;
    let header = Header::parse(&bytes)?;
    if header.len() != bytes.len() {
        return Err(format!("{object} holds more than a header").into());
    }
    Ok((header, meta))
}

/// The key to which the header is addressed, found by its id, without trial decryption.
pub(crate) fn find<'a>(
    keys: &'a [DecapsulationKey],
    header: &Header,
) -> Result<&'a DecapsulationKey> {
    let found = keys.iter().find(|key| header.find(key.encapsulation_key()).is_some());
    Ok(found.ok_or(Error::NotARecipient)?)
}

/// Fetches a range of the body. It is opened in place, so the buffer is one that is wiped.
async fn get(place: &Place, range: Range<u64>) -> Result<SecretBuffer> {
    if range.is_empty() {
        return Ok(SecretBuffer::with_capacity(0)); // stores refuse empty ranges
    }
    let (sealed, _) = place.get(&place.body(), range).await?;
    Ok(SecretBuffer::from(sealed))
}

fn missing(
    place: &Place,
    error: Box<dyn std::error::Error + Send + Sync>,
) -> Box<dyn std::error::Error + Send + Sync> {
    match error.downcast_ref() {
        Some(object_store::Error::NotFound { .. }) => {
            format!("{}: there is no sealed checkpoint", place.name()).into()
        }
        _ => error,
    }
}
