//! Writes a statement: no white space, one order.

use sha2::{Digest, Sha256};

use super::{
    super::{
        contents::{Contents, MAX_RESOURCES, Method},
        file_digest::Digests,
        json, names,
    },
    PREDICATE_TYPE, TYPE,
};
use crate::error::{Error, ModelRefusal};

/// The longest statement that is written: in base64, and with a signature, it is JSON that can be read.
const MAX_LEN: usize = json::MAX_LEN / 4 * 3 - 64 * 1024;

/// The statement, in bytes.
pub(in super::super) fn write(contents: &Contents) -> Result<Vec<u8>, Error> {
    let resources = resources(contents)?;
    check_ignored(contents)?;
    if contents.name.is_empty() {
        return Err(Error::Misuse { what: "name of a model", reason: "it is empty" });
    }
    let mut root = Sha256::new();
    resources.iter().for_each(|(_, digest)| root.update(digest));

    let mut json = Json(Vec::new());
    json.raw(r#"{"_type":"#).text(TYPE)?;
    json.raw(r#","subject":[{"name":"#).text(&contents.name)?;
    json.raw(r#","digest":{"sha256":"#).hex(&root.finalize().into());
    json.raw(r#"}}],"predicateType":"#).text(PREDICATE_TYPE)?;
    json.raw(r#","predicate":{"resources":["#);
    for (index, (name, digest)) in resources.iter().enumerate() {
        json.raw(if index == 0 { r#"{"name":"# } else { r#",{"name":"# }).text(name)?;
        json.raw(r#","digest":"#).hex(digest).raw(r#","algorithm":"sha256"}"#);
    }
    json.raw(r#"],"serialization":{"method":"#);
    match contents.method {
        Method::Files => json.raw(r#""files","hash_type":"sha256""#),
        Method::Shards(size) => {
            json.raw(r#""shards","hash_type":"sha256","shard_size":"#).raw(&size.to_string())
        }
    };
    json.raw(r#","allow_symlinks":false,"ignore_paths":["#);
    for (index, path) in contents.ignored.iter().enumerate() {
        json.raw(if index == 0 { "" } else { "," }).text(path)?;
    }
    json.raw("]}}}");
    Ok(json.0)
}

/// Names and digests in the order in which they are listed: that of the names' bytes.
fn resources(contents: &Contents) -> Result<Vec<(String, &[u8; 32])>, Error> {
    let refused = |refusal| Err(Error::Model(refusal));
    contents.method.check()?;
    let mut resources = Vec::new();
    for (name, digest) in &contents.files {
        names::check(name)?;
        match (&digest.0, contents.method) {
            (Digests::Whole(digest), Method::Files) => resources.push((name.clone(), digest)),
            (Digests::Shards { size, length, digests }, Method::Shards(of_all))
                if *size == of_all =>
            {
                let mut start: u64 = 0;
                for digest in digests {
                    let end = start.saturating_add(size.get()).min(*length);
                    resources.push((format!("{name}:{start}:{end}"), digest));
                    start = end;
                }
                if digests.is_empty() {
                    return refused(ModelRefusal::EmptyFile);
                }
            }
            _ => {
                let reason = "it was not made by the method of the others";
                return Err(Error::Misuse { what: "digest of a file", reason });
            }
        }
        if resources.len() > MAX_RESOURCES {
            return refused(ModelRefusal::TooLarge);
        }
    }
    if resources.is_empty() {
        return refused(ModelRefusal::Empty);
    }
    resources.sort_unstable();
    Ok(resources)
}

fn check_ignored(contents: &Contents) -> Result<(), Error> {
    for path in &contents.ignored {
        names::check_ignored_to_sign(path)?;
        if names::covers_any(path, &contents.files) {
            return Err(Error::Model(ModelRefusal::IgnoredPaths));
        }
    }
    Ok(())
}

struct Json(Vec<u8>);

impl Json {
    fn raw(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn hex(&mut self, digest: &[u8; 32]) -> &mut Self {
        let mut digits = [0; 64];
        let digits = base16ct::lower::encode_str(digest, &mut digits).expect("they fit");
        self.raw("\"").raw(digits).raw("\"")
    }

    /// The only part of unknown length.
    fn text(&mut self, text: &str) -> Result<&mut Self, Error> {
        serde_json::to_writer(&mut self.0, text).expect("a text is JSON, and a vector takes it");
        if self.0.len() > MAX_LEN {
            return Err(Error::Model(ModelRefusal::TooLarge));
        }
        Ok(self)
    }
}
