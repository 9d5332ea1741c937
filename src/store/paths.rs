//! Where things are in the inner store.

use object_store::path::{DELIMITER, Path, PathPart};

use super::keys::LAST_SERIAL;

/// The store's own directory. Nothing of the caller's is in one of this name, in upper or lower case, which some file
/// systems do not tell apart; nor below others, so that a store does not lay hands on the keys of one under its prefix.
const OWN: &str = ".twinseal";

const OWN_IN_CAPITALS: &str = ".TWINSEAL";

/// The paths under a prefix of the inner store.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    prefix: Path,
}

impl Paths {
    pub(super) fn new(prefix: Path) -> Self {
        Self { prefix }
    }

    /// Where a path of the caller's is in the inner store.
    pub(super) fn inner(&self, path: &Path) -> Path {
        self.prefix.parts().chain(path.parts()).collect()
    }

    /// The caller's path of an inner one; `None` if it is elsewhere.
    pub(super) fn outer(&self, inner: Path) -> Option<Path> {
        if self.prefix.as_ref().is_empty() {
            return Some(inner);
        }
        inner.prefix_match(&self.prefix).map(Iterator::collect)
    }

    /// Whether a path of the caller's is in a store's own directory.
    pub(super) fn is_reserved(path: &Path) -> bool {
        let path = path.as_ref();
        let can_be = path.starts_with('.') || path.contains("/."); // few are split
        can_be && path.split(DELIMITER).any(is_own)
    }

    /// Whether an object of the caller's can be at a path. The empty one would be at the prefix itself, or beside it.
    pub(super) fn is_for_callers(path: &Path) -> bool {
        !path.as_ref().is_empty() && !Self::is_reserved(path)
    }

    pub(super) fn keys(&self) -> Path {
        self.own(&["keys"])
    }

    pub(super) fn keys_of(&self, serial: u32) -> Path {
        self.own(&["keys", &format!("{serial:010}")])
    }

    pub(super) fn temporary_directory(&self) -> Path {
        self.own(&["tmp"])
    }

    pub(super) fn temporary(&self, name: &str) -> Path {
        self.own(&["tmp", name])
    }

    fn own(&self, parts: &[&str]) -> Path {
        let own = [OWN].into_iter().chain(parts.iter().copied()).map(PathPart::from);
        self.prefix.parts().chain(own).collect()
    }

    /// The serial that the name of a keys object says. All other names are not the store's.
    pub(super) fn serial(&self, inner: &Path) -> Option<u32> {
        let mut rest = inner.prefix_match(&self.keys())?;
        let (name, None) = (rest.next()?, rest.next()) else { return None };
        let name = name.as_ref();
        let is_number = name.len() == 10 && name.bytes().all(|digit| digit.is_ascii_digit());
        let serial = is_number.then(|| name.parse().ok()).flatten()?;
        (1..=LAST_SERIAL).contains(&serial).then_some(serial)
    }
}

/// In capitals, since some file systems take ".twin\u{17f}eal" for it, too.
fn is_own(part: &str) -> bool {
    part.starts_with('.') && part.chars().flat_map(char::to_uppercase).eq(OWN_IN_CAPITALS.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).expect("the test's path is one")
    }

    #[test]
    fn paths_go_there_and_back() {
        for prefix in ["", "a", "a/b", "a%20b"] {
            let paths = Paths::new(path(prefix));
            for outer in ["x", "x/y", "x%2Fy", "%25", ".twinsealed"] {
                let inner = paths.inner(&path(outer));
                assert_eq!(paths.outer(inner), Some(path(outer)), "{prefix} {outer}");
                assert!(Paths::is_for_callers(&path(outer)));
            }
            assert!(!Paths::is_for_callers(&path("")));
        }
        assert_eq!(Paths::new(path("a")).outer(path("ab/x")), None);
        assert_eq!(Paths::new(path("a")).inner(&path("x%20y")).as_ref(), "a/x%20y");
    }

    #[test]
    fn the_own_directory_is_reserved_in_every_case() {
        for reserved in [
            ".twinseal",
            ".twinseal/keys/0000000001",
            ".TwinSeal/x",
            ".TWINSEAL",
            "a/.Twinseal/b",
            ".twin\u{17f}eal",
        ] {
            assert!(Paths::is_reserved(&path(reserved)), "{reserved}");
            assert!(!Paths::is_for_callers(&path(reserved)), "{reserved}");
        }
    }

    #[test]
    fn only_exact_names_are_serials() {
        let paths = Paths::new(path("p"));
        assert_eq!(paths.keys_of(7).as_ref(), "p/.twinseal/keys/0000000007");
        for serial in [1, 7, LAST_SERIAL] {
            assert_eq!(paths.serial(&paths.keys_of(serial)), Some(serial));
        }
        for wrong in [
            "p/.twinseal/keys/0000000000",
            "p/.twinseal/keys/0000065537",
            "p/.twinseal/keys/000000001",
            "p/.twinseal/keys/00000000001",
            "p/.twinseal/keys/+000000001",
            "p/.twinseal/keys/0000000001/x",
            "p/.twinseal/keys",
            "q/.twinseal/keys/0000000001",
        ] {
            assert_eq!(paths.serial(&path(wrong)), None, "{wrong}");
        }
    }
}
