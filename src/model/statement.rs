//! The in-toto statement of a model: written in one form, read in those that tools write.

use super::contents::Contents;
use crate::error::Error;

pub(super) fn write(contents: &Contents) -> Result<Vec<u8>, Error> {
    todo!()
}

pub(super) fn parse(payload: &[u8]) -> Result<Contents, Error> {
    todo!()
}
