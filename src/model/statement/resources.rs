//! The resources of a statement, and the files that they are together.

use std::{borrow::Cow, collections::BTreeMap, num::NonZeroU64};

use sha2::{Digest, Sha256};

use super::{
    super::{
        contents::{MAX_RESOURCES, Method},
        file_digest::{Digests, FileDigest},
        json::{Elements, Members, Slot},
        names,
    },
    WHAT,
};
use crate::error::{Error, ModelRefusal};

/// All resources, in the order in which they are listed.
#[derive(Default)]
pub(super) struct Resources<'de> {
    listed: Vec<Resource<'de>>,
    next: Fields<'de>,
}

struct Resource<'de> {
    name: Cow<'de, str>,
    digest: [u8; 32],
    /// What the name of its algorithm says.
    shard_size: Option<NonZeroU64>,
}

#[derive(Default)]
struct Fields<'de> {
    name: Option<Cow<'de, str>>,
    digest: Option<Cow<'de, str>>,
    algorithm: Option<Cow<'de, str>>,
}

impl<'de> Members<'de> for Fields<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        Ok(match name {
            "name" => Slot::Text(&mut self.name),
            "digest" => Slot::Text(&mut self.digest),
            "algorithm" => Slot::Text(&mut self.algorithm),
            _ => Slot::Ignored,
        })
    }
}

impl<'de> Elements<'de> for Resources<'de> {
    fn element(&mut self) -> Result<Slot<'_, 'de>, Error> {
        if self.listed.len() == MAX_RESOURCES {
            return Err(Error::Model(ModelRefusal::TooLarge));
        }
        Ok(Slot::Object(&mut self.next))
    }

    fn done(&mut self) -> Result<(), Error> {
        let Fields { name: Some(name), digest: Some(digest), algorithm: Some(algorithm) } =
            std::mem::take(&mut self.next)
        else {
            return Err(invalid("a resource has no name, digest or algorithm"));
        };
        let shard_size = shard_size(&algorithm).map_err(|error| about(&name, error))?;
        let digest = sha256(&digest).map_err(|error| about(&name, error))?;
        self.listed.push(Resource { name, digest, shard_size });
        Ok(())
    }
}

impl Resources<'_> {
    pub(super) fn len(&self) -> usize {
        self.listed.len()
    }

    /// SHA-256 over the raw digests, in the order listed.
    pub(super) fn root(&self) -> [u8; 32] {
        let mut root = Sha256::new();
        self.listed.iter().for_each(|resource| root.update(resource.digest));
        root.finalize().into()
    }

    /// The files. `single` is the name of the model, which a single file has that is listed as `.`.
    pub(super) fn into_files(
        self,
        method: Method,
        single: &str,
    ) -> Result<BTreeMap<String, FileDigest>, Error> {
        if self.listed.is_empty() {
            return Err(Error::Model(ModelRefusal::Empty));
        }
        let mut files = match method {
            Method::Files => whole(self.listed)?,
            Method::Shards(size) => sharded(&self.listed, size)?,
        };
        if let [(name, _)] = files.as_mut_slice()
            && name == "."
        {
            single.clone_into(name);
        }
        for (name, _) in &files {
            names::check(name).map_err(|error| about(name, error))?;
        }
        Ok(files.into_iter().collect())
    }
}

type Files = Vec<(String, FileDigest)>;

/// Each resource is a file.
fn whole(mut resources: Vec<Resource<'_>>) -> Result<Files, Error> {
    resources.sort_by(|one, other| one.name.cmp(&other.name));
    let is_double = |pair: &&[Resource<'_>]| matches!(pair, [one, other] if one.name == other.name);
    if let Some(double) = resources.windows(2).find(is_double) {
        return Err(about(&double[0].name, Error::Model(ModelRefusal::Duplicate)));
    }
    let file = |resource: Resource<'_>| match resource.shard_size {
        None => Ok((resource.name.into(), FileDigest(Digests::Whole(resource.digest)))),
        Some(_) => {
            Err(about(&resource.name, invalid("a resource is a shard, but the method is files")))
        }
    };
    resources.into_iter().map(file).collect()
}

