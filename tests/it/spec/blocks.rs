//! How are VECTORS.md's blocks read? They are fenced, with `vectors NAME` or `pem NAME` after the opening
//! backticks.

use crate::common::vectors::{self, Entry};

pub(crate) const SPEC: &str = include_str!("../../../SPEC.md");
pub(crate) const VECTORS: &str = include_str!("../../../VECTORS.md");

pub(crate) const BLOCKS: [&str; 21] = [
    "kem-0001",
    "kem-0051",
    "x25519-refused",
    "sign-0001",
    "key-files",
    "encrypted-keys",
    "envelope-one",
    "envelope-two",
    "envelope-lengths",
    "envelope-limits",
    "rewrap",
    "session-0001",
    "session-0051",
    "session-signed",
    "request-0001",
    "request-0051",
    "request-signed",
    "request-signed-0051",
    "store-keys",
    "store-objects",
    "accumulated",
];

pub(crate) const PEM_BLOCKS: [&str; 7] = [
    "kem-0001-private",
    "kem-0001-public",
    "kem-0051-private",
    "sign-0001-private",
    "kem-0001-encrypted",
    "sign-0001-encrypted",
    "keyring",
];

/// A fenced block whose opening line is `vectors NAME` or `pem NAME` behind the backticks.
pub(crate) struct Fence<'a> {
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Fence<'a> {
    pub(crate) fn open(line: &'a str) -> Option<Self> {
        let (kind, name) = line.strip_prefix("```")?.split_once(' ')?;
        Some(Self { kind, name })
    }
}

pub(crate) fn fences() -> impl Iterator<Item = Fence<'static>> {
    VECTORS.lines().filter_map(Fence::open)
}

/// The text of a block.
pub(crate) fn fence(kind: &str, name: &str) -> String {
    VECTORS
        .lines()
        .skip_while(|line| *line != format!("```{kind} {name}"))
        .skip(1)
        .take_while(|line| *line != "```")
        .fold(String::new(), |text, line| text + line + "\n")
}

/// A block of vectors.
pub(crate) struct Block {
    pub(crate) name: &'static str,
    pub(crate) entries: Vec<Entry>,
}

impl Block {
    pub(crate) fn read(name: &str) -> Self {
        let name = BLOCKS.into_iter().find(|known| *known == name).unwrap();
        Self { name, entries: vectors::entries(&fence("vectors", name)) }
    }

    pub(crate) fn get(&self, name: &str) -> &[u8] {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        &entry.unwrap_or_else(|| panic!("no {name}")).value
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for entry in &self.entries {
            write!(f, "{}{} =", entry.comment, entry.name)?;
            if entry.value.len() <= 32 {
                writeln!(f, " {}", hex::encode(&entry.value))?;
            } else {
                writeln!(f)?;
                for line in entry.value.chunks(48) {
                    writeln!(f, "  {}", hex::encode(line))?;
                }
            }
        }
        Ok(())
    }
}
