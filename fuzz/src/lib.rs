//! The bodies of the fuzz targets. They are among the library's tests, which run them over the corpus.

#![allow(dead_code, reason = "the tests use the rest")]

#[path = "../../tests/common"]
mod common {
    pub(crate) mod certificates;
    pub(crate) mod der;
    pub(crate) mod errors;
    pub(crate) mod json;
    pub(crate) mod keys;
    pub(crate) mod numbers;
    pub(crate) mod providers;
}

#[path = "../../tests/it"]
mod it {
    pub mod fuzzing;
}

pub use it::fuzzing;

#[path = "../../tests/it/import"]
mod import {
    pub(crate) mod fixture;
}

#[path = "../../tests/it/model"]
mod model {
    pub(crate) mod drafts;
}
