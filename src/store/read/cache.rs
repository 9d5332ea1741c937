//! Objects that were opened before, so that a range of one is a single request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use object_store::path::Path;

use super::object::Object;

/// How many objects are kept.
const OBJECTS: usize = 1024;

/// Keys of objects whose lengths are authentic.
#[derive(Default)]
pub(in crate::store) struct Cache {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    objects: HashMap<Name, Used>,
    /// Counts uses.
    now: u64,
}

/// The caller's path, and the version that the caller asked for.
type Name = (Path, Option<String>);

struct Used {
    object: Arc<Object>,
    last: u64,
}

impl Cache {
    pub(super) fn get(&self, location: &Path, version: Option<&str>) -> Option<Arc<Object>> {
        let mut kept = self.lock();
        kept.now += 1;
        let now = kept.now;
        let used = kept.objects.get_mut(&name(location, version))?;
        used.last = now;
        Some(Arc::clone(&used.object))
    }

    /// Keeps an object, unless it has no `ETag` by which its version could be recognised. The one that was not used
    /// for the longest time leaves.
    pub(super) fn keep(&self, location: &Path, version: Option<&str>, object: &Arc<Object>) {
        if object.meta.e_tag.is_none() {
            return;
        }
        let mut kept = self.lock();
        kept.now += 1;
        let used = Used { object: Arc::clone(object), last: kept.now };
        kept.objects.insert(name(location, version), used);
        if kept.objects.len() > OBJECTS {
            let oldest = kept.objects.iter().min_by_key(|(_, used)| used.last);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                kept.objects.remove(&oldest);
            }
        }
    }

    /// Forgets an object, unless another was kept in its place.
    pub(super) fn forget(&self, location: &Path, version: Option<&str>, object: &Arc<Object>) {
        let mut kept = self.lock();
        let name = name(location, version);
        if kept.objects.get(&name).is_some_and(|used| Arc::ptr_eq(&used.object, object)) {
            kept.objects.remove(&name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(location: &Path, version: Option<&str>) -> Name {
    (location.clone(), version.map(str::to_owned))
}
