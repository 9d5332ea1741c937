//! Reads the keys of a service and of a client, and generates keys to try them with.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use twinseal::{
    DecapsulationKey, EncapsulationKey, Keyring, SigningKey, VerifyingKey, keyring::Shared,
};

use crate::{Failure, clients::Clients};
use common::Target;

/// The files that `serve` reads, as they are mounted in a pod.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServiceKeys {
    /// Directory of the private keys that open requests: primary.pem, and older ones as any other
    /// *.pem; read again when it changes
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The private key that signs answers
    #[arg(long, value_name = "FILE")]
    signing_key: PathBuf,
    /// Directory of the clients' public keys, NAME.sign.pem and NAME.kem.pem; read again when it
    /// changes
    #[arg(long, value_name = "DIR")]
    clients: PathBuf,
}

impl ServiceKeys {
    pub(crate) fn read(&self) -> Result<(Shared<Keyring>, SigningKey, Clients), Failure> {
        Ok((
            Shared::read_dir(&self.keys)?,
            SigningKey::read_pem_file(&self.signing_key)?,
            Clients::read_dir(&self.clients).map_err(|error| at(&self.clients, &error))?,
        ))
    }
}

/// The keys that a client needs: two private keys of its own, two public keys of the service.
#[derive(Debug)]
pub(crate) struct ClientKeys {
    pub(crate) signing_key: SigningKey,
    pub(crate) decapsulation_key: DecapsulationKey,
    pub(crate) service_verifying_key: VerifyingKey,
    pub(crate) service_encapsulation_key: EncapsulationKey,
}

const SIGN: &str = "sign.pem";
const KEM: &str = "kem.pem";
const SERVICE_SIGN: &str = "service.sign.pem";
const SERVICE_KEM: &str = "service.kem.pem";

impl ClientKeys {
    pub(crate) fn read_dir(directory: &Path) -> Result<Self, Failure> {
        Ok(Self {
            signing_key: SigningKey::read_pem_file(directory.join(SIGN))?,
            decapsulation_key: DecapsulationKey::read_pem_file(directory.join(KEM))?,
            service_verifying_key: VerifyingKey::read_pem_file(directory.join(SERVICE_SIGN))?,
            service_encapsulation_key: EncapsulationKey::read_pem_file(
                directory.join(SERVICE_KEM),
            )?,
        })
    }
}

/// Generates the keys of a service and its first client in a new directory.
pub(crate) fn generate(directory: &Path) -> Result<(), Failure> {
    let (service, client) = (directory.join("service"), directory.join("client"));
    let (keys, registered) = (service.join("keys"), service.join("clients"));
    fs::create_dir(directory).map_err(|error| at(directory, &error))?;
    for directory in [&service, &client, &keys, &registered] {
        fs::create_dir(directory).map_err(|error| at(directory, &error))?;
    }
    let (opens, signs) = (DecapsulationKey::generate()?, SigningKey::generate()?);
    opens.write_pem_file(keys.join("primary.pem"))?;
    signs.write_pem_file(service.join(SIGN))?;
    write_public(&client.join(SERVICE_KEM), &opens.encapsulation_key().to_pem())?;
    write_public(&client.join(SERVICE_SIGN), &signs.verifying_key().to_pem())?;

    let (opens, signs) = (DecapsulationKey::generate()?, SigningKey::generate()?);
    opens.write_pem_file(client.join(KEM))?;
    signs.write_pem_file(client.join(SIGN))?;
    write_public(&registered.join("demo.kem.pem"), &opens.encapsulation_key().to_pem())?;
    write_public(&registered.join("demo.sign.pem"), &signs.verifying_key().to_pem())
}

/// Writes the file completely or not at all, as private keys are written.
fn write_public(path: &Path, pem: &str) -> Result<(), Failure> {
    Target::new(path)?.write(pem.as_bytes())
}

/// Names the file or directory that an error is about.
fn at(path: &Path, error: &io::Error) -> Failure {
    format!("{}: {error}", path.display()).into()
}
