//! The cost of a sealed store beside the bare one, on the default provider.

#[path = "common/case.rs"]
mod case;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/libtest.rs"]
mod libtest;
#[path = "common/mode.rs"]
mod mode;
#[path = "../tests/common/providers.rs"]
mod providers;
#[path = "store/reads.rs"]
mod reads;
#[path = "store/stores.rs"]
mod stores;
#[path = "store/writes.rs"]
mod writes;

fn main() {
    let cases: Vec<_> = reads::cases().chain(writes::cases()).collect();
    harness::main(&cases);
}
