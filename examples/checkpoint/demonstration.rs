//! The demonstration: the program's own commands, with a checkpoint and keys of its own.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::{Duration, SystemTime},
};

use clap::Parser;
use safetensors::SafeTensors;
use twinseal::{DecapsulationKey, SigningKey};

use crate::{Result, arguments::Arguments, envelope, model, perform};
use common::printable;

/// What every reader says: its key, the owner's, and the pin that it keeps outside the bucket.
const AWS: &str = "-k @aws.pem --owner @owner.pub.pem -p @aws.pin";
const GCP: &str = "-k @gcp.pem --owner @owner.pub.pem -p @gcp.pin";
const OWNER: &str = "-k @aws.pem -s @owner.pem -p @aws.pin";

/// Who signs checkpoints, and whose signature is asked for.
const SIGNER: &str = "-s @trainer.pem";
const SIGNED: &str = "--signed-by @trainer.pub.pem";

const TENSOR: &str = "layers.3.qkv_proj.weight";

pub(crate) async fn run(mib: u32, out: &mut impl Write) -> Result<()> {
    let directory = tempfile::tempdir()?; // removed with all its files when dropped
    let path = |name: &str| directory.path().join(name);
    for cloud in ["aws", "gcp"] {
        let key = DecapsulationKey::generate()?;
        key.write_pem_file(path(&format!("{cloud}.pem")))?;
        fs::write(path(&format!("{cloud}.pub.pem")), key.encapsulation_key().to_pem())?;
    }
    for signer in ["owner", "trainer", "mallory"] {
        let key = SigningKey::generate()?;
        key.write_pem_file(path(&format!("{signer}.pem")))?;
        fs::write(path(&format!("{signer}.pub.pem")), key.verifying_key().to_pem())?;
    }
    model::write(&path("model.safetensors"), mib)?;
    let demonstration = Demonstration(directory.path());

    writeln!(out, "A store in a bucket, here a directory")?;
    demonstration.works(&format!("create @bucket {OWNER}"), out).await?;

    writeln!(
        out,
        "\nSeal and sign a checkpoint in one pass; two do at once, and one of them is refused"
    )?;
    demonstration.seal_twice(out).await?;

    writeln!(out, "\nRead and verify one tensor, without the rest")?;
    let read = format!("read @bucket run-7 -t {TENSOR} {SIGNED}");
    demonstration.works(&format!("{read} -o @tensor {AWS}"), out).await?;
    same(&path("tensor"), &path("model.safetensors"))?;
    writeln!(out, "  the same as in the file")?;

    writeln!(out, "\nLet a second cloud read, and take it back")?;
    demonstration.works(&format!("grant @bucket @gcp.pub.pem {OWNER}"), out).await?;
    fs::copy(path("aws.pin"), path("gcp.pin"))?;
    demonstration.works(&format!("{read} {GCP}"), out).await?;
    let revoke = format!("revoke @bucket @gcp.pub.pem --nobody-else-writes {OWNER}");
    demonstration.works(&revoke, out).await?;
    demonstration.fails(&format!("{read} {GCP}"), out).await?;

    writeln!(out, "\nDelete the key that gcp knew")?;
    demonstration.fails(&format!("retire @bucket 1 {OWNER}"), out).await?;
    writeln!(out, "  two minutes later (the demonstration changes the time of the new keys):")?;
    let keys = path("bucket/.twinseal/keys/0000000003");
    let date = SystemTime::now() - Duration::from_secs(130);
    File::options().write(true).open(&keys)?.set_modified(date)?;
    demonstration.works(&format!("retire @bucket 1 {OWNER}"), out).await?;
    demonstration.works(&format!("{read} {AWS}"), out).await?;

    writeln!(out, "\nSeal and sign a copy for somebody who is no reader, in one pass, too")?;
    let (model, copy) = (path("model.safetensors"), path("copy.sealed"));
    let trainer = SigningKey::read_pem_file(path("trainer.pem"))?;
    let partner = DecapsulationKey::generate()?;
    let bundle = envelope::seal(&model, &copy, partner.encapsulation_key(), &trainer)?;
    let from_trainer = trainer.verifying_key().into();
    let part = envelope::read(&copy, 1_000_000..1_500_000, &partner, &bundle, from_trainer)?;
    if part != fs::read(&model)?[1_000_000..1_500_000] {
        return Err("not the part that was sealed".into());
    }
    writeln!(out, "  the partner has read and verified {} bytes in the middle", part.len())?;

    writeln!(out, "\nAttempts that must fail")?;
    writeln!(out, "  somebody deletes the newest keys from the bucket, to hide the change:")?;
    let newest = path("bucket/.twinseal/keys/0000000004");
    fs::rename(&newest, path("hidden"))?;
    demonstration.fails(&format!("{read} {AWS}"), out).await?;
    fs::rename(path("hidden"), newest)?;
    demonstration.fails(&format!("{read} -c example.com/logs {AWS}"), out).await?;
    demonstration
        .fails(&format!("seal @bucket run-7 @model.safetensors {SIGNER} {AWS}"), out)
        .await?;
    writeln!(
        out,
        "  a reader, who can write too, puts another checkpoint in the place of the trainer's:"
    )?;
    fs::rename(path("bucket/run-7/model.sig"), path("hidden"))?;
    let forged = format!("seal @bucket run-7 @model.safetensors -s @mallory.pem {AWS}");
    demonstration.works(&forged, out).await?;
    demonstration.fails(&format!("{read} {AWS}"), out).await?;
    Ok(())
}

