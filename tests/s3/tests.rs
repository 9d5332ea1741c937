//! Does a sealed store work on S3? moto plays it: conditional puts, uploads in parts and dates as there, in seconds.
//!
//! Without moto, each test prints a line and is skipped, unless `TWINSEAL_REQUIRE_MOTO` is set.

mod conformance;
#[path = "../it/store/fixture.rs"]
#[allow(dead_code, reason = "the library's own tests use all of it")]
mod fixture;
mod moto;
mod owners;
mod uploads;
#[path = "../it/store/watched.rs"]
#[allow(dead_code, reason = "the library's own tests use all of it")]
mod watched;
