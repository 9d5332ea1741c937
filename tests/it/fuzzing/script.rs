//! How does a fuzzer's input become an object that is nearly valid?
//!
//! An input is a choice of one of the target's valid objects and a script of changes to it. So the first changes
//! that a fuzzer tries already lie behind magic bytes, lengths and points on curves.

use crate::common::{der::tlv, json::JSON_FRAGMENTS};

/// Reads choices from an input. Behind its end there are zeros.
#[derive(Clone, Debug)]
pub(super) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(super) fn number(&mut self) -> usize {
        usize::from(u16::from_be_bytes([self.byte(), self.byte()]))
    }

    /// At most so many bytes.
    pub(super) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    pub(super) fn one_of<'b, T>(&mut self, choices: &'b [T]) -> &'b T {
        &choices[usize::from(self.byte()) % choices.len()]
    }

    /// One of the objects, changed by the rest of the input.
    pub(super) fn changed(&mut self, objects: &[Object]) -> Vec<u8> {
        let index = usize::from(self.byte());
        // One choice more: the rest as it is.
        let Some(object) = objects.get(index % (objects.len() + 1)) else {
            return std::mem::take(&mut self.0).to_vec();
        };
        let mut bytes = object.bytes.clone();
        self.change(&mut bytes, object, objects);
        bytes
    }

    /// Up to eight changes, so that an execution stays cheap.
    pub(super) fn change(&mut self, bytes: &mut Vec<u8>, object: &Object, others: &[Object]) {
        for _ in 0..8 {
            if self.is_empty() {
                return;
            }
            self.change_once(bytes, object, others);
        }
    }

    /// A position from 0 to the length, most often near the start of a field.
    fn position(&mut self, length: usize, marks: &[usize]) -> usize {
        let choice = self.byte();
        if choice >= 192 || marks.is_empty() {
            return self.number() % (length + 1);
        }
        let mark = marks[usize::from(choice) % marks.len()];
        mark.wrapping_add_signed(self.byte().cast_signed().into()).min(length)
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>, object: &Object, others: &[Object]) {
        let operation = self.byte();
        if operation >= 0xf0 {
            return; // what follows is a choice of the target
        }
        if operation == 0xef {
            return bytes.extend_from_slice(self.bytes(64));
        }
        let at = self.position(bytes.len(), &object.marks);
        let end = |length: usize| at.saturating_add(length).min(bytes.len());
        match operation % 12 {
            0 => replace(bytes, at, &[self.byte()]),
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (self.byte() % 8);
                }
            }
            2 => replace(bytes, at, &[self.byte(), self.byte()]),
            3 => replace(bytes, at, &u32::try_from(self.number()).unwrap_or(0).to_be_bytes()),
            4 => bytes.truncate(at),
            5 => {
                let length = usize::from(self.byte() % 32);
                let inserted = self.bytes(length);
                bytes.splice(at..at, inserted.iter().copied());
            }
            6 => {
                let end = end(usize::from(self.byte()));
                bytes.drain(at..end);
            }
            7 => {
                let range = at..end(self.number() % 4096);
                let to = self.position(bytes.len(), &object.marks);
                let copy = bytes[range].to_vec();
                bytes.splice(to..to, copy);
            }
            8 => {
                let (length, fill) = (self.number() % 2048, self.byte());
                let end = end(length);
                bytes[at..end].fill(fill);
            }
            9 => {
                let other = self.one_of(others);
                let from = self.position(other.bytes.len(), &other.marks);
                let end = from.saturating_add(self.number() % 4096).min(other.bytes.len());
                replace(bytes, at, &other.bytes[from..end]);
            }
            10 => {
                let removed = usize::from(self.byte() % 16);
                let inserted = usize::from(self.byte() % 32);
                edit_der(bytes, at, removed, self.bytes(inserted));
            }
            _ => {
                let word = *self.one_of(object.words);
                let removed = usize::from(self.byte() % 16);
                let end = end(removed);
                bytes.splice(at..end, word.iter().copied());
            }
        }
    }
}

/// Overwrites, and extends if there are fewer bytes behind.
fn replace(bytes: &mut Vec<u8>, at: usize, with: &[u8]) {
    let end = at.saturating_add(with.len()).min(bytes.len());
    bytes.splice(at..end, with.iter().copied());
}

/// A valid object, and where its fields start.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) bytes: Vec<u8>,
    marks: Vec<usize>,
    words: &'static [&'static [u8]],
}

impl Object {
    /// Of fields one behind the other.
    pub(super) fn of_fields(fields: &[&[u8]]) -> Self {
        let mut marks = vec![0];
        for field in fields {
            marks.push(marks[marks.len() - 1] + field.len());
        }
        Self { bytes: fields.concat(), marks, words: &[b"\0", b"\xff"] }
    }

