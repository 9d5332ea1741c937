//! Signed models.

use std::fs;

use twinseal::{
    model::{Bundle, Checking, TrustedKey},
    provider::Provider,
};

use super::{
    case::{Case, verifying_key},
    outcome::Outcome,
};

pub(super) fn model(case: &Case, provider: &'static Provider) -> Outcome {
    let mut trusted: Vec<TrustedKey> =
        case.all("signer").map(|field| (&verifying_key(field.text(), provider)).into()).collect();
    for field in case.all("trusted") {
        trusted.push(TrustedKey::from_pem(field.text())?);
    }
    let manifest = Bundle::from_bytes(case.bytes("bundle"))?.verify(&trusted)?;
    if case.all("file").next().is_none() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    for (path, content) in case.all("file").zip(case.all("content")) {
        let path = directory.path().join(path.text());
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, &content.value)?;
    }
    let checking =
        case.all("ignore").fold(Checking::new(), |checking, path| checking.ignore(path.text()));
    Ok(checking.check(&manifest, directory.path())?.result()?)
}
