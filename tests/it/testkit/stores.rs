//! Sealed stores.

use std::sync::Arc;

use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
use twinseal::{
    provider::Provider,
    store::{Options, Pin},
};

use super::{
    case::{Case, kem_key, part, verifying_key},
    outcome::{Outcome, Wrong, expected, plaintext_expected},
};

/// The objects of the inner store.
fn objects(case: &Case) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    for field in &case.fields {
        if field.name == "object" {
            found.push((field.text().into(), Vec::new()));
        } else if let Some(bytes) = part(field, "content") {
            found.last_mut().unwrap().1.extend(bytes);
        }
    }
    found
}

pub(super) fn store(case: &Case, provider: &'static Provider) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let inner = InMemory::new();
        for (path, content) in objects(case) {
            inner.put(&Path::parse(path).unwrap(), content.into()).await.unwrap();
        }
        let pin = match case.get("pin") {
            None => Pin::first_use(),
            Some(_) => case.text("pin").parse()?,
        };
        let oldest = case.number("oldest-epoch").unwrap_or_default();
        let options = Options::default().not_before(oldest.try_into().unwrap());
        let (reader, owner) =
            (kem_key(case.text("key"), provider), verifying_key(case.text("owner"), provider));
        let opened =
            options.open(Arc::new(inner), case.bytes("context"), reader, &owner, pin).await;
        let store = opened.map_err(|error| Wrong::inside(&error))?;
        expected(case, "new-pin", &store.pin().to_string())?;
        if case.get("read").is_some() {
            let path = Path::parse(case.text("read")).unwrap();
            let read = async { store.get(&path).await?.bytes().await };
            let plaintext = read.await.map_err(|error| Wrong::inside(&error))?;
            plaintext_expected(case, &plaintext)?;
        }
        Ok(())
    })
}
