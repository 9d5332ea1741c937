//! What is in a case?

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use twinseal::{DecapsulationKey, Keyring, VerifyingKey, VerifyingKeyring, provider::Provider};

pub(super) static KIT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testkit"));

pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
}

impl Field {
    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.value).unwrap()
    }
}

pub(super) struct Case {
    pub(super) path: String,
    pub(super) fields: Vec<Field>,
}

impl Case {
    fn parse(path: String, text: &str) -> Self {
        let mut fields: Vec<(Field, bool)> = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let (name, first) = line.split_once(':').unwrap_or_else(|| panic!("{path}: {line:?}"));
            let mut more = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
                more.push(&line[1..]);
            }
            let value = match first.strip_prefix(':') {
                Some(_) => BASE64.decode(more.concat()).unwrap(),
                None if more.is_empty() => first.strip_prefix(' ').unwrap_or(first).into(),
                None => more.iter().flat_map(|line| [line, "\n"]).collect::<String>().into(),
            };
            add(&mut fields, name, value);
        }
        Self { path, fields: fields.into_iter().map(|(field, _)| field).collect() }
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.name == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        let mut found = self.fields.iter().filter(|field| field.name == name);
        let first = found.next();
        assert!(found.next().is_none(), "{}: several {name}", self.path);
        first.map(|field| &field.value[..])
    }

    pub(super) fn bytes(&self, name: &str) -> &[u8] {
        self.get(name).unwrap_or_else(|| panic!("{}: no {name}", self.path))
    }

    pub(super) fn text(&self, name: &str) -> &str {
        str::from_utf8(self.bytes(name)).unwrap()
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).map(|_| self.text(name).parse().unwrap())
    }

    /// The first key is the primary one.
    pub(super) fn ring(&self, provider: &'static Provider) -> Keyring {
        let keys: Vec<_> = self.all("key").map(|field| kem_key(field.text(), provider)).collect();
        let mut keys = keys.into_iter();
        let mut ring = Keyring::new(keys.next().unwrap());
        keys.for_each(|key| ring.add_older(key).unwrap());
        ring
    }

    /// `None` if what is read has to be unsigned.
    pub(super) fn signers(&self, provider: &'static Provider) -> Option<VerifyingKeyring> {
        let keys: Vec<_> =
            self.all("signer").map(|field| verifying_key(field.text(), provider)).collect();
        (!keys.is_empty()).then(|| VerifyingKeyring::new(&keys).unwrap())
    }
}

/// Adds a field, or more of the value before it: `x-file` names a file, and continues `x`, as `x` continues that.
fn add(fields: &mut Vec<(Field, bool)>, name: &str, value: Vec<u8>) {
    let (name, value, is_file) = match name.strip_suffix("-file") {
        None => (name, value, false),
        Some(name) => (name, shared(str::from_utf8(&value).unwrap()), true),
    };
    match fields.last_mut() {
        Some((last, was_file)) if last.name == name && (is_file || *was_file) => {
            last.value.extend(value);
            *was_file = is_file;
        }
        _ => fields.push((Field { name: name.into(), value }, is_file)),
    }
}

/// A file of base64.
fn shared(path: &str) -> Vec<u8> {
    let text = fs::read_to_string(KIT.join(path)).unwrap();
    BASE64.decode(text.lines().collect::<String>()).unwrap()
}

pub(super) fn kem_key(name: &str, provider: &'static Provider) -> DecapsulationKey {
    let text = fs::read_to_string(KIT.join(format!("keys/{name}.pem"))).unwrap();
    DecapsulationKey::from_pem(&text).unwrap().on(provider).unwrap()
}

pub(super) fn verifying_key(name: &str, provider: &'static Provider) -> VerifyingKey {
    let text = fs::read_to_string(KIT.join(format!("keys/{name}-public.pem"))).unwrap();
    VerifyingKey::from_pem(&text).unwrap().on(provider).unwrap()
}

/// The files below a directory of the kit, in order, as paths from the kit.
pub(super) fn files(directory: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(KIT.join(directory)) else { return found };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{directory}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A published package has no cases.
pub(super) fn is_published() -> bool {
    !Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml").exists()
}

pub(super) fn cases() -> Vec<Case> {
    let paths = [files("cases"), files("written")].concat();
    let parse = |path: String| {
        let text = fs::read_to_string(KIT.join(&path)).unwrap();
        Case::parse(path, &text)
    };
    paths.into_iter().filter(|path| path.ends_with(".txt")).map(parse).collect()
}
