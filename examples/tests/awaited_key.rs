//! The tests of the example `awaited_key`. With `test = true` of its own it would be built as tests, and not as a program.

#[expect(dead_code, reason = "`main` is for the program")]
#[path = "../awaited_key.rs"]
mod awaited_key;
