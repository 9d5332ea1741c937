//! The demonstration: seals, reads, rotates and fails, with a checkpoint and keys of its own.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use object_store::ObjectStoreExt;
use safetensors::tensor::TensorInfo;
use twinseal::{DecapsulationKey, EncapsulationKey, Recipients};

use crate::{
    Result,
    arguments::CONTEXT,
    model,
    open::SealedObject,
    place::Place,
    rotate, seal,
    tensors::{Checkpoint, describe, length},
};
use common::printable;

const CONTEXT_BYTES: &[u8] = CONTEXT.as_bytes();

const CLOUDS: [&str; 3] = ["aws", "gcp", "azure"];

pub(crate) async fn run(mib: u32, store: Option<&str>, out: &mut impl Write) -> Result<()> {
    let directory = tempfile::tempdir()?; // removed with all its files when dropped
    let temporary = directory.path().join("store");
    let store = store.map_or_else(|| temporary.to_string_lossy(), Into::into);
    let keys = CLOUDS.iter().map(|_| DecapsulationKey::generate());
    let keys: Vec<_> = keys.collect::<std::result::Result<_, _>>()?;
    let run = keys.first().ok_or("there is a key for aws")?.encapsulation_key().key_id();
    let name = format!("{}/twinseal-demonstration-{run}", store.trim_end_matches('/'));

    let file = directory.path().join("model.safetensors");
    model::write(&file, mib)?;
    let outcome = demonstrate(&file, &name, keys, out).await;
    // The keys exist only in this process, so nobody could open the objects later.
    remove(&Place::parse(&name)?).await;
    outcome
}

async fn demonstrate(
    file: &Path,
    name: &str,
    mut keys: Vec<DecapsulationKey>,
    out: &mut impl Write,
) -> Result<()> {
    let place = Place::parse(name)?;

    writeln!(out, "Seal a checkpoint into the store, for {}", CLOUDS.join(", "))?;
    let sealed = seal::seal(file, CONTEXT_BYTES, &recipients(&keys)?, &place).await?;
    seal::report(&sealed, &place, out)?;

    writeln!(out, "\nRead one tensor, without the rest")?;
    let mut readers = CLOUDS.iter().zip(&keys);
    if let Some((cloud, key)) = readers.next() {
        writeln!(out, "  with the key of {cloud}")?;
        read_one(file, name, key, out).await?;
    }
    for (cloud, key) in readers {
        read_one(file, name, key, &mut io::sink()).await?;
        writeln!(out, "  with the key of {cloud}: the same")?;
    }

    writeln!(out, "\nRotate: azure gets a new key")?;
    let old = keys.pop().ok_or("there is a key for azure")?;
    keys.push(DecapsulationKey::generate()?);
    let rotated = rotate::rewrap(&place, std::slice::from_ref(&old), &recipients(&keys)?).await?;
    rotate::report(&rotated, &place, out)?;

    writeln!(out, "\nAfter the rotation")?;
    let new = keys.last().ok_or("there is a new key for azure")?;
    verdict(out, "azure's new key", opens(&place, new, CONTEXT_BYTES).await)?;
    let refused = opens(&place, &old, CONTEXT_BYTES).await;
    verdict(out, "azure's old key", must_fail(refused)?)?;

    let previous = rotate::previous(&place).await?;
    let old = std::slice::from_ref(&old);
    let with_previous = SealedObject::with_header(&place, &previous, old, CONTEXT_BYTES).await;
    verdict(out, "the old key with header.previous", with_previous.map(drop))?;
    writeln!(
        out,
        "  Rewrapping is not revocation: anyone who kept the old header and key has access."
    )?;

    writeln!(out, "\nAttempts that must fail")?;
    let stranger = opens(&place, &DecapsulationKey::generate()?, CONTEXT_BYTES).await;
    verdict(out, "somebody else's key", must_fail(stranger)?)?;
    let elsewhere = opens(&place, new, b"example.com/logs").await;
    verdict(out, "another context", must_fail(elsewhere)?)?;
    let again = seal::seal(file, CONTEXT_BYTES, &recipients(&keys)?, &place).await;
    verdict(out, "sealing to the same place", must_fail(again.map(drop))?)?;
    Ok(())
}

/// Reads the last tensor, and compares it with the one in the file.
async fn read_one(
    file: &Path,
    name: &str,
    key: &DecapsulationKey,
    out: &mut impl Write,
) -> Result<()> {
    let place = Place::parse(name)?; // its counters start at 0
    let checkpoint = Checkpoint::open(&place, std::slice::from_ref(key), CONTEXT_BYTES).await?;
    let tensor = checkpoint.names().pop().ok_or("the checkpoint has tensors")?;
    let info = checkpoint.info(&tensor)?;
    let weights = checkpoint.read(info, 0..length(info)).await?;
    writeln!(out, "  {}", describe(&tensor, info))?;
    place.report_traffic(checkpoint.sealed_len(), out)?;
    if weights[..] != *original(file, info)? {
        return Err("this is not the tensor that was sealed".into());
    }
    Ok(writeln!(out, "  the same as in the file")?)
}

/// The last bytes of the file are its last tensor.
fn original(file: &Path, info: &TensorInfo) -> Result<Vec<u8>> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::End(-i64::try_from(length(info))?))?;
    let mut weights = Vec::new();
    file.read_to_end(&mut weights)?;
    Ok(weights)
}

async fn opens(place: &Place, key: &DecapsulationKey, context: &[u8]) -> Result<()> {
    SealedObject::open(place, std::slice::from_ref(key), context).await.map(drop)
}

fn recipients(keys: &[DecapsulationKey]) -> Result<Recipients> {
    let keys: Vec<&EncapsulationKey> =
        keys.iter().map(DecapsulationKey::encapsulation_key).collect();
    Ok(Recipients::new(keys)?)
}

fn must_fail(outcome: Result<()>) -> Result<Result<()>> {
    match outcome {
        Ok(()) => Err("what must fail has succeeded".into()),
        failed => Ok(failed),
    }
}

fn verdict(out: &mut impl Write, what: &str, outcome: Result<()>) -> Result<()> {
    let verdict = match outcome {
        Ok(()) => "opens".to_owned(),
        Err(error) => printable(error),
    };
    Ok(writeln!(out, "  {what}\n    {verdict}")?)
}

async fn remove(place: &Place) {
    for object in [place.header(), place.previous_header(), place.body()] {
        let _ = place.store.delete(&object).await; // it may never have been written
    }
    let _ = std::fs::remove_dir(place.name()); // stores in the cloud have no directories to remove
}
