//! Reads a statement, and checks all of it that is used.

use std::{borrow::Cow, num::NonZeroU64};

use super::{
    super::{
        contents::{Contents, MAX_RESOURCES, Method},
        json::{self, Elements, Members, Slot},
        names,
    },
    OLD_PREDICATE_TYPE, PREDICATE_TYPE, TYPE, WHAT,
    resources::{Resources, invalid, sha256},
};
use crate::error::{Error, ModelRefusal};

/// What a statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Statement {
    pub(in super::super) contents: Contents,
    /// The digest of the model: SHA-256 over the digests of its resources, in the order listed.
    pub(in super::super) root: [u8; 32],
    pub(in super::super) resources: usize,
}

/// Parses a statement.
pub(in super::super) fn parse(payload: &[u8]) -> Result<Statement, Error> {
    let mut fields = Fields::default();
    match json::read(WHAT, payload, &mut fields).and_then(|()| fields.check()) {
        Ok(statement) => Ok(statement),
        // A statement of another type breaks many rules of this one. What counts is that it is another.
        Err(error) => {
            let mut types = Types::default();
            json::read(WHAT, payload, &mut types).map_err(|_| error.clone())?;
            types.check().and(Err(error))
        }
    }
}

/// Whether a payload is a statement of a release before 0.3. Nothing else is looked at.
pub(in super::super) fn is_old(payload: &[u8]) -> bool {
    let mut types = Types::default();
    let is_json = json::read(WHAT, payload, &mut types).is_ok();
    is_json && types.check() == Err(Error::Model(ModelRefusal::OldRelease))
}

#[derive(Default)]
struct Fields<'de> {
    types: Types<'de>,
    subjects: Subjects<'de>,
    predicate: Predicate<'de>,
}

impl<'de> Members<'de> for Fields<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "_type" | "predicateType" => self.types.member(name),
            "subject" => Ok(Slot::Array(&mut self.subjects)),
            "predicate" => Ok(Slot::Object(&mut self.predicate)),
            _ => unknown(),
        }
    }
}

impl Fields<'_> {
    fn check(self) -> Result<Statement, Error> {
        self.types.check()?;
        let (name, root) = self.subjects.check()?;
        let Predicate { resources, serialization } = self.predicate;
        let (method, ignored) = serialization.check()?;
        let (number, root_of_all) = (resources.len(), resources.root());
        let files = resources.into_files(method, &name)?;
        if ignored.iter().any(|path| names::covers_any(path, &files)) {
            return Err(Error::Model(ModelRefusal::IgnoredPaths));
        }
        if root != root_of_all {
            return Err(Error::Model(ModelRefusal::RootDigest));
        }
        Ok(Statement {
            contents: Contents { name, method, files, ignored },
            root,
            resources: number,
        })
    }
}

/// The members that say what the others mean.
#[derive(Default)]
struct Types<'de> {
    statement: Option<Cow<'de, str>>,
    predicate: Option<Cow<'de, str>>,
}

impl<'de> Members<'de> for Types<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        Ok(match name {
            "_type" => Slot::Text(&mut self.statement),
            "predicateType" => Slot::Text(&mut self.predicate),
            _ => Slot::Ignored,
        })
    }
}

impl Types<'_> {
    fn check(&self) -> Result<(), Error> {
        if self.statement.as_deref() != Some(TYPE) {
            return Err(Error::Model(ModelRefusal::PayloadType));
        }
        let (start, end) = OLD_PREDICATE_TYPE;
        match self.predicate.as_deref() {
            Some(PREDICATE_TYPE) => Ok(()),
            Some(other) if other.starts_with(start) && other.ends_with(end) => {
                Err(Error::Model(ModelRefusal::OldRelease))
            }
            _ => Err(Error::Model(ModelRefusal::PredicateType)),
        }
    }
}

#[derive(Default)]
struct Subjects<'de> {
    first: Option<Subject<'de>>,
}

impl<'de> Elements<'de> for Subjects<'de> {
    fn element(&mut self) -> Result<Slot<'_, 'de>, Error> {
        if self.first.is_some() {
            return Err(Error::Model(ModelRefusal::SeveralSubjects));
        }
        Ok(Slot::Object(self.first.insert(Subject::default())))
    }
}

