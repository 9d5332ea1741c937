//! What do several test programs share?

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod any_calls;
#[cfg(feature = "x509")]
pub(crate) mod certificates;
pub(crate) mod der;
pub(crate) mod errors;
pub(crate) mod faulty_io;
pub(crate) mod json;
pub(crate) mod keys;
pub(crate) mod numbers;
pub(crate) mod others_files;
pub(crate) mod parsers;
pub(crate) mod polling;
pub(crate) mod process;
pub(crate) mod providers;
pub(crate) mod splicing;
pub(crate) mod unlucky;
pub(crate) mod vectors;
#[cfg(feature = "tokio")]
pub(crate) mod waiting;
