//! Reads fields of known length from bytes of unknown origin.

#![warn(clippy::indexing_slicing)] // a length that the bytes themselves claim is never an index

use crate::error::Error;

/// Takes fields off the front of a structure; every length is checked.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    what: &'static str,
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// `what` names the structure in errors.
    pub(crate) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self::at(what, bytes, 0)
    }

    /// Reads on at a position within `bytes`.
    pub(crate) fn at(what: &'static str, bytes: &'a [u8], position: usize) -> Self {
        Self { what, bytes, position }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let needed = self.position.saturating_add(length);
        let field = self.bytes.get(self.position..needed).ok_or(Error::Truncated {
            what: self.what,
            needed,
            actual: self.bytes.len(),
        })?;
        self.position = needed;
        Ok(field)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        array(self.what, self.take(N)?)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    /// How many bytes have been taken.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The bytes taken so far.
    pub(crate) fn taken(&self) -> &'a [u8] {
        self.bytes.split_at(self.position).0 // `take` never goes beyond the end
    }

    /// Everything that has not been taken.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.bytes.split_at(self.position).1
    }
}

/// `bytes`, if there are exactly `expected` of them.
pub(crate) fn exact<'a>(
    what: &'static str,
    bytes: &'a [u8],
    expected: usize,
) -> Result<&'a [u8], Error> {
    if bytes.len() == expected {
        Ok(bytes)
    } else {
        Err(Error::Length { what, expected, actual: bytes.len() })
    }
}

/// `bytes` as an array of exactly `N`.
pub(crate) fn array<const N: usize>(what: &'static str, bytes: &[u8]) -> Result<[u8; N], Error> {
    array_ref(what, bytes).copied()
}

/// `bytes` as a reference to an array of exactly `N`: secrets are borrowed, not copied.
pub(crate) fn array_ref<'a, const N: usize>(
    what: &'static str,
    bytes: &'a [u8],
) -> Result<&'a [u8; N], Error> {
    bytes.try_into().map_err(|_| Error::Length { what, expected: N, actual: bytes.len() })
}