/// The directory in which all its files are; `@` stands for it in commands.
struct Demonstration<'a>(&'a Path);

impl Demonstration<'_> {
    async fn works(&self, command: &str, out: &mut impl Write) -> Result<()> {
        let directory = format!("{}/", self.0.to_str().ok_or("a temporary directory in UTF-8")?);
        writeln!(out, "$ checkpoint {}", command.replace('@', ""))?;
        let words = command.split(' ').map(|word| word.replace('@', &directory));
        let arguments =
            Arguments::try_parse_from(["checkpoint".to_owned()].into_iter().chain(words))?;
        perform(arguments.command.ok_or("every step is a command")?, out).await
    }

    async fn fails(&self, command: &str, out: &mut impl Write) -> Result<()> {
        match self.works(command, out).await {
            Ok(()) => Err("what must fail has succeeded".into()),
            Err(error) => self.show(&*error, out),
        }
    }

    async fn seal_twice(&self, out: &mut impl Write) -> Result<()> {
        let command = format!("seal @bucket run-7 @model.safetensors {SIGNER} {AWS}");
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let outcomes =
            tokio::join!(self.works(&command, &mut first), self.works(&command, &mut second));
        let outcomes = [(first, outcomes.0), (second, outcomes.1)];
        if outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count() != 1 {
            return Err("one of two must be refused".into());
        }
        for (printed, outcome) in outcomes {
            out.write_all(&printed)?;
            if let Err(error) = outcome {
                self.show(&*error, out)?;
            }
        }
        Ok(())
    }

    fn show(&self, error: &dyn std::error::Error, out: &mut impl Write) -> Result<()> {
        // Paths in a store begin without a slash.
        let directory = format!("{}/", self.0.display());
        let error = error.to_string().replace(&directory, "");
        let error = error.replace(directory.trim_start_matches('/'), "");
        Ok(writeln!(out, "  refused: {}", printable(error))?)
    }
}

/// The tensor in a file of its own has the bytes that it has in the model.
fn same(tensor: &Path, model: &Path) -> Result<()> {
    let (tensor, model) = (fs::read(tensor)?, fs::read(model)?);
    let tensors = [SafeTensors::deserialize(&tensor)?, SafeTensors::deserialize(&model)?];
    if tensors[0].tensor(TENSOR)?.data() == tensors[1].tensor(TENSOR)?.data() {
        return Ok(());
    }
    Err("not the tensor that was sealed".into())
}
