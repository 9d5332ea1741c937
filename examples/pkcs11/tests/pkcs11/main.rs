//! Do halves in tokens do what halves in memory do, and does the program `pkcs11` do what it promises, also when
//! something goes wrong?
//!
//! The tests need SoftHSM 2, and some need kryoptic. Where one is missing they are skipped with a line that says so;
//! TWINSEAL_REQUIRE_SOFTHSM and TWINSEAL_REQUIRE_KRYOPTIC make that a failure.

#![cfg(unix)]

mod kryoptic;
mod library;
mod lies;
mod program;
mod tokens;
