//! twinseal beside other crates, the same task in the same run.
//!
//! Each row names what differs: X-Wing uses ML-KEM-768, `quantum-shield` signs with Ed25519, and `age` is
//! measured with only X25519, because it has no post-quantum key in software.

#[path = "../../../common/case.rs"]
mod case;
mod files;
#[path = "../../../common/harness.rs"]
mod harness;
mod kem;
#[path = "../../../common/libtest.rs"]
mod libtest;
mod messages;
#[path = "../../../common/mode.rs"]
mod mode;
#[path = "../../../../tests/common/providers.rs"]
mod providers;
mod sign;

const CONTEXT: &[u8] = b"example.com/peers";

fn main() {
    let cases = [kem::cases(), sign::cases(), messages::cases(), files::cases()];
    let cases: Vec<_> = cases.into_iter().flatten().collect();
    harness::main(&cases);
}
