//! Rotation: a new header for new keys. The body stays as it is, so a terabyte costs two kilobytes.
//!
//! This moves a checkpoint to new keys; it revokes nothing. The header before stays beside the new
//! one, until the new keys have proven to open it: it is deleted then, by hand or by the store's
//! lifecycle rule. And who has opened it before may have kept what it gave: if a key was stolen,
//! seal the checkpoint anew.

use std::io::Write;

use object_store::{ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use twinseal::{DecapsulationKey, Recipients, envelope::Header};

use crate::{
    Result,
    open::{find, read_header},
    place::Place,
};
use common::printable;

pub(crate) struct Rotated {
    pub(crate) written: usize,
    pub(crate) body: u64,
}

pub(crate) async fn rewrap(
    place: &Place,
    keys: &[DecapsulationKey],
    to: &Recipients,
) -> Result<Rotated> {
    let (old, version) = read_header(place, &place.header()).await?;
    let new = find(keys, &old)?.rewrap_header(to, &old)?;
    let written = new.len();
    let body = place.store.head(&place.body()).await?.size;

    place.store.copy(&place.header(), &place.previous_header()).await?;
    let version = UpdateVersion { e_tag: version.e_tag, version: version.version };
    replace(place, new.into(), version).await?;
    Ok(Rotated { written, body })
}

/// If two rotations meet, the second fails instead of undoing the first. A local directory cannot
/// promise that; there, the last one stands.
async fn replace(place: &Place, new: PutPayload, version: UpdateVersion) -> Result<()> {
    let header = place.header();
    let update = PutMode::Update(version).into();
    match place.store.put_opts(&header, new.clone(), update).await {
        Ok(_) => Ok(()),
        Err(object_store::Error::NotImplemented { .. }) => {
            place.store.put(&header, new).await?;
            Ok(())
        }
        Err(object_store::Error::Precondition { .. }) => {
            Err(format!("{}: somebody else has just rotated it", place.name()).into())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn report(rotated: &Rotated, place: &Place, out: &mut impl Write) -> Result<()> {
    let Rotated { written, body } = rotated;
    writeln!(out, "  {}", printable(place.name()))?;
    writeln!(out, "  header  {written:>12} bytes, replaced")?;
    writeln!(out, "  body    {body:>12} bytes, not touched")?;
    writeln!(
        out,
        "  the header before is kept as header.previous: delete it once the new keys work"
    )?;
    Ok(())
}

/// The header before the last rotation, for who still has the key to it.
pub(crate) async fn previous(place: &Place) -> Result<Header> {
    Ok(read_header(place, &place.previous_header()).await?.0)
}