/// Each resource is a shard of a file, all of this size but the last of each file.
fn sharded(resources: &[Resource<'_>], size: NonZeroU64) -> Result<Files, Error> {
    let refused =
        |resource: &Resource<'_>, refusal| Err(about(&resource.name, Error::Model(refusal)));
    let is_other =
        |resource: &&Resource<'_>| resource.shard_size.is_some_and(|other| other != size);
    if let Some(other) = resources.iter().find(is_other) {
        return refused(other, ModelRefusal::Shards);
    }
    let mut shards = resources
        .iter()
        .map(|resource| {
            let (path, start, end) = shard(&resource.name).ok_or_else(|| {
                let reason = "the name of a shard does not end in its first byte and its end";
                about(&resource.name, invalid(reason))
            })?;
            Ok((path, start, end, resource))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    shards.sort_by_key(|(path, start, end, _)| (*path, *start, *end));

    let mut files = Files::new();
    for of_file in shards.chunk_by(|(one, ..), (other, ..)| one == other) {
        let mut digests = Vec::with_capacity(of_file.len());
        let mut length = 0;
        for (index, (_, start, end, resource)) in of_file.iter().enumerate() {
            if index > 0 && of_file[index - 1].1 == *start && of_file[index - 1].2 == *end {
                return refused(resource, ModelRefusal::Duplicate);
            }
            let is_last = index + 1 == of_file.len();
            let bytes = end.checked_sub(*start).filter(|bytes| *bytes > 0);
            let is_whole = bytes == Some(size.get());
            let is_rest = is_last && bytes.is_some_and(|bytes| bytes < size.get());
            if *start != length || !(is_whole || is_rest) {
                return refused(resource, ModelRefusal::Shards);
            }
            length = *end;
            digests.push(resource.digest);
        }
        let path = of_file[0].0.to_owned();
        files.push((path, FileDigest(Digests::Shards { size, length, digests })));
    }
    Ok(files)
}

/// The path, the first byte and the end in the name of a shard: the last two colons are its own.
fn shard(name: &str) -> Option<(&str, u64, u64)> {
    let (rest, end) = name.rsplit_once(':')?;
    let (path, start) = rest.rsplit_once(':')?;
    Some((path, decimal(start)?, decimal(end)?))
}

/// The shard size in the name of an algorithm: `sha256`, or `sha256-sharded-N` as the reference implementation has it.
fn shard_size(algorithm: &str) -> Result<Option<NonZeroU64>, Error> {
    if algorithm == "sha256" {
        return Ok(None);
    }
    let Some(size) = algorithm.strip_prefix("sha256-sharded-") else {
        return Err(Error::Model(ModelRefusal::Hash));
    };
    match decimal(size).and_then(NonZeroU64::new) {
        Some(size) => Ok(Some(size)),
        None => Err(Error::Model(ModelRefusal::Shards)),
    }
}

/// A number in its one decimal form.
fn decimal(text: &str) -> Option<u64> {
    let is_decimal =
        text == "0" || !text.starts_with('0') && text.bytes().all(|digit| digit.is_ascii_digit());
    if is_decimal { text.parse().ok() } else { None }
}

pub(super) fn sha256(digits: &str) -> Result<[u8; 32], Error> {
    let mut digest = [0; 32];
    match base16ct::lower::decode(digits, &mut digest) {
        Ok([_, ..]) if digits.len() == 64 => Ok(digest),
        _ => Err(invalid("a digest is not 64 lower-case hexadecimal digits")),
    }
}

/// Names the resource of an error.
fn about(name: &str, error: Error) -> Error {
    Error::Resource { name: name.chars().take(256).collect(), error: error.into() }
}

pub(super) fn invalid(reason: &'static str) -> Error {
    Error::Invalid { what: WHAT, reason }
}