impl Subjects<'_> {
    fn check(self) -> Result<(String, [u8; 32]), Error> {
        let Some(Subject { name: Some(name), digest }) = self.first else {
            return Err(invalid("it has no subject with a name"));
        };
        if name.is_empty() {
            return Err(invalid("the name of its subject is empty"));
        }
        match digest {
            DigestSet { sha256: Some(digest), has_others: false } => {
                Ok((name.into(), sha256(&digest)?))
            }
            DigestSet { has_others: true, .. } => Err(Error::Model(ModelRefusal::Hash)),
            DigestSet { sha256: None, .. } => Err(invalid("its subject has no digest")),
        }
    }
}

#[derive(Default)]
struct Subject<'de> {
    name: Option<Cow<'de, str>>,
    digest: DigestSet<'de>,
}

impl<'de> Members<'de> for Subject<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        Ok(match name {
            "name" => Slot::Text(&mut self.name),
            "digest" => Slot::Object(&mut self.digest),
            _ => Slot::Ignored,
        })
    }
}

/// Digests by the names of their algorithms.
#[derive(Default)]
struct DigestSet<'de> {
    sha256: Option<Cow<'de, str>>,
    has_others: bool,
}

impl<'de> Members<'de> for DigestSet<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        Ok(match name {
            "sha256" => Slot::Text(&mut self.sha256),
            _ => {
                self.has_others = true;
                Slot::Ignored
            }
        })
    }
}

#[derive(Default)]
struct Predicate<'de> {
    resources: Resources<'de>,
    serialization: Serialization<'de>,
}

impl<'de> Members<'de> for Predicate<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "resources" => Ok(Slot::Array(&mut self.resources)),
            "serialization" => Ok(Slot::Object(&mut self.serialization)),
            _ => unknown(),
        }
    }
}

#[derive(Default)]
struct Serialization<'de> {
    method: Option<Cow<'de, str>>,
    hash_type: Option<Cow<'de, str>>,
    shard_size: Option<u64>,
    allow_symlinks: Option<bool>,
    ignore_paths: Paths<'de>,
}

impl<'de> Members<'de> for Serialization<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "method" => Ok(Slot::Text(&mut self.method)),
            "hash_type" => Ok(Slot::Text(&mut self.hash_type)),
            "shard_size" => Ok(Slot::Integer(&mut self.shard_size)),
            "allow_symlinks" => Ok(Slot::Boolean(&mut self.allow_symlinks)),
            "ignore_paths" => Ok(Slot::Array(&mut self.ignore_paths)),
            _ => unknown(),
        }
    }
}

impl Serialization<'_> {
    /// The method, and the ignored paths: sorted, none twice.
    fn check(self) -> Result<(Method, Vec<String>), Error> {
        match self.hash_type.as_deref() {
            Some("sha256") => {}
            Some(_) => return Err(Error::Model(ModelRefusal::Hash)),
            None => return Err(invalid("it does not say how files were hashed")),
        }
        match self.allow_symlinks {
            Some(false) => {}
            Some(true) => return Err(Error::Model(ModelRefusal::Links)),
            None => return Err(invalid("it does not say whether symbolic links were allowed")),
        }
        let method = match (self.method.as_deref(), self.shard_size) {
            (Some("files"), None) => Method::Files,
            (Some("files"), Some(_)) => return Err(invalid("it has a shard size, but no shards")),
            (Some("shards"), Some(size)) => {
                Method::Shards(NonZeroU64::new(size).ok_or(invalid("its shard size is zero"))?)
            }
            (Some("shards"), None) => return Err(invalid("it has shards, but no shard size")),
            _ => return Err(invalid("its method is neither files nor shards")),
        };
        let Paths { mut listed, .. } = self.ignore_paths;
        listed.sort_unstable();
        listed.dedup();
        listed.iter().try_for_each(|path| names::check_ignored(path))?;
        Ok((method, listed))
    }
}

#[derive(Default)]
struct Paths<'de> {
    listed: Vec<String>,
    next: Option<Cow<'de, str>>,
}

impl<'de> Elements<'de> for Paths<'de> {
    fn element(&mut self) -> Result<Slot<'_, 'de>, Error> {
        if self.listed.len() == MAX_RESOURCES {
            return Err(Error::Model(ModelRefusal::TooLarge));
        }
        Ok(Slot::Text(&mut self.next))
    }

    fn done(&mut self) -> Result<(), Error> {
        self.listed.extend(self.next.take().map(Cow::into_owned));
        Ok(())
    }
}

fn unknown<T>() -> Result<T, Error> {
    Err(invalid("it has a member that nothing defines"))
}
