//! Rotates keys: writes a new header for new keys. The body stays as it is, so rotating a terabyte
//! writes two kilobytes.
//!
//! This moves a checkpoint to new keys, but does not revoke the old ones. The previous header stays
//! beside the new one until the new keys are known to work. Then it is deleted, by hand or by a
//! lifecycle rule of the store. Anyone who opened the checkpoint before may have kept its content:
//! if a key was stolen, seal the checkpoint again.

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

/// Of two rotations at the same time, the second fails instead of undoing the first. A local
/// directory cannot ensure that: there the last one wins.
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
        "  the previous header is kept as header.previous: delete it when the new keys work"
    )?;
    Ok(())
}

/// The header before the last rotation, for those who still have a key for it.
pub(crate) async fn previous(place: &Place) -> Result<Header> {
    Ok(read_header(place, &place.previous_header()).await?.0)
}
