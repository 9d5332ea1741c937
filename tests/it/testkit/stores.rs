//! Sealed stores.

use std::sync::Arc;

use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
use twinseal::{
    provider::Provider,
    store::{Options, Pin},
};

use super::{
    case::{Case, kem_key, verifying_key},
    outcome::{Outcome, Wrong, expected, plaintext_expected},
};

pub(super) fn store(case: &Case, provider: &'static Provider) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let inner = InMemory::new();
        for (path, content) in case.all("object").zip(case.all("content")) {
            let path = Path::parse(path.text()).unwrap();
            inner.put(&path, content.value.clone().into()).await.unwrap();
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