    /// The fields are the headers of DER.
    pub(super) fn of_der(der: impl Into<Vec<u8>>) -> Self {
        let bytes = der.into();
        let mut marks = Vec::new();
        mark_der(&bytes, 0, &mut marks);
        Self { bytes, marks, words: DER_WORDS }
    }

    /// The fields are lines.
    pub(super) fn of_text(text: impl Into<String>, words: &'static [&'static [u8]]) -> Self {
        let bytes = text.into().into_bytes();
        let lines = (0..bytes.len()).filter(|&at| at == 0 || bytes[at - 1] == b'\n');
        let marks = lines.collect();
        Self { bytes, marks, words }
    }

    /// The fields are where JSON has a quotation mark or a bracket.
    pub(super) fn of_json(text: impl Into<String>) -> Self {
        let bytes = text.into().into_bytes();
        let marks = (0..bytes.len()).filter(|&at| b"\"[]{},:".contains(&bytes[at])).collect();
        Self { bytes, marks, words: JSON_FRAGMENTS }
    }
}

const DER_WORDS: &[&[u8]] = &[
    b"\x05\x00",
    b"\x30\x00",
    b"\x30\x80",
    b"\x04\x81",
    b"\x04\x00",
    b"\x03\x01\x00",
    b"\x02\x01\x00",
    b"\x02\x01\x01",
    b"\x31\x00",
    b"\x80\x00",
    b"\xa0\x00",
    b"\xa1\x00",
    b"\x01\x01\xff",
    b"\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x31",
    b"\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x3f",
    b"\x06\x05\x2b\x81\x04\x00\x22",
];

/// The header of a DER value: how long it is, and the length of the content.
fn header(der: &[u8]) -> Option<(usize, usize)> {
    let (header, content) = match der.get(1)? {
        short @ 0..=127 => (2, usize::from(*short)),
        0x81 => (3, usize::from(*der.get(2)?)),
        0x82 => (4, usize::from(u16::from_be_bytes([*der.get(2)?, *der.get(3)?]))),
        _ => return None,
    };
    (header + content <= der.len()).then_some((header, content))
}

/// The first value in a DER value.
pub(super) fn first_inside(der: &[u8]) -> Option<&[u8]> {
    let (start, _) = header(der)?;
    let inside = &der[start..];
    let (start, content) = header(inside)?;
    Some(&inside[..start + content])
}

/// Whether the content is DER, too: constructed, or octets around it.
fn holds_der(der: &[u8], header: usize) -> bool {
    der[0] & 0x20 != 0 || (der[0] == 0x04 && der.get(header) == Some(&0x30))
}

fn mark_der(der: &[u8], offset: usize, marks: &mut Vec<usize>) {
    let mut at = 0;
    while let Some((start, content)) = header(&der[at..]) {
        marks.push(offset + at);
        let end = at + start + content;
        if holds_der(&der[at..end], start) {
            mark_der(&der[at + start..end], offset + at + start, marks);
        } else {
            marks.push(offset + at + start);
        }
        at = end;
    }
}

/// Replaces bytes in DER, and corrects the lengths of all that is around them.
fn edit_der(der: &mut Vec<u8>, at: usize, removed: usize, inserted: &[u8]) {
    let mut begin = 0;
    while let Some((start, content)) = header(&der[begin..]) {
        let end = begin + start + content;
        if at >= end {
            begin = end;
            continue;
        }
        if at < begin + start {
            break;
        }
        let mut inside = der[begin + start..end].to_vec();
        if holds_der(&der[begin..end], start) {
            edit_der(&mut inside, at - begin - start, removed, inserted);
        } else {
            let from = at - begin - start;
            let to = (from + removed).min(inside.len());
            inside.splice(from..to, inserted.iter().copied());
        }
        if inside.len() <= 0xffff {
            let whole = tlv(der[begin], &[&inside]);
            der.splice(begin..end, whole);
        }
        return;
    }
    let to = (at + removed).min(der.len());
    let at = at.min(to);
    der.splice(at..to, inserted.iter().copied());
}

#[test]
fn edits_of_der_keep_it_well_formed() {
    let inner = tlv(0x30, &[&tlv(0x04, &[b"hello"]), &tlv(0x02, &[&[1]])]);
    let mut der = tlv(0x30, &[&tlv(0x04, &[&inner]), &tlv(0x05, &[])]);
    edit_der(&mut der, 8, 2, &[b'x'; 200]);
    let inner = tlv(0x30, &[&tlv(0x04, &[&[b'x'; 200], b"llo"]), &tlv(0x02, &[&[1]])]);
    assert_eq!(der, tlv(0x30, &[&tlv(0x04, &[&inner]), &tlv(0x05, &[])]));
}
