//! Reads `name = hexadecimal` lines, as VECTORS.md's blocks and the files under tests/vectors are written.

/// A value, and the comments above it.
pub(crate) struct Entry {
    /// Comment lines, which start with `#`.
    pub(crate) comment: String,
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
}

/// Lines that start with white space continue a value.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut comment = String::new();
    for line in text.lines() {
        if line.starts_with('#') {
            comment += &format!("{line}\n");
        } else if line.starts_with(' ') {
            let more = hex::decode(line.trim()).unwrap();
            entries.last_mut().unwrap().value.extend(more);
        } else {
            let (name, value) = line.split_once(" =").unwrap();
            entries.push(Entry {
                comment: std::mem::take(&mut comment),
                name: name.into(),
                value: hex::decode(value.trim()).unwrap(),
            });
        }
    }
    entries
}

/// One value of a file.
pub(crate) fn value(text: &str, name: &str) -> Vec<u8> {
    let entry = entries(text).into_iter().find(|entry| entry.name == name);
    entry.unwrap_or_else(|| panic!("no {name}")).value
}
