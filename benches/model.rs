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
#[path = "model/one_pass.rs"]
mod one_pass;
#[path = "../tests/common/providers.rs"]
mod providers;

fn main() {
    let cases: Vec<_> = files::cases().chain(one_pass::cases()).collect();
    harness::main(&cases);
}
