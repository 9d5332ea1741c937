//! A sealed store in a directory, with keys and a checkpoint in files.

use std::{fs, path::Path, sync::Arc};

use object_store::local::LocalFileSystem;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use support::example::{Example, example, names};
use tempfile::TempDir;
use twinseal::{
    DecapsulationKey, SigningKey, VerifyingKey,
    store::{Pin, SealedStore},
};

/// A tensor that is larger than a chunk and starts in the middle of one.
pub(crate) const TENSOR: &str = "layer.200";

/// The keys 0 and 1, of which 0 is the owner's.
pub(crate) struct Fixture {
    pub(crate) directory: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let fixture = Self { directory: tempfile::tempdir().unwrap() };
        for index in 0..2 {
            let key = DecapsulationKey::generate().unwrap();
            key.write_pem_file(fixture.path(&format!("{index}.pem"))).unwrap();
            fixture.write(&format!("{index}.pub.pem"), key.encapsulation_key().to_pem());
        }
        for name in ["owner", "trainer"] {
            let key = SigningKey::generate().unwrap();
            key.write_pem_file(fixture.path(&format!("{name}.pem"))).unwrap();
            fixture.write(&format!("{name}.pub.pem"), key.verifying_key().to_pem());
        }
        fixture.write("model", model());
        fixture.run(&format!("create @store {OWNER}")).prints();
        fixture
    }

    /// With the checkpoint `run-7`.
    pub(crate) fn sealed() -> Self {
        let fixture = Self::new();
        fixture.run(&format!("seal @store run-7 @model {SEALER}")).prints();
        fixture
    }

    /// A command, in which `@` stands for the directory.
    pub(crate) fn run(&self, command: &str) -> Example {
        let directory = self.path("");
        example("checkpoint", command.split(' ').map(|word| word.replace('@', &directory)))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The store, as its reader 0 opens it.
    pub(crate) fn store(&self) -> SealedStore {
        let directory = LocalFileSystem::new_with_prefix(self.path("store")).unwrap();
        let key = DecapsulationKey::read_pem_file(self.path("0.pem")).unwrap();
        let owner = VerifyingKey::read_pem_file(self.path("owner.pub.pem")).unwrap();
        let pin = Pin::read_file(self.path("pin")).unwrap();
        let context = b"example.com/checkpoints/v1";
        block_on(SealedStore::open(Arc::new(directory), context, key, &owner, pin)).unwrap()
    }

    /// The names of what is in the directory of a checkpoint.
    pub(crate) fn objects(&self, name: &str) -> Vec<String> {
        let directory = self.path(&format!("store/{name}"));
        if Path::new(&directory).exists() { names(Path::new(&directory)) } else { Vec::new() }
    }

    /// The name of the data of `run-7`, which is the only one.
    pub(crate) fn data(&self) -> String {
        let objects = self.objects("run-7");
        let [data, signature] = objects.as_slice() else { panic!("{objects:?}") };
        assert_eq!(signature, "model.sig");
        format!("store/run-7/{data}")
    }
}

/// The rest of a sealer's, a reader's and the owner's commands.
pub(crate) const SEALER: &str = "-s @trainer.pem -k @0.pem --owner @owner.pub.pem -p @pin";
pub(crate) const READER: &str =
    "--signed-by @trainer.pub.pem -k @0.pem --owner @owner.pub.pem -p @pin";
pub(crate) const OWNER: &str = "-k @0.pem -s @owner.pem -p @pin";

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Whose signature a reader asks for.
pub(crate) const SIGNED: &str = "--signed-by @trainer.pub.pem";

/// A safetensors file with more metadata than fits into a chunk.
fn model() -> Vec<u8> {
    let weights: Vec<u8> = (0..200_000_u32).map(|index| (index ^ (index >> 8)) as u8).collect();
    let tensors = (0..500).map(|layer| {
        let length = if layer == 200 { 100_000 } else { 1000 + layer };
        let view = TensorView::new(Dtype::U8, vec![length], &weights[layer..layer + length]);
        (format!("layer.{layer}"), view.unwrap())
    });
    safetensors::serialize(tensors, None).unwrap()
}

pub(crate) fn tensor(file: &[u8]) -> Vec<u8> {
    SafeTensors::deserialize(file).unwrap().tensor(TENSOR).unwrap().data().to_vec()
}
