//! Reads the keys of a client, and generates keys to try the service with.

use std::{fs, path::Path, sync::Arc};

use twinseal::{DecapsulationKey, EncapsulationKey, SigningKey, VerifyingKey};

use crate::Failure;
use common::Target;

/// The keys that a client needs. It has no key that answers are sealed to: the secret of its request
/// opens the answer.
pub(crate) struct ClientKeys {
    pub(crate) signing_key: Arc<SigningKey>,
    pub(crate) service_encapsulation_key: EncapsulationKey,
    /// If there is one, every result must have a signature of it.
    pub(crate) service_verifying_key: Option<VerifyingKey>,
}

const SIGN: &str = "sign.pem";
const SERVICE_KEM: &str = "service.kem.pem";
const SERVICE_SIGN: &str = "service.sign.pem";

impl ClientKeys {
    pub(crate) fn read_dir(directory: &Path, verify_results: bool) -> Result<Self, Failure> {
        let verifying_key = || VerifyingKey::read_pem_file(directory.join(SERVICE_SIGN));
        Ok(Self {
            signing_key: SigningKey::read_pem_file(directory.join(SIGN))?.into(),
            service_encapsulation_key: EncapsulationKey::read_pem_file(
                directory.join(SERVICE_KEM),
            )?,
            service_verifying_key: verify_results.then(verifying_key).transpose()?,
        })
    }
}

/// Generates the keys of a service and its first client in a new directory.
pub(crate) fn generate(directory: &Path) -> Result<(), Failure> {
    let (service, client) = (directory.join("service"), directory.join("client"));
    let (keys, clients) = (service.join("keys"), service.join("clients"));
    for directory in [directory, &service, &client, &keys, &clients] {
        let made = fs::create_dir(directory);
        made.map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    let (opens, signs) = (DecapsulationKey::generate()?, SigningKey::generate()?);
    opens.write_pem_file(keys.join("primary.pem"))?;
    signs.write_pem_file(service.join(SIGN))?;
    write_public(&client.join(SERVICE_KEM), &opens.encapsulation_key().to_pem())?;
    write_public(&client.join(SERVICE_SIGN), &signs.verifying_key().to_pem())?;

    let signs = SigningKey::generate()?;
    signs.write_pem_file(client.join(SIGN))?;
    write_public(&clients.join("demo.pem"), &signs.verifying_key().to_pem())
}

/// Writes the file completely or not at all, as private keys are written.
fn write_public(path: &Path, pem: &str) -> Result<(), Failure> {
    Target::new(path)?.write(pem.as_bytes())
}
