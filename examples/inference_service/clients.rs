//! Who may ask: a directory with two public keys of each client.
//!
//! `NAME.sign.pem` verifies the client's requests, `NAME.kem.pem` is what answers are sealed to. Both
//! are registered together, by whoever keeps the directory: an encapsulation key that came with a
//! request would let anybody who can change requests read the answers.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use twinseal::{EncapsulationKey, Error, KeyId, VerifyingKey};

/// A client that may ask.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// For logs.
    pub(crate) name: String,
    pub(crate) verifying_key: VerifyingKey,
    pub(crate) encapsulation_key: EncapsulationKey,
}

type ById = HashMap<KeyId, Arc<Client>>;

/// All clients, read again when the directory changes.
#[derive(Debug)]
pub(crate) struct Clients {
    current: RwLock<ById>,
    directory: Option<PathBuf>,
}

impl Clients {
    pub(crate) fn new(clients: Vec<Client>) -> Self {
        Self { current: RwLock::new(by_id(clients)), directory: None }
    }

    pub(crate) fn read_dir(path: &Path) -> io::Result<Self> {
        let current = RwLock::new(by_id(read(path)?));
        Ok(Self { current, directory: Some(path.to_path_buf()) })
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<Arc<Client>> {
        // A poisoned lock still guards a whole map: it is only ever replaced by another.
        self.current.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.current.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Reads the directory again, and tells whether anything changed. If a file is wrong, the clients
    /// stay as they were.
    pub(crate) fn reload(&self) -> io::Result<bool> {
        let Some(directory) = &self.directory else { return Ok(false) };
        let new = by_id(read(directory)?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let same = current.len() == new.len()
            && new.iter().all(|(id, client)| {
                let known = current.get(id);
                known.is_some_and(|known| known.encapsulation_key == client.encapsulation_key)
            });
        *current = new;
        Ok(!same)
    }
}

fn by_id(clients: Vec<Client>) -> ById {
    clients.into_iter().map(|client| (client.verifying_key.key_id(), Arc::new(client))).collect()
}

fn read(directory: &Path) -> io::Result<Vec<Client>> {
    // Behind the link of a mounted ConfigMap, so that a change half-way gives no mixture.
    let snapshot = match fs::canonicalize(directory.join("..data")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => directory.to_path_buf(),
        snapshot => snapshot?,
    };
    let mut clients = Vec::new();
    for entry in fs::read_dir(&snapshot)? {
        let file = entry?.file_name();
        let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".sign.pem")) else {
            continue;
        };
        clients.push(Client {
            name: name.to_owned(),
            verifying_key: key(&snapshot.join(&file), VerifyingKey::from_pem)?,
            encapsulation_key: key(
                &snapshot.join(format!("{name}.kem.pem")),
                EncapsulationKey::from_pem,
            )?,
        });
    }
    Ok(clients)
}

/// Reads a public key, and names the file if it is none.
pub(crate) fn key<Key>(path: &Path, parse: fn(&str) -> Result<Key, Error>) -> io::Result<Key> {
    let read = || Ok(parse(&fs::read_to_string(path)?)?);
    read().map_err(|error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    })
}
