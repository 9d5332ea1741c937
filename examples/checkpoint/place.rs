//! Where a store is: a local directory, or a URL that the features of `object_store` cover.

use std::sync::Arc;

use object_store::{ObjectStore, local::LocalFileSystem, path::Path};
use url::Url;

use crate::Result;

/// Environment variables with these prefixes configure the clouds, as they do for the clouds' own
/// tools. Others are ignored, because they can mean anything: `TOKEN` and `REGION` are names of
/// settings, too.
const SETTINGS: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// The bucket, and where in it the store is.
pub(crate) fn parse(text: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
    if !text.contains("://") {
        if text.split_once(":/").is_some_and(|(scheme, _)| scheme.len() > 1) {
            return Err(format!("{text}: a URL has two slashes").into());
        }
        let path = Path::from_absolute_path(std::path::absolute(text)?)
            .map_err(|error| format!("{text}: {error}"))?;
        // What was reported as stored must survive a power failure.
        return Ok((Arc::new(LocalFileSystem::new().with_fsync(true)), path));
    }
    let url = Url::parse(text).map_err(|error| format!("{text}: {error}"))?;
    let settings = std::env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        SETTINGS.iter().any(|prefix| name.starts_with(prefix)).then_some((name, value))
    });
    let (store, path) = object_store::parse_url_opts(&url, settings).map_err(|error| {
        let build = "s3://, gs:// and az:// need --features object_store/aws, gcp and azure";
        format!("{text}: {error}; {build}")
    })?;
    Ok((store.into(), path))
}
