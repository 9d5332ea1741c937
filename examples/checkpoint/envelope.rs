//! A checkpoint for somebody who is no reader of the store: an envelope, sealed and signed in one pass, too.

use std::{fs::File, io, num::NonZeroU64, ops::Range, path::Path};

use twinseal::{
    DecapsulationKey, EncapsulationKey, SigningKey,
    model::{Bundle, Hashing, ManifestBuilder, Method, TrustedKey},
};

use crate::Result;

const CONTEXT: &[u8] = b"example.com/checkpoints/v1";
const SHARD: NonZeroU64 = NonZeroU64::new(64 << 10).expect("it is not zero");
const NAME: &str = "model.safetensors";

/// Seals a file, and signs it while it is read.
pub(crate) fn seal(
    from: &Path,
    to: &Path,
    recipient: &EncapsulationKey,
    signer: &SigningKey,
) -> Result<Bundle> {
    let mut model = ManifestBuilder::new("run-7")?.with_method(Method::Shards(SHARD));
    let sealed = recipient.seal_writer(CONTEXT, File::create(to)?)?;
    let mut writer = Hashing::new(sealed, model.method())?;
    io::copy(&mut File::open(from)?, &mut writer)?;
    let (sealed, digest) = writer.finish()?;
    sealed.finish()?.sync_all()?;
    model.add(NAME, digest)?;
    Ok(model.sign(signer)?)
}

/// Reads a part, and verifies the shards that it is in.
pub(crate) fn read(
    from: &Path,
    range: Range<u64>,
    recipient: &DecapsulationKey,
    bundle: &Bundle,
    signer: TrustedKey,
) -> Result<Vec<u8>> {
    let manifest = bundle.verify(&[signer])?;
    let file = manifest.file(NAME).ok_or("another file was signed")?;
    let opened = recipient.open_at(CONTEXT, File::open(from)?)?;
    Ok(file.read_range(&opened, range)?)
}
