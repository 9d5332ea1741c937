//! The cost of signing models beside bare SHA-256.

#[path = "common/case.rs"]
mod case;
#[path = "model/files.rs"]
mod files;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/libtest.rs"]
mod libtest;
#[path = "common/mode.rs"]
mod mode;

fn main() {
    let cases: Vec<_> = files::cases().collect();
    harness::main(&cases);
}
